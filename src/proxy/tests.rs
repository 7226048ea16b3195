//! Over real sockets: what a pipe in memory cannot show.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use super::dialogs::settings;
use super::*;
use crate::record::{Event, Firing};
use crate::scenario::read_fault;
use crate::source::SourceText;

const SOON: Duration = Duration::from_secs(5);

/// A fault as in a scenario, without its host.
fn fault(index: usize, text: &str) -> Armed {
    let source = SourceText::new("fault", format!("{{ host: mx.test, {text} }}"));
    Armed { index, fault: Arc::new(read_fault(&source).expect("a fault")), since: Instant::now(), of: None }
}

/// An upstream that greets, answers 250 to every line and 354 to DATA, and then reads on.
async fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.write_all(b"220 mx.test\r\n").await?;
    let mut bytes = vec![0; 4096];
    loop {
        let count = stream.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        let lines = bytes[..count].split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        for line in lines {
            let reply: &[u8] = if line == b"DATA\r\n" { b"354 go\r\n" } else { b"250 ok\r\n" };
            stream.write_all(reply).await?;
        }
    }
}

fn with_front(mut settings: Settings, upstream: SocketAddr) -> Settings {
    let listen = "127.0.0.1:0".parse().expect("an address");
    settings.fronts = vec![Front::plain(upstream.ip(), listen, upstream.into())];
    settings
}

async fn started(settings: Settings) -> (Proxy, SocketAddr) {
    let proxy = Proxy::start(settings).await.expect("it starts");
    let address = proxy.addresses()[0];
    (proxy, address)
}

async fn banner(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    banner_of(&mut stream).await
}

async fn banner_of(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = [0; 100];
    let count = timeout(SOON, stream.read(&mut bytes)).await.expect("in time")?;
    Ok(String::from_utf8_lossy(&bytes[..count]).into_owned())
}

fn firings(settings: &Settings) -> Vec<Firing> {
    let events = settings.journal.since(0).into_iter();
    events.filter_map(|entry| if let Event::Fired(firing) = entry.event { Some(firing) } else { None }).collect()
}

fn warnings(settings: &Settings) -> Vec<String> {
    let events = settings.journal.since(0).into_iter();
    events.filter_map(|entry| if let Event::Warning { text } = entry.event { Some(text) } else { None }).collect()
}

#[tokio::test]
async fn refuse_resets_the_syn_and_gives_the_port_back() {
    let settings = with_front(settings(), upstream().await);
    let (proxy, address) = started(settings.clone()).await;
    assert_eq!(banner(address).await.expect("served"), "220 mx.test\r\n");
    for _ in 0..3 {
        proxy.raise(vec![fault(0, "at: connect, do: refuse")]).await.expect("it can be raised");
        let refused = banner(address).await.expect_err("refused");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        proxy.lift().await;
        assert_eq!(banner(address).await.expect("served again"), "220 mx.test\r\n");
    }
    assert!(firings(&settings).is_empty(), "nobody was accepted");
}

#[tokio::test]
async fn connections_that_are_open_outlive_a_shut_door() {
    let (proxy, address) = started(with_front(settings(), upstream().await)).await;
    let mut before = TcpStream::connect(address).await.expect("served");
    banner_of(&mut before).await.expect("a banner");
    proxy.raise(vec![fault(0, "at: connect, do: refuse")]).await.expect("it can be raised");
    before.write_all(b"NOOP\r\n").await.expect("written");
    assert_eq!(banner_of(&mut before).await.expect("answered"), "250 ok\r\n");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn drop_syn_answers_nobody_and_serves_who_still_waits_when_it_is_lifted() {
    let (proxy, address) = started(with_front(settings(), upstream().await)).await;
    for _ in 0..2 {
        let drop_syn = vec![fault(0, "at: connect, do: drop-syn")];
        proxy.raise(drop_syn).await.expect("it holds on this system");
        for _ in 0..3 {
            assert!(timeout(Duration::from_millis(300), TcpStream::connect(address)).await.is_err(), "no SYN-ACK");
        }
        // Its SYN is sent again after one second.
        let waiting = tokio::spawn(banner(address));
        tokio::time::sleep(Duration::from_millis(100)).await;
        proxy.lift().await;
        assert_eq!(banner(address).await.expect("served at once"), "220 mx.test\r\n");
        let late = timeout(SOON, waiting).await.expect("in time").expect("it ran").expect("served");
        assert_eq!(late, "220 mx.test\r\n");
    }
    proxy.down().await;
    let gone = banner(address).await.expect_err("nobody listens");
    assert_eq!(gone.kind(), io::ErrorKind::ConnectionRefused);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn drop_syn_holds_on_every_kind_of_address() {
    for (listen, dial) in [("[::1]:0", "::1"), ("0.0.0.0:0", "127.0.0.1"), ("127.77.200.9:0", "127.77.200.9")] {
        let mut settings = with_front(settings(), upstream().await);
        settings.fronts[0].listen = listen.parse().expect("an address");
        let (proxy, address) = started(settings).await;
        let address = SocketAddr::new(dial.parse().expect("an address"), address.port());
        proxy.raise(vec![fault(0, "at: connect, do: drop-syn")]).await.expect(listen);
        assert!(timeout(Duration::from_millis(300), TcpStream::connect(address)).await.is_err(), "{listen}");
        proxy.lift().await;
        assert_eq!(banner(address).await.expect("served"), "220 mx.test\r\n");
    }
}

#[tokio::test]
async fn one_outage_can_follow_another_of_its_kind_or_not() {
    let (proxy, address) = started(with_front(settings(), upstream().await)).await;
    // Between two outages nothing of the first may be left in the way.
    for kind in ["drop-syn", "refuse", "drop-syn"] {
        if cfg!(not(target_os = "linux")) && kind == "drop-syn" {
            continue;
        }
        proxy.raise(vec![fault(0, &format!("at: connect, do: {kind}"))]).await.expect(kind);
    }
    proxy.lift().await;
    for _ in 0..20 {
        assert_eq!(banner(address).await.expect("served"), "220 mx.test\r\n");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_door_shuts_and_opens_by_itself_with_its_window() {
    let (proxy, address) = started(with_front(settings(), upstream().await)).await;
    let window = fault(0, "at: connect, do: refuse, when: { after: 200ms, for: 300ms }");
    proxy.raise(vec![window]).await.expect("it can be raised");
    assert!(banner(address).await.is_ok(), "not yet");
    tokio::time::sleep(Duration::from_millis(350)).await;
    assert!(banner(address).await.is_err(), "within the window");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(banner(address).await.is_ok(), "no longer");
}

#[tokio::test]
async fn reset_is_rst_and_close_is_fin() {
    let settings = with_front(settings(), upstream().await);
    let (proxy, address) = started(settings.clone()).await;
    proxy.raise(vec![fault(3, "at: connect, do: reset, scope: all")]).await.expect("it can be raised");
    let reset = banner(address).await.expect_err("reset");
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    proxy.raise(vec![fault(4, "at: connect, do: close, scope: all")]).await.expect("it can be raised");
    assert_eq!(banner(address).await.expect("closed"), "");
    let fired: Vec<(usize, u64)> = firings(&settings).iter().map(|it| (it.fault, it.connection)).collect();
    assert_eq!(fired, [(3, 1), (4, 2)]);
}

#[tokio::test]
async fn a_close_in_a_body_under_way_is_fin_all_the_same() {
    let (proxy, address) = started(with_front(settings(), upstream().await)).await;
    proxy.raise(vec![fault(0, "at: body, do: { close-after: 10 }, scope: all")]).await.expect("it can be raised");
    let mut client = TcpStream::connect(address).await.expect("served");
    client.write_all(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n").await.expect("written");
    let mut said = String::new();
    while !said.contains("354") {
        said += &banner_of(&mut client).await.expect("answered");
    }
    // More than any socket buffer holds: a socket closed with unread bytes would send RST.
    client.write_all(&b"a line of the body\r\n".repeat(100_000)).await.expect("all of it is read");
    assert_eq!(banner_of(&mut client).await.expect("FIN"), "");
}

#[tokio::test]
async fn only_the_announced_caller_is_touched_before_the_envelope() {
    let dialer = crate::world::Dialer::default();
    let mut settings = with_front(settings(), upstream().await);
    settings.callers = dialer.callers.clone();
    let (proxy, address) = started(settings.clone()).await;
    proxy.raise(vec![fault(0, "at: banner, do: { reply: 421 busy }")]).await.expect("it can be raised");
    assert_eq!(banner(address).await.expect("a stranger is served"), "220 mx.test\r\n");
    let Ours::Run(run) = &settings.ours else { panic!("a run") };
    let tag = run.probe(1);
    let target = crate::world::Listening {
        socket: address,
        own: address,
        proxied: Some("mx.test".into()),
        calls: crate::world::Calls::Announced,
    };
    let mut stream = dialer.connect(&target, Some(tag.as_str()), SOON).await.expect("connected");
    assert_eq!(banner_of(&mut stream).await.expect("refused"), "421 busy\r\n");
    assert_eq!(firings(&settings)[0].tag, Some(tag));
}

#[tokio::test]
async fn more_connections_than_the_limit_are_told_so() {
    let settings = with_front(settings(), upstream().await);
    let (proxy, address) = started(settings.clone()).await;
    let busy = "at: banner, when: { limit: { connections: 2 } }, do: { reply: 421 busy }, scope: all";
    proxy.raise(vec![fault(0, busy)]).await.expect("it can be raised");
    let mut open = vec![];
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        assert_eq!(banner_of(&mut stream).await.expect("served"), "220 mx.test\r\n");
        open.push(stream);
    }
    assert_eq!(banner(address).await.expect("told"), "421 busy\r\n");
    open.clear();
    let gone = async {
        while proxy.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, gone).await.expect("they end");
    assert_eq!(banner(address).await.expect("served"), "220 mx.test\r\n");
}

#[tokio::test]
async fn an_upstream_that_is_down_is_not_spoken_for() {
    let nobody = TcpSocket::new_v4().expect("a socket");
    nobody.bind("127.0.0.1:0".parse().expect("an address")).expect("bound");
    let settings = with_front(settings(), nobody.local_addr().expect("an address"));
    let (_proxy, address) = started(settings.clone()).await;
    for _ in 0..2 {
        let error = banner(address).await.expect_err("reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
    let warned = warnings(&settings);
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("cannot be reached"), "{warned:?}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let mut settings = with_front(settings(), upstream().await);
    settings.fronts[0].listen = taken.local_addr().expect("an address");
    let error = Proxy::start(settings).await.expect_err("taken");
    assert!(error.to_string().starts_with(&format!("the proxy cannot listen on {}", taken.local_addr().expect("it"))));
}

#[tokio::test]
async fn what_cannot_be_is_not_raised() {
    let (proxy, address) = started(with_front(settings(), upstream().await)).await;
    let wrong = vec![fault(0, "at: banner, do: { reply: 421 no }, scope: all"), broken()];
    let error = proxy.raise(wrong).await.expect_err("wrong");
    assert_eq!(error.to_string(), "`delay` cannot be at `body`");
    assert_eq!(banner(address).await.expect("nothing is in force"), "220 mx.test\r\n");
}

#[tokio::test]
async fn a_certificate_needs_a_proxy_that_has_one() {
    let (proxy, _) = started(Settings { tls: None, ..with_front(settings(), upstream().await) }).await;
    let expired = || vec![fault(0, "at: starttls, do: { tls: expired }, scope: all")];
    let error = proxy.raise(expired()).await.expect_err("no certificate");
    assert_eq!(error.to_string(), "`tls expired at starttls` needs a proxy that can end TLS");
    proxy.raise(vec![fault(0, "at: starttls, do: { tls: garbage }, scope: all")]).await.expect("that needs none");
    let (proxy, _) = started(with_front(settings(), upstream().await)).await;
    proxy.raise(expired()).await.expect("it has one");
}

fn broken() -> Armed {
    let mut armed = fault(1, "at: data, do: { delay: 1s }");
    let mut fault = (*armed.fault).clone();
    fault.at.value = crate::mail::Stage::Body;
    armed.fault = Arc::new(fault);
    armed
}

#[tokio::test]
async fn down_leaves_nothing_behind() {
    let (proxy, address) = started(with_front(settings(), upstream().await)).await;
    let mut open = TcpStream::connect(address).await.expect("connected");
    banner_of(&mut open).await.expect("served");
    let shared = Arc::clone(&proxy.shared);
    proxy.down().await;
    assert_eq!(shared.live.count(), 0);
    assert!(!matches!(banner_of(&mut open).await.as_deref(), Ok(text) if !text.is_empty()));
    TcpListener::bind(address).await.expect("the port is free");
}

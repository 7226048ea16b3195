//! A receiver of log lines: RFC 3164 and RFC 5424, over UDP, TCP or TLS.
//!
//! ```text
//!   datagram ───────────────┐
//!   stream ──> framing ─────┴──> message ──> one line as `log/` reads it ──> items
//!              LF, or counted     which host wrote it, and may it speak?
//! ```
//!
//! Everything has a bound: connections, the length of a line, the lines that wait. What is lost to
//! a bound is a gap in the evidence, and said.

mod framing;
mod message;
mod stream;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::super::follow::MAX_LINE;
use super::super::maildir::unreadable;
use super::super::notes::Notes;
use super::super::{Collecting, Trouble};
use super::{Age, CAPACITY, Item, Items, Source};
use crate::inventory::{Syslog, SyslogTransport};
use message::Writers;

/// How much the system may keep of datagrams that were not read yet, in bytes.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Begins to listen.
pub(in super::super) async fn open(settings: &Syslog, notes: Notes) -> Result<Collecting, Trouble> {
    let (items, received) = mpsc::channel(CAPACITY);
    let heard = Heard { writers: Arc::new(Writers::of(settings)), items, notes: notes.clone() };
    let (task, place) = match settings.transport {
        SyslogTransport::Udp => {
            let (socket, place) = datagrams(settings.listen)?;
            (tokio::spawn(hear_datagrams(socket, heard)), place)
        }
        SyslogTransport::Tcp | SyslogTransport::Tls => {
            let tls = identity(settings)?;
            let listener = TcpListener::bind(settings.listen).await.map_err(|error| busy(settings.listen, &error))?;
            let place = listener.local_addr().map_err(|error| busy(settings.listen, &error))?;
            (tokio::spawn(stream::accept(listener, tls, heard)), place)
        }
    };
    let why = format!("it listens for log lines on {place} over {}", settings.transport);
    Ok(super::begin(Listening(task), received, settings.format, notes, &why))
}

/// The task that listens; its connections end with it.
struct Listening(JoinHandle<()>);

impl Source for Listening {
    async fn end(mut self) {
        self.0.abort();
        let _ = (&mut self.0).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What everybody who listens shares.
#[derive(Clone)]
struct Heard {
    writers: Arc<Writers>,
    items: Items,
    notes: Notes,
}

impl Heard {
    /// The line of a message, if its writer counts.
    fn item(&self, bytes: &[u8], peer: SocketAddr) -> Option<Item> {
        let text = String::from_utf8_lossy(bytes);
        let line = self.writers.line(text.trim_end_matches(['\r', '\n', '\0']), peer.ip(), self.notes.now())?;
        Some(Item::Line { place: format!("syslog from {}", peer.ip()), text: line, age: Age::Fresh })
    }
}

fn busy(listen: SocketAddr, error: &std::io::Error) -> Trouble {
    Trouble::new(format!("nothing can listen on {listen}: {error}")).help(match error.kind() {
        std::io::ErrorKind::AddrInUse => "end what listens there, or choose another port under `listen`",
        std::io::ErrorKind::PermissionDenied => "choose a port from 1024 on, or run mxdrill as root",
        _ => "`listen` must be an address of this machine, such as 127.0.0.1 or 0.0.0.0",
    })
}

fn identity(settings: &Syslog) -> Result<Option<TlsAcceptor>, Trouble> {
    let (Some(certificate), Some(key)) = (&settings.certificate, &settings.key) else { return Ok(None) };
    let read = |path: &Path| std::fs::read(path).map_err(|error| unreadable(path, &error));
    let acceptor = crate::tls::acceptor_from_pem(&read(certificate)?, &read(key)?);
    acceptor.map(Some).map_err(|error| Trouble::new(error.to_string()).help("check `certificate` and `key`"))
}

fn datagrams(listen: SocketAddr) -> Result<(UdpSocket, SocketAddr), Trouble> {
    let bound = || {
        let kind = socket2::Type::DGRAM;
        let socket = socket2::Socket::new(socket2::Domain::for_address(listen), kind, None)?;
        // The system may give less.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        socket.set_nonblocking(true)?;
        socket.bind(&listen.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        let place = socket.local_addr()?;
        Ok((socket, place))
    };
    bound().map_err(|error: std::io::Error| busy(listen, &error))
}

async fn hear_datagrams(socket: UdpSocket, heard: Heard) {
    let mut block = vec![0; MAX_LINE];
    let mut lost = 0u64;
    loop {
        let Ok((read, peer)) = socket.recv_from(&mut block).await else { continue };
        if lost > 0
            && heard.items.try_send(Item::Gap(format!("{lost} lines came faster than they could be read"))).is_ok()
        {
            lost = 0;
        }
        if let Some(item) = heard.item(&block[..read], peer)
            && let Err(mpsc::error::TrySendError::Full(_)) = heard.items.try_send(item)
        {
            lost += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;

    use super::super::super::testing::Bench;
    use super::*;
    use crate::inventory::{LogFormat, Looks};
    use crate::record::LookedState;

    fn settings(transport: SyslogTransport) -> Syslog {
        Syslog {
            listen: "127.0.0.1:0".parse().expect("an address"),
            transport,
            format: LogFormat::Postfix,
            certificate: None,
            key: None,
            hosts: vec!["mx1.new.example".to_owned()],
            from: vec![],
        }
    }

    /// The lines of a probe that `mx1` keeps, without their stamps.
    fn story(bench: &Bench) -> Vec<String> {
        let tag = bench.run.probe(1);
        vec![
            "postfix/smtpd[1]: 04D5B9CE948: client=unknown[10.99.0.10]".to_owned(),
            format!("postfix/cleanup[1]: 04D5B9CE948: message-id=<{tag}@mxdrill.invalid>"),
            format!("postfix/qmgr[1]: 04D5B9CE948: from=<mxdrill+{tag}@s.example>, size=767, nrcpt=1 (queue active)"),
            "postfix/local[1]: 04D5B9CE948: to=<a@b>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (ok)"
                .to_owned(),
        ]
    }

    /// Where it listens, as it says itself.
    fn place(bench: &Bench) -> SocketAddr {
        let why = &bench.looked()[0].why;
        why.split(' ').find_map(|word| word.parse().ok()).expect("a socket")
    }

    async fn landed(bench: &Bench) -> (String, String, String) {
        bench.until_landed(1).await;
        let landed = bench.landed().remove(0);
        (landed.host.unwrap_or_default(), landed.queue_id.unwrap_or_default(), landed.detail)
    }

    fn expected() -> (String, String, String) {
        let words = ["mx1.new.example", "04D5B9CE948", "syslog from 127.0.0.1 by local (ok)"];
        words.map(str::to_owned).into()
    }

    #[tokio::test]
    async fn datagrams_are_evidence() {
        let bench = Bench::new();
        let collecting = bench.open(Looks::Syslog(settings(SyslogTransport::Udp))).await.expect("it listens");
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        for line in story(&bench) {
            let classic = format!("<22>Nov 21 05:42:24 mx1 {line}");
            socket.send_to(classic.as_bytes(), place(&bench)).await.expect("sent");
        }
        socket.send_to(b"<22>Nov 21 05:42:24 elsewhere postfix/smtpd[1]: x", place(&bench)).await.expect("sent");
        assert_eq!(landed(&bench).await, expected());
        collecting.look().await.expect("it looks");
        collecting.close().await;
        assert!(bench.looked().iter().any(|it| it.state == LookedState::Alive), "{:?}", bench.looked());
    }

    #[tokio::test]
    async fn counted_frames_and_lines_are_evidence() {
        for counted in [true, false] {
            let bench = Bench::new();
            let collecting = bench.open(Looks::Syslog(settings(SyslogTransport::Tcp))).await.expect("it listens");
            let mut stream = TcpStream::connect(place(&bench)).await.expect("connected");
            for line in story(&bench) {
                let (program, text) = line.split_once("[1]: ").expect("a line");
                let message = format!("<22>1 2026-11-21T05:42:24.5Z mx1.new.example {program} 1 - - {text}");
                let frame = if counted { format!("{} {message}", message.len()) } else { format!("{message}\n") };
                stream.write_all(frame.as_bytes()).await.expect("sent");
            }
            assert_eq!(landed(&bench).await, expected());
            collecting.close().await;
        }
    }

    #[tokio::test]
    async fn lines_come_inside_of_tls_too() {
        let own = rcgen::generate_simple_self_signed(["log.test".to_owned()]).expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&certificate, own.cert.pem()).expect("written");
        std::fs::write(&key, own.signing_key.serialize_pem()).expect("written");
        let with = Syslog {
            certificate: Some(certificate.clone()),
            key: Some(key),
            from: vec!["127.0.0.0/8".parse().expect("a network")],
            ..settings(SyslogTransport::Tls)
        };
        let bench = Bench::new();
        let collecting = bench.open(Looks::Syslog(with.clone())).await.expect("it listens");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(own.cert.der().clone()).expect("added");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(place(&bench)).await.expect("connected");
        let name = rustls::pki_types::ServerName::try_from("log.test").expect("a name");
        let tls = tokio_rustls::TlsConnector::from(Arc::new(config));
        let mut stream = tls.connect(name, stream).await.expect("TLS");
        for line in story(&bench) {
            stream.write_all(format!("<22>Nov 21 05:42:24 mx1 {line}\n").as_bytes()).await.expect("sent");
        }
        stream.flush().await.expect("sent");
        assert_eq!(landed(&bench).await, expected());
        collecting.close().await;
        let bad = Syslog { certificate: Some(folder.path().join("none.pem")), ..with };
        let error = Bench::new().open(Looks::Syslog(bad)).await.expect_err("no certificate");
        assert!(error.what.contains("none.pem` cannot be read"), "{error}");
    }

    #[tokio::test]
    async fn a_port_in_use_is_an_error() {
        let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let listen = taken.local_addr().expect("an address");
        let bench = Bench::new();
        let error = bench.open(Looks::Syslog(Syslog { listen, ..settings(SyslogTransport::Tcp) })).await;
        let error = error.expect_err("in use");
        assert!(error.what.starts_with(&format!("nothing can listen on {listen}: ")), "{error}");
        assert_eq!(bench.looked()[0].state, LookedState::Failed);
    }

    #[tokio::test]
    async fn more_connections_than_there_may_be_are_a_gap() {
        let bench = Bench::new();
        let collecting = bench.open(Looks::Syslog(settings(SyslogTransport::Tcp))).await.expect("it listens");
        let mut streams = vec![];
        for _ in 0..=stream::MAX_CONNECTIONS {
            streams.push(TcpStream::connect(place(&bench)).await.expect("connected"));
        }
        let mut length = bench.journal.length();
        let gap = async {
            while !bench.looked().iter().any(|it| it.state == LookedState::Gap) {
                length.changed().await.expect("the journal lives");
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gap).await.expect("it is said");
        collecting.close().await;
    }
}

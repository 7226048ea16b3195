//! Lab hosts over real sockets.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::mail::Reply;
use crate::record::{Event, Handling, Journal, Landed, Passed, RunId, TAG_HEADER, Tag};
use crate::scenario::{self, Busy, Defaults, LabHost, LabHostKind, LabTls, Timeouts, Verify};
use crate::smtp::{Session, Starttls};
use crate::source::{Span, Spanned};
use crate::terms::Family;
use crate::tls::Authority;
use crate::world::{Clock, Dialer};

const LIMIT: Duration = Duration::from_secs(5);

fn at_no_place<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::default())
}

fn host(name: &str, kind: LabHostKind) -> LabHost {
    LabHost { name: at_no_place(name.to_owned()), kind, tls: LabTls::Offered, busy: None }
}

/// A lab whose hosts are all stores.
pub(super) fn lab_of(names: &[&str]) -> scenario::Lab {
    scenario::Lab {
        span: Span::default(),
        zones: IndexMap::new(),
        hosts: names.iter().map(|name| ((*name).to_owned(), host(name, LabHostKind::Store))).collect(),
        port: None,
        dns_port: None,
        policies: indexmap::IndexMap::new(),
        dns_faults: vec![],
        network: None,
        families: vec![Family::V4],
    }
}

/// A running lab, with what a test wants to know of it.
struct Rig {
    lab: Lab,
    ground: Ground,
    journal: Journal,
    run: RunId,
    authority: Arc<Authority>,
}

fn rig(hosts: Vec<LabHost>) -> Rig {
    let mut plan = lab_of(&[]);
    plan.hosts = hosts.into_iter().map(|host| (host.name.value.clone(), host)).collect();
    let ground = Ground::plan(&plan).expect("a ground");
    let journal = Journal::in_memory(Clock::starting_at("2026-11-21T06:40:00Z".parse().expect("a time")));
    let run = RunId::from_entropy(0x0123_4567_89ab_cdef);
    let authority = Arc::new(Authority::new().expect("keys"));
    let addresses: HashMap<String, Vec<SocketAddr>> =
        ground.hosts.iter().map(|(name, site)| (name.clone(), site.addresses.clone())).collect();
    let mut timeouts = Timeouts::of(Defaults::Lab);
    timeouts.connect = Duration::from_millis(500);
    let setting = Setting {
        run: run.clone(),
        journal: journal.clone(),
        dialer: Dialer::default(),
        authority: Arc::clone(&authority),
        platforms: ground.hosts.keys().map(|name| (name.clone(), platform(name).to_owned())).collect(),
        addresses,
        timeouts,
        outbound: Outbound::default(),
        keep: Keep::Newest,
    };
    let lab = Lab::up(&plan, &ground, setting).expect("a lab");
    Rig { lab, ground, journal, run, authority }
}

fn platform(host: &str) -> &'static str {
    if host.contains("old") { "legacy" } else { "new" }
}

impl Rig {
    async fn connected(&self, host: &str) -> TcpStream {
        TcpStream::connect(self.ground.hosts[host].addresses[0]).await.expect("a connection")
    }

    async fn greeted(&self, host: &str) -> (Session<TcpStream>, Reply) {
        let mut session = Session::new(self.connected(host).await);
        let greeting = session.greeting(LIMIT).await.expect("a greeting");
        (session, greeting)
    }

    /// Sends a probe and gives the last reply: to RCPT where it was refused, else to the message.
    async fn send(&self, host: &str, tag: &Tag) -> Reply {
        let (mut session, greeting) = self.greeted(host).await;
        if !greeting.is_positive() {
            return greeting;
        }
        session.hello("sender.example", LIMIT).await.expect("a reply");
        session.mail(&format!("mxdrill+{tag}@sender.example"), "", LIMIT).await.expect("a reply");
        let reply = session.rcpt("probe@drill.example", "", LIMIT).await.expect("a reply");
        if !reply.is_positive() {
            return reply;
        }
        session.data(LIMIT).await.expect("a reply");
        let reply = session.body(&message(tag), LIMIT, LIMIT).await.expect("a reply");
        session.quit(LIMIT).await;
        reply
    }

    fn landed(&self) -> Vec<Landed> {
        let entries = self.journal.since(0).into_iter();
        entries.filter_map(|entry| if let Event::Landed(landed) = entry.event { Some(landed) } else { None }).collect()
    }

    fn passed(&self) -> Vec<Passed> {
        let entries = self.journal.since(0).into_iter();
        entries.filter_map(|entry| if let Event::Passed(passed) = entry.event { Some(passed) } else { None }).collect()
    }

    fn handlings(&self) -> Vec<(Handling, Option<String>)> {
        self.passed().into_iter().map(|passed| (passed.handling, passed.host)).collect()
    }

    /// Waits until every copy is accounted for.
    async fn at_rest(&self) {
        let mut in_flight = self.lab.in_flight();
        let rest = in_flight.wait_for(|copies| *copies == 0);
        tokio::time::timeout(LIMIT, rest).await.expect("in time").expect("the lab is up");
    }
}

fn message(tag: &Tag) -> Vec<u8> {
    format!("{TAG_HEADER}: {tag}\r\nMessage-ID: {}\r\nSubject: a probe\r\n\r\n.hello\r\n", tag.message_id())
        .into_bytes()
}

fn relay(to: &str, verify: Verify) -> LabHostKind {
    LabHostKind::Relay { to: at_no_place(to.to_owned()), verify }
}

fn hold(then: &str) -> LabHostKind {
    LabHostKind::Hold { then: at_no_place(then.to_owned()), retry: Duration::from_millis(20) }
}

#[tokio::test]
async fn a_probe_that_a_store_took_is_in_the_journal_under_the_queue_id_of_the_reply() {
    let rig = rig(vec![host("mx1.new.example", LabHostKind::Store)]);
    let (mut session, _) = rig.greeted("mx1.new.example").await;
    let hello = session.hello("sender.example", LIMIT).await.expect("a reply");
    assert!(hello.capabilities.has("STARTTLS"));
    let Starttls::Ready(stream) = session.starttls(LIMIT).await.expect("a reply") else { panic!("declined") };
    let clock = rig.journal.clock();
    let (stream, seen) =
        crate::tls::connect(stream, "mx1.new.example", &rig.authority.trust(), &clock, LIMIT).await.expect("encrypted");
    assert_eq!(seen.verdicts, ["trusted"]);
    let (mut session, tag) = (Session::new(stream), rig.run.probe(1));
    session.hello("sender.example", LIMIT).await.expect("a reply");
    session.mail(&format!("mxdrill+{tag}@sender.example"), "SIZE=100", LIMIT).await.expect("a reply");
    session.rcpt("probe@drill.example", "", LIMIT).await.expect("a reply");
    session.data(LIMIT).await.expect("a reply");
    let reply = session.body(&message(&tag), LIMIT, LIMIT).await.expect("a reply");

    let landed = rig.landed().remove(0);
    assert_eq!(
        (landed.tag, landed.platform.as_str(), landed.collector.as_str()),
        (tag.clone(), "new", "store mx1.new.example")
    );
    assert_eq!(landed.queue_id.as_deref(), reply.queue_id());
    assert!(landed.received[0].contains("with ESMTPS id LAB"), "{:?}", landed.received);
    let stored = rig.lab.messages("mx1.new.example").remove(0);
    assert!(stored.bytes.ends_with(&message(&tag)));
    assert_eq!(rig.lab.counts()["mx1.new.example"], Counts { taken: 1, stored: 1, ..Counts::default() });
    rig.lab.down().await;
    assert!(session.reset(LIMIT).await.is_err(), "the session outlived the lab");
    assert!(TcpStream::connect(rig.ground.hosts["mx1.new.example"].addresses[0]).await.is_err());
}

#[tokio::test]
async fn a_relay_answers_only_after_the_next_hop() {
    let rig = rig(vec![
        host("mx2.new.example", relay("mx1.new.example", Verify::No)),
        host("mx1.new.example", LabHostKind::Store),
    ]);
    let reply = rig.send("mx2.new.example", &rig.run.probe(1)).await;
    let (landed, passed) = (rig.landed().remove(0), rig.passed());
    assert_eq!(landed.received.len(), 2);
    assert_eq!(passed.iter().map(|it| it.handling).collect::<Vec<_>>(), [Handling::Took, Handling::Relayed]);
    assert_eq!(passed[0].queue_id.as_deref(), reply.queue_id());
    assert_eq!((passed[1].next_host.as_deref(), &passed[1].next_queue_id), (Some("mx1.new.example"), &landed.queue_id));
    assert_eq!(rig.lab.counts()["mx2.new.example"], Counts { taken: 1, relayed: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_relay_whose_next_hop_is_away_takes_nothing() {
    let rig = rig(vec![
        host("mx2.new.example", relay("nobody.example", Verify::No)),
        host("mx3.new.example", relay("nobody.example", Verify::Recipients)),
        host("mx4.new.example", relay("mx.old.example", Verify::Recipients)),
        host("mx.old.example", LabHostKind::Reject { reply: Reply::new(550, "5.1.1 unknown") }),
    ]);
    let tag = rig.run.probe(1);
    assert_eq!(
        rig.send("mx2.new.example", &tag).await.to_string(),
        "451 4.4.1 nobody.example cannot be reached: no address of nobody.example is known"
    );
    let asked = rig.send("mx3.new.example", &tag).await;
    assert!(
        asked.to_string().starts_with("450 4.1.1 <probe@drill.example>: nobody.example could not be asked"),
        "{asked}"
    );
    assert_eq!(rig.send("mx4.new.example", &tag).await.to_string(), "550 5.1.1 mx.old.example said: 550 5.1.1 unknown");
    let refused = |host: &str| (Handling::Refused, Some(host.to_owned()));
    // The closed host knows no tag of the question: it comes with the null reverse-path.
    assert_eq!(rig.handlings(), ["mx2.new.example", "mx3.new.example", "mx4.new.example"].map(refused));
    assert_eq!(*rig.lab.in_flight().borrow(), 0);
    assert!(rig.lab.counts().values().all(|counts| counts.taken == 0));
}

#[tokio::test]
async fn a_spool_holds_until_the_next_hop_is_back() {
    let mut rig = rig(vec![host("mx2.new.example", hold("mx1.new.example"))]);
    // Its next hop is planned, but does not listen yet.
    let place = rig.ground.hosts["mx2.new.example"].addresses[0];
    let away = listen("mx1.new.example", SocketAddr::new(place.ip(), 0)).expect("a free port");
    let back_at = away.local_addr().expect("an address");
    drop(away);
    rig.lab.down().await;
    let mut addresses = HashMap::new();
    addresses.insert("mx1.new.example".to_owned(), vec![back_at]);
    let setting = Setting {
        run: rig.run.clone(),
        journal: rig.journal.clone(),
        dialer: Dialer::default(),
        authority: Arc::clone(&rig.authority),
        platforms: HashMap::new(),
        addresses,
        timeouts: Timeouts::of(Defaults::Lab),
        outbound: Outbound::default(),
        keep: Keep::Nothing,
    };
    rig.lab = Lab::new(setting);
    let spool = listen("mx2.new.example", place).expect("its place");
    rig.lab.start(&host("mx2.new.example", hold("mx1.new.example")), vec![spool]).expect("it starts");

    let reply = rig.send("mx2.new.example", &rig.run.probe(1)).await;
    assert!(reply.queue_id().is_some_and(|id| id.starts_with("LAB")), "{reply}");
    assert_eq!((*rig.lab.in_flight().borrow(), rig.lab.counts()["mx2.new.example"].waiting()), (1, 1));
    let mut length = rig.journal.length();
    let noted = length.wait_for(|_| rig.handlings().iter().any(|(handling, _)| *handling == Handling::Deferred));
    tokio::time::timeout(LIMIT, noted).await.expect("in time").expect("the journal is there");

    let back = listen("mx1.new.example", back_at).expect("it is still free");
    rig.lab.start(&host("mx1.new.example", LabHostKind::Store), vec![back]).expect("it starts");
    rig.at_rest().await;
    let handlings: Vec<Handling> = rig.handlings().into_iter().map(|(handling, _)| handling).collect();
    assert_eq!(handlings, [Handling::Took, Handling::Deferred, Handling::Relayed]);
    assert_eq!(rig.landed().len(), 1);
    assert!(rig.lab.messages("mx1.new.example").is_empty(), "nothing was to be kept");
}

#[tokio::test]
async fn a_spool_returns_what_the_next_hop_refuses_for_good() {
    let closed = LabHostKind::Reject { reply: Reply::new(550, "5.1.1 unknown") };
    let rig = rig(vec![host("mx2.new.example", hold("mx.old.example")), host("mx.old.example", closed)]);
    rig.send("mx2.new.example", &rig.run.probe(1)).await;
    rig.at_rest().await;
    let (spool, closed) = (Some("mx2.new.example".to_owned()), Some("mx.old.example".to_owned()));
    assert_eq!(
        rig.handlings(),
        [(Handling::Took, spool.clone()), (Handling::Refused, closed), (Handling::Bounced, spool)]
    );
    let counts = rig.lab.counts();
    assert_eq!(counts["mx2.new.example"], Counts { taken: 1, bounced: 1, ..Counts::default() });
    assert_eq!(counts["mx.old.example"], Counts { refused: 1, ..Counts::default() });
}

#[tokio::test]
async fn a_busy_host_turns_away_whoever_comes_above_its_limit() {
    let busy = Busy { messages: 2, per: Duration::from_secs(60), reply: Reply::new(421, "4.3.2 busy") };
    let limited = LabHost { busy: Some(at_no_place(busy)), ..host("mx1.new.example", LabHostKind::Store) };
    let rig = rig(vec![limited]);
    // Who leaves without a message does not count.
    let (session, _) = rig.greeted("mx1.new.example").await;
    session.quit(LIMIT).await.expect("a reply");
    let mut codes = vec![];
    for number in 1..=3 {
        codes.push(rig.send("mx1.new.example", &rig.run.probe(number)).await.code);
    }
    assert_eq!(codes, [250, 250, 421]);
    assert_eq!(
        rig.lab.counts()["mx1.new.example"],
        Counts { taken: 2, stored: 2, turned_away: 1, ..Counts::default() }
    );
}

#[tokio::test]
async fn plaintext_behind_starttls_is_dropped_and_the_session_begins_anew() {
    let rig = rig(vec![host("mx1.new.example", LabHostKind::Store)]);
    let (mut stream, name) = (rig.connected("mx1.new.example").await, "mx1.new.example");
    stream.write_all(b"EHLO me\r\nSTARTTLS\r\nRSET\r\n").await.expect("written");
    let mut heard = String::new();
    while !heard.ends_with("go on with TLS\r\n") {
        heard.push(stream.read_u8().await.expect("read") as char);
    }
    let clock = rig.journal.clock();
    let (stream, seen) =
        crate::tls::connect(stream, name, &rig.authority.trust(), &clock, LIMIT).await.expect("encrypted");
    assert_eq!(seen.verdicts, ["trusted"]);
    let mut session = Session::new(stream);
    assert_eq!(session.mail("a@b", "", LIMIT).await.expect("a reply").code, 503);
    assert!(!session.hello("me", LIMIT).await.expect("a reply").capabilities.has("STARTTLS"));
    assert_eq!(session.quit(LIMIT).await.expect("a reply").code, 221);
}

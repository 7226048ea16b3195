//! What no fault meets passes byte for byte, however it is cut into pieces.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::{Instant, timeout};

use super::announce::Introduction;
use super::counts::Link;
use super::dialogs::settings;
use super::relay::{Relay, Wire};
use super::rules::{Armed, Rules};
use super::session::{Connection, Session};
use super::shared::Shared;
use crate::mail::command::Last;
use crate::mail::framing::{BodyScanner, Line, LineScanner};
use crate::mail::{Command, Stage};
use crate::scenario::read_fault;
use crate::source::SourceText;

impl Wire for DuplexStream {
    fn reset_on_drop(&self) {}
}

/// How many bytes a pipe takes: few, so that writes wait.
const PIPE: usize = 700;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InForce {
    Nothing,
    /// Faults at every stage that fit no recipient.
    Elsewhere,
}

/// A relay between two pipes; gives their far ends.
fn relay(in_force: InForce) -> (DuplexStream, DuplexStream) {
    let shared = Shared::new(&settings());
    if in_force == InForce::Elsewhere {
        shared.rules.send_replace(Arc::new(Rules::new(elsewhere(), &Rules::default())));
    }
    let (near_client, client) = duplex(PIPE);
    let (near_server, server) = duplex(PIPE);
    let peer = "192.0.2.7:4711".parse().expect("an address");
    let link = Arc::new(Link::new(1, peer));
    let connection = Connection {
        number: 1,
        peer,
        front: "192.0.2.1".parse().expect("an address"),
        caller: None,
        introduced: Introduction::None,
        link,
    };
    let session = Session::accept(Arc::clone(&shared), connection);
    let mut relay = Relay::new(session, near_client, Some(near_server), shared.limits);
    tokio::spawn(async move { relay.run().await });
    (client, server)
}

fn elsewhere() -> Vec<Armed> {
    let stages = [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body, Stage::Eom, Stage::Quit];
    let text =
        |stage| format!("{{ host: mx.test, at: {stage}, when: {{ recipient: nobody }}, do: close, scope: all }}");
    let fault = |stage| read_fault(&SourceText::new("fault", text(stage))).expect("a fault");
    let armed = |(index, stage): (usize, Stage)| Armed {
        index,
        fault: Arc::new(fault(stage)),
        since: Instant::now(),
        of: None,
    };
    stages.into_iter().enumerate().map(armed).collect()
}

fn in_time<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let limited = async { timeout(Duration::from_secs(60), future).await };
    runtime.expect("a runtime").block_on(limited).expect("it ends")
}

async fn send(stream: &mut (impl tokio::io::AsyncWrite + Unpin), bytes: &[u8], pieces: &[usize]) {
    let mut rest = bytes;
    for piece in pieces.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at((*piece).clamp(1, rest.len()));
        stream.write_all(now).await.expect("written");
        tokio::task::yield_now().await;
        rest = later;
    }
    stream.shutdown().await.expect("shut");
}

/// A server that understands what it is sent, and remembers both directions.
#[derive(Default)]
struct Server {
    received: Vec<u8>,
    read: usize,
    said: Vec<u8>,
    body: Option<BodyScanner>,
    auth: bool,
}

impl Server {
    /// Answers all that has come.
    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.received.extend_from_slice(bytes);
        let before = self.said.len();
        while self.step() {}
        self.said[before..].to_vec()
    }

    fn step(&mut self) -> bool {
        let rest = &self.received[self.read..];
        if let Some(scanner) = &mut self.body {
            let end = scanner.scan(rest);
            self.read += end.unwrap_or(rest.len());
            if end.is_some() {
                self.body = None;
                self.say("250 2.0.0 queued");
            }
            return end.is_some();
        }
        let Line::Complete { text, taken } = LineScanner::next(rest) else { return false };
        if self.auth {
            self.auth = false;
            self.read += taken;
            self.say("235 welcome");
            return true;
        }
        match Command::parse(text) {
            Command::Bdat { size, last } => {
                if ((rest.len() - taken) as u64) < size {
                    return false;
                }
                self.read += taken + size as usize;
                self.say(if last == Last::Yes { "250 2.0.0 queued" } else { "250 chunk" });
            }
            command => {
                self.read += taken;
                self.answer(&command_kind(command));
            }
        }
        true
    }

    fn answer(&mut self, command: &str) {
        match command {
            "ehlo" => self.say("250-mx.test\r\n250-CHUNKING\r\n250 PIPELINING"),
            "data" => {
                self.body = Some(BodyScanner::default());
                self.say("354 go");
            }
            "auth" => {
                self.auth = true;
                self.say("334 ");
            }
            "quit" => self.say("221 bye"),
            _ => self.say("250 ok"),
        }
    }

    fn say(&mut self, reply: &str) {
        self.said.extend_from_slice(reply.as_bytes());
        self.said.extend_from_slice(b"\r\n");
    }
}

fn command_kind(command: Command<'_>) -> String {
    match command {
        Command::Ehlo(_) => "ehlo",
        Command::Data => "data",
        Command::Auth(_) => "auth",
        Command::Quit => "quit",
        _ => "other",
    }
    .to_owned()
}

/// What a client says in one write; it waits for as many replies before the next one.
#[derive(Clone, Debug)]
struct Turn {
    bytes: Vec<u8>,
    replies: usize,
}

fn turn(bytes: impl Into<Vec<u8>>, replies: usize) -> Turn {
    Turn { bytes: bytes.into(), replies }
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(0), any::<u8>()], 0..400);
    prop_oneof![bytes.boxed(), "[a.\r\n]{0,60}".prop_map(String::into_bytes).boxed(), long_line().boxed()]
}

fn long_line() -> impl Strategy<Value = Vec<u8>> {
    (1000usize..20_000).prop_map(|length| vec![b'x'; length])
}

/// One transaction, by DATA or by chunks.
fn transaction() -> impl Strategy<Value = Vec<Turn>> {
    let by_data = (message(), 1usize..4).prop_map(|(message, recipients)| {
        let envelope = format!("MAIL FROM:<a@b> SMTPUTF8\r\n{}DATA\r\n", "RCPT TO:<c@d>\r\n".repeat(recipients));
        let mut body = vec![];
        crate::mail::framing::stuff(&message, &mut body);
        vec![turn(envelope, recipients + 2), turn(body, 1)]
    });
    let by_chunks = prop::collection::vec(message(), 1..4).prop_map(|chunks| {
        let mut bytes = b"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<c@d>\r\n".to_vec();
        for (index, chunk) in chunks.iter().enumerate() {
            let last = if index + 1 == chunks.len() { " LAST" } else { "" };
            bytes.extend(format!("BDAT {}{last}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
        }
        vec![turn(bytes, chunks.len() + 2)]
    });
    let others = prop_oneof![
        Just(vec![turn("AUTH LOGIN\r\n", 1), turn("RCPT TO:<x>\r\n", 1)]),
        Just(vec![turn("NOOP\r\nXCLIENT ADDR=1\r\nRSET\r\nVRFY \"\r\"\r\n", 4)]),
    ];
    prop_oneof![3 => by_data, 3 => by_chunks, 1 => others]
}

fn session() -> impl Strategy<Value = Vec<Turn>> {
    prop::collection::vec(transaction(), 0..4).prop_map(|transactions| {
        let mut turns = vec![turn("EHLO client\r\n", 1)];
        turns.extend(transactions.into_iter().flatten());
        turns.push(turn("QUIT\r\n", 1));
        turns
    })
}

/// Plays the session; gives what each side has sent and what the other has received.
async fn play(turns: &[Turn], pieces: &[usize], in_force: InForce) -> [(Vec<u8>, Vec<u8>); 2] {
    let (mut client, mut server) = relay(in_force);
    let serving = tokio::spawn(async move {
        let mut state = Server { said: b"220 mx.test\r\n".to_vec(), ..Server::default() };
        server.write_all(b"220 mx.test\r\n").await.expect("written");
        let mut bytes = [0; 300];
        loop {
            let count = server.read(&mut bytes).await.expect("read");
            if count == 0 {
                return state;
            }
            let replies = state.take(&bytes[..count]);
            server.write_all(&replies).await.expect("written");
        }
    });
    let (mut sent, mut heard) = (vec![], vec![]);
    replies(&mut client, 1, &mut heard).await;
    for turn in turns {
        sent.extend(&turn.bytes);
        let mut rest = turn.bytes.as_slice();
        for piece in pieces.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*piece).clamp(1, rest.len()));
            client.write_all(now).await.expect("written");
            rest = later;
        }
        replies(&mut client, turn.replies, &mut heard).await;
    }
    client.shutdown().await.expect("shut");
    let server = serving.await.expect("it served");
    [(sent, server.received), (server.said, heard)]
}

/// Reads until so many more replies have ended.
async fn replies(client: &mut DuplexStream, count: usize, heard: &mut Vec<u8>) {
    let mut from = heard.len();
    let mut left = count;
    while left > 0 {
        let mut bytes = [0; 300];
        let read = client.read(&mut bytes).await.expect("read");
        assert!(read > 0, "closed while {left} replies were due");
        heard.extend_from_slice(&bytes[..read]);
        while let Some(at) = memchr::memchr(b'\n', &heard[from..]) {
            left -= usize::from(heard[from + 3] == b' ');
            from += at + 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_bytes_pass_where_nothing_is_in_force(
        up in prop::collection::vec(any::<u8>(), 0..3000),
        down in "(250[- ]ok\r\n|354 go\r\n|DATA|[a\r\n.]){0,200}",
        pieces in prop::collection::vec(1usize..900, 1..5),
    ) {
        let (received, heard) = in_time(async {
            let (client, server) = relay(InForce::Nothing);
            let (mut client_reads, mut client_writes) = tokio::io::split(client);
            let (mut server_reads, mut server_writes) = tokio::io::split(server);
            let (mut received, mut heard) = (vec![], vec![]);
            let (.., a, b) = tokio::join!(
                send(&mut client_writes, &up, &pieces),
                send(&mut server_writes, down.as_bytes(), &pieces),
                server_reads.read_to_end(&mut received),
                client_reads.read_to_end(&mut heard),
            );
            a.and(b).expect("both end");
            (received, heard)
        });
        prop_assert_eq!(received, up);
        prop_assert_eq!(heard, down.as_bytes());
    }

    #[test]
    fn sessions_pass_with_faults_in_force_or_without(
        turns in session(),
        pieces in prop::collection::vec(1usize..900, 1..5),
    ) {
        for in_force in [InForce::Nothing, InForce::Elsewhere] {
            for (sent, received) in in_time(play(&turns, &pieces, in_force)) {
                prop_assert!(sent == received, "{in_force:?}: {} bytes sent, {} received", sent.len(), received.len());
            }
        }
    }
}

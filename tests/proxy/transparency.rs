//! Everything that no fault meets passes byte for byte: ten thousand random sessions, fifty-megabyte bodies, and
//! what request smuggling is made of.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use mxdrill::mail::Command;
use mxdrill::mail::command::Last;
use mxdrill::mail::framing::{BodyScanner, Line, LineScanner, stuff};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::support::*;

/// How many sessions there are, and how many of them at the same time.
const SESSIONS: u64 = 10_000;
const AT_ONCE: u64 = 64;
/// The size of the largest bodies, in bytes.
const LARGE: usize = 50_000_000;

/// What went one way of a session: how much, and a digest of it.
#[derive(Clone, Debug, Default)]
struct Bytes {
    count: u64,
    digest: Sha256,
}

impl Bytes {
    fn add(&mut self, bytes: &[u8]) {
        self.count += bytes.len() as u64;
        self.digest.update(bytes);
    }

    fn told(&self) -> (u64, String) {
        (self.count, format!("{:x?}", self.digest.clone().finalize().as_slice()))
    }
}

/// Both ways of a session, as one end has them.
#[derive(Clone, Debug, Default)]
struct Ends {
    up: Bytes,
    down: Bytes,
}

/// Deterministic numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            bytes.extend(self.next().to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }
}

/// A server that answers what it understands, and remembers what it was sent and what it said: by the name in EHLO.
struct Recorder {
    address: SocketAddr,
    sessions: Arc<Mutex<HashMap<String, Ends>>>,
}

impl Recorder {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let address = listener.local_addr().expect("an address");
        let sessions = Arc::new(Mutex::new(HashMap::new()));
        let kept = Arc::clone(&sessions);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let (name, ends) = Served::default().serve(stream).await;
                    kept.lock().expect("not poisoned").insert(name, ends);
                });
            }
        });
        Self { address, sessions }
    }

    /// What it has of a session that has ended.
    async fn of(&self, name: &str) -> Ends {
        let found = || self.sessions.lock().expect("not poisoned").remove(name);
        let waiting = async {
            loop {
                match found() {
                    Some(ends) => return ends,
                    None => tokio::time::sleep(std::time::Duration::from_millis(1)).await,
                }
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("session {name} never ended at the server"))
    }
}

/// One session at the server.
#[derive(Default)]
struct Served {
    ends: Ends,
    name: String,
    waiting: Vec<u8>,
    body: Option<BodyScanner>,
    chunk: Option<(u64, Last)>,
    said: Vec<u8>,
}

impl Served {
    async fn serve(mut self, mut stream: TcpStream) -> (String, Ends) {
        self.say("220 mx.test ESMTP");
        let mut piece = vec![0; 64 * 1024];
        loop {
            let said = std::mem::take(&mut self.said);
            self.ends.down.add(&said);
            if stream.write_all(&said).await.is_err() {
                break;
            }
            let count = stream.read(&mut piece).await.unwrap_or(0);
            if count == 0 {
                break;
            }
            self.ends.up.add(&piece[..count]);
            self.waiting.extend_from_slice(&piece[..count]);
            while self.step() {}
        }
        (self.name, self.ends)
    }

    /// Takes one thing from what is waiting; whether there was one.
    fn step(&mut self) -> bool {
        if let Some(scanner) = &mut self.body {
            let end = scanner.scan(&self.waiting);
            let taken = end.unwrap_or(self.waiting.len());
            self.waiting.drain(..taken);
            if end.is_some() {
                self.body = None;
                self.say("250 2.0.0 queued");
            }
            return end.is_some();
        }
        if let Some((left, last)) = self.chunk {
            let taken = left.min(self.waiting.len() as u64);
            self.waiting.drain(..taken as usize);
            self.chunk = (left > taken).then_some((left - taken, last));
            if self.chunk.is_none() {
                self.say(if last == Last::Yes { "250 2.0.0 queued" } else { "250 chunk" });
            }
            return self.chunk.is_none();
        }
        let Line::Complete { text, taken } = LineScanner::next(&self.waiting) else { return false };
        let said = match Command::parse(text) {
            Command::Ehlo(name) => {
                self.name = String::from_utf8_lossy(name.as_ref()).into_owned();
                "250-mx.test\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-X-UNHEARD-OF\r\n250 SMTPUTF8"
            }
            Command::Data => {
                self.body = Some(BodyScanner::default());
                "354 go"
            }
            Command::Bdat { size, last } => {
                self.chunk = Some((size, last));
                ""
            }
            Command::Quit => "221 bye",
            _ => "250 ok",
        };
        let said = said.to_owned();
        self.waiting.drain(..taken);
        match said.as_str() {
            "" if self.chunk == Some((0, Last::Yes)) || self.chunk == Some((0, Last::No)) => {
                let last = self.chunk.take().map(|(_, last)| last);
                self.say(if last == Some(Last::Yes) { "250 2.0.0 queued" } else { "250 chunk" });
            }
            "" => {}
            said => self.say(said),
        }
        true
    }

    fn say(&mut self, reply: &str) {
        self.said.extend_from_slice(reply.as_bytes());
        self.said.extend_from_slice(b"\r\n");
    }
}

/// A client that counts both ways.
struct Speaker {
    stream: TcpStream,
    ends: Ends,
    heard: Vec<u8>,
}

impl Speaker {
    async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connected");
        stream.set_nodelay(true).expect("set");
        let mut speaker = Self { stream, ends: Ends::default(), heard: vec![] };
        speaker.replies(1).await;
        speaker
    }

    /// Writes in pieces of at most this many bytes.
    async fn write(&mut self, bytes: &[u8], piece: usize) {
        self.ends.up.add(bytes);
        for piece in bytes.chunks(piece) {
            self.stream.write_all(piece).await.expect("written");
        }
    }

    /// Reads until so many replies have ended; the last line of each.
    async fn replies(&mut self, mut left: usize) -> Vec<String> {
        let mut last = vec![];
        let mut piece = [0; 4096];
        loop {
            while let Line::Complete { text, taken } = LineScanner::next(&self.heard) {
                let line = String::from_utf8_lossy(text).into_owned();
                self.heard.drain(..taken);
                if line.as_bytes().get(3) == Some(&b' ') {
                    left = left.checked_sub(1).unwrap_or_else(|| panic!("a reply that nobody asked for: {line}"));
                    last.push(line);
                }
            }
            if left == 0 {
                return last;
            }
            let read = timeout(PATIENCE, self.stream.read(&mut piece)).await;
            let count = read.unwrap_or_else(|_| panic!("{left} replies never came")).expect("read");
            assert!(count > 0, "closed while {left} replies were due");
            self.ends.down.add(&piece[..count]);
            self.heard.extend_from_slice(&piece[..count]);
        }
    }

    async fn ask(&mut self, text: &str) -> String {
        self.write(text.as_bytes(), usize::MAX).await;
        self.replies(1).await.pop().expect("one")
    }

    /// QUIT, and nothing behind the reply to it.
    async fn quit(mut self) -> Ends {
        assert_eq!(self.ask("QUIT\r\n").await, "221 bye");
        self.stream.shutdown().await.expect("shut");
        let mut rest = vec![];
        timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.expect("in time").expect("read");
        assert!(rest.is_empty(), "behind the end: {:?}", String::from_utf8_lossy(&rest));
        self.ends
    }
}

/// A message of any bytes that a mail may hold, and of some that it may not.
fn message(dice: &mut Dice) -> Vec<u8> {
    match dice.below(4) {
        0 => {
            let alphabet = b"a.\r\n\0";
            (0..dice.below(80)).map(|_| alphabet[dice.below(5) as usize]).collect()
        }
        1 => vec![b'x'; 900 + dice.below(3000) as usize],
        2 => "..\r\n.\r\n..x\r\n".repeat(1 + dice.below(5) as usize).into_bytes(),
        _ => {
            let count = dice.below(2000) as usize;
            dice.bytes(count)
        }
    }
}

async fn by_data(speaker: &mut Speaker, dice: &mut Dice, message: &[u8]) {
    let recipients = 1 + dice.below(3) as usize;
    let envelope =
        format!("MAIL FROM:<a@b> BODY=8BITMIME\r\n{}DATA\r\n", "RCPT TO:<c@d> NOTIFY=NEVER\r\n".repeat(recipients));
    let piece = 1 + dice.below(400) as usize;
    speaker.write(envelope.as_bytes(), piece).await;
    speaker.replies(recipients + 2).await;
    let mut body = vec![];
    stuff(message, &mut body);
    let piece = if message.len() > 10_000 { 60_000 } else { 1 + dice.below(1500) as usize };
    speaker.write(&body, piece).await;
    speaker.replies(1).await;
}

async fn by_chunks(speaker: &mut Speaker, dice: &mut Dice, chunks: &[Vec<u8>]) {
    let mut bytes = b"MAIL FROM:<> BODY=BINARYMIME SIZE=1000\r\nRCPT TO:<c@d>\r\n".to_vec();
    for (at, chunk) in chunks.iter().enumerate() {
        let last = if at + 1 == chunks.len() { " LAST" } else { "" };
        bytes.extend(format!("BDAT {}{last}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
    }
    let piece = if bytes.len() > 20_000 { 60_000 } else { 1 + dice.below(1500) as usize };
    speaker.write(&bytes, piece).await;
    speaker.replies(2 + chunks.len()).await;
}

/// A random session; what the client has of it.
async fn session(mail: SocketAddr, number: u64) -> Ends {
    let mut dice = Dice(number);
    let mut speaker = Speaker::connect(mail).await;
    assert!(speaker.ask(&format!("EHLO s{number}\r\n")).await.starts_with("250 "));
    for _ in 0..1 + dice.below(3) {
        match dice.below(5) {
            0 => {
                speaker.write(b"NOOP\r\nRSET\r\nX-UNHEARD-OF \t odd\r\nVRFY \"\r\"\r\n", 7).await;
                speaker.replies(4).await;
            }
            1 | 2 => {
                let message = message(&mut dice);
                by_data(&mut speaker, &mut dice, &message).await;
            }
            _ => {
                let chunks: Vec<Vec<u8>> = (0..1 + dice.below(3)).map(|_| message(&mut dice)).collect();
                by_chunks(&mut speaker, &mut dice, &chunks).await;
            }
        }
    }
    speaker.quit().await
}

async fn compare(recorder: &Recorder, name: &str, client: Ends) {
    let server = recorder.of(name).await;
    assert_eq!(client.up.told(), server.up.told(), "{name}: what the client sent is not what the server received");
    assert_eq!(server.down.told(), client.down.told(), "{name}: what the server said is not what the client heard");
}

/// Faults at every stage, none of which fits anybody here: the proxy must look at all that passes.
const ELSEWHERE: &[&str] = &[
    "--fault",
    "at=mail sender=nobody@* do=close scope=all",
    "--fault",
    "at=rcpt recipient=nobody@* do=close scope=all",
    "--fault",
    "at=eom recipient=nobody@* do=close scope=all",
];

fn proxy_before(recorder: &Recorder, arguments: &[&str]) -> (Program, SocketAddr) {
    let upstream = recorder.address.to_string();
    let own = ["--listen", "127.0.0.1:0", "--upstream", &upstream, "--host", "mx.test"];
    let mut program = Program::start(&[&own[..], arguments].concat());
    let mail = program.mail();
    (program, mail)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

#[test]
fn ten_thousand_random_sessions_pass_byte_for_byte() {
    runtime().block_on(async {
        let recorder = Arc::new(Recorder::start().await);
        let (_program, mail) = proxy_before(&recorder, ELSEWHERE);
        let workers = (0..AT_ONCE).map(|worker| {
            let recorder = Arc::clone(&recorder);
            tokio::spawn(async move {
                for number in (worker..SESSIONS).step_by(AT_ONCE as usize) {
                    let client = session(mail, number).await;
                    compare(&recorder, &format!("s{number}"), client).await;
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.expect("every session passes");
        }
    });
}

#[test]
fn bodies_of_fifty_megabytes_pass_byte_for_byte() {
    runtime().block_on(async {
        let recorder = Recorder::start().await;
        let (_program, mail) = proxy_before(&recorder, ELSEWHERE);
        for name in ["lines", "binary", "chunks"] {
            let mut dice = Dice(50);
            let mut speaker = Speaker::connect(mail).await;
            speaker.ask(&format!("EHLO {name}\r\n")).await;
            match name {
                "lines" => {
                    let lines = ".a line of text that begins with a dot\r\n".repeat(LARGE / 40);
                    by_data(&mut speaker, &mut dice, lines.as_bytes()).await;
                }
                "binary" => {
                    let bytes = dice.bytes(LARGE);
                    by_data(&mut speaker, &mut dice, &bytes).await;
                }
                _ => {
                    let chunks = [dice.bytes(LARGE - 7), vec![], dice.bytes(7)];
                    by_chunks(&mut speaker, &mut dice, &chunks).await;
                }
            }
            compare(&recorder, name, speaker.quit().await).await;
        }
    });
}

/// Known variants of an end of data that is none (smtpsmuggling.com, and the advisories of Postfix, Exim and Sendmail of
/// December 2023): only `<CRLF>.<CRLF>` is one (RFC 5321 2.3.8, 4.1.1.4).
const VARIANTS: &[&[u8]] = &[
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\r\n",
    b"\n\r.\r\n",
    b"\n.\r",
    b"\r.\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\0\n.\r\n",
    b"\r\0\n.\r\n",
    b"\r\n.\r\0\n",
    b"\r\n. \r\n",
    b"\r\n..\r\n",
];

/// What would be a transaction of its own if the variant were taken as an end.
const SMUGGLED: &[u8] = b"MAIL FROM:<smuggled@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: smuggled\r\n";

#[test]
fn no_variant_of_an_end_of_data_is_taken_as_one_or_changed() {
    // A proxy that took one would see the smuggled sender at MAIL, and say so.
    let fault = ["--fault", "at=mail sender=smuggled@b do=reply:\"451 4.7.1 taken as a command\" scope=all"];
    runtime().block_on(async {
        let recorder = Recorder::start().await;
        let (_program, mail) = proxy_before(&recorder, &fault);
        for (at, variant) in VARIANTS.iter().enumerate() {
            // Everything in one segment, byte by byte, and cut once behind each byte of the variant.
            for cut in 0..=variant.len() + 1 {
                let name = format!("v{at}-{cut}");
                let mut speaker = Speaker::connect(mail).await;
                speaker.ask(&format!("EHLO {name}\r\n")).await;
                speaker.ask("MAIL FROM:<a@b>\r\n").await;
                speaker.ask("RCPT TO:<c@d>\r\n").await;
                assert_eq!(speaker.ask("DATA\r\n").await, "354 go");
                let body = [b"Subject: outer\r\n\r\ntext", *variant, SMUGGLED, b"\r\n.\r\n"].concat();
                match cut {
                    0 => speaker.write(&body, usize::MAX).await,
                    1 => speaker.write(&body, 1).await,
                    cut => {
                        let (first, second) = body.split_at(22 + cut - 1);
                        speaker.write(first, usize::MAX).await;
                        tokio::task::yield_now().await;
                        speaker.write(second, usize::MAX).await;
                    }
                }
                assert_eq!(
                    speaker.replies(1).await,
                    ["250 2.0.0 queued"],
                    "{name}: {:?}",
                    String::from_utf8_lossy(variant)
                );
                compare(&recorder, &name, speaker.quit().await).await;
            }
        }
    });
}

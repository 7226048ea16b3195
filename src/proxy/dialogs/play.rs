//! Playing dialogues.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::script::{Announced, Dialog, Line, Sight, Who};
use crate::mail::Stage;
use crate::proxy::counts::Link;
use crate::proxy::relay::{Relay, Wire};
use crate::proxy::rules::{Armed, Rules};
use crate::proxy::session::{Connection, Need, Session};
use crate::proxy::shared::Shared;
use crate::proxy::{Limits, Ours, Settings, Termination};
use crate::record::{Entry, Event, Journal, RunId};
use crate::scenario::Fault;
use crate::terms::Smuggling;
use crate::tls::{self, Authority};
use crate::world::{Callers, Clock, Dice};

/// How long something may take that needs no time.
const AT_ONCE: Duration = Duration::from_millis(2);
/// How long a close may take: the limit within which the other side is waited for.
const CLOSING: Duration = Duration::from_secs(6);

/// The run whose probes call.
pub(in crate::proxy) fn run() -> RunId {
    RunId::from_entropy(0x0123_4567_89ab_cdef)
}

/// A pipe that remembers whether it was reset.
struct Pipe {
    stream: DuplexStream,
    reset: Arc<AtomicBool>,
}

impl Wire for Pipe {
    fn reset_on_drop(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }
}

impl AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// What an end speaks over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// One end of the dialogue.
pub(super) struct End {
    pub(super) stream: Box<dyn Stream>,
    reset: Arc<AtomicBool>,
    /// How long something may take that needs no time.
    patience: Duration,
}

fn ends() -> (Pipe, End) {
    let (near, far) = duplex(1 << 20);
    let reset = Arc::new(AtomicBool::new(false));
    let end = End { stream: Box::new(far), reset: Arc::clone(&reset), patience: AT_ONCE };
    (Pipe { stream: near, reset }, end)
}

impl End {
    /// A socket, on a machine that may be busy.
    pub(super) fn socket(stream: TcpStream, patience: Duration) -> Self {
        Self { stream: Box::new(stream), reset: Arc::default(), patience }
    }

    pub(super) async fn says(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).await.map_err(|error| error.to_string())?;
        self.stream.flush().await.map_err(|error| error.to_string())
    }

    pub(super) async fn sees(&mut self, wanted: &[u8]) -> Result<(), String> {
        let mut got = vec![];
        while got.len() < wanted.len() {
            let mut part = vec![0; wanted.len() - got.len()];
            match tokio::time::timeout(self.patience, self.stream.read(&mut part)).await {
                Ok(Ok(count)) if count > 0 => got.extend_from_slice(&part[..count]),
                end => return Err(format!("saw {:?}, then {end:?}; wanted {:?}", show(&got), show(wanted))),
            }
        }
        if got == wanted { Ok(()) } else { Err(format!("saw {:?}, wanted {:?}", show(&got), show(wanted))) }
    }

    async fn sees_nothing(&mut self, time: Duration) -> Result<(), String> {
        let mut some = [0; 200];
        match tokio::time::timeout(time, self.stream.read(&mut some)).await {
            Err(_) => Ok(()),
            Ok(Ok(count)) => Err(format!("saw {:?} where nothing was to come", show(&some[..count]))),
            Ok(Err(error)) => Err(error.to_string()),
        }
    }

    /// TLS as its server.
    async fn accepts(&mut self) -> Result<(), String> {
        let acceptor = authority().acceptor(&["mx.test"]).expect("a certificate");
        let clear = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        self.stream = Box::new(acceptor.accept(clear).await.map_err(|error| error.to_string())?);
        Ok(())
    }

    /// TLS as its client: what is wrong with the certificate.
    async fn connects(&mut self) -> Result<String, String> {
        let clock = Clock::starting_at("2026-11-21T06:40:00Z".parse().expect("a time"));
        let clear = std::mem::replace(&mut self.stream, Box::new(tokio::io::empty()));
        let connected = tls::connect(clear, "mx.test", &authority().trust(), &clock, CLOSING).await;
        let (stream, seen) = connected.map_err(|error| error.to_string())?;
        self.stream = Box::new(stream);
        Ok(seen.verdicts.join(" "))
    }

    async fn sees_hello(&mut self) -> Result<(), String> {
        let mut hello = [0; 4096];
        match tokio::time::timeout(self.patience, self.stream.read(&mut hello)).await {
            // A record of the handshake.
            Ok(Ok(count)) if count > 5 && hello[0] == 22 => Ok(()),
            other => Err(format!("saw {other:?}, wanted the first message of TLS")),
        }
    }

    async fn is_left(&mut self, reset: bool) -> Result<(), String> {
        let mut some = [0; 200];
        match tokio::time::timeout(CLOSING, self.stream.read(&mut some)).await {
            Ok(Ok(0)) if self.reset.load(Ordering::Relaxed) == reset => Ok(()),
            Ok(Ok(0)) => Err(format!("was left by {}", if reset { "FIN, not RST" } else { "RST, not FIN" })),
            // Without close_notify: the way of RST.
            Ok(Err(error)) if error.kind() == ErrorKind::UnexpectedEof && reset => Ok(()),
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset && reset => Ok(()),
            Ok(Ok(count)) => Err(format!("saw {:?} where the end was to come", show(&some[..count]))),
            other => Err(format!("was not left: {other:?}")),
        }
    }
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

/// A dialogue under way.
struct Play<'a, T> {
    dialog: &'a Dialog,
    theatre: T,
}

/// What a dialogue is played with.
pub(super) trait Theatre {
    /// The client's end, or the upstream's.
    async fn end(&mut self, who: Who) -> Result<&mut End, String>;
    /// Whether the upstream was never called, which is as good as to be left.
    async fn is_never_called(&mut self) -> bool;
    /// How long a wait really is.
    fn wait(&self, time: Duration) -> Duration;
    async fn raise(&mut self, faults: &[Arc<Fault>]);
    async fn lift(&mut self);
    fn journal(&self) -> &Journal;
    /// Lets a little time pass.
    async fn a_moment(&self);
}

/// Pipes in memory and a paused clock.
struct Pipes {
    shared: Arc<Shared>,
    client: End,
    server: End,
}

/// Plays it in memory.
pub(super) fn play(dialog: &Dialog) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async { perform(dialog, Pipes::begin(dialog)).await })
}

/// Plays it with whatever it is to be played with.
pub(super) async fn perform<T: Theatre>(dialog: &Dialog, theatre: T) -> Result<(), String> {
    let mut play = Play { dialog, theatre };
    for (number, line) in &dialog.lines {
        play.step(line).await.map_err(|why| format!("{number}: {why}"))?;
    }
    play.compare_firings()
}

/// The faults, as they are put in force.
pub(super) fn armed(faults: &[Arc<Fault>]) -> Vec<Armed> {
    let since = Instant::now();
    let faults = faults.iter().enumerate();
    faults.map(|(index, fault)| Armed { index, fault: Arc::clone(fault), since, of: None }).collect()
}

/// Of the upstream's certificate and the proxy's.
pub(super) fn authority() -> &'static Arc<Authority> {
    static AUTHORITY: OnceLock<Arc<Authority>> = OnceLock::new();
    AUTHORITY.get_or_init(|| Arc::new(Authority::new().expect("keys")))
}

pub(in crate::proxy) fn settings() -> Settings {
    Settings {
        host: "mx.test".into(),
        fronts: vec![],
        ours: Ours::Run(run()),
        callers: Callers::default(),
        dice: Dice::new(7),
        journal: Journal::in_memory(Clock::starting_at(jiff::Timestamp::UNIX_EPOCH)),
        phase_of: None,
        smuggling: Smuggling::Pass,
        tls: Some(Termination::by_authority(Arc::clone(authority()), "mx.test").expect("a certificate")),
        limits: Limits::default(),
    }
}

impl Pipes {
    fn begin(dialog: &Dialog) -> Self {
        let mut settings = settings();
        settings.tls = settings.tls.filter(|_| dialog.sight == Sight::Inside);
        settings.smuggling = dialog.smuggling;
        let shared = Shared::new(&settings);
        let (near_client, client) = ends();
        let (near_server, server) = ends();
        let pipes = Self { shared, client, server };
        pipes.put(&dialog.faults);
        let peer: SocketAddr = "192.0.2.7:4711".parse().expect("an address");
        let caller = (dialog.announced == Announced::Yes).then(|| run().probe(1));
        let link = Arc::new(Link::new(1, peer));
        let front = "192.0.2.1".parse().expect("an address");
        let introduced = dialog.introduced;
        let connection = Connection { number: 1, peer, front, caller, introduced, link };
        let session = Session::accept(Arc::clone(&pipes.shared), connection);
        let upstream = (session.need() == Need::Wanted).then_some(near_server);
        let mut relay = Relay::new(session, near_client, upstream, pipes.shared.limits);
        tokio::spawn(async move { relay.run().await });
        pipes
    }

    fn put(&self, faults: &[Arc<Fault>]) {
        self.shared.rules.send_replace(Arc::new(Rules::new(armed(faults), &Rules::default())));
    }
}

impl Theatre for Pipes {
    async fn end(&mut self, who: Who) -> Result<&mut End, String> {
        Ok(match who {
            Who::Client => &mut self.client,
            Who::Server => &mut self.server,
        })
    }

    async fn is_never_called(&mut self) -> bool {
        false
    }

    fn wait(&self, time: Duration) -> Duration {
        time
    }

    async fn raise(&mut self, faults: &[Arc<Fault>]) {
        self.put(faults);
    }

    async fn lift(&mut self) {
        self.shared.rules.send_replace(Arc::default());
    }

    fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    async fn a_moment(&self) {
        tokio::time::advance(Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
    }
}

impl<T: Theatre> Play<'_, T> {
    async fn end(&mut self, who: Who) -> Result<&mut End, String> {
        self.theatre.end(who).await
    }

    async fn step(&mut self, line: &Line) -> Result<(), String> {
        match line {
            Line::UpTo(stage) => self.up_to(*stage).await?,
            Line::Says(who, bytes) => self.end(*who).await?.says(bytes).await?,
            Line::Sees(who, bytes) => {
                self.end(*who).await?.sees(bytes).await.map_err(|why| format!("{who:?} {why}"))?
            }
            Line::Ends(who) => self.end(*who).await?.stream.shutdown().await.map_err(|error| error.to_string())?,
            Line::SeesClose(Who::Server) | Line::SeesReset(Who::Server) if self.theatre.is_never_called().await => {}
            Line::SeesClose(who) => {
                self.end(*who).await?.is_left(false).await.map_err(|why| format!("{who:?} {why}"))?;
            }
            Line::SeesReset(who) => {
                self.end(*who).await?.is_left(true).await.map_err(|why| format!("{who:?} {why}"))?;
            }
            Line::SeesNothing(who, time) => {
                let time = self.theatre.wait(*time);
                self.end(*who).await?.sees_nothing(time).await.map_err(|why| format!("{who:?} {why}"))?;
            }
            Line::SeesHello(who) => self.end(*who).await?.sees_hello().await?,
            Line::Secures(Who::Server, _) => self.end(Who::Server).await?.accepts().await?,
            Line::Secures(Who::Client, verdicts) => match self.end(Who::Client).await?.connects().await? {
                seen if seen == *verdicts => {}
                seen => return Err(format!("saw a certificate that is {seen}, wanted {verdicts}")),
            },
            Line::FailsToSecure(words) => match self.end(Who::Client).await?.connects().await {
                Err(why) if why.contains(words) => {}
                other => return Err(format!("the handshake: {other:?}")),
            },
            Line::Lift => self.theatre.lift().await,
            Line::Raise => self.theatre.raise(&self.dialog.faults).await,
            Line::Warned(words) => self.warned(words).await?,
            Line::Bare(words) => self.bare(words).await?,
            Line::Fired(_) | Line::NeverFired => {}
        }
        Ok(())
    }

    /// A plain session as far as `stage`.
    async fn up_to(&mut self, stage: Stage) -> Result<(), String> {
        let tag = run().probe(1);
        let steps = [
            (Stage::Banner, String::new(), "220 mx.test ESMTP\r\n"),
            (Stage::Ehlo, "EHLO c\r\n".to_owned(), "250-mx.test\r\n250-PIPELINING\r\n250 STARTTLS\r\n"),
            (Stage::Mail, format!("MAIL FROM:<a+{tag}@c.test>\r\n"), "250 sender ok\r\n"),
            (Stage::Rcpt, "RCPT TO:<b@mx.test>\r\n".to_owned(), "250 recipient ok\r\n"),
            (Stage::Data, "DATA\r\n".to_owned(), "354 go ahead\r\n"),
        ];
        for (_, asks, answers) in steps.iter().take_while(|(at, ..)| *at < stage) {
            self.end(Who::Client).await?.says(asks.as_bytes()).await?;
            self.end(Who::Server).await?.sees(asks.as_bytes()).await?;
            self.end(Who::Server).await?.says(answers.as_bytes()).await?;
            self.end(Who::Client).await?.sees(answers.as_bytes()).await?;
        }
        Ok(())
    }

    fn events(&self) -> Vec<Entry> {
        self.theatre.journal().since(0)
    }

    async fn warned(&self, words: &str) -> Result<(), String> {
        // The connection may have to end first.
        self.theatre.a_moment().await;
        let warned = |entry: &Entry| matches!(&entry.event, Event::Warning { text } if text.contains(words));
        if self.events().iter().any(warned) { Ok(()) } else { Err(format!("nothing warned of {words:?}")) }
    }

    /// Whether CR and LF that stood alone were noted.
    async fn bare(&self, words: &str) -> Result<(), String> {
        self.theatre.a_moment().await;
        let said = |entry: Entry| match entry.event {
            Event::BareLineEnds(it) => Some(format!("{}: {} CR, {} LF, {}", it.place, it.cr, it.lf, it.smuggling)),
            _ => None,
        };
        let all: Vec<String> = self.events().into_iter().filter_map(said).collect();
        if all.iter().any(|it| it == words) { Ok(()) } else { Err(format!("noted {all:?}, wanted {words:?}")) }
    }

    fn compare_firings(&self) -> Result<(), String> {
        let fired: Vec<String> = self.events().into_iter().filter_map(|entry| fired(entry.event)).collect();
        let wanted = |(_, line): &(usize, Line)| match line {
            Line::Fired(text) => Some(text.trim_end_matches(':').to_owned()),
            _ => None,
        };
        let wanted: Vec<String> = self.dialog.lines.iter().filter_map(wanted).collect();
        if fired == wanted { Ok(()) } else { Err(format!("end: fired {fired:?}, wanted {wanted:?}")) }
    }
}

fn fired(event: Event) -> Option<String> {
    let Event::Fired(firing) = event else { return None };
    let command = if firing.command.is_empty() { String::new() } else { format!(": {}", firing.command) };
    Some(format!("{}{command}", firing.stage))
}

//! One try to deliver one message to one address.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::{Outgoing, Settings};
use crate::classes::{Failure, Patience, Starttls, Step};
use crate::mail::{Reply, Severity, Stage};
use crate::record::{Attempt, AttemptResult, TlsSeen};
use crate::smtp::{self, Capabilities, Hello, Pace, Session, Stop, StopKind};
use crate::tls;
use crate::world::Listening;

/// How long QUIT is waited for: nothing depends on it.
const QUIT_LIMIT: Duration = Duration::from_millis(500);

/// A connection of either kind.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}
type Wired = Session<Box<dyn Wire>>;

/// How an attempt ended, before it is written down.
struct End {
    result: AttemptResult,
    stage: Stage,
    reply: String,
    status: Option<crate::mail::EnhancedStatus>,
    queue_id: Option<String>,
    /// What the sender's class is asked about; none: it was taken.
    failure: Option<Failure>,
}

impl End {
    fn said(result: AttemptResult, stage: Stage, reply: &Reply) -> Self {
        let taken = result == AttemptResult::Accepted;
        Self {
            result,
            stage,
            reply: reply.to_string(),
            status: reply.status(),
            queue_id: if taken { reply.queue_id().map(str::to_owned) } else { None },
            failure: (!taken).then(|| Failure::of(reply)),
        }
    }

    fn seen(result: AttemptResult, stage: Stage, failure: Failure, what: impl ToString) -> Self {
        Self { result, stage, reply: what.to_string(), status: None, queue_id: None, failure: Some(failure) }
    }
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        let (result, failure) = match &stop.kind {
            StopKind::Timeout(_) => (AttemptResult::Timeout, Failure::Timeout),
            StopKind::Lost(_) if stop.is_close() => (AttemptResult::Lost, Failure::Closed),
            StopKind::Lost(_) => (AttemptResult::Lost, Failure::Reset),
            StopKind::PlaintextAfterStarttls(_) => (AttemptResult::TlsFailed, Failure::Handshake),
            StopKind::Garbage(_) | StopKind::TooSoon(_) | StopKind::LineBreak => {
                (AttemptResult::Garbage, Failure::Garbage)
            }
        };
        End::seen(result, stop.stage, failure, &stop)
    }
}

/// An attempt that is over, and where and how it failed; not at all where it was taken.
pub(super) struct Tried {
    pub(super) attempt: Attempt,
    pub(super) ended: Option<(Stage, Failure)>,
}

/// One attempt under way.
pub(super) struct Try<'a> {
    pub(super) settings: &'a Settings,
    pub(super) mail: &'a Outgoing,
    pub(super) host: &'a str,
    pub(super) preference: Option<u16>,
    pub(super) round: u32,
    pub(super) deadline: Instant,
}

impl Try<'_> {
    /// Connects, speaks, and writes down what came of it.
    pub(super) async fn at(&self, target: &Listening, mode: Starttls) -> Tried {
        let (at, began) = (self.settings.journal.clock().now(), Instant::now());
        let mut seen = None;
        let mut end = match self.session(target, mode, &mut seen).await {
            Ok(end) | Err(end) => end,
        };
        if end.failure == Some(Failure::Timeout) && self.holds_out() == Patience::EachRead {
            end.failure = Some(Failure::Trickle);
        }
        let ended = end.failure.map(|failure| (if taken(&end) { Stage::Quit } else { end.stage }, failure));
        let attempt = Attempt {
            host: self.host.to_owned(),
            address: Some(target.own.to_string()),
            preference: self.preference,
            proxy: target.proxied.as_ref().map(ToString::to_string),
            result: end.result,
            stage: end.stage,
            reply: end.reply,
            status: end.status,
            queue_id: end.queue_id,
            at,
            ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            round: self.round,
            tls: seen,
        };
        Tried { attempt, ended }
    }

    async fn session(&self, target: &Listening, mode: Starttls, seen: &mut Option<TlsSeen>) -> Result<End, End> {
        let timeouts = &self.settings.waits.timeouts;
        let limit = self.limit(timeouts.connect);
        let dialled = self.settings.dialer.connect(target, Some(self.mail.tag.as_str()), limit).await;
        let stream = dialled.map_err(|error| unreached(&error, limit))?;
        let mut session: Wired = Session::new(Box::new(stream) as Box<dyn Wire>).paced(self.pace());
        let banner = session.greeting(self.limit(timeouts.banner)).await?;
        if !banner.is_positive() {
            return self.leave(session, judged(Stage::Banner, &banner)).await;
        }
        let mut hello = self.hello(&mut session).await?;
        if !hello.reply.is_positive() {
            return self.leave(session, judged(Stage::Ehlo, &hello.reply)).await;
        }
        if mode == Starttls::Opportunistic && hello.capabilities.has("STARTTLS") {
            session = self.secure(session, seen).await?;
            if seen.is_some() {
                hello = self.hello(&mut session).await?;
                if !hello.reply.is_positive() {
                    return self.leave(session, judged(Stage::Ehlo, &hello.reply)).await;
                }
            }
        }
        let size = hello.capabilities.has("SIZE").then(|| format!("SIZE={}", self.mail.message.len()));
        self.transaction(session, &size.unwrap_or_default()).await
    }

    /// EHLO, and HELO where the class says it.
    async fn hello(&self, session: &mut Wired) -> Result<Hello, Stop> {
        let (name, limit) = (&self.settings.helo, self.limit(self.settings.waits.timeouts.ehlo));
        let reply = session.command(Stage::Ehlo, &format!("EHLO {name}"), limit).await?;
        if reply.is_positive() {
            return Ok(Hello { capabilities: Capabilities::of(&reply), reply });
        }
        let helo = self.settings.class.facts().helo.follows(Failure::of(&reply));
        let reply = match helo {
            Some(word) => session.command(Stage::Ehlo, &format!("{word} {name}"), limit).await?,
            None => reply,
        };
        Ok(Hello { capabilities: Capabilities::default(), reply })
    }

    /// What the limits of the class are for. A server that sends a byte now and then can hold some
    /// classes until the message's own deadline.
    fn pace(&self) -> Pace {
        match self.settings.class.facts().timers.patience {
            Patience::WholeReply => Pace::Step,
            Patience::EachRead => Pace::Read(self.deadline.saturating_duration_since(Instant::now())),
        }
    }

    /// What kept the session up, once the message's own deadline is over.
    fn holds_out(&self) -> Patience {
        if Instant::now() < self.deadline { Patience::WholeReply } else { self.settings.class.facts().timers.patience }
    }

    /// STARTTLS; a session that goes on in clear where the server declines and the class lets it.
    async fn secure(&self, session: Wired, seen: &mut Option<TlsSeen>) -> Result<Wired, End> {
        let limit = self.limit(self.settings.waits.timeouts.ehlo);
        let stream = match session.starttls(limit).await? {
            smtp::Starttls::Declined(session, reply) => {
                let rule = self.settings.class.rule(Stage::Starttls, Failure::of(&reply));
                if rule.then == Step::GoOn {
                    return Ok(session);
                }
                return match self.leave(session, judged(Stage::Starttls, &reply)).await {
                    Ok(end) | Err(end) => Err(end),
                };
            }
            smtp::Starttls::Ready(stream) => stream,
        };
        let clock = self.settings.journal.clock();
        match tls::connect(stream, self.host, &self.settings.trust, &clock, limit).await {
            Ok((stream, tls)) => {
                *seen = Some(tls);
                Ok(Session::new(Box::new(stream) as Box<dyn Wire>).paced(self.pace()))
            }
            Err(failed) => {
                let why = failed.unanswered.map_or(Failure::Handshake, |_| Failure::HandshakeTimeout);
                let end = End::seen(AttemptResult::TlsFailed, Stage::Starttls, why, &failed);
                *seen = Some(failed.seen);
                Err(end)
            }
        }
    }

    async fn transaction(&self, mut session: Wired, parameters: &str) -> Result<End, End> {
        let timeouts = &self.settings.waits.timeouts;
        let mail = session.mail(&self.mail.from.to_string(), parameters, self.limit(timeouts.mail)).await?;
        if !mail.is_positive() {
            return self.leave(session, judged(Stage::Mail, &mail)).await;
        }
        let rcpt = session.rcpt(&self.mail.to.to_string(), "", self.limit(timeouts.rcpt)).await?;
        if !rcpt.is_positive() {
            return self.leave(session, judged(Stage::Rcpt, &rcpt)).await;
        }
        let data = session.data(self.limit(timeouts.data)).await?;
        if data.severity() != Severity::Intermediate {
            return self.leave(session, judged(Stage::Data, &data)).await;
        }
        let eom = session.body(&self.mail.message, self.limit(timeouts.body), self.limit(timeouts.eom)).await?;
        let stage = session.stage();
        let end =
            if eom.is_positive() { End::said(AttemptResult::Accepted, Stage::Eom, &eom) } else { judged(stage, &eom) };
        self.leave(session, end).await
    }

    /// QUIT. What becomes of it matters to a class only that delivers again where it fails.
    async fn leave(&self, session: Wired, mut end: End) -> Result<End, End> {
        let answer = session.quit(QUIT_LIMIT).await;
        let again = self.settings.class.rule(Stage::Quit, Failure::Closed).then == Step::Again;
        if again && taken(&end) && answer.is_none() {
            end.failure = Some(Failure::Closed);
        }
        Ok(end)
    }

    /// A step's limit, cut by the deadline of the whole message.
    fn limit(&self, step: Duration) -> Duration {
        step.min(self.deadline.saturating_duration_since(Instant::now()))
    }
}

fn taken(end: &End) -> bool {
    end.result == AttemptResult::Accepted
}

/// A reply that does not let the session go on.
fn judged(stage: Stage, reply: &Reply) -> End {
    let result = match reply.severity() {
        Severity::Transient => AttemptResult::Transient,
        Severity::Permanent => AttemptResult::Permanent,
        // 2yz or 3yz where another was due, such as 250 to DATA.
        Severity::Positive | Severity::Intermediate => AttemptResult::Garbage,
    };
    End::said(result, stage, reply)
}

fn unreached(error: &io::Error, limit: Duration) -> End {
    let (result, failure, what) = match error.kind() {
        io::ErrorKind::TimedOut => {
            (AttemptResult::Timeout, Failure::Timeout, format!("no answer to SYN within {limit:?}"))
        }
        io::ErrorKind::ConnectionRefused => (AttemptResult::Refused, Failure::Refused, "connection refused".to_owned()),
        io::ErrorKind::ConnectionReset => (AttemptResult::Lost, Failure::Reset, "connection reset".to_owned()),
        _ => (AttemptResult::Unreachable, Failure::Unreachable, error.to_string()),
    };
    End::seen(result, Stage::Connect, failure, what)
}

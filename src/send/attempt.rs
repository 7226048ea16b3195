//! One try to deliver one message to one address.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::{Outgoing, Settings};
use crate::mail::{Reply, Severity, Stage};
use crate::record::{Attempt, AttemptResult, TlsSeen};
use crate::smtp::{Session, Starttls, Stop, StopKind};
use crate::tls;
use crate::world::Listening;

/// How long QUIT is waited for: nothing depends on it.
const QUIT_LIMIT: Duration = Duration::from_millis(500);

/// A connection of either kind.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}
type Wired = Session<Box<dyn Wire>>;

/// Whether STARTTLS is used where it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// It is.
    Opportunistic,
    /// It failed before: in clear this time.
    Clear,
    /// It must be, with a certificate that verifies for the host.
    Verified,
}

/// How an attempt ended, before it is written down.
struct End {
    result: AttemptResult,
    stage: Stage,
    reply: String,
    status: Option<crate::mail::EnhancedStatus>,
    queue_id: Option<String>,
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
        }
    }

    fn seen(result: AttemptResult, stage: Stage, what: impl ToString) -> Self {
        Self { result, stage, reply: what.to_string(), status: None, queue_id: None }
    }
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        let result = match &stop.kind {
            StopKind::Timeout(_) => AttemptResult::Timeout,
            StopKind::Lost(_) => AttemptResult::Lost,
            StopKind::PlaintextAfterStarttls(_) => AttemptResult::TlsFailed,
            StopKind::Garbage(_) | StopKind::TooSoon(_) | StopKind::LineBreak => AttemptResult::Garbage,
        };
        End::seen(result, stop.stage, &stop)
    }
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
    pub(super) async fn at(&self, target: &Listening, mode: Tls) -> Attempt {
        let (at, began) = (self.settings.journal.clock().now(), Instant::now());
        let mut seen = None;
        let mut end = match self.session(target, mode, &mut seen).await {
            Ok(end) | Err(end) => end,
        };
        if mode == Tls::Verified && end.result == AttemptResult::TlsFailed {
            end.result = AttemptResult::TlsPolicy;
        }
        Attempt {
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
            policy: None,
        }
    }

    async fn session(&self, target: &Listening, mode: Tls, seen: &mut Option<TlsSeen>) -> Result<End, End> {
        let timeouts = &self.settings.timeouts;
        let limit = self.limit(timeouts.connect);
        let dialled = self.settings.dialer.connect(target, Some(self.mail.tag.as_str()), limit).await;
        let stream = dialled.map_err(|error| unreached(&error, limit))?;
        let mut session: Wired = Session::new(Box::new(stream));
        let banner = session.greeting(self.limit(timeouts.banner)).await?;
        if !banner.is_positive() {
            return self.leave(session, judged(Stage::Banner, &banner)).await;
        }
        let mut hello = session.hello(&self.settings.helo, self.limit(timeouts.ehlo)).await?;
        if !hello.reply.is_positive() {
            return self.leave(session, judged(Stage::Ehlo, &hello.reply)).await;
        }
        if mode != Tls::Clear && hello.capabilities.has("STARTTLS") {
            session = self.secure(session, seen).await?;
            if seen.is_some() {
                hello = session.hello(&self.settings.helo, self.limit(timeouts.ehlo)).await?;
                if !hello.reply.is_positive() {
                    return self.leave(session, judged(Stage::Ehlo, &hello.reply)).await;
                }
            }
        }
        if let Some(why) = lacking(mode, seen.as_ref()) {
            let end = End::seen(AttemptResult::TlsPolicy, Stage::Starttls, why);
            return self.leave(session, end).await;
        }
        let size = hello.capabilities.has("SIZE").then(|| format!("SIZE={}", self.mail.message.len()));
        self.transaction(session, &size.unwrap_or_default()).await
    }

    /// STARTTLS; a session that goes on in clear where the server declines.
    async fn secure(&self, session: Wired, seen: &mut Option<TlsSeen>) -> Result<Wired, End> {
        let limit = self.limit(self.settings.timeouts.ehlo);
        let stream = match session.starttls(limit).await? {
            Starttls::Declined(session, _) => return Ok(session),
            Starttls::Ready(stream) => stream,
        };
        let clock = self.settings.journal.clock();
        match tls::connect(stream, self.host, &self.settings.trust, &clock, limit).await {
            Ok((stream, tls)) => {
                *seen = Some(tls);
                Ok(Session::new(Box::new(stream)))
            }
            Err(failed) => {
                let end = End::seen(AttemptResult::TlsFailed, Stage::Starttls, &failed);
                *seen = Some(failed.seen);
                Err(end)
            }
        }
    }

    async fn transaction(&self, mut session: Wired, parameters: &str) -> Result<End, End> {
        let timeouts = &self.settings.timeouts;
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

    async fn leave(&self, session: Wired, end: End) -> Result<End, End> {
        session.quit(QUIT_LIMIT).await;
        Ok(end)
    }

    /// A step's limit, cut by the deadline of the whole message.
    fn limit(&self, step: Duration) -> Duration {
        step.min(self.deadline.saturating_duration_since(Instant::now()))
    }
}

/// What a session lacks that must be verified.
fn lacking(mode: Tls, seen: Option<&TlsSeen>) -> Option<String> {
    if mode != Tls::Verified {
        return None;
    }
    let Some(seen) = seen else { return Some("the policy demands TLS, and there is none".to_owned()) };
    let flaws: Vec<&str> = seen.verdicts.iter().map(String::as_str).filter(|it| *it != "trusted").collect();
    (!flaws.is_empty()).then(|| format!("the policy demands a verified certificate, and it is {}", flaws.join(", ")))
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
    let (result, what) = match error.kind() {
        io::ErrorKind::TimedOut => (AttemptResult::Timeout, format!("no answer to SYN within {limit:?}")),
        io::ErrorKind::ConnectionRefused => (AttemptResult::Refused, "connection refused".to_owned()),
        io::ErrorKind::ConnectionReset => (AttemptResult::Lost, "connection reset".to_owned()),
        _ => (AttemptResult::Unreachable, error.to_string()),
    };
    End::seen(result, Stage::Connect, what)
}

//! One transaction over an open session, and how an attempt ended.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::{Outgoing, Settings};
use crate::classes::{Failure, Step};
use crate::mail::{EnhancedStatus, Reply, Severity, Stage};
use crate::record::{AttemptResult, RecipientReply};
use crate::scenario::form::{Dsn, Notify};
use crate::smtp::{Capabilities, Session, Stop, StopKind};

/// How long QUIT is waited for: nothing depends on it.
const QUIT_LIMIT: Duration = Duration::from_millis(500);

/// A connection of any kind.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}
pub(super) type Wired = Session<Box<dyn Wire>>;

/// How an attempt ended, before it is written down.
pub(super) struct End {
    pub(super) result: AttemptResult,
    pub(super) stage: Stage,
    pub(super) reply: String,
    pub(super) status: Option<EnhancedStatus>,
    pub(super) queue_id: Option<String>,
    /// What the sender's class is asked about; none: it was taken.
    pub(super) failure: Option<Failure>,
    /// What was answered to each recipient, where there are several.
    pub(super) recipients: Vec<RecipientReply>,
}

impl End {
    pub(super) fn said(result: AttemptResult, stage: Stage, reply: &Reply) -> Self {
        let taken = result == AttemptResult::Accepted;
        Self {
            result,
            stage,
            reply: reply.to_string(),
            status: reply.status(),
            queue_id: if taken { reply.queue_id().map(str::to_owned) } else { None },
            failure: (!taken).then(|| Failure::of(reply)),
            recipients: vec![],
        }
    }

    pub(super) fn seen(result: AttemptResult, stage: Stage, failure: Failure, what: impl ToString) -> Self {
        let (reply, failure, recipients) = (what.to_string(), Some(failure), vec![]);
        Self { result, stage, reply, status: None, queue_id: None, failure, recipients }
    }

    /// The sender itself would not go on, for good: as if the server had refused it.
    pub(super) fn given_up(result: AttemptResult, stage: Stage, what: impl ToString) -> Self {
        Self::seen(result, stage, Failure::of(&Reply::new(550, "")), what)
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

/// What every step of a session is given: the message and how long it may take.
#[derive(Clone, Copy)]
pub(super) struct Pass<'a> {
    pub(super) settings: &'a Settings,
    pub(super) mail: &'a Outgoing,
    pub(super) deadline: Instant,
}

impl Pass<'_> {
    /// A step's limit, cut by the deadline of the whole message.
    pub(super) fn limit(&self, step: Duration) -> Duration {
        step.min(self.deadline.saturating_duration_since(Instant::now()))
    }

    /// MAIL to the end of the message. The probe's own recipient decides: where it is refused,
    /// nothing is sent to the others either.
    pub(super) async fn transaction(&self, mut session: Wired, offered: &Capabilities) -> Result<End, End> {
        let timeouts = &self.settings.waits.timeouts;
        let parameters = match parameters(self.mail, offered) {
            Ok(parameters) => parameters,
            Err(missing) => {
                let what = format!("the server does not offer {missing}, which this message needs");
                return self.leave(session, End::given_up(AttemptResult::Permanent, Stage::Mail, what)).await;
            }
        };
        let mail = session.mail(&self.mail.from.to_string(), &parameters, self.limit(timeouts.mail)).await?;
        if !mail.is_positive() {
            return self.leave(session, judged(Stage::Mail, &mail)).await;
        }
        let mut recipients = vec![];
        for to in std::iter::once(&self.mail.to).chain(&self.mail.also) {
            let to = to.to_string();
            let rcpt = session.rcpt(&to, &self.notify(offered), self.limit(timeouts.rcpt)).await?;
            if recipients.is_empty() && !rcpt.is_positive() {
                return self.leave(session, judged(Stage::Rcpt, &rcpt)).await;
            }
            recipients.push(RecipientReply { recipient: to, reply: rcpt.to_string() });
        }
        recipients.retain(|_| !self.mail.also.is_empty());
        let data = session.data(self.limit(timeouts.data)).await?;
        if data.severity() != Severity::Intermediate {
            return self.leave(session, End { recipients, ..judged(Stage::Data, &data) }).await;
        }
        let eom = session.body(&self.mail.message, self.limit(timeouts.body), self.limit(timeouts.eom)).await?;
        let stage = session.stage();
        let end =
            if eom.is_positive() { End::said(AttemptResult::Accepted, Stage::Eom, &eom) } else { judged(stage, &eom) };
        self.leave(session, End { recipients, ..end }).await
    }

    /// NOTIFY (RFC 3461 4.1), where it is asked for and offered.
    fn notify(&self, offered: &Capabilities) -> String {
        let asked = self.mail.dsn.as_ref().filter(|it| offered.has("DSN") && !it.notify.is_empty());
        asked.map(|Dsn { notify, .. }| format!("NOTIFY={}", keywords(notify))).unwrap_or_default()
    }

    /// QUIT. What becomes of it matters to a class only that delivers again where it fails.
    pub(super) async fn leave(&self, session: Wired, mut end: End) -> Result<End, End> {
        let answer = session.quit(QUIT_LIMIT).await;
        let again = self.settings.class.rule(Stage::Quit, Failure::Closed).then == Step::Again;
        if again && taken(&end) && answer.is_none() {
            end.failure = Some(Failure::Closed);
        }
        Ok(end)
    }
}

fn keywords(notify: &[Notify]) -> String {
    notify.iter().map(|it| it.word().to_ascii_uppercase()).collect::<Vec<_>>().join(",")
}

/// The parameters of MAIL that the message needs and the server knows.
///
/// # Errors
/// The extension without which the message cannot be sent.
fn parameters(mail: &Outgoing, offered: &Capabilities) -> Result<String, &'static str> {
    let mut parameters = vec![];
    if offered.has("SIZE") {
        parameters.push(format!("SIZE={}", mail.message.len()));
    }
    for extension in &mail.needs {
        if !offered.has(extension.keyword()) {
            return Err(extension.keyword());
        }
        parameters.push(extension.parameter().to_owned());
    }
    if let Some(dsn) = mail.dsn.as_ref().filter(|_| offered.has("DSN")) {
        parameters.extend(dsn.ret.map(|ret| format!("RET={}", ret.keyword())));
        // Letters, digits and hyphens need no xtext (RFC 3461 4).
        parameters.push(format!("ENVID={}", mail.tag));
    }
    Ok(parameters.join(" "))
}

/// A reply that does not let the session go on.
pub(super) fn judged(stage: Stage, reply: &Reply) -> End {
    let result = match reply.severity() {
        Severity::Transient => AttemptResult::Transient,
        Severity::Permanent => AttemptResult::Permanent,
        // 2yz or 3yz where another was due, such as 250 to DATA.
        Severity::Positive | Severity::Intermediate => AttemptResult::Garbage,
    };
    End::said(result, stage, reply)
}

pub(super) fn unreached(error: &io::Error, limit: Duration) -> End {
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

pub(super) fn taken(end: &End) -> bool {
    end.result == AttemptResult::Accepted
}

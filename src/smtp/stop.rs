//! Why a session came to an end that no reply explains.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::mail::reply::Flaw;
use crate::mail::{Reply, Stage};

/// A session cannot go on: the server said nothing that answers the last command.
#[derive(Debug)]
pub struct Stop {
    /// Where in the session.
    pub stage: Stage,
    /// What happened.
    pub kind: StopKind,
    /// What the server had sent of an answer until then; cut to 200 characters.
    pub partial: String,
}

/// What ended a session.
#[derive(Debug)]
pub enum StopKind {
    /// No answer, or no progress, within this time.
    Timeout(Duration),
    /// The connection was closed ([`io::ErrorKind::UnexpectedEof`]) or broke.
    Lost(io::Error),
    /// The server sent what is no SMTP reply.
    Garbage(Flaw),
    /// A reply that takes the message, before the message was complete.
    TooSoon(Reply),
    /// Bytes stood behind the 220 to STARTTLS, in clear, where only TLS may follow: somebody on
    /// the way may have put them there (RFC 3207 6, CVE-2011-0411).
    PlaintextAfterStarttls(String),
    /// The command was not sent because it would have held a line end.
    LineBreak,
}

impl Stop {
    /// Whether the server closed the connection in order, without a reset or another error.
    pub fn is_close(&self) -> bool {
        matches!(&self.kind, StopKind::Lost(error) if error.kind() == io::ErrorKind::UnexpectedEof)
    }
}

impl std::error::Error for Stop {}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let due = due(self.stage);
        match &self.kind {
            StopKind::Timeout(limit) if self.stage == Stage::Body => {
                write!(f, "the server took nothing more of the message for {limit:?}")?;
            }
            StopKind::Timeout(limit) => write!(f, "no {due} within {limit:?}")?,
            StopKind::Lost(_) if self.is_close() => write!(f, "the server closed the connection: no {due}")?,
            StopKind::Lost(error) => write!(f, "the connection was lost: no {due} ({error})")?,
            StopKind::Garbage(flaw) => return write!(f, "no {due}: {flaw}"),
            StopKind::TooSoon(reply) => {
                return write!(f, "the server answered {reply} before the message was complete");
            }
            StopKind::PlaintextAfterStarttls(text) => {
                return write!(f, "plaintext stood behind the answer to STARTTLS: {text:?}");
            }
            StopKind::LineBreak => return write!(f, "the command for {} would have held a line end", self.stage),
        }
        if self.partial.is_empty() { Ok(()) } else { write!(f, ", only {:?}", self.partial) }
    }
}

/// What the server owed at a stage.
fn due(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connection",
        Stage::Banner => "greeting",
        Stage::Ehlo => "answer to EHLO",
        Stage::Starttls => "answer to STARTTLS",
        Stage::Auth => "answer to AUTH",
        Stage::Mail => "answer to MAIL",
        Stage::Rcpt => "answer to RCPT",
        Stage::Data => "answer to DATA",
        Stage::Body => "answer, and the message was still being sent",
        Stage::Eom => "answer to the end of the message",
        Stage::Quit => "answer to QUIT",
    }
}

/// The start of a server's bytes, as text.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(800)]);
    text.trim_end().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stop(stage: Stage, kind: StopKind, partial: &str) -> String {
        Stop { stage, kind, partial: partial.to_owned() }.to_string()
    }

    #[test]
    fn a_postmaster_understands_why_it_stopped() {
        let limit = Duration::from_secs(2);
        assert_eq!(stop(Stage::Banner, StopKind::Timeout(limit), ""), "no greeting within 2s");
        assert_eq!(
            stop(Stage::Rcpt, StopKind::Lost(io::ErrorKind::UnexpectedEof.into()), "250-a"),
            "the server closed the connection: no answer to RCPT, only \"250-a\""
        );
        assert_eq!(
            stop(Stage::Ehlo, StopKind::Garbage(Flaw::MixedCodes(250, 550)), ""),
            "no answer to EHLO: the lines of one reply have the codes 250 and 550"
        );
        assert_eq!(
            stop(Stage::Body, StopKind::TooSoon(Reply::new(250, "ok")), ""),
            "the server answered 250 ok before the message was complete"
        );
    }
}

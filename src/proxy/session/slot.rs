//! Replies that the client waits for, in order, and what is to become of them.

use std::sync::Arc;

use tokio::time::Instant;

use crate::mail::{Command, Stage};
use crate::proxy::rules::Rule;
use crate::record::Tag;
use crate::tls::Flaw;

/// What a reply answers, as far as it says how to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    StartTls,
    /// STARTTLS, and the proxy ends TLS; with this flaw in its certificate.
    Secure(Option<Flaw>),
    Auth,
    /// EHLO, of whose answer something is left out.
    Capabilities,
    Rcpt,
    Data,
    /// Nothing: the client is left behind it.
    Goodbye,
    Other,
}

impl Asked {
    pub(super) fn by(command: &Command<'_>) -> Self {
        match command {
            Command::StartTls => Asked::StartTls,
            Command::Auth(_) => Asked::Auth,
            Command::Rcpt { .. } => Asked::Rcpt,
            Command::Data => Asked::Data,
            _ => Asked::Other,
        }
    }
}

/// One reply that is due.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) asked: Asked,
    pub(super) from: Source,
    /// The fault that meets it.
    pub(super) fault: Option<Box<Decision>>,
}

/// Who gives the reply.
#[derive(Debug)]
pub(super) enum Source {
    /// The upstream, for the client.
    Upstream,
    /// The upstream, for us: the client is not told.
    Unseen,
    /// The proxy, with these bytes; none where the fault says nothing.
    Own(Vec<u8>),
}

impl Slot {
    pub(super) fn passing(asked: Asked) -> Self {
        Self { asked, from: Source::Upstream, fault: None }
    }

    /// Whether its reply goes to the client as it comes.
    pub(super) fn passes(&self) -> bool {
        let whole = matches!(self.asked, Asked::Secure(_) | Asked::Capabilities);
        self.fault.is_none() && matches!(self.from, Source::Upstream) && !whole
    }

    /// Lets the upstream's reply through, whatever was to become of it.
    pub(super) fn let_pass(&mut self) {
        self.fault = None;
        if let Asked::Secure(_) = self.asked {
            self.asked = Asked::StartTls;
        }
    }
}

/// A fault was found to meet a moment of the session.
#[derive(Clone, Debug)]
pub(super) struct Decision {
    pub(super) rule: Arc<Rule>,
    pub(super) stage: Stage,
    pub(super) tag: Option<Tag>,
    /// The command as evidence: without its line end, cut, and without credentials.
    pub(super) command: String,
}

/// A reply that is held back for a time.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) rule: Arc<Rule>,
    pub(super) asked: Asked,
    pub(super) code: u16,
    /// What of it was not yet let go.
    pub(super) bytes: Vec<u8>,
    /// When the next part of it goes.
    pub(super) next: Instant,
}

const MAX_EVIDENCE: usize = 200;

/// A command line as evidence.
pub(super) fn evidence(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    if text.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case("AUTH")) {
        // The mechanism only: what follows it are credentials.
        return text.split(' ').take(2).collect::<Vec<_>>().join(" ");
    }
    text.chars().take(MAX_EVIDENCE).collect()
}

/// The code that a reply of our own begins with.
pub(super) fn code_of(reply: &[u8]) -> u16 {
    let digits = reply.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

//! What a line of a log tells, alike for every MTA that writes one.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::mail::EnhancedStatus;
use crate::mail::reply::queue_id as queue_id_of_reply;

/// One line's content, or one part of it where a line speaks of several recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The message that it speaks of, in the MTA's own queue.
    pub queue_id: Option<String>,
    /// What it says of it.
    pub what: What,
    /// When, where the words themselves tell it rather than a stamp before them.
    pub at: Option<Timestamp>,
    /// The machine, where the words themselves tell it.
    pub host: Option<String>,
}

/// What happened to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A client begins to hand it over; an earlier message of this queue-id is over.
    Begins(Client),
    /// It has this Message-ID, with its angle brackets where the log has them.
    Names(String),
    /// It is in the queue.
    Queued(Queued),
    /// A delivery was tried.
    Tried(Delivery),
    /// It was not taken.
    Refused(Refusal),
    /// A notification about it was made, under this queue-id.
    Notified(String),
    /// It left the queue.
    Ends,
}

/// A message that is in the queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queued {
    /// Its reverse-path; empty for a notification.
    pub sender: String,
    /// Who handed it over, where the same line says it.
    pub client: Option<Client>,
    /// Its Message-ID, where the same line says it.
    pub message_id: Option<String>,
    /// Its recipients, where the same line says them.
    pub recipients: Vec<String>,
    /// How many recipients it has, where the log says so.
    pub expected: Option<usize>,
}

/// Who hands a message over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// As the log has it, such as `host[192.0.2.1]`.
    pub words: String,
    /// The name that its address has in DNS, where it has one.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<IpAddr>,
    /// The name that it gave itself in EHLO.
    pub helo: Option<String>,
    /// The user that it logged in as.
    pub user: Option<String>,
    /// The user of the machine itself that ran a program to send.
    pub local_user: Option<String>,
}

impl Client {
    /// Whether it is on the machine itself, as far as the log tells.
    pub fn reach(&self) -> Reach {
        match self.address {
            Some(address) if address.to_canonical().is_loopback() => Reach::Here,
            None if self.local_user.is_some() => Reach::Here,
            _ => Reach::Elsewhere,
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// Whether something is on the machine that writes the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On the same machine.
    Here,
    /// On another one, or it is not known where.
    Elsewhere,
}

/// A message, or one of its recipients, that was not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Whose message it was, where the line says it.
    pub sender: String,
    /// Empty where the whole message was refused.
    pub recipient: String,
    /// The enhanced status code.
    pub status: Option<EnhancedStatus>,
    /// The reply.
    pub reply: String,
}

/// One try to deliver to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The recipient; empty where the line speaks of all that are left.
    pub recipient: String,
    /// The recipient before aliases, where it differs.
    pub original: Option<String>,
    /// How it ended.
    pub state: State,
    /// Where it went.
    pub next: Next,
    /// The enhanced status code.
    pub status: Option<EnhancedStatus>,
    /// The next hop's reply, or the MTA's own words.
    pub reply: String,
    /// The queue-id that the next hop gave it.
    pub next_queue_id: Option<String>,
    /// The part of the MTA that did it, such as `local`.
    pub via: String,
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The next hop or the mailbox took it.
    Sent,
    /// To be tried again.
    Deferred,
    /// Refused for good; its sender is told.
    Bounced,
    /// Given up after its time in the queue.
    Expired,
    /// Removed without being passed on, or held apart.
    Discarded,
}

/// Where a try went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// No hop was reached.
    Nowhere,
    /// To a mailbox, file or program of this host, or to its message store by LMTP.
    Here,
    /// To another MTA.
    Host {
        /// Its name, without a trailing dot.
        name: Option<String>,
        /// Its address.
        address: Option<IpAddr>,
        /// Its port.
        port: Option<u16>,
    },
    /// The log does not say where.
    Unsaid,
}

impl Delivery {
    /// A try of which nothing more is known yet.
    pub(super) fn new(recipient: &str, state: State, next: Next, via: &str) -> Self {
        Self {
            recipient: recipient.to_owned(),
            original: None,
            state,
            next,
            status: None,
            reply: String::new(),
            next_queue_id: None,
            via: via.to_owned(),
        }
    }

    /// With a reply, and what it tells by itself: the status code, and the next queue-id where it
    /// accepts.
    pub(super) fn replied(mut self, reply: &str) -> Self {
        self.reply = reply.to_owned();
        self.status = self.status.or_else(|| EnhancedStatus::at_start_of(reply)).or_else(|| quoted_status(reply));
        if self.state == State::Sent {
            self.next_queue_id = queue_id_of_reply(reply).map(str::to_owned);
        }
        self
    }
}

impl Told {
    pub(super) fn of(queue_id: &str, what: What) -> Self {
        Self { queue_id: Some(queue_id.to_owned()), ..Self::unqueued(what) }
    }

    /// Of no message in the queue.
    pub(super) fn unqueued(what: What) -> Self {
        Self { queue_id: None, what, at: None, host: None }
    }
}

impl Next {
    /// Whether it is on this machine.
    pub fn reach(&self) -> Reach {
        match self {
            Next::Host { address: Some(address), .. } if address.to_canonical().is_loopback() => Reach::Here,
            Next::Here => Reach::Here,
            _ => Reach::Elsewhere,
        }
    }

    /// Another MTA, from what a log says of it.
    pub(super) fn host(name: &str, address: Option<IpAddr>, port: Option<u16>) -> Self {
        let name = name.trim_end_matches('.');
        Next::Host { name: (!name.is_empty()).then(|| name.to_owned()), address, port }
    }
}

/// The enhanced status code of the first SMTP reply that a text quotes, such as
/// `…after RCPT TO:<a@b>: 550 5.2.0 no`.
pub(super) fn quoted_status(text: &str) -> Option<EnhancedStatus> {
    let replies = std::iter::once(text).chain(text.match_indices(": ").map(|(at, _)| &text[at + 2..]));
    replies.filter_map(after_code).find_map(EnhancedStatus::at_start_of)
}

/// What follows a reply code.
fn after_code(text: &str) -> Option<&str> {
    let (code, rest) = text.split_at_checked(3)?;
    let is_code = matches!(code.as_bytes()[0], b'2' | b'4' | b'5') && code.bytes().all(|byte| byte.is_ascii_digit());
    rest.strip_prefix([' ', '-']).filter(|_| is_code)
}

/// An address in angle brackets at the start of a text, without them, and what follows. Inside
/// of a quoted local part brackets and blanks mean nothing.
pub(super) fn angle(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    let mut quoted = Quoted::No;
    for (at, byte) in inner.bytes().enumerate() {
        quoted = match (quoted, byte) {
            (Quoted::No, b'>') => return Some((&inner[..at], &inner[at + 1..])),
            (Quoted::No, b'"') => Quoted::Yes,
            (Quoted::Yes, b'"') => Quoted::No,
            (Quoted::Yes, b'\\') => Quoted::Escape,
            (Quoted::Escape, _) => Quoted::Yes,
            (same, _) => same,
        };
    }
    None
}

#[derive(Clone, Copy)]
enum Quoted {
    No,
    Yes,
    Escape,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_quoted_replies() {
        let code = |text: &str| quoted_status(text).map(|it| it.to_string());
        assert_eq!(
            code("host x[1.2.3.4] said: 451 4.7.650 later (in reply to RCPT TO command)"),
            Some("4.7.650".into())
        );
        assert_eq!(code("250 2.0.0 Ok: queued as 5DB0B9CE950"), Some("2.0.0".into()));
        assert_eq!(code("SMTP error after RCPT TO:<a@b>: 550-5.1.1 no"), Some("5.1.1".into()));
        assert_eq!(code("Connection timed out"), None);
    }

    #[test]
    fn brackets_in_quotes_do_not_end_an_address() {
        assert_eq!(angle("<a@b>, relay=x"), Some(("a@b", ", relay=x")));
        assert_eq!(angle(r#"<"x\">, y>"@b>, z"#), Some((r#""x\">, y>"@b"#, ", z")));
        assert_eq!(angle("<>"), Some(("", "")));
        assert_eq!(angle("<a"), None);
    }
}

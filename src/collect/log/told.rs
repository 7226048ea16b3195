//! What a line of a log tells, alike for every MTA that writes one.

use std::net::IpAddr;

use crate::mail::EnhancedStatus;

/// One line's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The message that it speaks of, in the MTA's own queue.
    pub(super) queue_id: Option<String>,
    pub(super) what: What,
}

/// What happened to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A client begins to hand it over; an earlier message of this queue-id is over.
    Begins { client: String },
    /// It has this Message-ID.
    Names { message_id: String },
    /// It is in the queue.
    Queued {
        /// Its reverse-path; empty for a notification.
        sender: String,
        /// Where the same line says it.
        client: Option<String>,
        message_id: Option<String>,
        recipients: Vec<String>,
    },
    /// A delivery was tried.
    Tried(Delivery),
    /// It was not taken.
    Refused(Refusal),
    /// A notification about it was made, under this queue-id.
    Notified { queue_id: String },
    /// It left the queue.
    Ends,
}

/// A message, or one of its recipients, that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) sender: String,
    /// Empty where the whole message was refused.
    pub(super) recipient: String,
    pub(super) status: Option<EnhancedStatus>,
    pub(super) reply: String,
}

/// One try to deliver to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) recipient: String,
    /// The recipient before aliases, where it differs.
    pub(super) original: Option<String>,
    pub(super) state: State,
    pub(super) next: Next,
    pub(super) status: Option<EnhancedStatus>,
    /// The next hop's reply, or the MTA's own words.
    pub(super) reply: String,
    /// The queue-id that the next hop gave it.
    pub(super) next_queue_id: Option<String>,
    /// The part of the MTA that did it, such as `local`.
    pub(super) via: String,
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Sent,
    Deferred,
    /// Refused for good, or given up; its sender is told.
    Bounced,
    Discarded,
}

/// Where a try went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// No hop was reached.
    Nowhere,
    /// To a mailbox, file or program of this host, or to its message store by LMTP.
    Here,
    /// To another MTA.
    Host { name: Option<String>, address: Option<IpAddr>, port: Option<u16> },
}

impl Told {
    pub(super) fn of(queue_id: &str, what: What) -> Self {
        Self { queue_id: Some(queue_id.to_owned()), what }
    }
}

impl Next {
    /// Whether it is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        match self {
            Next::Host { address: Some(address), .. } => address.to_canonical().is_loopback(),
            Next::Here => true,
            _ => false,
        }
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

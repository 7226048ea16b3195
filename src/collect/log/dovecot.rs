//! Dovecot's final deliveries: LMTP, LDA and Sieve.
//!
//! ```text
//!   lmtp(user)<pid><session>: msgid=<…>: saved mail to INBOX             Tried: into a mailbox
//!   lda(user)<pid><session>: sieve: msgid=<…>: stored mail into mailbox 'Junk'
//!   … sieve: msgid=<…>: forwarded to <…>                                Tried: a new way begins
//!   … msgid=<…>: save failed to INBOX: …                                Tried: deferred
//! ```
//!
//! A file of its own has `Info: ` before the words. The session stands in the place of a queue-id.

use super::told::{Delivery, Next, State, Told, What, angle};
use super::wrapper::Entry;

/// Whether a line looks like one of Dovecot's own file.
pub(super) fn is_one(text: &str) -> bool {
    ["lmtp(", "lda(", "deliver("].iter().any(|start| text.starts_with(start))
}

/// What a line of Dovecot tells: the Message-ID, and what became of the message.
pub(super) fn read(entry: &Entry<'_>) -> Vec<Told> {
    told(&entry.text).unwrap_or_default()
}

fn told(text: &str) -> Option<Vec<Told>> {
    let (service, rest) = text.split_once('(').filter(|(it, _)| matches!(*it, "lmtp" | "lda" | "deliver"))?;
    let (user, rest) = rest.split_once(')')?;
    let user = user.rsplit(", ").next().unwrap_or(user);
    let (head, rest) = rest.split_once(": ")?;
    let session = head.rsplit_once('<').and_then(|(_, it)| it.strip_suffix('>'));
    let rest = rest.strip_prefix("Info: ").unwrap_or(rest);
    let (before, words) = rest.split_once("msgid=")?;
    // Older versions say the session before the words.
    let older = before.trim_end_matches("sieve: ").strip_suffix(": ").filter(|it| !it.contains(' '));
    let (message_id, words) = match angle(words) {
        Some((inner, rest)) => (format!("<{inner}>"), rest.strip_prefix(": ")?),
        None => words.split_once(": ").map(|(id, rest)| (id.to_owned(), rest))?,
    };
    if !matches!(before.rsplit(": ").next(), Some("")) {
        return None;
    }
    let delivery = outcome(user, service, words)?;
    let id = session.or(older).unwrap_or(&message_id).to_owned();
    let ended = [What::Names(message_id), What::Tried(delivery)].into_iter().map(|what| Told::of(&id, what));
    Some(ended.collect())
}

fn outcome(user: &str, service: &str, words: &str) -> Option<Delivery> {
    let into = |state, next| Delivery { reply: words.to_owned(), ..Delivery::new(user, state, next, service) };
    if let Some(to) = words.strip_prefix("forwarded to ") {
        let to = angle(to).map_or(to, |(address, _)| address);
        let forwarded = Delivery::new(to, State::Sent, Next::Unsaid, "sieve");
        return Some(Delivery { original: Some(user.to_owned()), reply: words.to_owned(), ..forwarded });
    }
    let starts = |start: &str| words.starts_with(start);
    if starts("saved mail to ") || starts("stored mail into ") {
        Some(Delivery { via: mailbox(service, words).to_owned(), ..into(State::Sent, Next::Here) })
    } else if starts("save failed") || starts("failed to store") {
        Some(into(State::Deferred, Next::Nowhere))
    } else if starts("rejected") || starts("refused") {
        Some(into(State::Bounced, Next::Nowhere))
    } else if starts("marked message to be discarded") {
        Some(into(State::Discarded, Next::Nowhere))
    } else {
        None
    }
}

/// The service, or `junk` where the mailbox is named so.
fn mailbox<'a>(service: &'a str, words: &str) -> &'a str {
    let name = words.rsplit(' ').next().unwrap_or_default().trim_matches('\'');
    let last = name.rsplit(['/', '.']).next().unwrap_or(name);
    let junk = ["junk", "spam"].iter().any(|it| last.eq_ignore_ascii_case(it));
    if junk { "junk" } else { service }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, shown};
    use super::*;

    #[test]
    fn deliveries_of_all_services_and_ages_are_read() {
        for (line, expected) in [
            ("Nov 21 05:42:24 lmtp(rcv)<123><x75/CU>: Info: msgid=<a@x>: saved mail to INBOX", "x75/CU sent rcv here"),
            (
                "2026-06-09T09:28:52+02:00 mail dovecot: lda(a.user)<405><6SQC>: msgid=<a@x>: saved mail to INBOX",
                "6SQC sent a.user here",
            ),
            (
                "Nov 21 05:42:24 mx dovecot: lmtp(22587, e@x): 5Gjr: msgid=<a@x>: saved mail to INBOX",
                "5Gjr sent e@x here",
            ),
            ("Nov 21 05:42:24 mx dovecot: lmtp(e@x): msgid=<a@x>: saved mail to INBOX", "<a@x> sent e@x here"),
            (
                "Nov 21 05:42:24 mx dovecot: lmtp(e@x)<1><S>: sieve: msgid=<a@x>: stored mail into mailbox 'Junk'",
                "S sent e@x here",
            ),
            (
                "Nov 21 05:42:24 mx dovecot: lmtp(e@x)<1><S>: sieve: msgid=<a@x>: forwarded to <f@y>",
                "S sent f@y somewhere",
            ),
            (
                "Nov 21 05:42:24 mx dovecot: lmtp(e@x)<1><S>: msgid=<a@x>: save failed to INBOX: Quota exceeded",
                "S deferred e@x nowhere",
            ),
        ] {
            assert_eq!(shown(read, line), [expected], "{line}");
        }
    }

    #[test]
    fn other_lines_tell_nothing() {
        for text in [
            "lmtp(123): Info: Connect from local",
            "lmtp(rcv)<123><x75>: Info: save: box=INBOX, uid=13, msgid=<a@x>, size=1031, subject=msgid=<b@y>: saved mail to INBOX",
            "imap(rcv)<1><x>: Info: Logged out",
        ] {
            assert_eq!(read(&entry(&format!("Nov 21 05:42:24 {text}"))), [], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(rest in "(lmtp|lda)\\([a-z, 0-9]{0,6}\\)?(<[a-z]{0,3}>){0,2}: (Info: )?(sieve: )?msgid=<?[a-z@]{0,5}>?: ?(saved mail to |forwarded to )?\\PC{0,12}") {
            let _ = read(&entry(&format!("Nov 21 05:42:24 {rest}")));
        }
    }
}

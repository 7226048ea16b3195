//! Postfix: `queue-id: key=value, …` of each of its programs.
//!
//! ```text
//!   smtpd    QID: client=host[ip]                          Begins
//!   cleanup  QID: message-id=<…>                           Names
//!   qmgr     QID: from=<…>, size=…, nrcpt=… (queue active) Queued
//!   smtp     QID: to=<…>, relay=host[ip]:port, …, dsn=…, status=sent (reply)
//!   lmtp     QID: to=<…>, relay=host[path], …              Tried
//!   local    QID: to=<…>, relay=local, …
//!   bounce   QID: sender non-delivery notification: QID2   Notified
//!   qmgr     QID: removed                                  Ends
//!   smtpd    NOQUEUE: reject: RCPT from …: 550 …; from=<…> to=<…> …
//! ```
//!
//! Fields are read from the left and reading stops at the text in parentheses, because that text
//! is the other side's. The order of fields is `log_adhoc.c`'s.

use super::told::{Client, Delivery, Next, Queued, Refusal, State, Told, What, angle, quoted_status};
use super::wrapper::Entry;
use crate::mail::EnhancedStatus;
use crate::mail::reply::queue_id as queue_id_of_reply;

/// The programs that try deliveries.
const AGENTS: &[&str] = &["smtp", "lmtp", "local", "virtual", "pipe", "error", "retry", "discard", "qmgr"];

/// The programs whose lines are of interest, by the last part of their names.
pub(super) const PROGRAMS: &[&str] = &[
    "smtpd",
    "pickup",
    "cleanup",
    "qmgr",
    "smtp",
    "lmtp",
    "local",
    "virtual",
    "pipe",
    "error",
    "retry",
    "discard",
    "bounce",
    "postscreen",
    "dnsblog",
    "anvil",
    "scache",
    "tlsproxy",
    "trivial-rewrite",
    "master",
    "verify",
];

/// What a line of Postfix tells, if it is of interest.
pub(super) fn read(entry: &Entry<'_>) -> Option<Told> {
    // `postfix/smtp`, `postfix-out/smtp`, `postfix/submission/smtpd`.
    let program = entry.program_part()?;
    let (id, rest) = entry.text.split_once(": ")?;
    if id == "NOQUEUE" {
        return refused(None, rest);
    }
    if !is_queue_id(id) {
        return None;
    }
    match program {
        "smtpd" | "pickup" | "cleanup" if rest.contains("reject: ") => refused(Some(id), rest),
        "smtpd" => Some(Told::of(id, What::Begins(client(rest.strip_prefix("client=")?)))),
        "pickup" => Some(Told::of(id, What::Begins(local(uid(rest)?)))),
        "cleanup" => cleanup(id, rest),
        "bounce" => {
            let (_, notification) = rest.split_once("notification: ")?;
            Some(Told::of(id, What::Notified(notification.to_owned())))
        }
        _ if AGENTS.contains(&program) => queue_manager(id, rest).or_else(|| tried(id, program, rest)),
        _ => None,
    }
}

/// Short ones are hexadecimal; long ones are digits and letters without vowels
/// (`enable_long_queue_ids`).
fn is_queue_id(text: &str) -> bool {
    let short = text.len() >= 5 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    let long =
        text.len() >= 10 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() && !b"AEIOUaeiou".contains(&byte));
    text.len() <= 32 && (short || long)
}

/// `host[ip], sasl_method=PLAIN, sasl_username=user`; the host is `unknown` where its address has
/// no name, and a port may follow (`smtpd_client_port_logging`).
fn client(rest: &str) -> Client {
    let mut fields = rest.split(", ");
    let words = fields.next().unwrap_or(rest);
    let (name, inner) = words.split_once('[').unwrap_or((words, ""));
    let address = inner.split(']').next().unwrap_or_default();
    Client {
        words: words.to_owned(),
        name: (!matches!(name, "" | "unknown")).then(|| name.to_owned()),
        address: address.strip_prefix("IPv6:").unwrap_or(address).parse().ok(),
        user: fields.find_map(|field| field.strip_prefix("sasl_username=")).map(str::to_owned),
        ..Client::default()
    }
}

fn local(uid: &str) -> Client {
    Client { words: format!("local user {uid}"), local_user: Some(uid.to_owned()), ..Client::default() }
}

fn uid(rest: &str) -> Option<&str> {
    rest.strip_prefix("uid=")?.split(' ').next()
}

fn cleanup(id: &str, rest: &str) -> Option<Told> {
    if let Some(message_id) = rest.strip_prefix("message-id=") {
        return Some(Told::of(id, What::Names(message_id.to_owned())));
    }
    let discard = rest.strip_prefix("discard: ").or_else(|| rest.strip_prefix("milter-discard: "))?;
    let (_, recipient) = envelope(discard);
    let delivery = Delivery::new(recipient.unwrap_or_default(), State::Discarded, Next::Nowhere, "cleanup");
    Some(Told::of(id, What::Tried(Delivery { reply: discard.to_owned(), ..delivery })))
}

fn queue_manager(id: &str, rest: &str) -> Option<Told> {
    if rest == "removed" {
        return Some(Told::of(id, What::Ends));
    }
    let (sender, rest) = angle(rest.strip_prefix("from=")?)?;
    if let Some(expired) = rest.strip_prefix(", status=expired, ") {
        let delivery = Delivery::new("", State::Expired, Next::Nowhere, "qmgr");
        return Some(Told::of(id, What::Tried(Delivery { reply: format!("expired, {expired}"), ..delivery })));
    }
    let expected = rest.split_once(", nrcpt=").and_then(|(_, count)| count.split(' ').next()?.parse().ok());
    Some(Told::of(id, What::Queued(Queued { sender: sender.to_owned(), expected, ..Queued::default() })))
}

fn tried(id: &str, program: &str, rest: &str) -> Option<Told> {
    let (recipient, mut rest) = address(rest.strip_prefix("to=")?)?;
    let mut original = None;
    if let Some(field) = rest.strip_prefix(", orig_to=") {
        let (address, after) = address(field)?;
        (original, rest) = (Some(address.to_owned()), after);
    }
    let (fields, status) = rest.split_once(", status=")?;
    let (word, text) = status.split_once(' ').unwrap_or((status, ""));
    let field = |name: &str| fields.split(", ").find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
    let reply = text.strip_prefix('(').and_then(|it| it.strip_suffix(')')).unwrap_or(text);
    let relay = field("relay").unwrap_or("none");
    let state = state(word, program, relay)?;
    let next_queue_id = reply
        .strip_prefix("forwarded as ")
        .or_else(|| queue_id_of_reply(reply).filter(|_| state == State::Sent && program != "local"))
        .map(str::to_owned);
    let next = next(program, relay, next_queue_id.as_deref());
    let session = || session(reply).filter(|_| program == "lmtp" && next == Next::Here).map(str::to_owned);
    let next_queue_id = next_queue_id.or_else(session);
    Some(Told::of(
        id,
        What::Tried(Delivery {
            recipient: recipient.to_owned(),
            original,
            state,
            next,
            status: field("dsn").and_then(|code| code.parse().ok()),
            reply: reply.to_owned(),
            next_queue_id,
            via: program.to_owned(),
        }),
    ))
}

/// The session of a message store, as Dovecot names it in its reply and in its own log:
/// `250 2.0.0 <a@b> x75/CUAvAWt7AAAAhg/1YA Saved`.
fn session(reply: &str) -> Option<&str> {
    let (_, session) = reply.strip_suffix(" Saved")?.rsplit_once(' ')?;
    (session.len() >= 12).then_some(session)
}

/// An address, in its brackets or without, and what follows.
fn address(text: &str) -> Option<(&str, &str)> {
    angle(text).or_else(|| {
        let end = text.find(", ")?;
        Some((&text[..end], &text[end..]))
    })
}

/// How the try ended. `deliverable` and `undeliverable` are of recipient verification (verify(8)),
/// which sends no message.
fn state(word: &str, program: &str, relay: &str) -> Option<State> {
    match word {
        "sent" if program == "discard" || relay == "none" => Some(State::Discarded),
        "sent" => Some(State::Sent),
        "deferred" => Some(State::Deferred),
        "bounced" => Some(State::Bounced),
        "expired" => Some(State::Expired),
        _ => None,
    }
}

/// `host[ip]:port`, `host[path]`, or the name of the agent itself.
fn next(program: &str, relay: &str, next_queue_id: Option<&str>) -> Next {
    if relay == "none" {
        return Next::Nowhere;
    }
    // LMTP ends at a message store (RFC 2033), unless the other side names a queue of its own,
    // as a content filter does.
    let store = program == "lmtp" && next_queue_id.is_none();
    let host = relay.split_once('[').and_then(|(name, rest)| {
        let (inner, port) = rest.rsplit_once(']')?;
        let address = inner.strip_prefix("IPv6:").unwrap_or(inner).parse().ok();
        let port = port.strip_prefix(':').and_then(|port| port.parse().ok());
        Some((name, address, port))
    });
    match host {
        Some((name, address, port)) if !store => Next::Host { name: Some(name.to_owned()), address, port },
        _ => Next::Here,
    }
}

/// `reject: RCPT from host[ip]: 550 5.1.1 text; from=<a> to=<b> …`, also of milters, proxies and
/// postscreen.
fn refused(id: Option<&str>, rest: &str) -> Option<Told> {
    let (kind, rest) = rest.split_once("reject: ")?;
    if !matches!(kind, "" | "milter-" | "proxy-") {
        return None;
    }
    let (said, _) = rest.rsplit_once("; from=<")?;
    let (_, from) = said.split_once(" from ").unwrap_or(("", said));
    let reply = from.split_once(": ").map_or(from, |(_, reply)| reply);
    let (sender, recipient) = envelope(rest);
    let refusal = Refusal {
        sender: sender?.to_owned(),
        recipient: recipient.unwrap_or_default().to_owned(),
        status: quoted_status(reply).or_else(|| EnhancedStatus::at_start_of(reply)),
        reply: reply.to_owned(),
    };
    Some(Told { queue_id: id.map(str::to_owned), ..Told::unqueued(What::Refused(refusal)) })
}

/// The last `; from=<a> to=<b>` of a text; a comma may stand between them.
fn envelope(text: &str) -> (Option<&str>, Option<&str>) {
    let Some((_, from)) = text.rsplit_once("; from=") else { return (None, None) };
    let Some((sender, rest)) = angle(from) else { return (None, None) };
    let to = rest.trim_start_matches([',', ' ']).strip_prefix("to=");
    (Some(sender), to.and_then(angle).map(|(recipient, _)| recipient))
}

#[cfg(test)]
mod tests {
    use super::super::wrapper;
    use super::*;

    fn told(program: &str, text: &str) -> Option<Told> {
        read(&wrapper::peel(&format!("Nov 21 05:42:24 mx1 {program}[1]: {text}")).expect("a line"))
    }

    fn delivery(program: &str, text: &str) -> Delivery {
        match told(program, text).map(|told| told.what) {
            Some(What::Tried(delivery)) => delivery,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_relay_is_read_with_its_address_and_queue_id() {
        let delivery = delivery(
            "postfix/relay/smtp",
            "0D9633D: to=<jos@example.com>, orig_to=<bestuur@example.com>, relay=mail1.example.net[10.74.103.11]:25, \
             conn_use=2, delay=11, delays=5.4/0.06/5.1/0.03, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as F12DF84004)",
        );
        assert_eq!(
            (delivery.recipient.as_str(), delivery.original.as_deref()),
            ("jos@example.com", Some("bestuur@example.com"))
        );
        let host = Next::Host {
            name: Some("mail1.example.net".into()),
            address: Some("10.74.103.11".parse().expect("an address")),
            port: Some(25),
        };
        assert_eq!((delivery.state, delivery.next), (State::Sent, host));
        assert_eq!(delivery.next_queue_id.as_deref(), Some("F12DF84004"));
        assert_eq!(delivery.status.map(|it| it.to_string()).as_deref(), Some("2.0.0"));
    }

    #[test]
    fn where_a_try_went_is_told_from_the_agent_and_its_relay() {
        for (program, rest, state, here) in [
            (
                "local",
                "relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)",
                State::Sent,
                "here",
            ),
            (
                "virtual",
                "relay=virtual, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to maildir)",
                State::Sent,
                "here",
            ),
            (
                "pipe",
                "relay=dovecot, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered via dovecot service)",
                State::Sent,
                "here",
            ),
            (
                "lmtp",
                "relay=mx1[private/dovecot-lmtp], delay=0.03, delays=0/0.01/0.01/0.01, dsn=2.0.0, status=sent (250 2.0.0 <a@b> x75/CU Saved)",
                State::Sent,
                "here",
            ),
            (
                "lmtp",
                "relay=127.0.0.1[127.0.0.1]:24, delay=0.03, delays=0/0.01/0.01/0.01, dsn=2.0.0, status=sent (250 2.0.0 <a@b> x75/CU Saved)",
                State::Sent,
                "here",
            ),
            (
                "lmtp",
                "relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4A6C41CDC05D)",
                State::Sent,
                "host",
            ),
            (
                "smtp",
                "relay=none, delay=63495, delays=63350/144/0/0, dsn=4.4.2, status=deferred (lost connection with mta7[98.136.216.22] while sending RCPT TO)",
                State::Deferred,
                "nowhere",
            ),
            (
                "error",
                "relay=none, delay=0, delays=0/0/0/0, dsn=5.1.1, status=bounced (User unknown)",
                State::Bounced,
                "nowhere",
            ),
            (
                "discard",
                "relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (test.example.com)",
                State::Discarded,
                "nowhere",
            ),
            (
                "smtp",
                "relay=x[IPv6:2001:db8::1]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)",
                State::Sent,
                "host",
            ),
        ] {
            let delivery = delivery(&format!("postfix/{program}"), &format!("AD6E41CDC05C: to=<a@b>, {rest}"));
            let where_ = match delivery.next {
                Next::Here => "here",
                Next::Host { address: Some(_), .. } => "host",
                Next::Host { .. } => "host without address",
                Next::Nowhere => "nowhere",
                Next::Unsaid => "unsaid",
            };
            assert_eq!((delivery.state, where_), (state, here), "{rest}");
        }
    }

    #[test]
    fn an_address_cannot_smuggle_fields() {
        let delivery = delivery(
            "postfix/local",
            r#"4WkQ2n1zBCDF: to=<"x>, relay=evil[6.6.6.6]:25, status=sent (y"@b>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)"#,
        );
        assert_eq!(delivery.next, Next::Here);
    }

    #[test]
    fn verification_of_recipients_is_no_delivery() {
        let line = "AD6E41CDC05C: to=<a@b>, relay=x[1.2.3.4]:25, delay=0, delays=0/0/0/0, dsn=2.1.5, status=deliverable (250 ok)";
        assert_eq!(told("postfix/smtp", line), None);
    }

    #[test]
    fn refusals_are_read_with_their_envelope() {
        for (line, code) in [
            (
                "NOQUEUE: reject: RCPT from unknown[10.99.0.10]: 550 5.1.1 <n@b>: Recipient address rejected: User unknown; from=<s@x> to=<n@b> proto=ESMTP helo=<h>",
                "5.1.1",
            ),
            (
                "NOQUEUE: reject: RCPT from [2001:db8::1]:4711: 450 4.3.2 Service currently unavailable; from=<s@x>, to=<n@b>, proto=ESMTP, helo=<h>",
                "4.3.2",
            ),
            (
                "0F5383D: milter-reject: END-OF-MESSAGE from a[1.2.3.4]: 5.7.1 no; from=<s@x> to=<n@b> proto=ESMTP helo=<h>",
                "5.7.1",
            ),
        ] {
            let Some(What::Refused(Refusal { sender, recipient, status, .. })) =
                told("postfix/smtpd", line).map(|it| it.what)
            else {
                panic!("{line}")
            };
            let status = status.map(|it| it.to_string()).unwrap_or_default();
            assert_eq!((sender.as_str(), recipient.as_str(), status.as_str()), ("s@x", "n@b", code));
        }
    }

    #[test]
    fn what_has_no_queue_id_tells_nothing() {
        for line in [
            "connect to mx1[10.99.1.2]:25: Connection refused",
            "warning: 1.2.3.4: hostname x verification failed",
            "statistics: max connection rate 8/60s for (smtp:1.2.3.4) at Nov 21 05:16:35",
            "disconnect from localhost[127.0.0.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
            "4986D9CE952: host mx1[10.99.1.9] refused to talk to me: 421 busy",
        ] {
            assert_eq!(told("postfix/smtp", line), None, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(
            program in "postfix/(smtpd|smtp|lmtp|local|qmgr|cleanup|bounce|pickup)",
            start in "(04D5B9CE948: |NOQUEUE: )?(to=|from=|client=|reject: |message-id=|milter-discard: )?",
            rest in "[<>\\[\\]\",:=; a-z0-9é]{0,60}(status=(sent|bounced|deferred))?\\PC{0,20}",
        ) {
            let _ = told(&program, &format!("{start}{rest}"));
        }
    }
}

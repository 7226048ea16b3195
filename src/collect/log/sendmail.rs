//! Sendmail: `queue-id: key=value, …`, one line when a message is taken and one a try.
//!
//! ```text
//!   QID: from=<…>, size=…, nrcpts=1, msgid=<…>, …, relay=client [ip]           Queued
//!   QID: to=<a>,<b>, …, mailer=esmtp, …, relay=host. [ip], dsn=…, stat=Sent (…) Tried, a recipient each
//!   QID: QID2: DSN: User unknown                                              Notified
//!   QID: ruleset=check_rcpt, arg1=<…>, relay=[ip], reject=550 …                Refused
//!   QID: done; delay=…, ntries=…                                              Ends (LogLevel 10)
//! ```
//!
//! `relay=` is the client on a `from=` line and the next hop on a `to=` line. `stat=` comes last and
//! may hold anything. What the mail submission program hands to the daemon of the same machine
//! (`relay=[127.0.0.1]`) goes on under the daemon's queue-id.

use super::told::{Client, Delivery, Next, Queued, Refusal, State, Told, What, angle, quoted_status};
use super::words::{field, peer};
use super::wrapper::Entry;

/// Mailers that end on this machine.
const LOCAL: &[&str] = &["local", "prog", "*file*", "*include*", "cyrusv2", "cyrus", "procmail", "dovecot"];

/// What a line of Sendmail tells: one part a recipient.
pub(super) fn read(entry: &Entry<'_>) -> Vec<Told> {
    let Some((id, rest)) = entry.text.split_once(": ").filter(|(id, _)| is_queue_id(id)) else { return vec![] };
    if rest.starts_with("from=") {
        return queued(rest).map(|what| Told::of(id, what)).into_iter().collect();
    }
    if rest.starts_with("to=") {
        return tried(rest).into_iter().map(|delivery| Told::of(id, What::Tried(delivery))).collect();
    }
    if rest.starts_with("done; ") {
        return vec![Told::of(id, What::Ends)];
    }
    if rest.starts_with("ruleset=") {
        return refused(rest).into_iter().collect();
    }
    match rest.split_once(": ") {
        Some((other, why)) if is_queue_id(other) => notified(id, other, why),
        _ => vec![],
    }
}

/// `6AL59JdH000057`: date, sequence and process; eight characters of base 60 and a number.
fn is_queue_id(text: &str) -> bool {
    (12..=20).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().rev().take(5).all(|byte| byte.is_ascii_digit())
}

fn queued(rest: &str) -> Option<What> {
    let (sender, rest) = address(rest.strip_prefix("from=")?)?;
    let expected = field(rest, "nrcpts").and_then(|count| count.parse().ok());
    if expected == Some(0) {
        // Every recipient was refused: there is no message.
        return None;
    }
    let message_id = field(rest, "msgid").filter(|it| !it.is_empty()).map(str::to_owned);
    let client = field(rest, "relay").map(client);
    Some(What::Queued(Queued { sender: sender.to_owned(), client, message_id, recipients: vec![], expected }))
}

/// `name [ip] (may be forged)`, or `user@localhost` for a program of the machine itself.
fn client(words: &str) -> Client {
    let (name, address, _) = peer(words);
    let local = words.strip_suffix("@localhost").filter(|_| address.is_none());
    Client {
        words: words.to_owned(),
        name: name.filter(|_| local.is_none()),
        address,
        local_user: local.map(str::to_owned),
        ..Client::default()
    }
}

fn tried(rest: &str) -> Vec<Delivery> {
    let Some((recipients, fields)) = addresses(rest.strip_prefix("to=").unwrap_or(rest)) else { return vec![] };
    let Some((fields, stat)) = fields.split_once(", stat=") else { return vec![] };
    let mailer = field(fields, "mailer").unwrap_or_default();
    let status = field(fields, "dsn").and_then(|code| code.parse().ok());
    let Some(state) = state(stat, status.map(|it: crate::mail::EnhancedStatus| it.class)) else { return vec![] };
    let next = match field(fields, "relay") {
        _ if LOCAL.contains(&mailer) && state == State::Sent => Next::Here,
        Some(relay) if !relay.is_empty() && !LOCAL.contains(&mailer) => {
            let (name, address, port) = peer(relay);
            Next::host(name.as_deref().unwrap_or_default(), address, port)
        }
        _ => Next::Nowhere,
    };
    let words = stat.strip_prefix("Sent (").and_then(|it| it.strip_suffix(')')).unwrap_or(stat);
    let reply = field(fields, "reply").unwrap_or(words);
    let make = |recipient: &str| {
        let delivery = Delivery::new(recipient, state, next.clone(), mailer).replied(words);
        Delivery { status: status.or(delivery.status), reply: reply.to_owned(), ..delivery }
    };
    recipients.into_iter().map(make).collect()
}

/// `queued` is said of messages that wait for their first try.
fn state(stat: &str, class: Option<u8>) -> Option<State> {
    match (stat.split([' ', ':']).next()?, class) {
        ("Sent", _) => Some(State::Sent),
        ("queued", _) => None,
        ("Deferred", _) | (_, Some(4)) => Some(State::Deferred),
        _ if stat.starts_with("Cannot send message for ") => Some(State::Expired),
        _ => Some(State::Bounced),
    }
}

/// `DSN: User unknown`, `sender notify: Cannot send message for 5 days`, `return to sender: …`.
fn notified(id: &str, other: &str, why: &str) -> Vec<Told> {
    let (kind, text) = why.split_once(": ").unwrap_or((why, ""));
    if !matches!(kind, "DSN" | "sender notify" | "return to sender" | "postmaster notify") {
        return vec![];
    }
    let mut told = vec![Told::of(id, What::Notified(other.to_owned()))];
    if text.starts_with("Cannot send message for ") {
        let delivery = Delivery::new("", State::Expired, Next::Nowhere, "queue");
        told.push(Told::of(id, What::Tried(Delivery { reply: text.to_owned(), ..delivery })));
    }
    told
}

fn refused(rest: &str) -> Option<Told> {
    let reply = rest.split_once(", reject=").map(|(_, reply)| reply)?;
    let recipient = match rest.strip_prefix("ruleset=check_rcpt, arg1=") {
        Some(argument) => angle(argument)?.0,
        None => "",
    };
    let sender = rest.strip_prefix("ruleset=check_mail, arg1=").and_then(angle).map_or("", |(it, _)| it);
    let refusal = Refusal {
        sender: sender.to_owned(),
        recipient: recipient.to_owned(),
        status: quoted_status(reply),
        reply: reply.to_owned(),
    };
    Some(Told::unqueued(What::Refused(refusal)))
}

/// An address in brackets or bare, and what follows its comma.
fn address(text: &str) -> Option<(&str, &str)> {
    angle(text).or_else(|| {
        let end = text.find(',')?;
        Some((&text[..end], &text[end..]))
    })
}

/// `<a>,<b>,c, delay=…`.
fn addresses(text: &str) -> Option<(Vec<&str>, &str)> {
    let mut found = vec![];
    let mut rest = text;
    loop {
        let (one, after) = address(rest)?;
        found.push(one);
        match after.strip_prefix(',') {
            Some(next) if !next.starts_with(' ') && found.len() < 1000 => rest = next,
            _ => return Some((found, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{deliveries, entry, shown};
    use super::*;

    #[test]
    fn a_submission_by_a_program_is_two_hops() {
        let line = "Sep  9 08:31:00 h sendmail[10379]: p89310WN010379: to=root, ctladdr=root (0/0), delay=00:00:00, xdelay=00:00:00, \
                    mailer=relay, pri=30205, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (p893108u010431 Message accepted for delivery)";
        assert_eq!(shown(read, line), ["p89310WN010379 sent root at - 127.0.0.1 - 2.0.0 next p893108u010431"]);
        let line = "Sep  9 08:31:00 h sendmail[10379]: p89310WN010379: from=root, size=463, class=0, nrcpts=1, \
                    msgid=<201109090301.p89310WN010379@h>, relay=root@localhost";
        let What::Queued(queued) = &read(&entry(line))[0].what else { panic!("queued") };
        assert_eq!(queued.sender, "root");
        assert_eq!(queued.client.as_ref().and_then(|it| it.local_user.as_deref()), Some("root"));
    }

    #[test]
    fn each_recipient_of_a_line_is_told() {
        let line = "Sep  9 08:31:00 h sm-mta[1]: r5I9YcOE004202: to=<a@x>,<b@x>,c@x, delay=1+02:03:04, xdelay=00:00:01, mailer=esmtp, \
                    pri=127772, relay=smtp.x. [172.29.88.10], dsn=4.2.0, reply=450 4.2.0 later, stat=Deferred: 450 4.2.0 later, really";
        let all = deliveries(read, line);
        assert_eq!(all.iter().map(|it| it.recipient.as_str()).collect::<Vec<_>>(), ["a@x", "b@x", "c@x"]);
        assert!(all.iter().all(|it| it.state == State::Deferred && it.reply == "450 4.2.0 later"));
    }

    #[test]
    fn an_address_cannot_smuggle_fields() {
        let line = r#"Sep  9 08:31:00 h sm-mta[1]: r5I9YcOE004202: to=<"a, relay=evil. [6.6.6.6], stat=Sent (y"@x>, delay=00:00:00, mailer=local, pri=1, dsn=2.0.0, stat=Sent"#;
        assert_eq!(deliveries(read, line)[0].next, Next::Here);
    }

    #[test]
    fn what_has_no_outcome_tells_nothing() {
        for text in [
            "STARTTLS=client, relay=mx1.x., version=TLSv1.3, verify=FAIL",
            "r5I9YcOE004202: SYSERR(root): timeout writing message",
            "r5I9YcOE004202: to=<a@x>, delay=00:00:00, mailer=esmtp, pri=1, stat=queued",
            "r5I9YcOE004202: from=<a@x>, size=1, class=0, nrcpts=0, proto=ESMTP, relay=[10.0.0.1]",
        ] {
            assert_eq!(read(&entry(&format!("Sep  9 08:31:00 h sm-mta[1]: {text}"))), [], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(
            start in "(r5I9YcOE004202: )?(to=|from=|ruleset=check_rcpt, arg1=|r5I9YcOE004203: DSN: )?",
            rest in "[<>\\[\\]\",:=; a-z0-9é]{0,60}(, stat=(Sent|Deferred))?\\PC{0,20}",
        ) {
            let _ = read(&entry(&format!("Sep  9 08:31:00 h sm-mta[1]: {start}{rest}")));
        }
    }
}

//! Exim's main log: `id flag address key=value …`.
//!
//! ```text
//!   ID <= sender H=client P=esmtp S=… id=message-id for recipient   Queued
//!   ID => address <original> R=router T=transport H=host [ip]:port C="reply"   Tried: sent
//!   ID -> …   the same for a further recipient of the delivery
//!   ID >> …   the same, cut through before the message was taken
//!   ID == address R=… T=… defer (-44) H=…: error                     Tried: deferred
//!   ID ** address R=… T=… H=…: error                                 Tried: bounced
//!   ID *> …   not delivered, on purpose (-N): tells nothing
//!   ID Completed                                                     Ends
//!   H=client F=<sender> rejected RCPT <recipient>: reason            Refused
//! ```
//!
//! `T=` is the subject on an arrival and the transport on a delivery; a subject is quoted, so
//! fields are read with their quotes. Of several addresses of a host the last one is the one that
//! was connected to. A local delivery has no `H=`.

use std::net::IpAddr;

use super::told::{Client, Delivery, Next, Queued, Refusal, State, Told, What, angle, quoted_status};
use super::wrapper::Entry;
use crate::mail::reply::queue_id as queue_id_of_reply;

/// What a line of Exim's main log tells, if it is of interest.
pub(super) fn read(entry: &Entry<'_>) -> Option<Told> {
    if entry.program.as_deref().is_some_and(|program| !program.starts_with("exim")) {
        return None;
    }
    let (word, rest) = entry.text.split_once(' ').unwrap_or((&entry.text, ""));
    if !is_message_id(word) {
        return refused(None, &entry.text);
    }
    if rest == "Completed" || rest.starts_with("Completed ") {
        return Some(Told::of(word, What::Ends));
    }
    let (flag, line) = rest.split_once(' ')?;
    let what = match flag {
        "<=" => arrival(line),
        "=>" | "->" | ">>" => Some(What::Tried(delivery(line, State::Sent)?)),
        "==" => Some(What::Tried(delivery(line, State::Deferred)?)),
        "**" => Some(What::Tried(delivery(line, State::Bounced)?)),
        _ => return refused(Some(word), rest),
    };
    what.map(|what| Told::of(word, what))
}

/// Whether a line looks like one of Exim's main log.
pub(super) fn is_one(text: &str) -> bool {
    let word = text.split(' ').next().unwrap_or_default();
    is_message_id(word) || (text.starts_with("H=") && text.contains(" rejected "))
}

/// `1xUdrk-00004T-18`, or the longer form since 4.97, `10HmaY-000000005vi-0000`.
fn is_message_id(word: &str) -> bool {
    let mut parts = word.split('-').map(str::len);
    let lengths = (parts.next(), parts.next(), parts.next(), parts.next());
    matches!(lengths, (Some(6), Some(6), Some(2), None) | (Some(6), Some(11), Some(4), None))
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn arrival(line: &str) -> Option<What> {
    let (sender, rest) = address(line)?;
    let fields = Fields::read(rest);
    let client = fields.client();
    let (message_id, recipients) = (fields.get("id").map(|id| format!("<{id}>")), fields.recipients());
    let expected = (!recipients.is_empty()).then_some(recipients.len());
    Some(What::Queued(Queued { sender: sender.to_owned(), client, message_id, recipients, expected }))
}

fn delivery(line: &str, state: State) -> Option<Delivery> {
    let (recipient, rest) = address(line)?;
    let fields = Fields::read(rest);
    let reply = fields.get("C").map_or_else(|| fields.text.clone(), str::to_owned);
    let host = fields.host.as_deref().map(peer);
    let (state, next) = match host {
        // A message store that is reached by LMTP answers as Dovecot does; it is no MTA.
        Some(_) if state == State::Sent && reply.ends_with(" Saved") => (state, Next::Here),
        Some(host) => (state, host),
        None if state != State::Sent => (state, Next::Nowhere),
        None if is_void(recipient) => (State::Discarded, Next::Nowhere),
        // An autoreply is a message of its own.
        None if recipient.starts_with('>') => return None,
        None => (state, Next::Here),
    };
    Some(Delivery {
        recipient: recipient.to_owned(),
        original: fields.original.clone(),
        state,
        next,
        status: quoted_status(&reply),
        next_queue_id: queue_id_of_reply(&reply).filter(|_| state == State::Sent).map(str::to_owned),
        via: fields.via(),
        reply,
    })
}

fn is_void(recipient: &str) -> bool {
    recipient.starts_with(":blackhole:") || matches!(recipient, "/dev/null" | "blackhole" | "discarded")
}

/// `name (helo) [ip]:port`, of which each part may be missing.
fn peer(host: &str) -> Next {
    let name = host.split([' ', '(', '[']).next().filter(|name| !name.is_empty()).map(str::to_owned);
    let last = host.rsplit_once('[').and_then(|(_, rest)| rest.split_once(']'));
    let address: Option<IpAddr> = last.and_then(|(address, _)| address.parse().ok());
    let port = last.and_then(|(_, rest)| rest.strip_prefix(':')?.trim_end_matches('*').parse().ok());
    Next::Host { name, address, port }
}

/// The first word, in which quotes may hold blanks; a `<>` stands for nobody.
fn address(line: &str) -> Option<(&str, &str)> {
    if let Some((inner, rest)) = angle(line) {
        return Some((inner, rest.trim_start()));
    }
    let end = word_end(line);
    let word = line.get(..end)?.trim_end_matches(':');
    // The text after an address without fields begins behind its colon.
    let rest = if word.len() < end && !word.is_empty() { &line[end - 1..] } else { &line[end..] };
    let word = if word.is_empty() || line.starts_with(':') { &line[..end] } else { word };
    (!word.is_empty()).then_some((word, rest.trim_start()))
}

/// Where the word at the start of `text` ends: at a blank outside of quotes.
fn word_end(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b' ' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

/// The fields of a line, in order, and the text that follows them.
#[derive(Debug, Default)]
struct Fields {
    named: Vec<(String, String)>,
    /// `H=` with the words that belong to it.
    host: Option<String>,
    /// `<address>`, before redirection.
    original: Option<String>,
    /// Error text; `for` and the recipients.
    text: String,
}

impl Fields {
    fn read(line: &str) -> Self {
        let mut fields = Self::default();
        let mut rest = line;
        loop {
            rest = rest.trim_start();
            let (word, after) = rest.split_at(word_end(rest));
            if word.is_empty() || !fields.take(word) {
                break;
            }
            rest = after;
            // A colon ends the fields; what follows is an error's text.
            if word.ends_with(':') && !word.ends_with("::") {
                break;
            }
        }
        fields.text = rest.trim_start_matches([' ', ':']).to_owned();
        fields
    }

    /// Takes a word in; false where it is no field.
    fn take(&mut self, word: &str) -> bool {
        let bare = word.strip_suffix(':').unwrap_or(word);
        if let Some((inner, "")) = angle(bare) {
            self.original = Some(inner.to_owned());
            return true;
        }
        if let (Some(host), b'(' | b'[') = (&mut self.host, bare.as_bytes().first().copied().unwrap_or_default()) {
            host.push(' ');
            host.push_str(bare);
            return true;
        }
        match bare.split_once('=') {
            Some(("H", value)) => self.host = Some(value.to_owned()),
            Some((key, value)) if (1..=4).contains(&key.len()) && key.bytes().all(|it| it.is_ascii_alphanumeric()) => {
                // `X=…`, `CV=…`, `DN="…"`, `L*` and more; a few dozen at most.
                if self.named.len() < 64 {
                    self.named.push((key.to_owned(), unquoted(value)));
                }
            }
            // `K`: BDAT was used. `L`: the connection was closed early. `defer (-44)`.
            _ => return matches!(bare, "K" | "L" | "L*" | "PRDR" | "defer") || is_number(bare),
        }
        true
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.named.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str())
    }

    /// `H=name (helo) [ip]:port U=ident A=plain:user`; a message of the machine itself has `U=` only.
    fn client(&self) -> Option<Client> {
        let user = self.get("A").and_then(|value| value.split_once(':')).map(|(_, user)| user.to_owned());
        let Some(host) = &self.host else {
            let local = self.get("U")?.to_owned();
            return Some(Client { words: format!("local user {local}"), local_user: Some(local), ..Client::default() });
        };
        let Next::Host { name, address, .. } = peer(host) else { return None };
        let helo = host.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(helo, _)| helo.to_owned());
        Some(Client { words: host.clone(), name, address, helo, user, local_user: None })
    }

    fn recipients(&self) -> Vec<String> {
        let listed = self.text.strip_prefix("for ").unwrap_or_default();
        listed.split_ascii_whitespace().map(str::to_owned).collect()
    }

    fn via(&self) -> String {
        let part = |key: &str, name: &str| self.get(key).map(|value| format!("{name} {value}"));
        let parts: Vec<String> = [part("R", "router"), part("T", "transport")].into_iter().flatten().collect();
        parts.join(", ")
    }
}

/// `(-44)`.
fn is_number(word: &str) -> bool {
    let inner = word.strip_prefix('(').and_then(|it| it.strip_suffix(')'));
    inner.is_some_and(|it| it.parse::<i32>().is_ok())
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')) else { return value.to_owned() };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => text.push(' '),
                Some(other) => text.push(other),
                None => {}
            },
            _ => text.push(c),
        }
    }
    text
}

/// `H=client F=<sender> rejected RCPT <recipient>: reason`, also `temporarily rejected`, and for
/// whole messages `rejected after DATA: reason`.
fn refused(id: Option<&str>, text: &str) -> Option<Told> {
    let (before, after) = text.split_once(" rejected ")?;
    if !before.contains("H=") && !before.contains("U=") {
        return None;
    }
    let sender = before.split_once("F=").and_then(|(_, rest)| angle(rest)).map_or("", |(sender, _)| sender);
    let recipient = after.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(it, _)| it);
    let temporarily = if before.ends_with(" temporarily") { "temporarily " } else { "" };
    let refusal = Refusal {
        sender: sender.to_owned(),
        recipient: recipient.to_owned(),
        status: quoted_status(after),
        reply: format!("{temporarily}rejected {after}"),
    };
    Some(Told { queue_id: id.map(str::to_owned), ..Told::unqueued(What::Refused(refusal)) })
}

#[cfg(test)]
mod tests {
    use super::super::wrapper;
    use super::*;

    fn told(text: &str) -> Option<Told> {
        read(&wrapper::peel(&format!("2026-11-21 05:42:24 {text}")).expect("a line"))
    }

    fn tried(text: &str) -> Delivery {
        match told(&format!("1xUdrk-00004T-18 {text}")).map(|told| told.what) {
            Some(What::Tried(delivery)) => delivery,
            other => panic!("{other:?}"),
        }
    }

    fn host(name: &str, address: &str, port: Option<u16>) -> Next {
        Next::Host { name: Some(name.to_owned()), address: Some(address.parse().expect("an address")), port }
    }

    #[test]
    fn an_arrival_is_read_in_spite_of_its_subject() {
        let line = r#"10HmaY-000000005vi-0000 <= a@b H=(helo) [10.21.32.43] P=esmtps X=TLS1.3:X:256 CV=no S=1055 T="hi \" H=evil [6.6.6.6] id=x" id=m@drill for r@ok.example s@ok.example"#;
        let what = told(line).map(|it| it.what);
        let expected = What::Queued(Queued {
            sender: "a@b".into(),
            client: Some(Client {
                words: "(helo) [10.21.32.43]".into(),
                address: "10.21.32.43".parse().ok(),
                helo: Some("helo".into()),
                ..Client::default()
            }),
            message_id: Some("<m@drill>".into()),
            recipients: vec!["r@ok.example".into(), "s@ok.example".into()],
            expected: Some(2),
        });
        assert_eq!(what, Some(expected));
    }

    #[test]
    fn a_bounce_has_nobody_for_a_sender() {
        let what = told("1xUdLp-00005b-1w <= <> R=1xUdLp-00005X-1W U=Debian-exim P=local S=2639").map(|it| it.what);
        let Some(What::Queued(Queued { sender, client, .. })) = what else { panic!("{what:?}") };
        let client = client.map(|it| it.words);
        assert_eq!((sender.as_str(), client.as_deref()), ("", Some("local user Debian-exim")));
    }

    #[test]
    fn remote_and_local_deliveries_are_told_apart() {
        let remote = tried(
            r#"=> r@x.example R=dnslookup T=remote_smtp H=mx.x.example [10.99.0.101]:25 K C="250 2.0.0 Ok: 838 bytes queued as 5DB0B9CE950""#,
        );
        assert_eq!(remote.next, host("mx.x.example", "10.99.0.101", Some(25)));
        assert_eq!(remote.next_queue_id.as_deref(), Some("5DB0B9CE950"));
        assert_eq!(remote.via, "router dnslookup, transport remote_smtp");
        let further =
            tried(r#"-> s@x.example R=client T=smtp H=127.0.0.1 [127.0.0.1]* C="250 OK id=10HmaY-000000005vi-0000""#);
        assert_eq!(further.next, host("127.0.0.1", "127.0.0.1", None));
        assert_eq!(further.next_queue_id.as_deref(), Some("10HmaY-000000005vi-0000"));
        let local = tried("=> rcv <rcv@exim.rcv.example> R=local_user T=mail_spool");
        assert_eq!((local.next, local.original.as_deref()), (Next::Here, Some("rcv@exim.rcv.example")));
        let store =
            tried(r#"=> rcv <rcv@x> R=u T=lmtp H=127.0.0.1 [127.0.0.1] C="250 2.0.0 <rcv@x> 6IN/CkAvAWt7 Saved""#);
        assert_eq!(store.next, Next::Here);
        for void in [":blackhole: <r@x> R=system_aliases", "/dev/null <r@x> R=u T=**bypassed**"] {
            assert_eq!(tried(&format!("=> {void}")).state, State::Discarded, "{void}");
        }
    }

    #[test]
    fn errors_are_read_with_their_host_and_code() {
        let bounced = tried(
            "** r@x.example R=dnslookup T=remote_smtp H=mx1.x.example [10.99.1.24]:25: \
             SMTP error from remote mail server after RCPT TO:<r@x.example>: 550 5.2.0 drill injected",
        );
        assert_eq!(bounced.next, host("mx1.x.example", "10.99.1.24", Some(25)));
        assert_eq!(bounced.status.map(|it| it.to_string()).as_deref(), Some("5.2.0"));
        assert!(bounced.reply.starts_with("SMTP error from remote"), "{}", bounced.reply);
        let deferred = tried(
            "== r@x.example R=dnslookup T=remote_smtp defer (-44) H=mx1.x.example [10.99.1.24]: \
             SMTP error from remote mail server after RCPT TO:<r@x.example>: 451 4.7.1 later",
        );
        assert_eq!((deferred.state, deferred.next), (State::Deferred, host("mx1.x.example", "10.99.1.24", None)));
        let unrouted = tried("** nobody@x.example: Unrouteable address");
        assert_eq!((unrouted.recipient.as_str(), unrouted.reply.as_str()), ("nobody@x.example", "Unrouteable address"));
        let given_up = tried("** r@x.example R=dnslookup T=remote_smtp: retry timeout exceeded");
        assert_eq!((given_up.next, given_up.reply.as_str()), (Next::Nowhere, "retry timeout exceeded"));
        let waiting =
            tried("== r@x.example R=dnslookup T=remote_smtp defer (-54): retry time not reached for any host");
        assert_eq!((waiting.state, waiting.next), (State::Deferred, Next::Nowhere));
        assert_eq!(waiting.reply, "retry time not reached for any host");
    }

    #[test]
    fn refusals_are_read() {
        for (line, reply) in [
            (
                "H=(d) [10.99.0.10] F=<s@x> rejected RCPT <n@b>: Unrouteable address",
                "rejected RCPT <n@b>: Unrouteable address",
            ),
            (
                "H=(d) [10.99.0.10] F=<s@x> temporarily rejected RCPT <n@b>: greylisted",
                "temporarily rejected RCPT <n@b>: greylisted",
            ),
        ] {
            let what = told(line).map(|it| it.what);
            let expected = Refusal { sender: "s@x".into(), recipient: "n@b".into(), status: None, reply: reply.into() };
            assert_eq!(what, Some(What::Refused(expected)));
        }
    }

    #[test]
    fn what_is_no_outcome_tells_nothing() {
        for line in [
            "1xUdLl-00004g-2I H=mx1.x.example [10.99.1.7]:25: Remote host closed connection in response to initial connection",
            "1xUdLl-00004g-2I *> r@x.example R=dnslookup T=remote_smtp",
            "1xUdLl-00004g-2I Spool file for 1xUdLl-00004g-2I is locked (another process is handling this message)",
            "Start queue run: pid=347",
            "no host name found for IP address 10.99.0.10",
        ] {
            assert_eq!(told(line), None, "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(
            start in "1xUdrk-00004T-18 (<=|=>|->|==|\\*\\*|>>) ?",
            rest in "([<>\\[\\]\":=;()a-zTHRC@0-9. \\\\é]{0,12} ?){0,8}\\PC{0,20}",
        ) {
            let _ = told(&format!("{start}{rest}"));
        }
    }
}

//! OpenSMTPD: `session kind event key=value …`.
//!
//! ```text
//!   SESSION smtp connected address=… host=…
//!   SESSION smtp envelope evpid=… from=<…> to=<…>                    Queued, a recipient each
//!   SESSION mta delivery evpid=… to=<…> relay="ip (host)" result="Ok" stat="…"   Tried
//!   SESSION mda delivery evpid=… to=<…> user=… result=Ok stat=Delivered
//!   SESSION smtp failed-command command="rcpt TO:<…>" result="550 …"  Refused
//! ```
//!
//! The first eight digits of an envelope's number are the message's, which the reply to the client
//! and the Received header name too. The Message-ID is not logged.

use super::told::{Client, Delivery, Next, Queued, Refusal, State, Told, What, angle, quoted_status};
use super::words::{Memory, parse_address, value};
use super::wrapper::Entry;

/// The client's sessions that are under way.
#[derive(Debug, Default)]
pub(super) struct Sessions(Memory<Client>);

impl Sessions {
    /// What a line of OpenSMTPD tells.
    pub(super) fn read(&mut self, entry: &Entry<'_>) -> Vec<Told> {
        let mut words = entry.text.splitn(4, ' ');
        let (Some(session), Some(kind), Some(event)) = (words.next(), words.next(), words.next()) else {
            return vec![];
        };
        let rest = words.next().unwrap_or_default();
        if !is_hex(session, 16) {
            return vec![];
        }
        let told = match (kind, event) {
            ("smtp", "connected") => {
                *self.0.of(session) = client(rest);
                None
            }
            ("smtp", "authentication") => {
                self.0.of(session).user = value(rest, "user").map(str::to_owned);
                None
            }
            ("smtp", "disconnected") => {
                self.0.take(session);
                None
            }
            ("smtp", "envelope") => self.queued(session, rest),
            ("smtp", "failed-command") => refused(rest),
            ("mta" | "mda", "delivery") => tried(kind, rest),
            _ => None,
        };
        told.into_iter().collect()
    }

    fn queued(&self, session: &str, rest: &str) -> Option<Told> {
        let sender = value(rest, "from")?.to_owned();
        let recipients = vec![value(rest, "to")?.to_owned()];
        let client = self.0.get(session).cloned();
        let queued = Queued { sender, client, recipients, ..Queued::default() };
        Some(Told::of(message(rest)?, What::Queued(queued)))
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The message of an envelope.
fn message(rest: &str) -> Option<&str> {
    value(rest, "evpid").filter(|it| is_hex(it, 16))?.get(..8)
}

/// `address=10.99.0.10 host=name`; `address=local` for programs of the machine itself.
fn client(rest: &str) -> Client {
    let address = value(rest, "address").unwrap_or_default();
    let name = value(rest, "host").filter(|it| !matches!(*it, "unknown" | "<unknown>"));
    Client {
        words: format!("{} [{address}]", name.unwrap_or("unknown")),
        name: name.map(str::to_owned),
        address: parse_address(address.trim_matches(['[', ']'])),
        local_user: (address == "local").then(|| "local".to_owned()),
        ..Client::default()
    }
}

fn tried(kind: &str, rest: &str) -> Option<Told> {
    let stat = rest.split_once(" stat=").map_or("", |(_, stat)| stat).trim_matches('"');
    let state = match value(rest, "result")? {
        "Ok" => State::Sent,
        "TempFail" => State::Deferred,
        "PermFail" if stat.contains("expired") => State::Expired,
        "PermFail" => State::Bounced,
        _ => return None,
    };
    let next = match (kind, value(rest, "relay")) {
        ("mda", _) if state == State::Sent => Next::Here,
        ("mta", Some(relay)) => hop(relay),
        _ => Next::Nowhere,
    };
    let delivery = Delivery::new(value(rest, "to")?, state, next, kind).replied(stat);
    Some(Told::of(message(rest)?, What::Tried(delivery)))
}

/// `192.0.2.1 (relay.example.com)`; the address again where it has no name.
fn hop(relay: &str) -> Next {
    let (address, name) = relay.split_once(" (").unwrap_or((relay, ""));
    let name = name.trim_end_matches(')');
    let address = parse_address(address.trim_matches(['[', ']']));
    let name = if parse_address(name.trim_matches(['[', ']'])).is_some() { "" } else { name };
    match (address, name) {
        (None, "") => Next::Nowhere,
        _ => Next::host(name, address, None),
    }
}

fn refused(rest: &str) -> Option<Told> {
    let command = value(rest, "command")?;
    let reply = rest.split_once(" result=").map_or("", |(_, reply)| reply).trim_matches('"');
    let (verb, argument) = command.split_once(':')?;
    let path = angle(argument.trim_start())?.0.to_owned();
    let refusal = match verb.to_ascii_lowercase().as_str() {
        "rcpt to" => Refusal { recipient: path, ..Refusal::default() },
        "mail from" => Refusal { sender: path, ..Refusal::default() },
        _ => return None,
    };
    let refusal = Refusal { status: quoted_status(reply), reply: reply.to_owned(), ..refusal };
    Some(Told::unqueued(What::Refused(refusal)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, shown};
    use super::*;

    fn line(text: &str) -> String {
        format!("Nov 21 05:42:24 mx smtpd[24]: 716cf3586683d92f {text}")
    }

    #[test]
    fn deliveries_are_read_with_their_relay() {
        let mut sessions = Sessions::default();
        let text = r#"mta delivery evpid=fa7d3ad838a03370 from=<s@x> to=<r@y> rcpt=<-> source="10.0.0.1" relay="10.99.1.1 (mx1.y)" delay=0s result="Ok" stat="250 2.0.0 Ok: queued as 2377598131""#;
        assert_eq!(
            shown(|it| sessions.read(it), &line(text)),
            ["fa7d3ad8 sent r@y at mx1.y 10.99.1.1 - 2.0.0 next 2377598131"]
        );
        let text = r#"mta delivery evpid=fa7d3ad838a03370 from=<s@x> to=<r@y> rcpt=<-> source="-" relay="10.99.2.250 (10.99.2.250)" delay=0s result="PermFail" stat="550 5.1.1 no "such" user""#;
        assert_eq!(shown(|it| sessions.read(it), &line(text)), ["fa7d3ad8 bounced r@y at - 10.99.2.250 - 5.1.1"]);
        let text = "mda delivery evpid=fa7d3ad838a03370 from=<s@x> to=<r@y> rcpt=<r@y> user=r delay=0s result=Ok stat=Delivered";
        assert_eq!(shown(|it| sessions.read(it), &line(text)), ["fa7d3ad8 sent r@y here"]);
    }

    #[test]
    fn a_message_knows_the_client_of_its_session() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.read(&entry(&line("smtp connected address=10.99.0.10 host=<unknown>"))), []);
        let told = sessions.read(&entry(&line("smtp envelope evpid=fa7d3ad838a03370 from=<> to=<r@y>")));
        let What::Queued(queued) = &told[0].what else { panic!("{told:?}") };
        assert_eq!((queued.sender.as_str(), queued.recipients.as_slice()), ("", ["r@y".to_owned()].as_slice()));
        assert_eq!(queued.client.as_ref().and_then(|it| it.address), Some("10.99.0.10".parse().expect("an address")));
    }

    #[test]
    fn refusals_are_read() {
        let text = r#"smtp failed-command command="rcpt TO:<n@y>" result="550 Invalid recipient: <n@y>""#;
        let told = Sessions::default().read(&entry(&line(text)));
        let What::Refused(refusal) = &told[0].what else { panic!("{told:?}") };
        assert_eq!((refusal.recipient.as_str(), refusal.reply.as_str()), ("n@y", "550 Invalid recipient: <n@y>"));
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(
            start in "(mta|mda|smtp) (delivery|envelope|connected|failed-command) (evpid=fa7d3ad838a03370 )?",
            rest in "((from|to|relay|result|stat|command)=[\"<>() a-z@:0-9é]{0,12} ?){0,5}\\PC{0,9}",
        ) {
            let _ = Sessions::default().read(&entry(&line(&format!("{start}{rest}"))));
        }
    }
}

//! qmail-send: message numbers and delivery numbers.
//!
//! ```text
//!   new msg 53                                                 Begins
//!   info msg 53: bytes 246 from <…> qp 20345 uid 666           Queued
//!   starting delivery 1: msg 53 to remote r@y
//!   delivery 1: success: 192.0.2.1_accepted_message./Remote_host_said:_250_…/   Tried
//!   end msg 53                                                 Ends
//! ```
//!
//! Message numbers are inodes and come again, delivery numbers begin anew with each start. Blanks
//! are written as `_`. Neither the Message-ID nor the next hop's name is logged. With syslog the
//! line has a time of its own before the words.

use super::told::{Client, Delivery, Next, Queued, State, Told, What};
use super::words::{Memory, parse_address};
use super::wrapper::Entry;

/// The deliveries that are under way.
#[derive(Debug, Default)]
pub(super) struct Deliveries(Memory<Started>);

#[derive(Debug, Default)]
struct Started {
    message: String,
    recipient: String,
    way: Way,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Way {
    #[default]
    Local,
    Remote,
}

/// Whether a line looks like one of qmail-send.
pub(super) fn is_one(text: &str) -> bool {
    let text = without_time(text);
    let numbered =
        |start: &str| text.strip_prefix(start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    ["new msg ", "info msg ", "end msg ", "bounce msg ", "starting delivery ", "delivery "].into_iter().any(numbered)
        || text.starts_with("status: local ")
}

impl Deliveries {
    /// What a line of qmail-send tells.
    pub(super) fn read(&mut self, entry: &Entry<'_>) -> Vec<Told> {
        let text = without_time(&entry.text);
        self.told(entry.host.as_deref().unwrap_or_default(), text).into_iter().collect()
    }

    fn told(&mut self, host: &str, text: &str) -> Option<Told> {
        if let Some(id) = text.strip_prefix("new msg ") {
            return Some(Told::of(id, What::Begins(Client::default())));
        }
        if let Some(id) = text.strip_prefix("end msg ") {
            return Some(Told::of(id, What::Ends));
        }
        if let Some(rest) = text.strip_prefix("info msg ") {
            return queued(rest);
        }
        if let Some(rest) = text.strip_prefix("starting delivery ") {
            let (number, rest) = rest.split_once(": msg ")?;
            let (message, rest) = rest.split_once(" to ")?;
            let (way, recipient) = rest.split_once(' ')?;
            let way = if way == "remote" { Way::Remote } else { Way::Local };
            let started = Started { message: message.to_owned(), recipient: recipient.to_owned(), way };
            *self.0.of(&format!("{host} {number}")) = started;
            return None;
        }
        let (number, rest) = text.strip_prefix("delivery ")?.split_once(": ")?;
        let (word, words) = rest.split_once(": ").unwrap_or((rest, ""));
        let state = match word {
            "success" => State::Sent,
            "deferral" => State::Deferred,
            "failure" => State::Bounced,
            _ => return None,
        };
        let started = self.0.take(&format!("{host} {number}"))?;
        Some(Told::of(&started.message.clone(), What::Tried(delivery(&started, state, words))))
    }
}

/// `1276913544.622856 new msg 53`.
fn without_time(text: &str) -> &str {
    let is_time = |word: &str| word.contains('.') && word.bytes().all(|it| it.is_ascii_digit() || it == b'.');
    text.split_once(' ').filter(|(word, _)| is_time(word)).map_or(text, |(_, rest)| rest)
}

/// `53: bytes 246 from <s@x> qp 20345 uid 666`.
fn queued(rest: &str) -> Option<Told> {
    let (id, rest) = rest.split_once(": ")?;
    let (_, from) = rest.split_once(" from <")?;
    let (sender, rest) = from.split_once("> qp ")?;
    let uid = rest.split_once(" uid ").map(|(_, uid)| uid.to_owned());
    // Network mail is queued by the user of the SMTP server; which one that is, is not known.
    let client = uid.map(|uid| Client { words: format!("user {uid} of the machine"), ..Client::default() });
    Some(Told::of(id, What::Queued(Queued { sender: sender.to_owned(), client, ..Queued::default() })))
}

fn delivery(started: &Started, state: State, words: &str) -> Delivery {
    let words = words.trim_end_matches('/').replace('_', " ");
    let address = words.strip_prefix("Connected to ").unwrap_or(&words).split(' ').next().and_then(parse_address);
    let next = match (started.way, address) {
        (Way::Local, _) if state == State::Sent => Next::Here,
        (Way::Remote, Some(address)) => Next::host("", Some(address), None),
        (Way::Remote, None) if state == State::Sent => Next::Unsaid,
        _ => Next::Nowhere,
    };
    let reply = words.split_once("Remote host said: ").map_or(words.as_str(), |(_, reply)| reply);
    let via = if started.way == Way::Local { "local" } else { "remote" };
    let delivery = Delivery::new(&started.recipient, state, next, via).replied(reply);
    Delivery { reply: words.clone(), ..delivery }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, shown};
    use super::*;

    #[test]
    fn deliveries_are_paired_with_their_messages() {
        let mut deliveries = Deliveries::default();
        for line in [
            "@40000000419f13a8181adc3c new msg 53",
            "@40000000419f13a8181adc3c info msg 53: bytes 246 from <me@x> qp 20345 uid 666",
            "@40000000419f13a8181adc3c starting delivery 1: msg 53 to remote r@y",
            "@40000000419f13a8181adc3c starting delivery 2: msg 53 to local l@x",
        ] {
            assert!(is_one(&entry(line).text), "{line}");
            deliveries.read(&entry(line));
        }
        let sent = "@40000000419f13a8181adc3c delivery 1: success: 65.172.181.4_accepted_message./Remote_host_said:_250_2.0.0_iAK9oGA12345_Message_accepted_for_delivery/";
        assert_eq!(shown(|it| deliveries.read(it), sent), ["53 sent r@y at - 65.172.181.4 - 2.0.0 next iAK9oGA12345"]);
        let local = "Nov 21 05:42:24 h qmail: 1276913544.622856 delivery 2: success: did_1+0+0/";
        assert_eq!(shown(|it| deliveries.read(it), local), Vec::<String>::new(), "another host's");
        let local = "@40000000419f13a8181adc3c delivery 2: success: did_1+0+0/";
        assert_eq!(shown(|it| deliveries.read(it), local), ["53 sent l@x here"]);
    }

    #[test]
    fn failures_are_read_with_their_host() {
        let mut deliveries = Deliveries::default();
        deliveries.read(&entry("@40000000419f13a8181adc3c starting delivery 7: msg 53 to remote r@y"));
        let line = "@40000000419f13a8181adc3c delivery 7: failure: 192.0.2.1_does_not_like_recipient./Remote_host_said:_550_5.1.1_no/Giving_up_on_192.0.2.1./";
        assert_eq!(shown(|it| deliveries.read(it), line), ["53 bounced r@y at - 192.0.2.1 - 5.1.1"]);
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(rest in "(new msg |info msg |starting delivery |delivery )?[0-9]{0,3}:? ?(success: |msg 1 to remote )?\\PC{0,20}") {
            let mut deliveries = Deliveries::default();
            deliveries.read(&entry("@40000000419f13a8181adc3c starting delivery 1: msg 53 to remote r@y"));
            let _ = deliveries.read(&entry(&format!("@40000000419f13a8181adc3c {rest}")));
        }
    }
}

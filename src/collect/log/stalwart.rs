//! Stalwart's text log: `stamp LEVEL words (event) key = value, …`.
//!
//! ```text
//!   … (queue.…message…) queueId = N, from = "…", to = ["…"]         Queued
//!   … (delivery.connect) queueId = N, hostname = "…", remoteIp = …  the next hop
//!   … (delivery.delivered) queueId = N, to = "…", code = 250, …     Tried: sent
//!   … (delivery.rcpt-to-rejected | delivery.message-rejected | …)   Tried: by its code
//!   … (delivery.completed) queueId = N                              Ends
//! ```
//!
//! Where the level hides `delivery.connect` the address of the next hop is not known. Colours are
//! taken off.

use super::told::{Delivery, Next, Queued, State, Told, What};
use super::words::{Memory, parse_address};
use super::wrapper::Entry;
use crate::mail::EnhancedStatus;

/// Where each message was carried last: name and address.
#[derive(Debug, Default)]
pub(super) struct Hops(Memory<(String, Option<std::net::IpAddr>)>);

/// Whether a line looks like one of Stalwart.
pub(super) fn is_one(text: &str) -> bool {
    let plain = without_colours(text);
    let level = plain.split(' ').next().unwrap_or_default();
    matches!(level, "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR") && event(&plain).is_some()
}

impl Hops {
    /// What a line of Stalwart tells.
    pub(super) fn read(&mut self, entry: &Entry<'_>) -> Vec<Told> {
        let text = without_colours(&entry.text);
        let told = event(&text).and_then(|(event, fields)| self.told(event, fields));
        told.into_iter().collect()
    }

    fn told(&mut self, event: &str, fields: &str) -> Option<Told> {
        let id = field(fields, "queueId")?;
        let outcome = match event {
            "delivery.connect" => {
                let address = field(fields, "remoteIp").and_then(parse_address);
                *self.0.of(id) = (field(fields, "hostname").unwrap_or_default().to_owned(), address);
                return None;
            }
            "delivery.completed" => return Some(Told::of(id, What::Ends)),
            "delivery.delivered" => State::Sent,
            "delivery.dsn-perm-fail" => State::Bounced,
            "delivery.dsn-temp-fail" => State::Deferred,
            _ if event.starts_with("delivery.") && event.ends_with("-rejected") => by_code(fields),
            _ if event.starts_with("queue.") && field(fields, "from").is_some() => return Some(queued(id, fields)),
            _ => return None,
        };
        let recipient = list(field(fields, "to")?).into_iter().next()?;
        Some(Told::of(id, What::Tried(self.delivery(id, &recipient, outcome, fields))))
    }

    fn delivery(&self, id: &str, recipient: &str, state: State, fields: &str) -> Delivery {
        let name = field(fields, "hostname").unwrap_or_default();
        let known = self.0.get(id).filter(|(known, _)| name.is_empty() || known == name);
        let address = known.and_then(|(_, address)| *address);
        let next = match (name, address) {
            ("", None) if state == State::Sent => Next::Unsaid,
            ("", None) => Next::Nowhere,
            ("localhost", None) => Next::Here,
            _ => Next::host(if name.is_empty() { known.map_or("", |it| &it.0) } else { name }, address, None),
        };
        let details = field(fields, "details").or_else(|| field(fields, "reason")).unwrap_or_default();
        let delivery = Delivery::new(recipient, state, next, "delivery").replied(details);
        Delivery { status: delivery.status.or_else(|| EnhancedStatus::at_start_of(details)), ..delivery }
    }
}

fn by_code(fields: &str) -> State {
    match field(fields, "code") {
        Some(code) if code.starts_with('5') => State::Bounced,
        _ => State::Deferred,
    }
}

fn queued(id: &str, fields: &str) -> Told {
    let recipients = field(fields, "to").map(list).unwrap_or_default();
    let sender = field(fields, "from").unwrap_or_default().trim_matches(['<', '>']).to_owned();
    let message_id = field(fields, "messageId").map(str::to_owned);
    Told::of(id, What::Queued(Queued { sender, message_id, recipients, ..Queued::default() }))
}

/// The event's name and its fields: `words (event) fields`.
fn event(text: &str) -> Option<(&str, &str)> {
    text.match_indices('(').find_map(|(at, _)| {
        let (name, fields) = text[at + 1..].split_once(')')?;
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-.".contains(&byte));
        (plain && name.contains('.')).then(|| (name, fields.trim_start()))
    })
}

/// The value of `key = value` without its quotes; fields are parted by `, `.
fn field<'a>(fields: &'a str, key: &str) -> Option<&'a str> {
    let mut rest = fields;
    loop {
        let (name, value) = rest.split_once(" = ")?;
        let end = value_end(value);
        if name == key {
            let whole = &value[..end];
            return Some(whole.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(whole));
        }
        rest = value[end..].strip_prefix(", ")?;
    }
}

/// Where a value ends: at a comma outside of quotes and brackets.
fn value_end(text: &str) -> usize {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0u32);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' if !quoted => depth += 1,
            b']' if !quoted => depth = depth.saturating_sub(1),
            b',' if !quoted && depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// `["a", "b"]`, or one value.
fn list(value: &str) -> Vec<String> {
    let inner = value.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(value);
    inner.split(", ").map(|it| it.trim_matches(['"', '<', '>']).to_owned()).filter(|it| !it.is_empty()).collect()
}

/// Without the sequences of a terminal, ESC `[` … `m`.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split("\u{1b}[");
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, shown};
    use super::*;

    #[test]
    fn a_delivery_has_the_address_of_its_connection() {
        let mut hops = Hops::default();
        let connect = r#"2026-01-02T03:04:05Z INFO Connecting to remote server (delivery.connect) queueId = 123, hostname = "relay.y", remoteIp = 192.0.2.1, remotePort = 25"#;
        assert!(is_one(&entry(connect).text));
        assert_eq!(hops.read(&entry(connect)), []);
        let line = "2026-01-02T03:04:05Z \u{1b}[32mINFO\u{1b}[0m Message delivered (delivery.delivered) queueId = 123, from = \"a, b@x\", hostname = \"relay.y\", to = \"b@y\", code = 250, details = \"2.0.0 OK\", elapsed = 12ms";
        assert_eq!(shown(|it| hops.read(it), line), ["123 sent b@y at relay.y 192.0.2.1 - 2.0.0"]);
        let line = r#"2026-01-02T03:04:05Z INFO RCPT TO rejected (delivery.rcpt-to-rejected) queueId = 124, hostname = "relay.y", to = "b@y", code = 450, details = "4.2.0 later""#;
        assert_eq!(shown(|it| hops.read(it), line), ["124 deferred b@y at relay.y - - 4.2.0"]);
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(rest in "\\(?(delivery.connect|queue.x|delivery.delivered)\\)? (queueId = 1, )?([a-z]{2} = [\"a-z,\\[]{0,5}){0,3}\\PC{0,9}") {
            let _ = Hops::default().read(&entry(&format!("2026-01-02T03:04:05Z INFO x {rest}")));
        }
    }
}

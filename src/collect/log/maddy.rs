//! maddy: `module: words` and an object with the fields.
//!
//! ```text
//!   smtp: incoming message {"msg_id":…,"sender":…,"src_ip":…}      Begins, Queued
//!   smtp: RCPT ok {"msg_id":…,"rcpt":…}                            Queued, a recipient each
//!   queue: delivered {"attempt":1,"msg_id":…,"rcpt":…}             Tried: sent
//!   queue: delivery attempt failed {"msg_id":…,"rcpt":…,"reason":…} Tried: deferred
//!   queue: not delivered, permanent error {"msg_id":…,"rcpt":…}    Tried: bounced
//! ```
//!
//! Its `msg_id` is its own, not the header's, and the next hop is logged for debugging only: a
//! delivery proves that the message left the queue, not where to.

use serde_json::Value;

use super::told::{Client, Delivery, Next, Queued, State, Told, What};
use super::words::parse_address;
use super::wrapper::Entry;
use crate::mail::EnhancedStatus;

/// Whether a line looks like one of maddy.
pub(super) fn is_one(text: &str) -> bool {
    split(text).is_some_and(|(_, fields)| fields.contains("\"msg_id\":"))
}

/// What a line of maddy tells.
pub(super) fn read(entry: &Entry<'_>) -> Vec<Told> {
    told(&entry.text).unwrap_or_default()
}

fn told(text: &str) -> Option<Vec<Told>> {
    let (words, fields) = split(text)?;
    let (module, words) = words.split_once(": ")?;
    let fields: Value = serde_json::from_str(fields).ok()?;
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    let id = text("msg_id")?;
    if module == "queue" {
        let state = match words {
            "delivered" => State::Sent,
            "delivery attempt failed" => State::Deferred,
            "not delivered, permanent error" => State::Bounced,
            "not delivered, too many attempts" => State::Expired,
            _ => return None,
        };
        let next = if state == State::Sent { Next::Unsaid } else { Next::Nowhere };
        let reply = text("smtp_msg").or_else(|| text("reason")).unwrap_or_default();
        let delivery = Delivery::new(text("rcpt")?, state, next, "queue").replied(reply);
        let status = text("smtp_enchcode").and_then(|it| it.parse::<EnhancedStatus>().ok()).or(delivery.status);
        return Some(vec![Told::of(id, What::Tried(Delivery { status, ..delivery }))]);
    }
    match words {
        "incoming message" => {
            let client = client(&fields);
            let sender = text("sender").unwrap_or_default().to_owned();
            let queued = Queued { sender, client: Some(client.clone()), ..Queued::default() };
            Some(vec![Told::of(id, What::Begins(client)), Told::of(id, What::Queued(queued))])
        }
        _ => None,
    }
}

/// Words and object, with a tab or a blank between them.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.find('{')?;
    Some((text[..at].trim_end(), &text[at..]))
}

fn client(fields: &Value) -> Client {
    let text = |key: &str| fields.get(key).and_then(Value::as_str).filter(|it| !it.is_empty()).map(str::to_owned);
    let address = text("src_ip");
    Client {
        words: address.clone().unwrap_or_default(),
        address: address.as_deref().and_then(|it| super::words::socket(it).0.or_else(|| parse_address(it))),
        helo: text("src_host"),
        user: text("username"),
        ..Client::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, shown};
    use super::*;

    #[test]
    fn outcomes_are_read() {
        let line = "2026-01-02T03:04:05.123Z queue: delivered\t{\"attempt\":1,\"msg_id\":\"4a1b\",\"rcpt\":\"r@y\"}";
        assert!(is_one(&entry(line).text));
        assert_eq!(shown(read, line), ["4a1b sent r@y somewhere"]);
        let line = r#"queue: not delivered, permanent error {"msg_id":"4a1b","rcpt":"r@y","smtp_code":550,"smtp_enchcode":"5.1.1","smtp_msg":"no such user"}"#;
        assert_eq!(shown(read, line), ["4a1b bounced r@y nowhere 5.1.1"]);
        let line = r#"smtp: incoming message {"msg_id":"4a1b","sender":"s@x","src_host":"h","src_ip":"10.0.0.1:4711","username":"u"}"#;
        let told = read(&entry(line));
        let What::Begins(client) = &told[0].what else { panic!("{told:?}") };
        assert_eq!((client.address, client.user.as_deref()), ("10.0.0.1".parse().ok(), Some("u")));
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(rest in "(queue: delivered|smtp: incoming message)?[ \t]?\\{?(\"msg_id\":\"1\")?\\PC{0,20}\\}?") {
            let _ = read(&entry(&rest));
        }
    }
}

//! KumoMTA: an object a line, as `configure_local_logs` writes it.
//!
//! | type | tells |
//! |---|---|
//! | `Reception` | queued; `peer_address` is the client |
//! | `Delivery` | sent; `peer_address` is the next hop |
//! | `TransientFailure` | deferred |
//! | `Bounce`, `AdminBounce` | bounced |
//! | `Expiration` | expired |
//! | `Rejection` | refused |
//!
//! The Message-ID is told only where `headers` is configured to hold it.

use jiff::Timestamp;
use serde_json::Value;

use super::told::{Client, Delivery, Next, Queued, Refusal, State, Told, What};
use super::words::socket;
use crate::mail::EnhancedStatus;

/// Whether an object is a record of KumoMTA.
pub(super) fn is_one(object: &Value) -> bool {
    let has = |key: &str| object.get(key).is_some();
    object.get("type").is_some_and(Value::is_string) && has("id") && has("recipient") && has("sender")
}

/// What a record tells.
pub(super) fn read(object: &Value) -> Vec<Told> {
    told(object).unwrap_or_default()
}

fn told(object: &Value) -> Option<Vec<Told>> {
    let id = object.get("id")?.as_str()?;
    let at = time(object);
    let sender = object.get("sender").and_then(Value::as_str).unwrap_or_default().trim_matches(['<', '>']);
    let recipients = recipients(object.get("recipient")?);
    let make = |what| Told { at, ..Told::of(id, what) };
    let state = match object.get("type")?.as_str()? {
        "Reception" => return Some(vec![make(queued(object, sender, recipients))]),
        "Delivery" => State::Sent,
        "TransientFailure" => State::Deferred,
        "Bounce" | "AdminBounce" => State::Bounced,
        "Expiration" => State::Expired,
        "Rejection" => {
            let (status, reply) = response(object);
            let recipient = recipients.into_iter().next().unwrap_or_default();
            let refusal = Refusal { sender: sender.to_owned(), recipient, status, reply };
            return Some(vec![Told { at, ..Told::unqueued(What::Refused(refusal)) }]);
        }
        _ => return None,
    };
    let (status, reply) = response(object);
    let tried = recipients.iter().map(|recipient| {
        let delivery = Delivery::new(recipient, state, next(object, state), "kumod").replied(&reply);
        make(What::Tried(Delivery { status: status.or(delivery.status), ..delivery }))
    });
    Some(tried.collect())
}

/// `event_time`, or `timestamp` in seconds since 1970.
fn time(object: &Value) -> Option<Timestamp> {
    let exact = object.get("event_time").and_then(Value::as_str).and_then(|it| it.parse().ok());
    exact.or_else(|| Timestamp::from_second(object.get("timestamp")?.as_i64()?).ok())
}

/// A text, or a list since 2025.12.
fn recipients(value: &Value) -> Vec<String> {
    let bare = |it: &Value| it.as_str().map(|it| it.trim_matches(['<', '>']).to_owned());
    match value {
        Value::Array(all) => all.iter().filter_map(bare).collect(),
        one => bare(one).into_iter().collect(),
    }
}

fn response(object: &Value) -> (Option<EnhancedStatus>, String) {
    let Some(response) = object.get("response") else { return (None, String::new()) };
    let code = response.get("enhanced_code");
    let part = |key: &str| code.and_then(|it| it.get(key)).and_then(Value::as_u64);
    let status = match (part("class"), part("subject"), part("detail")) {
        (Some(class), Some(subject), Some(detail)) => format!("{class}.{subject}.{detail}").parse().ok(),
        _ => None,
    };
    let number = response.get("code").and_then(Value::as_u64).filter(|it| *it > 0).map(|it| format!("{it} "));
    let words = response.get("content").and_then(Value::as_str).unwrap_or_default();
    (status, format!("{}{words}", number.unwrap_or_default()))
}

fn peer(object: &Value) -> (String, Option<std::net::IpAddr>, Option<u16>) {
    let peer = object.get("peer_address");
    let text = |key: &str| peer.and_then(|it| it.get(key)).and_then(Value::as_str).unwrap_or_default();
    let (address, port) = socket(text("addr"));
    (text("name").to_owned(), address, port)
}

fn next(object: &Value, state: State) -> Next {
    match peer(object) {
        (name, None, _) if name.is_empty() && state == State::Sent => Next::Unsaid,
        (name, None, _) if name.is_empty() => Next::Nowhere,
        (name, address, port) => Next::host(&name, address, port),
    }
}

fn queued(object: &Value, sender: &str, recipients: Vec<String>) -> What {
    let (name, address, _) = peer(object);
    let words = format!("{name} [{}]", address.map(|it| it.to_string()).unwrap_or_default());
    // The name of a client is the one that it gave itself.
    let client = Client { words, address, helo: Some(name).filter(|it| !it.is_empty()), ..Client::default() };
    let headers = object.get("headers").and_then(Value::as_object).into_iter().flatten();
    let mut named = headers.filter(|(name, _)| name.eq_ignore_ascii_case("message-id"));
    What::Queued(Queued {
        sender: sender.to_owned(),
        client: Some(client),
        message_id: named.find_map(|(_, value)| value.as_str().map(str::to_owned)),
        expected: Some(recipients.len()),
        recipients,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::show;
    use super::*;

    #[test]
    fn records_are_read() {
        let record = |kind: &str, peer: &str| {
            json!({ "type": kind, "id": "d7ef", "sender": "s@x", "recipient": ["r@y"], "queue": "y", "site": "mx.y",
                "response": { "code": 250, "enhanced_code": { "class": 2, "subject": 0, "detail": 0 }, "content": "OK id=1xUdrk-00004T-18" },
                "peer_address": { "name": peer, "addr": "192.0.2.1" }, "timestamp": 1_757_000_000, "headers": { "Message-ID": "<a@x>" } })
        };
        assert!(is_one(&record("Delivery", "mx.y.")));
        let delivery = read(&record("Delivery", "mx.y."));
        let What::Tried(tried) = &delivery[0].what else { panic!("{delivery:?}") };
        assert_eq!(show("d7ef", tried), "d7ef sent r@y at mx.y 192.0.2.1 - 2.0.0 next 1xUdrk-00004T-18");
        let reception = read(&record("Reception", "client"));
        let What::Queued(queued) = &reception[0].what else { panic!("{reception:?}") };
        assert_eq!(queued.message_id.as_deref(), Some("<a@x>"));
        assert_eq!(queued.client.as_ref().and_then(|it| it.helo.as_deref()), Some("client"));
    }
}

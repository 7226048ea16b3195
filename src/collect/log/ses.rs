//! Amazon SES: events and notifications, an object each; the envelope of SNS is taken off before.
//!
//! | event | tells |
//! |---|---|
//! | `Send` | queued |
//! | `Delivery` | sent: `remoteMtaIp` is the next hop, `reportingMTA` Amazon's own host |
//! | `Bounce` | bounced; `Transient` ones deferred |
//! | `DeliveryDelay` | deferred |
//! | `Reject`, `Rendering Failure` | bounced |
//!
//! `mail.messageId` is Amazon's own and stands in the place of a queue-id. The header is rewritten
//! to it too; the message's own is told where the headers are part of the event.

use jiff::Timestamp;
use serde_json::Value;

use super::told::{Delivery, Next, Queued, State, Told, What};
use super::words::parse_address;

/// Whether an object is an event of SES.
pub(super) fn is_one(object: &Value) -> bool {
    kind(object).is_some() && object.get("mail").is_some_and(Value::is_object)
}

fn kind(object: &Value) -> Option<&str> {
    object.get("eventType").or_else(|| object.get("notificationType"))?.as_str()
}

/// What an event tells.
pub(super) fn read(object: &Value) -> Vec<Told> {
    told(object).unwrap_or_default()
}

fn told(object: &Value) -> Option<Vec<Told>> {
    let mail = object.get("mail")?;
    let id = mail.get("messageId")?.as_str()?;
    let mut told = vec![Told { at: time(mail), ..Told::of(id, What::Queued(queued(mail))) }];
    let (section, state) = match kind(object)? {
        "Delivery" => ("delivery", State::Sent),
        "Bounce" => ("bounce", State::Bounced),
        "DeliveryDelay" => ("deliveryDelay", State::Deferred),
        "Reject" => ("reject", State::Bounced),
        "Rendering Failure" => ("failure", State::Bounced),
        _ => return Some(told),
    };
    let section = object.get(section)?;
    let at = time(section).or_else(|| time(mail));
    let deliveries = deliveries(section, mail, state);
    told.extend(deliveries.into_iter().map(|it| Told { at, ..Told::of(id, What::Tried(it)) }));
    Some(told)
}

fn time(section: &Value) -> Option<Timestamp> {
    section.get("timestamp")?.as_str()?.parse().ok()
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|it| it.as_str().map(str::to_owned)).collect()
}

fn queued(mail: &Value) -> Queued {
    let recipients = texts(mail.get("destination"));
    let own = mail.get("commonHeaders").and_then(|it| it.get("messageId")).and_then(Value::as_str);
    let header = |it: &&Value| {
        it.get("name").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case("message-id"))
    };
    let listed = mail.get("headers").and_then(Value::as_array).and_then(|all| all.iter().find(header));
    let listed = listed.and_then(|it| it.get("value")).and_then(Value::as_str);
    Queued {
        sender: mail.get("source").and_then(Value::as_str).unwrap_or_default().to_owned(),
        client: None,
        message_id: listed.or(own).map(str::to_owned),
        expected: Some(recipients.len()).filter(|it| *it > 0),
        recipients,
    }
}

fn deliveries(section: &Value, mail: &Value, state: State) -> Vec<Delivery> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let listed =
        section.get("bouncedRecipients").or_else(|| section.get("delayedRecipients")).and_then(Value::as_array);
    if let Some(listed) = listed {
        let permanent = section.get("bounceType").and_then(Value::as_str) != Some("Transient");
        let state = if state == State::Bounced && !permanent { State::Deferred } else { state };
        let one = |it: &Value| {
            let delivery = Delivery::new(&text(it, "emailAddress")?, state, Next::Nowhere, "ses");
            let delivery = delivery.replied(&text(it, "diagnosticCode").unwrap_or_default());
            let status = text(it, "status").and_then(|code| code.parse().ok()).or(delivery.status);
            Some(Delivery { status, ..delivery })
        };
        return listed.iter().filter_map(one).collect();
    }
    let mut recipients = texts(section.get("recipients"));
    if recipients.is_empty() {
        recipients = texts(mail.get("destination"));
    }
    let address = text(section, "remoteMtaIp").as_deref().and_then(parse_address);
    let next = match (state, address) {
        (State::Sent, Some(address)) => Next::host("", Some(address), None),
        (State::Sent, None) => Next::Unsaid,
        _ => Next::Nowhere,
    };
    let reply = text(section, "smtpResponse").or_else(|| text(section, "reason")).unwrap_or_default();
    recipients.iter().map(|it| Delivery::new(it, state, next.clone(), "ses").replied(&reply)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::show;
    use super::*;

    fn shown(object: &Value) -> Vec<String> {
        assert!(is_one(object));
        let told = read(object).into_iter();
        told.filter_map(|it| match it.what {
            What::Tried(delivery) => Some(show(&it.queue_id.unwrap_or_default(), &delivery)),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn events_are_read() {
        let mail = json!({ "timestamp": "2026-01-02T03:04:05.000Z", "messageId": "EX1", "source": "s@x", "destination": ["r@y"],
            "headers": [{ "name": "Message-ID", "value": "<a@x>" }] });
        let delivery = json!({ "eventType": "Delivery", "mail": mail, "delivery": { "timestamp": "2026-01-02T03:04:06.000Z",
            "recipients": ["r@y"], "smtpResponse": "250 2.6.0 Message received", "reportingMTA": "a.smtp-out.amazonses.com",
            "remoteMtaIp": "192.0.2.1" } });
        assert_eq!(shown(&delivery), ["EX1 sent r@y at - 192.0.2.1 - 2.6.0"]);
        let What::Queued(queued) = &read(&delivery)[0].what else { panic!("queued") };
        assert_eq!(queued.message_id.as_deref(), Some("<a@x>"));
        let bounce = json!({ "notificationType": "Bounce", "mail": mail, "bounce": { "bounceType": "Permanent",
            "bouncedRecipients": [{ "emailAddress": "r@y", "action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 no" }] } });
        assert_eq!(shown(&bounce), ["EX1 bounced r@y nowhere 5.1.1"]);
    }
}

//! What each program asks for and answers.
//!
//! | program | as of | list | message |
//! |---|---|---|---|
//! | Mailpit | v1.20 | `GET /api/v1/messages?start=&limit=` | `/api/v1/message/ID/raw` |
//! | MailHog | v1.0.1 | `GET /api/v2/messages?start=&limit=` | in the list |
//! | smtp4dev | 3.3 | `GET /api/Messages?page=&pageSize=` | `/api/Messages/ID/raw` |
//! | GreenMail | 2.1 | `GET /api/user`, `/api/user/LOGIN/messages/INBOX` | in the list |
//! | MailDev | 2.1 | `GET /email` | `/email/ID/source` |
//! | Inbucket | 3.0 | `GET /api/v1/mailbox/NAME` | `/api/v1/mailbox/NAME/ID/source` |
//! | MailCrab | 1.6 | `GET /api/messages` | `/api/message/ID/raw` |
//! | Sendria | 2.2.2 | `GET /api/messages/?page=` | `/api/messages/ID.eml` |

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::super::shelf::Item;
use crate::inventory::CatcherKind::{
    self, Greenmail, Inbucket, Mailcrab, Maildev, Mailhog, Mailpit, Sendria, Smtp4dev,
};
use crate::record::Placement;

/// How many messages are asked for at a time; some programs send them whole.
const PAGE: usize = 50;

/// Whether there is another page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    Yes,
    No,
}

/// The path of a page of a list, from 0.
pub(super) fn page(kind: CatcherKind, list: &str, page: usize) -> String {
    let (start, list) = (page * PAGE, escape(list));
    match kind {
        Mailpit => format!("/api/v1/messages?start={start}&limit={PAGE}"),
        Mailhog => format!("/api/v2/messages?start={start}&limit={PAGE}"),
        Smtp4dev => {
            format!("/api/Messages?page={}&pageSize={PAGE}&sortColumn=receivedDate&sortIsDescending=true", page + 1)
        }
        Greenmail => format!("/api/user/{list}/messages/INBOX"),
        Maildev => "/email".to_owned(),
        Inbucket => format!("/api/v1/mailbox/{list}"),
        Mailcrab => "/api/messages".to_owned(),
        Sendria => format!("/api/messages/?page={}", page + 1),
    }
}

/// Whether another page follows this one, which held so many items.
pub(super) fn more(kind: CatcherKind, answer: &Value, page: usize, items: usize) -> More {
    let count = |value: &Value| value.as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or_default();
    let left = match kind {
        Mailpit => count(&answer["total"]) > page * PAGE + items,
        Mailhog => count(&answer["total"]) > page * PAGE + items,
        Smtp4dev => count(&answer["pageCount"]) > page + 1,
        Sendria => count(&answer["meta"]["pages_total"]) > page + 1,
        Greenmail | Maildev | Inbucket | Mailcrab => false,
    };
    if left && items > 0 { More::Yes } else { More::No }
}

/// The path of a message as it was received.
pub(super) fn raw(kind: CatcherKind, list: &str, id: &str) -> String {
    let (list, id) = (escape(list), escape(id));
    match kind {
        Mailpit => format!("/api/v1/message/{id}/raw"),
        Mailhog => format!("/api/v1/messages/{id}/download"),
        Smtp4dev => format!("/api/Messages/{id}/raw"),
        Greenmail => format!("/api/user/{list}/messages/INBOX"),
        Maildev => format!("/email/{id}/source"),
        Inbucket => format!("/api/v1/mailbox/{list}/{id}/source"),
        Mailcrab => format!("/api/message/{id}/raw"),
        Sendria => format!("/api/messages/{id}.eml"),
    }
}

/// The messages of a page; none where it is no page of this program's.
pub(super) fn items(kind: CatcherKind, list: &str, answer: &Value) -> Option<Vec<Item>> {
    let listed = match kind {
        Mailpit => &answer["messages"],
        Mailhog => &answer["items"],
        Smtp4dev if answer.is_object() => &answer["results"],
        Sendria => &answer["data"],
        _ => answer,
    };
    listed.as_array()?.iter().map(|message| item(kind, list, message)).collect()
}

fn item(kind: CatcherKind, list: &str, message: &Value) -> Option<Item> {
    let header = |value: &Value| value.as_str().map(|text| text.as_bytes().to_vec());
    let (id, at, envelope, header) = match kind {
        Mailpit => (&message["ID"], &message["Created"], None, None),
        Mailhog => {
            let raw = &message["Raw"];
            (&message["ID"], &message["Created"], envelope(&raw["From"], &raw["To"]), header(&raw["Data"]))
        }
        Smtp4dev => (&message["id"], &message["receivedDate"], envelope(&message["from"], &message["to"]), None),
        Greenmail => (&message["uid"], &Value::Null, None, header(&message["mimeMessage"])),
        Maildev => {
            let given = &message["envelope"];
            (&message["id"], &message["time"], envelope(&given["from"], &given["to"]), None)
        }
        Inbucket => (&message["id"], &message["date"], None, None),
        Mailcrab => {
            let envelope = envelope(&message["envelope_from"], &message["envelope_recipients"]);
            (&message["id"], &message["time"], envelope, None)
        }
        Sendria => {
            let envelope = envelope(&message["sender_envelope"], &message["recipients_envelope"]);
            (&message["id"], &message["created_at"], envelope, None)
        }
    };
    let id = id.as_str().map(str::to_owned).or_else(|| id.as_u64().map(|id| id.to_string()))?;
    let place = if list.is_empty() { String::new() } else { format!("{list} ") };
    let detail = format!("{kind} {place}{id}{}", envelope.unwrap_or_default());
    // A number alone is given anew in every mailbox.
    let id = if kind == Greenmail { format!("{list}/{id}") } else { id };
    Some(Item { id, at: time(at), placement: Placement::Inbox, detail, header })
}

/// `, from <a@b> to <c@d>`.
fn envelope(from: &Value, to: &Value) -> Option<String> {
    let to: Vec<String> = match to.as_array() {
        Some(all) => all.iter().filter_map(address).collect(),
        None => address(to).into_iter().collect(),
    };
    let to: Vec<String> = to.iter().take(3).map(|it| format!("<{it}>")).collect();
    let from = address(from)?;
    (!to.is_empty()).then(|| format!(", from <{from}> to {}", to.join(", ")))
}

fn address(value: &Value) -> Option<String> {
    let text = value.as_str().or(value["address"].as_str())?;
    Some(text.trim().trim_start_matches('<').trim_end_matches('>').to_owned())
}

/// RFC 3339; SQLite's `2026-11-21 05:42:24` in UTC; or seconds of Unix time.
fn time(value: &Value) -> Option<Timestamp> {
    if let Some(seconds) = value.as_i64() {
        return Timestamp::from_second(seconds).ok();
    }
    let text = value.as_str()?;
    let utc = |text: &str| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|it| it.timestamp());
    text.parse().ok().or_else(|| utc(text))
}

/// A part of a path, with everything but unreserved characters escaped (RFC 3986 2.3).
pub(super) fn escape(part: &str) -> String {
    let mut escaped = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                escaped.push(char::from(byte))
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

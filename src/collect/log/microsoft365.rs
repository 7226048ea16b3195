//! Microsoft 365's message trace, a record a recipient: CSV of the portal and of PowerShell, and
//! the JSON of the reporting service. The extended trace is [`super::exchange`]'s.
//!
//! | status | tells |
//! |---|---|
//! | `Delivered` | sent: to `ToIP`, or into a mailbox where there is none |
//! | `FilteredAsSpam` | into the junk folder |
//! | `Quarantined` | held in quarantine: at rest, and not in the mailbox |
//! | `Expanded` | sent to the members of a list |
//! | `Pending`, `GettingStatus` | deferred |
//! | `Failed` | bounced |

use super::super::stamp;
use super::table::{Has, Row};
use super::told::{Client, Delivery, Next, Queued, State, Told, What};

/// Whether a record is one of the trace.
pub(super) fn is_one(row: &Row) -> bool {
    row.has("status") == Has::Column
        && row.has("recipientaddress") == Has::Column
        && row.has("senderaddress") == Has::Column
}

/// What a record of the trace tells.
pub(super) fn read(row: &Row) -> Vec<Told> {
    told(row).unwrap_or_default()
}

fn told(row: &Row) -> Option<Vec<Told>> {
    let id = row.get(&["messagetraceid", "networkmessageid", "id", "messageid"])?;
    let recipient = row.get(&["recipientaddress"])?;
    let at = row
        .get(&["received", "receiveddatetime", "datereceived", "dateutc", "origintimestamputc"])
        .and_then(stamp::utc);
    let make = |what| Told { at, ..Told::of(id, what) };
    let address = row.address(&["fromip"]);
    let client = address.map(|it| Client { words: format!("[{it}]"), address, ..Client::default() });
    let queued = Queued {
        sender: row.get(&["senderaddress"]).filter(|it| *it != "<>").unwrap_or_default().to_owned(),
        client,
        message_id: row.get(&["messageid", "internetmessageid"]).map(str::to_owned),
        recipients: vec![recipient.to_owned()],
        expected: None,
    };
    let status = row.get(&["status"])?;
    let tried = delivery(row, recipient, status).map(|it| make(What::Tried(it)));
    Some(std::iter::once(make(What::Queued(queued))).chain(tried).collect())
}

fn delivery(row: &Row, recipient: &str, status: &str) -> Option<Delivery> {
    let word: String = status.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect();
    let to = row.address(&["toip"]);
    let (state, next, via) = match word.as_str() {
        "delivered" if to.is_some() => (State::Sent, Next::host("", to, None), "trace"),
        "delivered" => (State::Sent, Next::Here, "trace"),
        "filteredasspam" => (State::Sent, Next::Here, "junk"),
        "quarantined" => (State::Sent, Next::Here, "quarantine"),
        "expanded" => (State::Sent, Next::Unsaid, "list"),
        "pending" | "gettingstatus" | "none" => (State::Deferred, Next::Nowhere, "trace"),
        "failed" => (State::Bounced, Next::Nowhere, "trace"),
        _ => return None,
    };
    let detail = row.get(&["detail", "failurereason", "statusdetail"]).unwrap_or(status);
    let delivery = Delivery::new(recipient, state, next, via).replied(detail);
    Some(Delivery { next_queue_id: None, ..delivery })
}

#[cfg(test)]
mod tests {
    use super::super::testing::show;
    use super::*;

    fn shown(object: serde_json::Value) -> Vec<String> {
        let row = Row::of_object(&object);
        assert!(is_one(&row));
        let told = read(&row).into_iter();
        told.filter_map(|it| match it.what {
            What::Tried(delivery) => Some(show(&it.queue_id.unwrap_or_default(), &delivery)),
            _ => None,
        })
        .collect()
    }

    #[test]
    fn each_status_is_an_outcome() {
        for (status, to, expected) in [
            ("Delivered", "192.0.2.1", "t1 sent r@y at - 192.0.2.1 -"),
            ("Delivered", "", "t1 sent r@y here"),
            ("FilteredAsSpam", "", "t1 sent r@y here"),
            ("Quarantined", "", "t1 sent r@y here"),
            ("Expanded", "", "t1 sent r@y somewhere"),
            ("Pending", "", "t1 deferred r@y nowhere"),
            ("Getting status", "", "t1 deferred r@y nowhere"),
            ("Failed", "", "t1 bounced r@y nowhere"),
        ] {
            let object = serde_json::json!({
                "MessageTraceId": "t1", "MessageId": "<a@x>", "Received": "2026-01-02T03:04:05", "SenderAddress": "s@x",
                "RecipientAddress": "r@y", "Status": status, "ToIP": to, "FromIP": "198.51.100.1", "Size": 1, "Subject": "x",
            });
            assert_eq!(shown(object), [expected], "{status}");
        }
    }
}

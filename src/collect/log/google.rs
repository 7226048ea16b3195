//! Google Workspace's email log search, exported as CSV: an event a record.
//!
//! | event target | tells |
//! |---|---|
//! | `SMTP_IN` | queued, and from which address |
//! | `SMTP_OUT` | tried: to which address |
//! | `GMAIL_INBOX`, `GMAIL_SPAM`, … | into a mailbox |
//! | `LIST_SERVER` | sent to the members of a list |
//!
//! The titles are those of the English export; others are not recognised.

use super::super::stamp;
use super::table::{Has, Row};
use super::told::{Client, Delivery, Next, Queued, State, Told, What};

/// Whether a record is one of the email log.
pub(super) fn is_one(row: &Row) -> bool {
    row.has("eventtarget") == Has::Column && row.has("recipientaddress") == Has::Column
}

/// What a record of the email log tells.
pub(super) fn read(row: &Row) -> Vec<Told> {
    told(row).unwrap_or_default()
}

fn told(row: &Row) -> Option<Vec<Told>> {
    let message_id = row.get(&["messageid"])?.trim_matches(['<', '>']);
    let recipient = row.get(&["recipientaddress"])?;
    let target = row.get(&["eventtarget"])?;
    let at = row.get(&["eventdate", "startdate"]).and_then(stamp::utc);
    let make = |what| Told { at, ..Told::of(message_id, what) };
    let address = row.address(&["remoteserverip", "eventtargetipaddress", "senderipaddress"]);
    let incoming = target == "SMTP_IN";
    let queued = Queued {
        sender: row.get(&["sender", "senderaddress"]).unwrap_or_default().to_owned(),
        client: address.filter(|_| incoming).map(|it| Client {
            words: format!("[{it}]"),
            address,
            ..Client::default()
        }),
        message_id: Some(format!("<{message_id}>")),
        recipients: vec![recipient.to_owned()],
        expected: None,
    };
    let status = row.get(&["eventstatus"]).unwrap_or_default();
    let tried = (!incoming).then(|| delivery(recipient, target, status, address)).map(|it| {
        let reply = row.get(&["eventsmtpreplycode", "eventdescription"]).unwrap_or(status).to_owned();
        make(What::Tried(Delivery { reply, ..it }))
    });
    Some(std::iter::once(make(What::Queued(queued))).chain(tried).collect())
}

fn delivery(recipient: &str, target: &str, status: &str, address: Option<std::net::IpAddr>) -> Delivery {
    let status = status.to_ascii_lowercase();
    let has = |word: &str| status.contains(word);
    let state = if has("bounce") || has("reject") || has("fail") {
        State::Bounced
    } else if has("drop") {
        State::Discarded
    } else if has("defer") || has("pending") || has("retry") {
        State::Deferred
    } else {
        State::Sent
    };
    let (next, via) = match target {
        "SMTP_OUT" if address.is_some() => (Next::host("", address, None), "smtp"),
        "SMTP_OUT" | "LIST_SERVER" | "GROUPS" if state == State::Sent => (Next::Unsaid, "list"),
        _ if state != State::Sent => (Next::Nowhere, "gmail"),
        "GMAIL_SPAM" => (Next::Here, "junk"),
        _ if has("quarantine") => (Next::Here, "quarantine"),
        _ => (Next::Here, "gmail"),
    };
    Delivery::new(recipient, state, next, via)
}

#[cfg(test)]
mod tests {
    use super::super::table::{Table, Taken};
    use super::super::testing::show;
    use super::*;

    #[test]
    fn events_are_read_by_their_target() {
        let mut table = Table::default();
        let titles = "Message ID,Start date,End date,Sender,Message size,Subject,Direction,Attachments,Recipient address,Event target,Event date,Event status,Remote server ip";
        assert_eq!(table.take(titles), Taken::Part);
        let mut all = vec![];
        for line in [
            "a@x,2026/01/02 03:04:05 UTC,2026/01/02 03:04:05 UTC,s@x,1,hi,SENT,0,r@y,SMTP_OUT,2026/01/02 03:04:05 UTC,DELIVERED,192.0.2.1",
            "a@x,2026/01/02 03:04:05 UTC,2026/01/02 03:04:05 UTC,s@x,1,hi,RECEIVED,0,r@y,GMAIL_INBOX,2026/01/02 03:04:05 UTC,DELIVERED,N/A",
            "a@x,2026/01/02 03:04:05 UTC,2026/01/02 03:04:05 UTC,s@x,1,hi,SENT,0,r@y,SMTP_OUT,2026/01/02 03:04:05 UTC,BOUNCED,192.0.2.1",
        ] {
            let Taken::Row(row) = table.take(line) else { panic!("{line}") };
            assert!(is_one(&row));
            let told = read(&row);
            assert!(told.iter().all(|it| it.at.is_some()), "{line}");
            all.extend(
                told.into_iter()
                    .filter_map(|it| if let What::Tried(it) = it.what { Some(show("", &it)) } else { None }),
            );
        }
        assert_eq!(all, [" sent r@y at - 192.0.2.1 -", " sent r@y here", " bounced r@y at - 192.0.2.1 -"]);
    }
}

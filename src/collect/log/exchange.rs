//! Exchange message tracking, and the extended trace of Exchange Online: events by `event-id`.
//!
//! | event | tells |
//! |---|---|
//! | `RECEIVE` | queued, and who gave it |
//! | `SEND`, `SENDEXTERNAL` | sent: `server-ip` is the next hop |
//! | `DELIVER` | sent, into a mailbox |
//! | `DEFER` | deferred |
//! | `FAIL`, `BADMAIL`, `POISONMESSAGE` | bounced |
//! | `DROP` | discarded |
//! | `EXPAND` | sent to the members of a list |
//!
//! Shadow copies (`HAREDIRECT`, `HARECEIVE`, `RESUBMIT`) and the store's `SUBMIT` are no hops.
//! Recipients are a list, and so are their states. Columns are mapped by their names only.

use super::super::stamp;
use super::table::Row;
use super::told::{Client, Delivery, Next, Queued, State, Told, What};

/// What a record of message tracking tells.
pub(super) fn read(row: &Row) -> Vec<Told> {
    told(row).unwrap_or_default()
}

fn told(row: &Row) -> Option<Vec<Told>> {
    let id = row.get(&["networkmessageid", "internalmessageid", "messagetraceid", "messageid"])?;
    let event = row.get(&["eventid"])?.to_ascii_uppercase();
    let at = row.get(&["datetimeutc", "datetime", "origintimestamputc", "origintimestamp"]).and_then(stamp::utc);
    let state = match event.as_str() {
        "RECEIVE" => None,
        "SEND" | "SENDEXTERNAL" | "DELIVER" | "EXPAND" => Some(State::Sent),
        "DEFER" => Some(State::Deferred),
        "FAIL" | "BADMAIL" | "POISONMESSAGE" => Some(State::Bounced),
        "DROP" => Some(State::Discarded),
        _ => return None,
    };
    let host = match event.as_str() {
        "RECEIVE" | "DELIVER" | "FAIL" | "DEFER" => row.get(&["serverhostname"]),
        _ => row.get(&["clienthostname"]),
    };
    let make = |what| Told { at, host: host.map(str::to_owned), ..Told::of(id, what) };
    let Some(state) = state else { return Some(vec![make(queued(row))]) };
    let tried = recipients(row).into_iter().map(|(recipient, status)| {
        let delivery = Delivery::new(recipient, state, next(row, &event, state), connector(row));
        make(What::Tried(delivery.replied(status)))
    });
    // Whose it is, is told by each event.
    let named = row.get(&["messageid"]).map(|it| make(What::Names(it.to_owned())));
    Some(named.into_iter().chain(tried).collect())
}

fn queued(row: &Row) -> What {
    let recipients: Vec<String> = recipients(row).into_iter().map(|(it, _)| it.to_owned()).collect();
    let address = row.address(&["originalclientip", "clientip"]);
    let name = row.get(&["clienthostname"]).map(str::to_owned);
    let words = format!("{} [{}]", name.as_deref().unwrap_or("unknown"), row.get(&["clientip"]).unwrap_or_default());
    let client = Client { words, name, address, ..Client::default() };
    What::Queued(Queued {
        sender: row.get(&["senderaddress"]).filter(|it| *it != "<>").unwrap_or_default().to_owned(),
        client: Some(client),
        message_id: row.get(&["messageid"]).map(str::to_owned),
        expected: Some(recipients.len()).filter(|it| *it > 0),
        recipients,
    })
}

/// Each recipient and what is said of it; `address##states` in the extended trace.
fn recipients(row: &Row) -> Vec<(&str, &str)> {
    let statuses: Vec<&str> = row.get(&["recipientstatus"]).map(|it| it.split(';').collect()).unwrap_or_default();
    match row.get(&["recipientaddress"]) {
        Some(listed) => {
            let listed = listed.split(';').filter(|it| !it.is_empty());
            listed.enumerate().map(|(at, it)| (it, statuses.get(at).copied().unwrap_or_default().trim())).collect()
        }
        None => statuses.iter().filter_map(|it| it.split_once("##")).collect(),
    }
}

fn next(row: &Row, event: &str, state: State) -> Next {
    match event {
        "SEND" | "SENDEXTERNAL" => {
            let address = row.address(&["serverip"]);
            Next::host(row.get(&["serverhostname"]).unwrap_or_default(), address, None)
        }
        "DELIVER" => Next::Here,
        "EXPAND" => Next::Unsaid,
        _ if state == State::Sent => Next::Unsaid,
        _ => Next::Nowhere,
    }
}

fn connector(row: &Row) -> &str {
    row.get(&["connectorid", "source"]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::table::{Table, Taken};
    use super::super::testing::show;
    use super::*;

    /// 2013 and later.
    const FIELDS: &str = "#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,tenant-id,original-client-ip,original-server-ip,custom-data";

    fn shown(lines: &[&str]) -> Vec<String> {
        let mut table = Table::default();
        let mut all = vec![];
        for line in lines {
            if let Taken::Row(row) = table.take(line) {
                for told in read(&row) {
                    let id = told.queue_id.unwrap_or_default();
                    match told.what {
                        What::Tried(delivery) => all.push(show(&id, &delivery)),
                        What::Queued(queued) => {
                            all.push(format!("{id} queued {} {:?}", queued.sender, queued.recipients))
                        }
                        _ => {}
                    }
                }
            }
        }
        all
    }

    #[test]
    fn events_are_read_by_their_columns() {
        let all = shown(&[
            FIELDS,
            r#"2026-01-02T03:04:05.123Z,10.0.0.9,client,10.0.0.1,EX1,,EX1\Default,SMTP,RECEIVE,123,<a@x>,7d1c,r@y;q@z,,1024,2,,,"Subject, with comma",s@x,s@x,,Originating,,,,"#,
            r#"2026-01-02T03:04:06.123Z,10.0.0.1,EX1,192.0.2.1,relay.example.com,,Outbound,SMTP,SEND,123,<a@x>,7d1c,r@y;q@z,250 2.1.5 Ok;250 2.1.5 Ok,1024,2,,,"Subject, with comma",s@x,s@x,,Originating,,,,"#,
            r#"2026-01-02T03:04:07.123Z,,,,EX2,,,SMTP,HAREDIRECT,123,<a@x>,7d1c,r@y,,1024,1,,,x,s@x,s@x,,Originating,,,,"#,
        ]);
        assert_eq!(
            all,
            [
                r#"7d1c queued s@x ["r@y", "q@z"]"#,
                "7d1c sent r@y at relay.example.com 192.0.2.1 - 2.1.5",
                "7d1c sent q@z at relay.example.com 192.0.2.1 - 2.1.5",
            ]
        );
    }

    #[test]
    fn columns_of_2010_are_others() {
        let all = shown(&[
            "#Fields: date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,internal-message-id,message-id,recipient-address,recipient-status,total-bytes,recipient-count,related-recipient-address,reference,message-subject,sender-address,return-path,message-info",
            "2010-01-02T03:04:06.123Z,,,10.0.0.1,EX1,,,STOREDRIVER,DELIVER,123,<a@x>,r@y,,1024,1,,,x,s@x,s@x,",
        ]);
        assert_eq!(all, ["123 sent r@y here"]);
    }
}

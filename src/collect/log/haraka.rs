//! Haraka's default format: `[LEVEL] [uuid] [plugin] words key=value …`.
//!
//! ```text
//!   [NOTICE] [UUID.1] [core] recipient <r@y> code=OK msg="" sender="s@x"   Queued, a recipient each
//!   [NOTICE] [UUID.1.1] [outbound] delivered file=… domain=… host=… ip=… port=… response="…" … rcpts=1/0/0
//!   [INFO] [UUID.1.1] [outbound] Temp failing … : reason                   Tried: deferred
//! ```
//!
//! The line of a delivery counts its recipients and does not name them: it is of those that the
//! message has in the domain. Stamps are off by default. What a plugin hands to a smarthost
//! (`smtp_forward`) is not logged as delivered.

use super::told::{Delivery, Next, Queued, State, Told, What, angle};
use super::words::{parse_address, value};
use super::wrapper::Entry;

const LEVELS: &[&str] = &["DATA", "PROTOCOL", "DEBUG", "INFO", "NOTICE", "WARN", "ERROR", "CRIT", "ALERT", "EMERG"];

/// Whether a line looks like one of Haraka.
pub(super) fn is_one(text: &str) -> bool {
    parts(text).is_some()
}

/// What a line of Haraka tells.
pub(super) fn read(entry: &Entry<'_>) -> Option<Told> {
    let (uuid, plugin, words) = parts(&entry.text)?;
    // Outbound hands each domain on as `UUID.1.1`.
    let id = uuid.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    match plugin {
        "core" => queued(&id, words),
        "outbound" => outbound(&id, words),
        _ => None,
    }
}

/// uuid, plugin and words.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let (level, rest) = text.strip_prefix('[')?.split_once("] [")?;
    let (uuid, rest) = rest.split_once("] [")?;
    let (plugin, words) = rest.split_once("] ")?;
    LEVELS.contains(&level).then_some((uuid, plugin, words))
}

fn queued(id: &str, words: &str) -> Option<Told> {
    let (recipient, fields) = angle(words.strip_prefix("recipient ")?)?;
    if !matches!(value(fields, "code"), Some("OK" | "CONT" | "NEXT")) {
        return None;
    }
    let sender = value(fields, "sender").unwrap_or_default().to_owned();
    let recipients = vec![recipient.to_owned()];
    Some(Told::of(id, What::Queued(Queued { sender, recipients, ..Queued::default() })))
}

fn outbound(id: &str, words: &str) -> Option<Told> {
    if let Some(fields) = words.strip_prefix("delivered ") {
        let address = value(fields, "ip").and_then(parse_address);
        let port = value(fields, "port").and_then(|port| port.parse().ok());
        let next = Next::host(value(fields, "host").unwrap_or_default(), address, port);
        let delivery = Delivery::new("", State::Sent, next, "outbound");
        let delivery = delivery.replied(value(fields, "response").unwrap_or_default());
        return Some(Told::of(id, What::Tried(delivery)));
    }
    let reason = words.strip_prefix("Temp failing ")?;
    let (_, reply) = reason.split_once(": ").unwrap_or(("", reason));
    let delivery = Delivery::new("", State::Deferred, Next::Nowhere, "outbound").replied(reply);
    Some(Told::of(id, What::Tried(delivery)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, shown};
    use super::*;

    const UUID: &str = "68F0BD5C-3B6E-4E5C-8D9A-000000000001";

    #[test]
    fn a_delivery_names_its_host() {
        let read = |it: &Entry<'_>| read(it).into_iter().collect();
        let line = format!(
            r#"[NOTICE] [{UUID}.1.1] [outbound] delivered file=1508269674999_0_5_1_1_1_host domain=y host=mx.y ip=192.0.2.1 port=25 mode=SMTP tls=Y auth=N response="2.0.0 Ok: queued as F12DF84004" delay=1.2 fails=0 rcpts=1/0/0"#
        );
        assert!(is_one(&line));
        assert_eq!(shown(read, &line), [format!("{UUID}.1 sent  at mx.y 192.0.2.1 25 2.0.0 next F12DF84004")]);
    }

    #[test]
    fn recipients_are_the_message_s() {
        let line = format!(
            r#"2026-01-02T03:04:05.123Z [NOTICE] [{UUID}.1] [core] recipient <r@y> code=OK msg="" sender="s@x""#
        );
        let told = read(&entry(&line)).expect("told");
        let What::Queued(queued) = told.what else { panic!("{told:?}") };
        assert_eq!((queued.sender.as_str(), queued.recipients.as_slice()), ("s@x", ["r@y".to_owned()].as_slice()));
        let refused = line.replace("code=OK", "code=DENY");
        assert_eq!(read(&entry(&refused)), None);
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(rest in "(recipient <a>|delivered |Temp failing )?( ?[a-z]{2,4}=[\"a-z0-9:.]{0,6}){0,4}\\PC{0,12}") {
            for plugin in ["core", "outbound"] {
                let _ = read(&entry(&format!("[INFO] [{UUID}.1] [{plugin}] {rest}")));
            }
        }
    }
}

//! Delivery status notifications: what a host reports of a message that it could not, or did, deliver (RFC 3464).
//!
//! ```text
//!   multipart/report
//!     ├─ text for people                                          not read
//!     ├─ message/delivery-status                                  own reader, below
//!     │     Reporting-MTA: dns; mx.example
//!     │     (blank line)
//!     │     Final-Recipient: rfc822; b@drill.example ┐
//!     │     Action: failed                           ├─ one Fate for each such group
//!     │     Status: 5.1.1                            ┘
//!     └─ message/rfc822 or text/rfc822-headers ──> Report::returned
//! ```
//!
//! Exim before 4.9x, and servers older than the standard, send a plain text with the header field
//! `X-Failed-Recipients`: that is read too.

use mail_parser::{MessageParser, MimeHeaders};

use super::EnhancedStatus;

/// The most that is read of a notification, in bytes: the message that it returns may be cut there.
pub const MAX_REPORT: usize = 256 * 1024;
/// The most recipients that are read of one notification.
const MAX_FATES: usize = 200;
/// The longest value of a field that is kept, in characters.
const MAX_VALUE: usize = 1000;
/// The most that is kept of the message that came back, in bytes.
const MAX_RETURNED: usize = 64 * 1024;

/// What a host says that it did (RFC 3464 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It gave up.
    Failed,
    /// It could not deliver yet, and goes on trying.
    Delayed,
    /// It delivered to the recipient's mailbox.
    Delivered,
    /// It handed it to a host that sends no notifications.
    Relayed,
    /// It delivered, and passed it on to several others: a list, or an alias of many.
    Expanded,
}

/// A notification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The host that made it.
    pub reporting_mta: Option<String>,
    /// The ENVID of the message's envelope (RFC 3461 4.4).
    pub envelope_id: Option<String>,
    /// To whom the notification itself was sent: `To`, `Delivered-To` and the like, as they stand.
    pub addressed: Vec<String>,
    /// The message that it speaks of, or as much of it as came back; empty where nothing did.
    pub returned: String,
    /// What became of each recipient; at least one.
    pub fates: Vec<Fate>,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The recipient as its host knows it.
    pub final_recipient: Option<String>,
    /// The recipient as the sender wrote it (ORCPT).
    pub original_recipient: Option<String>,
    /// What was done.
    pub action: Action,
    /// The enhanced status code.
    pub status: Option<EnhancedStatus>,
    /// The host that refused it, where that was another one.
    pub remote_mta: Option<String>,
    /// What that host answered, or the reason in words, without the type in front.
    pub diagnostic: Option<String>,
}

/// Whether a header block is that of a delivery status notification, so that its body is worth reading.
pub fn is_announced(header: &[u8]) -> bool {
    let fields = fields(&String::from_utf8_lossy(header));
    let report = value(&fields, "content-type").is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        // Another report type is no notification of this kind: `disposition-notification`, `feedback-report`.
        kind.starts_with("multipart/report") && (!kind.contains("report-type") || kind.contains("delivery-status"))
    });
    report || value(&fields, "x-failed-recipients").is_some()
}

/// Reads a notification; none where the message is no notification, or names no recipient.
pub fn read(message: &[u8]) -> Option<Report> {
    let message = &message[..message.len().min(MAX_REPORT)];
    let parsed = MessageParser::default().parse(message)?;
    let header_end = message.windows(2).position(|two| two == b"\n\n").map(|at| at + 1);
    let header_end = message.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 2).or(header_end);
    let own = fields(&String::from_utf8_lossy(&message[..header_end.unwrap_or(message.len())]));
    let mut report = Report { addressed: addressed(&own), ..Report::default() };
    for part in &parsed.parts {
        let Some(kind) = part.content_type() else { continue };
        match (kind.ctype().to_ascii_lowercase().as_str(), kind.subtype().map(str::to_ascii_lowercase).as_deref()) {
            ("message", Some("delivery-status" | "global-delivery-status")) if report.fates.is_empty() => {
                status(&String::from_utf8_lossy(part.contents()), &mut report);
            }
            ("message", Some("rfc822" | "global" | "global-headers")) | ("text", Some("rfc822-headers"))
                if report.returned.is_empty() =>
            {
                report.returned = cut(part.contents());
            }
            _ => {}
        }
    }
    if report.fates.is_empty() {
        old_style(&own, &mut report, message);
    }
    (!report.fates.is_empty()).then_some(report)
}

/// A notification without any part for programs: who failed is in the header, the message in the text.
fn old_style(own: &[(String, String)], report: &mut Report, message: &[u8]) {
    let failed = own.iter().filter(|(name, _)| name == "x-failed-recipients").flat_map(|(_, value)| value.split(','));
    let fate = |address: &str| Fate {
        final_recipient: Some(clipped(address.trim())),
        original_recipient: None,
        action: Action::Failed,
        status: None,
        remote_mta: None,
        diagnostic: None,
    };
    report.fates = failed.filter(|it| !it.trim().is_empty()).take(MAX_FATES).map(fate).collect();
    if report.returned.is_empty() {
        report.returned = cut(message);
    }
}

/// The part for programs: groups of fields with blank lines between, the first one about the message.
fn status(text: &str, report: &mut Report) {
    let text = text.replace("\r\n", "\n");
    for group in text.split("\n\n").map(fields).filter(|group| !group.is_empty()) {
        if report.reporting_mta.is_none() {
            report.reporting_mta = value(&group, "reporting-mta").map(untyped);
            report.envelope_id = value(&group, "original-envelope-id").map(clipped);
        }
        if report.fates.len() < MAX_FATES
            && let Some(fate) = fate(&group)
        {
            report.fates.push(fate);
        }
    }
}

fn fate(group: &[(String, String)]) -> Option<Fate> {
    let word = value(group, "action")?.split([' ', '(', ';']).next()?.to_ascii_lowercase();
    let action = match word.as_str() {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        "relayed" => Action::Relayed,
        "expanded" => Action::Expanded,
        _ => return None,
    };
    Some(Fate {
        final_recipient: value(group, "final-recipient").map(address),
        original_recipient: value(group, "original-recipient").map(address),
        action,
        status: value(group, "status").and_then(EnhancedStatus::at_start_of),
        remote_mta: value(group, "remote-mta").map(untyped),
        diagnostic: value(group, "diagnostic-code").map(untyped),
    })
}

fn addressed(own: &[(String, String)]) -> Vec<String> {
    const NAMES: &[&str] = &["to", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to"];
    own.iter().filter(|(name, _)| NAMES.contains(&name.as_str())).map(|(_, value)| clipped(value)).collect()
}

/// Names in lower case and values, unfolded (RFC 5322 2.2.3).
fn fields(text: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = vec![];
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// `dns; mx.example` and `smtp; 550 …` without the type in front (RFC 3464 2.1.2); some leave it out.
fn untyped(value: &str) -> String {
    match value.split_once(';') {
        Some((kind, rest)) if kind.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
            clipped(rest.trim())
        }
        _ => clipped(value),
    }
}

fn address(value: &str) -> String {
    untyped(value).trim_matches(['<', '>']).to_owned()
}

fn clipped(text: &str) -> String {
    text.chars().take(MAX_VALUE).collect()
}

fn cut(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_RETURNED)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str) -> Vec<u8> {
        let path = format!("{}/tests/data/dsn/{name}.eml", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).expect("a sample")
    }

    /// Name of the sample; action, status, remote MTA and the start of the diagnostic of its first recipient.
    type Row = (&'static str, Action, Option<&'static str>, Option<&'static str>, &'static str);

    const TABLE: &[Row] = &[
        ("postfix-failed", Action::Failed, Some("5.1.1"), Some("mx1.new.example"), "550 5.1.1 <probe@drill.example>:"),
        ("postfix-delayed", Action::Delayed, Some("4.4.1"), None, "connect to mx1.new.example"),
        ("postfix-relayed", Action::Relayed, Some("2.0.0"), Some("mx1.new.example"), "250 2.0.0 Ok: queued as 4Wk"),
        ("exim-failed", Action::Failed, Some("5.0.0"), Some("mx1.new.example"), "550 5.1.1 no such user"),
        ("exim-old-style", Action::Failed, None, None, ""),
        ("sendmail-expanded", Action::Expanded, Some("2.0.0"), None, ""),
        ("sendmail-failed", Action::Failed, Some("5.1.1"), Some("mx1.new.example"), "550 5.1.1 User unknown"),
        ("exchange-failed", Action::Failed, Some("5.1.10"), None, "550 5.1.10 RESOLVER.ADR.RecipientNotFound;"),
        (
            "gmail-failed",
            Action::Failed,
            Some("5.1.1"),
            Some("mx1.new.example. (192.0.2.10, the"),
            "550-5.1.1 The email",
        ),
    ];

    #[test]
    fn notifications_of_many_servers_are_read() {
        for (name, action, status, remote, diagnostic) in TABLE {
            let text = sample(name);
            assert!(is_announced(&text), "{name}");
            let report = read(&text).unwrap_or_else(|| panic!("{name} is a notification"));
            let fate = &report.fates[0];
            assert_eq!(fate.action, *action, "{name}");
            assert_eq!(fate.status.map(|it| it.to_string()).as_deref(), *status, "{name}");
            match remote {
                Some(remote) => assert!(fate.remote_mta.as_deref().is_some_and(|it| it.starts_with(remote)), "{name}"),
                None => assert_eq!(fate.remote_mta, None, "{name}"),
            }
            assert!(fate.diagnostic.as_deref().unwrap_or_default().starts_with(diagnostic), "{name}: {fate:?}");
            assert_eq!(fate.final_recipient.as_deref(), Some("probe@drill.example"), "{name}");
            assert!(report.returned.contains("X-Mxdrill-Tag: "), "{name}: {}", report.returned);
            assert!(report.addressed[0].contains("mxdrill+"), "{name}");
        }
    }

    #[test]
    fn line_ends_of_a_mailbox_on_disk_are_read_as_well() {
        for (name, ..) in TABLE {
            let text = String::from_utf8(sample(name)).expect("text").replace("\r\n", "\n");
            let crlf = text.replace('\n', "\r\n");
            let (one, other) = (read(text.as_bytes()).expect("read"), read(crlf.as_bytes()).expect("read"));
            assert_eq!(one.fates, other.fates, "{name}");
        }
    }

    #[test]
    fn what_is_no_notification_is_none() {
        assert_eq!(read(b"Subject: hello\r\n\r\nAction: failed\r\n"), None);
        assert!(!is_announced(b"Content-Type: multipart/report; report-type=disposition-notification\r\n\r\n"));
        assert!(!is_announced(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n"));
        let nobody =
            b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\
            \r\nReporting-MTA: dns; a\r\n\r\nAction: unheard-of\r\n\r\n--x--\r\n";
        assert_eq!(read(nobody), None);
    }

    #[test]
    fn a_flood_of_recipients_is_bounded() {
        let mut flood =
            "Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\
                         \r\nReporting-MTA: dns; a\r\n"
                .to_owned();
        for number in 0..1000 {
            flood.push_str(&format!("\r\nFinal-Recipient: rfc822; {number}@a\r\nAction: failed\r\n"));
        }
        flood.push_str("\r\n--x--\r\n");
        assert_eq!(read(flood.as_bytes()).map(|it| it.fates.len()), Some(MAX_FATES));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2000)) {
            let _ = (read(&bytes), is_announced(&bytes));
        }

        #[test]
        fn any_status_part_can_be_read(text in "(((Action|Status|Final-Recipient|Diagnostic-Code|\\PC{0,9}):? ?\\PC{0,30})|)(\r?\n[ \t]?(Action: (failed|delayed)|\\PC{0,20})){0,20}") {
            let whole = format!("Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n{text}\r\n--x--\r\n");
            if let Some(report) = read(whole.as_bytes()) {
                proptest::prop_assert!(!report.fates.is_empty() && report.fates.len() <= MAX_FATES);
            }
        }
    }
}

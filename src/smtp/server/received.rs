//! The trace header of a host that takes a message (RFC 5321 4.4).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::policy::{Channel, Envelope, Greeting};

/// The `Received:` header that the host `by` adds when it takes a message under the queue-id
/// `id`, with its line end. The recipient is named where it is the only one (RFC 5321 7.2).
pub fn received(envelope: &Envelope, by: &str, id: &str, at: Timestamp) -> String {
    let client = match envelope.client.ip().to_canonical() {
        std::net::IpAddr::V4(v4) => v4.to_string(),
        std::net::IpAddr::V6(v6) => format!("IPv6:{v6}"),
    };
    let recipient = match envelope.recipients.as_slice() {
        [only] => format!("\r\n\tfor <{}>", word(only)),
        _ => String::new(),
    };
    let date = jiff::fmt::rfc2822::to_string(&at.to_zoned(TimeZone::UTC)).unwrap_or_default();
    format!(
        "Received: from {} ([{client}])\r\n\tby {by} (mxdrill lab) with {} id {id}{recipient};\r\n\t{date}\r\n",
        word(&envelope.helo),
        protocol(envelope),
    )
}

/// The protocol's name (RFC 3848, RFC 6531 4.3): `S` for TLS, `A` for a client that proved who it is.
fn protocol(envelope: &Envelope) -> String {
    let base = match (envelope.has_parameter("SMTPUTF8"), envelope.greeting) {
        (true, _) => "UTF8SMTP",
        (false, Greeting::Ehlo) => "ESMTP",
        (false, Greeting::Helo) => return "SMTP".to_owned(),
    };
    let secure = if envelope.channel == Channel::Encrypted { "S" } else { "" };
    let authenticated = if envelope.user.is_some() { "A" } else { "" };
    format!("{base}{secure}{authenticated}")
}

/// What a client said, fit to stand in a header as one word.
fn word(text: &str) -> String {
    let fit = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '(' | ')' | '<' | '>' | ';' | '"');
    let word: String = text.chars().filter(|c| fit(*c)).take(255).collect();
    if word.is_empty() { "unknown".to_owned() } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_header_is_read_back() {
        for client in ["127.77.0.3:4711", "[::1]:4711"] {
            let mut envelope = Envelope::new(client.parse().expect("an address"));
            envelope.helo = "mx2.new.example\u{7} (x)".to_owned();
            envelope.greeting = Greeting::Ehlo;
            envelope.channel = Channel::Encrypted;
            envelope.recipients = vec!["probe@drill.example".to_owned()];
            let at = "2026-11-21T06:40:00Z".parse().expect("a time");
            let header = received(&envelope, "mx1.new.example", "LAB1", at);
            let message = format!("{header}Subject: x\r\n\r\nx\r\n");
            let (hop, raw) = crate::mail::received::chain(message.as_bytes()).remove(0);
            assert_eq!(hop.from.as_deref(), Some("mx2.new.examplex"), "{raw}");
            assert_eq!(hop.from_ip, Some(envelope.client.ip()), "{raw}");
            assert_eq!(hop.by.as_deref(), Some("mx1.new.example"), "{raw}");
            assert_eq!(hop.id.as_deref(), Some("LAB1"), "{raw}");
            assert_eq!(hop.with.as_deref(), Some("ESMTPS"), "{raw}");
            assert!(raw.contains("for <probe@drill.example>"), "{raw}");
            assert_eq!(hop.at.as_deref(), Some("Sat, 21 Nov 2026 06:40:00 +0000"), "{raw}");
        }
    }
}

//! `Received:` headers (RFC 5321 4.4): the clauses that a path needs.

use std::net::IpAddr;

/// One `Received:` header: what its writer said of one hop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// What the client called itself; a claim.
    pub from: Option<String>,
    /// The client's address as the writer saw it.
    pub from_ip: Option<IpAddr>,
    /// What the writer calls itself.
    pub by: Option<String>,
    /// The protocol, such as `ESMTPS` (RFC 3848).
    pub with: Option<String>,
    /// The writer's queue-id.
    pub id: Option<String>,
    /// The stamp as it was written (RFC 5322 date).
    pub at: Option<String>,
}

/// The most `Received:` headers that are read of one message; more is a loop (RFC 5321 6.3
/// suggests 100).
pub const MAX_HOPS: usize = 100;

/// The `Received:` headers of a message, newest first, as the clauses and the unfolded text.
pub fn chain(message: &[u8]) -> Vec<(Received, String)> {
    let Some(parsed) = mail_parser::MessageParser::default().parse_headers(message) else {
        return vec![];
    };
    let mut hops = vec![];
    for header in parsed.headers() {
        let mail_parser::HeaderValue::Received(value) = &header.value else { continue };
        if hops.len() == MAX_HOPS {
            break;
        }
        let raw = message
            .get(header.offset_start as usize..header.offset_end as usize)
            .map(|bytes| unfold(&String::from_utf8_lossy(bytes)))
            .unwrap_or_default();
        hops.push((received(value, &raw), raw));
    }
    hops
}

fn received(value: &mail_parser::Received<'_>, raw: &str) -> Received {
    let ip = |host: &mail_parser::Host<'_>| match host {
        mail_parser::Host::IpAddr(ip) => Some(*ip),
        mail_parser::Host::Name(_) => None,
    };
    Received {
        from: value.helo.as_ref().or(value.from.as_ref()).map(ToString::to_string),
        from_ip: value.from_ip.or_else(|| value.from.as_ref().and_then(ip)),
        by: value.by.as_ref().map(ToString::to_string),
        with: clause(raw, "with"),
        id: value.id.as_ref().map(ToString::to_string),
        at: raw.rsplit_once(';').map(|(_, date)| date.trim().to_owned()),
    }
}

/// The word behind ` with ` outside of comments; the parser maps protocols to an enum and loses
/// the spelling.
fn clause(raw: &str, keyword: &str) -> Option<String> {
    let mut depth = 0usize;
    let mut outside = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    let mut words = outside.split_whitespace();
    words.find(|word| word.eq_ignore_ascii_case(keyword))?;
    words.next().map(|word| word.trim_end_matches(';').to_owned())
}

fn unfold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_read_newest_first() {
        let message = b"Received: from mx2.new.example (mx2.new.example [127.77.0.3])\r\n\
            \tby mx1.new.example (Postfix) with ESMTP id 4WkQ2n1z\r\n\
            \tfor <probe@drill.example>; Sat, 21 Nov 2026 06:40:00 +0000 (UTC)\r\n\
            Received: from localhost ([127.0.0.1]) by mx2.new.example with ESMTP id abc;\r\n Sat, 21 Nov 2026 06:39:59 +0000\r\n\
            Subject: x\r\n\r\nbody Received: no\r\n";
        let hops = chain(message);
        assert_eq!(hops.len(), 2);
        let top = &hops[0].0;
        assert_eq!(top.by.as_deref(), Some("mx1.new.example"));
        assert_eq!(top.id.as_deref(), Some("4WkQ2n1z"));
        assert_eq!(top.with.as_deref(), Some("ESMTP"));
        assert_eq!(top.from_ip, Some("127.77.0.3".parse().expect("an address")));
        assert_eq!(hops[1].0.by.as_deref(), Some("mx2.new.example"));
    }
}

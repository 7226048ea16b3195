//! `Received:` headers (RFC 5321 4.4), as dozens of programs write them.
//!
//! ```text
//!   message ── fields, unfolded ──> tokens ── clauses ──> Received, one a header, newest first
//!                                   words, comments,      from by via with id for; date
//!                                   <addresses>, ;
//! ```
//!
//! The grammar of the RFC is a suggestion: clauses are missing, repeated, or in another order, and
//! the facts stand in comments that each program shapes as it likes. What is not understood is left
//! out; a header of which nothing is understood is [`Kind::Unknown`], and whoever walks a chain must
//! stop there. Nothing here says whether a header is true.

mod clauses;
mod comment;
#[cfg(test)]
mod table;
mod tokens;
mod writer;

use std::net::IpAddr;

use jiff::Timestamp;

/// One `Received:` header: what its writer said of one hop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// What the client called itself; a claim.
    pub from: Option<String>,
    /// The client's name by its address, looked up by the writer; absent where that failed.
    pub rdns: Option<String>,
    /// The client's address as the writer saw it.
    pub from_ip: Option<IpAddr>,
    /// What the writer calls itself.
    pub by: Option<String>,
    /// The writer's address, where it says that too.
    pub by_ip: Option<IpAddr>,
    /// The protocol, such as `ESMTPS` (RFC 3848).
    pub with: Option<String>,
    /// The writer's queue-id. A version that stands in its place, as with Exchange, is none.
    pub id: Option<String>,
    /// The recipient, where the message had only one.
    pub recipient: Option<String>,
    /// What is said of the encryption: version, or cipher.
    pub tls: Option<String>,
    /// Who the client logged in as, or that it did.
    pub auth: Option<String>,
    /// The program that wrote it, as far as it shows.
    pub writer: Option<String>,
    /// The stamp as it was written (RFC 5322 date).
    pub at: Option<String>,
    /// What kind of step it tells of.
    pub kind: Kind,
}

/// What a header tells of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// One host took the message from another.
    Hop,
    /// A user, a program or an API handed it in; there was no host before.
    Submission,
    /// A step inside of one system: a content filter, a delivery by LMTP, a mailbox that was fetched.
    Internal,
    /// Nothing could be read of it.
    #[default]
    Unknown,
}

impl Received {
    /// The time of its stamp, where that can be read.
    pub fn time(&self) -> Option<Timestamp> {
        date(self.at.as_deref()?)
    }
}

/// The most `Received:` headers that are read of one message; more is a loop (RFC 5321 6.3
/// suggests 100).
pub const MAX_HOPS: usize = 100;
/// The longest header that is read, in bytes, once it is unfolded.
const MAX_LENGTH: usize = 8 * 1024;
/// The longest header block that is looked through, in bytes.
const MAX_BLOCK: usize = 1 << 20;

/// The `Received:` headers of a message, newest first, as the clauses and the unfolded text. Only
/// the message's own header block counts, not that of a message inside.
pub fn chain(message: &[u8]) -> Vec<(Received, String)> {
    let mut fields: Vec<Vec<u8>> = vec![];
    let mut inside = false;
    for line in message[..message.len().min(MAX_BLOCK)].split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.first() {
            None => break,
            Some(b' ' | b'\t') if inside => {
                if let Some(field) = fields.last_mut().filter(|field| field.len() < MAX_LENGTH) {
                    field.push(b' ');
                    field.extend_from_slice(line);
                }
            }
            Some(b' ' | b'\t') => {}
            Some(_) => {
                let body = received_body(line);
                inside = body.is_some();
                if fields.len() == MAX_HOPS && inside {
                    break;
                }
                fields.extend(body.map(<[u8]>::to_vec));
            }
        }
    }
    let texts = fields.iter().map(|field| unfold(&String::from_utf8_lossy(field)));
    texts.map(|text| (parse(&text), text)).collect()
}

/// What follows the colon of a `Received:` field.
fn received_body(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', line)?;
    line[..colon].trim_ascii().eq_ignore_ascii_case(b"received").then(|| &line[colon + 1..])
}

/// Reads one header's body. Any text is taken.
pub fn parse(text: &str) -> Received {
    let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_LENGTH).last().unwrap_or(0);
    let text = if text.len() > MAX_LENGTH { &text[..end] } else { text };
    clauses::read(&unfold(text))
}

fn unfold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// RFC 5322 dates, with the obsolete zones, a wrong weekday, or text behind them.
fn date(text: &str) -> Option<Timestamp> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let text = text.trim();
    let plain = text.split('(').next().unwrap_or(text).trim();
    let words: Vec<&str> = plain.split(' ').collect();
    let shorter = (4..=words.len()).rev().map(|count| words[..count].join(" "));
    shorter.take(8).find_map(|text| parser.parse_timestamp(&text).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_chain_is_read_newest_first() {
        let message = b"Received: from mx2.new.example (mx2.new.example [127.77.0.3])\r\n\
            \tby mx1.new.example (Postfix) with ESMTP id 4WkQ2n1z\r\n\
            \tfor <probe@drill.example>; Sat, 21 Nov 2026 06:40:00 +0000 (UTC)\r\n\
            X-Received: by 2002:a05:1 with SMTP id no\r\n\
            Received: from localhost ([127.0.0.1]) by mx2.new.example with ESMTP id abc;\r\n Sat, 21 Nov 2026 06:39:59 +0000\r\n\
            Subject: x\r\n\r\nReceived: no\r\n";
        let hops = chain(message);
        assert_eq!(hops.len(), 2);
        let top = &hops[0].0;
        assert_eq!(top.by.as_deref(), Some("mx1.new.example"));
        assert_eq!(top.id.as_deref(), Some("4WkQ2n1z"));
        assert_eq!(top.with.as_deref(), Some("ESMTP"));
        assert_eq!(top.from_ip, Some("127.77.0.3".parse().expect("an address")));
        assert_eq!(top.recipient.as_deref(), Some("probe@drill.example"));
        assert_eq!(hops[1].0.by.as_deref(), Some("mx2.new.example"));
        assert_eq!(hops[1].0.kind, Kind::Internal);
    }

    #[test]
    fn dates_are_read_as_they_are_written() {
        let at = |text: &str| date(text).map(|it| it.to_string());
        let expected = Some("2026-11-21T05:42:24Z".to_owned());
        for text in [
            "Sat, 21 Nov 2026 05:42:24 +0000 (UTC)",
            "21 Nov 2026 06:42:24 +0100",
            "Mon, 21 Nov 2026 05:42:24 -0000",
            "Sat, 21 Nov 2026 05:42:24 GMT",
            "Sat, 21 Nov 2026 00:42:24 EST",
            "Sat, 21 Nov 2026 05:42:24 +0000 and more",
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
        assert_eq!(at("Sat Nov 21 05:42:24 2026"), None, "without a zone it is no point in time");
        assert_eq!(at(""), None);
    }

    #[test]
    fn a_loop_is_cut_short_and_a_flood_is_bounded() {
        let many = "Received: from a by b; x\r\n".repeat(500);
        assert_eq!(chain(many.as_bytes()).len(), MAX_HOPS);
        let long = format!("from a by b {} with SMTP", "(".repeat(100_000));
        assert_eq!(parse(&long).by.as_deref(), Some("b"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut message = b"Received: ".to_vec();
            message.extend(bytes);
            let _ = chain(&message);
        }

        #[test]
        fn any_words_are_taken(text in "(from |by |with |id |for |via |; ?|\\(|\\)|\\[|\\]|<|>|\"|\\\\|helo=|[a-z0-9.:@=%]{1,6} ?|\u{e9}){0,40}") {
            let header = parse(&text);
            let _ = header.time();
            prop_assert!(header.kind == Kind::Unknown || header.by.is_some() || header.from.is_some()
                || header.from_ip.is_some() || header.kind != Kind::Hop, "{header:?}");
        }
    }
}

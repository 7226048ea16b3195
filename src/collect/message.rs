//! What a stored message's own header says of it.

use sha2::{Digest, Sha256};

use crate::mail::dsn;
use crate::mail::received::{self, Received};
use crate::record::{RunId, TAG_HEADER, Tag, find_tags};

/// The longest header block that is read of a message, in bytes.
pub(super) const MAX_HEADER: usize = 256 * 1024;

/// Header fields that stores and mail programs change after delivery.
const CHANGING: &[&str] =
    &["status", "x-status", "x-uid", "x-imap", "x-imapbase", "x-keywords", "content-length", "lines"];

/// Tells deliveries apart: two messages with one fingerprint are one delivery, copied or moved
/// inside of the store, because every delivery leaves its own `Received:` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 16]);

/// A stored probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) tag: Tag,
    /// The id that the host which took it by SMTP gave it.
    pub(super) queue_id: Option<String>,
    /// Its `Received:` headers, newest first.
    pub(super) received: Vec<String>,
    pub(super) fingerprint: Fingerprint,
}

/// Reads a message, or its header block alone; `None` where it is no probe of `run`. Only the
/// message's own header counts: a DSN that quotes a probe is none.
pub(super) fn read(message: &[u8], run: &RunId) -> Option<Stored> {
    let header = header_of(message);
    if dsn::is_announced(header) {
        return None;
    }
    let fields = fields(header);
    let tag = own_tag(&fields, run)?;
    let chain = received::chain(header);
    Some(Stored {
        tag,
        queue_id: queue_id(&chain),
        received: chain.into_iter().map(|(_, raw)| raw).collect(),
        fingerprint: fingerprint(&fields),
    })
}

/// The header block with the blank line that ends it; everything where there is none.
pub(super) fn header_of(message: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        if end >= MAX_HEADER || matches!(line, b"\n" | b"\r\n") {
            break;
        }
    }
    &message[..end.min(MAX_HEADER)]
}

/// Name and body of each field, still folded (RFC 5322 2.2).
fn fields(header: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut fields: Vec<(String, Vec<u8>)> = vec![];
    for line in header.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line.first() {
            None => {}
            Some(b' ' | b'\t') => {
                if let Some((_, body)) = fields.last_mut() {
                    body.extend_from_slice(line);
                }
            }
            Some(_) => {
                if let Some(colon) = memchr::memchr(b':', line) {
                    let name = String::from_utf8_lossy(&line[..colon]).trim().to_ascii_lowercase();
                    fields.push((name, line[colon + 1..].to_vec()));
                }
            }
        }
    }
    fields
}

fn own_tag(fields: &[(String, Vec<u8>)], run: &RunId) -> Option<Tag> {
    let tag_in = |name: &str, whole: &dyn Fn(&str, &Tag) -> bool| {
        fields.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name)).find_map(|(_, body)| {
            let text = String::from_utf8_lossy(body);
            find_tags(&text, run.as_str()).find(|tag| whole(text.trim(), tag))
        })
    };
    tag_in(TAG_HEADER, &|text, tag| text == tag.as_str())
        // Where a relay removed the header, the Message-ID is left.
        .or_else(|| tag_in("message-id", &|text, tag| text == tag.message_id()))
}

fn fingerprint(fields: &[(String, Vec<u8>)]) -> Fingerprint {
    let mut hash = Sha256::new();
    for (name, body) in fields.iter().filter(|(name, _)| !CHANGING.contains(&name.as_str())) {
        hash.update(name.as_bytes());
        hash.update(b":");
        hash.update(body);
        hash.update(b"\n");
    }
    let mut first = [0; 16];
    first.copy_from_slice(&hash.finalize()[..16]);
    Fingerprint(first)
}

/// The queue-id of the newest hop that came by SMTP: a store that was handed the message by LMTP
/// writes a header of its own on top, with a session id that is in no MTA's log.
fn queue_id(chain: &[(Received, String)]) -> Option<String> {
    let smtp = |hop: &Received| hop.with.as_deref().is_some_and(|with| protocol(with).contains("SMTP"));
    let other = |hop: &Received| !hop.with.as_deref().is_some_and(|with| protocol(with).contains("LMTP"));
    let id = |hop: &Received| hop.id.clone().filter(|id| !is_version(id));
    let hops = || chain.iter().map(|(hop, _)| hop);
    hops().find(|hop| smtp(hop)).or_else(|| hops().find(|hop| other(hop))).and_then(id)
}

fn protocol(with: &str) -> String {
    with.to_ascii_uppercase()
}

/// Exchange writes its version where others write an id: `id 15.20.7135.19`.
fn is_version(id: &str) -> bool {
    id.contains('.') && id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunId {
        RunId::from_entropy(0x0123_4567_89ab_cdef)
    }

    fn stored(message: &str) -> Option<Stored> {
        read(message.as_bytes(), &run())
    }

    #[test]
    fn the_id_of_the_mta_is_taken_from_below_the_lmtp_header() {
        let tag = run().probe(3);
        let message = format!(
            "Return-Path: <mxdrill+{tag}@sender.example>\r\n\
             Received: from mx1.new.example\r\n\tby mx1.new.example with LMTP\r\n\tid x75/CUAvAWt7AAAAhg/1YA\r\n\
             \t(envelope-from <mxdrill+{tag}@sender.example>); Sat, 21 Nov 2026 05:42:24 +0000\r\n\
             Received: from probe.example (unknown [127.0.0.1])\r\n\tby mx1.new.example (Postfix) with ESMTP id 22DCE9CE948\r\n\
             \tfor <probe@drill.example>; Sat, 21 Nov 2026 05:42:24 +0000 (UTC)\r\n\
             {TAG_HEADER}: {tag}\r\nMessage-ID: {}\r\n\r\nbody\r\n",
            tag.message_id()
        );
        let stored = stored(&message).expect("a probe");
        assert_eq!(stored.tag, tag);
        assert_eq!(stored.queue_id.as_deref(), Some("22DCE9CE948"));
        assert_eq!(stored.received.len(), 2);
        assert!(stored.received[0].contains("with LMTP"), "{:?}", stored.received);
    }

    #[test]
    fn a_message_that_quotes_a_probe_is_none() {
        let tag = run().probe(3);
        let dsn = format!(
            "Subject: Undelivered\r\nReferences: {}\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n\
             {TAG_HEADER}: {tag}\r\nMessage-ID: {}\r\n\r\n",
            tag.message_id(),
            tag.message_id()
        );
        assert_eq!(stored(&dsn), None);
        let other = RunId::from_entropy(7).probe(3);
        assert_eq!(stored(&format!("{TAG_HEADER}: {other}\r\n\r\n")), None);
        assert_eq!(stored(&format!("{TAG_HEADER}: {tag} and more\r\n\r\n")), None);
    }

    #[test]
    fn the_message_id_serves_where_the_header_was_removed() {
        let tag = run().control(1);
        let folded = format!("Message-ID:\r\n {}\r\n\r\n", tag.message_id());
        assert_eq!(stored(&folded).map(|it| it.tag), Some(tag));
    }

    #[test]
    fn what_a_mail_program_adds_does_not_make_another_delivery() {
        let tag = run().probe(1);
        let as_delivered = format!("Received: a by b with SMTP id 1;\n{TAG_HEADER}: {tag}\n\n");
        let as_read = format!("Received: a by b with SMTP id 1;\n{TAG_HEADER}: {tag}\nStatus: RO\nX-UID: 7\n\n");
        let again = format!("Received: a by b with SMTP id 2;\n{TAG_HEADER}: {tag}\n\n");
        let print = |text: &str| stored(text).map(|it| it.fingerprint);
        assert_eq!(print(&as_delivered), print(&as_read));
        assert_ne!(print(&as_delivered), print(&again));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2000)) {
            let _ = read(&bytes, &run());
        }
    }
}

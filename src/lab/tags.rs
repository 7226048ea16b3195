//! Whose copy it is: tags in an envelope and in two headers.

use memchr::memmem;

use crate::record::{RunId, TAG_HEADER, Tag, find_tags};
use crate::smtp::server::Envelope;

/// The most of a message's beginning in which headers are looked for, in bytes.
const MAX_HEADERS: usize = 256 * 1024;

/// The tags of `run` in the envelope, and in the tag and Message-ID headers; each once.
pub(super) fn of(run: &RunId, envelope: &Envelope, message: &[u8]) -> Vec<Tag> {
    let mut tags = in_addresses(run, std::iter::once(&envelope.from).chain(&envelope.recipients));
    let headers = &message[..message.len().min(MAX_HEADERS)];
    if memmem::find(headers, run.as_str().as_bytes()).is_some() {
        in_headers(run, headers, &mut tags);
    }
    tags
}

/// The tags of `run` in some addresses; each once.
pub(super) fn in_addresses<'a>(run: &RunId, addresses: impl IntoIterator<Item = &'a String>) -> Vec<Tag> {
    let mut tags = vec![];
    for address in addresses {
        find_tags(address, run.as_str()).for_each(|tag| add(&mut tags, tag));
    }
    tags
}

fn in_headers(run: &RunId, message: &[u8], tags: &mut Vec<Tag>) {
    let mut ours = false;
    for line in message.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return;
        }
        // A line that begins with a blank goes on with the header before it (RFC 5322 2.2.3).
        if !matches!(line[0], b' ' | b'\t') {
            ours = is(line, TAG_HEADER) || is(line, "Message-ID");
        }
        if ours {
            find_tags(&String::from_utf8_lossy(line), run.as_str()).for_each(|tag| add(tags, tag));
        }
    }
}

fn is(line: &[u8], name: &str) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        && line.get(name.len()) == Some(&b':')
}

fn add(tags: &mut Vec<Tag>, tag: Tag) {
    if !tags.contains(&tag) {
        tags.push(tag);
    }
}

//! Stored messages, and their paths for people and programs.

use serde::Serialize;

use super::walk::{Step, walk};
use crate::inventory::Inventory;
use crate::mail::received;
use crate::record::{TAG_HEADER, Trust};

/// The most messages of one file that are traced.
const MAX_MESSAGES: usize = 100_000;

/// A message and its path.
#[derive(Clone, Debug, Serialize)]
pub struct TracedMessage {
    /// Its Message-ID, without angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The tag, where it is a probe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Where it was found.
    pub file: String,
    /// Hop by hop, the first one first.
    pub path: Vec<PathHop>,
}

/// One hop, as its header tells it.
#[derive(Clone, Debug, Serialize)]
pub struct PathHop {
    /// What the client called itself; a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The client's name by its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdns: Option<String>,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Who took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// The queue-id there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is said of the encryption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// The program that wrote the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writer: Option<String>,
    /// When, as the header says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How long after the hop before, in seconds; below zero where two clocks disagree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_s: Option<i64>,
    /// The platform of the host that took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Whether it is proven who wrote the header.
    pub trust: Trust,
    /// Why.
    pub why: String,
}

impl PathHop {
    fn of(step: Step) -> Self {
        let header = step.header;
        let at = header.time().map(|at| at.to_string()).or(header.at);
        Self {
            from: header.from,
            rdns: header.rdns,
            address: header.from_ip.map(|address| address.to_string()),
            by: header.by,
            with: header.with,
            id: header.id,
            tls: header.tls,
            writer: header.writer,
            at,
            delay_s: step.delay.map(|delay| delay.as_secs()),
            platform: step.platform,
            trust: step.trust,
            why: step.why,
        }
    }
}

/// The path of a message, by its own `Received:` headers.
pub fn trace(message: &[u8], file: &str, inventory: &Inventory) -> TracedMessage {
    let chain: Vec<_> = received::chain(message).into_iter().map(|(header, _)| header).collect();
    let mut path: Vec<PathHop> = walk(&chain, inventory).into_iter().map(PathHop::of).collect();
    path.reverse();
    let field = |name: &str| field(message, name);
    let message_id = field("message-id").map(|id| id.trim_matches(['<', '>']).to_owned());
    TracedMessage { message_id, tag: field(TAG_HEADER), file: file.to_owned(), path }
}

/// A field of the header, unfolded.
fn field(message: &[u8], name: &str) -> Option<String> {
    let mut found: Option<Vec<u8>> = None;
    for line in message.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        match (&mut found, line.first()) {
            (_, None) => break,
            (Some(value), Some(b' ' | b'\t')) => value.extend_from_slice(line),
            (Some(_), _) => break,
            (None, _) => {
                let colon = memchr::memchr(b':', line).unwrap_or(0);
                let is_it = line[..colon].trim_ascii().eq_ignore_ascii_case(name.as_bytes());
                found = is_it.then(|| line[colon + 1..].to_vec());
            }
        }
    }
    let text = String::from_utf8_lossy(&found?).split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// The messages of a file: one, or as many as an mbox file holds, each with its line.
pub fn messages_in(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    if !bytes.starts_with(b"From ") {
        return vec![(1, bytes)];
    }
    let (mut messages, mut begun, mut at, mut blank) = (vec![], None, 0, true);
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if blank && line.starts_with(b"From ") {
            messages.extend(begun.map(|(number, start): (usize, usize)| (number, &bytes[start..at])));
            begun = Some((number + 1, at + line.len()));
            if messages.len() == MAX_MESSAGES {
                return messages;
            }
        }
        at += line.len();
        blank = matches!(line, b"\n" | b"\r\n");
    }
    messages.extend(begun.map(|(number, start)| (number, &bytes[start..])));
    messages
}

/// The path for people.
pub fn render(message: &TracedMessage) -> String {
    let id = message.message_id.as_deref().unwrap_or("no Message-ID");
    let mut text = format!("{id}\n  in {}\n", message.file);
    if message.path.is_empty() {
        text.push_str("  it has no Received: header: nothing is known of its path\n");
    }
    for (index, hop) in message.path.iter().enumerate() {
        let client = match (&hop.rdns, &hop.from, &hop.address) {
            (Some(name), _, Some(address)) => format!("{name} [{address}]"),
            (None, Some(name), Some(address)) => format!("[{address}], which calls itself {name},"),
            (None, None, Some(address)) => format!("[{address}]"),
            (_, Some(name), None) => name.clone(),
            _ => "somebody".to_owned(),
        };
        let by = hop.by.as_deref().unwrap_or("an unnamed host");
        text.push_str(&format!("  {}  {client} -> {by}\n", index + 1));
        let facts = [
            hop.platform.as_ref().map(|it| format!("platform {it}")),
            hop.with.clone(),
            hop.tls.clone().map(|it| if it.to_ascii_uppercase().starts_with("TLS") { it } else { format!("TLS {it}") }),
            hop.id.as_ref().map(|it| format!("id {it}")),
            hop.writer.clone(),
            hop.at.clone(),
            hop.delay_s.map(|it| format!("{it:+} s")),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        text.push_str(&format!("     {}\n     {}: {}\n", facts.join("  "), hop.trust, hop.why));
    }
    clean(&text)
}

/// Without control characters: headers are written by strangers.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

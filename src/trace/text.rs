//! A trace for people: message by message, hop by hop.

use jiff::Timestamp;

use super::message::{Hop, Message, Outcome, Refused, Status, Trace};
use crate::source::{Paint, plural};

/// The longest reply that is shown, in characters.
const MAX_REPLY: usize = 120;

/// How much is said of each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// One line.
    Brief,
    /// Each hop.
    Hops,
}

impl From<bool> for Detail {
    fn from(quiet: bool) -> Self {
        if quiet { Detail::Brief } else { Detail::Hops }
    }
}

/// All messages, and how many there are.
pub fn text(trace: &Trace, paint: Paint, detail: Detail) -> String {
    let mut out = String::new();
    for message in &trace.messages {
        out.push_str(&headline(message, paint));
        if detail == Detail::Hops {
            message.deliveries.iter().for_each(|hop| out.push_str(&shown(hop, paint)));
            out.push('\n');
        }
    }
    for refused in &trace.refusals {
        out.push_str(&refusal(refused, paint));
    }
    if !trace.refusals.is_empty() && detail == Detail::Hops {
        out.push('\n');
    }
    out.push_str(&total(trace));
    out
}

fn headline(message: &Message, paint: Paint) -> String {
    let id = message.message_id.as_deref().unwrap_or("(no Message-ID)");
    let from = match message.sender.as_deref() {
        None => String::new(),
        Some("") => ", a notification".to_owned(),
        Some(sender) => format!(", from {}", clean(sender)),
    };
    let client = message.client.as_deref().map(|it| format!(", handed over by {}", clean(it))).unwrap_or_default();
    let outcome = tinted(message.outcome.word(), tint(message.outcome), paint);
    format!("{outcome}  {}{from}{client}\n", clean(id))
}

fn shown(hop: &Hop, paint: Paint) -> String {
    let at = hop.at.map_or_else(|| "no time".to_owned(), when);
    let by = hop.by.as_deref().unwrap_or("-");
    let status = tinted(&format!("{:<9}", hop.status.word()), tint(hop.status.into()), paint);
    let original = hop.original_recipient.as_deref().map(|it| format!(" (for {})", clean(it))).unwrap_or_default();
    let mut first = format!("  {at}  {by} {}  {status} {}{original}", hop.queue_id, clean(&hop.recipient));
    if let Some(next) = next(hop) {
        first.push_str(&format!(" → {next}"));
    }
    let code = hop.code.map(|it| format!("{it} ")).unwrap_or_default();
    // The reply mostly begins with the code.
    let code = if hop.reply.contains(code.trim_end()) { String::new() } else { code };
    let reply = shortened(&format!("{code}{}", hop.reply));
    format!("{first}\n      {}:{}  {reply}\n", hop.file, hop.line)
}

/// Where a hop led to, and to which platform that belongs.
fn next(hop: &Hop) -> Option<String> {
    let address = hop.address.map(|it| match hop.port {
        Some(port) => std::net::SocketAddr::new(it, port).to_string(),
        None => it.to_string(),
    });
    let place = match (&hop.host, address) {
        (Some(host), Some(address)) => format!("{host} [{address}]"),
        (Some(host), None) => host.clone(),
        (None, Some(address)) => format!("[{address}]"),
        (None, None) if hop.status == Status::Local => "a mailbox of this host".to_owned(),
        (None, None) if hop.status == Status::Sent => "a place that the log does not tell".to_owned(),
        (None, None) => return None,
    };
    let platform = hop.platform.as_deref().map(|it| format!(" of `{it}`")).unwrap_or_default();
    let queue_id = hop.next_queue_id.as_deref().map(|it| format!(", there {}", clean(it))).unwrap_or_default();
    Some(format!("{}{platform}{queue_id}", clean(&place)))
}

fn refusal(refused: &Refused, paint: Paint) -> String {
    let at = refused.at.map_or_else(|| "no time".to_owned(), when);
    let word = tinted("refused", Some("31"), paint);
    let who = |address: &str| if address.is_empty() { "<>".to_owned() } else { clean(address) };
    format!(
        "{word}  {at}  {} → {}  {}:{}  {}\n",
        who(&refused.sender),
        who(&refused.recipient),
        refused.file,
        refused.line,
        shortened(&refused.reply)
    )
}

fn total(trace: &Trace) -> String {
    let mut parts = vec![plural(trace.messages.len(), "message")];
    for outcome in Outcome::ALL {
        let count = trace.messages.iter().filter(|it| it.outcome == *outcome).count();
        if count > 0 {
            parts.push(format!("{count} {outcome}"));
        }
    }
    let mut line = format!("{}: {}", parts[0], parts[1..].join(", "));
    if parts.len() == 1 {
        line = parts.remove(0);
    }
    line.push_str(&format!("; {} still in a queue", trace.open));
    if !trace.refusals.is_empty() {
        line.push_str(&format!("; {} refused", trace.refusals.len()));
    }
    if trace.odd_lines > 0 {
        line.push_str(&format!(
            "; {} could not be read",
            plural(usize::try_from(trace.odd_lines).unwrap_or(usize::MAX), "line")
        ));
    }
    line.push('\n');
    line
}

/// Date and time in UTC, to the second.
fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn shortened(text: &str) -> String {
    let clean = clean(text);
    match clean.char_indices().nth(MAX_REPLY) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

/// Logs hold what strangers sent: no control character reaches the terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn tint(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Sent | Outcome::Local => Some("32"),
        Outcome::Bounced | Outcome::Expired => Some("31"),
        Outcome::Deferred | Outcome::Open | Outcome::Mixed | Outcome::Discarded => Some("33"),
    }
}

fn tinted(text: &str, sgr: Option<&str>, paint: Paint) -> String {
    match sgr.filter(|_| paint == Paint::Colour) {
        Some(sgr) => format!("\u{1b}[1;{sgr}m{text}\u{1b}[0m"),
        None => text.to_owned(),
    }
}

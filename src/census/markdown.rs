//! A census for people: a table of Markdown, or the same in columns on a terminal.

use jiff::Timestamp;

use super::row::{Census, Class, Row};
use crate::source::plural;

/// The most rows on a terminal; the files have all.
const MAX_ROWS: usize = 40;

/// As Markdown.
pub fn markdown(census: &Census) -> String {
    let mut out = format!("# Who still hands mail to `{}`\n\n{}\n", census.platform, summary(census));
    for class in Class::ALL {
        let rows: Vec<&Row> = census.senders.iter().filter(|it| it.class == *class).collect();
        if rows.is_empty() {
            continue;
        }
        out.push_str(&format!("\n## {}\n\n{}\n\n", title(*class), advice(*class)));
        out.push_str("| messages | client | HELO | user | recipient domain | first seen | last seen | example |\n");
        out.push_str("|---:|---|---|---|---|---|---|---|\n");
        for row in rows {
            let cells = [
                row.messages.to_string(),
                client(row),
                row.helo.clone().unwrap_or_default(),
                row.user.clone().unwrap_or_default(),
                row.recipient_domain.clone(),
                when(row.first_seen),
                when(row.last_seen),
                row.example.clone(),
            ];
            let cells: Vec<String> = cells.iter().map(|it| escaped(it)).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    out
}

/// For a terminal.
pub fn text(census: &Census) -> String {
    let mut out = format!("{}\n", summary(census));
    for class in Class::ALL {
        let rows: Vec<&Row> = census.senders.iter().filter(|it| it.class == *class).collect();
        if rows.is_empty() {
            continue;
        }
        out.push_str(&format!("\n{}: {}\n", title(*class), advice(*class)));
        for row in rows.iter().take(MAX_ROWS) {
            let user = row.user.as_deref().map(|it| format!(" as {}", clean(it))).unwrap_or_default();
            let seen = format!("{} to {}", when(row.first_seen), when(row.last_seen));
            let domain = clean(&row.recipient_domain);
            out.push_str(&format!(
                "  {:>7}  {}{user}  for {domain}  {seen}  {}\n",
                row.messages,
                client(row),
                row.example
            ));
        }
        if rows.len() > MAX_ROWS {
            out.push_str(&format!("  and {} more; --format json has them all\n", rows.len() - MAX_ROWS));
        }
    }
    out
}

fn summary(census: &Census) -> String {
    let count = |number: u64, noun: &str| plural(usize::try_from(number).unwrap_or(usize::MAX), noun);
    let mut line = format!("`{}` took {}", census.platform, count(census.messages, "message"));
    if let (Some(first), Some(last)) = (census.first_seen, census.last_seen) {
        line.push_str(&format!(" from {} to {} UTC", when(Some(first)), when(Some(last))));
    }
    if census.refused > 0 {
        line.push_str(&format!(", and refused {}", census.refused));
    }
    line.push('.');
    if let Some(until) = census.cached_until {
        line.push_str(&format!(" Senders may have kept the old MX records until {} UTC.", when(Some(until))));
    }
    if census.odd_lines > 0 {
        line.push_str(&format!(" {} could not be read.", count(census.odd_lines, "line")));
    }
    line
}

fn title(class: Class) -> &'static str {
    match class {
        Class::BackupMx => "Senders that used it as an MX",
        Class::CachedDns => "Senders with cached DNS",
        Class::Submission => "Submission by users and applications",
        Class::Relay => "Hosts that use it as their relay",
        Class::Local => "Its own users and programs",
    }
}

fn advice(class: Class) -> &'static str {
    match class {
        Class::BackupMx => "the MX records still name it, or these senders do themselves",
        Class::CachedDns => "explained by the TTL of the old records; there should be none after it",
        Class::Submission => "change the server in their settings before it is switched off",
        Class::Relay => "change the relay (smarthost) of these hosts",
        Class::Local => "they never look at MX: local domains and aliases of the old host decide",
    }
}

fn client(row: &Row) -> String {
    let address = row.address.map(|it| format!("[{it}]"));
    let parts: Vec<String> = row.ptr.clone().into_iter().chain(address).collect();
    let name = if parts.is_empty() { "the host itself".to_owned() } else { clean(&parts.join(" ")) };
    match &row.client_platform {
        Some(platform) => format!("{name} of `{platform}`"),
        None => name,
    }
}

fn when(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

/// Logs hold what strangers sent: no control character gets through.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// In a cell nothing ends the cell or becomes markup.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        if matches!(c, '|' | '<' | '>' | '*' | '_' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

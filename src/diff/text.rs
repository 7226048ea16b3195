//! A difference in lines, for people.

use super::{Difference, Fate, Hops, Legacy};
use crate::source::plural;

/// A difference as text, ending in a newline.
pub fn render(difference: &Difference) -> String {
    let mut lines = vec![];
    for hops in &difference.hops {
        source(&mut lines, hops);
    }
    for it in &difference.findings {
        lines.push(format!("{}  {}: {} [{}]", sign(it.fate), it.finding.subject, it.finding.title, it.finding.id));
    }
    let count = |fate: Fate| difference.findings.iter().filter(|it| it.fate == fate).count();
    if !difference.findings.is_empty() {
        lines.push(String::new());
        let parts = [Fate::Gone, Fate::Stayed, Fate::New].map(|fate| format!("{} {fate}", count(fate)));
        lines.push(format!("{}: {}", plural(difference.findings.len(), "finding"), parts.join(", ")));
    }
    lines.push(String::new());
    lines.push(last(difference));
    lines.join("\n") + "\n"
}

fn source(lines: &mut Vec<String>, hops: &Hops) {
    lines.push(format!("{}, {}", hops.source, hops.phase));
    for relay in &hops.relays {
        let platform = relay.platform.as_ref().map(|name| format!(" (`{name}`)")).unwrap_or_default();
        lines.push(format!("  {}  {}{platform}", sign(relay.fate), relay.host));
    }
    if hops.relays.is_empty() {
        lines.push("     no host on its way is known".to_owned());
    }
}

fn sign(fate: Fate) -> &'static str {
    match fate {
        Fate::Gone => "-",
        Fate::Stayed => "=",
        Fate::New => "+",
    }
}

fn last(difference: &Difference) -> String {
    let name = &difference.platform;
    match difference.legacy {
        Legacy::Gone => format!("`{name}` is on no way any more"),
        Legacy::Unknown => format!("nothing in the later record tells whether `{name}` is still there"),
        Legacy::Still => {
            let hosts: Vec<&str> = difference
                .hops
                .iter()
                .flat_map(|hops| &hops.relays)
                .filter(|relay| relay.fate != Fate::Gone && relay.platform.as_deref() == Some(name.as_str()))
                .map(|relay| relay.host.as_str())
                .collect();
            match hosts.first() {
                Some(host) => format!("`{name}` is still there: mail still meets {host}"),
                None => format!("`{name}` is still there: findings name it"),
            }
        }
    }
}

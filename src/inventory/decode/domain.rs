//! Domains of an inventory.

use indexmap::IndexMap;
use jiff::Timestamp;

use super::value::host_name;
use crate::inventory::{Backup, BackupDuty, BackupRule, Domain, DomainPhase, Platform};
use crate::mail::address::is_domain;
use crate::source::read::{Fields, Said, scalar, spanned, text, word};
use crate::source::yaml::Node;
use crate::source::{Diagnostic, Spanned, and_list, closest};

/// One entry of `domains`.
pub(super) fn domain(key: &Spanned<String>, node: &Node, said: &mut Said) -> Option<Domain> {
    let name = name(key, said);
    let mut map = Fields::of(node, "a domain", said)?;
    let phase = map.optional("phase", word("a phase of a migration", "phases", DomainPhase::ALL, DomainPhase::word));
    let at = map.required("at", spanned(text));
    let mx = map.several("mx", spanned(host_name));
    let backup = map.optional("backup", backup).unwrap_or_default();
    let changed = map.optional("changed", timestamp);
    let cohort = map.optional("cohort", text);
    let selectors = map.several("selectors", spanned(host_name));
    let recipient = map.optional("recipient", spanned(text));
    map.done();
    let phase = phase.unwrap_or(DomainPhase::Moved);
    Some(Domain { name: name?, phase, at: at?, mx, backup, changed, cohort, selectors, recipient })
}

fn name(key: &Spanned<String>, said: &mut Said) -> Option<Spanned<String>> {
    let name = key.value.strip_suffix('.').unwrap_or(&key.value).to_lowercase();
    if is_domain(&name) {
        return Some(Spanned::new(name, key.span));
    }
    let title = format!("`{}` is not a domain", key.value);
    said.refuse(Diagnostic::error(key.span, title).note("domains are labels between dots, such as `drill.example`"))
}

fn backup(node: &Node, said: &mut Said) -> Option<Backup> {
    let mut map = Fields::of(node, "a backup", said)?;
    let rule = map.required("rule", word("a rule for backups", "rules", BackupRule::ALL, BackupRule::word));
    let hosts = map.several("hosts", spanned(host_name));
    let may = map.optional("may", word("a duty of a backup", "duties", BackupDuty::ALL, BackupDuty::word));
    map.done();
    Some(Backup { rule: rule?, hosts, may: may.unwrap_or(BackupDuty::Queue) })
}

fn timestamp(node: &Node, said: &mut Said) -> Option<Timestamp> {
    let text = scalar(node, "a time such as `2026-11-20T14:00:00Z`", said)?;
    text.parse().ok().or_else(|| {
        let error = Diagnostic::error(node.span, format!("`{text}` is not a time"));
        said.refuse(error.note("times are written with their zone, such as `2026-11-20T14:00:00Z` (RFC 3339)"))
    })
}

/// Whether what a domain names is there.
pub(super) fn check(domain: &Domain, platforms: &IndexMap<String, Platform>, said: &mut Said) {
    if platforms.contains_key(&domain.at.value) {
        return;
    }
    let names: Vec<&str> = platforms.keys().map(String::as_str).collect();
    let error = Diagnostic::error(domain.at.span, format!("`{}` is not a platform", domain.at.value));
    let error = match closest(&domain.at.value, names.iter().copied()) {
        Some(near) => error.label(format!("did you mean `{near}`?")),
        None => error,
    };
    said.say(error.note(format!("platforms are {}", and_list(&names))));
}

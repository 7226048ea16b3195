//! A finding: what it is, what shows it, what mends it; and what could not be looked at.

use serde_json::{Map, Value};

use super::page::{Page, Piece, Tint};
use super::prose::tame;
use crate::record::{Coverage, Finding, FindingSeverity, Record, Sight};
use crate::source::plural;

/// The most pieces of evidence of one finding that are shown; the record holds all of them.
const MOST_EVIDENCE: usize = 12;

/// All findings of a record, subject by subject.
pub(super) fn write(page: &mut Page, record: &Record) {
    let mut subject = None;
    for finding in &record.findings {
        page.gap();
        let several = record.findings.iter().any(|other| other.subject != finding.subject);
        if several && subject != Some(&finding.subject) {
            page.entry(("", Tint::Plain), &[Piece::new(tame(&finding.subject), Tint::Strong)]);
            page.gap();
            subject = Some(&finding.subject);
        }
        one(page, finding);
    }
}

fn one(page: &mut Page, finding: &Finding) {
    let title =
        [Piece::new(tame(&finding.title), Tint::Strong), Piece::new(format!(" [{}]", tame(&finding.id)), Tint::Faint)];
    page.entry((finding.severity.word(), tint(finding.severity)), &title);
    for line in evidence(finding) {
        page.under(0, &[Piece::from(line)]);
    }
    if let Some(fix) = &finding.fix {
        page.under(0, &[Piece::from(format!("help: {}", tame(fix)))]);
    }
}

/// The colour of a severity.
fn tint(severity: FindingSeverity) -> Tint {
    match severity {
        FindingSeverity::Error => Tint::Fail,
        FindingSeverity::Warning => Tint::Inconclusive,
        FindingSeverity::Info => Tint::Plain,
    }
}

/// What shows a finding, a line each.
pub(super) fn evidence(finding: &Finding) -> Vec<String> {
    let mut lines: Vec<String> = finding.evidence.iter().take(MOST_EVIDENCE).map(told).collect();
    match finding.evidence.len().saturating_sub(MOST_EVIDENCE) {
        0 => {}
        more => lines.push(format!("and {} in the record", plural(more, "more piece"))),
    }
    lines
}

/// A piece of evidence in a line: its `text`, a place in a file and what stands there, or its keys
/// one by one.
fn told(evidence: &Value) -> String {
    match evidence {
        Value::Object(map) => match (map.get("text").and_then(Value::as_str), place(map)) {
            (Some(text), None) => tame(text),
            (Some(text), Some(place)) => format!("{place}: {}", tame(text)),
            (None, Some(place)) => format!("{place}: {}", keys(map, &["file", "line", "column"])),
            (None, None) => keys(map, &[]),
        },
        other => tame(&plain(other)),
    }
}

/// `file:line:column`, as editors understand it.
fn place(map: &Map<String, Value>) -> Option<String> {
    let mut place = tame(map.get("file")?.as_str()?);
    for key in ["line", "column"] {
        match map.get(key).and_then(Value::as_u64) {
            Some(number) => place.push_str(&format!(":{number}")),
            None => break,
        }
    }
    Some(place)
}

fn keys(map: &Map<String, Value>, without: &[&str]) -> String {
    let told = |(key, value): (&String, &Value)| match value {
        Value::Null => None,
        _ if without.contains(&key.as_str()) => None,
        value => Some(tame(&format!("{key} {}", plain(value)))),
    };
    map.iter().filter_map(told).collect::<Vec<_>>().join(", ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// What could not be looked at and what was left out, each in a line; how much was seen.
pub(super) fn coverage(page: &mut Page, record: &Record) {
    let missing: Vec<&Coverage> = record.coverage.iter().filter(|it| it.look != Sight::Seen).collect();
    if record.coverage.is_empty() {
        return;
    }
    page.gap();
    for one in &missing {
        let margin = match one.look {
            Sight::Unable => ("not seen", Tint::Inconclusive),
            _ => ("left out", Tint::Plain),
        };
        page.entry(margin, &[Piece::from(unseen(one))]);
    }
    let seen = record.coverage.len() - missing.len();
    let text = match missing.len() {
        0 => format!("all {seen} that were asked for"),
        _ => format!("{seen} of {}; what was not seen is not clean", record.coverage.len()),
    };
    page.entry(("looked at", Tint::Plain), &[Piece::from(text)]);
}

/// How much was looked at, in a sentence, and what was not, a line each; none for a run.
pub(super) fn looked_at(record: &Record) -> Option<(String, Vec<String>)> {
    let unseen = record.coverage.iter().filter(|it| it.look != Sight::Seen);
    let unseen: Vec<String> = unseen.map(|it| format!("{}: {}", it.look, self::unseen(it))).collect();
    let (all, seen) = (record.coverage.len(), record.coverage.len() - unseen.len());
    (all > 0).then(|| (format!("Looked at {seen} of {all}; what was not seen is not clean."), unseen))
}

/// What of what could not be seen, and why.
pub(super) fn unseen(one: &Coverage) -> String {
    let why = one.why.as_deref().map(|why| format!(": {}", tame(why))).unwrap_or_default();
    match one.subject == one.what {
        true => format!("{}{why}", tame(&one.what)),
        false => format!("{}, {}{why}", tame(&one.subject), tame(&one.what)),
    }
}

/// `2 errors, 1 warning`; `nothing` where nothing was found.
pub(super) fn count(findings: &[Finding]) -> String {
    let of = |severity: FindingSeverity| findings.iter().filter(|finding| finding.severity == severity).count();
    let parts: Vec<String> = [FindingSeverity::Error, FindingSeverity::Warning, FindingSeverity::Info]
        .into_iter()
        .filter(|severity| of(*severity) > 0)
        .map(|severity| match severity {
            FindingSeverity::Info => format!("{} to know", of(severity)),
            severity => plural(of(severity), severity.word()),
        })
        .collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn evidence_is_told_by_its_place_or_its_text() {
        assert_eq!(
            told(&json!({ "text": "drill.example. MX 20 mx.old.example." })),
            "drill.example. MX 20 mx.old.example."
        );
        assert_eq!(
            told(&json!({ "file": "main.cf", "line": 7, "column": 3, "key": "relayhost", "state": "active" })),
            "main.cf:7:3: key relayhost, state active"
        );
        assert_eq!(told(&json!("as it is\u{1b}[2J")), "as it is\\u{1b}[2J");
    }
}

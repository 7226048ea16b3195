//! A line a scenario, and the total.

use super::super::Detail;
use super::super::finding;
use super::super::page::{Page, Piece, Tint};
use super::super::prose::{seconds, tame};
use super::margin;
use super::scenario::{in_short, took};
use crate::record::{Record, Report, RunState};
use crate::source::plural;
use crate::terms::Verdict;

pub(super) fn write(page: &mut Page, report: &Report, detail: Detail) {
    page.gap();
    if report.records.len() > 1 && detail != Detail::Brief {
        page.rule();
        for record in &report.records {
            line(page, record);
        }
        page.gap();
    }
    page.entry(margin(report.verdict), &[Piece::new(examined(report).unwrap_or_else(|| total(report)), Tint::Strong)]);
}

fn line(page: &mut Page, record: &Record) {
    let mut text = vec![Piece::from(tame(&record.scenario.name))];
    text.extend(in_short(record).map(Piece::from));
    if record.state == RunState::Interrupted {
        text.push(Piece::new(" (interrupted)", Tint::Inconclusive));
    }
    text.push(Piece::new(format!(", {}", took(record)), Tint::Faint));
    page.entry(margin(record.run_verdict), &text);
}

/// What all audits and scans of a report found, where it holds nothing else.
fn examined(report: &Report) -> Option<String> {
    let all = !report.records.is_empty() && report.records.iter().all(Record::examined);
    all.then(|| format!("found {}, {}", finding::count(&report.findings), seconds(busy(&report.records))))
}

/// `12 scenarios: 10 as expected, 1 failed, 1 inconclusive, 8.1s`.
fn total(report: &Report) -> String {
    let count = |verdict: Verdict| report.records.iter().filter(|record| record.run_verdict == verdict).count();
    let mut parts = vec![];
    let words = [(Verdict::Pass, "as expected"), (Verdict::Fail, "failed"), (Verdict::Inconclusive, "inconclusive")];
    for (verdict, word) in words {
        match count(verdict) {
            0 => {}
            some => parts.push(format!("{some} {word}")),
        }
    }
    match report.records.iter().filter(|record| record.state == RunState::Interrupted).count() {
        0 => {}
        some => parts.push(format!("{some} interrupted")),
    }
    parts.push(seconds(busy(&report.records)));
    format!("{}: {}", plural(report.records.len(), "scenario"), parts.join(", "))
}

/// For how many milliseconds any of them was running; runs may overlap, or be years apart.
fn busy(records: &[Record]) -> i64 {
    let mut spans: Vec<(i64, i64)> =
        records.iter().map(|record| (record.started.as_millisecond(), record.finished.as_millisecond())).collect();
    spans.sort_unstable();
    let mut sum = 0;
    let mut until = i64::MIN;
    for (start, end) in spans {
        sum += (end - start.max(until)).max(0);
        until = until.max(end);
    }
    sum
}

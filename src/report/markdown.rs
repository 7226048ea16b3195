//! Markdown, for an operations handbook, a ticket, or the summary of a CI job.
//!
//! ```text
//!   # verdict
//!   per record:  what was found | phase by phase, like probes together | what failed, as drawn
//!                the design as proven: MX by MX, way by way, TLS
//! ```

use std::fmt::Write as _;

use super::design::Design;
use super::failure;
use super::finding;
use super::prose::{between, clock, probes, repeat, seconds, tame, times};
use super::route::{Group, groups};
use super::story::Faults;
use crate::record::{PhaseRecord, Record, Report};
use crate::source::Paint;
use crate::terms::Verdict;

/// Columns of what is drawn: code blocks are shown in narrow pages.
const WIDTH: usize = 100;

/// The report as Markdown (CommonMark with tables).
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    line(&mut out, &format!("# mxdrill: {}", report.verdict));
    line(&mut out, "");
    if report.records.len() > 1 {
        table(
            &mut out,
            &["verdict", "scenario", "took"],
            report
                .records
                .iter()
                .map(|record| vec![mark(record.run_verdict), record.scenario.name.clone(), seconds(took(record))]),
        );
    }
    report.records.iter().for_each(|record| whole(&mut out, record));
    out
}

fn took(record: &Record) -> i64 {
    between(record.started, record.finished)
}

fn whole(out: &mut String, record: &Record) {
    heading(out, 2, &format!("{}: {}", record.run_verdict, tame(&record.scenario.name)));
    if record.examined() {
        paragraph(out, &format!("{}, {}", clock(record.started), seconds(took(record))));
    } else {
        let origin =
            format!("run {}, seed {}, {}, {}", record.run, record.seed, clock(record.started), seconds(took(record)));
        paragraph(out, &format!("`{}` - {origin}", tame(&record.scenario.path).replace('`', "'")));
    }
    if let Some(expected) = record.expected_verdict {
        paragraph(out, &format!("The scenario says that `{expected}` must come out; `{}` did.", record.verdict));
    }
    findings(out, record);
    record.phases.iter().for_each(|phase| self::phase(out, record, phase));
    drawings(out, record);
    if !record.phases.is_empty() {
        design(out, record);
        controls(out, record);
        paragraph(out, "To see it again:");
        code(out, "sh", &repeat(record));
    }
}

fn findings(out: &mut String, record: &Record) {
    for it in &record.findings {
        heading(out, 3, &format!("{}: {}", it.severity, tame(&it.title)));
        let whose = it.platform.as_ref().map(|name| format!(", platform `{}`", tame(name))).unwrap_or_default();
        paragraph(out, &format!("`{}` of {}{whose}", tame(&it.id), escaped(&tame(&it.subject))));
        let evidence = finding::evidence(it);
        if !evidence.is_empty() {
            code(out, "", &evidence.join("\n"));
        }
        if let Some(fix) = &it.fix {
            paragraph(out, &format!("**Fix:** {}", escaped(&tame(fix))));
        }
    }
    if let Some((text, unseen)) = finding::looked_at(record) {
        paragraph(out, &text);
        unseen.iter().for_each(|text| line(out, &format!("- {}", escaped(text))));
        line(out, "");
    }
}

fn phase(out: &mut String, record: &Record, phase: &PhaseRecord) {
    heading(out, 3, &format!("{}: phase {}", phase.verdict, tame(&phase.name)));
    for fault in &phase.faults {
        let what = format!("{} at {} of {}, fired {}", fault.action, fault.at, fault.host, times(fault.fired));
        line(out, &format!("- fault: {}", escaped(&tame(&what))));
    }
    phase.why.iter().for_each(|why| line(out, &format!("- {}", escaped(&tame(why)))));
    if !phase.faults.is_empty() || !phase.why.is_empty() {
        line(out, "");
    }
    sources(out, phase);
    let faults = Faults::of(record);
    let groups = groups(&phase.probes, &faults);
    table(out, &["verdict", "probes", "sender", "outcome", "way", "why"], groups.iter().map(row));
}

/// Which way each sender's probes took, side by side.
fn sources(out: &mut String, phase: &PhaseRecord) {
    let rows = super::sources::rows(phase);
    if rows.is_empty() {
        return;
    }
    paragraph(out, "Which way each source's mail took:");
    let row = |it: super::sources::SourceRow| {
        vec![mark(it.verdict), it.sender, it.kind, it.way, it.outcome, it.probes.to_string()]
    };
    table(out, &["verdict", "source", "kind", "way", "outcome", "probes"], rows.into_iter().map(row));
}

fn row(group: &Group<'_>) -> Vec<String> {
    let probe = group.first().probe;
    let legs = group.legs().map(|leg| {
        let faults: Vec<String> = leg.faults.iter().map(|fault| format!(" (fault {fault})")).collect();
        format!("{}: {}{}", leg.place, leg.text(), faults.join(""))
    });
    let way: Vec<String> = legs.map(|leg| cell(&leg)).collect();
    let outcome = probe.outcome.map_or("not sent".to_owned(), |outcome| outcome.to_string());
    vec![
        mark(probe.verdict),
        probes(group.probes().map(|probe| &probe.tag)),
        probe.sender.clone(),
        outcome,
        // The cells of this one are escaped already: it holds line breaks of its own.
        format!("{RAW}{}", way.join("<br>")),
        probe.why.clone(),
    ]
}

fn drawings(out: &mut String, record: &Record) {
    if record.run_verdict == Verdict::Pass && record.expected_verdict.is_none() {
        return;
    }
    for phase in &record.phases {
        for drawn in failure::of_phase(record, phase, WIDTH, Paint::Plain) {
            code(out, "text", drawn.trim_end());
        }
    }
}

/// The section for the handbook.
fn design(out: &mut String, record: &Record) {
    let design = Design::of(record);
    heading(out, 3, "The design as proven by this run");
    paragraph(out, "Every MX and relay that a probe came to, by preference:");
    table(
        out,
        &["preference", "host", "address", "platform", "what it did"],
        design.mx.into_iter().map(|row| vec![row.preference, row.host, row.addresses, row.platform, row.did]),
    );
    paragraph(out, "The way of each source's mail, and its fallback where something was broken:");
    table(
        out,
        &["source", "phase", "broken", "way", "probes", "proof"],
        design.ways.into_iter().map(|row| vec![row.source, row.phase, row.broken, row.way, row.probes, row.proof]),
    );
    if !design.tls.is_empty() {
        paragraph(out, "TLS as it was seen:");
        table(
            out,
            &["host", "session", "certificate for", "judged"],
            design.tls.into_iter().map(|row| vec![row.host, row.session, row.certificate, row.verdict]),
        );
    }
}

fn controls(out: &mut String, record: &Record) {
    paragraph(out, "Whether mail would have been seen where it could land:");
    table(
        out,
        &["platform", "host", "proof", "why"],
        record.controls.iter().map(|it| {
            vec![it.platform.clone(), it.host.clone().unwrap_or_default(), it.proof.to_string(), it.why.clone()]
        }),
    );
}

/// What stands before a cell that is Markdown already.
const RAW: char = '\u{1}';

fn table(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    line(out, &format!("| {} |", head.join(" | ")));
    line(out, &format!("|{}", "---|".repeat(head.len())));
    for row in rows {
        let cells: Vec<String> =
            row.iter().map(|text| text.strip_prefix(RAW).map_or_else(|| cell(text), str::to_owned)).collect();
        line(out, &format!("| {} |", cells.join(" | ")));
    }
    line(out, "");
}

/// A text as it stands in a table.
fn cell(text: &str) -> String {
    escaped(&tame(text))
}

/// A text of somebody else with nothing in it that Markdown or HTML would obey. Names between
/// back-ticks are ours and stay code.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '*' | '_' | '[' | ']' | '\\' | '~' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn mark(verdict: Verdict) -> String {
    format!("{RAW}**{verdict}**")
}

fn heading(out: &mut String, level: usize, text: &str) {
    line(out, &format!("{} {}", "#".repeat(level), escaped(text)));
    line(out, "");
}

fn paragraph(out: &mut String, text: &str) {
    line(out, text);
    line(out, "");
}

/// A block that is shown as it is; its fence is longer than any in it.
fn code(out: &mut String, language: &str, text: &str) {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    line(out, &format!("{fence}{language}\n{text}\n{fence}\n"));
}

fn line(out: &mut String, text: &str) {
    // It cannot fail: memory takes every byte.
    let _ = writeln!(out, "{text}");
}

//! HTML: one file with nothing to load, for the artefacts of a CI job and for tickets. It is readable on
//! paper and without scripts; details fold.
//!
//! What is shown is put together here, in words; `report.html` only lays it out, and escapes all of it.

use askama::Template;

use super::design::Design;
use super::prose::{between, clock, probes, repeat, seconds, tame, times};
use super::route::{Group, groups};
use super::sources::{self, SourceRow};
use super::story::Faults;
use super::{failure, finding};
use crate::record::{Finding, PhaseRecord, Record, Report};
use crate::source::Paint;
use crate::terms::Verdict;

/// Columns of what is drawn.
const WIDTH: usize = 120;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    verdict: Verdict,
    summary: String,
    records: Vec<Part>,
}

/// One scenario, audit or scan.
struct Part {
    verdict: Verdict,
    name: String,
    origin: Vec<String>,
    findings: Vec<Found>,
    coverage: Option<String>,
    unseen: Vec<String>,
    phases: Vec<Phase>,
    design: Design,
    controls: Vec<[String; 4]>,
    repeat: Option<String>,
}

struct Found {
    severity: String,
    id: String,
    subject: String,
    title: String,
    evidence: Vec<String>,
    fix: Option<String>,
}

struct Phase {
    verdict: Verdict,
    name: String,
    took: String,
    faults: Vec<String>,
    why: Vec<String>,
    sources: Vec<SourceRow>,
    fates: Vec<Fate>,
    drawings: Vec<String>,
}

/// Probes with the same story.
struct Fate {
    verdict: Verdict,
    probes: String,
    sender: String,
    outcome: String,
    why: String,
    legs: Vec<Leg>,
}

struct Leg {
    place: String,
    text: String,
    faults: Vec<String>,
}

/// The report as one HTML file.
pub(super) fn render(report: &Report) -> String {
    let page =
        Page { verdict: report.verdict, summary: summary(report), records: report.records.iter().map(part).collect() };
    // It cannot fail: memory takes every byte, and the template calls nothing that does.
    page.render().unwrap_or_default()
}

fn summary(report: &Report) -> String {
    let count = |verdict: Verdict| report.records.iter().filter(|record| record.run_verdict == verdict).count();
    let parts = Verdict::ALL
        .iter()
        .filter(|verdict| count(**verdict) > 0)
        .map(|verdict| format!("{} {verdict}", count(*verdict)));
    parts.collect::<Vec<_>>().join(", ")
}

fn part(record: &Record) -> Part {
    let (coverage, unseen) = finding::looked_at(record).unzip();
    Part {
        verdict: record.run_verdict,
        name: tame(&record.scenario.name),
        origin: origin(record),
        findings: record.findings.iter().map(found).collect(),
        coverage,
        unseen: unseen.unwrap_or_default(),
        phases: record.phases.iter().map(|it| phase(record, it)).collect(),
        design: Design::of(record),
        controls: controls(record),
        repeat: (!record.examined()).then(|| repeat(record)),
    }
}

fn origin(record: &Record) -> Vec<String> {
    let when = format!("{}, {}", clock(record.started), seconds(between(record.started, record.finished)));
    if record.examined() {
        return vec![when];
    }
    let mut lines = vec![tame(&record.scenario.path), format!("run {}, seed {}, {when}", record.run, record.seed)];
    lines.extend(
        record
            .expected_verdict
            .map(|expected| format!("the scenario says that `{expected}` must come out; `{}` did", record.verdict)),
    );
    lines
}

fn found(it: &Finding) -> Found {
    Found {
        severity: it.severity.to_string(),
        id: tame(&it.id),
        subject: tame(&it.subject),
        title: tame(&it.title),
        evidence: finding::evidence(it),
        fix: it.fix.as_deref().map(tame),
    }
}

fn phase(record: &Record, phase: &PhaseRecord) -> Phase {
    let took = match (phase.started, phase.ended) {
        (Some(started), Some(ended)) => seconds(between(started, ended)),
        (Some(_), None) => "cut off".to_owned(),
        (None, _) => "not reached".to_owned(),
    };
    let fault = |it: &crate::record::RecordedFault| {
        tame(&format!("{} at {} of {}, fired {}", it.action, it.at, it.host, times(it.fired)))
    };
    let told = record.run_verdict != Verdict::Pass || record.expected_verdict.is_some();
    Phase {
        verdict: phase.verdict,
        name: tame(&phase.name),
        took,
        faults: phase.faults.iter().map(fault).collect(),
        why: phase.why.iter().map(|why| tame(why)).collect(),
        sources: sources::rows(phase),
        fates: groups(&phase.probes, &Faults::of(record)).iter().map(fate).collect(),
        drawings: if told { failure::of_phase(record, phase, WIDTH, Paint::Plain) } else { vec![] },
    }
}

fn fate(group: &Group<'_>) -> Fate {
    let probe = group.first().probe;
    Fate {
        verdict: probe.verdict,
        probes: probes(group.probes().map(|probe| &probe.tag)),
        sender: tame(&probe.sender),
        outcome: probe.outcome.map_or("not sent".to_owned(), |outcome| outcome.to_string()),
        why: tame(&probe.why),
        legs: group
            .legs()
            .map(|leg| Leg { place: leg.place.clone(), text: leg.text(), faults: leg.faults.clone() })
            .collect(),
    }
}

fn controls(record: &Record) -> Vec<[String; 4]> {
    let row = |it: &crate::record::Control| {
        [tame(&it.platform), it.host.as_deref().map(tame).unwrap_or_default(), it.proof.to_string(), tame(&it.why)]
    };
    record.controls.iter().map(row).collect()
}

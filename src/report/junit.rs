//! JUnit XML, as CI systems read it.
//!
//! A scenario is a suite and a phase is a case. A case a probe would be more, but not better: its
//! name would differ from run to run, so that no CI system could follow it, and one broken
//! expectation would be told once for every probe. The probes are told in the case's text.
//!
//! `inconclusive` is an `error`, not a `failure`: in JUnit a failure is an assertion that did not
//! hold, an error is a test that could not be carried out, and CI systems show both in red. It is
//! never `skipped`, which they show in green. The same holds for what an interrupted run did not
//! come to.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::prose::{between, tame};
use super::terminal;
use super::{failure, finding};
use crate::record::{Finding, FindingSeverity, PhaseRecord, Record, Report, RunState, Sight};
use crate::source::Paint;
use crate::terms::Verdict;

/// The columns of the texts: CI systems show them in narrow panes.
const WIDTH: usize = 100;

/// The report as JUnit XML.
pub(super) fn render(report: &Report) -> String {
    let mut document = quick_junit::Report::new("mxdrill");
    document.add_test_suites(report.records.iter().map(suite));
    // It cannot fail: memory takes every byte, and all texts are clean of what XML forbids.
    document.to_string().unwrap_or_default()
}

fn suite(record: &Record) -> TestSuite {
    let mut suite = TestSuite::new(record.scenario.name.as_str());
    // Set by hand: the type of the crate's own field would need another library for time.
    suite.extra.insert(XmlString::new("timestamp"), XmlString::new(record.started.to_string()));
    suite.set_time(milliseconds(between(record.started, record.finished)));
    suite.add_properties(properties(record));
    suite.add_test_cases(record.phases.iter().map(|phase| case(record, phase)));
    suite.add_test_cases(expected_case(record));
    if record.examined() {
        suite.add_test_cases(examined(record));
    }
    suite
}

fn properties(record: &Record) -> Vec<Property> {
    let mut properties = vec![
        Property::new("scenario", record.scenario.path.as_str()),
        Property::new("seed", record.seed.to_string()),
        Property::new("run", record.run.as_str()),
        Property::new("version", record.version.as_str()),
        Property::new("state", record.state.word()),
        Property::new("verdict", record.verdict.word()),
    ];
    properties.extend(record.expected_verdict.map(|verdict| Property::new("expected-verdict", verdict.word())));
    properties
}

fn case(record: &Record, phase: &PhaseRecord) -> TestCase {
    let mut case = TestCase::new(phase.name.as_str(), status(record, phase));
    case.set_classname(record.scenario.path.as_str());
    if let (Some(started), Some(ended)) = (phase.started, phase.ended) {
        case.set_time(milliseconds(between(started, ended)));
    }
    let mut told = terminal::phase(record, phase, WIDTH);
    if record.expected_verdict.is_some() {
        failure::of_phase(record, phase, WIDTH, Paint::Plain).iter().for_each(|drawn| {
            told.push('\n');
            told.push_str(drawn);
        });
    }
    case.set_system_out(told);
    case
}

fn status(record: &Record, phase: &PhaseRecord) -> TestCaseStatus {
    // Where the scenario says which verdict must come out, only that is a test.
    let judged = record.expected_verdict.is_none();
    let cut_off = record.state == RunState::Interrupted && phase.ended.is_none();
    match phase.verdict {
        Verdict::Fail if judged => broken(record, phase, NonSuccessKind::Failure, "fail"),
        _ if cut_off => {
            let mut status = broken(record, phase, NonSuccessKind::Error, "interrupted");
            status.set_message(match phase.started {
                Some(_) => "the run was interrupted in this phase",
                None => "the run was interrupted before this phase",
            });
            status
        }
        Verdict::Inconclusive if judged => broken(record, phase, NonSuccessKind::Error, "inconclusive"),
        _ => TestCaseStatus::success(),
    }
}

fn broken(record: &Record, phase: &PhaseRecord, kind: NonSuccessKind, word: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let drawn = failure::of_phase(record, phase, WIDTH, Paint::Plain);
    let probe = phase.probes.iter().filter(|probe| probe.verdict == phase.verdict).map(|probe| &probe.why);
    let first = probe.chain(&phase.why).next();
    status.set_type(word);
    status.set_message(first.map(|why| tame(why)).unwrap_or_else(|| word.to_owned()));
    status.set_description(drawn.join("\n"));
    status
}

/// Where the scenario says which verdict must come out: whether it did.
fn expected_case(record: &Record) -> Option<TestCase> {
    let expected = record.expected_verdict?;
    let mut status = TestCaseStatus::success();
    if record.run_verdict != Verdict::Pass {
        status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(record.run_verdict.word());
        status.set_message(format!("`{}` came out", record.verdict));
    }
    let mut case = TestCase::new(format!("comes out as {expected}"), status);
    case.set_classname(record.scenario.path.as_str());
    Some(case)
}

/// A case a finding, and one for each thing that could not be looked at; a case that passes where there is
/// neither, since CI systems take a suite without cases for one that did not run.
fn examined(record: &Record) -> Vec<TestCase> {
    let found = record.findings.iter().map(|it| {
        let mut status = TestCaseStatus::success();
        if it.severity == FindingSeverity::Error {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type(it.severity.word());
            status.set_message(tame(&it.title));
            status.set_description(finding_text(it));
        }
        let mut case = TestCase::new(format!("{}: {}", it.id, tame(&it.title)), status);
        case.set_classname(it.subject.as_str());
        case.set_system_out(finding_text(it));
        case
    });
    let unseen = record.coverage.iter().filter(|it| it.look == Sight::Unable).map(|it| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_type(it.look.word());
        status.set_message(finding::unseen(it));
        let mut case = TestCase::new(tame(&it.what), status);
        case.set_classname(it.subject.as_str());
        case
    });
    let mut cases: Vec<TestCase> = found.chain(unseen).collect();
    if cases.is_empty() {
        cases.push(TestCase::new("nothing was found", TestCaseStatus::success()));
    }
    cases
}

fn finding_text(it: &Finding) -> String {
    let mut lines = vec![format!("{}: {}", it.severity, tame(&it.title))];
    lines.extend(finding::evidence(it));
    lines.extend(it.fix.as_deref().map(|fix| format!("help: {}", tame(fix))));
    lines.join("\n")
}

fn milliseconds(ms: i64) -> Duration {
    Duration::from_millis(ms.try_into().unwrap_or(0))
}

//! Reports: each case is a record (`NAME.record.json`) and what is made of it, a file a format.
//! `UPDATE_GOLDEN=1 cargo test --test golden` writes them anew.

#![allow(clippy::expect_used, clippy::panic)]

#[path = "cases.rs"]
mod cases;
#[path = "../support/records.rs"]
mod records;

use std::fs;
use std::path::PathBuf;

use mxdrill::record::{Mark, Record, Report, Source, Stop, Way};
use mxdrill::report::{Detail, Format, Look, render, schema};
use mxdrill::source::Paint;
use mxdrill::terms::{Outcome, Verdict};

const WIDTH: usize = 100;

/// Every case with its name, which is what happened.
fn cases() -> Vec<(&'static str, Record)> {
    vec![
        ("backup-mx-still-legacy", cases::backup_mx_still_legacy()),
        ("backup-mx-fixed", cases::backup_mx_fixed()),
        ("expected-to-fail", cases::expected_to_fail()),
        ("bounced-by-the-fault", cases::bounced_by_the_fault()),
        ("duplicate-copies", cases::duplicate_copies()),
        ("acknowledgement-lost", cases::acknowledgement_lost()),
        ("interrupted", cases::interrupted()),
        ("natural-fallback", cases::natural_fallback()),
        ("fault-never-fired", cases::fault_never_fired()),
        ("absence-unproven", cases::absence_unproven()),
        ("held-then-drained", cases::held_then_drained()),
        ("retried-in-vain", cases::retried_in_vain()),
        ("live-with-logs", cases::live_with_logs()),
        ("mixed-fates", cases::mixed_fates()),
        ("greylisted", cases::greylisted()),
        ("null-mx", cases::null_mx()),
        ("both-families", cases::both_families()),
        ("relayed-by-a-real-server", cases::relayed_by_a_real_server()),
        ("audited", cases::audited()),
    ]
}

#[test]
fn records_are_as_they_were_written() {
    for (name, record) in cases() {
        let mut text = serde_json::to_string_pretty(&record).expect("a record is JSON");
        text.push('\n');
        golden(&format!("{name}.record.json"), &text);
    }
}

#[test]
fn each_record_is_told_in_each_format() {
    for (name, _) in cases() {
        let report = Report::new(vec![saved(name)]);
        let look = Look { detail: Detail::Normal, paint: Paint::Plain, width: WIDTH };
        golden(&format!("{name}.terminal.txt"), &render(Format::Terminal, &report, look));
        golden(&format!("{name}.junit.xml"), &render(Format::Junit, &report, look));
        golden(&format!("{name}.md"), &render(Format::Markdown, &report, look));
        golden(&format!("{name}.github.txt"), &render(Format::Github, &report, look));
    }
}

#[test]
fn some_records_are_told_in_full() {
    for name in ["acknowledgement-lost", "held-then-drained", "live-with-logs"] {
        let look = Look { detail: Detail::Full, ..Look::default() };
        golden(&format!("{name}.full.txt"), &render(Format::Terminal, &Report::new(vec![saved(name)]), look));
    }
}

#[test]
fn sources_stand_side_by_side_on_every_page() {
    let source = |sender: &str, verdict, relay: &str, platform: &str| Source {
        sender: sender.to_owned(),
        kind: "submission".to_owned(),
        verdict,
        ways: vec![Way {
            stops: vec![Stop { host: relay.to_owned(), platform: Some(platform.to_owned()) }],
            outcome: Some(Outcome::Delivered),
            probes: 2,
        }],
    };
    let mut record = cases::backup_mx_still_legacy();
    record.phases[0].sources = vec![
        source("cron", Verdict::Pass, "smtp.new.example", "new"),
        source("app", Verdict::Fail, "smtp.old.example", "legacy"),
    ];
    let report = Report::new(vec![record]);
    let shown = |format| render(format, &report, Look::default());
    let row = "| **fail** | app | submission | smtp.old.example (`legacy`) | delivered | 2 |";
    assert!(shown(Format::Markdown).contains(row), "{}", shown(Format::Markdown));
    let row = "<td>app</td><td>submission</td><td>smtp.old.example (`legacy`)</td><td>delivered</td><td>2</td>";
    assert!(shown(Format::Html).contains(row), "{}", shown(Format::Html));
    assert!(shown(Format::Terminal).contains("smtp.old.example (`legacy`): delivered, 2 probes"));
}

#[test]
fn html_is_one_file_for_any_number_of_records() {
    for name in ["backup-mx-still-legacy", "audited"] {
        golden(&format!("{name}.html"), &render(Format::Html, &Report::new(vec![saved(name)]), Look::default()));
    }
    let report = Report::new(cases().into_iter().map(|(name, _)| saved(name)).collect());
    let html = render(Format::Html, &report, Look::default());
    for outside in ["<script", "<link", " src=", "url(", "@import"] {
        assert!(!html.contains(outside), "the page loads something: {outside}");
    }
    assert_eq!(html.matches("<h2 ").count(), cases().len());
}

#[test]
fn a_server_cannot_write_into_a_page() {
    let mut report = Report::new(cases().into_iter().map(|(_, record)| record).collect());
    for record in &mut report.records {
        record.findings.iter_mut().for_each(|finding| finding.title = "<b>|x|\n# y".to_owned());
        for probe in record.phases.iter_mut().flat_map(|phase| &mut phase.probes) {
            probe
                .attempts
                .iter_mut()
                .for_each(|it| it.reply = "550 <script>alert(1)</script> | a\r\n::error::x".to_owned());
        }
    }
    assert!(!render(Format::Html, &report, Look::default()).contains("<script>"));
    // Between fences Markdown shows every byte as it is.
    let markdown = render(Format::Markdown, &report, Look::default());
    let outside = markdown.split("```").step_by(2);
    outside.for_each(|text| assert!(!text.contains("<script>"), "{text}"));
    for line in render(Format::Github, &report, Look::default()).lines() {
        let level = ["::error ", "::warning ", "::notice "].iter().any(|level| line.starts_with(level));
        assert!(level, "{line}");
    }
}

#[test]
fn many_records_end_in_a_total() {
    let report = Report::new(cases().into_iter().map(|(name, _)| saved(name)).collect());
    let brief = Look { detail: Detail::Brief, ..Look::default() };
    golden("all.brief.txt", &render(Format::Terminal, &report, brief));
    golden("all.terminal.txt", &render(Format::Terminal, &report, Look::default()));
    let colour = Look { paint: Paint::Colour, ..brief };
    golden("all.brief.ansi", &render(Format::Terminal, &report, colour));
}

#[test]
fn the_json_report_is_its_own_record() {
    let report = Report::new(cases().into_iter().map(|(_, record)| record).collect());
    let text = render(Format::Json, &report, Look::default());
    assert_eq!(serde_json::from_str::<Report>(&text).expect("a report is read back"), report);
}

#[test]
fn records_and_reports_fit_their_schemas() {
    let record = jsonschema::validator_for(&schema::of(schema::Document::Record)).expect("a schema");
    for (name, _) in cases() {
        let value = serde_json::to_value(saved(name)).expect("JSON");
        let errors: Vec<String> = record.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    let report = jsonschema::validator_for(&schema::of(schema::Document::Report)).expect("a schema");
    let value = serde_json::to_value(Report::new(vec![saved("interrupted")])).expect("JSON");
    assert!(report.is_valid(&value));
    assert!(!record.is_valid(&value), "a report is no record");
}

#[test]
fn no_line_of_plain_text_leaves_the_page_or_ascii() {
    for (name, _) in cases() {
        let report = Report::new(vec![saved(name)]);
        for line in render(Format::Terminal, &report, Look { width: WIDTH, ..Look::default() }).lines() {
            assert!(line.is_ascii(), "{name}: {line}");
            // Lines of the scenario are quoted as they are, and a title is never broken.
            let whole = line.contains(" | ") || line.starts_with("fail: ") || line.starts_with("inconclusive: ");
            assert!(whole || line.len() <= WIDTH, "{name}: {} columns: {line}", line.len());
            assert!(!line.ends_with(' '), "{name}: {line:?}");
        }
    }
}

#[test]
fn no_width_and_no_broken_record_stops_the_report() {
    let mut report = Report::new(cases().into_iter().map(|(_, record)| record).collect());
    for probe in report.records.iter_mut().flat_map(|record| &mut record.phases).flat_map(|phase| &mut phase.probes) {
        probe.span = Mark { line: 999, column: 999, length: 999 };
        probe.fired.iter_mut().for_each(|met| met.fault = 999);
        probe.attempts.iter_mut().for_each(|attempt| attempt.reply = "\u{1b}[31m5\u{e4}\u{2028}".to_owned());
    }
    for (width, detail) in [0, 1, 13, 40, 79, 200].into_iter().flat_map(|it| Detail::ALL.iter().map(move |d| (it, *d)))
    {
        let text = render(Format::Terminal, &report, Look { width, detail, paint: Paint::Plain });
        assert!(!text.contains('\u{1b}'), "a reply reached the terminal as it was");
    }
    assert!(!render(Format::Junit, &report, Look::default()).is_empty());
}

/// The record as it is read back from its file; or from what is about to be that file.
fn saved(name: &str) -> Record {
    let text = match updating() {
        true => {
            let case = cases().into_iter().find(|(it, _)| *it == name).expect("a case");
            serde_json::to_string(&case.1).expect("a record is JSON")
        }
        false => read(&format!("{name}.record.json")),
    };
    serde_json::from_str(&text).expect("a saved record is read back")
}

fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reports")
}

fn read(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn golden(file: &str, text: &str) {
    if updating() {
        fs::write(folder().join(file), text).unwrap_or_else(|error| panic!("{file}: {error}"));
        return;
    }
    let known = read(file);
    assert!(known == text, "{file} is not as it was:\n{text}\n(UPDATE_GOLDEN=1 writes it anew)");
}

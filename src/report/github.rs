//! Annotations of GitHub Actions: a line a failure or finding, which the platform shows beside the
//! scenario's own line.
//!
//! Workflow commands are `::error file=F,line=L,col=C,title=T::MESSAGE`; `%`, carriage return and line feed are
//! written as `%25`, `%0D`, `%0A`, and in properties `:` and `,` as `%3A` and `%2C` (the runner's
//! `ActionCommand.cs`).

use super::finding;
use super::prose::tame;
use super::reason::{self, Many};
use crate::record::{Finding, FindingSeverity, Mark, PhaseRecord, Record, Report, Sight};
use crate::terms::Verdict;

/// The most annotations of one record: the platform shows ten a step, and keeps fifty a job.
const MOST: usize = 50;

/// The report as workflow commands.
pub(super) fn render(report: &Report) -> String {
    report.records.iter().flat_map(|record| annotations(record).into_iter().take(MOST)).map(|it| it.line()).collect()
}

/// One annotation.
struct Annotation {
    level: &'static str,
    file: Option<String>,
    mark: Mark,
    title: String,
    message: String,
}

impl Annotation {
    fn line(&self) -> String {
        let mut properties = vec![];
        if let Some(file) = self.file.as_deref().filter(|file| !file.is_empty()) {
            properties.push(format!("file={}", property(file)));
            if self.mark.line > 0 {
                properties.push(format!("line={},col={}", self.mark.line, self.mark.column));
            }
        }
        properties.push(format!("title={}", property(&self.title)));
        format!("::{} {}::{}\n", self.level, properties.join(","), data(&self.message))
    }
}

fn annotations(record: &Record) -> Vec<Annotation> {
    let mut all: Vec<Annotation> = record.findings.iter().map(of_finding).collect();
    all.extend(record.coverage.iter().filter(|it| it.look == Sight::Unable).map(|it| Annotation {
        level: "warning",
        file: None,
        mark: Mark::default(),
        title: "could not look".to_owned(),
        message: finding::unseen(it),
    }));
    if record.run_verdict != Verdict::Pass {
        all.extend(record.phases.iter().flat_map(|phase| of_phase(record, phase)));
    }
    all
}

fn of_finding(it: &Finding) -> Annotation {
    let first = it.evidence.first();
    let number =
        |key: &str| first.and_then(|map| map.get(key)).and_then(serde_json::Value::as_u64).unwrap_or(0) as usize;
    let mut message = finding::evidence(it);
    message.extend(it.fix.as_deref().map(|fix| format!("help: {}", tame(fix))));
    if message.is_empty() {
        message.push(tame(&it.subject));
    }
    Annotation {
        level: match it.severity {
            FindingSeverity::Error => "error",
            FindingSeverity::Warning => "warning",
            FindingSeverity::Info => "notice",
        },
        file: first.and_then(|map| map.get("file")).and_then(|file| file.as_str()).map(tame),
        mark: Mark { line: number("line"), column: number("column").max(1), length: 1 },
        title: tame(&it.title),
        message: message.join("\n"),
    }
}

/// What of a phase did not come out well; the same once.
fn of_phase(record: &Record, phase: &PhaseRecord) -> Vec<Annotation> {
    let level = |verdict: Verdict| if verdict == Verdict::Fail { "error" } else { "warning" };
    let annotation = |verdict: Verdict, mark: Mark, why: &str, message: String| Annotation {
        level: level(verdict),
        file: Some(tame(&record.scenario.path)),
        mark,
        title: format!("{verdict}: {}", tame(why)),
        message,
    };
    let mut all: Vec<Annotation> = vec![];
    for probe in phase.probes.iter().filter(|probe| probe.verdict != Verdict::Pass) {
        let mut message = format!("phase {}: {}", tame(&phase.name), reason::of(probe, Many::One, record));
        message.extend(probe.help.as_deref().map(|help| format!("\nhelp: {}", tame(help))));
        let new = annotation(probe.verdict, probe.span, &probe.why, message);
        if !all.iter().any(|known| known.title == new.title && known.mark == new.mark) {
            all.push(new);
        }
    }
    let mark = phase.faults.iter().find(|fault| fault.fired == 0).map(|fault| fault.span).unwrap_or_default();
    all.extend(
        phase.why.iter().map(|why| annotation(phase.verdict, mark, why, format!("phase {}", tame(&phase.name)))),
    );
    all
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

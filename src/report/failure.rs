//! Expectations that did not hold, or could not be decided, drawn at the scenario's own line.

use super::evidence::{self, Depth};
use super::page::{Page, Piece, Tint};
use super::prose::{repeat, tame};
use super::reason::{self, Many};
use super::story::{Faults, Story};
use crate::record::{Mark, PhaseRecord, ProbeRecord, Record};
use crate::source::{Diagnostic, Level, Paint, SourceText, Span, draw};
use crate::terms::Verdict;

/// Probes that one expectation speaks of in the same words.
struct Failure<'a> {
    reason: String,
    probes: Vec<&'a ProbeRecord>,
}

/// Everything of a phase that did not come out well, each drawn with the evidence of one probe.
pub(super) fn of_phase(record: &Record, phase: &PhaseRecord, width: usize, paint: Paint) -> Vec<String> {
    let source = SourceText::new(&*tame(&record.scenario.path), &*record.scenario.text);
    let mut drawn: Vec<String> =
        failures(record, phase).iter().map(|failure| drawing(&source, record, phase, failure, width, paint)).collect();
    drawn.extend(of_itself(&source, record, phase, width, paint));
    drawn
}

fn failures<'a>(record: &Record, phase: &'a PhaseRecord) -> Vec<Failure<'a>> {
    let mut failures: Vec<Failure<'a>> = vec![];
    for probe in phase.probes.iter().filter(|probe| probe.verdict != Verdict::Pass) {
        let reason = reason::of(probe, Many::One, record);
        match failures.iter_mut().find(|known| known.reason == reason && same(known.probes[0], probe)) {
            Some(known) => known.probes.push(probe),
            None => failures.push(Failure { reason, probes: vec![probe] }),
        }
    }
    for failure in &mut failures {
        failure.reason = reason::of(failure.probes[0], Many::of(failure.probes.len()), record);
    }
    failures
}

fn same(one: &ProbeRecord, other: &ProbeRecord) -> bool {
    one.verdict == other.verdict && one.why == other.why && one.span == other.span && one.help == other.help
}

fn drawing(
    source: &SourceText,
    record: &Record,
    phase: &PhaseRecord,
    failure: &Failure<'_>,
    width: usize,
    paint: Paint,
) -> String {
    let first = failure.probes[0];
    let title = match phase.probes.len() {
        1 => tame(&first.why),
        all => format!("{} ({} of {all} probes)", tame(&first.why), failure.probes.len()),
    };
    let gutter = gutter(first.span);
    let fits = gutter + 2 + first.span.column + first.span.length + failure.reason.chars().count() <= width;
    let label = if fits { failure.reason.as_str() } else { "" };
    let said = marked(Diagnostic::new(level(first.verdict), title), source, first.span, label);
    let mut page = Page::new(width, paint);
    page.drawn(&draw(source, &said, paint));
    bar(&mut page, gutter, &said);
    if !fits {
        advice(&mut page, gutter, "note", &failure.reason);
    }
    seen(&mut page, gutter, record, phase, first);
    if let Some(help) = &first.help {
        advice(&mut page, gutter, "help", help);
    }
    advice(&mut page, gutter, "repeat", &repeat(record));
    page.finish()
}

/// What was seen of one probe, by which it can be looked up.
fn seen(page: &mut Page, gutter: usize, record: &Record, phase: &PhaseRecord, probe: &ProbeRecord) {
    let faults = Faults::of(record);
    let story = Story::of(probe, &faults);
    if story.steps.is_empty() {
        return;
    }
    let number = 1 + phase.probes.iter().position(|it| it.tag == probe.tag).unwrap_or_default();
    let head = format!("evidence for probe {} ({} {number} of {})", probe.tag, tame(&phase.name), phase.probes.len());
    page.row(&[Piece::from(" ".repeat(gutter))], &[Piece::from(head)]);
    evidence::write(page, gutter + 2, &story, &faults, Depth::Verdict);
}

/// Why a phase is worse than its probes, at the faults that never fired.
fn of_itself(source: &SourceText, record: &Record, phase: &PhaseRecord, width: usize, paint: Paint) -> Option<String> {
    // That a run was interrupted before a phase is said once, and no line of the scenario's fault.
    phase.started?;
    let (first, others) = phase.why.split_first()?;
    let mut said = Diagnostic::new(level(phase.verdict), tame(first));
    let idle: Vec<Mark> = phase.faults.iter().filter(|fault| fault.fired == 0).map(|fault| fault.span).collect();
    let gutter = gutter(idle.iter().copied().max_by_key(|mark| mark.line).unwrap_or_default());
    for (at, mark) in idle.into_iter().enumerate() {
        said = match at {
            0 => marked(said, source, mark, "it fired for no probe"),
            _ => said.context(span(source, mark), "nor did this one"),
        };
    }
    let mut page = Page::new(width, paint);
    page.drawn(&draw(source, &said, paint));
    bar(&mut page, gutter, &said);
    for other in others {
        advice(&mut page, gutter, "note", other);
    }
    advice(&mut page, gutter, "repeat", &repeat(record));
    Some(page.finish())
}

fn level(verdict: Verdict) -> Level {
    match verdict {
        Verdict::Fail => Level::Fail,
        Verdict::Inconclusive | Verdict::Pass => Level::Inconclusive,
    }
}

fn marked(said: Diagnostic, source: &SourceText, mark: Mark, label: &str) -> Diagnostic {
    // A mark without a line is no place: the expectation was a default that nobody wrote.
    if mark.line == 0 { said.note(label) } else { said.mark(span(source, mark), label) }
}

/// The bytes that a mark of lines and characters covers.
fn span(source: &SourceText, mark: Mark) -> Span {
    let text = &*source.text;
    let line = text.split_inclusive('\n').take(mark.line.saturating_sub(1)).map(str::len).sum::<usize>();
    let chars = |from: usize, count: usize| {
        let rest = text.get(from..).unwrap_or_default();
        from + rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at)
    };
    let start = chars(line, mark.column.saturating_sub(1));
    Span::new(start..chars(start, mark.length.max(1)))
}

/// How far the bar of a drawing stands from the left.
fn gutter(mark: Mark) -> usize {
    mark.line.to_string().len() + 1
}

/// A bar under a drawing that has a place, which leads over to what follows.
fn bar(page: &mut Page, gutter: usize, said: &Diagnostic) {
    if said.mark.is_some() {
        page.row(&[Piece::from(" ".repeat(gutter)), Piece::new("|", Tint::Frame)], &[]);
    }
}

fn advice(page: &mut Page, gutter: usize, word: &str, text: &str) {
    let head = [Piece::from(format!("{:gutter$}= ", "")), Piece::new(word, Tint::Strong), Piece::from(": ")];
    page.row(&head, &[Piece::from(tame(text))]);
}

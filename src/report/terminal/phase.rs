//! One phase: what was broken, and what became of its probes.

use super::super::Detail;
use super::super::evidence::{self, Depth, fired};
use super::super::page::{Page, Piece, Tint, width};
use super::super::prose::{between, probes, seconds, tame, times};
use super::super::route::{Group, Lap, groups, result};
use super::super::story::Faults;
use super::margin;
use crate::record::{PhaseRecord, Record, RecordedFault, RunState};
use crate::source::plural;
use crate::terms::Outcome;

/// The most queue-ids that are shown of one group; the record and the full report hold all.
const QUEUE_IDS: usize = 5;

/// One line: its verdict, its name, its faults.
pub(super) fn line(page: &mut Page, record: &Record, phase: &PhaseRecord) {
    let mut text = vec![Piece::from(format!("  {}", tame(&phase.name)))];
    text.push(Piece::new(size(record, phase), Tint::Faint));
    for fault in &phase.faults {
        text.push(Piece::from("; "));
        text.extend(fault_text(fault));
    }
    let mut head = Piece::margin(phase.verdict.word(), margin(phase.verdict).1).to_vec();
    head.push(Piece::from("  "));
    page.row(&head, &text);
}

/// Everything.
pub(super) fn write(page: &mut Page, record: &Record, phase: &PhaseRecord, detail: Detail) {
    let number = record.phases.iter().position(|it| std::ptr::eq(it, phase)).map_or(0, |at| at + 1);
    let title = format!("phase {number} of {}: ", record.phases.len());
    page.entry(
        margin(phase.verdict),
        &[
            Piece::from(title),
            Piece::new(tame(&phase.name), Tint::Strong),
            Piece::new(size(record, phase), Tint::Faint),
        ],
    );
    for fault in &phase.faults {
        page.entry(("fault", Tint::Fault), &fault_text(fault));
    }
    for why in &phase.why {
        page.under(0, &[Piece::from(tame(why))]);
    }
    let faults = Faults::of(record);
    match detail {
        Detail::Full => phase.probes.iter().for_each(|probe| {
            groups(std::slice::from_ref(probe), &faults).iter().for_each(|group| one(page, record, group, &faults));
        }),
        Detail::Brief | Detail::Normal => {
            groups(&phase.probes, &faults).iter().for_each(|group| together(page, record, group));
        }
    }
}

/// How many probes, whose, and how long it took.
fn size(record: &Record, phase: &PhaseRecord) -> String {
    let count = plural(phase.probes.len(), "probe");
    let whose = phase.probes_of.as_ref().map(|of| format!(" of `{}`, judged again", tame(of))).unwrap_or_default();
    let time = match (phase.started, phase.ended) {
        (Some(started), Some(ended)) => seconds(between(started, ended)),
        (Some(started), None) => format!("cut off after {}", seconds(between(started, record.finished))),
        (None, _) if record.state == RunState::Interrupted => "not reached".to_owned(),
        (None, _) => "not run".to_owned(),
    };
    format!(", {count}{whose}, {time}")
}

fn fault_text(fault: &RecordedFault) -> Vec<Piece> {
    let what = format!("{} at {} of {}, ", tame(&fault.action), tame(&fault.at), tame(&fault.host));
    let tint = if fault.fired == 0 { Tint::Inconclusive } else { Tint::Plain };
    let count = if fault.fired == 0 { "never fired".to_owned() } else { format!("fired {}", times(fault.fired)) };
    vec![Piece::from(what), Piece::new(count, tint)]
}

/// Probes with the same story, told once.
fn together(page: &mut Page, record: &Record, group: &Group<'_>) {
    headline(page, record, group);
    let widest = group.laps.iter().flat_map(|lap| &lap.legs).map(|leg| width(&leg.place)).max().unwrap_or_default();
    for lap in &group.laps {
        for leg in &lap.legs {
            let head = [Piece::from(format!("{:16}{:widest$}  ", "", leg.place))];
            let mut text = vec![Piece::from(leg.text.clone())];
            text.extend(fired(&leg.faults));
            page.row(&head, &text);
        }
        again(page, lap);
    }
    queue_ids(page, group);
}

/// One probe with all that is known of it.
fn one(page: &mut Page, record: &Record, group: &Group<'_>, faults: &Faults<'_>) {
    headline(page, record, group);
    let story = group.first();
    let text = format!("tag {}, to {}, by sender {}", story.probe.tag, story.probe.recipient, story.probe.sender);
    page.under(2, &[Piece::new(tame(&text), Tint::Faint)]);
    evidence::write(page, 14, story, faults, Depth::Everything);
}

fn headline(page: &mut Page, record: &Record, group: &Group<'_>) {
    let probe = group.first().probe;
    let outcome = match (probe.outcome, probe.copies) {
        (None, _) => "not sent".to_owned(),
        (Some(Outcome::Delivered), 1) => Outcome::Delivered.to_string(),
        (Some(outcome), 0) => outcome.to_string(),
        (Some(outcome), 1) => format!("{outcome}, 1 copy"),
        (Some(outcome), copies) => format!("{outcome}, {copies} copies"),
    };
    let from = if one_sender(record) { String::new() } else { format!(" from `{}`", tame(&probe.sender)) };
    let who = probes(group.probes().map(|probe| &probe.tag));
    let why = if probe.why.is_empty() { String::new() } else { format!(": {}", tame(&probe.why)) };
    page.entry(margin(probe.verdict), &[Piece::from(format!("{who}{from} {outcome}{why}"))]);
    if let Some(attempt) = group.first().natural_fallback() {
        let text = format!("natural fallback, no fault fired: {} said {}", tame(&attempt.host), result(attempt));
        page.under(2, &[Piece::from(text)]);
    }
}

fn one_sender(record: &Record) -> bool {
    let mut senders = record.phases.iter().flat_map(|phase| &phase.probes).map(|probe| &probe.sender);
    let first = senders.next();
    senders.all(|sender| Some(sender) == first)
}

/// How often a lap was run, where that is more than once.
fn again(page: &mut Page, lap: &Lap) {
    let times = match lap.times {
        (1, 1) => return,
        (least, most) if least == most => format!("{most} times"),
        (least, most) => format!("{least} to {most} times"),
    };
    page.under(4, &[Piece::new(format!("the same {times} in all"), Tint::Faint)]);
}

fn queue_ids(page: &mut Page, group: &Group<'_>) {
    let ids = group.queue_ids();
    if ids.is_empty() {
        return;
    }
    let shown: Vec<String> = ids.iter().take(QUEUE_IDS).map(|id| tame(id)).collect();
    let left = ids.len().saturating_sub(QUEUE_IDS);
    let more = if left > 0 { format!(" and {left} more") } else { String::new() };
    let word = if ids.len() == 1 { "queue-id" } else { "queue-ids" };
    page.under(4, &[Piece::new(format!("{word} {}{more}", shown.join(", ")), Tint::Faint)]);
}

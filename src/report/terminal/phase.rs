//! One phase: what was broken, and what became of its probes.

use super::super::Detail;
use super::super::evidence::{self, Depth, fired};
use super::super::leg::Kind;
use super::super::page::{Page, Piece, Tint, width};
use super::super::prose::{between, probes, seconds, tame, times};
use super::super::route::{Group, Lap, groups};
use super::super::story::Faults;
use super::margin;
use crate::record::{PhaseRecord, Record, RecordedFault, RunState, Source, Stop, Way};
use crate::source::plural;
use crate::terms::Verdict;

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
    sources(page, phase);
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

/// Which way each sender's probes took, side by side.
fn sources(page: &mut Page, phase: &PhaseRecord) {
    let widest = |of: fn(&Source) -> &str| phase.sources.iter().map(|it| width(&tame(of(it)))).max().unwrap_or(0);
    let (name, kind) = (widest(|it| &it.sender), widest(|it| &it.kind));
    for source in &phase.sources {
        for (at, way) in source.ways.iter().enumerate() {
            let (sender, of) = if at == 0 { (tame(&source.sender), tame(&source.kind)) } else { Default::default() };
            let margin = if at == 0 { "source" } else { "" };
            let mut head = Piece::margin(margin, Tint::Faint).to_vec();
            head.push(Piece::from(format!("  {sender:name$}  ")));
            head.push(Piece::new(format!("{of:kind$}  "), Tint::Faint));
            let outcome = way.outcome.map_or("not sent".to_owned(), |outcome| outcome.to_string());
            let text = format!("{}: {outcome}, {}", stops(way), plural(way.probes, "probe"));
            page.row(&head, &[Piece::new(text, margin_tint(source))]);
        }
    }
}

fn margin_tint(source: &Source) -> Tint {
    if source.verdict == Verdict::Pass { Tint::Plain } else { margin(source.verdict).1 }
}

fn stops(way: &Way) -> String {
    match way.stops.as_slice() {
        [] => "no way is known".to_owned(),
        stops => stops.iter().map(stop).collect::<Vec<_>>().join(" > "),
    }
}

fn stop(at: &Stop) -> String {
    let platform = at.platform.as_ref().map(|it| format!(" (`{}`)", tame(it))).unwrap_or_default();
    format!("{}{platform}", tame(&at.host))
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
    let told_later = group.legs().any(|leg| leg.kind != Kind::Attempt && !leg.ids.is_empty());
    let widest = group.legs().map(|leg| width(&leg.place)).max().unwrap_or_default();
    let mut told = vec![];
    for lap in &group.laps {
        for leg in &lap.legs {
            let head = [Piece::from(format!("{:16}{:widest$}  ", "", leg.place))];
            let mut text = vec![Piece::from(leg.text())];
            let elsewhere = leg.kind == Kind::Attempt && (told_later || leg.says_id());
            if !elsewhere && !told.contains(&&leg.ids) {
                text.extend(queue_ids(&leg.ids));
                told.push(&leg.ids);
            }
            text.extend(fired(&leg.faults));
            page.row(&head, &text);
        }
        again(page, lap);
    }
    watched(page, group);
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
        (Some(outcome), 0 | 1) => outcome.to_string(),
        (Some(outcome), copies) => format!("{outcome}, {copies} copies"),
    };
    let from = if one_sender(record) { String::new() } else { format!(" from `{}`", tame(&probe.sender)) };
    let who = probes(group.probes().map(|probe| &probe.tag));
    let why = if probe.why.is_empty() { String::new() } else { format!(": {}", tame(&probe.why)) };
    page.entry(margin(probe.verdict), &[Piece::from(format!("{who}{from} {outcome}{why}"))]);
    if let Some(attempt) = group.first().natural_fallback() {
        let text = format!("natural fallback: no fault kept {} from taking it", tame(&attempt.host));
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
    page.under(4, &[Piece::new(format!("{times} in all"), Tint::Faint)]);
}

fn queue_ids(ids: &[String]) -> Option<Piece> {
    let shown = ids.get(..QUEUE_IDS).unwrap_or(ids).join(", ");
    match ids.len() {
        0 => None,
        1 => Some(format!(", queue-id {shown}")),
        some if some <= QUEUE_IDS => Some(format!(", queue-ids {shown}")),
        many => Some(format!(", queue-ids {shown} and {} more", many - QUEUE_IDS)),
    }
    .map(|text| Piece::new(text, Tint::Faint))
}

/// For how long `never` and `copies` are known to have held.
fn watched(page: &mut Page, group: &Group<'_>) {
    let spans = group.stories.iter().filter_map(|story| Some(between(story.start()?, story.probe.watched_until?)));
    if let Some(least) = spans.min() {
        let text = format!("watched for further copies until {} after the first attempt", seconds(least));
        page.under(2, &[Piece::new(text, Tint::Faint)]);
    }
}

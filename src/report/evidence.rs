//! What was seen of one probe, with times and places: each line names its source.

use jiff::Timestamp;

use super::page::{Page, Piece, Tint, width};
use super::prose::{seconds, since, tame};
use super::route::{folder, handled, result};
use super::story::{Faults, Step, Story};
use crate::record::{Attempt, Certificate, Hop, Landed, Met, Passed, TlsSeen};

/// The widest place that the lines below are aligned to.
const WIDEST_PLACE: usize = 48;

/// How much of it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// What a verdict rests on.
    Verdict,
    /// Everything that is in the record.
    Everything,
}

/// One line.
#[derive(Clone, Debug, Default)]
struct Line {
    at: String,
    source: String,
    place: String,
    text: String,
    faults: Vec<String>,
}

/// Writes the evidence of a probe, `indent` columns from the left.
pub(super) fn write(page: &mut Page, indent: usize, story: &Story<'_>, faults: &Faults<'_>, depth: Depth) {
    let lines = lines(story, faults, depth);
    let widest = |of: fn(&Line) -> &str| lines.iter().map(|line| width(of(line))).max().unwrap_or(0);
    let (source, place) = (widest(|line| &line.source), widest(|line| &line.place).min(WIDEST_PLACE));
    for line in &lines {
        let aligned = match (line.place.is_empty(), line.text.is_empty()) {
            (true, _) => String::new(),
            (false, true) => line.place.clone(),
            (false, false) => format!("{:place$}  ", line.place),
        };
        let head = [
            Piece::new(format!("{:indent$}{:>6}  ", "", line.at), Tint::Faint),
            Piece::from(format!("{:source$}  ", line.source)),
            Piece::from(aligned),
        ];
        page.row(&head, &text(line));
    }
}

fn text(line: &Line) -> Vec<Piece> {
    let mut text = vec![Piece::from(line.text.clone())];
    text.extend(fired(&line.faults));
    text
}

/// `(fault drop-syn fired)`, for every fault that took effect.
pub(super) fn fired(faults: &[String]) -> Vec<Piece> {
    faults.iter().map(|fault| Piece::new(format!(" (fault {} fired)", tame(fault)), Tint::Fault)).collect()
}

fn lines(story: &Story<'_>, faults: &Faults<'_>, depth: Depth) -> Vec<Line> {
    let Some(start) = story.start() else { return vec![] };
    let mut lines = vec![];
    for step in &story.steps {
        let at = since(start, step.at());
        match step {
            Step::Attempt(attempt, met) => {
                lines.push(attempted(at, attempt, met, faults, depth));
                lines.extend(met.iter().filter(|met| met.connection > 0).map(|met| firing(start, met, faults)));
                lines.extend(attempt.tls.iter().flat_map(|tls| tls_lines(tls, depth)));
            }
            Step::Met(met) => lines.push(firing(start, met, faults)),
            Step::Passed(passed) => lines.push(passed_line(at, passed)),
            Step::Landed(landed) => {
                lines.push(landed_line(at, landed));
                if depth == Depth::Everything {
                    lines.extend(landed.received.iter().map(|hop| quoted("received", hop)));
                }
            }
        }
    }
    if depth == Depth::Everything {
        lines.extend(story.probe.path.iter().enumerate().map(|(at, hop)| hop_line(at + 1, hop)));
    }
    lines.extend(story.probe.watched_until.map(|until| watched(start, until)));
    lines
}

fn attempted(at: String, attempt: &Attempt, met: &[&Met], faults: &Faults<'_>, depth: Depth) -> Line {
    let address = attempt.address.as_ref().map(|address| format!(" {address}")).unwrap_or_default();
    let faults = met.iter().map(|met| faults.action(met)).collect();
    let mut text = result(attempt);
    if depth == Depth::Everything {
        text.push_str(&format!(" [round {}, {}", attempt.round, seconds(attempt.ms.try_into().unwrap_or(i64::MAX))));
        text.push_str(&attempt.proxy.as_ref().map(|proxy| format!(", by proxy {proxy}]")).unwrap_or("]".to_owned()));
    }
    Line { at, source: "attempt".to_owned(), place: format!("{}{address}", tame(&attempt.host)), text, faults }
}

/// The proxy's own word on a firing: it is evidence of its own, from the other end of the line.
fn firing(start: Timestamp, met: &Met, faults: &Faults<'_>) -> Line {
    let host = faults.get(met).map(|fault| format!("{} ", fault.host)).unwrap_or_default();
    let command = match tame(&met.command) {
        empty if empty.is_empty() => String::new(),
        command => format!(" met {command}"),
    };
    let client = met.client.as_ref().map(|client| format!(", from {client}")).unwrap_or_default();
    Line {
        at: since(start, met.at),
        source: "fault".to_owned(),
        place: format!("{host}at {}", met.stage),
        text: format!("{}{command} (connection {}{client})", faults.action(met), met.connection),
        faults: vec![],
    }
}

fn passed_line(at: String, passed: &Passed) -> Line {
    let mut text = passed.queue_id.as_ref().map(|id| format!("{} ", tame(id))).unwrap_or_default();
    text.push_str(&handled(passed));
    if let Some(id) = &passed.next_queue_id {
        text.push_str(&format!(" as {}", tame(id)));
    }
    if !passed.reply.is_empty() {
        text.push_str(&format!(" ({})", tame(&passed.reply)));
    }
    let (source, place) = source(&passed.collector, &passed.platform, &passed.detail);
    Line { at, source, place, text: on_host(text, passed.host.as_deref(), &passed.collector), faults: vec![] }
}

fn landed_line(at: String, landed: &Landed) -> Line {
    let id = landed.queue_id.as_ref().map(|id| format!("{} ", tame(id))).unwrap_or_default();
    let text = format!("{id}{}", folder(landed.placement));
    let (source, place) = source(&landed.collector, &landed.platform, &landed.detail);
    Line { at, source, place, text: on_host(text, landed.host.as_deref(), &landed.collector), faults: vec![] }
}

/// Names the host, where the collector does not say it already.
fn on_host(text: String, host: Option<&str>, collector: &str) -> String {
    match host.filter(|host| !collector.contains(host)) {
        Some(host) => format!("{text} on {}", tame(host)),
        None => text,
    }
}

/// The kind of collector, and the platform with the exact place.
fn source(collector: &str, platform: &str, detail: &str) -> (String, String) {
    let (kind, rest) = collector.split_once(' ').unwrap_or((collector, ""));
    let rest = if rest.is_empty() || detail.contains(rest) { String::new() } else { format!(" {}", tame(rest)) };
    let detail = if detail.is_empty() { String::new() } else { format!(" {}", tame(detail)) };
    (tame(kind), format!("{platform}{rest}{detail}"))
}

fn tls_lines(tls: &TlsSeen, depth: Depth) -> Vec<Line> {
    let session: Vec<String> = [&tls.version, &tls.cipher].into_iter().flatten().map(|word| tame(word)).collect();
    let verdicts: Vec<String> = tls.verdicts.iter().map(|verdict| tame(verdict)).collect();
    let mut lines = vec![Line {
        source: "tls".to_owned(),
        place: if session.is_empty() { "no session".to_owned() } else { session.join(" ") },
        text: verdicts.join(", "),
        ..Line::default()
    }];
    if depth == Depth::Everything {
        lines.extend(tls.certificates.iter().map(certificate));
    }
    lines
}

fn certificate(certificate: &Certificate) -> Line {
    let Certificate { subject, issuer, names, not_before, not_after, sha256 } = certificate;
    let names = if names.is_empty() { String::new() } else { format!(" for {}", names.join(", ")) };
    let print = sha256.get(..16).unwrap_or(sha256);
    quoted("", &format!("{subject}{names}, by {issuer}, {not_before} to {not_after}, sha256 {print}..."))
}

fn hop_line(number: usize, hop: &Hop) -> Line {
    let from = hop.from.as_ref().map(|from| format!("{from} > ")).unwrap_or_default();
    let platform = hop.platform.as_ref().map(|platform| format!(" (`{platform}`)")).unwrap_or_default();
    let with = hop.with.as_ref().map(|with| format!(" with {with}")).unwrap_or_default();
    let id = hop.id.as_ref().map(|id| format!(" id {id}")).unwrap_or_default();
    let at = hop.at.as_ref().map(|at| format!(", {at}")).unwrap_or_default();
    quoted(&format!("hop {number}"), &format!("{from}{}{platform}{with}{id}{at}: {}", hop.by, hop.trust))
}

/// A line that is all text.
fn quoted(source: &str, text: &str) -> Line {
    Line { source: source.to_owned(), place: String::new(), text: tame(text), ..Line::default() }
}

fn watched(start: Timestamp, until: Timestamp) -> Line {
    Line { at: since(start, until), ..quoted("watched", "until here for further copies") }
}

//! What was seen of one probe, with times and places: each line names its source.

use jiff::Timestamp;

use super::leg::{Addresses, handled, result, told};
use super::page::{Page, Piece, Tint, width};
use super::prose::{seconds, since, tame};
use super::route::{Chunk, chunks};
use super::story::{Faults, Step, Story};
use crate::record::{Attempt, Certificate, Hop, Landed, Met, Passed, Placement, Ran, Target, TlsSeen};

/// How many columns a text gets at least; places that leave it fewer stand on lines of their own.
const ROOM: usize = 36;

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
    /// Said in passing, behind all else.
    aside: String,
}

/// Writes the evidence of a probe, `indent` columns from the left.
pub(super) fn write(page: &mut Page, indent: usize, story: &Story<'_>, faults: &Faults<'_>, depth: Depth) {
    let lines = lines(story, faults, depth);
    let widest = |of: fn(&Line) -> &str| lines.iter().map(|line| width(of(line))).max().unwrap_or(0);
    let (at, source) = (widest(|line| &line.at), widest(|line| &line.source));
    let left = page.width().saturating_sub(indent + at + source + 6 + ROOM).max(1);
    let places = lines.iter().filter(|line| !line.text.is_empty()).map(|line| width(&line.place));
    let place = places.filter(|place| *place <= left).max().unwrap_or(0);
    for line in &lines {
        let head = [
            Piece::new(format!("{:indent$}{:>at$}  ", "", line.at), Tint::Faint),
            Piece::from(format!("{:source$}  ", line.source)),
        ];
        let blank = [Piece::from(" ".repeat(indent + at + source + 4))];
        match (width(&line.place), line.text.is_empty()) {
            (0, _) => page.row(&head, &line.pieces()),
            (_, true) => page.row(&head, &[Piece::from(line.place.as_str())]),
            // A place that is too wide for its column has a line of its own.
            (wide, false) if wide > place => {
                page.row(&head, &[Piece::from(line.place.as_str())]);
                page.row(&[blank[0].clone(), Piece::from("  ")], &line.pieces());
            }
            (_, false) => {
                let [time, source] = head;
                page.row(&[time, source, Piece::from(format!("{:place$}  ", line.place))], &line.pieces());
            }
        }
    }
}

impl Line {
    fn pieces(&self) -> Vec<Piece> {
        let mut pieces = vec![Piece::from(self.text.as_str())];
        pieces.extend(fired(&self.faults));
        if !self.aside.is_empty() {
            pieces.push(Piece::new(format!(" [{}]", self.aside), Tint::Faint));
        }
        pieces
    }
}

/// `(fault drop-syn fired)`, for every fault that took effect; each stays on one line.
pub(super) fn fired(faults: &[String]) -> Vec<Piece> {
    let words = faults.iter().map(|fault| format!("(fault\u{a0}{fault}\u{a0}fired)"));
    words.flat_map(|word| [Piece::from(" "), Piece::new(word, Tint::Fault)]).collect()
}

fn lines(story: &Story<'_>, faults: &Faults<'_>, depth: Depth) -> Vec<Line> {
    let Some(start) = story.start() else { return vec![] };
    let mut lines = vec![];
    let chunks = chunks(story, faults, Addresses::Told);
    let mut told: Option<&Chunk<'_, '_>> = None;
    let mut left_out = 0;
    for (at, chunk) in chunks.iter().enumerate() {
        let repeats = depth == Depth::Verdict && told.is_some_and(|told| told.legs == chunk.legs);
        let last = chunks.get(at + 1).is_none_or(|next| next.legs != chunk.legs);
        if repeats && !last {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            lines.push(quoted("...", &format!("{} more like this", std::mem::take(&mut left_out))));
        }
        told = Some(chunk);
        lines.extend(chunk.steps.iter().flat_map(|step| step_lines(start, step, faults, depth)));
    }
    if depth == Depth::Everything {
        lines.extend(story.probe.path.iter().enumerate().map(|(at, hop)| hop_line(at + 1, hop)));
    }
    lines.extend(story.probe.watched_until.map(|until| watched(start, until)));
    lines
}

fn step_lines(start: Timestamp, step: &Step<'_>, faults: &Faults<'_>, depth: Depth) -> Vec<Line> {
    let at = since(start, step.at());
    match step {
        Step::Attempt(attempt, met) => {
            let mut lines = vec![attempted(at, attempt, met, faults, depth)];
            let by_proxy = met.iter().filter(|met| met.connection > 0);
            lines.extend(by_proxy.map(|met| firing(start, met, faults, depth)));
            lines.extend(attempt.tls.iter().flat_map(|tls| tls_lines(tls, depth)));
            lines
        }
        Step::Ran(ran) => ran_lines(at, ran, depth),
        Step::Met(met) => vec![firing(start, met, faults, depth)],
        Step::Passed(passed) => vec![passed_line(at, passed)],
        Step::Landed(landed) => {
            let headers = landed.received.iter().filter(|_| depth == Depth::Everything);
            std::iter::once(landed_line(at, landed)).chain(headers.map(|hop| quoted("received", hop))).collect()
        }
    }
}

/// What a program said stands whole where everything is told.
fn ran_lines(at: String, ran: &Ran, depth: Depth) -> Vec<Line> {
    let place = tame(&ran.program);
    let mut lines = vec![Line { at, source: "program".to_owned(), place, text: told(ran), ..Line::default() }];
    if depth == Depth::Everything {
        lines.push(quoted("with", &ran.arguments.join(" ")));
        let outputs = [("stdout", &ran.stdout), ("stderr", &ran.stderr)];
        lines.extend(outputs.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| quoted(name, text)));
    }
    lines
}

fn attempted(at: String, attempt: &Attempt, met: &[&Met], faults: &Faults<'_>, depth: Depth) -> Line {
    let address = attempt.address.as_ref().map(|address| format!(" {address}")).unwrap_or_default();
    let faults = met.iter().map(|met| faults.word(met)).collect();
    let aside = if depth == Depth::Everything { aside(attempt) } else { String::new() };
    let place = format!("{}{address}", tame(&attempt.host));
    Line { at, source: "attempt".to_owned(), place, text: result(attempt), faults, aside }
}

fn aside(attempt: &Attempt) -> String {
    let preference = match (attempt.target, attempt.preference, &attempt.login) {
        (Target::Mx, preference, _) => preference.map(|preference| format!("MX {preference}, ")).unwrap_or_default(),
        (Target::Submission, _, Some(login)) => format!("{} as {}, ", login.mechanism, tame(&login.user)),
        (Target::Submission, _, None) => "no login, ".to_owned(),
    };
    let round = if attempt.round > 1 { format!(", round {}", attempt.round) } else { String::new() };
    let proxy = attempt.proxy.as_ref().map(|proxy| format!(", by proxy {proxy}")).unwrap_or_default();
    let took = seconds(attempt.ms.try_into().unwrap_or(i64::MAX));
    format!("{preference}{took}{round}{proxy}").replace(' ', "\u{a0}")
}

/// The proxy's own word on a firing: it is evidence of its own, from the other end of the line.
fn firing(start: Timestamp, met: &Met, faults: &Faults<'_>, depth: Depth) -> Line {
    let host = faults.get(met).map(|fault| format!("proxy of {}", tame(&fault.host)));
    let command = match tame(&met.command) {
        empty if empty.is_empty() => met.stage.to_string(),
        command => format!("`{command}`"),
    };
    let client = met.client.as_ref().filter(|_| depth == Depth::Everything);
    let client = client.map(|client| format!(" from {client}")).unwrap_or_default();
    Line {
        at: since(start, met.at),
        source: "fault".to_owned(),
        place: host.unwrap_or_else(|| "proxy".to_owned()),
        text: format!("connection {}{client} met {} at {command}", met.connection, faults.word(met)),
        ..Line::default()
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
    Line { at, source, place, text: on_host(text, passed.host.as_deref(), &passed.collector), ..Line::default() }
}

fn landed_line(at: String, landed: &Landed) -> Line {
    let id = landed.queue_id.as_ref().map(|id| format!("{} ", tame(id))).unwrap_or_default();
    let rest = match landed.placement {
        Placement::Inbox => "at rest",
        Placement::Junk => "at rest in junk",
        Placement::Other => "at rest in another folder",
    };
    let text = format!("{id}{rest}");
    let (source, place) = source(&landed.collector, &landed.platform, &landed.detail);
    Line { at, source, place, text: on_host(text, landed.host.as_deref(), &landed.collector), ..Line::default() }
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

/// A chain that is trusted is worth a word only where everything is told.
fn tls_lines(tls: &TlsSeen, depth: Depth) -> Vec<Line> {
    if depth == Depth::Verdict && tls.verdicts == ["trusted"] {
        return vec![];
    }
    let session: Vec<String> = [&tls.version, &tls.cipher].into_iter().flatten().map(|word| tame(word)).collect();
    let mut verdicts: Vec<String> = tls.verdicts.iter().map(|verdict| tame(verdict)).collect();
    verdicts.extend(tls.ended_by.map(|by| format!("the certificate is the {by}'s")));
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

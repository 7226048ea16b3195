//! The way of a probe without what differs between probes of the same fate, so that they can be
//! told together: equal routes read the same, word for word.

use super::prose::tame;
use super::story::{Faults, Step, Story};
use crate::mail::reply::queue_id;
use crate::record::{Attempt, AttemptResult, Handling, Landed, Passed, Placement, ProbeRecord};

/// Stands for the queue-ids, which follow in the line of the landing.
const SOME_ID: &str = "<id>";

/// One line of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leg {
    /// Where.
    pub(super) place: String,
    /// What came of it.
    pub(super) text: String,
    /// The faults that took effect.
    pub(super) faults: Vec<String>,
}

/// Legs that followed each other again and again, such as the rounds of a retry.
#[derive(Clone, Debug)]
pub(super) struct Lap {
    pub(super) legs: Vec<Leg>,
    /// How often, at least and at most over all probes of the group.
    pub(super) times: (usize, usize),
}

impl PartialEq for Lap {
    /// Two probes that tried in vain 11 and 12 times before the deadline have the same story; one
    /// that had to try once and one that had to try again have not.
    fn eq(&self, other: &Self) -> bool {
        self.legs == other.legs && (self.times.0 > 1) == (other.times.0 > 1)
    }
}

/// Probes with the same story.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    pub(super) stories: Vec<Story<'a>>,
    pub(super) laps: Vec<Lap>,
}

impl<'a> Group<'a> {
    pub(super) fn first(&self) -> &Story<'a> {
        &self.stories[0]
    }

    pub(super) fn probes(&self) -> impl Iterator<Item = &'a ProbeRecord> {
        self.stories.iter().map(|story| story.probe)
    }

    /// The queue-ids under which its copies lie, in order.
    pub(super) fn queue_ids(&self) -> Vec<&'a str> {
        self.probes().flat_map(|probe| &probe.landed).filter_map(|landed| landed.queue_id.as_deref()).collect()
    }

    fn takes(&mut self, story: &Story<'a>, laps: &[Lap]) -> Taken {
        if !same_fate(self.first().probe, story.probe) || self.laps != laps {
            return Taken::No;
        }
        for (known, new) in self.laps.iter_mut().zip(laps) {
            known.times = (known.times.0.min(new.times.0), known.times.1.max(new.times.1));
        }
        self.stories.push(story.clone());
        Taken::Yes
    }
}

#[derive(PartialEq, Eq)]
enum Taken {
    Yes,
    No,
}

/// The probes, like ones together, in the order of the first of each.
pub(super) fn groups<'a>(probes: &'a [ProbeRecord], faults: &Faults<'_>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = vec![];
    for probe in probes {
        let story = Story::of(probe, faults);
        let laps = laps(&story, faults);
        if !groups.iter_mut().any(|group| group.takes(&story, &laps) == Taken::Yes) {
            groups.push(Group { stories: vec![story], laps });
        }
    }
    groups
}

fn same_fate(one: &ProbeRecord, other: &ProbeRecord) -> bool {
    let fate = |probe: &ProbeRecord| (probe.outcome, probe.copies, probe.verdict, probe.span);
    fate(one) == fate(other) && one.sender == other.sender && one.why == other.why && one.help == other.help
}

/// The legs of a story; attempts of one round belong together, and what repeats is told once.
fn laps(story: &Story<'_>, faults: &Faults<'_>) -> Vec<Lap> {
    let mut laps: Vec<Lap> = vec![];
    let mut round = None;
    for step in &story.steps {
        let of = match step {
            Step::Attempt(attempt, _) => Some(attempt.round),
            _ => None,
        };
        let leg = leg(step, faults);
        match laps.last_mut() {
            Some(lap) if of.is_some() && of == round => lap.legs.push(leg),
            _ => {
                merge(&mut laps);
                laps.push(Lap { legs: vec![leg], times: (1, 1) });
            }
        }
        round = of;
    }
    merge(&mut laps);
    laps
}

/// Counts the last lap with the one before where they are the same.
fn merge(laps: &mut Vec<Lap>) {
    if let [.., before, last] = laps.as_mut_slice()
        && before.legs == last.legs
    {
        let times = before.times.0 + 1;
        before.times = (times, times);
        laps.pop();
    }
}

fn leg(step: &Step<'_>, faults: &Faults<'_>) -> Leg {
    match step {
        Step::Attempt(attempt, met) => Leg {
            place: mx(attempt),
            text: without_id(&result(attempt)),
            faults: met.iter().map(|met| faults.action(met)).collect(),
        },
        Step::Met(met) => Leg {
            place: faults.get(met).map(|fault| fault.host.clone()).unwrap_or_default(),
            text: format!("a client was met at {}", met.stage),
            faults: vec![faults.action(met)],
        },
        Step::Passed(passed) => {
            Leg { place: whose(passed.host.as_deref(), &passed.platform), text: handled(passed), faults: vec![] }
        }
        Step::Landed(landed) => {
            Leg { place: format!("landed on `{}`", landed.platform), text: rest(landed), faults: vec![] }
        }
    }
}

/// The host as its MX record names it, and the address that was tried.
fn mx(attempt: &Attempt) -> String {
    let preference = match (attempt.preference, attempt.result) {
        (Some(preference), _) => format!("MX {preference} "),
        (None, AttemptResult::NoRoute) => String::new(),
        (None, _) => "implicit MX ".to_owned(),
    };
    let address = attempt.address.as_ref().map(|address| format!(" {address}")).unwrap_or_default();
    format!("{preference}{}{address}", tame(&attempt.host))
}

/// How an attempt ended: the server's reply, or what was seen instead, with the stage where that
/// does not show.
pub(super) fn result(attempt: &Attempt) -> String {
    let said = match attempt.reply.trim() {
        "" => words(attempt.result).to_owned(),
        reply => tame(reply),
    };
    let unstaged =
        matches!(attempt.result, AttemptResult::Accepted | AttemptResult::NoRoute | AttemptResult::NoAddress);
    if unstaged || said.starts_with(attempt.stage.word()) { said } else { format!("{}: {said}", attempt.stage) }
}

fn words(result: AttemptResult) -> &'static str {
    match result {
        AttemptResult::Accepted => "accepted",
        AttemptResult::Transient => "a transient error",
        AttemptResult::Permanent => "a permanent error",
        AttemptResult::Timeout => "timed out",
        AttemptResult::Refused => "connection refused",
        AttemptResult::Lost => "connection lost",
        AttemptResult::Garbage => "what is no SMTP",
        AttemptResult::TlsFailed => "the TLS handshake failed",
        AttemptResult::Unreachable => "the address cannot be reached",
        AttemptResult::NoAddress => "the host has no address",
        AttemptResult::NoRoute => "there is no route to the domain",
    }
}

fn without_id(text: &str) -> String {
    match queue_id(text) {
        Some(id) if !id.is_empty() => text.replace(id, SOME_ID),
        _ => text.to_owned(),
    }
}

/// A host and its platform, as far as they are known.
pub(super) fn whose(host: Option<&str>, platform: &str) -> String {
    match host {
        Some(host) => format!("{} (`{platform}`)", tame(host)),
        None => format!("`{platform}`"),
    }
}

/// What a host did with a copy that it did not keep.
pub(super) fn handled(passed: &Passed) -> String {
    let next = passed.next_host.as_deref().map(tame);
    let next = |word: &str| next.as_ref().map(|host| format!(" {word} {host}")).unwrap_or_default();
    let did = match passed.handling {
        Handling::Took => "took it".to_owned(),
        Handling::Relayed => format!("passed it on{}", next("to")),
        Handling::Deferred => format!("could not pass it on yet{}", next("to")),
        Handling::Bounced => "returned it to its sender".to_owned(),
        Handling::Refused => "refused it".to_owned(),
        Handling::Discarded => "discarded it".to_owned(),
    };
    match (passed.handling, passed.status) {
        (Handling::Took | Handling::Relayed, _) | (_, None) => did,
        (_, Some(status)) => format!("{did}: {status}"),
    }
}

fn rest(landed: &Landed) -> String {
    let collector = tame(&landed.collector);
    let host = landed.host.as_deref().map(tame).filter(|host| !collector.contains(host.as_str()));
    let on = host.map(|host| format!(" on {host}")).unwrap_or_default();
    format!("{}{on}, seen by {collector}", folder(landed.placement))
}

/// In which kind of folder a copy lies.
pub(super) fn folder(placement: Placement) -> &'static str {
    match placement {
        Placement::Inbox => "at rest",
        Placement::Junk => "at rest in junk",
        Placement::Other => "at rest in another folder",
    }
}

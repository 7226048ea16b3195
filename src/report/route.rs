//! The way of a probe without what differs between probes of the same fate, so that they can be
//! told together: equal routes read the same, word for word.

use super::leg::{Addresses, Leg};
use super::story::{Faults, Step, Story};
use crate::record::ProbeRecord;

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

impl Lap {
    /// Counts another probe's lap with this one.
    fn join(&mut self, other: &Lap) {
        self.times = (self.times.0.min(other.times.0), self.times.1.max(other.times.1));
        for (known, new) in self.legs.iter_mut().zip(&other.legs) {
            known.ids.extend(new.ids.iter().cloned());
        }
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

    pub(super) fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.laps.iter().flat_map(|lap| &lap.legs)
    }
}

/// The probes, like ones together, in the order of the first of each.
pub(super) fn groups<'a>(probes: &'a [ProbeRecord], faults: &Faults<'_>) -> Vec<Group<'a>> {
    let addresses = Addresses::of(probes);
    let mut groups: Vec<Group<'a>> = vec![];
    for probe in probes {
        let story = Story::of(probe, faults);
        let laps = laps(&story, faults, addresses);
        match groups.iter_mut().find(|group| same_fate(group.first().probe, probe) && group.laps == laps) {
            Some(group) => {
                group.laps.iter_mut().zip(&laps).for_each(|(known, new)| known.join(new));
                group.stories.push(story);
            }
            None => groups.push(Group { stories: vec![story], laps }),
        }
    }
    groups
}

fn same_fate(one: &ProbeRecord, other: &ProbeRecord) -> bool {
    let fate = |probe: &ProbeRecord| (probe.outcome, probe.copies, probe.verdict, probe.span);
    fate(one) == fate(other) && one.sender == other.sender && one.why == other.why && one.help == other.help
}

/// Steps that are told together: the attempts of one round, or one of something else.
pub(super) struct Chunk<'s, 'a> {
    pub(super) steps: Vec<&'s Step<'a>>,
    pub(super) legs: Vec<Leg>,
}

/// The steps of a story, chunk by chunk.
pub(super) fn chunks<'s, 'a>(story: &'s Story<'a>, faults: &Faults<'_>, addresses: Addresses) -> Vec<Chunk<'s, 'a>> {
    let mut chunks: Vec<Chunk<'s, 'a>> = vec![];
    let mut round = None;
    for step in &story.steps {
        let of = match step {
            Step::Attempt(attempt, _) => Some(attempt.round),
            _ => None,
        };
        let leg = Leg::of(step, faults, addresses);
        match chunks.last_mut() {
            Some(chunk) if of.is_some() && of == round => {
                chunk.steps.push(step);
                chunk.legs.push(leg);
            }
            _ => chunks.push(Chunk { steps: vec![step], legs: vec![leg] }),
        }
        round = of;
    }
    chunks
}

fn laps(story: &Story<'_>, faults: &Faults<'_>, addresses: Addresses) -> Vec<Lap> {
    let mut laps: Vec<Lap> = vec![];
    for chunk in chunks(story, faults, addresses) {
        match laps.last_mut() {
            Some(lap) if lap.legs == chunk.legs => lap.times = (lap.times.0 + 1, lap.times.1 + 1),
            _ => laps.push(Lap { legs: chunk.legs, times: (1, 1) }),
        }
    }
    laps
}

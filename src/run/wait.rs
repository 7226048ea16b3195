//! Waiting for the probes of a phase, always for something and always with a deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::judge::{Facts, Settled, settled};
use crate::plan::{Plan, Probe};
use crate::record::{Event, Journal, SentState, Tag};
use crate::scenario::Expectation;
use crate::terms::Outcome;

/// Follows the journal for one phase.
pub(super) struct Watcher<'a> {
    plan: &'a Plan,
    phase: usize,
    journal: &'a Journal,
    read: usize,
    facts: Facts,
    pending: BTreeSet<Tag>,
    probes: BTreeMap<Tag, &'a Probe>,
    /// When the last probe that arrived did so.
    last_seen: Option<Instant>,
}

/// What a phase waits with.
pub(super) struct Patience {
    /// When the phase is over, whatever is missing.
    pub(super) deadline: Instant,
    /// How long absence is watched after the last probe arrived.
    pub(super) watch: Option<Duration>,
    /// Copies that the lab still holds, where all hosts are the lab's: when it is 0 and the
    /// senders are done, nothing more can come.
    pub(super) in_flight: Option<watch::Receiver<usize>>,
}

impl<'a> Watcher<'a> {
    /// Watches for the probes that phase `phase` judges.
    pub(super) fn new(plan: &'a Plan, phase: usize, journal: &'a Journal) -> Self {
        let probes: BTreeMap<Tag, &Probe> = plan.judged(phase).iter().map(|it| (it.tag.clone(), it)).collect();
        let pending = probes.keys().cloned().collect();
        Self { plan, phase, journal, read: 0, facts: Facts::default(), pending, probes, last_seen: None }
    }

    /// Waits until nothing more is expected to be seen, or the deadline.
    pub(super) async fn until_settled(&mut self, patience: &Patience) {
        let mut length = self.journal.length();
        let mut in_flight = patience.in_flight.clone();
        loop {
            length.borrow_and_update();
            let copies = in_flight.as_mut().map(|it| *it.borrow_and_update());
            self.catch_up();
            let Some(until) = self.next_look(patience, copies) else { return };
            let arrived = async {
                match in_flight.as_mut() {
                    Some(in_flight) => tokio::select! { _ = length.changed() => {}, _ = in_flight.changed() => {} },
                    None => drop(length.changed().await),
                }
            };
            // Either something happened, or it is time to look again; both mean the same.
            let _ = tokio::time::timeout_at(until, arrived).await;
        }
    }

    /// When to look again at the latest; none: the phase is settled.
    fn next_look(&self, patience: &Patience, in_flight: Option<usize>) -> Option<Instant> {
        let now = Instant::now();
        let moving = in_flight.is_some_and(|copies| copies > 0) && !self.may_wait_in_queues();
        if self.pending.is_empty() && !moving {
            let until = self.last_seen.unwrap_or(now) + patience.watch.unwrap_or_default();
            return (now < until).then_some(until);
        }
        // Every copy is accounted for, and what is missing cannot come any more.
        let accounted = in_flight == Some(0) && self.senders_done();
        (!accounted && now < patience.deadline).then_some(patience.deadline)
    }

    /// Reads what is new in the journal, and looks again at the probes that it speaks of.
    fn catch_up(&mut self) {
        let entries = self.journal.since(self.read);
        self.read += entries.len();
        let mut touched: BTreeSet<&Tag> = BTreeSet::new();
        for entry in &entries {
            self.facts.add(self.plan, entry);
            touched.extend(tag_of(&entry.event));
        }
        for tag in touched {
            if self.pending.contains(tag) && self.is_seen(tag) {
                self.pending.remove(tag);
                self.last_seen = Some(Instant::now());
            }
        }
    }

    fn is_seen(&self, tag: &Tag) -> bool {
        let Some(probe) = self.probes.get(tag) else { return true };
        let expected: Vec<&Expectation> = self.expected(probe).collect();
        self.facts.probes.get(tag).is_some_and(|seen| settled(seen, &expected) == Settled::Seen)
    }

    fn expected(&self, probe: &Probe) -> impl Iterator<Item = &'a Expectation> {
        let sender = probe.sender.clone();
        let all = &self.plan.scenario.phases[self.phase].expect;
        all.iter().filter(move |it| it.speaks_of(&sender))
    }

    /// Whether a probe that waits in some queue is what the phase expects.
    fn may_wait_in_queues(&self) -> bool {
        let waits = |outcome: Outcome| matches!(outcome, Outcome::Deferred | Outcome::Relayed);
        self.plan.scenario.phases[self.phase].expect.iter().any(|it| it.outcome.iter().any(|one| waits(one.value)))
    }

    fn senders_done(&self) -> bool {
        self.probes.keys().all(|tag| {
            let sent = self.facts.probes.get(tag).and_then(|seen| seen.sent.as_ref());
            sent.is_some_and(|sent| sent.state != SentState::Deferred)
        })
    }
}

/// Whom an event is about.
pub(super) fn tag_of(event: &Event) -> Option<&Tag> {
    match event {
        Event::Attempt { tag, .. } => Some(tag),
        Event::Fired(firing) => firing.tag.as_ref(),
        Event::Sent(sent) => Some(&sent.tag),
        Event::Landed(landed) => Some(&landed.tag),
        Event::Passed(passed) => Some(&passed.tag),
        Event::Returned(returned) => Some(&returned.tag),
        _ => None,
    }
}

//! One fault in force: whom it fits, and what it has counted.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::inventory::glob_matches;
use crate::mail::Stage;
use crate::record::{RunId, Tag};
use crate::scenario::Fault;
use crate::scenario::fault::{Action, Count, Limit, Scope};
use crate::world::Dice;

/// How many probes a fault counts by themselves; further ones are counted together.
const MAX_COUNTED: usize = 100_000;

/// A fault that is to be in force.
#[derive(Clone, Debug)]
pub struct Armed {
    /// Its index over the scenario, from 0: what a firing names.
    pub index: usize,
    /// What it is.
    pub fault: Arc<Fault>,
    /// When its phase began: `after` and `for` count from here.
    pub since: Instant,
    /// Whose it is, where a proxy stands for others as well.
    pub of: Option<OfRun>,
}

/// A fault of one run at a proxy that stands by itself: it knows the run's probes only, and draws as
/// a proxy of the run itself would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfRun {
    /// The run.
    pub run: RunId,
    /// The run's.
    pub dice: Dice,
    /// The fault's number in the run, from 0.
    pub number: usize,
}

/// Names the phase that a probe belongs to, for the trigger `probe`.
#[derive(Clone)]
pub struct PhaseOf(Arc<Lookup>);

type Lookup = dyn Fn(&Tag) -> Option<Arc<str>> + Send + Sync;

impl PhaseOf {
    /// Phases as this function knows them.
    pub fn new(lookup: impl Fn(&Tag) -> Option<Arc<str>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }
}

impl fmt::Debug for PhaseOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhaseOf")
    }
}

/// What is known at a moment of a session.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) stage: Stage,
    pub(crate) now: Instant,
    /// The address of the host that stands behind the listener.
    pub(crate) front: IpAddr,
    pub(crate) client: IpAddr,
    /// How many connections there are, this one with them.
    pub(crate) connections: usize,
    /// Whose connection or transaction it is.
    pub(crate) tag: Option<&'a Tag>,
    pub(crate) sender: Option<&'a str>,
    /// At `rcpt` only the one in question.
    pub(crate) recipients: &'a [String],
    pub(crate) phase_of: Option<&'a PhaseOf>,
    /// Whether the proxy serves a run, whose tags it knows.
    pub(crate) serves: Serves,
}

/// For whom a proxy stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    /// For a run, whose probes have tags.
    Run,
    /// For nobody in particular: recipient, sender or client say whom a fault may touch.
    Anybody,
}

/// A fault in force.
#[derive(Debug)]
pub(crate) struct Rule {
    armed: Armed,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    occurrences: HashMap<Option<Tag>, u64>,
    passed: VecDeque<Instant>,
}

impl Rule {
    pub(super) fn new(armed: Armed) -> Self {
        Self { armed, counts: Mutex::default() }
    }

    pub(super) fn is(&self, armed: &Armed) -> bool {
        self.armed.index == armed.index
            && self.armed.since == armed.since
            && Arc::ptr_eq(&self.armed.fault, &armed.fault)
    }

    pub(crate) fn index(&self) -> usize {
        self.armed.index
    }

    pub(crate) fn fault(&self) -> &Fault {
        &self.armed.fault
    }

    pub(crate) fn action(&self) -> &Action {
        &self.armed.fault.action.value
    }

    pub(crate) fn stage(&self) -> Stage {
        self.armed.fault.at.value
    }

    pub(crate) fn before_accept(&self) -> bool {
        self.action().before_accept()
    }

    /// From when until when it may fire; no end: as long as it is in force.
    pub(crate) fn window(&self) -> (Instant, Option<Instant>) {
        let when = &self.armed.fault.when;
        let start = self.armed.since + when.after.as_ref().map_or(Duration::ZERO, |after| after.value);
        (start, when.lasting.as_ref().map(|lasting| start + lasting.value))
    }

    pub(crate) fn in_window(&self, now: Instant) -> bool {
        let (start, end) = self.window();
        now >= start && end.is_none_or(|end| now < end)
    }

    pub(super) fn fires(&self, facts: &Facts<'_>, dice: Dice) -> bool {
        self.stage() == facts.stage
            && self.fault().covers(facts.front)
            && self.in_scope(facts)
            && self.fits(facts)
            && self.in_window(facts.now)
            && self.above_limit(facts)
            && self.has_its_turn(facts, dice)
    }

    /// Whether it may yet meet a session that is about to be encrypted. Its envelopes are not known
    /// by then, and a session says EHLO again behind STARTTLS.
    pub(super) fn may_fire_inside(&self, facts: &Facts<'_>) -> bool {
        let stage = self.stage();
        let inside = stage == Stage::Ehlo || stage > Stage::Starttls;
        let a_tag_may_come = stage >= Stage::Mail;
        let over = self.window().1.is_some_and(|end| facts.now >= end);
        inside
            && !over
            && self.fault().covers(facts.front)
            && (a_tag_may_come || self.in_scope(&Facts { stage, ..*facts }))
            && self.fits_client(facts)
    }

    /// Mail of others passes byte for byte: without a tag only `scope: all` touches a connection,
    /// or `client` before the envelope is known.
    fn in_scope(&self, facts: &Facts<'_>) -> bool {
        let when = &self.fault().when;
        let of = self.armed.of.as_ref();
        let serves = if of.is_some() { Serves::Run } else { facts.serves };
        let named = match serves {
            Serves::Run => when.client.is_some() && facts.stage < Stage::Mail,
            Serves::Anybody => when.client.is_some() || when.recipient.is_some() || when.sender.is_some(),
        };
        let ours = facts.tag.is_some_and(|tag| of.is_none_or(|of| of.run.as_str() == tag.run()));
        self.fault().scope == Scope::All || ours || named
    }

    fn fits(&self, facts: &Facts<'_>) -> bool {
        let when = &self.fault().when;
        let phase = || facts.phase_of.zip(facts.tag).and_then(|(phase_of, tag)| (phase_of.0)(tag));
        self.fits_client(facts)
            && when
                .sender
                .as_ref()
                .is_none_or(|pattern| facts.sender.is_some_and(|sender| glob_matches(&pattern.value, sender)))
            && when
                .recipient
                .as_ref()
                .is_none_or(|pattern| facts.recipients.iter().any(|it| glob_matches(&pattern.value, it)))
            && when.probe.as_ref().is_none_or(|wanted| phase().is_some_and(|phase| *phase == *wanted.value))
    }

    fn fits_client(&self, facts: &Facts<'_>) -> bool {
        let client = &self.fault().when.client;
        client.as_ref().is_none_or(|network| network.value.contains(&facts.client.to_canonical()))
    }

    fn above_limit(&self, facts: &Facts<'_>) -> bool {
        match self.fault().when.limit.as_ref().map(|limit| limit.value) {
            None => true,
            Some(Limit::Connections(most)) => facts.connections > most as usize,
            Some(Limit::Messages(most, per)) => self.lock().is_above(most as usize, per, facts.now),
        }
    }

    /// `first`, `nth`, `every` and `chance`, over the occurrences of each probe by itself.
    fn has_its_turn(&self, facts: &Facts<'_>, dice: Dice) -> bool {
        let when = &self.fault().when;
        if !when.counts() {
            return true;
        }
        let key = facts.tag.filter(|_| when.count == Count::Probe);
        let occurrence = self.lock().next(key);
        let (dice, own) = self.armed.of.as_ref().map_or((dice, self.index()), |of| (of.dice, of.number));
        let drawn = || dice.fraction("fault", &[own as u64, number(key), occurrence]);
        when.first.as_ref().is_none_or(|first| occurrence <= first.value)
            && when.nth.as_ref().is_none_or(|nth| occurrence == nth.value)
            && when.every.as_ref().is_none_or(|every| occurrence.is_multiple_of(every.value))
            && when.chance.as_ref().is_none_or(|chance| drawn() < chance.value)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// The number of this occurrence, from 1.
    fn next(&mut self, tag: Option<&Tag>) -> u64 {
        let full = self.occurrences.len() >= MAX_COUNTED;
        let key = tag.filter(|tag| !full || self.occurrences.contains_key(&Some((*tag).clone()))).cloned();
        let count = self.occurrences.entry(key).or_default();
        *count += 1;
        *count
    }

    /// Lets `most` pass in any time of length `per`.
    fn is_above(&mut self, most: usize, per: Duration, now: Instant) -> bool {
        while self.passed.front().is_some_and(|passed| now.duration_since(*passed) >= per) {
            self.passed.pop_front();
        }
        if self.passed.len() >= most {
            return true;
        }
        self.passed.push_back(now);
        false
    }
}

/// What stands for a probe in a draw: its number without the run's id, so that the same seed
/// draws the same in another run.
fn number(tag: Option<&Tag>) -> u64 {
    const CONTROL: u64 = 1 << 32;
    let Some(tag) = tag else { return u64::MAX };
    let (_, number) = tag.as_str().split_once('-').unwrap_or_default();
    match number.strip_prefix('c') {
        Some(control) => CONTROL + control.parse().unwrap_or(0),
        None => number.parse().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunId;
    use crate::scenario::read_fault;
    use crate::source::SourceText;

    fn rule(when: &str) -> Rule {
        let text = format!("{{ host: mx.test, at: rcpt, do: close, when: {{ {when} }} }}");
        let fault = read_fault(&SourceText::new("fault", text)).expect("a fault");
        Rule::new(Armed { index: 0, fault: Arc::new(fault), since: Instant::now(), of: None })
    }

    fn fires(rule: &Rule, tag: &Tag) -> bool {
        let ip = "192.0.2.1".parse().expect("an address");
        let facts = Facts {
            stage: Stage::Rcpt,
            now: Instant::now(),
            front: ip,
            client: ip,
            connections: 1,
            tag: Some(tag),
            sender: None,
            recipients: &[],
            phase_of: None,
            serves: Serves::Run,
        };
        rule.fires(&facts, Dice::new(7))
    }

    /// Which of the first 20 probes are met twice, once and never, in this order of arrival.
    fn drawn(run: &RunId, order: impl Iterator<Item = u32>) -> Vec<(u32, [bool; 2])> {
        let rule = rule("chance: 0.5");
        let mut met: Vec<(u32, [bool; 2])> = order
            .map(|probe| {
                let tag = run.probe(probe);
                (probe, [fires(&rule, &tag), fires(&rule, &tag)])
            })
            .collect();
        met.sort_unstable();
        met
    }

    #[tokio::test]
    async fn chance_depends_on_neither_the_run_nor_the_order_of_arrival() {
        let (one, other) = (RunId::from_entropy(1), RunId::from_entropy(2));
        let met = drawn(&one, 1..=20);
        assert_eq!(met, drawn(&other, (1..=20).rev()));
        assert!(met.iter().any(|(_, twice)| twice[0] != twice[1]), "each occurrence is drawn by itself");
    }

    #[test]
    fn a_probe_and_a_control_of_the_same_number_draw_differently() {
        let run = RunId::from_entropy(1);
        assert_eq!(number(Some(&run.probe(12))), 12);
        assert_ne!(number(Some(&run.control(12))), 12);
        assert_ne!(number(None), number(Some(&run.control(12))));
    }

    #[tokio::test]
    async fn counters_know_each_probe() {
        let (rule, run) = (rule("first: 1"), RunId::from_entropy(1));
        let met = [1, 2, 1, 2, 3].map(|probe| fires(&rule, &run.probe(probe)));
        assert_eq!(met, [true, true, false, false, true]);
    }
}

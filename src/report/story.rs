//! What happened to one probe, in order: attempts, the faults that they met, who handled it, and
//! where it came to rest.

use jiff::Timestamp;

use super::prose::tame;
use crate::record::{Attempt, AttemptResult, Landed, Met, Passed, ProbeRecord, Ran, Record, RecordedFault};

/// Every fault of a record, as firings count them.
#[derive(Clone, Debug)]
pub(super) struct Faults<'a>(Vec<&'a RecordedFault>);

impl<'a> Faults<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self(record.phases.iter().flat_map(|phase| &phase.faults).collect())
    }

    pub(super) fn get(&self, met: &Met) -> Option<&'a RecordedFault> {
        self.0.get(met.fault).copied()
    }

    /// The word of the fault's action, such as `drop-syn` or `reply`.
    pub(super) fn word(&self, met: &Met) -> String {
        match self.get(met).and_then(|fault| fault.action.split_whitespace().next()) {
            Some(word) => tame(word),
            None => format!("number {}", met.fault + 1),
        }
    }
}

/// One thing that happened to a probe.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step<'a> {
    /// A host was tried, and these faults took effect.
    Attempt(&'a Attempt, Vec<&'a Met>),
    /// A program was run.
    Ran(&'a Ran),
    /// A fault took effect for an attempt that mxdrill did not make itself.
    Met(&'a Met),
    /// A host handled it without keeping it.
    Passed(&'a Passed),
    /// A copy came to rest.
    Landed(&'a Landed),
}

impl Step<'_> {
    pub(super) fn at(&self) -> Timestamp {
        match self {
            Step::Attempt(attempt, _) => attempt.at,
            Step::Ran(ran) => ran.at,
            Step::Met(met) => met.at,
            Step::Passed(passed) => passed.at,
            Step::Landed(landed) => landed.at,
        }
    }

    /// When it is told. What stands in a log with whole seconds may have happened at any moment of
    /// that second; it is told last of all that did, since results follow causes.
    fn told_at(&self) -> i64 {
        let at = self.at().as_millisecond();
        let vague = matches!(self, Step::Passed(_) | Step::Landed(_)) && self.at().subsec_nanosecond() == 0;
        if vague { at + 999 } else { at }
    }

    /// At the same moment, causes come first.
    fn rank(&self) -> u8 {
        match self {
            Step::Attempt(..) | Step::Ran(_) => 0,
            Step::Met(_) => 1,
            Step::Passed(_) => 2,
            Step::Landed(_) => 3,
        }
    }
}

/// What happened to a probe.
#[derive(Clone, Debug)]
pub(super) struct Story<'a> {
    pub(super) probe: &'a ProbeRecord,
    pub(super) steps: Vec<Step<'a>>,
}

impl<'a> Story<'a> {
    pub(super) fn of(probe: &'a ProbeRecord, faults: &Faults<'_>) -> Self {
        let mut met: Vec<Vec<&Met>> = vec![vec![]; probe.attempts.len()];
        let mut steps = vec![];
        for firing in &probe.fired {
            match attempt_that_met(firing, probe, &met, faults) {
                Some(at) => met[at].push(firing),
                None => steps.push(Step::Met(firing)),
            }
        }
        steps.extend(probe.attempts.iter().zip(met).map(|(attempt, met)| Step::Attempt(attempt, met)));
        steps.extend(probe.programs.iter().map(Step::Ran));
        steps.extend(probe.passed.iter().map(Step::Passed));
        steps.extend(probe.landed.iter().map(Step::Landed));
        steps.sort_by_key(|step| (step.told_at(), step.rank()));
        Self { probe, steps }
    }

    /// What its times are counted from: its first attempt, or else the first thing that is known.
    pub(super) fn start(&self) -> Option<Timestamp> {
        let programs = self.probe.programs.iter().map(|ran| ran.at);
        let first = self.probe.attempts.iter().map(|attempt| attempt.at).chain(programs).min();
        first.or_else(|| self.steps.first().map(Step::at))
    }

    /// Whether another host took it although no fault kept it from those before: greylisting, a
    /// busy host, or one that is really down.
    pub(super) fn natural_fallback(&self) -> Option<&'a Attempt> {
        let attempts: Vec<(&Attempt, &Vec<&Met>)> = self.steps.iter().filter_map(Step::attempt).collect();
        let (taken, _) = attempts.iter().find(|(attempt, _)| attempt.result == AttemptResult::Accepted)?;
        let before: Vec<_> = attempts
            .iter()
            .filter(|(attempt, _)| attempt.round == taken.round && attempt.at < taken.at && attempt.host != taken.host)
            .filter(|(attempt, _)| attempt.result != AttemptResult::PassedOver)
            .collect();
        let natural = before.iter().all(|(_, met)| met.is_empty());
        before.first().filter(|_| natural).map(|(attempt, _)| *attempt)
    }
}

impl<'a> Step<'a> {
    fn attempt(&self) -> Option<(&'a Attempt, &Vec<&'a Met>)> {
        match self {
            Step::Attempt(attempt, met) => Some((attempt, met)),
            _ => None,
        }
    }
}

/// Which attempt met the fault. Before a connection is accepted the proxy sees no client, and the
/// firing is known from the attempt itself: they belong together in order. Later ones belong to
/// the last attempt that had begun by then.
fn attempt_that_met(met: &Met, probe: &ProbeRecord, told: &[Vec<&Met>], faults: &Faults<'_>) -> Option<usize> {
    let host = &faults.get(met)?.host;
    let mut there = probe.attempts.iter().enumerate().filter(|(_, attempt)| attempt.host.eq_ignore_ascii_case(host));
    if met.connection == 0 {
        let at_connect = |attempt: &Attempt| attempt.stage == met.stage && attempt.result != AttemptResult::Accepted;
        return there.find(|(at, attempt)| at_connect(attempt) && told[*at].is_empty()).map(|(at, _)| at);
    }
    let begun = there.clone().rfind(|(_, attempt)| attempt.at <= met.at);
    begun.or_else(|| there.next()).map(|(at, _)| at)
}

//! From what was seen of a probe to what became of it.

use super::{ProbeFacts, copies};
use crate::record::{AttemptResult, Handling, Placement, SentState};
use crate::scenario::Expectation;
use crate::terms::Outcome;

/// What became of a probe, by what is known now; none where nothing was seen of it.
pub fn outcome(facts: &ProbeFacts) -> Option<Outcome> {
    match copies::count(&facts.landed) {
        0 => at_rest_nowhere(facts),
        1 if facts.landed.iter().any(|one| one.placement == Placement::Junk) => Some(Outcome::Filtered),
        1 => Some(Outcome::Delivered),
        _ => Some(Outcome::Duplicated),
    }
}

fn at_rest_nowhere(facts: &ProbeFacts) -> Option<Outcome> {
    match facts.sent.as_ref().map(|sent| sent.state) {
        Some(SentState::Bounced) => Some(Outcome::Bounced),
        Some(SentState::Expired) => Some(Outcome::Expired),
        Some(SentState::Deferred) => Some(Outcome::Deferred),
        Some(SentState::Delivered) => Some(taken(facts)),
        None if facts.passed.is_empty() => facts.attempts.last().map(|_| Outcome::Deferred),
        None => Some(taken(facts)),
    }
}

/// A host took it, and it is nowhere at rest.
fn taken(facts: &ProbeFacts) -> Outcome {
    match facts.passed.last().map(|last| last.handling) {
        Some(Handling::Took | Handling::Deferred) => Outcome::Deferred,
        Some(Handling::Bounced) => Outcome::Bounced,
        Some(Handling::Relayed) => Outcome::Relayed,
        Some(Handling::Refused | Handling::Discarded) | None => Outcome::Lost,
    }
}

/// Whether there is anything left to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The sender is not done.
    Sending,
    /// The sender is done; what is expected was not all seen yet.
    Waiting,
    /// Everything that is expected to be seen was seen; only absence is left to watch.
    Seen,
}

/// Whether a probe still has to be waited for under these expectations.
pub fn settled(facts: &ProbeFacts, expected: &[&Expectation]) -> Settled {
    let done = facts.sent.as_ref().is_some_and(|sent| sent.state != SentState::Deferred);
    if !done && facts.landed.is_empty() && facts.passed.is_empty() {
        return Settled::Sending;
    }
    if !done && !expected.iter().all(|it| it.outcome.iter().any(|one| one.value == Outcome::Deferred)) {
        return Settled::Sending;
    }
    let seen = expected.iter().all(|expectation| super::compare::positives(expectation, facts).is_ok());
    if seen { Settled::Seen } else { Settled::Waiting }
}

/// The host that took the probe from its sender, if one did: the one of the last accepted attempt,
/// or the one whose log or store has it first.
pub(super) fn taker(facts: &ProbeFacts) -> Vec<&str> {
    let accepted = facts
        .attempts
        .iter()
        .filter(|attempt| attempt.result == AttemptResult::Accepted)
        .map(|attempt| attempt.host.as_str());
    let mut takers: Vec<&str> = accepted.collect();
    if takers.is_empty() {
        takers.extend(facts.passed.first().and_then(|it| it.host.as_deref()));
    }
    if takers.is_empty() {
        takers.extend(facts.landed.first().and_then(|it| it.host.as_deref()));
    }
    takers
}

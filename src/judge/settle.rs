//! From what was seen of a probe to what became of it.

use super::{ProbeFacts, copies};
use crate::record::{AttemptResult, Handling, Placement, SentState};
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
        Some(SentState::Refused) => Some(Outcome::Refused),
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

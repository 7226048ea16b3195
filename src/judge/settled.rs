//! Whether a probe still has to be waited for.

use super::{ProbeFacts, demands};
use crate::record::SentState;
use crate::scenario::Expectation;
use crate::terms::Outcome;

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
    let seen = expected.iter().all(|expectation| demands::positives(expectation, facts).is_ok());
    if seen { Settled::Seen } else { Settled::Waiting }
}

//! What the process ends with.

use crate::record::{Record, RunState};
use crate::run::Kind;
use crate::terms::Verdict;

/// How a command ended; the numbers are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All pass, clean.
    Clean = 0,
    /// A verdict failed.
    Failed = 1,
    /// The arguments or a scenario are wrong; nothing was contacted.
    Usage = 2,
    /// Inconclusive, or could not look; nothing failed.
    Inconclusive = 3,
    /// The harness itself broke.
    Broken = 4,
    /// Told to stop; faults are lifted.
    Interrupted = 130,
}

impl Exit {
    /// The exit of a run whose verdict this is.
    pub fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Exit::Clean,
            Verdict::Inconclusive => Exit::Inconclusive,
            Verdict::Fail => Exit::Failed,
        }
    }

    /// The exit of several records: interrupted, else by the worst verdict.
    pub fn of_records(records: &[Record]) -> Self {
        if records.iter().any(|record| record.state == RunState::Interrupted) {
            return Exit::Interrupted;
        }
        Exit::of(records.iter().map(|record| record.run_verdict).fold(Verdict::Pass, Verdict::worst))
    }

    /// The exit of a run that could not be carried out.
    pub fn of_error(kind: Kind) -> Self {
        match kind {
            Kind::Usage => Exit::Usage,
            Kind::Unreachable => Exit::Inconclusive,
            Kind::Harness => Exit::Broken,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit as u8)
    }
}

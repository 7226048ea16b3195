//! What is expected: the measured matrix, and what was measured here where that has no cell or another one.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::mta::Mta;
use super::trials::Trial;

/// A part of the matrix; its origin is told in the file.
#[derive(Debug, Deserialize)]
struct Matrix {
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    mta: String,
    fault: String,
    outcome: String,
}

/// A cell that the matrix lacks, or that is another one here, and why.
#[derive(Debug, Deserialize)]
pub(crate) struct Here {
    mta: String,
    trial: String,
    pub(crate) outcome: String,
    pub(crate) why: String,
}

/// Trials whose fault a sender still minds when it is gone.
#[derive(Debug, Deserialize)]
pub(crate) struct Memory {
    pub(crate) mta: String,
    pub(crate) trials: Vec<String>,
    pub(crate) outcome: String,
    pub(crate) why: String,
}

/// Where an expectation comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Matrix,
    /// The matrix has no such cell.
    Here,
    /// The matrix has another one.
    Differs,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Expected {
    matrix: Matrix,
    here: Vec<Here>,
    memory: Vec<Memory>,
}

impl Expected {
    pub(crate) fn read() -> Self {
        let (matrix, here) = (json("fallback-matrix.json"), json("fallback-here.json"));
        let expected = Self { matrix, here, memory: json("fallback-memory.json") };
        expected.here.iter().for_each(|here| assert!(!here.why.is_empty(), "{here:?} gives no reason"));
        expected.memory.iter().for_each(|memory| assert!(!memory.why.is_empty(), "{memory:?} gives no reason"));
        expected
    }

    /// What becomes of the trial's message, in the words of the matrix.
    pub(crate) fn outcome(&self, mta: Mta, trial: &Trial) -> Option<&str> {
        let (here, matrix) = (self.here(mta, trial).map(|here| here.outcome.as_str()), self.in_matrix(mta, trial));
        assert!(here.is_none() || here != matrix, "{mta:?}, {}: the matrix says the same", trial.name);
        here.or(matrix)
    }

    pub(crate) fn origin(&self, mta: Mta, trial: &Trial) -> Origin {
        match (self.here(mta, trial), self.in_matrix(mta, trial)) {
            (None, _) => Origin::Matrix,
            (Some(_), None) => Origin::Here,
            (Some(_), Some(_)) => Origin::Differs,
        }
    }

    /// What the matrix says where it is not what was seen here.
    pub(crate) fn difference(&self, mta: Mta, trial: &Trial) -> Option<(&str, &Here)> {
        Some((self.in_matrix(mta, trial)?, self.here(mta, trial)?))
    }

    pub(crate) fn memory(&self) -> &[Memory] {
        &self.memory
    }

    /// What becomes of the message that follows when the fault is lifted.
    pub(crate) fn again(&self, mta: Mta, trial: &Trial) -> &str {
        // Faults of the DNS hold as long as the lab is up.
        if trial.dns.is_some() {
            return self.outcome(mta, trial).unwrap_or("not known");
        }
        let known = |memory: &&Memory| memory.mta == mta.word() && memory.trials.iter().any(|it| it == trial.name);
        self.memory.iter().find(known).map_or("primary", |memory| &memory.outcome)
    }

    fn here(&self, mta: Mta, trial: &Trial) -> Option<&Here> {
        self.here.iter().find(|here| here.mta == mta.word() && here.trial == trial.name)
    }

    fn in_matrix(&self, mta: Mta, trial: &Trial) -> Option<&str> {
        let cell = self.matrix.rows.iter().find(|row| row.mta == mta.word() && Some(&*row.fault) == trial.matrix);
        cell.map(|row| row.outcome.as_str())
    }
}

fn json<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

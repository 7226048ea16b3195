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
struct Here {
    mta: String,
    trial: String,
    outcome: String,
    why: String,
}

/// Both.
#[derive(Debug)]
pub(crate) struct Expected {
    matrix: Matrix,
    here: Vec<Here>,
}

impl Expected {
    pub(crate) fn read() -> Self {
        let expected = Self { matrix: json("fallback-matrix.json"), here: json("fallback-here.json") };
        expected.here.iter().for_each(|here| assert!(!here.why.is_empty(), "{here:?} gives no reason"));
        expected
    }

    /// What becomes of the trial's message, in the words of the matrix.
    pub(crate) fn outcome(&self, mta: Mta, trial: &Trial) -> Option<&str> {
        let here = self.here.iter().find(|here| here.mta == mta.word() && here.trial == trial.name);
        let (here, matrix) = (here.map(|here| here.outcome.as_str()), self.in_matrix(mta, trial));
        assert!(here.is_none() || here != matrix, "{mta:?}, {}: the matrix says the same", trial.name);
        here.or(matrix)
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

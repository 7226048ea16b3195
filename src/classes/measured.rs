//! What was measured: cells of class and fault, each one seen with a real server.
//!
//! The cells stand in the files that the tests hold the rules against, `tests/data`; they say how
//! well a prediction is known and how many seconds it took, never what it is.

use std::sync::LazyLock;

use serde::Deserialize;

use super::SenderClass;

const MATRIX: &str = include_str!("../../tests/data/fallback-matrix.json");
const HERE: &str = include_str!("../../tests/data/fallback-here.json");
const FAULTS: &str = include_str!("../../tests/data/fallback-faults.json");

/// One server under one fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The class.
    pub class: SenderClass,
    /// The server's version.
    pub version: String,
    /// The fault in the words of the files, such as `rcpt_450` or `rcpt-450`.
    pub fault: String,
    /// What came of it in their words, such as `backup+dup_risk`.
    pub outcome: String,
    /// How long that took, from the start of the attempt; none where nobody noted it, or where
    /// timers were not the server's own.
    pub seconds: Option<f64>,
    /// What was seen besides; empty where nothing was noted.
    pub note: String,
}

/// What a fault of the files is in the words of mxdrill.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Meaning {
    /// Its name in the matrix.
    pub matrix: Option<String>,
    /// Its names among the trials that were made with mxdrill's own proxy.
    #[serde(default)]
    pub trials: Vec<String>,
    /// Fault lines that do the same to a sender.
    #[serde(default)]
    pub lines: Vec<String>,
    /// What a sender meets, where no line says it.
    pub meets: Option<Meets>,
    /// Why no line says it.
    #[serde(default)]
    pub why: String,
}

/// What a sender meets.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Meets {
    /// Where.
    pub at: crate::mail::Stage,
    /// What.
    pub failure: super::Failure,
}

impl Meaning {
    /// Whether a cell is of this fault.
    pub fn covers(&self, cell: &Cell) -> Option<&str> {
        let matrix = self.matrix.as_deref().filter(|name| *name == cell.fault);
        matrix.or_else(|| self.trials.iter().map(String::as_str).find(|name| *name == cell.fault))
    }
}

/// Everything that was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// The cells; those with seconds first.
    pub cells: Vec<Cell>,
    /// What their faults are; those that fault lines can say first.
    pub meanings: Vec<Meaning>,
}

/// Everything that was measured. A test makes sure that the files can be read.
pub fn all() -> &'static Measured {
    static ALL: LazyLock<Measured> = LazyLock::new(|| read().unwrap_or_default());
    &ALL
}

#[derive(Deserialize)]
struct Matrix {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    mta: SenderClass,
    version: String,
    fault: String,
    outcome: String,
    elapsed_s: Option<f64>,
}

#[derive(Deserialize)]
struct Here {
    mta: SenderClass,
    trial: String,
    outcome: String,
    why: String,
}

#[derive(Deserialize)]
struct Faults {
    lines: Vec<Meaning>,
    others: Vec<Meaning>,
}

fn read() -> Result<Measured, serde_json::Error> {
    let matrix: Matrix = serde_json::from_str(MATRIX)?;
    let here: Vec<Here> = serde_json::from_str(HERE)?;
    let faults: Faults = serde_json::from_str(FAULTS)?;
    let version = |class: SenderClass| {
        let known = matrix.rows.iter().find(|row| row.mta == class);
        known.map(|row| row.version.clone()).unwrap_or_default()
    };
    let own = here.into_iter().map(|it| Cell {
        class: it.mta,
        version: version(it.mta),
        fault: it.trial,
        outcome: it.outcome,
        seconds: None,
        note: it.why,
    });
    let own: Vec<Cell> = own.collect();
    let theirs = matrix.rows.into_iter().map(|row| Cell {
        class: row.mta,
        version: row.version,
        fault: row.fault,
        outcome: row.outcome,
        seconds: row.elapsed_s,
        note: String::new(),
    });
    let meanings = faults.lines.into_iter().chain(faults.others).collect();
    Ok(Measured { cells: theirs.chain(own).collect(), meanings })
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;

    #[test]
    fn the_files_can_be_read() {
        let measured = read().expect("the files");
        assert_eq!(measured.cells.len(), 300 + 94, "rows of the matrix, and cells that were measured here");
    }

    #[test]
    fn each_fault_of_the_files_has_a_meaning_or_a_reason() {
        for cell in &all().cells {
            let meaning = all().meanings.iter().find(|it| it.covers(cell).is_some());
            let meaning = meaning.unwrap_or_else(|| panic!("nobody says what `{}` is", cell.fault));
            assert!(!meaning.lines.is_empty() || !meaning.why.is_empty(), "`{}` has no reason", cell.fault);
        }
    }

    /// The table test of what no fault line can say; the others are in `judge::predict`.
    #[test]
    fn the_rules_give_what_was_measured_of_names_networks_and_trickles() {
        let mut held = 0;
        for cell in &all().cells {
            let meaning = all().meanings.iter().find(|it| it.covers(cell).is_some());
            let Some(Meets { at, failure }) = meaning.and_then(|it| it.meets) else { continue };
            let wanted = match cell.outcome.as_str() {
                "backup" => Step::Next,
                "bounced" => Step::Bounce,
                "no_verdict" => Step::Hang,
                other => panic!("{} {}: {other}", cell.class, cell.fault),
            };
            assert_eq!(cell.class.rule(at, failure).then, wanted, "{} {}", cell.class, cell.fault);
            held += 1;
        }
        assert_eq!(held, 38, "cells");
    }
}

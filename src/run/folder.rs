//! Where a run keeps its journal and record.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Context, Kind, RunError};
use crate::plan::Plan;
use crate::record::{Journal, Record};

/// The folder of one run, named by its id; none where nothing is kept.
pub(super) struct Folder(Option<PathBuf>);

impl Folder {
    /// Makes the folder and begins the journal in it.
    pub(super) fn make(plan: &Plan, context: &Context, journal: &Journal) -> Result<Self, RunError> {
        let Some(parent) = &context.record else { return Ok(Self(None)) };
        let path = parent.join(plan.run.as_str());
        let unusable = |error: &dyn std::fmt::Display| {
            RunError::new(Kind::Usage, format!("the folder `{}` cannot be used: {error}", parent.display()))
                .help("give `--record` a folder that can be written to")
        };
        fs::create_dir_all(&path).map_err(|error| unusable(&error))?;
        journal.write_to(&path.join("journal.jsonl")).map_err(|error| unusable(&error))?;
        Ok(Self(Some(path)))
    }

    /// Waits until the journal is on disk, and writes the record beside it.
    pub(super) fn close(&self, journal: &Journal, record: &Record) -> Result<(), RunError> {
        let Some(path) = &self.0 else { return Ok(()) };
        let broken = |error: &dyn std::fmt::Display| RunError::new(Kind::Harness, error);
        journal.close(&path.join("journal.jsonl")).map_err(|error| broken(&error))?;
        write_record(&path.join("record.json"), record).map_err(|error| {
            broken(&format!("the record `{}` cannot be written: {error}", path.join("record.json").display()))
        })
    }
}

/// Writes a record so that a reader sees the old one or the new one, never half of it.
pub(super) fn write_record(path: &Path, record: &Record) -> io::Result<()> {
    let part = path.with_extension("json.part");
    let mut file = fs::File::create(&part)?;
    serde_json::to_writer_pretty(&mut file, record)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(part, path)
}

//! `mxdrill report`: render what was saved again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::{Common, Saved};
use super::{Exit, Screen, drill, files};
use crate::judge;
use crate::plan::{Plan, expand};
use crate::record::{Entry, Event, Record, Report, SCHEMA_RECORD, SCHEMA_REPORT, read_journal};
use crate::scenario;
use crate::source::SourceText;

pub(super) fn report(screen: &Screen, common: &Common, wanted: &Saved) -> Exit {
    let mut records = vec![];
    for path in &wanted.paths {
        match saved(screen, path) {
            Ok(found) => records.extend(found),
            Err(exit) => return exit,
        }
    }
    let report = Report::new(records);
    match drill::publish(screen, common, &report, &wanted.reports) {
        Ok(()) => Exit::of_records(&report.records),
        Err(exit) => exit,
    }
}

/// The records at a path: those of a document, or the one that a journal tells.
pub(super) fn saved(screen: &Screen, path: &Path) -> Result<Vec<Record>, Exit> {
    let path = in_folder(path);
    if path.extension().is_some_and(|it| it == "jsonl") {
        let (plan, entries) = journal(screen, &path)?;
        return Ok(vec![judge::record(&plan, &entries)]);
    }
    let text = files::read(screen, &path)?.text;
    let wrong = |why: &str| {
        let what = format!("`{}` is not a record, report or journal of mxdrill: {why}", path.display());
        screen.error(&what, &[], Some("`mxdrill run --record DIR` and `--report json=PATH` write them"));
        Exit::Usage
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))?;
    match value.get("schema").and_then(serde_json::Value::as_str) {
        Some(SCHEMA_RECORD) => Ok(vec![serde_json::from_value(value).map_err(|error| wrong(&error.to_string()))?]),
        Some(SCHEMA_REPORT) => {
            let report: Report = serde_json::from_value(value).map_err(|error| wrong(&error.to_string()))?;
            Ok(report.records)
        }
        Some(other) => {
            Err(wrong(&format!("its schema is `{other}`, known are `{SCHEMA_RECORD}` and `{SCHEMA_REPORT}`")))
        }
        None => Err(wrong("it names no schema")),
    }
}

/// In a folder that `--record` made: the record, or the journal of a run that did not finish.
fn in_folder(path: &Path) -> PathBuf {
    if !path.is_dir() {
        return path.to_owned();
    }
    let record = path.join("record.json");
    if record.exists() { record } else { path.join("journal.jsonl") }
}

/// A journal, and the plan that its first line tells.
pub(super) fn journal(screen: &Screen, path: &Path) -> Result<(Plan, Vec<Entry>), Exit> {
    let entries = read_journal(path).map_err(|error| {
        screen.error(&error.to_string(), &[], Some("give the folder that `--record` made, or a file in it"));
        Exit::Usage
    })?;
    let Some(Entry { event: Event::RunStarted(first), .. }) = entries.first() else {
        screen.error(&format!("the journal `{}` is empty: the run did not begin", path.display()), &[], None);
        return Err(Exit::Usage);
    };
    let source = SourceText::new(first.path.as_str(), first.text.as_str());
    let inventory = first.inventory.as_ref().map(|(name, text)| SourceText::new(name.as_str(), text.as_str()));
    let loaded = scenario::load(source, inventory).map_err(|remarks| {
        screen.remarks(&remarks);
        screen.error(
            &format!("the scenario in `{}` is not one that this version of mxdrill reads", path.display()),
            &[format!("it was run by version {}", first.version)],
            None,
        );
        Exit::Usage
    })?;
    let plan = expand(Arc::new(loaded.scenario), first.run.clone(), first.seed);
    Ok((plan, entries))
}

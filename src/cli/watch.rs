//! `mxdrill watch`: look on for the probes of a finished run, and update its verdicts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::{Common, Watch};
use super::{Exit, Machine, Screen, drill, progress, report};
use crate::record::{Journal, Report};
use crate::run::{self, Context};
use crate::world::Clock;

pub(super) fn watch(machine: &mut Machine, screen: &Screen, common: &Common, wanted: &Watch) -> Exit {
    match watched(machine, screen, common, wanted) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn watched(machine: &Machine, screen: &Screen, common: &Common, wanted: &Watch) -> Result<Exit, Exit> {
    let path = journal_at(&wanted.path);
    let (plan, entries) = report::journal(screen, &path)?;
    let plan = Arc::new(plan);
    if !wanted.live {
        drill::refuse_remote(screen, &[Arc::clone(&plan)])?;
    }
    let authorities = Arc::new(drill::authorities(screen, wanted.ca.as_deref())?);
    let runtime = drill::runtime(screen)?;
    let looked = runtime.block_on(async {
        let journal = Journal::resumed(Clock::starting_at(machine.now), entries);
        let context = Context {
            environment: machine.environment.clone(),
            authorities,
            dns: wanted.dns.map(|it| it.0),
            helo: String::new(),
            jobs: 1,
            record: None,
            stop: progress::signals(),
            command: vec![],
            inventory: None,
        };
        run::look_on(&plan, &context, &journal, &path, wanted.time).await
    });
    match looked {
        Ok(record) => {
            let report = Report::new(vec![record]);
            drill::publish(screen, common, &report, &wanted.reports)?;
            Ok(Exit::of_records(&report.records))
        }
        Err(error) => Err(drill::error_exit(screen, &error)),
    }
}

/// The journal of a run, by the folder that holds it or any file in there.
pub(super) fn journal_at(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("journal.jsonl") } else { path.with_file_name("journal.jsonl") }
}

//! Looking on for the probes of a run that is over.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::folder::write_record;
use super::rig::open_collectors;
use super::wait::{Patience, Watcher};
use super::{Context, Kind, RunError};
use crate::collect::Since;
use crate::dns::Lookups;
use crate::judge;
use crate::plan::Plan;
use crate::record::{Event, Journal, Record};

/// Opens the collectors of a finished run again, and looks for its probes until all that is
/// expected was seen and watched, or `time` is over. `journal` holds what the run noted; what is
/// found is added to it, to its file at `path`, and the record beside it is written anew.
///
/// # Errors
/// Where no collector is left to look with, or one cannot look.
pub async fn look_on(
    plan: &Plan,
    context: &Context,
    journal: &Journal,
    path: &Path,
    time: Duration,
) -> Result<Record, RunError> {
    journal.write_to(path).map_err(|error| RunError::new(Kind::Usage, error))?;
    let names: Arc<dyn Lookups> = Arc::new(context.resolver()?);
    let collectors = open_collectors(plan, context, &names, journal, Since::Ever).await?;
    if collectors.is_empty() {
        return Err(RunError::new(
            Kind::Usage,
            "no platform of the scenario has a collector: there is nothing to watch",
        )
        .help("the lab's own hosts are gone when a run ends; only mailboxes and logs can be watched"));
    }
    let patience = Patience { deadline: Instant::now() + time, watch: Some(time), in_flight: None };
    let told = tokio::select! {
        biased;
        by = context.stopped() => Some(by),
        () = every_phase(plan, journal, &patience) => None,
    };
    for collector in &collectors {
        if let Err(error) = collector.look().await {
            tracing::warn!("{error}");
        }
    }
    for collector in collectors {
        collector.close().await;
    }
    if let Some(by) = told {
        journal.note(Event::Warning { text: format!("the watch was ended by {by}") });
    }
    let record = judge::record(plan, &journal.since(0));
    journal.close(path).map_err(|error| RunError::new(Kind::Harness, error))?;
    write_record(&path.with_file_name("record.json"), &record).map_err(|error| RunError::new(Kind::Harness, error))?;
    Ok(record)
}

async fn every_phase(plan: &Plan, journal: &Journal, patience: &Patience) {
    for index in 0..plan.phases.len() {
        Watcher::new(plan, index, journal).until_settled(patience).await;
    }
}

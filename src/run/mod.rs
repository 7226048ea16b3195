//! The story of a drill.
//!
//! ```text
//!   drill ── Rig::up ──> controls ──> phase ──> phase ──> … ──> Rig::down ──> judge ──> Record
//!                                       │
//!               raise faults, send probes, wait until settled, look once more, lift faults
//! ```
//!
//! `rig` brings up what a scenario needs and takes it down again whatever happens; `phase` is one
//! part of the story; `wait` knows when there is nothing left to wait for. What was seen is in the
//! journal, and only `judge` says what it means.

mod cleanup;
mod context;
mod controls;
mod error;
mod folder;
mod phase;
mod rig;
mod wait;
mod watch;

pub use cleanup::clean;
pub use context::Context;
pub use error::{Kind, RunError};
pub use watch::look_on;

use crate::judge;
use crate::plan::SharedPlan;
use crate::record::{Event, Journal, Record};
use crate::scenario::Cleanup;
use folder::Folder;
use rig::Rig;

/// Carries out `plan` and judges it. Whatever happens, faults are lifted and everything that was
/// started is down when this returns.
///
/// # Errors
/// Where the drill cannot be set up or a collector cannot be opened.
pub async fn drill(plan: &SharedPlan, context: &Context, journal: &Journal) -> Result<Record, RunError> {
    let folder = Folder::make(plan, context, journal)?;
    let rig = Rig::up(plan, context, journal).await?;
    let stopped = tokio::select! {
        biased;
        by = context.stopped() => Ok(Some(by)),
        told = story(&rig) => told.map(|()| None),
    };
    if let Ok(Some(by)) = stopped {
        journal.note(Event::Interrupted { by: by.to_owned() });
    }
    rig.down().await;
    if plan.scenario.cleanup == Cleanup::Probes {
        cleanup::clean_and_note(plan, context, journal).await;
    }
    stopped?;
    journal.note(Event::RunEnded);
    let record = judge::record(plan, &journal.since(0));
    folder.close(journal, &record)?;
    Ok(record)
}

async fn story(rig: &Rig) -> Result<(), RunError> {
    controls::send(rig).await;
    for index in 0..rig.plan.phases.len() {
        phase::play(rig, index).await?;
    }
    Ok(())
}

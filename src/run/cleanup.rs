//! Deleting a run's probes from the mailboxes, once it is over or was cut short.

use std::sync::Arc;

use super::rig::{collectors_of, given_to};
use super::{Context, RunError};
use crate::collect::{Since, erase};
use crate::dns::Lookups;
use crate::plan::Plan;
use crate::record::{Cleaned, CleanedState, Event, Journal};

/// Deletes the probes of `plan` from every mailbox that a collector looks into; what was deleted, and what was
/// not, place by place. The journal is not written.
///
/// # Errors
/// Where there is nothing to look up names with.
pub async fn clean(plan: &Plan, context: &Context, journal: &Journal) -> Result<Vec<Cleaned>, RunError> {
    let names: Arc<dyn Lookups> = Arc::new(context.resolver()?);
    let given = given_to(context, &names, journal, &plan.run, Since::Ever);
    let mut cleaned = vec![];
    for watching in collectors_of(plan) {
        cleaned.push(erase(&watching, &given).await);
    }
    Ok(cleaned)
}

/// The same at the end of a run whose scenario wants it; it is noted what was done.
pub(super) async fn clean_and_note(plan: &Plan, context: &Context, journal: &Journal) {
    let warn = |text: String| journal.note(Event::Warning { text });
    match clean(plan, context, journal).await {
        Ok(cleaned) => {
            for one in cleaned {
                if matches!(one.state, CleanedState::Failed | CleanedState::Marked) {
                    warn(format!("probes are left at {} of `{}`: {}", one.collector, one.platform, one.why));
                }
                journal.note(Event::Cleaned(one));
            }
        }
        Err(error) => warn(format!("nothing was deleted: {error}")),
    }
}

//! `mxdrill cleanup`: delete the probes of a run from the mailboxes.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::arguments::{Common, Format, Server};
use super::{Exit, Machine, Screen, drill, progress, report, watch};
use crate::plan::{Contact, Plan, Reach};
use crate::record::{Cleaned, CleanedState, Journal, RunId};
use crate::run::{self, Context};
use crate::world::Clock;

#[derive(Debug, Args)]
pub(super) struct Cleanup {
    /// The folder that `--record` made, or the journal or record in it
    pub(super) path: PathBuf,
    /// Contact hosts that are not on this machine
    #[arg(long)]
    pub(super) live: bool,
    /// Ask this DNS server instead of the system's
    #[arg(long, value_name = "ADDR[:PORT]")]
    pub(super) dns: Option<Server>,
    /// Trust the certificate authorities of this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
}

/// What the JSON document is called.
const SCHEMA: &str = "mxdrill.cleanup/1";

pub(super) fn cleanup(machine: &mut Machine, screen: &Screen, common: &Common, wanted: &Cleanup) -> Exit {
    match cleaned(machine, screen, wanted) {
        Ok((run, places)) => {
            screen.result(&match common.format {
                Format::Text => text(&places),
                Format::Json => document(&run, &places),
            });
            exit(&places)
        }
        Err(exit) => exit,
    }
}

fn cleaned(machine: &Machine, screen: &Screen, wanted: &Cleanup) -> Result<(RunId, Vec<Cleaned>), Exit> {
    let (plan, entries) = report::journal(screen, &watch::journal_at(&wanted.path))?;
    let plan = only_mailboxes(plan);
    if !wanted.live {
        drill::refuse_remote(screen, &[Arc::clone(&plan)])?;
    }
    let authorities = Arc::new(drill::authorities(screen, wanted.ca.as_deref())?);
    let runtime = drill::runtime(screen)?;
    let cleaned = runtime.block_on(async {
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
        run::clean(&plan, &context, &journal).await
    });
    let cleaned = cleaned.map_err(|error| drill::error_exit(screen, &error))?;
    Ok((plan.run.clone(), cleaned))
}

/// Nothing is sent any more: of all contacts only those are left where mail is looked for.
fn only_mailboxes(mut plan: Plan) -> Arc<Plan> {
    let place = |contact: &Contact| contact.reach == Reach::Loopback || contact.why.starts_with("look for mail");
    plan.contacts.retain(place);
    Arc::new(plan)
}

fn exit(places: &[Cleaned]) -> Exit {
    let left = |it: &Cleaned| matches!(it.state, CleanedState::Failed | CleanedState::Marked);
    if places.iter().any(left) { Exit::Inconclusive } else { Exit::Clean }
}

fn text(places: &[Cleaned]) -> String {
    if places.is_empty() {
        return "the scenario has no collector: there is no mailbox to delete from\n".to_owned();
    }
    let mut text = String::new();
    for Cleaned { platform, collector, state, messages, why } in places {
        text.push_str(&format!("{state:8} {collector} of `{platform}`: {why}\n"));
        messages.iter().for_each(|message| text.push_str(&format!("           {message}\n")));
    }
    text
}

fn document(run: &RunId, places: &[Cleaned]) -> String {
    format!("{:#}\n", json!({ "schema": SCHEMA, "run": run, "places": places }))
}

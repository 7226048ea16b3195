//! Faults of runs: each run has its own, and learns what became of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::ledger::Fired;
use super::{Stand, StandError};
use crate::record::{BareLineEnds, RunId};
use crate::scenario::standing::OfARun;

/// Up to where a run knows what happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The number of the last firing.
    pub firing: u64,
    /// The number of the last message of a probe in which CR or LF stood alone.
    pub bare: u64,
}

/// What a run is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// The numbers of its faults in force, the first to fire first.
    pub faults: Vec<usize>,
    /// What has fired since.
    pub firings: Vec<Fired>,
    /// How many firings, of whomever, were forgotten before they could be told.
    pub missed: u64,
    /// What to ask for the next time.
    pub last: Since,
    /// On how many connections TLS was ended since the proxy was started, by host.
    pub tls_ended: BTreeMap<String, u64>,
    /// CR and LF that its probes brought since.
    pub bare_line_ends: Vec<BareLineEnds>,
}

impl Stand {
    /// Puts the faults of a run in the place of those that it has, at once. What follows can be asked
    /// for from the answer's `last` on.
    ///
    /// # Errors
    /// Where another run has faults at one of these hosts, or one of them cannot be put in force.
    pub async fn put_run(self: &Arc<Self>, run: RunId, wanted: OfARun) -> Result<RunState, StandError> {
        let hosts: Vec<String> =
            wanted.faults.faults.iter().map(|standing| standing.fault.host.value.clone()).collect();
        if let Some(taken) = self.taken(&run, &hosts) {
            return Err(taken);
        }
        // Whatever fires while they are put in force is told as well.
        let last = self.ledger.of_run(&run, Since::default()).last;
        let of = run.clone();
        let faults = self.change(move |book| book.put(&of, wanted)).await?;
        Ok(RunState { faults, last, ..self.ledger.of_run(&run, last) })
    }

    fn taken(&self, run: &RunId, hosts: &[String]) -> Option<StandError> {
        let book = self.book();
        book.entries.iter().find_map(|entry| {
            let host = &entry.armed.fault.host.value;
            let other = entry.run().filter(|other| *other != run && hosts.contains(host))?;
            Some(StandError::Taken { run: other.to_string(), host: host.clone() })
        })
    }

    /// What a run is to know, also behind the end of its faults.
    pub fn run(&self, run: &RunId, since: Since) -> RunState {
        let faults = self.ids_of(run);
        RunState { faults, ..self.ledger.of_run(run, since) }
    }

    /// Begins the leases of a run's faults anew. Gives their numbers; none where none is in force.
    ///
    /// # Errors
    /// Where the proxy is going down.
    pub async fn renew_run(self: &Arc<Self>, run: RunId) -> Result<Vec<usize>, StandError> {
        let (now, of) = (Instant::now(), run.clone());
        self.change(move |book| {
            book.entries.iter_mut().filter(|it| it.run() == Some(&of)).for_each(|it| it.renew(now));
        })
        .await?;
        Ok(self.ids_of(&run))
    }

    /// Lifts the faults of a run. Gives their numbers.
    ///
    /// # Errors
    /// Where the others cannot stay in force.
    pub async fn lift_run(self: &Arc<Self>, run: RunId) -> Result<Vec<usize>, StandError> {
        let gone = self.ids_of(&run);
        self.change(move |book| book.entries.retain(|entry| entry.run() != Some(&run))).await?;
        Ok(gone)
    }

    fn ids_of(&self, run: &RunId) -> Vec<usize> {
        self.book().entries.iter().filter(|entry| entry.run() == Some(run)).map(|entry| entry.id).collect()
    }
}

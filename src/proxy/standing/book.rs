//! Which faults are in force, where each one came from, and until when it stays.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::mail::Stage;
use crate::proxy::{Armed, OfRun};
use crate::record::RunId;
use crate::scenario::fault::Scope;
use crate::scenario::standing::{OfARun, Standing};
use crate::terms::{UnknownWord, words};
use crate::world::Dice;

words! {
    /// Where a fault came from.
    Origin {
        /// From the command line.
        CommandLine = "command-line",
        /// From the configuration file.
        Config = "config",
        /// Over the control API.
        Control = "control",
        /// From a run, over the control API.
        Run = "run",
    }
}

/// A fault in force, as it is told to others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// Its number, from 1; none is given out twice.
    pub id: usize,
    /// The host that it breaks.
    pub host: String,
    /// Where in the session.
    pub at: Stage,
    /// What it does, in words.
    #[serde(rename = "do")]
    pub action: String,
    /// Whom it may touch: `probes` or `all`.
    pub scope: &'static str,
    /// As it was written.
    pub text: String,
    /// Where it came from.
    pub origin: Origin,
    /// The run that it belongs to, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// How often it fired.
    pub fired: u64,
    /// Its lease in seconds; absent where it stays until it is lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_seconds: Option<f64>,
    /// How many seconds of the lease are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_seconds: Option<f64>,
}

/// A fault in force.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) id: usize,
    pub(super) origin: Origin,
    pub(super) armed: Armed,
    text: Arc<str>,
    lease: Option<Duration>,
    ends: Option<Instant>,
}

impl Entry {
    /// Begins its lease anew.
    pub(super) fn renew(&mut self, now: Instant) {
        self.ends = self.lease.map(|lease| now + lease);
    }

    /// The run that it belongs to.
    pub(super) fn run(&self) -> Option<&RunId> {
        self.armed.of.as_ref().map(|of| &of.run)
    }

    pub(super) fn has_run_out(&self, now: Instant) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }

    pub(super) fn held(&self, now: Instant, fired: u64) -> Held {
        let fault = &self.armed.fault;
        Held {
            id: self.id,
            host: fault.host.value.clone(),
            at: fault.at.value,
            action: fault.action.to_string(),
            scope: match fault.scope {
                Scope::Probes => "probes",
                Scope::All => "all",
            },
            text: self.text.to_string(),
            origin: self.origin,
            run: self.run().map(ToString::to_string),
            fired,
            lease_seconds: self.lease.map(|lease| lease.as_secs_f64()),
            left_seconds: self.ends.map(|ends| ends.saturating_duration_since(now).as_secs_f64()),
        }
    }
}

/// What is in force, the first to fire first.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    pub(super) entries: Vec<Entry>,
    /// The number that was given out last.
    last: usize,
}

impl Book {
    /// Adds faults at the end. Gives their numbers.
    pub(super) fn add(&mut self, faults: Vec<Standing>, origin: Origin, lease: Option<Duration>) -> Vec<usize> {
        let now = Instant::now();
        let mut added = vec![];
        for Standing { fault, lease: own, text } in faults {
            self.last += 1;
            let armed = Armed { index: self.last, fault: Arc::new(fault), since: now, of: None };
            let mut entry = Entry { id: self.last, origin, armed, text: text.into(), lease: own.or(lease), ends: None };
            entry.renew(now);
            self.entries.push(entry);
            added.push(self.last);
        }
        added
    }

    /// Puts the faults of a run in the place of those that it has. Gives their numbers.
    pub(super) fn put(&mut self, run: &RunId, wanted: OfARun) -> Vec<usize> {
        self.entries.retain(|entry| entry.run() != Some(run));
        let added = self.add(wanted.faults.faults, Origin::Run, Some(wanted.lease));
        let own = self.entries.iter_mut().filter(|entry| added.contains(&entry.id));
        for (entry, number) in own.zip(wanted.numbers) {
            entry.armed.of = Some(OfRun { run: run.clone(), dice: Dice::new(wanted.seed), number });
        }
        added
    }

    /// What a proxy before this host is to do.
    pub(super) fn of_host(&self, host: &str) -> Vec<Armed> {
        self.at(host).map(|entry| entry.armed.clone()).collect()
    }

    /// Whether the same faults are in force there.
    pub(super) fn same_at(&self, other: &Book, host: &str) -> bool {
        self.at(host).map(|entry| entry.id).eq(other.at(host).map(|entry| entry.id))
    }

    fn at(&self, host: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.armed.fault.host.value == host)
    }

    /// When the next lease runs out.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.entries.iter().filter_map(|entry| entry.ends).min()
    }
}

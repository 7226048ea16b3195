//! Every firing: counted, the last of them kept, and a line of the log each.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::book::{Book, Entry};
use super::runs::{RunState, Since};
use crate::mail::Stage;
use crate::record::{self, BareLineEnds, Event, Firing, RunId};

/// How many firings are remembered.
const MOST_FIRINGS: usize = 4_096;
/// How many faults are remembered; those in force are far fewer.
const MOST_KNOWN: usize = 10_000;

/// A fault took effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fired {
    /// From 1, without a gap.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// The fault's number.
    pub fault: usize,
    /// The host.
    pub host: Arc<str>,
    /// Where in the session.
    pub stage: Stage,
    /// What it did, in words.
    #[serde(rename = "do")]
    pub action: Arc<str>,
    /// The probe, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tag: Option<record::Tag>,
    /// The proxy's number of the connection, from 1 for each host.
    pub connection: u64,
    /// The client's address and port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<String>,
    /// The command that it met.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub command: String,
}

/// What kind of fault fired: host, stage, and the action's word.
pub type Kind = (Arc<str>, Stage, &'static str);

/// All firings.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: VecDeque<Fired>,
    count: u64,
    faults: BTreeMap<usize, Known>,
    kinds: BTreeMap<Kind, u64>,
    /// On how many connections TLS was ended, by host.
    tls_ended: BTreeMap<String, u64>,
    /// CR and LF that probes brought, numbered from 1.
    bare: VecDeque<(u64, BareLineEnds)>,
    bare_count: u64,
}

/// What is known of a fault, also for a while after it was lifted.
#[derive(Debug)]
struct Known {
    word: &'static str,
    action: Arc<str>,
    run: Option<RunId>,
    fired: u64,
}

impl Ledger {
    /// Learns of faults before they can fire.
    pub(super) fn learn(&self, book: &Book) {
        let mut state = self.lock();
        for entry in &book.entries {
            let action = &entry.armed.fault.action;
            let run = entry.run().cloned();
            let known = || Known { word: action.word(), action: action.to_string().into(), run, fired: 0 };
            state.faults.entry(entry.id).or_insert_with(known);
        }
        while state.faults.len() > MOST_KNOWN {
            state.faults.pop_first();
        }
    }

    /// Says in the log what has changed.
    pub(super) fn tell(&self, before: &Book, after: &Book) {
        let is_in = |book: &Book, entry: &Entry| book.entries.iter().any(|it| it.id == entry.id);
        for entry in before.entries.iter().filter(|entry| !is_in(after, entry)) {
            let fault = &entry.armed.fault;
            tracing::info!(fault = entry.id, host = fault.host.value, "lifted: {fault}");
        }
        for entry in after.entries.iter().filter(|entry| !is_in(before, entry)) {
            let fault = &entry.armed.fault;
            let origin = entry.origin.word();
            tracing::info!(fault = entry.id, host = fault.host.value, origin, "raised: {fault}");
        }
    }

    /// Takes what a proxy notes.
    pub(super) fn take(&self, host: &Arc<str>, entry: record::Entry) {
        match entry.event {
            Event::Fired(firing) => log(&self.enter(host, entry.at, firing)),
            Event::Warning { text } => tracing::warn!(host = &**host, "{text}"),
            Event::TlsEnded(ended) => {
                *self.lock().tls_ended.entry(ended.host.clone()).or_default() += 1;
                tracing::debug!(host = &**host, connection = ended.connection, "TLS ends at the proxy");
            }
            Event::BareLineEnds(seen) => {
                tracing::warn!(
                    host = &**host,
                    place = seen.place.word(),
                    cr = seen.cr,
                    lf = seen.lf,
                    smuggling = seen.smuggling.word(),
                    tag = seen.tag.as_ref().map(record::Tag::as_str),
                    connection = seen.connection,
                    client = seen.client,
                    "CR or LF stood alone"
                );
                self.keep_bare(seen);
            }
            Event::SynsDropped { fault, syns } => {
                self.add(host, fault, syns);
                tracing::info!(fault, host = &**host, syns, "dropped SYNs by nftables");
            }
            // A proxy notes nothing else.
            _ => {}
        }
    }

    fn enter(&self, host: &Arc<str>, at: Timestamp, firing: Firing) -> Fired {
        let mut state = self.lock();
        state.count += 1;
        let (word, action) = match state.faults.get_mut(&firing.fault) {
            Some(known) => {
                known.fired += 1;
                (known.word, Arc::clone(&known.action))
            }
            None => ("forgotten", Arc::from("a fault that was lifted long ago")),
        };
        *state.kinds.entry((Arc::clone(host), firing.stage, word)).or_default() += 1;
        let Firing { fault, tag, connection, client, stage, command } = firing;
        let host = Arc::clone(host);
        let fired = Fired { number: state.count, at, fault, host, stage, action, tag, connection, client, command };
        if state.last.len() == MOST_FIRINGS {
            state.last.pop_front();
        }
        state.last.push_back(fired.clone());
        fired
    }

    /// The firings with a greater number, as far as they are remembered.
    pub(super) fn since(&self, number: u64) -> Vec<Fired> {
        let state = self.lock();
        let first = state.last.front().map_or(0, |fired| fired.number);
        let skip = usize::try_from((number + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        state.last.iter().skip(skip).cloned().collect()
    }

    /// Firings of which only the number is known.
    fn add(&self, host: &Arc<str>, fault: usize, count: u64) {
        let mut state = self.lock();
        let Some(known) = state.faults.get_mut(&fault) else { return };
        known.fired += count;
        let word = known.word;
        *state.kinds.entry((Arc::clone(host), Stage::Connect, word)).or_default() += count;
    }

    fn keep_bare(&self, seen: BareLineEnds) {
        let mut state = self.lock();
        if seen.tag.is_some() {
            state.bare_count += 1;
            if state.bare.len() == MOST_FIRINGS {
                state.bare.pop_front();
            }
            let number = state.bare_count;
            state.bare.push_back((number, seen));
        }
    }

    /// What a run is to know that came behind these numbers; its faults may be lifted by now.
    pub(super) fn of_run(&self, run: &RunId, since: Since) -> RunState {
        let state = self.lock();
        let is_of_run = |fault: usize| state.faults.get(&fault).is_some_and(|known| known.run.as_ref() == Some(run));
        let first = state.last.front().map_or(state.count + 1, |fired| fired.number);
        let firings = state.last.iter().filter(|it| it.number > since.firing && is_of_run(it.fault));
        let bare = state.bare.iter().filter(|(number, seen)| {
            *number > since.bare && seen.tag.as_ref().is_some_and(|tag| tag.run() == run.as_str())
        });
        RunState {
            faults: vec![],
            firings: firings.cloned().collect(),
            missed: first.saturating_sub(since.firing + 1),
            last: Since { firing: state.count, bare: state.bare_count },
            tls_ended: state.tls_ended.clone(),
            bare_line_ends: bare.map(|(_, seen)| seen.clone()).collect(),
        }
    }

    /// How often a fault fired.
    pub(super) fn fired(&self, fault: usize) -> u64 {
        self.lock().faults.get(&fault).map_or(0, |known| known.fired)
    }

    /// How often each kind of fault fired.
    pub(super) fn kinds(&self) -> BTreeMap<Kind, u64> {
        self.lock().kinds.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line a firing.
fn log(fired: &Fired) {
    tracing::info!(
        firing = fired.number,
        fault = fired.fault,
        host = &*fired.host,
        stage = fired.stage.word(),
        action = &*fired.action,
        tag = fired.tag.as_ref().map(record::Tag::as_str),
        connection = fired.connection,
        client = fired.client,
        command = fired.command,
        "fired"
    );
}

//! Every firing: counted, the last of them kept, and a line of the log each.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;

use super::book::{Book, Entry};
use crate::mail::Stage;
use crate::record::{self, Event, Firing};

/// How many firings are remembered.
const MOST_FIRINGS: usize = 4_096;
/// How many faults are remembered; those in force are far fewer.
const MOST_KNOWN: usize = 10_000;

/// A fault took effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<record::Tag>,
    /// The proxy's number of the connection, from 1 for each host.
    pub connection: u64,
    /// The client's address and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The command that it met.
    #[serde(skip_serializing_if = "String::is_empty")]
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
}

/// What is known of a fault, also for a while after it was lifted.
#[derive(Debug)]
struct Known {
    word: &'static str,
    action: Arc<str>,
    fired: u64,
}

impl Ledger {
    /// Learns of faults before they can fire.
    pub(super) fn learn(&self, book: &Book) {
        let mut state = self.lock();
        for entry in &book.entries {
            let action = &entry.armed.fault.action;
            let known = || Known { word: action.word(), action: action.to_string().into(), fired: 0 };
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
                tracing::debug!(host = &**host, connection = ended.connection, "TLS ends at the proxy");
            }
            Event::BareLineEnds(seen) => tracing::warn!(
                host = &**host,
                place = seen.place.word(),
                cr = seen.cr,
                lf = seen.lf,
                smuggling = seen.smuggling.word(),
                tag = seen.tag.as_ref().map(record::Tag::as_str),
                connection = seen.connection,
                client = seen.client,
                "CR or LF stood alone"
            ),
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

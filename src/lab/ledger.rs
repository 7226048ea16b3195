//! What became of the copies: every one that was taken is stored, passed on, returned, or waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// How many copies a host handled. `taken = stored + relayed + bounced + waiting()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken from clients, with a reply of 2yz.
    pub taken: u64,
    /// At rest here.
    pub stored: u64,
    /// Taken by the next hop.
    pub relayed: u64,
    /// Given up because the next hop refused them for good.
    pub bounced: u64,
    /// Recipients and messages that were refused; they were not taken.
    pub refused: u64,
    /// Connections that were turned away because the host was busy.
    pub turned_away: u64,
}

impl Counts {
    /// How many copies wait in a queue.
    pub fn waiting(&self) -> u64 {
        self.taken.saturating_sub(self.stored + self.relayed + self.bounced)
    }
}

/// The counters of one host.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) taken: AtomicU64,
    pub(super) stored: AtomicU64,
    pub(super) relayed: AtomicU64,
    pub(super) bounced: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) turned_away: AtomicU64,
}

impl Tally {
    pub(super) fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Counts {
            taken: read(&self.taken),
            stored: read(&self.stored),
            relayed: read(&self.relayed),
            bounced: read(&self.bounced),
            refused: read(&self.refused),
            turned_away: read(&self.turned_away),
        }
    }
}

/// Counts one more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::SeqCst);
}

/// How many copies of a whole lab are under way between hosts.
#[derive(Clone, Debug)]
pub(super) struct InFlight(Arc<watch::Sender<usize>>);

impl Default for InFlight {
    fn default() -> Self {
        Self(Arc::new(watch::channel(0).0))
    }
}

impl InFlight {
    pub(super) fn watch(&self) -> watch::Receiver<usize> {
        self.0.subscribe()
    }

    /// One copy more, until the flight is dropped.
    pub(super) fn take_off(&self) -> Flight {
        self.0.send_modify(|copies| *copies += 1);
        Flight(self.clone())
    }
}

/// A copy that was received whole and is not at rest yet.
#[derive(Debug)]
pub(super) struct Flight(InFlight);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.0.send_modify(|copies| *copies = copies.saturating_sub(1));
    }
}

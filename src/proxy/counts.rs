//! What came by: for metrics, and for a look at who is connected.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use tokio::time::Instant;

use crate::mail::Stage;
use crate::terms::Smuggling;

/// How many commands were read, by the stage that they belong to. `eom` counts messages whose end
/// was read. Nothing is counted behind STARTTLS that passes.
#[derive(Debug, Default)]
pub(super) struct Commands([AtomicU64; Stage::ALL.len()]);

impl Commands {
    pub(super) fn count(&self, stage: Stage) {
        self.0[stage as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Stage, u64)> {
        Stage::ALL.into_iter().zip(&self.0).map(|(stage, count)| (stage, count.load(Ordering::Relaxed)))
    }
}

/// In how many messages and connections CR or LF stood alone, by what became of them.
#[derive(Debug, Default)]
pub(super) struct Smuggled([AtomicU64; Smuggling::ALL.len()]);

impl Smuggled {
    pub(super) fn count(&self, what: Smuggling) {
        self.0[what as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Smuggling, u64)> {
        Smuggling::ALL.iter().copied().zip(&self.0).map(|(what, count)| (what, count.load(Ordering::Relaxed)))
    }
}

/// One connection as it looks from outside.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) number: u64,
    pub(super) peer: SocketAddr,
    /// Who called, where somebody in between has said so.
    announced: OnceLock<SocketAddr>,
    since: Instant,
    from_client: AtomicU64,
    from_upstream: AtomicU64,
    task: AtomicWaker,
}

impl Link {
    pub(super) fn new(number: u64, peer: SocketAddr) -> Self {
        Self {
            number,
            peer,
            announced: OnceLock::new(),
            since: Instant::now(),
            from_client: AtomicU64::new(0),
            from_upstream: AtomicU64::new(0),
            task: AtomicWaker::new(),
        }
    }

    /// Somebody in between has said for whom the connection is.
    pub(super) fn is_for(&self, client: SocketAddr) {
        // Said once, before anything else.
        let _ = self.announced.set(client);
    }

    pub(super) fn took_from_client(&self, bytes: usize) {
        self.from_client.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn took_from_upstream(&self, bytes: usize) {
        self.from_upstream.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whom to wake where the connection is to do something of itself.
    pub(super) fn is_polled_by(&self, waker: &Waker) {
        self.task.register(waker);
    }

    pub(super) fn wake(&self) {
        self.task.wake();
    }

    pub(super) fn guest(&self) -> Guest {
        Guest {
            number: self.number,
            client: self.announced.get().copied().unwrap_or(self.peer),
            age: self.since.elapsed(),
            from_client: self.from_client.load(Ordering::Relaxed),
            from_upstream: self.from_upstream.load(Ordering::Relaxed),
        }
    }
}

/// One open connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Its number, from 1.
    pub number: u64,
    /// The client.
    pub client: SocketAddr,
    /// How long it has been open.
    pub age: std::time::Duration,
    /// How many bytes were read from the client.
    pub from_client: u64,
    /// How many bytes were read from the upstream.
    pub from_upstream: u64,
}

/// What came by since the proxy was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections that were accepted.
    pub accepted: u64,
    /// Those that are open.
    pub open: u64,
    /// Bytes that were read from clients.
    pub from_clients: u64,
    /// Bytes that were read from the upstream.
    pub from_upstream: u64,
    /// Commands by stage.
    pub commands: Vec<(Stage, u64)>,
    /// Messages, and connections with commands, in which CR or LF stood alone; by what became of them.
    pub smuggling: Vec<(Smuggling, u64)>,
}

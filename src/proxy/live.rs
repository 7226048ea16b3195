//! The connections that are open.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;

use super::counts::{Link, Traffic};

/// Every open connection by number, and room for more.
#[derive(Debug)]
pub(super) struct Live {
    numbers: AtomicU64,
    open: Mutex<Open>,
    count: watch::Sender<usize>,
    room: Arc<Semaphore>,
    leaving: AtomicBool,
}

#[derive(Debug, Default)]
struct Open {
    connections: HashMap<u64, (AbortHandle, Arc<Link>)>,
    /// Bytes of those that have ended: from clients, from the upstream.
    ended: (u64, u64),
}

/// Ends the entry of a connection when its task ends, however it ends.
struct Entry {
    number: u64,
    live: Arc<Live>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.live.lock();
        if let Some((_, link)) = open.connections.remove(&self.number) {
            let guest = link.guest();
            open.ended.0 += guest.from_client;
            open.ended.1 += guest.from_upstream;
        }
        self.live.count.send_replace(open.connections.len());
    }
}

impl Live {
    pub(super) fn new(most: usize) -> Self {
        let room = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self {
            numbers: AtomicU64::new(0),
            open: Mutex::default(),
            count: watch::Sender::new(0),
            room,
            leaving: AtomicBool::new(false),
        }
    }

    /// Waits until there is room for one more connection.
    pub(super) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    /// A place for one more connection, if there is room.
    pub(super) fn place_now(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }

    /// A number for a connection, from 1.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Runs a connection as a task of its own.
    pub(super) fn spawn(
        self: &Arc<Self>,
        link: Arc<Link>,
        place: OwnedSemaphorePermit,
        connection: impl Future<Output = ()> + Send + 'static,
    ) {
        let number = link.number;
        let entry = Entry { number, live: Arc::clone(self), _place: place };
        // Held until the entry is in, or a task that ends at once would take out nothing.
        let mut open = self.lock();
        let task = tokio::spawn(async move {
            let _entry = entry;
            connection.await;
        });
        open.connections.insert(number, (task.abort_handle(), link));
        self.count.send_replace(open.connections.len());
    }

    /// Tells every connection to end as soon as no message is under way in it.
    pub(super) fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
        self.links().iter().for_each(|link| link.wake());
    }

    /// Whether connections are to end.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Those that are open.
    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        self.lock().connections.values().map(|(_, link)| Arc::clone(link)).collect()
    }

    /// What came by, without the commands.
    pub(super) fn traffic(&self) -> Traffic {
        let open = self.lock();
        let mut traffic = Traffic {
            accepted: self.numbers.load(Ordering::Relaxed),
            open: open.connections.len() as u64,
            from_clients: open.ended.0,
            from_upstream: open.ended.1,
            commands: vec![],
            smuggling: vec![],
        };
        for (_, link) in open.connections.values() {
            let guest = link.guest();
            traffic.from_clients += guest.from_client;
            traffic.from_upstream += guest.from_upstream;
        }
        traffic
    }

    /// Tells every connection to end now.
    pub(super) fn abort_all(&self) {
        self.room.close();
        // Not under the lock: a task that is dropped at once takes its entry out.
        let tasks: Vec<AbortHandle> = self.lock().connections.values().map(|(task, _)| task.clone()).collect();
        for task in tasks {
            task.abort();
        }
    }

    /// Waits until there are none.
    pub(super) async fn empty(&self) {
        let mut count = self.count.subscribe();
        // Fails only where the sender is gone, which is a part of `self`.
        let _ = count.wait_for(|count| *count == 0).await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The connections that are open.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;

/// Every open connection by number, and room for more.
#[derive(Debug)]
pub(super) struct Live {
    numbers: AtomicU64,
    tasks: Mutex<HashMap<u64, AbortHandle>>,
    count: watch::Sender<usize>,
    room: Arc<Semaphore>,
}

/// Ends the entry of a connection when its task ends, however it ends.
struct Entry {
    number: u64,
    live: Arc<Live>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut tasks = self.live.lock();
        tasks.remove(&self.number);
        self.live.count.send_replace(tasks.len());
    }
}

impl Live {
    pub(super) fn new(most: usize) -> Self {
        let room = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { numbers: AtomicU64::new(0), tasks: Mutex::default(), count: watch::Sender::new(0), room }
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
        number: u64,
        place: OwnedSemaphorePermit,
        connection: impl Future<Output = ()> + Send + 'static,
    ) {
        let entry = Entry { number, live: Arc::clone(self), _place: place };
        // Held until the entry is in, or a task that ends at once would take out nothing.
        let mut tasks = self.lock();
        let task = tokio::spawn(async move {
            let _entry = entry;
            connection.await;
        });
        tasks.insert(number, task.abort_handle());
        self.count.send_replace(tasks.len());
    }

    /// Tells every connection to end now.
    pub(super) fn abort_all(&self) {
        self.room.close();
        // Not under the lock: a task that is dropped at once takes its entry out.
        let tasks: Vec<AbortHandle> = self.lock().values().cloned().collect();
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

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

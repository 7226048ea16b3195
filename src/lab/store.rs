//! A host that keeps what it takes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::host::{Copy, Host};
use super::ledger::count;
use crate::smtp::server::{Answer, Envelope, Message, Policy};

/// The most messages that one store keeps; the oldest make room.
const MAX_MESSAGES: usize = 10_000;
/// The most bytes that one store keeps.
const MAX_BYTES: usize = 256 << 20;

/// A message at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its queue-id.
    pub queue_id: String,
    /// Who sent it to whom, and from where.
    pub envelope: Envelope,
    /// When it came.
    pub at: Timestamp,
    /// Its bytes, this host's own `Received:` header first.
    pub bytes: Vec<u8>,
}

/// What stores keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The newest messages, up to 10,000 and 256 MiB in each store. What was stored is in the
    /// journal, whether it is still kept or not.
    #[default]
    Newest,
    /// Nothing; copies are counted, and noted where they are the run's.
    Nothing,
}

/// The messages of one store.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    messages: VecDeque<Arc<Stored>>,
    bytes: usize,
}

impl Shelf {
    fn put(&self, message: Stored) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += message.bytes.len();
        kept.messages.push_back(Arc::new(message));
        while kept.messages.len() > MAX_MESSAGES || kept.bytes > MAX_BYTES {
            let Some(oldest) = kept.messages.pop_front() else { return };
            kept.bytes -= oldest.bytes.len();
        }
    }

    pub(super) fn messages(&self) -> Vec<Arc<Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).messages.iter().cloned().collect()
    }
}

/// The policy of one session with a store.
pub(super) struct Store {
    pub(super) host: Arc<Host>,
    pub(super) shelf: Arc<Shelf>,
}

impl Policy for Store {
    async fn message(&mut self, envelope: &Envelope, message: Message) -> Answer {
        let copy = self.host.receive(envelope, &message.bytes);
        if !copy.tags.is_empty() || self.host.setting.keep == Keep::Newest {
            self.put_away(envelope, &copy, &message.bytes);
        }
        count(&self.host.tally.taken);
        count(&self.host.tally.stored);
        Answer::Queued(copy.id)
    }
}

impl Store {
    fn put_away(&self, envelope: &Envelope, copy: &Copy, message: &[u8]) {
        let bytes = self.host.traced(envelope, copy, message);
        if !copy.tags.is_empty() {
            let hops: Vec<String> = crate::mail::received::chain(&bytes).into_iter().map(|(_, raw)| raw).collect();
            self.host.note_landed(copy, &hops);
        }
        if self.host.setting.keep == Keep::Newest {
            self.shelf.put(Stored { queue_id: copy.id.clone(), envelope: envelope.clone(), at: copy.at, bytes });
        }
    }
}

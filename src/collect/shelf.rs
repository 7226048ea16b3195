//! Stores that list their messages by ids that stay: POP3, JMAP, the APIs of mail catchers.
//!
//! ```text
//!   every so often: list ──ids not seen before──> header of each ──> is it a probe? ──> Notes
//! ```
//!
//! A store is asked for what it holds, never told anything: nothing is marked or deleted. One that
//! says that it is asked too often is left alone for as long as it wants.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::copies::Copies;
use super::notes::{Copy, Notes};
use super::watch::{Occasion, Place};
use super::{Collecting, Since, Trouble, message};
use crate::record::{LookedState, Placement};

/// How often to look on this machine, where looking costs nothing.
pub(super) const NEAR_POLL: Duration = Duration::from_millis(300);
/// How often to look elsewhere.
pub(super) const FAR_POLL: Duration = Duration::from_secs(5);
/// The longest that a store is left alone because it says so.
const MAX_PAUSE: Duration = Duration::from_secs(600);
/// The most messages that are kept in mind.
const MAX_KNOWN: usize = 1_000_000;

/// A message as a store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Stays the same for as long as the message is there.
    pub(super) id: String,
    /// When it came to rest, as the store says.
    pub(super) at: Option<Timestamp>,
    pub(super) placement: Placement,
    /// Where it is, for people, with its envelope where the store tells it.
    pub(super) detail: String,
    /// Its header block, where the list holds it already.
    pub(super) header: Option<Vec<u8>>,
}

/// Which messages were seen before.
#[derive(Debug, Default)]
pub(super) struct Known(HashSet<String>);

impl Known {
    /// Whether any of a page is new: then an older page may have more of them.
    pub(super) fn lacks_any(&self, items: &[Item]) -> Page {
        if items.iter().any(|item| !self.0.contains(&item.id)) { Page::New } else { Page::Old }
    }
}

/// What a page of a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// Something that was not seen before.
    New,
    /// Nothing new.
    Old,
}

/// A look did not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setback {
    pub(super) trouble: Trouble,
    /// How long the store wants to be left alone.
    pub(super) pause: Option<Duration>,
}

impl From<Trouble> for Setback {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, pause: None }
    }
}

/// A store.
pub(super) trait Shelf: Send + 'static {
    /// Its messages, of which those that are known may be left out.
    ///
    /// # Errors
    /// Where it cannot be asked, or what it answers makes no sense.
    fn list(&mut self, known: &Known) -> impl Future<Output = Result<Vec<Item>, Setback>> + Send;

    /// The header block of a message; none where it is gone meanwhile.
    ///
    /// # Errors
    /// Where it cannot be asked.
    fn header(&mut self, item: &Item) -> impl Future<Output = Result<Option<Vec<u8>>, Setback>> + Send;

    /// A look is over.
    fn done(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// Begins to look at a store, every so often.
pub(super) async fn open(
    shelf: impl Shelf,
    poll: Duration,
    since: Since,
    notes: Notes,
    why: &str,
) -> Result<Collecting, Trouble> {
    let mut shelved =
        Shelved { shelf, poll, next: Instant::now() + poll, known: Known::default(), copies: Copies::default(), notes };
    let looked = match since {
        Since::Opening => shelved.skip().await,
        Since::Ever => shelved.look_once().await,
    };
    shelved.shelf.done().await;
    looked.map_err(|setback| setback.trouble)?;
    shelved.notes.looked(LookedState::Open, why);
    let notes = shelved.notes.clone();
    Ok(Collecting::begin(shelved, notes))
}

struct Shelved<S> {
    shelf: S,
    poll: Duration,
    next: Instant,
    known: Known,
    copies: Copies,
    notes: Notes,
}

impl<S: Shelf> Shelved<S> {
    /// Passes over what is there.
    async fn skip(&mut self) -> Result<(), Setback> {
        let listed = self.shelf.list(&self.known).await?;
        self.known.0.extend(listed.into_iter().map(|item| item.id));
        Ok(())
    }

    async fn look_once(&mut self) -> Result<(), Setback> {
        let listed = self.shelf.list(&self.known).await?;
        for mut item in listed {
            if self.known.0.contains(&item.id) || self.known.0.len() >= MAX_KNOWN {
                continue;
            }
            let header = match item.header.take() {
                Some(header) => Some(header),
                None => self.shelf.header(&item).await?,
            };
            if let Some(header) = header {
                self.note(&item, &header);
            }
            self.known.0.insert(item.id);
        }
        Ok(())
    }

    fn note(&mut self, item: &Item, header: &[u8]) {
        let Some(stored) = message::read(header, self.notes.run()) else { return };
        if self.copies.count("", stored.fingerprint).is_none() {
            return;
        }
        let copy = Copy {
            tag: stored.tag,
            at: item.at.unwrap_or_else(|| self.notes.now()),
            queue_id: stored.queue_id,
            detail: item.detail.clone(),
            placement: item.placement,
            received: stored.received,
        };
        self.notes.landed(copy, None);
    }
}

impl<S: Shelf> Place for Shelved<S> {
    async fn look(&mut self, _: Occasion) -> Result<(), Trouble> {
        let looked = self.look_once().await;
        self.shelf.done().await;
        let pause = looked.as_ref().err().and_then(|setback| setback.pause).unwrap_or_default();
        self.next = Instant::now() + self.poll.max(pause.min(MAX_PAUSE));
        looked.map_err(|setback| setback.trouble)
    }

    async fn stir(&mut self) {
        let _ = timeout_at(self.next, std::future::pending::<()>()).await;
    }

    async fn close(mut self) {
        self.shelf.done().await;
    }
}

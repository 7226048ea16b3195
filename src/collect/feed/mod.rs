//! Log lines that come to mxdrill, instead of being looked up in a file.
//!
//! ```text
//!   command ──┐
//!   stdin   ──┼── Item (a line, a gap, an end) ──> Feed ──line──> log::Reader ──> Notes
//!   syslog  ──┘        a bounded channel
//! ```
//!
//! A source that ends, or that has lost lines, says so, because absence is believed only where one
//! could look: [`Item::Ended`] until [`Item::Back`], and [`Item::Gap`] for good. What the lines
//! mean is `log/`'s business.

pub(super) mod command;
mod lines;
pub(super) mod stdin;
pub(super) mod syslog;

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::log::Reader;
use super::notes::Notes;
use super::watch::{Occasion, Place};
use super::{Collecting, Trouble};
use crate::inventory::LogFormat;
use crate::record::LookedState;

/// How many items may wait to be read; a source that is faster has to wait, or loses lines and says
/// so.
const CAPACITY: usize = 10_000;
/// How long nothing may come for everything that is under way to have arrived.
const QUIET: Duration = Duration::from_millis(50);
/// How long one who asks waits for that.
const QUIET_LIMIT: Duration = Duration::from_secs(1);
/// How often stories are settled while no line comes.
const SETTLE: Duration = Duration::from_secs(1);

/// What a source has to tell.
#[derive(Debug)]
enum Item {
    /// A line.
    Line {
        /// Where it was found.
        place: String,
        text: String,
        age: Age,
    },
    /// A line that was too long to be read.
    Overlong,
    /// Some lines were lost, for good.
    Gap(String),
    /// No more lines come for now.
    Ended(Trouble),
    /// Lines come again.
    Back,
}

/// When a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// A moment ago: its stamp tells the writer's zone.
    Fresh,
    /// It may be an old one.
    Unknown,
}

/// Where items go.
type Items = mpsc::Sender<Item>;

/// The work of a source: it ends when this is dropped, and ends well when it is asked to.
trait Source: Send + 'static {
    /// Ends the source.
    fn end(self) -> impl Future<Output = ()> + Send;
}

/// Reads what `source` sends through `items`, from now on.
fn begin(source: impl Source, items: mpsc::Receiver<Item>, format: LogFormat, notes: Notes, why: &str) -> Collecting {
    notes.looked(LookedState::Open, why);
    let reader = Reader::new(Path::new(""), format, notes.clone());
    let feed = Feed { source, items, next: None, reader, notes: notes.clone(), state: Ok(()) };
    Collecting::begin(feed, notes)
}

/// A source as a place.
struct Feed<S> {
    source: S,
    items: mpsc::Receiver<Item>,
    /// What came while nobody looked.
    next: Option<Item>,
    reader: Reader,
    notes: Notes,
    state: Result<(), Trouble>,
}

impl<S> Feed<S> {
    fn take(&mut self, item: Item) {
        match item {
            Item::Line { place, text, age } => {
                if age == Age::Fresh {
                    self.reader.learn_from(&text);
                }
                self.reader.line(&place, &text);
            }
            Item::Overlong => self.reader.skip(),
            Item::Gap(why) => self.notes.looked(LookedState::Gap, &why),
            Item::Ended(trouble) => self.state = Err(trouble),
            Item::Back => self.state = Ok(()),
        }
    }

    fn take_all(&mut self) {
        if let Some(item) = self.next.take() {
            self.take(item);
        }
        // A busy source cannot hold the reader for ever.
        for _ in 0..CAPACITY {
            match self.items.try_recv() {
                Ok(item) => self.take(item),
                Err(mpsc::error::TryRecvError::Empty) => return,
                Err(mpsc::error::TryRecvError::Disconnected) => return self.broke_down(),
            }
        }
    }

    fn broke_down(&mut self) {
        if self.state.is_ok() {
            self.state = Err(Trouble::new("its reader broke down"));
        }
    }

    /// Waits until what is under way has arrived.
    async fn until_quiet(&mut self) {
        let until = Instant::now() + QUIET_LIMIT;
        while let Ok(Ok(Some(item))) = timeout_at(until, timeout(QUIET, self.items.recv())).await {
            self.take(item);
        }
    }
}

impl<S: Source> Place for Feed<S> {
    async fn look(&mut self, occasion: Occasion) -> Result<(), Trouble> {
        self.take_all();
        if occasion == Occasion::Asked {
            self.until_quiet().await;
        }
        self.reader.settle();
        self.reader.say_alive(occasion);
        self.state.clone()
    }

    async fn stir(&mut self) {
        if self.next.is_some() {
            return;
        }
        match timeout(SETTLE, self.items.recv()).await {
            Ok(Some(item)) => self.next = Some(item),
            // Nothing will come any more; whoever looks is told why.
            Ok(None) => {
                let _ = timeout(SETTLE, std::future::pending::<()>()).await;
            }
            Err(_) => {}
        }
    }

    async fn close(self) {
        self.reader.say_skipped();
        self.source.end().await;
    }
}

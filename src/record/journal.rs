//! Everything that happened, in one order, in memory and on disk.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::{Entry, Event};
use crate::world::Clock;

/// The longest line of a journal that is read, in bytes: a scenario and its inventory fit.
const MAX_LINE: usize = 16 << 20;

/// Where all rooms note what happens. Cheap to clone; every clone is the same journal.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    state: Mutex<State>,
    length: watch::Sender<usize>,
    told: Option<Told>,
}

/// Who is told of every entry, in a journal that keeps none.
struct Told(Box<dyn Fn(Entry) + Send + Sync>);

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Told")
    }
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Entry>,
    disk: Option<Disk>,
}

#[derive(Debug)]
struct Disk {
    lines: mpsc::Sender<Vec<u8>>,
    writer: JoinHandle<io::Result<()>>,
}

/// A journal could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be written.
    #[error("the journal `{path}` cannot be written: {error}")]
    Write {
        /// Which file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The file could not be read.
    #[error("the journal `{path}` cannot be read: {error}")]
    Read {
        /// Which file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A line is not an entry.
    #[error("line {line} of the journal `{path}` is not an entry: {why}")]
    Line {
        /// Which file.
        path: String,
        /// From 1.
        line: usize,
        /// Why.
        why: String,
    },
}

impl Journal {
    /// A journal in memory.
    pub fn in_memory(clock: Clock) -> Self {
        let (length, _) = watch::channel(0);
        Self(Arc::new(Inner { clock, state: Mutex::default(), length, told: None }))
    }

    /// A journal that keeps nothing and hands every entry on at once, for what runs without an end.
    pub fn handing_on(clock: Clock, to: impl Fn(Entry) + Send + Sync + 'static) -> Self {
        let (length, _) = watch::channel(0);
        Self(Arc::new(Inner { clock, state: Mutex::default(), length, told: Some(Told(Box::new(to))) }))
    }

    /// A journal that goes on where another one ended.
    pub fn resumed(clock: Clock, entries: Vec<Entry>) -> Self {
        let journal = Self::in_memory(clock);
        journal.0.length.send_replace(entries.len());
        journal.lock().entries = entries;
        journal
    }

    /// Writes every entry that follows to `path` as well, one JSON object a line. Lines are
    /// synced to disk in groups, by a thread of its own, as fast as the disk allows.
    ///
    /// # Errors
    /// Where the file cannot be created, or already exists.
    pub fn write_to(&self, path: &Path) -> Result<(), JournalError> {
        let wrap = |error| JournalError::Write { path: path.display().to_string(), error };
        let file = File::options().append(true).create(true).open(path).map_err(wrap)?;
        let (lines, rest) = mpsc::channel::<Vec<u8>>();
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write_groups(file, &rest))
            .map_err(wrap)?;
        self.lock().disk = Some(Disk { lines, writer });
        Ok(())
    }

    /// Notes an event.
    pub fn note(&self, event: Event) {
        if let Some(told) = &self.0.told {
            return (told.0)(Entry { at: self.0.clock.now(), event });
        }
        let mut state = self.lock();
        let entry = Entry { at: self.0.clock.now(), event };
        if let Some(disk) = &state.disk
            && let Ok(mut line) = serde_json::to_vec(&entry)
        {
            line.push(b'\n');
            // A writer that failed is reported by `close`, which joins it.
            let _ = disk.lines.send(line);
        }
        state.entries.push(entry);
        let length = state.entries.len();
        drop(state);
        self.0.length.send_replace(length);
    }

    /// The entries from the `from`th on.
    pub fn since(&self, from: usize) -> Vec<Entry> {
        self.lock().entries.get(from..).map(<[Entry]>::to_vec).unwrap_or_default()
    }

    /// How many entries there are; changes as they come.
    pub fn length(&self) -> watch::Receiver<usize> {
        self.0.length.subscribe()
    }

    /// The clock that stamps the entries.
    pub fn clock(&self) -> Clock {
        self.0.clock
    }

    /// Waits until everything is on disk. Later entries stay in memory.
    ///
    /// # Errors
    /// Where a line could not be written or synced.
    pub fn close(&self, path: &Path) -> Result<(), JournalError> {
        let Some(disk) = self.lock().disk.take() else { return Ok(()) };
        drop(disk.lines);
        let written = disk.writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer panicked")));
        written.map_err(|error| JournalError::Write { path: path.display().to_string(), error })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_groups(mut file: File, lines: &mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    while let Ok(first) = lines.recv() {
        file.write_all(&first)?;
        while let Ok(next) = lines.try_recv() {
            file.write_all(&next)?;
        }
        file.sync_data()?;
    }
    Ok(())
}

/// Reads a journal back. A last line that was cut off by a crash is left out.
///
/// # Errors
/// Where the file cannot be read, or a line but the last is no entry.
pub fn read(path: &Path) -> Result<Vec<Entry>, JournalError> {
    let name = path.display().to_string();
    let wrap = |error| JournalError::Read { path: name.clone(), error };
    let mut file = BufReader::new(File::open(path).map_err(wrap)?);
    let mut entries = vec![];
    let mut line = vec![];
    loop {
        line.clear();
        let read = io::Read::take(&mut file, MAX_LINE as u64).read_until(b'\n', &mut line).map_err(wrap)?;
        let whole = line.last() == Some(&b'\n');
        if read == 0 || !whole {
            return Ok(entries);
        }
        let entry = serde_json::from_slice(&line).map_err(|error| JournalError::Line {
            path: name.clone(),
            line: entries.len() + 1,
            why: error.to_string(),
        })?;
        entries.push(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> Journal {
        Journal::in_memory(Clock::starting_at(jiff::Timestamp::UNIX_EPOCH))
    }

    #[tokio::test]
    async fn what_was_noted_is_read_back_without_a_cut_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal.jsonl");
        let journal = journal();
        journal.write_to(&path).expect("it can be written");
        journal.note(Event::PhaseStarted { phase: 0 });
        journal.note(Event::RunEnded);
        journal.close(&path).expect("it is on disk");
        let mut file = File::options().append(true).open(&path).expect("it is there");
        file.write_all(b"{\"at\":\"1970-").expect("written");
        let entries = read(&path).expect("it can be read");
        assert_eq!(entries, journal.since(0));
    }

    #[tokio::test]
    async fn readers_are_told_of_new_entries() {
        let journal = journal();
        let mut length = journal.length();
        journal.note(Event::RunEnded);
        length.changed().await.expect("it grows");
        assert_eq!(*length.borrow(), 1);
    }
}

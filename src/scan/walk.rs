//! From the paths that were given to the files that are worth reading, on all cores.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use super::archive::{self, Kind};
use super::known;
use super::sieve::{Chance, OVERLAP, Sieve};
use super::tree::Packed;
use crate::record::{Coverage, Sight};

/// How much of a file is read at a time.
const CHUNK: usize = 256 << 10;

/// How many files are handed to a worker at a time.
const BATCH: usize = 64;

/// The most files that could not be read of which each is named.
const MOST_NAMED: usize = 1000;

/// How much is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes of one file that are read.
    pub file: u64,
    /// The most bytes that come out of one archive.
    pub unpacked: u64,
    /// Workers.
    pub jobs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file: 1 << 30, unpacked: 4 << 30, jobs: thread::available_parallelism().map_or(2, usize::from) }
    }
}

/// What the walk saw.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// Files worth reading, by name.
    pub(crate) candidates: Vec<String>,
    /// Candidates too large to be parsed.
    pub(crate) large: Vec<String>,
    /// Files in archives.
    pub(crate) packed: HashMap<String, Packed>,
    /// What could not be looked at.
    pub(crate) coverage: Vec<Coverage>,
    /// How many files were looked at.
    pub(crate) files: u64,
    /// How many bytes were.
    pub(crate) bytes: u64,
}

/// One worker's view of the work.
pub(crate) struct Walk<'a> {
    pub(crate) sieve: &'a Sieve,
    pub(crate) limits: Limits,
    /// Bytes of archived files that are kept so far, by all workers.
    pub(crate) kept: &'a AtomicU64,
    queue: &'a Queue,
}

enum Item {
    Folder(PathBuf),
    Files(Vec<PathBuf>),
}

#[derive(Default)]
struct Queue {
    state: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Default)]
struct Pending {
    items: Vec<Item>,
    /// Workers that may still add items.
    busy: usize,
}

/// Looks at everything below `paths`.
pub(crate) fn walk(paths: &[PathBuf], sieve: &Sieve, limits: Limits) -> Walked {
    let queue = Queue::default();
    let kept = AtomicU64::new(0);
    let mut walked = Walked::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(it) if it.is_dir() => queue.add(Item::Folder(path.clone())),
            Ok(it) if it.is_file() => queue.add(Item::Files(vec![path.clone()])),
            Ok(_) => walked.left(path, "it is neither a file nor a folder"),
            Err(error) => walked.unable(&path.display().to_string(), &error.to_string()),
        }
    }
    let worker = || {
        let walk = Walk { sieve, limits, kept: &kept, queue: &queue };
        let mut mine = Walked::default();
        let mut buffer = vec![0; CHUNK + OVERLAP];
        while let Some(item) = queue.take() {
            match item {
                Item::Folder(folder) => walk.folder(&folder, &mut mine),
                Item::Files(files) => files.iter().for_each(|file| walk.file(file, &mut mine, &mut buffer)),
            }
            queue.done();
        }
        mine
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..limits.jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().filter_map(|it| it.join().ok()).for_each(|mine| walked.take(mine));
    });
    walked.settle();
    walked
}

impl Walk<'_> {
    fn folder(&self, folder: &Path, walked: &mut Walked) {
        if matches!(folder.to_str(), Some("/proc" | "/sys" | "/dev")) {
            return walked.left(folder, "the kernel makes it up; `--running` asks running programs");
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return walked.unable(&folder.display().to_string(), &error.to_string()),
        };
        let mut files = vec![];
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    walked.unable(&folder.display().to_string(), &error.to_string());
                    break;
                }
            };
            match entry.file_type() {
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                Ok(kind) if kind.is_dir() => self.queue.add(Item::Folder(entry.path())),
                // A link leads to a file that is walked by its own name, or out of what was asked for.
                Ok(kind) if kind.is_symlink() => link(&entry.path(), walked),
                // Sockets, devices and FIFOs are never opened.
                Ok(_) => {}
                Err(error) => walked.unable(&entry.path().display().to_string(), &error.to_string()),
            }
            if files.len() == BATCH {
                self.queue.add(Item::Files(std::mem::take(&mut files)));
            }
        }
        if !files.is_empty() {
            self.queue.add(Item::Files(files));
        }
    }

    fn file(&self, path: &Path, walked: &mut Walked, buffer: &mut [u8]) {
        let name = path.to_string_lossy();
        let opened = File::open(path).and_then(|file| self.read(&name, file, walked, buffer));
        if let Err(error) = opened {
            walked.unable(&name, &error.to_string());
        }
    }

    /// Reads a file once, a chunk at a time.
    fn read(&self, name: &str, mut file: File, walked: &mut Walked, buffer: &mut [u8]) -> io::Result<()> {
        let mut filled = read_full(&mut file, buffer)?;
        walked.files += 1;
        if let Some(kind) = Kind::of(name, &buffer[..filled]) {
            drop(file);
            let read = archive::read(self, name, kind, walked);
            return read.or_else(|why| {
                walked.unable(name, &why);
                Ok(())
            });
        }
        let decides = known::decides(name) == Chance::Possible;
        let mut possible = decides;
        let mut total = filled as u64;
        loop {
            possible = possible || self.sieve.may_hold(&buffer[..filled]) == Chance::Possible;
            if filled < buffer.len() || (possible && !decides) {
                break;
            }
            if total >= self.limits.file {
                walked.unable(name, &format!("only its first {} MiB were looked at", self.limits.file >> 20));
                break;
            }
            buffer.copy_within(filled - OVERLAP.., 0);
            let more = read_full(&mut file, &mut buffer[OVERLAP..])?;
            total += more as u64;
            filled = OVERLAP + more;
        }
        walked.bytes += total;
        if possible {
            let length = file.metadata().map_or(total, |it| it.len());
            walked.candidate(name.to_owned(), length);
        }
        Ok(())
    }
}

/// Fills `buffer` as far as the file goes.
pub(crate) fn read_full(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A link to a folder elsewhere hides what is there; a link to a file is followed by whoever refers to it.
fn link(path: &Path, walked: &mut Walked) {
    let Ok(target) = fs::canonicalize(path) else { return };
    let inside = path.parent().and_then(|it| fs::canonicalize(it).ok()).is_some_and(|folder| {
        let tops = folder.components().take(2).collect::<PathBuf>();
        target.starts_with(tops)
    });
    if target.is_dir() && !inside {
        walked.left(path, &format!("it is a link to `{}`, which is scanned where it is given", target.display()));
    }
}

impl Walked {
    /// Notes a file that may hold something.
    pub(crate) fn candidate(&mut self, name: String, length: u64) {
        match length > super::tree::MAX_PARSED {
            true => self.large.push(name),
            false => self.candidates.push(name),
        }
    }

    /// Notes that something could not be looked at.
    pub(crate) fn unable(&mut self, name: &str, why: &str) {
        self.note(name, Sight::Unable, why);
    }

    fn left(&mut self, path: &Path, why: &str) {
        self.note(&path.display().to_string(), Sight::Left, why);
    }

    fn note(&mut self, name: &str, look: Sight, why: &str) {
        let subject = name.to_owned();
        self.coverage.push(Coverage { what: subject.clone(), subject, look, why: Some(why.to_owned()) });
    }

    fn take(&mut self, other: Walked) {
        self.candidates.extend(other.candidates);
        self.large.extend(other.large);
        self.packed.extend(other.packed);
        self.coverage.extend(other.coverage);
        self.files += other.files;
        self.bytes += other.bytes;
    }

    /// One order, whoever was faster; and not more names than a person reads.
    fn settle(&mut self) {
        self.candidates.sort();
        self.candidates.dedup();
        self.large.sort();
        self.large.dedup();
        self.coverage.sort_by(|a, b| (a.look.word(), &a.subject).cmp(&(b.look.word(), &b.subject)));
        let more = self.coverage.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            self.coverage.truncate(MOST_NAMED);
            self.unable("other files", &format!("{more} more could not be looked at"));
        }
    }
}

impl Queue {
    fn add(&self, item: Item) {
        self.lock().items.push(item);
        self.changed.notify_one();
    }

    /// The next item; `None` once everything is done.
    fn take(&self) -> Option<Item> {
        let mut pending = self.lock();
        loop {
            if let Some(item) = pending.items.pop() {
                pending.busy += 1;
                return Some(item);
            }
            if pending.busy == 0 {
                return None;
            }
            pending = self.changed.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self) {
        let mut pending = self.lock();
        pending.busy -= 1;
        if pending.busy == 0 && pending.items.is_empty() {
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for the bytes of one more archived file, or not.
pub(crate) fn keep(kept: &AtomicU64, bytes: u64, most: u64) -> Chance {
    match kept.fetch_add(bytes, Ordering::Relaxed) + bytes <= most {
        true => Chance::Possible,
        false => Chance::Excluded,
    }
}

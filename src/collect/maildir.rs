//! A Maildir and its folders.

mod erase;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use super::bounce::{self, MAX_BOUNCE};
use super::copies::Copies;
use super::notes::{Copy, Notes};
use super::watch::{Files, Occasion, Polled};
use super::{Collecting, Since, Trouble, folder, message};

pub(super) use erase::erase;

/// The most folders of one Maildir that are looked at.
const MAX_FOLDERS: usize = 1000;
/// The most messages of one folder that are kept in mind.
const MAX_MESSAGES: usize = 1_000_000;
/// How often a folder is listed again where a message moved away while it was being read.
const MAX_ROUNDS: usize = 5;
/// How often a folder is listed after a change.
const ROUNDS: u8 = 4;

/// Begins to look at the Maildir at `path`.
pub(super) async fn open(path: &Path, since: Since, notes: Notes) -> Result<Collecting, Trouble> {
    let mut maildir = Maildir::new(path, notes.clone());
    let why = match is_maildir(path) {
        Existence::Yes => "it can be read".to_owned(),
        Existence::NotYet => "it is not there yet; the first delivery makes it".to_owned(),
        Existence::No(trouble) => return Err(trouble),
    };
    let opened = tokio::task::spawn_blocking(move || {
        let looked = match since {
            Since::Opening => maildir.skip(),
            Since::Ever => maildir.look(Occasion::Asked),
        };
        (maildir, looked)
    });
    let (maildir, looked) = opened.await.map_err(|_| Trouble::new("its reader broke down"))?;
    looked?;
    notes.looked(crate::record::LookedState::Open, &why);
    Ok(Collecting::begin(Polled::new(maildir), notes))
}

enum Existence {
    Yes,
    NotYet,
    No(Trouble),
}

fn is_maildir(path: &Path) -> Existence {
    let shown = path.display();
    let is_dir = |part: &str| path.join(part).is_dir();
    match fs::metadata(path) {
        Ok(_) if is_dir("new") && is_dir("cur") => Existence::Yes,
        Ok(found) if found.is_dir() && path.read_dir().is_ok_and(|mut it| it.next().is_none()) => Existence::NotYet,
        Ok(_) => Existence::No(
            Trouble::new(format!("`{shown}` is no Maildir: it has no folders `new` and `cur`"))
                .help("name the folder that holds `new`, `cur` and `tmp`"),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.parent().is_some_and(Path::is_dir) => {
            Existence::NotYet
        }
        Err(error) => Existence::No(unreadable(path, &error)),
    }
}

/// Says that a path cannot be read, and what to do.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> Trouble {
    let trouble = Trouble::new(format!("`{}` cannot be read: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::PermissionDenied => trouble.help("run mxdrill as a user who may read it"),
        io::ErrorKind::NotFound => trouble.help("check the path; it is looked for on this machine"),
        _ => trouble,
    }
}

#[derive(Debug)]
struct Maildir {
    root: PathBuf,
    notes: Notes,
    folders: Vec<Folder>,
    copies: Copies,
}

/// One of `new` and `cur` of one folder.
#[derive(Debug)]
struct Folder {
    /// Of the Maildir folder: empty for the inbox, such as `.Junk` for others.
    name: String,
    path: PathBuf,
    /// The unique parts of the file names that were read, shared by `new` and `cur`.
    read: HashSet<String>,
    /// When `new` and `cur` were last changed, as seen at the last listing.
    changed: [Option<SystemTime>; 2],
    /// How many more times it is listed although it looks unchanged.
    rounds: u8,
}

impl Maildir {
    fn new(root: &Path, notes: Notes) -> Self {
        Self { root: root.to_owned(), notes, folders: vec![], copies: Copies::default() }
    }

    /// Passes over what is there.
    fn skip(&mut self) -> Result<(), Trouble> {
        self.find_folders()?;
        for folder in &mut self.folders {
            folder.read = folder.list()?.into_iter().map(|(name, _)| name).collect();
        }
        Ok(())
    }

    fn find_folders(&mut self) -> Result<(), Trouble> {
        let known = |folders: &[Folder], name: &str| folders.iter().any(|folder| folder.name == name);
        if !known(&self.folders, "") {
            self.folders.push(Folder::new("", self.root.clone()));
        }
        let entries = match self.root.read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(unreadable(&self.root, &error)),
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let own = matches!(name.as_str(), "new" | "cur" | "tmp");
            if own || known(&self.folders, &name) || self.folders.len() == MAX_FOLDERS {
                continue;
            }
            // `.Junk` (Maildir++) or `Junk` (Dovecot's layout `fs`).
            if entry.path().join("new").is_dir() && entry.path().join("cur").is_dir() {
                self.folders.push(Folder::new(&name, entry.path()));
            }
        }
        Ok(())
    }

    fn note(&self, folder: &Folder, path: &Path, found: Option<SystemTime>, stored: message::Stored) {
        let at = found.and_then(|at| Timestamp::try_from(at).ok()).unwrap_or_else(|| self.notes.now());
        let copy = Copy {
            tag: stored.tag,
            at,
            queue_id: stored.queue_id,
            detail: path.display().to_string(),
            placement: folder::placement(&folder.name),
            received: stored.received,
        };
        self.notes.landed(copy, None);
    }

    /// Reads the whole of a notification; one that is gone meanwhile is nobody's loss.
    fn note_bounce(&self, path: &Path, found: Option<SystemTime>) {
        let mut whole = vec![];
        let read = File::open(path).and_then(|file| file.take(MAX_BOUNCE as u64).read_to_end(&mut whole));
        if let Some((tag, report)) = read.ok().and_then(|_| bounce::read(&whole, self.notes.run())) {
            let at = found.and_then(|at| Timestamp::try_from(at).ok()).unwrap_or_else(|| self.notes.now());
            self.notes.returned(&tag, &report, at, &path.display().to_string());
        }
    }

    /// Reads the messages of one folder that were not read before.
    fn look_at(&mut self, folder: &mut Folder) -> Result<(), Trouble> {
        let mut listed = folder.list_if_changed()?;
        for _ in 0..MAX_ROUNDS {
            if self.read_new(folder, listed)? == 0 {
                break;
            }
            listed = folder.list()?;
        }
        Ok(())
    }

    /// Reads those of `listed` that were not read before; how many were gone meanwhile.
    fn read_new(&mut self, folder: &mut Folder, listed: Vec<(String, PathBuf)>) -> Result<usize, Trouble> {
        let mut moved = 0;
        for (name, path) in listed {
            if folder.read.contains(&name) || folder.read.len() == MAX_MESSAGES {
                continue;
            }
            let (header, at) = match read_header(&path) {
                Ok(read) => read,
                // A mail program moved it from `new` to `cur`, or changed its flags.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    moved += 1;
                    continue;
                }
                Err(error) => return Err(unreadable(&path, &error)),
            };
            folder.read.insert(name);
            if bounce::may_be(&header) {
                self.note_bounce(&path, at);
            } else if let Some(stored) = message::read(&header, self.notes.run())
                && self.copies.count(&folder.name, stored.fingerprint).is_some()
            {
                self.note(folder, &path, at, stored);
            }
        }
        Ok(moved)
    }
}

impl Files for Maildir {
    fn look(&mut self, _: Occasion) -> Result<(), Trouble> {
        self.find_folders()?;
        let mut folders = std::mem::take(&mut self.folders);
        let looked = folders.iter_mut().try_for_each(|folder| self.look_at(folder));
        self.folders = folders;
        looked
    }
}

impl Folder {
    fn new(name: &str, path: PathBuf) -> Self {
        Self { name: name.to_owned(), path, read: HashSet::new(), changed: [None; 2], rounds: ROUNDS }
    }

    /// Lists the folder where files may have come since the last time. A file that comes within
    /// the same tick of the file system's clock leaves the folder's time as it is, so a folder
    /// is listed a few times more after each change.
    fn list_if_changed(&mut self) -> Result<Vec<(String, PathBuf)>, Trouble> {
        let changed = ["new", "cur"].map(|part| fs::metadata(self.path.join(part)).and_then(|it| it.modified()).ok());
        if changed != self.changed {
            self.changed = changed;
            self.rounds = ROUNDS;
        }
        if self.rounds == 0 {
            return Ok(vec![]);
        }
        self.rounds -= 1;
        self.list()
    }

    /// The unique name and path of each message, `new` before `cur`, so that one that moves
    /// meanwhile is listed at least once.
    fn list(&self) -> Result<Vec<(String, PathBuf)>, Trouble> {
        let mut found = vec![];
        for part in ["new", "cur"] {
            let path = self.path.join(part);
            let entries = match path.read_dir() {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unreadable(&path, &error)),
            };
            for entry in entries.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if !name.starts_with('.') {
                    let unique = name.split(':').next().unwrap_or(&name).to_owned();
                    found.push((unique, entry.path()));
                }
            }
        }
        Ok(found)
    }
}

fn read_header(path: &Path) -> io::Result<(Vec<u8>, Option<SystemTime>)> {
    let file = File::open(path)?;
    let at = file.metadata()?.modified().ok();
    let mut start = vec![];
    file.take(message::MAX_HEADER as u64).read_to_end(&mut start)?;
    start.truncate(message::header_of(&start).len());
    Ok((start, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::testing::{Bench, message_of};
    use crate::inventory::Looks;
    use crate::record::Placement;

    fn make(root: &Path) {
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(root.join(part)).expect("made");
        }
    }

    fn deliver(root: &Path, name: &str, text: &str) {
        let tmp = root.join("tmp").join(name);
        fs::write(&tmp, text).expect("written");
        fs::rename(&tmp, root.join("new").join(name)).expect("delivered");
    }

    #[tokio::test]
    async fn messages_are_found_once_wherever_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("Maildir");
        make(&root);
        make(&root.join(".Junk"));
        let bench = Bench::new();
        let [one, two, old] = [1, 2, 9].map(|number| bench.run.probe(number));
        deliver(&root, "0.M1.host", &message_of(&old, "0"));
        let collecting = bench.open(Looks::Maildir(root.clone())).await.expect("it opens");
        deliver(&root, "1.M1.host", &message_of(&one, "A1"));
        deliver(&root, "2.M1.host", "Subject: not ours\n\nbody\n");
        collecting.look().await.expect("it looks");
        fs::rename(root.join("new/1.M1.host"), root.join("cur/1.M1.host:2,S")).expect("read");
        deliver(&root.join(".Junk"), "3.M1.host", &message_of(&two, "A2"));
        deliver(&root, "4.M1.host", &message_of(&one, "A3"));
        collecting.look().await.expect("it looks");
        collecting.look().await.expect("it looks");
        collecting.close().await;
        let mut landed: Vec<_> =
            bench.landed().into_iter().map(|it| (it.tag, it.placement, it.queue_id.unwrap_or_default())).collect();
        landed.sort();
        let expected = [
            (one.clone(), Placement::Inbox, "A1".to_owned()),
            (one, Placement::Inbox, "A3".to_owned()),
            (two, Placement::Junk, "A2".to_owned()),
        ];
        assert_eq!(landed, expected);
    }

    #[tokio::test]
    async fn a_message_is_seen_without_being_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path());
        let bench = Bench::new();
        let collecting = bench.open(Looks::Maildir(folder.path().to_owned())).await.expect("it opens");
        deliver(folder.path(), "1.M1.host", &message_of(&bench.run.probe(1), "A1"));
        bench.until_landed(1).await;
        collecting.close().await;
    }

    #[tokio::test]
    async fn messages_of_an_earlier_run_are_found_where_they_are_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path());
        let bench = Bench { since: Since::Ever, ..Bench::new() };
        deliver(folder.path(), "1.M1.host", &message_of(&bench.run.probe(1), "A1"));
        let collecting = bench.open(Looks::Maildir(folder.path().to_owned())).await.expect("it opens");
        assert_eq!(bench.landed().len(), 1);
        collecting.close().await;
    }

    #[tokio::test]
    async fn what_is_no_maildir_is_said_to_be_none() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("x"), "").expect("written");
        let error = Bench::new().open(Looks::Maildir(folder.path().to_owned())).await.expect_err("no Maildir");
        assert!(error.what.contains("is no Maildir: it has no folders `new` and `cur`"), "{error}");
        let error = Bench::new().open(Looks::Maildir(folder.path().join("a/b"))).await.expect_err("not there");
        assert!(error.what.contains("cannot be read: No such file"), "{error}");
    }
}

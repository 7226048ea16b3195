//! Several files of one folder, followed together.
//!
//! Files are told apart by what they are, not by their names: after a rotation `mail.log.1` is the
//! file that was `mail.log` before, and none of its lines is new.

use std::fs::DirEntry;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::super::Since;
use super::{Growth, LINGER, Open, Piece};
use crate::inventory::glob_matches;

/// The most files that are followed at a time.
const MAX_FILES: usize = 500;
/// What a rotation makes of old logs; they hold nothing that comes from now on.
const PACKED: &[&str] = &["gz", "bz2", "xz", "zst", "lz4", "zip"];

/// Who is told of the pieces, and of which file they are.
pub(in crate::collect) type EachOf<'a> = &'a mut dyn FnMut(&Path, Piece<'_>);

/// Whether a path stands for several files: a folder, or a pattern in its last part.
pub(in crate::collect) fn is_several(path: &Path) -> bool {
    pattern(path).is_some() || path.is_dir()
}

/// The pattern in the last part of a path.
fn pattern(path: &Path) -> Option<&str> {
    path.file_name()?.to_str().filter(|name| name.contains(['*', '?']))
}

/// Files of one folder.
#[derive(Debug)]
pub(in crate::collect) struct Many {
    folder: PathBuf,
    pattern: String,
    files: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    path: PathBuf,
    open: Open,
    /// Since when it is no longer in the folder.
    gone: Option<Instant>,
}

impl Many {
    /// Follows the files that `path` stands for, and those that join them later, from their start.
    ///
    /// # Errors
    /// Where the folder or one of the files cannot be read.
    pub(in crate::collect) fn new(path: &Path, since: Since) -> io::Result<Self> {
        let (folder, pattern) = match pattern(path) {
            Some(pattern) => (path.parent().unwrap_or(Path::new("")).to_owned(), pattern.to_owned()),
            None => (path.to_owned(), "*".to_owned()),
        };
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        let mut many = Self { folder, pattern, files: vec![] };
        many.join(since)?;
        Ok(many)
    }

    /// How many files there are.
    pub(in crate::collect) fn count(&self) -> usize {
        self.files.len()
    }

    /// The paths, for learning about the files' writers.
    pub(in crate::collect) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|known| known.path.as_path())
    }

    /// Reads everything that is new.
    ///
    /// # Errors
    /// Where the folder or a file cannot be read.
    pub(in crate::collect) fn read(&mut self, each: EachOf<'_>) -> io::Result<()> {
        self.join(Since::Ever)?;
        for known in &mut self.files {
            let Known { path, open, .. } = known;
            if open.read_more(&mut |piece| each(path, piece))? == Growth::Cut {
                open.rest_of_copy(path, &mut |piece| each(path, piece));
                *open = open.reopened()?;
                each(path, Piece::Anew);
                open.read_more(&mut |piece| each(path, piece))?;
            }
        }
        let now = Instant::now();
        for known in self.files.extract_if(.., |known| known.gone.is_some_and(|since| now >= since + LINGER)) {
            let path = known.path;
            known.open.flush(&mut |piece| each(&path, piece));
        }
        Ok(())
    }

    /// Takes in files that were not there before, and notes which are gone and how they are called.
    fn join(&mut self, since: Since) -> io::Result<()> {
        let mut listed = vec![];
        for entry in self.folder.read_dir()? {
            let entry = entry?;
            if self.fits(&entry)
                && let Ok(found) = entry.metadata()
                && found.is_file()
            {
                listed.push((entry.path(), (found.dev(), found.ino())));
            }
        }
        listed.sort();
        let now = Instant::now();
        for known in &mut self.files {
            match listed.iter().find(|(_, id)| *id == known.open.id) {
                Some((path, _)) => (known.path, known.gone) = (path.clone(), None),
                None => known.gone = known.gone.or(Some(now)),
            }
        }
        listed.retain(|(_, id)| !self.files.iter().any(|known| known.open.id == *id));
        for (path, _) in listed {
            if self.files.len() >= MAX_FILES {
                let text = format!("there are more than {MAX_FILES} files in it");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
            self.open(path, since)?;
        }
        Ok(())
    }

    fn open(&mut self, path: PathBuf, since: Since) -> io::Result<()> {
        let mut open = match Open::at_start(&path) {
            Ok(open) => open,
            // It was there a moment ago.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if since == Since::Opening {
            open.skip_to_end()?;
        }
        self.files.push(Known { path, open, gone: None });
        Ok(())
    }

    fn fits(&self, entry: &DirEntry) -> bool {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let packed = name.rsplit_once('.').is_some_and(|(_, end)| PACKED.contains(&end));
        !packed && glob_matches(&self.pattern, &name)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use super::*;

    fn append(path: &Path, text: &str) {
        let mut file = File::options().append(true).create(true).open(path).expect("opened");
        file.write_all(text.as_bytes()).expect("written");
    }

    fn read(many: &mut Many) -> Vec<String> {
        let mut seen = vec![];
        many.read(&mut |path, piece| {
            if let Piece::Line { bytes, .. } = piece {
                let name = path.file_name().expect("a name").to_string_lossy();
                seen.push(format!("{name} {}", String::from_utf8_lossy(bytes)));
            }
        })
        .expect("it can be read");
        seen
    }

    #[test]
    fn files_that_fit_are_followed_and_a_rotation_makes_no_line_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        append(&path("mail.log"), "old\n");
        append(&path("mail.log.2.gz"), "packed\n");
        append(&path("auth.log"), "other\n");
        let mut many = Many::new(&path("mail.*"), Since::Opening).expect("it opens");
        assert_eq!(many.count(), 1);
        append(&path("mail.log"), "a\n");
        append(&path("mail.err"), "b\n");
        append(&path("auth.log"), "c\n");
        assert_eq!(read(&mut many), ["mail.log a", "mail.err b"]);
        fs::rename(path("mail.log"), path("mail.log.1")).expect("rotated");
        append(&path("mail.log"), "d\n");
        append(&path("mail.log.1"), "e\n");
        assert_eq!(read(&mut many), ["mail.log.1 e", "mail.log d"]);
        assert!(read(&mut many).is_empty());
    }

    #[test]
    fn a_folder_stands_for_its_files_and_a_cut_one_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        append(&path, "1\n2\n");
        assert!(is_several(folder.path()) && !is_several(&path));
        let mut many = Many::new(folder.path(), Since::Ever).expect("it opens");
        assert_eq!(read(&mut many), ["a 1", "a 2"]);
        fs::write(&path, "3\n").expect("cut");
        assert_eq!(read(&mut many), ["a 3"]);
        assert!(Many::new(&folder.path().join("none/*.log"), Since::Ever).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_gone_is_let_go() {
        let folder = tempfile::tempdir().expect("a folder");
        append(&folder.path().join("a"), "cut off");
        let mut many = Many::new(folder.path(), Since::Ever).expect("it opens");
        assert!(read(&mut many).is_empty());
        fs::remove_file(folder.path().join("a")).expect("removed");
        assert!(read(&mut many).is_empty());
        tokio::time::advance(LINGER).await;
        assert_eq!(read(&mut many), ["a cut off"]);
        assert_eq!(many.count(), 0);
    }
}

//! Reads a file as it grows, line by line, through rotation and truncation.
//!
//! ```text
//!   mail.log  ──rename──> mail.log.1     read to its end, and a while longer
//!   mail.log  (new)                      read from its start
//!
//!   mail.log  ──copy────> mail.log.1     the rest is read from the copy
//!   mail.log  (cut to 0)                 read from its start
//! ```

pub(super) mod many;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::Since;

/// The longest line that is read, in bytes. A longer one is counted and skipped.
pub(super) const MAX_LINE: usize = 64 * 1024;
/// Files up to this size have their lines counted when they are opened.
const MAX_COUNTED: u64 = 256 << 20;
/// How long a file that was renamed is still read: its writer may hold it open for a while.
const LINGER: Duration = Duration::from_secs(10);
/// How long the file may be missing between its renaming and the next one's creation.
const MISSING_LIMIT: Duration = Duration::from_secs(5);
/// How many of the last bytes that were read are compared, to tell growth from a new content.
const MEMORY: usize = 64;

/// A part of a growing file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A line without its end.
    Line {
        /// From 1; absent where the file was too large to count its lines.
        number: Option<u64>,
        /// Where it begins, in bytes from the start of the file.
        offset: u64,
        /// The line.
        bytes: &'a [u8],
    },
    /// A line of more than [`MAX_LINE`] bytes was skipped.
    Overlong,
    /// What follows is the start of another content: the file was replaced or cut.
    Anew,
}

/// Who is told of the pieces.
pub(super) type Each<'a> = &'a mut dyn FnMut(Piece<'_>);

/// A file that is read as it grows.
#[derive(Debug)]
pub(super) struct Follower {
    path: PathBuf,
    current: Option<Open>,
    /// Renamed, with the time until which it is still read.
    renamed: Vec<(Open, Instant)>,
    missing: Option<Instant>,
}

impl Follower {
    /// Follows `path`, from its end or its start. A file that is not there yet is read from its
    /// start once it is.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
    pub(super) fn new(path: &Path, since: Since) -> io::Result<Self> {
        let current = match Open::at_start(path) {
            Ok(mut open) => {
                if since == Since::Opening {
                    open.skip_to_end()?;
                }
                Some(open)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { path: path.to_owned(), current, renamed: vec![], missing: None })
    }

    /// Whether the file was there at the last look.
    pub(super) fn is_there(&self) -> Presence {
        if self.current.is_some() { Presence::There } else { Presence::NotYet }
    }

    /// Reads everything that is new.
    ///
    /// # Errors
    /// Where the file cannot be read, or has been gone for longer than a rotation takes.
    pub(super) fn read(&mut self, each: Each<'_>) -> io::Result<()> {
        self.read_renamed(each)?;
        if let Some(open) = &mut self.current
            && open.read_more(each)? == Growth::Cut
        {
            open.rest_of_copy(&self.path, each);
            *open = open.reopened()?;
            each(Piece::Anew);
            open.read_more(each)?;
        }
        self.switch(each)
    }

    fn read_renamed(&mut self, each: Each<'_>) -> io::Result<()> {
        for (open, _) in &mut self.renamed {
            open.read_more(each)?;
        }
        let now = Instant::now();
        for (open, _) in self.renamed.extract_if(.., |(_, until)| *until <= now) {
            open.flush(each);
        }
        Ok(())
    }

    /// Goes over to the file that now has the path, if it is another one.
    fn switch(&mut self, each: Each<'_>) -> io::Result<()> {
        let found = match std::fs::metadata(&self.path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.note_missing(error),
            Err(error) => return Err(error),
        };
        self.missing = None;
        if self.current.as_ref().is_some_and(|open| open.id == (found.dev(), found.ino())) {
            return Ok(());
        }
        let mut next = Open::at_start(&self.path)?;
        if let Some(mut old) = self.current.take() {
            old.read_more(each)?;
            self.renamed.push((old, Instant::now() + LINGER));
            each(Piece::Anew);
        }
        next.read_more(each)?;
        self.current = Some(next);
        Ok(())
    }

    fn note_missing(&mut self, error: io::Error) -> io::Result<()> {
        let since = *self.missing.get_or_insert_with(Instant::now);
        match self.current {
            Some(_) if since.elapsed() > MISSING_LIMIT => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether a file is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    NotYet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Growth {
    /// It is as it was, or longer.
    Grown,
    /// It no longer holds what was read of it.
    Cut,
}

/// An open file and how far it was read.
#[derive(Debug)]
struct Open {
    file: File,
    id: (u64, u64),
    /// How many bytes were read.
    offset: u64,
    /// How many lines were; absent where they were not counted.
    lines: Option<u64>,
    /// The start of a line that has no end yet.
    partial: Vec<u8>,
    /// Whether the line that is being read is too long, and skipped.
    skipping: Skipping,
    /// The last bytes that were read.
    memory: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skipping {
    No,
    ToLineEnd,
}

impl Open {
    fn at_start(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let found = file.metadata()?;
        if found.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        Ok(Self::new(file, (found.dev(), found.ino())))
    }

    fn new(file: File, id: (u64, u64)) -> Self {
        Self { file, id, offset: 0, lines: Some(0), partial: vec![], skipping: Skipping::No, memory: vec![] }
    }

    fn reopened(&self) -> io::Result<Self> {
        Ok(Self::new(self.file.try_clone()?, self.id))
    }

    /// Goes to the last line that has no end yet, or to the end.
    fn skip_to_end(&mut self) -> io::Result<()> {
        let size = self.file.metadata()?.len();
        if size > MAX_COUNTED {
            self.lines = None;
            self.offset = size.saturating_sub(MAX_LINE as u64);
            self.skipping = Skipping::ToLineEnd;
        }
        self.read_more(&mut |_| {})?;
        Ok(())
    }

    /// Reads to the end as it is now, so that a busy writer cannot hold the reader forever.
    fn read_more(&mut self, each: Each<'_>) -> io::Result<Growth> {
        let size = self.file.metadata()?.len();
        if size == self.offset {
            return Ok(Growth::Grown);
        }
        if size < self.offset || !self.remembers(&self.file) {
            return Ok(Growth::Cut);
        }
        self.file.seek(SeekFrom::Start(self.offset))?;
        let mut block = vec![0; MAX_LINE];
        while self.offset < size {
            let wanted = block.len().min(usize::try_from(size - self.offset).unwrap_or(usize::MAX));
            let read = self.file.read(&mut block[..wanted])?;
            if read == 0 {
                break;
            }
            self.take(&block[..read], each);
        }
        Ok(Growth::Grown)
    }

    fn take(&mut self, block: &[u8], each: Each<'_>) {
        for part in block.split_inclusive(|byte| *byte == b'\n') {
            self.offset += part.len() as u64;
            match part.strip_suffix(b"\n") {
                Some(rest) => self.end_line(rest, each),
                None if self.skipping == Skipping::ToLineEnd => {}
                None if self.partial.len() + part.len() > MAX_LINE => {
                    self.partial.clear();
                    self.skipping = Skipping::ToLineEnd;
                    each(Piece::Overlong);
                }
                None => self.partial.extend_from_slice(part),
            }
        }
        self.memory.extend_from_slice(&block[block.len().saturating_sub(MEMORY)..]);
        self.memory.drain(..self.memory.len().saturating_sub(MEMORY));
    }

    fn end_line(&mut self, rest: &[u8], each: Each<'_>) {
        self.lines = self.lines.map(|lines| lines + 1);
        if std::mem::replace(&mut self.skipping, Skipping::No) == Skipping::ToLineEnd {
            return;
        }
        let length = self.partial.len() + rest.len();
        let offset = self.offset - 1 - length as u64;
        if length > MAX_LINE {
            self.partial.clear();
            return each(Piece::Overlong);
        }
        if self.partial.is_empty() {
            return each(Piece::Line { number: self.lines, offset, bytes: rest });
        }
        let mut line = std::mem::take(&mut self.partial);
        line.extend_from_slice(rest);
        each(Piece::Line { number: self.lines, offset, bytes: &line });
    }

    /// Hands out a last line that will not get its end any more.
    fn flush(mut self, each: Each<'_>) {
        if !self.partial.is_empty() && self.skipping == Skipping::No {
            self.offset += 1;
            self.end_line(b"", each);
        }
    }

    /// Whether `file` holds what was last read where it was read.
    fn remembers(&self, file: &File) -> bool {
        let mut there = vec![0; self.memory.len()];
        let from = self.offset.saturating_sub(self.memory.len() as u64);
        file.read_exact_at(&mut there, from).is_ok() && there == self.memory
    }

    /// Reads what was written between the last look and the cut, from the copy that was made
    /// right before it. Where there is none, those lines are lost to every reader.
    fn rest_of_copy(&mut self, path: &Path, each: Each<'_>) {
        let mut name = path.as_os_str().to_owned();
        name.push(".1");
        let Ok(copy) = File::open(PathBuf::from(name)) else { return };
        if self.offset == 0 || !self.remembers(&copy) {
            return;
        }
        if let Ok(mut rest) = self.reopened() {
            rest.file = copy;
            rest.offset = self.offset;
            rest.lines = self.lines;
            rest.partial = std::mem::take(&mut self.partial);
            rest.memory = std::mem::take(&mut self.memory);
            let _ = rest.read_more(each);
            rest.flush(each);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    struct Fixture {
        folder: tempfile::TempDir,
        follower: Follower,
    }

    impl Fixture {
        fn new(before: &str, since: Since) -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join("log"), before).expect("written");
            let follower = Follower::new(&folder.path().join("log"), since).expect("it opens");
            Self { folder, follower }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn append(&self, text: &str) {
            let mut file = File::options().append(true).create(true).open(self.path("log")).expect("opened");
            file.write_all(text.as_bytes()).expect("written");
        }

        fn read(&mut self) -> Vec<String> {
            let mut seen = vec![];
            self.follower
                .read(&mut |piece| {
                    seen.push(match piece {
                        Piece::Line { number, bytes, .. } => {
                            format!("{}:{}", number.unwrap_or(0), String::from_utf8_lossy(bytes))
                        }
                        Piece::Overlong => "overlong".to_owned(),
                        Piece::Anew => "anew".to_owned(),
                    });
                })
                .expect("it can be read");
            seen
        }
    }

    #[tokio::test]
    async fn lines_are_read_once_they_are_whole() {
        let mut log = Fixture::new("old\nhalf", Since::Opening);
        assert!(log.read().is_empty());
        log.append(" done\nnext");
        assert_eq!(log.read(), ["2:half done"]);
        log.append("\n");
        assert_eq!(log.read(), ["3:next"]);
        assert!(log.read().is_empty());
    }

    #[tokio::test]
    async fn from_the_start_everything_is_read() {
        let mut log = Fixture::new("a\nb\n", Since::Ever);
        assert_eq!(log.read(), ["1:a", "2:b"]);
    }

    #[tokio::test]
    async fn a_renamed_file_is_read_to_its_end_before_the_new_one() {
        let mut log = Fixture::new("a\n", Since::Opening);
        log.append("b\n");
        fs::rename(log.path("log"), log.path("log.1")).expect("renamed");
        assert_eq!(log.read(), ["2:b"], "the path is missing for a moment");
        let mut writer = File::options().append(true).open(log.path("log.1")).expect("opened");
        writer.write_all(b"c\n").expect("written");
        log.append("d\n");
        assert_eq!(log.read(), ["3:c", "anew", "1:d"]);
        writer.write_all(b"e\n").expect("written");
        assert_eq!(log.read(), ["4:e"], "its writer had not noticed yet");
    }

    #[tokio::test(start_paused = true)]
    async fn a_renamed_file_is_let_go_and_a_missing_one_is_an_error_in_the_end() {
        let mut log = Fixture::new("a\n", Since::Opening);
        log.append("cut off");
        fs::rename(log.path("log"), log.path("log.1")).expect("renamed");
        assert!(log.read().is_empty());
        tokio::time::advance(MISSING_LIMIT + Duration::from_secs(1)).await;
        assert!(log.follower.read(&mut |_| {}).is_err());
        log.append("b\n");
        assert_eq!(log.read(), ["anew", "1:b"]);
        tokio::time::advance(LINGER).await;
        assert_eq!(log.read(), ["2:cut off"]);
        assert!(log.follower.renamed.is_empty());
    }

    #[tokio::test]
    async fn a_copied_and_cut_file_loses_nothing_that_the_copy_holds() {
        let mut log = Fixture::new("a\n", Since::Opening);
        log.append("b\n");
        assert_eq!(log.read(), ["2:b"]);
        log.append("c\n");
        fs::copy(log.path("log"), log.path("log.1")).expect("copied");
        File::options().write(true).open(log.path("log")).and_then(|file| file.set_len(0)).expect("cut");
        log.append("d is longer than all that was there before\n");
        assert_eq!(log.read(), ["3:c", "anew", "1:d is longer than all that was there before"]);
    }

    #[tokio::test]
    async fn a_line_without_end_does_not_fill_memory() {
        let mut log = Fixture::new("", Since::Opening);
        log.append(&"x".repeat(3 * MAX_LINE));
        assert_eq!(log.read(), ["overlong"]);
        log.append("x\nshort\n");
        assert_eq!(log.read(), ["2:short"]);
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_yet_is_read_from_its_start() {
        let mut log = Fixture::new("", Since::Opening);
        fs::remove_file(log.path("log")).expect("removed");
        log.follower = Follower::new(&log.path("log"), Since::Opening).expect("it may be missing");
        assert_eq!(log.follower.is_there(), Presence::NotYet);
        assert!(log.read().is_empty());
        log.append("a\n");
        assert_eq!(log.read(), ["1:a"]);
        assert_eq!(log.follower.is_there(), Presence::There);
    }

    proptest::proptest! {
        #[test]
        fn lines_do_not_depend_on_how_they_are_cut(text in "[a\r\n]{0,80}", cuts in proptest::collection::vec(1usize..9, 1..20)) {
            let mut open = Open::new(tempfile::tempfile().expect("a file"), (0, 0));
            let mut lines = vec![];
            let mut each = |piece: Piece<'_>| if let Piece::Line { number, offset, bytes } = piece {
                lines.push((number, offset as usize, String::from_utf8_lossy(bytes).into_owned()));
            };
            let (mut rest, mut cuts) = (text.as_bytes(), cuts.iter().cycle());
            while !rest.is_empty() {
                let (block, after) = rest.split_at(rest.len().min(*cuts.next().expect("endless")));
                open.take(block, &mut each);
                rest = after;
            }
            let mut at = 0;
            let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let expected: Vec<_> = (1u64..).zip(whole).map(|(number, line)| {
                at += line.len();
                (Some(number), at - line.len(), line.trim_end_matches('\n').to_owned())
            }).collect();
            proptest::prop_assert_eq!(lines, expected);
            proptest::prop_assert_eq!(&open.memory, &text.as_bytes()[text.len().saturating_sub(MEMORY)..]);
        }
    }
}

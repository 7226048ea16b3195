//! An mbox file that grows.
//!
//! Each message begins with a line `From sender date`; a body line that would look like one is
//! written as `>From` (mboxo, mboxrd). A message counts once its header block is whole. No lock
//! is taken: reading does not disturb a writer, and a header that is half written is read on at
//! the next look.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::bounce::{self, MAX_BOUNCE};
use super::copies::Copies;
use super::follow::{Follower, Piece, Presence};
use super::maildir::unreadable;
use super::notes::{Copy, Notes};
use super::stamp::{self, Zone};
use super::watch::{Files, Occasion, Polled};
use super::{Collecting, Since, Trouble, message};
use crate::record::{LookedState, Placement};

/// Begins to look at the mbox file at `path`.
pub(super) async fn open(path: &Path, since: Since, notes: Notes) -> Result<Collecting, Trouble> {
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !parent.is_dir() {
        return Err(Trouble::new(format!("`{}` is not there, nor is the folder for it", path.display()))
            .help("check the path; it is looked for on this machine"));
    }
    let mut mbox = Mbox::new(path, since, notes.clone()).map_err(|error| unreadable(path, &error))?;
    let why = match mbox.follower.is_there() {
        Presence::There => "it can be read",
        Presence::NotYet => "it is not there yet; the first delivery makes it",
    };
    let opened = tokio::task::spawn_blocking(move || {
        let looked = mbox.look(Occasion::Asked);
        (mbox, looked)
    });
    let (mbox, looked) = opened.await.map_err(|_| Trouble::new("its reader broke down"))?;
    looked?;
    notes.looked(LookedState::Open, why);
    Ok(Collecting::begin(Polled::new(mbox), notes))
}

#[derive(Debug)]
struct Mbox {
    follower: Follower,
    reader: Reader,
}

/// Finds messages in lines.
#[derive(Debug)]
struct Reader {
    path: PathBuf,
    notes: Notes,
    copies: Copies,
    zone: Zone,
    since: Since,
    part: Part,
}

/// Where in the file the reader is.
#[derive(Debug)]
enum Part {
    /// In a body, or between messages.
    Body {
        /// Whether the last line allows a message to begin.
        last: Last,
    },
    /// In a header block.
    Header {
        /// The line number of the line `From `.
        line: String,
        /// What that line says of the time.
        at: Option<Timestamp>,
        /// What was read of the block.
        block: Vec<u8>,
    },
    /// In a notification, which is read as a whole.
    Bounce {
        line: String,
        at: Option<Timestamp>,
        /// What was read of it.
        whole: Vec<u8>,
        last: Last,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Blank,
    Text,
}

impl Mbox {
    fn new(path: &Path, since: Since, notes: Notes) -> std::io::Result<Self> {
        let follower = Follower::new(path, since)?;
        Ok(Self { follower, reader: Reader::new(path, since, notes) })
    }
}

impl Files for Mbox {
    fn look(&mut self, _: Occasion) -> Result<(), Trouble> {
        let reader = &mut self.reader;
        let read = self.follower.read(&mut |piece| reader.take(piece));
        read.map_err(|error| unreadable(&self.reader.path, &error))
    }
}

impl Reader {
    fn new(path: &Path, since: Since, notes: Notes) -> Self {
        let part = Part::Body { last: Last::Blank };
        Self { path: path.to_owned(), notes, copies: Copies::default(), zone: Zone::default(), since, part }
    }

    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Line { number, offset, bytes } => self.line(number, offset, bytes),
            // Of a header block so long a line says nothing; of a body neither.
            Piece::Overlong => {}
            Piece::Anew => {
                // A mail program wrote the file anew: the same messages are there again.
                self.copies.recount("");
                self.part = Part::Body { last: Last::Blank };
            }
        }
    }

    fn line(&mut self, number: Option<u64>, offset: u64, bytes: &[u8]) {
        let text = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        match &mut self.part {
            Part::Header { block, .. } if !text.is_empty() => {
                if block.len() + bytes.len() < message::MAX_HEADER {
                    block.extend_from_slice(bytes);
                    block.push(b'\n');
                }
            }
            Part::Header { .. } => self.end_header(),
            Part::Bounce { last, whole, .. } if begins(text, *last).is_none() => {
                *last = if text.is_empty() { Last::Blank } else { Last::Text };
                if whole.len() + bytes.len() < MAX_BOUNCE {
                    whole.extend_from_slice(bytes);
                    whole.push(b'\n');
                }
                if is_last_line(text, whole) {
                    self.end_bounce();
                }
            }
            Part::Bounce { .. } => {
                self.end_bounce();
                self.line(number, offset, bytes);
            }
            Part::Body { last } => match begins(text, *last) {
                Some(date) => {
                    let line = number.map_or(format!("byte {offset}"), |number| number.to_string());
                    let at = self.time(&date);
                    self.part = Part::Header { line, at, block: vec![] };
                }
                None => *last = if text.is_empty() { Last::Blank } else { Last::Text },
            },
        }
    }

    fn time(&mut self, date: &str) -> Option<Timestamp> {
        let stamp = stamp::asctime(date)?;
        let now = self.notes.now();
        if self.since == Since::Opening {
            self.zone.learn(&stamp, now);
        }
        self.zone.time(&stamp, now)
    }

    fn end_bounce(&mut self) {
        let body = Part::Body { last: Last::Blank };
        let Part::Bounce { line, at, whole, .. } = std::mem::replace(&mut self.part, body) else { return };
        if let Some((tag, report)) = bounce::read(&whole, self.notes.run()) {
            let at = at.unwrap_or_else(|| self.notes.now());
            self.notes.returned(&tag, &report, at, &format!("{}:{line}", self.path.display()));
        }
    }

    fn end_header(&mut self) {
        let body = Part::Body { last: Last::Blank };
        let Part::Header { line, at, block } = std::mem::replace(&mut self.part, body) else { return };
        if bounce::may_be(&block) {
            let whole = [block.as_slice(), b"\n"].concat();
            self.part = Part::Bounce { line, at, whole, last: Last::Text };
            return;
        }
        let Some(stored) = message::read(&block, self.notes.run()) else { return };
        if self.copies.count("", stored.fingerprint).is_none() {
            return;
        }
        let copy = Copy {
            tag: stored.tag,
            at: at.unwrap_or_else(|| self.notes.now()),
            queue_id: stored.queue_id,
            detail: format!("{}:{line}", self.path.display()),
            placement: Placement::Inbox,
            received: stored.received,
        };
        self.notes.landed(copy, None);
    }
}

/// Whether a line closes the outermost part of a notification: nothing that matters can follow it.
fn is_last_line(line: &[u8], whole: &[u8]) -> bool {
    let Some(boundary) = line.strip_prefix(b"--").and_then(|it| it.strip_suffix(b"--")) else { return false };
    let header = String::from_utf8_lossy(message::header_of(whole));
    let boundary = String::from_utf8_lossy(boundary);
    !boundary.is_empty()
        && (header.contains(&format!("\"{boundary}\"")) || header.contains(&format!("boundary={boundary}")))
}

/// The date of a line that begins a message: `From sender date`, behind a blank line, or anywhere
/// if it has a date, since a writer that leaves out the blank line still escapes such lines.
fn begins(line: &[u8], last: Last) -> Option<String> {
    let rest = String::from_utf8_lossy(line.strip_prefix(b"From ")?).into_owned();
    let date = rest.trim_start().split_once(' ').map_or("", |(_, date)| date.trim());
    (last == Last::Blank || stamp::asctime(date).is_some()).then(|| date.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use super::*;
    use crate::collect::testing::{Bench, message_of};
    use crate::inventory::Looks;

    fn append(path: &Path, text: &str) {
        let mut file = File::options().append(true).create(true).open(path).expect("opened");
        file.write_all(text.as_bytes()).expect("written");
    }

    fn entry(text: &str) -> String {
        format!("From mxdrill@sender.example  Sat Nov 21 05:16:35 2026\n{text}\n")
    }

    #[tokio::test]
    async fn messages_are_found_as_the_file_grows() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("probe");
        let bench = Bench::new();
        let [one, two, old] = [1, 2, 9].map(|number| bench.run.probe(number));
        append(&path, &entry(&message_of(&old, "0")));
        let collecting = bench.open(Looks::Mbox(path.clone())).await.expect("it opens");
        let (start, rest) = (entry(&message_of(&one, "A1")), entry(&message_of(&two, "A2")));
        let (half, other_half) = start.split_at(90);
        append(&path, half);
        collecting.look().await.expect("it looks");
        assert!(bench.landed().is_empty(), "its header is not whole");
        append(&path, other_half);
        append(&path, ">From here on it is quoted\n");
        append(&path, &rest);
        collecting.look().await.expect("it looks");
        collecting.close().await;
        let landed: Vec<_> = bench.landed().into_iter().map(|it| (it.tag, it.queue_id, it.detail)).collect();
        let place = |line: usize| format!("{}:{line}", path.display());
        let lines = entry(&message_of(&old, "0")).lines().count();
        let expected =
            [(one, Some("A1".to_owned()), place(lines + 1)), (two, Some("A2".to_owned()), place(2 * lines + 2))];
        assert_eq!(landed, expected);
    }

    #[tokio::test]
    async fn a_file_that_is_written_anew_holds_no_new_copies() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("probe");
        let bench = Bench::new();
        let collecting = bench.open(Looks::Mbox(path.clone())).await.expect("it may not be there yet");
        let [one, two] = [1, 2].map(|number| entry(&message_of(&bench.run.probe(number), "A")));
        append(&path, &one);
        collecting.look().await.expect("it looks");
        fs::write(folder.path().join("next"), format!("{one}{two}")).expect("written");
        fs::rename(folder.path().join("next"), &path).expect("replaced");
        collecting.look().await.expect("it looks");
        collecting.look().await.expect("it looks");
        collecting.close().await;
        let tags: Vec<_> = bench.landed().into_iter().map(|it| it.tag).collect();
        assert_eq!(tags, [bench.run.probe(1), bench.run.probe(2)]);
    }

    #[tokio::test]
    async fn a_folder_that_is_missing_is_said_to_be() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = Bench::new().open(Looks::Mbox(folder.path().join("a/b"))).await.expect_err("not there");
        assert!(error.what.ends_with("is not there, nor is the folder for it"), "{error}");
        let error = Bench::new().open(Looks::Mbox(folder.path().to_owned())).await.expect_err("a folder");
        assert!(error.what.contains("it is a directory"), "{error}");
    }

    #[test]
    fn only_a_line_that_can_be_one_begins_a_message() {
        assert!(begins(b"From a@b Sat Nov 21 05:16:35 2026", Last::Text).is_some());
        assert!(begins(b"From the start", Last::Blank).is_some());
        assert!(begins(b"From the start", Last::Text).is_none());
        assert!(begins(b">From a@b Sat Nov 21 05:16:35 2026", Last::Blank).is_none());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_read(lines in proptest::collection::vec("(From |X-Mxdrill-Tag: |Received: )?\\PC{0,30}", 0..30)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let _inside = runtime.enter();
            let mut reader = Reader::new(Path::new("x"), Since::Opening, Bench::new().notes());
            for (index, line) in lines.iter().enumerate() {
                reader.take(Piece::Line { number: Some(index as u64), offset: 0, bytes: line.as_bytes() });
            }
        }
    }
}

//! Logs of MTAs.
//!
//! ```text
//!   follow, feed ──line──> wrapper ──entry──> formats ──told──> lines ──Event──> story ──proof──> Notes
//!                     stamp, host,       what one line              │       tied to a tag
//!                     program            says of a queue-id         │       by its queue-id
//!                                                                   └────> trace, census
//! ```
//!
//! A format is one file that turns an entry (or a record of a table, or an object) into
//! [`Told`]s, and a line in `formats`. What is told is the same for every format: an [`Event`].
//! A format knows nothing of files, tags or platforms.
//!
//! A log that has lines from after a moment proves that what it does not tell of since then did
//! not happen; so fresh lines are noted as [`LookedState::Alive`].

mod chasquid;
#[cfg(test)]
mod corpus;
mod courier;
mod dma;
mod document;
mod dovecot;
mod exchange;
mod exim;
mod formats;
mod google;
mod haraka;
mod kumomta;
mod lines;
mod maddy;
mod microsoft365;
mod opensmtpd;
mod postfix;
mod proof;
mod qmail;
mod rspamd;
mod sendmail;
mod ses;
mod stalwart;
mod story;
mod table;
#[cfg(test)]
mod testing;
mod told;
mod words;
pub(super) mod wrapper;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::follow::many::{Many, is_several};
use super::follow::{Follower, Piece, Presence};
use super::maildir::unreadable;
use super::notes::Notes;
use super::watch::{Files, Occasion, Polled};
use super::{Collecting, Since, Trouble};
use crate::inventory::LogFormat;
use crate::record::LookedState;
use crate::source::plural;
pub use lines::{Event, Line, Lines, Place, Sense};
use proof::{Proven, Source};
use story::Stories;
pub use told::{Client, Delivery, Next, Queued, Reach, Refusal, State, Told, What};

/// How old a line may be when it is seen for the log to count as alive.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// How often it is said that a log is alive, unless somebody asks.
const ALIVE_EVERY: Duration = Duration::from_secs(2);
/// How much of the end of a log is read to learn its zone, in bytes.
const LAST_PART: u64 = 64 * 1024;

/// Begins to follow a log file, or several.
pub(super) async fn open(path: &Path, format: LogFormat, since: Since, notes: Notes) -> Result<Collecting, Trouble> {
    let (path, reader) = (path.to_owned(), notes.clone());
    let opened = tokio::task::spawn_blocking(move || {
        let mut log = Following::new(path, format, since, reader)?;
        log.look(Occasion::Stirred).map(|()| log)
    });
    let log = opened.await.map_err(|_| Trouble::new("its reader broke down"))??;
    notes.looked(LookedState::Open, &log.said());
    Ok(Collecting::begin(Polled::new(log), notes))
}

/// A log and how far it was read.
#[derive(Debug)]
struct Following {
    path: PathBuf,
    files: Tail,
    reader: Reader,
}

#[derive(Debug)]
enum Tail {
    One(Follower),
    Several(Many),
}

impl Following {
    fn new(path: PathBuf, format: LogFormat, since: Since, notes: Notes) -> Result<Self, Trouble> {
        let mut reader = Reader::new(&path, format, notes);
        if is_several(&path) {
            let many = Many::new(&path, since).map_err(|error| unreadable(&path, &error))?;
            many.paths().for_each(|path| reader.learn_zone(path));
            return Ok(Self { path, files: Tail::Several(many), reader });
        }
        let follower = Follower::new(&path, since).map_err(|error| unreadable(&path, &error))?;
        if follower.is_there() == Presence::NotYet {
            return Err(Trouble::new(format!("`{}` is not there", path.display()))
                .help("check the path, and that the mail server logs to it; it is looked for on this machine"));
        }
        reader.learn_zone(&path);
        Ok(Self { path, files: Tail::One(follower), reader })
    }

    fn said(&self) -> String {
        match &self.files {
            Tail::One(_) => "it can be read".to_owned(),
            Tail::Several(many) => format!("{} can be read", plural(many.count(), "file")),
        }
    }
}

impl Files for Following {
    fn look(&mut self, occasion: Occasion) -> Result<(), Trouble> {
        let (reader, path) = (&mut self.reader, &self.path);
        let read = match &mut self.files {
            Tail::One(follower) => follower.read(&mut |piece| reader.take(piece)),
            Tail::Several(many) => many.read(&mut |path, piece| {
                if reader.path != path {
                    path.clone_into(&mut reader.path);
                }
                reader.take(piece);
            }),
        };
        reader.settle();
        reader.say_alive(occasion);
        read.map_err(|error| unreadable(path, &error))
    }

    fn end(&mut self) {
        self.reader.say_skipped();
    }
}

/// Turns lines into evidence, wherever they come from.
#[derive(Debug)]
pub(super) struct Reader {
    /// The file that is being read; empty where lines come from elsewhere.
    path: PathBuf,
    lines: Lines,
    notes: Notes,
    stories: Stories,
    skipped: usize,
    /// The stamp of the last fresh line that was not spoken of yet.
    fresh: Option<Timestamp>,
    said_alive: Option<Instant>,
}

impl Reader {
    pub(super) fn new(path: &Path, format: LogFormat, notes: Notes) -> Self {
        Self {
            path: path.to_owned(),
            lines: Lines::new(&path.display().to_string(), format),
            stories: Stories::of(notes.run().clone()),
            notes,
            skipped: 0,
            fresh: None,
            said_alive: None,
        }
    }

    /// Learns the zone of stamps without one from the last line, which was written when the file
    /// was. Where that tells nothing, UTC is assumed.
    fn learn_zone(&mut self, path: &Path) {
        if let Ok((end, written)) = last_part(path)
            && let Some(line) = end.lines().rev().find(|line| wrapper::peel(line).is_some())
        {
            self.lines.learn_zone(line, written);
        }
    }

    /// Learns the zone from a line that was written just now.
    pub(super) fn learn_from(&mut self, line: &str) {
        self.lines.learn_zone(line, self.notes.now());
    }

    fn take(&mut self, piece: Piece<'_>) {
        match piece {
            Piece::Line { number, offset, bytes } => {
                let line = number.map_or(format!("byte {offset}"), |number| number.to_string());
                self.line(&format!("{}:{line}", self.path.display()), &String::from_utf8_lossy(bytes));
            }
            Piece::Overlong => self.skip(),
            Piece::Anew => {}
        }
    }

    /// Counts a line that was too long to be read.
    pub(super) fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Takes in a line that was found at `place`, such as `/var/log/mail.log:17`.
    pub(super) fn line(&mut self, place: &str, line: &str) {
        let now = self.notes.now();
        let before = self.lines.last();
        let mut events = vec![];
        self.lines.read(Line::Byte(0), line.as_bytes(), now, &mut |event| events.push(event));
        let at = self.lines.last().filter(|at| Some(*at) != before || !events.is_empty());
        if let Some(at) = at.filter(|at| now.duration_since(*at).abs() <= FRESH) {
            self.fresh = Some(at);
        }
        for event in events {
            let source = Source { at: event.at.unwrap_or(now), host: event.host, place: place.to_owned() };
            let proven = self.stories.hear(source, Told { queue_id: event.queue_id, ..Told::unqueued(event.what) });
            self.note(proven);
        }
    }

    fn note(&self, proven: Vec<Proven>) {
        for proven in proven {
            match proven {
                Proven::Landed(copy, host) => self.notes.landed(copy, host),
                Proven::Passed(handled) => self.notes.passed(handled),
            }
        }
    }

    pub(super) fn settle(&mut self) {
        let proven = self.stories.settle(self.notes.now());
        self.note(proven);
    }

    pub(super) fn say_alive(&mut self, occasion: Occasion) {
        let now = Instant::now();
        let due = self.said_alive.is_none_or(|last| now.duration_since(last) >= ALIVE_EVERY);
        if (due || occasion == Occasion::Asked)
            && let Some(at) = self.fresh.take()
        {
            self.notes.looked(LookedState::Alive, &format!("it has a line of {at}"));
            self.said_alive = Some(now);
        }
    }

    pub(super) fn say_skipped(&self) {
        if self.skipped > 0 {
            let lines = plural(self.skipped, "line");
            self.notes.warn(&format!("{lines} of more than {} bytes could not be read", super::follow::MAX_LINE));
        }
    }
}

/// The end of a file, and when it was last written.
fn last_part(path: &Path) -> io::Result<(String, Timestamp)> {
    let mut file = File::open(path)?;
    let found = file.metadata()?;
    file.seek(SeekFrom::Start(found.len().saturating_sub(LAST_PART)))?;
    let mut end = vec![];
    file.take(LAST_PART).read_to_end(&mut end)?;
    let written = Timestamp::try_from(found.modified()?).map_err(io::Error::other)?;
    Ok((String::from_utf8_lossy(&end).into_owned(), written))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::collect::testing::Bench;
    use crate::inventory::{Log, LogSource, Looks};

    fn append(path: &Path, line: &str) {
        let mut file = File::options().append(true).create(true).open(path).expect("opened");
        file.write_all(format!("2026-11-21T05:42:24.5+00:00 mx1 postfix/{line}\n").as_bytes()).expect("written");
    }

    fn arrive(path: &Path, id: &str, tag: &crate::record::Tag) {
        append(path, &format!("smtpd[1]: {id}: client=unknown[10.99.0.10]"));
        append(path, &format!("cleanup[1]: {id}: message-id=<{tag}@mxdrill.invalid>"));
        append(path, &format!("qmgr[1]: {id}: from=<mxdrill+{tag}@s.example>, size=767, nrcpt=1 (queue active)"));
    }

    fn deliver(path: &Path, id: &str) {
        append(
            path,
            &format!(
                "local[1]: {id}: to=<a@b>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)"
            ),
        );
        append(path, &format!("qmgr[1]: {id}: removed"));
    }

    fn looks(path: &Path) -> Looks {
        Looks::Log(Log { format: LogFormat::Postfix, from: LogSource::Path(path.to_owned()) })
    }

    #[tokio::test]
    async fn a_log_is_followed_through_its_rotation() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mail.log");
        let bench = Bench::new();
        let tag = bench.run.probe(1);
        append(&path, "master[1]: daemon started");
        let collecting = bench.open(looks(&path)).await.expect("it opens");
        arrive(&path, "04D5B9CE948", &tag);
        collecting.look().await.expect("it looks");
        std::fs::rename(&path, folder.path().join("mail.log.1")).expect("rotated");
        append(&path, "master[1]: reload");
        deliver(&path, "04D5B9CE948");
        bench.until_landed(1).await;
        collecting.look().await.expect("it looks");
        collecting.close().await;
        let landed = &bench.landed()[0];
        assert_eq!(landed.queue_id.as_deref(), Some("04D5B9CE948"));
        assert_eq!(landed.detail, format!("{}:2 by local (delivered to mailbox)", path.display()));
        assert_eq!(landed.host.as_deref(), Some("mx1"));
        assert_eq!(bench.passed().len(), 1);
        let states: Vec<_> = bench.looked().into_iter().map(|it| it.state).collect();
        assert_eq!(states[0], LookedState::Open);
        assert!(states[1..].iter().all(|state| *state == LookedState::Alive) && states.len() > 1, "{states:?}");
    }

    #[tokio::test]
    async fn old_lines_do_not_make_a_log_alive() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mail.log");
        append(&path, "master[1]: daemon started");
        let bench = Bench::new();
        let collecting = bench.open(looks(&path)).await.expect("it opens");
        let mut file = File::options().append(true).open(&path).expect("opened");
        file.write_all(b"2026-11-21T04:42:24+00:00 mx1 postfix/master[1]: late\nno line at all\n").expect("written");
        collecting.look().await.expect("it looks");
        collecting.close().await;
        assert_eq!(bench.looked().len(), 1, "{:?}", bench.looked());
    }

    #[tokio::test]
    async fn a_log_that_is_missing_is_an_error() {
        let bench = Bench::new();
        let error = bench.open(looks(Path::new("/nowhere/mail.log"))).await.expect_err("it is missing");
        assert!(error.to_string().starts_with("collector `log /nowhere/mail.log` of platform `new`: "), "{error}");
        assert!(error.help.is_some());
        assert_eq!(bench.looked()[0].state, LookedState::Failed);
    }

    #[tokio::test]
    async fn lines_that_are_no_text_do_not_stop_the_reader() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mail.log");
        std::fs::write(&path, "").expect("made");
        let bench = Bench::new();
        let collecting = bench.open(looks(&path)).await.expect("it opens");
        std::fs::write(&path, [b"\xff\xfe\x00\n".as_slice(), &vec![b'x'; 100_000], b"\n"].concat()).expect("written");
        arrive(&path, "04D5B9CE948", &bench.run.probe(1));
        deliver(&path, "04D5B9CE948");
        collecting.look().await.expect("it looks");
        collecting.close().await;
        assert_eq!(bench.landed().len(), 1);
        let warned = bench.journal.since(0).into_iter().any(|entry| {
            matches!(entry.event, crate::record::Event::Warning { text } if text.contains("1 line of more than 65536 bytes"))
        });
        assert!(warned);
    }
}

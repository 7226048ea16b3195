//! The path of messages, proven by the logs of the servers that carried them.
//!
//! ```text
//!   files ──input──> lines ──collect::log──> Event ──> Stays      a message in one queue
//!                      ^                                  │ link  Message-ID, "queued as", tag
//!                      │                                  v
//!                    sieve (only what can matter)      Message ──> json, text
//! ```
//!
//!   a stored message ── Received: headers ──> chain    hop by hop: who wrote it, and why it is trusted
//!
//! A **stay** is the time of one message in one host's queue, under one queue-id. Stays are linked
//! to **messages** across content filters and hosts. Which platform a hop belongs to is the
//! inventory's word. This room knows nothing of scenarios, runs and verdicts: it reads what is
//! there.

pub mod chain;
#[cfg(test)]
mod corpus;
mod input;
mod link;
mod message;
mod platform;
mod select;
mod sieve;
mod stay;
mod text;

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;

use crate::collect::log::{Event, Line, Lines, Sense};
use crate::inventory::{Inventory, LogFormat};
pub use input::{Input, MAX_LINE, Packing, Seen};
pub use message::{Hop, Message, Outcome, Refused, Status, Trace};
pub use platform::Platforms;
pub use select::{Selector, bears};
use stay::Stays;
pub use text::{Detail, text};

/// What is traced, in which logs.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The logs; `-` stands for standard input.
    pub files: &'a [PathBuf],
    /// Whose lines they hold.
    pub format: LogFormat,
    /// Which messages; none: every message.
    pub selectors: &'a [Selector],
    /// What belongs to which platform, where it is known.
    pub inventory: Option<&'a Inventory>,
    /// The time of day: a stamp of standard input without a year is not later.
    pub now: Timestamp,
}

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be read: {error}", path.display())]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub error: io::Error,
}

/// Reads the logs and puts the messages together.
///
/// # Errors
/// Where a log cannot be read, or is no log.
pub fn trace(wanted: &Wanted<'_>) -> Result<Trace, Unreadable> {
    let mut stays = Stays::default();
    let mut odd_lines = 0;
    for input in in_order(wanted.files, wanted.format, wanted.now)? {
        let path = input.path().to_owned();
        let odd = of_wanted(input, wanted, &mut |event| stays.hear(event));
        odd_lines += odd.map_err(|error| Unreadable { path, error })?;
    }
    let (stays, refusals) = stays.finish();
    Ok(link::messages(stays, refusals, wanted, odd_lines))
}

/// Gives every event of the logs to `each`, older files first; how many lines nobody knew.
///
/// # Errors
/// Where a log cannot be read.
pub fn events(
    files: &[PathBuf],
    format: LogFormat,
    now: Timestamp,
    each: &mut dyn FnMut(Event),
) -> Result<u64, Unreadable> {
    let mut odd = 0;
    for input in in_order(files, format, now)? {
        let path = input.path().to_owned();
        odd += of_file(input, format, each).map_err(|error| Unreadable { path, error })?;
    }
    Ok(odd)
}

/// Opens all of them, and sorts them by their first stamps: a rotated file comes before the one
/// that followed it, whatever its name.
fn in_order(files: &[PathBuf], format: LogFormat, now: Timestamp) -> Result<Vec<Input>, Unreadable> {
    let mut inputs = vec![];
    for path in files {
        let unreadable = |error| Unreadable { path: path.clone(), error };
        let input = Input::open(path, now).map_err(unreadable)?;
        let first = first_stamp(&input, format);
        inputs.push((first, input));
    }
    inputs.sort_by_key(|(first, _)| first.unwrap_or(Timestamp::MAX));
    Ok(inputs.into_iter().map(|(_, input)| input).collect())
}

fn first_stamp(input: &Input, format: LogFormat) -> Option<Timestamp> {
    let mut lines = Lines::new("", format);
    input.start().split(|byte| *byte == b'\n').find_map(|line| {
        let mut told = None;
        lines.read(Line::Byte(0), line, input.written(), &mut |event| told = told.or(event.at));
        lines.last().or(told)
    })
}

/// Only the lines that can be of the wanted messages, where they can be told apart.
fn of_wanted(input: Input, wanted: &Wanted<'_>, each: &mut dyn FnMut(Event)) -> io::Result<u64> {
    let sieved = match (wanted.format, input.packing()) {
        (LogFormat::Auto | LogFormat::Postfix, Packing::Plain) => {
            sieve::sieve(input.path(), input.start(), wanted.selectors)?
        }
        _ => None,
    };
    let Some(sieved) = sieved else { return of_file(input, wanted.format, each) };
    let mut reading = Reading::of(&input, wanted.format);
    let odd = sieved.lines(&mut |line, seen| reading.take(line, seen, each));
    Ok(odd + reading.odd)
}

fn of_file(input: Input, format: LogFormat, each: &mut dyn FnMut(Event)) -> io::Result<u64> {
    let mut reading = Reading::of(&input, format);
    input.lines(&mut |line, seen| reading.take(line, seen, each))?;
    Ok(reading.odd)
}

/// One file's lines, and how many of them nobody knew.
struct Reading {
    lines: Lines,
    written: Timestamp,
    odd: u64,
}

impl Reading {
    fn of(input: &Input, format: LogFormat) -> Self {
        Self { lines: Lines::new(&input.name(), format), written: input.written(), odd: 0 }
    }

    fn take(&mut self, line: Line, seen: Seen<'_>, each: &mut dyn FnMut(Event)) {
        let mut told = 0;
        let sense = match seen {
            Seen::Line(bytes) | Seen::Cut(bytes) => self.lines.read(line, bytes, self.written, &mut |event| {
                told += 1;
                each(event);
            }),
            Seen::Overlong => Sense::Odd,
        };
        // The last line of a log that was cut tells nothing where it lacks its end.
        let cut = matches!(seen, Seen::Cut(_)) && told == 0;
        self.odd += u64::from(sense == Sense::Odd || cut);
    }
}

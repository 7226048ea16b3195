//! The lines of one file as events, alike for collectors, `trace` and `census`.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::stamp::{Stamp, Zone};
use super::formats::{Formats, Heard};
use super::told::{Told, What};
use super::wrapper::{self, Entry, Parts, Peeled};
use crate::inventory::LogFormat;

/// What one line tells of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, where the log says it.
    pub at: Option<Timestamp>,
    /// The machine that wrote it, by its own name.
    pub host: Option<String>,
    /// The program that wrote it.
    pub program: Option<String>,
    /// Where it stands.
    pub place: Place,
    /// The message that it speaks of, in the MTA's own queue.
    pub queue_id: Option<String>,
    /// What it says.
    pub what: What,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name, as the user wrote it.
    pub file: Arc<str>,
    /// The line's number, from 1; the offset where lines could not be counted.
    pub line: Line,
}

/// Where in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// A line's number, from 1.
    Number(u64),
    /// An offset in bytes.
    Byte(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Line::Number(number) => write!(f, "{}:{number}", self.file),
            Line::Byte(offset) => write!(f, "{}:byte {offset}", self.file),
        }
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// It was understood, also where it tells of no message.
    Fine,
    /// Nobody knows what it is: it has no stamp, is cut, or is of no known format.
    Odd,
}

/// Reads the lines of one file, in their order.
#[derive(Debug)]
pub struct Lines {
    file: Arc<str>,
    format: LogFormat,
    zone: Zone,
    parts: Parts,
    formats: Formats,
    /// The stamp of the last line that had one.
    last: Option<Timestamp>,
}

impl Lines {
    /// The lines of `file`, in one format or in any.
    pub fn new(file: &str, format: LogFormat) -> Self {
        Self {
            file: file.into(),
            format,
            zone: Zone::default(),
            parts: Parts::default(),
            formats: Formats::default(),
            last: None,
        }
    }

    /// Learns the zone of stamps without one from a line that was just `written`.
    pub(super) fn learn_zone(&mut self, line: &str, written: Timestamp) {
        if let Some(stamp) = wrapper::peel(line).and_then(|entry| entry.stamp) {
            self.zone.learn(&stamp, written);
        }
    }

    /// The stamp of the last line that had one.
    pub fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// Takes one line in, without its end, and gives what it tells to `each`. No stamp lies after
    /// `seen`: that decides the year where it is missing.
    pub fn read(&mut self, line: Line, bytes: &[u8], seen: Timestamp, each: &mut dyn FnMut(Event)) -> Sense {
        let text = String::from_utf8_lossy(bytes);
        let mut rest = text.strip_suffix('\r').unwrap_or(&text);
        let mut sense = Sense::Fine;
        while !rest.trim().is_empty() {
            let (frame, after) = wrapper::counted(rest);
            if self.frame(line, frame, seen, each) == Sense::Odd {
                sense = Sense::Odd;
            }
            rest = after;
        }
        sense
    }

    fn frame(&mut self, line: Line, frame: &str, seen: Timestamp, each: &mut dyn FnMut(Event)) -> Sense {
        let Peeled::Entry(entry) = self.parts.peel(frame) else { return Sense::Fine };
        let at = entry.stamp.as_ref().and_then(|stamp: &Stamp| self.zone.time(stamp, seen));
        self.last = at.or(self.last);
        match self.formats.read(self.format, &entry) {
            Heard::Told(told) => {
                told.into_iter().for_each(|told| each(self.event(line, at, &entry, told)));
                Sense::Fine
            }
            Heard::Part => Sense::Fine,
            Heard::Unknown => Sense::Odd,
        }
    }

    fn event(&self, line: Line, at: Option<Timestamp>, entry: &Entry<'_>, told: Told) -> Event {
        Event {
            at: told.at.or(at),
            host: told.host.or_else(|| entry.host.as_deref().map(str::to_owned)),
            program: entry.program.as_deref().map(str::to_owned),
            place: Place { file: self.file.clone(), line },
            queue_id: told.queue_id,
            what: told.what,
        }
    }
}

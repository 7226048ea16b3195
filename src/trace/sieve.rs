//! Finds the lines of a large log that can be of the wanted messages, so that only those are read.
//!
//! ```text
//!   first look    lines that hold a needle (a tag, a Message-ID)  ──> their queue-ids
//!   second look   lines that begin with one of these queue-ids    ──> read as usual
//! ```
//!
//! Both looks go over the file in blocks, in as many parts as there are cores, and keep nothing but
//! the lines that they found: memory is bounded by what belongs to the wanted messages. It is used
//! for logs of syslog's form whose lines begin with the queue-id; what it leaves out, tells nothing
//! of the wanted messages. Further looks follow where a message is known by a queue-id, or by a tag
//! that is not in its Message-ID.

mod needles;

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use jiff::Timestamp;
use memchr::{memchr, memchr_iter, memmem};

use super::input::{MAX_LINE, Seen};
use super::select::{Selector, bears};
use crate::collect::log::{Event, Line, Lines, Sense, What};
use crate::inventory::LogFormat;
use needles::{Ids, Needles};

/// How much is looked at at a time, in bytes; it stays in the core's own cache.
const BLOCK: usize = 1 << 20;
/// Smaller files are read as a whole.
const WORTH: u64 = 4 << 20;
/// How often ids that are new are looked for.
const MAX_LOOKS: usize = 4;
/// The most parts of a file.
const MAX_PARTS: u64 = 8;
/// Where the queue-id begins at the earliest: behind stamp, host and program.
const HEAD: usize = 18;
/// The longest queue-id.
const MAX_ID: usize = 32;

/// A line that was found: its number from 0 within its part, and its bytes.
type Found = (u64, Vec<u8>);

/// What a log holds of the wanted messages.
#[derive(Debug)]
pub(super) struct Sieved {
    /// Their lines, by their numbers from 1.
    lines: Vec<Found>,
    /// The lines among the others that nobody knows.
    odd: u64,
    /// Whether the last line has an end.
    last: Last,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Whole,
    /// The number of the line without an end.
    Cut(u64),
}

/// Sieves a log; `None` where that is not worth it, or where its lines have another form.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn sieve(path: &Path, start: &[u8], selectors: &[Selector]) -> io::Result<Option<Sieved>> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    if selectors.is_empty() || size < WORTH || !file.metadata()?.is_file() || form(start) == Form::Other {
        return Ok(None);
    }
    let mut wanted = Wanted::of(selectors);
    for look in 1.. {
        let needles = Needles::of(&wanted.texts)?;
        let hits = in_parts(size, &|from, to| hits(&file, from, to, &needles))?;
        let hits: Vec<u64> = hits.into_iter().flatten().collect();
        wanted.learn_ids(&file, &hits)?;
        let ids = Ids::of(&wanted.ids);
        let parts = in_parts(size, &|from, to| lines(&file, from, to, &ids, &hits))?;
        let sieved = joined(parts);
        if look == MAX_LOOKS || !wanted.grows_by(&sieved, selectors) {
            return Ok(Some(sieved));
        }
    }
    Ok(None)
}

impl Sieved {
    /// Gives the lines to `each`; how many others nobody knew.
    pub(super) fn lines(self, each: &mut dyn FnMut(Line, Seen<'_>)) -> u64 {
        for (number, bytes) in &self.lines {
            let seen = if self.last == Last::Cut(*number) { Seen::Cut(bytes) } else { Seen::Line(bytes) };
            each(Line::Number(*number), seen);
        }
        self.odd
    }
}

/// How a log's lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Stamp, host, program, and then the queue-id.
    Syslog,
    Other,
}

fn form(start: &[u8]) -> Form {
    let end = start.iter().rposition(|byte| *byte == b'\n').unwrap_or_default();
    let mut lines = start[..end].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).take(200);
    let mut postfix = 0;
    let plain = lines.all(|line| {
        postfix += usize::from(memmem::find(line, b" postfix/").is_some());
        looks(line) == Form::Syslog
    });
    if plain && postfix > 0 { Form::Syslog } else { Form::Other }
}

/// Whether a line begins with a stamp of syslog.
fn looks(line: &[u8]) -> Form {
    let digits = |range: std::ops::Range<usize>| {
        line.get(range).is_some_and(|it| it.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '))
    };
    let iso = || digits(0..4) && line.get(4) == Some(&b'-') && line.get(10) == Some(&b'T') && digits(11..13);
    let classic = || line.get(3) == Some(&b' ') && digits(4..6) && line.get(9) == Some(&b':') && digits(7..9);
    if iso() || classic() { Form::Syslog } else { Form::Other }
}

/// What is looked for.
struct Wanted {
    texts: HashSet<String>,
    ids: HashSet<String>,
}

impl Wanted {
    fn of(selectors: &[Selector]) -> Self {
        Self { texts: selectors.iter().map(|it| it.needle().to_owned()).collect(), ids: HashSet::new() }
    }

    /// The queue-ids of the lines at these offsets.
    fn learn_ids(&mut self, file: &File, hits: &[u64]) -> io::Result<()> {
        let mut lines = Lines::new("", LogFormat::Auto);
        let mut last = None;
        for hit in hits {
            let (start, line) = line_around(file, *hit)?;
            if last.replace(start) == Some(start) {
                continue;
            }
            lines.read(Line::Byte(start), &line, Timestamp::UNIX_EPOCH, &mut |event| self.learn_id(event));
        }
        Ok(())
    }

    fn learn_id(&mut self, event: Event) {
        if let What::Tried(delivery) = event.what {
            self.ids.extend(delivery.next_queue_id);
        }
        self.ids.extend(event.queue_id);
    }

    /// Takes in what the lines tell of further ids; whether another look is needed for them.
    fn grows_by(&mut self, sieved: &Sieved, selectors: &[Selector]) -> bool {
        let tagged = |id: &str| selectors.iter().any(|it| matches!(it, Selector::Tag(tag) if bears(id, tag)));
        let mut lines = Lines::new("", LogFormat::Auto);
        let mut grows = false;
        for (number, bytes) in &sieved.lines {
            lines.read(Line::Number(*number), bytes, Timestamp::UNIX_EPOCH, &mut |event| {
                if let What::Names(id) = &event.what {
                    let bare = id.trim_matches(['<', '>']);
                    // Every line with a Message-ID that holds a wanted tag was found by the tag.
                    if bare.len() > 4 && !tagged(bare) {
                        grows |= self.texts.insert(bare.to_owned());
                    }
                }
                self.learn_id(event);
            });
        }
        grows
    }
}

/// The queue-id of a line: what stands behind `program[pid]: `.
fn id(line: &[u8]) -> Option<&[u8]> {
    let mut at = HEAD;
    loop {
        at += memchr(b']', line.get(at..)?)? + 1;
        if line.get(at..at + 2)? == b": " {
            break;
        }
    }
    let text = &line[at + 2..];
    let text = &text[..text.len().min(MAX_ID + 1)];
    let end = text.iter().position(|byte| matches!(byte, b':' | b' '))?;
    Some(&text[..end])
}

/// Does the same for each part of a file, all at a time; what they say, in order.
fn in_parts<T: Send>(size: u64, work: &(dyn Fn(u64, u64) -> io::Result<T> + Sync)) -> io::Result<Vec<T>> {
    let cores = std::thread::available_parallelism().map_or(1, |it| it.get() as u64);
    let parts = cores.min(MAX_PARTS).min(size / BLOCK as u64).max(1);
    let edge = |part: u64| size / parts * part;
    std::thread::scope(|scope| {
        let begun: Vec<_> = (0..parts)
            .map(|part| {
                let to = if part + 1 == parts { size } else { edge(part + 1) };
                scope.spawn(move || work(edge(part), to))
            })
            .collect();
        let broke = || io::Error::other("its reader broke down");
        begun.into_iter().map(|it| it.join().map_err(|_| broke())?).collect()
    })
}

/// Gives the whole lines that begin between `from` and `to` to `each`, block by block, with the
/// offset of the first. In the place of a line that is too long stands one that nobody knows.
fn blocks(file: &File, from: u64, to: u64, each: &mut dyn FnMut(u64, &[u8])) -> io::Result<()> {
    let mut at = if from == 0 { 0 } else { next_line(file, from - 1)? };
    let mut block = vec![0; BLOCK];
    while at < to {
        let read = read_at(file, &mut block, at)?;
        let text = &block[..read];
        let Some(end) = memchr::memrchr(b'\n', text).map(|it| it + 1).or((read < BLOCK).then_some(read)) else {
            at = next_line(file, at)?;
            each(at, b"?\n");
            continue;
        };
        if end == 0 {
            break;
        }
        // The last block may hold lines that begin behind the part.
        let limit = usize::try_from(to - at).unwrap_or(usize::MAX);
        let end = match limit < end {
            true => memchr(b'\n', &text[limit - 1..end]).map_or(end, |it| limit + it),
            false => end,
        };
        each(at, &text[..end]);
        at += end as u64;
    }
    Ok(())
}

/// Where the line behind an offset begins.
fn next_line(file: &File, from: u64) -> io::Result<u64> {
    let mut at = from;
    let mut block = vec![0; 64 * 1024];
    loop {
        let read = read_at(file, &mut block, at)?;
        match memchr(b'\n', &block[..read]) {
            Some(end) => return Ok(at + end as u64 + 1),
            None if read == 0 => return Ok(at),
            None => at += read as u64,
        }
    }
}

fn read_at(file: &File, block: &mut [u8], at: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < block.len() {
        match file.read_at(&mut block[length..], at + length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// The line that an offset is in, and where it begins.
fn line_around(file: &File, at: u64) -> io::Result<(u64, Vec<u8>)> {
    let before = at.saturating_sub(4096);
    let mut block = vec![0; 12 * 1024];
    let read = read_at(file, &mut block, before)?;
    let here = usize::try_from(at - before).unwrap_or_default().min(read);
    let start = memchr::memrchr(b'\n', &block[..here]).map_or(0, |it| it + 1);
    let end = memchr(b'\n', &block[here..read]).map_or(read, |it| here + it);
    Ok((before + start as u64, block[start..end].to_vec()))
}

/// Where needles are.
fn hits(file: &File, from: u64, to: u64, needles: &Needles) -> io::Result<Vec<u64>> {
    let mut all = vec![];
    blocks(file, from, to, &mut |at, text| needles.find(text, &mut |found| all.push(at + found as u64)))?;
    Ok(all)
}

/// What the second look saw in one part.
#[derive(Default)]
struct Part {
    lines: u64,
    found: Vec<Found>,
    odd: u64,
    /// Whether it ended without a line end.
    cut: bool,
}

fn lines(file: &File, from: u64, to: u64, ids: &Ids, hits: &[u64]) -> io::Result<Part> {
    let mut part = Part::default();
    let mut hits = hits.iter().copied().skip_while(|hit| *hit < from).peekable();
    blocks(file, from, to, &mut |at, text| {
        let mut start = 0;
        let whole = memchr_iter(b'\n', text).map(|end| (end, true));
        let rest = (!text.ends_with(b"\n")).then_some((text.len(), false));
        for (end, ended) in whole.chain(rest) {
            let line = &text[start..end];
            let last = at + end as u64;
            let mut hit = false;
            while hits.next_if(|it| *it < last).is_some() {
                hit = true;
            }
            part.take(line, hit || id(line).is_some_and(|it| ids.has(it)));
            part.cut = !ended;
            start = end + 1;
        }
    })?;
    Ok(part)
}

impl Part {
    fn take(&mut self, line: &[u8], wanted: bool) {
        if wanted && line.len() <= MAX_LINE {
            self.found.push((self.lines, line.to_vec()));
        } else if looks(line) == Form::Other {
            let mut lines = Lines::new("", LogFormat::Auto);
            let sense = lines.read(Line::Number(0), line, Timestamp::UNIX_EPOCH, &mut |_| {});
            self.odd += u64::from(sense == Sense::Odd);
        }
        self.lines += 1;
    }
}

fn joined(parts: Vec<Part>) -> Sieved {
    let mut sieved = Sieved { lines: vec![], odd: 0, last: Last::Whole };
    let mut before = 0;
    for part in parts {
        sieved.lines.extend(part.found.into_iter().map(|(number, bytes)| (before + number + 1, bytes)));
        sieved.odd += part.odd;
        before += part.lines;
        if part.cut {
            sieved.last = Last::Cut(before);
        }
    }
    sieved
}

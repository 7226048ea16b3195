//! Log files as lines: plain, gzip, zstd, or UTF-16 as PowerShell exports it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use memchr::memchr;

use crate::collect::log::Line;

/// The longest line that is read, in bytes. A longer one is counted as odd and left out.
pub const MAX_LINE: usize = 1 << 20;
/// How much is read at a time, in bytes.
const BLOCK: usize = 256 * 1024;
/// The largest file in UTF-16 that is read, in bytes: it is converted as a whole.
const MAX_WIDE: u64 = 512 << 20;

/// A log that is open.
pub struct Input {
    path: PathBuf,
    written: Timestamp,
    packing: Packing,
    start: Vec<u8>,
    rest: Box<dyn Read>,
}

/// Whether a log's bytes are its lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// A file as it is.
    Plain,
    /// It has to be unpacked, or comes from standard input.
    Other,
}

/// What was seen in the place of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// A line without its end.
    Line(&'a [u8]),
    /// The last line, which has no end.
    Cut(&'a [u8]),
    /// One of more than [`MAX_LINE`] bytes.
    Overlong,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("path", &self.path).field("written", &self.written).finish_non_exhaustive()
    }
}

impl Input {
    /// Opens a file, or standard input for `-`, and reads its start.
    ///
    /// # Errors
    /// Where it cannot be read, or is compressed in a way that is not known here.
    pub fn open(path: &Path, now: Timestamp) -> io::Result<Self> {
        let (source, written): (Box<dyn Read>, Timestamp) = if path.as_os_str() == "-" {
            (Box::new(io::stdin()), now)
        } else {
            let file = File::open(path)?;
            let found = file.metadata()?;
            if found.is_dir() {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder; name the files in it"));
            }
            let written = found.modified().ok().and_then(|it| Timestamp::try_from(it).ok()).unwrap_or(now);
            (Box::new(file), written)
        };
        let (mut rest, packed) = unpacked(source)?;
        let packing = if path.as_os_str() == "-" { Packing::Other } else { packed };
        let start = filled(&mut rest, BLOCK)?;
        Ok(Self { path: path.to_owned(), written, packing, start, rest })
    }

    /// The path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name in evidence.
    pub fn name(&self) -> String {
        match self.path.to_str() {
            Some("-") => "stdin".to_owned(),
            _ => self.path.display().to_string(),
        }
    }

    /// When it was last written.
    pub fn written(&self) -> Timestamp {
        self.written
    }

    /// Whether its bytes are its lines.
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// Its first bytes.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// Gives all of its lines to `each`.
    ///
    /// # Errors
    /// Where it cannot be read to its end.
    pub fn lines(mut self, each: &mut dyn FnMut(Line, Seen<'_>)) -> io::Result<()> {
        let mut cutter = Cutter::default();
        let mut block = std::mem::take(&mut self.start);
        while !block.is_empty() {
            cutter.take(&block, each);
            block.resize(BLOCK, 0);
            let read = read_some(&mut self.rest, &mut block)?;
            block.truncate(read);
        }
        cutter.end(each);
        Ok(())
    }
}

/// Cuts blocks into lines.
#[derive(Debug, Default)]
struct Cutter {
    number: u64,
    partial: Vec<u8>,
    skipping: Skipping,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skipping {
    #[default]
    No,
    ToLineEnd,
}

impl Cutter {
    fn take(&mut self, block: &[u8], each: &mut dyn FnMut(Line, Seen<'_>)) {
        let mut rest = block;
        while let Some(end) = memchr(b'\n', rest) {
            self.line(&rest[..end], each);
            rest = &rest[end + 1..];
        }
        if self.skipping == Skipping::No {
            self.partial.extend_from_slice(rest);
            if self.partial.len() > MAX_LINE {
                self.partial = vec![];
                self.skipping = Skipping::ToLineEnd;
            }
        }
    }

    fn line(&mut self, end: &[u8], each: &mut dyn FnMut(Line, Seen<'_>)) {
        self.number += 1;
        let number = Line::Number(self.number);
        if std::mem::take(&mut self.skipping) == Skipping::ToLineEnd || self.partial.len() + end.len() > MAX_LINE {
            self.partial.clear();
            each(number, Seen::Overlong);
        } else if self.partial.is_empty() {
            each(number, Seen::Line(end));
        } else {
            self.partial.extend_from_slice(end);
            each(number, Seen::Line(&self.partial));
            self.partial.clear();
        }
    }

    fn end(self, each: &mut dyn FnMut(Line, Seen<'_>)) {
        let number = Line::Number(self.number + 1);
        match self.skipping {
            Skipping::ToLineEnd => each(number, Seen::Overlong),
            Skipping::No if self.partial.is_empty() => {}
            Skipping::No => each(number, Seen::Cut(&self.partial)),
        }
    }
}

/// Told by the first bytes, not by the name.
fn unpacked(mut source: Box<dyn Read>) -> io::Result<(Box<dyn Read>, Packing)> {
    let start = filled(&mut source, 6)?;
    let whole: Box<dyn Read> = Box::new(io::Cursor::new(start.clone()).chain(source));
    let refused = |what: &str, with: &str| {
        let why = format!("it is compressed with {what}; unpack it first: {with} FILE | mxdrill trace -");
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    };
    let plain: Box<dyn Read> = match start.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::new(whole)?),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => return refused("xz", "xz -dc"),
        [b'B', b'Z', b'h', ..] => return refused("bzip2", "bzip2 -dc"),
        [0xff, 0xfe, _, 0, _, 0] => wide(whole, u16::from_le_bytes)?,
        [0xfe, 0xff, 0, _, 0, _] => wide(whole, u16::from_be_bytes)?,
        _ => return Ok((whole, Packing::Plain)),
    };
    Ok((plain, Packing::Other))
}

/// The text of a file in UTF-16, without its byte order mark.
fn wide(source: Box<dyn Read>, unit: fn([u8; 2]) -> u16) -> io::Result<Box<dyn Read>> {
    let mut bytes = vec![];
    source.take(MAX_WIDE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_WIDE {
        return Err(io::Error::other(format!(
            "it is in UTF-16 and larger than {} MiB; convert it first",
            MAX_WIDE >> 20
        )));
    }
    let units = bytes.chunks_exact(2).skip(1).map(|pair| unit([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Ok(Box::new(io::Cursor::new(text.into_bytes())))
}

/// The first bytes, fewer only where there are no more.
fn filled(source: &mut dyn Read, wanted: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; wanted];
    let mut length = 0;
    while length < wanted {
        match read_some(source, &mut bytes[length..])? {
            0 => break,
            read => length += read,
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}

fn read_some(source: &mut dyn Read, block: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// The lines of a file with these bytes.
    fn lines(bytes: &[u8]) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        std::fs::write(&path, bytes).expect("written");
        let mut all = vec![];
        let input = Input::open(&path, Timestamp::UNIX_EPOCH).expect("opened");
        let read = input.lines(&mut |line, seen| {
            let Line::Number(number) = line else { panic!("{line:?}") };
            all.push(match seen {
                Seen::Line(bytes) => format!("{number} {}", String::from_utf8_lossy(bytes)),
                Seen::Cut(bytes) => format!("{number} cut {}", String::from_utf8_lossy(bytes)),
                Seen::Overlong => format!("{number} overlong"),
            });
        });
        read.expect("read");
        all
    }

    #[test]
    fn files_are_unpacked_by_what_is_in_them() {
        let plain = b"one\ntwo\n";
        let mut gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        gzip.write_all(plain).expect("packed");
        let wide: Vec<u8> = "\u{feff}one\ntwo\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for packed in
            [plain.to_vec(), gzip.finish().expect("packed"), zstd::encode_all(&plain[..], 1).expect("packed"), wide]
        {
            assert_eq!(lines(&packed), ["1 one", "2 two"]);
        }
        assert_eq!(lines(b""), Vec::<String>::new());
    }

    #[test]
    fn a_line_without_an_end_is_seen() {
        assert_eq!(lines(b"one\ntw"), ["1 one", "2 cut tw"]);
    }

    #[test]
    fn a_line_of_ten_megabytes_costs_only_itself() {
        let long = [b"one\n".as_slice(), &vec![b'x'; 10 << 20], b"\nthree\n", &vec![0; 10 << 20]].concat();
        assert_eq!(lines(&long), ["1 one", "2 overlong", "3 three", "4 overlong"]);
    }
}

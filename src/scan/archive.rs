//! Archives and compressed files, read in place and never unpacked to disk.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::rc::Rc;
use std::sync::atomic::AtomicU64;

use super::known;
use super::sieve::{Chance, OVERLAP, Sieve};
use super::tree::{MAX_PARSED, Packed};
use super::walk::{Walk, Walked, keep, read_full};

/// The most archives inside of each other.
const MAX_DEPTH: usize = 4;

/// The most entries of one archive.
const MAX_ENTRIES: usize = 2_000_000;

/// The most bytes of archived files that are kept in memory.
const MAX_KEPT: u64 = 512 << 20;

/// Compressed bytes may grow by this factor before it is called an explosion.
const MAX_GROWTH: u64 = 1000;

/// What compresses and what bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A tar.
    Tar,
    /// Anything, compressed.
    Gzip,
    /// Anything, compressed.
    Zstd,
}

impl Kind {
    /// What a file is, by its first bytes.
    pub(crate) fn of(name: &str, start: &[u8]) -> Option<Self> {
        let named = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        match start {
            [0x1F, 0x8B, 8, ..] if !named(&[".svgz"]) => Some(Kind::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Kind::Zstd),
            _ if start.get(257..262) == Some(b"ustar") => Some(Kind::Tar),
            _ if named(&[".tar"]) && start.len() >= 512 => Some(Kind::Tar),
            _ => None,
        }
    }
}

/// Reads the archive `name` on disk.
///
/// # Errors
/// Why it could not be read to its end.
pub(crate) fn read(walk: &Walk<'_>, name: &str, kind: Kind, walked: &mut Walked) -> Result<(), String> {
    let file = File::open(name).map_err(|error| error.to_string())?;
    let packed_size = file.metadata().map_or(0, |it| it.len());
    let most = match kind {
        Kind::Tar => walk.limits.unpacked,
        _ => walk.limits.unpacked.min((packed_size * MAX_GROWTH).max(MAX_PARSED)),
    };
    let inside = Inside { sieve: walk.sieve, kept: walk.kept, left: Rc::new(Cell::new(most)) };
    inside.open(name, kind, Box::new(BufReader::new(file)), 0, walked).map_err(|error| why(&error, most))
}

fn why(error: &io::Error, most: u64) -> String {
    match error.kind() {
        io::ErrorKind::FileTooLarge => {
            format!("more than {} MiB came out of it; the rest was not looked at", most >> 20)
        }
        io::ErrorKind::UnexpectedEof => "it ends in the middle".to_owned(),
        _ => format!("it cannot be read to its end: {error}"),
    }
}

/// What all archives inside of one share.
struct Inside<'a> {
    sieve: &'a Sieve,
    kept: &'a AtomicU64,
    /// Bytes that may still come out.
    left: Rc<Cell<u64>>,
}

impl Inside<'_> {
    fn open(
        &self,
        name: &str,
        kind: Kind,
        source: Box<dyn Read + '_>,
        depth: usize,
        walked: &mut Walked,
    ) -> io::Result<()> {
        if depth > MAX_DEPTH {
            walked.unable(name, &format!("it lies in {MAX_DEPTH} archives; deeper ones are not opened"));
            return Ok(());
        }
        match kind {
            Kind::Tar => self.tar(name, source, depth, walked),
            Kind::Gzip => {
                let bytes = Metered { source: flate2::read::MultiGzDecoder::new(source), left: self.left.clone() };
                self.member(&unpacked_name(name), 0, Box::new(bytes), depth + 1, walked)
            }
            Kind::Zstd => {
                let bytes = Metered { source: zstd::Decoder::new(source)?, left: self.left.clone() };
                self.member(&unpacked_name(name), 0, Box::new(bytes), depth + 1, walked)
            }
        }
    }

    fn tar(&self, name: &str, source: Box<dyn Read + '_>, depth: usize, walked: &mut Walked) -> io::Result<()> {
        let mut archive = tar::Archive::new(Metered { source, left: self.left.clone() });
        for (count, entry) in archive.entries()?.enumerate() {
            if count >= MAX_ENTRIES {
                walked.unable(name, &format!("only its first {MAX_ENTRIES} files were looked at"));
                return Ok(());
            }
            let entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path_bytes();
            let path = String::from_utf8_lossy(&path);
            let inner = format!("{name}:/{}", path.trim_start_matches("./").trim_start_matches('/'));
            let modified = entry.header().mtime().map_or(0, |it| it as i64);
            self.member(&inner, modified, Box::new(entry), depth + 1, walked)?;
        }
        Ok(())
    }

    /// One file that came out: looked at as it flows by, and kept where it may hold something.
    fn member(
        &self,
        name: &str,
        modified: i64,
        mut source: Box<dyn Read + '_>,
        depth: usize,
        walked: &mut Walked,
    ) -> io::Result<()> {
        let mut start = vec![0; 512];
        let filled = read_full(&mut source, &mut start)?;
        start.truncate(filled);
        if let Some(kind) = Kind::of(name, &start) {
            return self.open(name, kind, Box::new(io::Cursor::new(start).chain(source)), depth, walked);
        }
        walked.files += 1;
        let mut bytes = start;
        source.by_ref().take(MAX_PARSED - bytes.len() as u64 + 1).read_to_end(&mut bytes)?;
        walked.bytes += bytes.len() as u64;
        let large = bytes.len() as u64 > MAX_PARSED;
        let mut chance = known::decides(name);
        if chance == Chance::Excluded {
            chance = self.sieve.may_hold(&bytes);
        }
        if large && chance == Chance::Excluded {
            chance = self.rest(&mut source, &bytes, walked)?;
        }
        let mut packed = Packed { bytes: None, modified };
        if chance == Chance::Possible {
            match (large, keep(self.kept, bytes.len() as u64, MAX_KEPT)) {
                (true, _) => {
                    walked.unable(name, "it may name the platform, and is too large to be parsed in an archive")
                }
                (false, Chance::Excluded) => walked.unable(name, "too much of the archives names the platform"),
                (false, Chance::Possible) => {
                    packed.bytes = Some(bytes.into());
                    walked.candidates.push(name.to_owned());
                }
            }
        }
        walked.packed.insert(name.to_owned(), packed);
        Ok(())
    }

    fn rest(&self, source: &mut impl Read, start: &[u8], walked: &mut Walked) -> io::Result<Chance> {
        let mut buffer = vec![0; 1 << 20];
        buffer[..OVERLAP].copy_from_slice(&start[start.len() - OVERLAP..]);
        loop {
            let more = read_full(source, &mut buffer[OVERLAP..])?;
            walked.bytes += more as u64;
            if self.sieve.may_hold(&buffer[..OVERLAP + more]) == Chance::Possible {
                return Ok(Chance::Possible);
            }
            if OVERLAP + more < buffer.len() {
                return Ok(Chance::Excluded);
            }
            buffer.copy_within(more.., 0);
        }
    }
}

/// `dump.sql.gz` holds `dump.sql.gz:/dump.sql`; a tar's own name is enough.
fn unpacked_name(name: &str) -> String {
    let base = super::tree::base(name);
    let inner = base.strip_suffix(".gz").or_else(|| base.strip_suffix(".zst")).unwrap_or("");
    match inner.is_empty() || inner.ends_with(".tar") {
        true => name.to_owned(),
        false => format!("{name}:/{inner}"),
    }
}

/// A source that ends in an error once too much came out.
struct Metered<R> {
    source: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64);
        let left = left.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.left.set(left);
        Ok(count)
    }
}

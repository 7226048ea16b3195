//! From the text of a master file (RFC 1035 5.1) to its entries, each with its line.
//!
//! What a record says is read by the DNS library; it knows no lines, and a finding without its line
//! helps nobody. So the file is split here, and each entry is handed on by itself.

use crate::source::{Diagnostic, Span};

/// The longest text of an entry that is shown.
const MOST_SHOWN: usize = 200;

/// One entry.
#[derive(Debug)]
pub(super) enum Entry {
    /// A record.
    Record(Written),
    /// A directive that is not followed.
    Unread {
        /// Its line.
        line: u32,
        /// `$INCLUDE` or `$GENERATE`.
        directive: String,
    },
}

/// A record as it is written.
#[derive(Debug)]
pub(super) struct Written {
    /// From 1.
    pub(super) line: u32,
    /// The entry in the file.
    pub(super) span: Span,
    /// The entry in one line, without its comments.
    pub(super) shown: String,
    /// The owner, whole, in lower case without a final dot.
    pub(super) owner: String,
    /// Its kind, in upper case.
    pub(super) kind: String,
    origin: String,
    ttl: u32,
    data: String,
}

impl Written {
    /// A zone that holds nothing else.
    pub(super) fn alone(&self) -> String {
        let Written { origin, owner, ttl, kind, data, .. } = self;
        format!("$ORIGIN {origin}.\n{owner}. {ttl} IN {kind} {data}\n")
    }
}

/// A word of an entry.
#[derive(Clone, Copy, Debug)]
struct Word<'a> {
    text: &'a str,
}

/// The words of one entry: from one line end outside of parentheses to the next.
#[derive(Debug)]
struct Words<'a> {
    words: Vec<Word<'a>>,
    line: u32,
    start: usize,
    end: usize,
    /// Whether a blank stands first, so that the owner is the last one's.
    inherits: Inherits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inherits {
    Yes,
    No,
}

/// The origin that stands before the first record.
pub(super) fn first_origin(text: &str) -> Option<String> {
    let first = split(text).find(|it| !it.words.is_empty() && !it.words[0].text.eq_ignore_ascii_case("$TTL"))?;
    let [directive, name, ..] = first.words.as_slice() else { return None };
    let name = name.text.strip_suffix('.').unwrap_or(name.text);
    (directive.text.eq_ignore_ascii_case("$ORIGIN") && !name.is_empty()).then(|| name.to_ascii_lowercase())
}

/// Every entry of a file.
pub(super) fn entries(text: &str, origin: &str) -> Vec<Result<Entry, Diagnostic>> {
    let mut reader = Reader { origin: origin.to_owned(), owner: None, ttl: None };
    split(text).filter(|it| !it.words.is_empty()).filter_map(|words| reader.entry(&words).transpose()).collect()
}

struct Reader {
    origin: String,
    owner: Option<String>,
    /// `$TTL`, else the last TTL that a record gave (RFC 1035 5.1).
    ttl: Option<u32>,
}

impl Reader {
    fn entry(&mut self, words: &Words<'_>) -> Result<Option<Entry>, Diagnostic> {
        let first = words.words[0];
        if !first.text.starts_with('$') {
            return self.record(words).map(|record| record.map(Entry::Record));
        }
        let argument = words.words.get(1).map(|word| word.text);
        match (first.text.to_ascii_uppercase().as_str(), argument) {
            ("$ORIGIN", Some(name)) => self.origin = self.absolute(name),
            ("$TTL", Some(time)) if seconds(time).is_some() => self.ttl = seconds(time),
            ("$INCLUDE" | "$GENERATE", Some(name)) => {
                let directive = format!("{} {name}", first.text);
                return Ok(Some(Entry::Unread { line: words.line, directive }));
            }
            _ => {
                let span = Span::new(words.start..words.end);
                let error = Diagnostic::error(span, format!("`{}` is not a directive of a zone file", first.text));
                return Err(error.note("directives are `$ORIGIN NAME`, `$TTL TIME` and `$INCLUDE FILE`"));
            }
        }
        Ok(None)
    }

    fn record(&mut self, words: &Words<'_>) -> Result<Option<Written>, Diagnostic> {
        let mut rest = words.words.as_slice();
        if words.inherits == Inherits::No {
            self.owner = Some(self.absolute(rest[0].text));
            rest = &rest[1..];
        }
        let span = Span::new(words.start..words.end);
        let (mut ttl, mut class) = (None, "IN");
        while let Some(word) = rest.first() {
            match seconds(word.text) {
                Some(time) if ttl.is_none() => ttl = Some(time),
                _ if ["IN", "CH", "HS"].iter().any(|it| it.eq_ignore_ascii_case(word.text)) => class = word.text,
                _ => break,
            }
            rest = &rest[1..];
        }
        let Some(kind) = rest.first() else {
            let error = Diagnostic::error(span, "this line has no record type");
            return Err(
                error.note("records are `NAME [TTL] [IN] TYPE DATA`, such as `@ 3600 IN MX 10 mx1.new.example.`")
            );
        };
        let Some(owner) = self.owner.clone() else {
            let error = Diagnostic::error(span, "this record has no owner");
            return Err(error.note("a line that begins with a blank speaks of the name above it, and there is none"));
        };
        self.ttl = self.ttl.or(ttl);
        if !class.eq_ignore_ascii_case("IN") {
            return Ok(None);
        }
        // Words again, and not the text: the library takes quotes within parentheses literally.
        let data: Vec<&str> = rest[1..].iter().map(|word| word.text).collect();
        Ok(Some(Written {
            line: words.line,
            span,
            shown: shown(words),
            owner,
            kind: kind.text.to_ascii_uppercase(),
            origin: self.origin.clone(),
            ttl: ttl.or(self.ttl).unwrap_or(super::DEFAULT_TTL),
            data: data.join(" "),
        }))
    }

    /// A name as it is meant: `@` is the origin, and a name without a final dot lies below it.
    fn absolute(&self, name: &str) -> String {
        let name = match name {
            "@" => self.origin.clone(),
            name => match name.strip_suffix('.') {
                Some(whole) => whole.to_owned(),
                None => format!("{name}.{}", self.origin),
            },
        };
        name.to_ascii_lowercase()
    }
}

/// The words in one line, joined by blanks.
fn shown(words: &Words<'_>) -> String {
    let texts: Vec<&str> = words.words.iter().map(|word| word.text).collect();
    let line = texts.join(" ");
    match line.char_indices().nth(MOST_SHOWN) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// A time to live: seconds, or as BIND writes it, such as `1h30m`.
fn seconds(text: &str) -> Option<u32> {
    if text.is_empty() || !text.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    let (mut total, mut number) = (0u32, None::<u32>);
    for letter in text.bytes() {
        if letter.is_ascii_digit() {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u32::from(letter - b'0'))?);
            continue;
        }
        let unit = match letter.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    total.checked_add(number.unwrap_or(0))
}

/// The entries of a text as words; an entry without any words is an empty line or a comment.
fn split(text: &str) -> impl Iterator<Item = Words<'_>> {
    let (mut at, mut line) = (0, 1u32);
    std::iter::from_fn(move || {
        if at >= text.len() {
            return None;
        }
        let (words, next, lines) = one(text, at, line);
        at = next;
        line = line.saturating_add(lines);
        Some(words)
    })
}

/// The entry that begins at `at`, where the next one begins, and how many lines it takes.
fn one(text: &str, at: usize, line: u32) -> (Words<'_>, usize, u32) {
    let bytes = text.as_bytes();
    let inherits = if matches!(bytes.get(at), Some(b' ' | b'\t')) { Inherits::Yes } else { Inherits::No };
    let mut words = Words { words: vec![], line, start: at, end: at, inherits };
    let (mut here, mut lines, mut depth) = (at, 0u32, 0usize);
    while here < bytes.len() {
        match bytes[here] {
            b'\n' => {
                lines += 1;
                here += 1;
                if depth == 0 {
                    break;
                }
                continue;
            }
            b';' => {
                here = memchr::memchr(b'\n', &bytes[here..]).map_or(bytes.len(), |end| here + end);
                continue;
            }
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b' ' | b'\t' | b'\r' => {}
            _ => {
                let end = word_end(bytes, here);
                lines = lines
                    .saturating_add(u32::try_from(memchr::memchr_iter(b'\n', &bytes[here..end]).count()).unwrap_or(0));
                if words.words.is_empty() {
                    (words.line, words.start) = (line.saturating_add(lines), here);
                }
                words.words.push(Word { text: &text[here..end] });
                (here, words.end) = (end, end);
                continue;
            }
        }
        here += 1;
        if bytes[here - 1] == b')' {
            words.end = here;
        }
    }
    (words, here, lines)
}

/// Where a word ends: a quoted string at its second quote, any other before a blank or bracket.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let quoted = bytes[start] == b'"';
    let mut here = if quoted { start + 1 } else { start };
    while here < bytes.len() {
        match bytes[here] {
            b'\\' => here += 1,
            b'"' if quoted => return here + 1,
            b'\n' if quoted => return here,
            b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b';' | b'"' if !quoted => return here,
            _ => {}
        }
        here += 1;
    }
    bytes.len()
}

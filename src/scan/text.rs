//! A file's bytes as text, whatever they were encoded in.

use std::ops::Range;

use crate::source::Place;

/// How much of a file is looked at to tell text from other bytes.
const SAMPLE: usize = 8 << 10;

/// A text that knows where its lines begin.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    text: String,
    lines: Vec<usize>,
}

/// What a file holds.
pub(crate) enum Content {
    /// Text.
    Text(Text),
    /// Anything else.
    Binary,
}

impl Content {
    /// Tells text from other bytes. UTF-16 is known by its mark, or by every second byte being zero.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xFF, 0xFE, rest @ ..] => return Self::wide(rest, u16::from_le_bytes),
            [0xFE, 0xFF, rest @ ..] => return Self::wide(rest, u16::from_be_bytes),
            _ => {}
        }
        let sample = &bytes[..bytes.len().min(SAMPLE)];
        let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        let half = sample.len() / 2;
        match (zeros(0), zeros(1)) {
            (0, 0) => Content::Text(Text::new(String::from_utf8_lossy(bytes).into_owned())),
            (even, odd) if odd * 10 > half * 8 && even * 10 < half => Self::wide(bytes, u16::from_le_bytes),
            (even, odd) if even * 10 > half * 8 && odd * 10 < half => Self::wide(bytes, u16::from_be_bytes),
            _ => Content::Binary,
        }
    }

    fn wide(bytes: &[u8], order: fn([u8; 2]) -> u16) -> Self {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| order([pair[0], pair[1]])).collect();
        Content::Text(Text::new(String::from_utf16_lossy(&units)))
    }
}

impl Text {
    pub(crate) fn new(text: String) -> Self {
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let starts = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let lines = std::iter::once(0).chain(starts).collect();
        Self { text, lines }
    }

    /// The whole text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Line and column, both from 1; the column counts characters.
    pub(crate) fn place(&self, at: usize) -> Place {
        let at = self.text.floor_char_boundary(at);
        let line = self.lines.partition_point(|start| *start <= at);
        Place { line, column: self.text[self.lines[line - 1]..at].chars().count() + 1 }
    }

    /// The line that a byte is in, without its end.
    pub(crate) fn line_around(&self, at: usize) -> Range<usize> {
        let line = self.lines.partition_point(|start| *start <= at.min(self.text.len()));
        let start = self.lines[line - 1];
        let end = self.lines.get(line).map_or(self.text.len(), |next| next - 1);
        start..end
    }

    /// Every line with its place, without its end.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        (0..self.lines.len()).map(|line| {
            let start = self.lines[line];
            let end = self.lines.get(line + 1).map_or(self.text.len(), |next| next - 1);
            let end = if self.text[start..end].ends_with('\r') { end - 1 } else { end };
            start..end
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_text_with_places() {
        let text = "a = 1\r\nSmtpServer = mx.old.example\r\n";
        let marked: Vec<u8> = [0xFEFF_u16].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let bare: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [marked, bare] {
            let Content::Text(read) = Content::of(&bytes) else { panic!("text") };
            let at = read.as_str().find("mx").expect("there");
            assert_eq!(read.place(at), Place { line: 2, column: 14 });
            assert_eq!(&read.as_str()[read.line_around(at)], "SmtpServer = mx.old.example\r");
        }
    }

    #[test]
    fn other_bytes_are_no_text() {
        assert!(matches!(Content::of(b"\x7fELF\0\0\x01\x02\0\0\0abc\0def"), Content::Binary));
        assert!(matches!(Content::of(b"Gr\xfc\xdfe"), Content::Text(_)));
    }
}

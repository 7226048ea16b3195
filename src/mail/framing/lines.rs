//! Command lines.

use memchr::memchr;

/// The longest command line that is taken, in bytes with its CRLF. RFC 5321 4.5.3.1.4 asks for
/// 512; AUTH (RFC 4954) for 12288.
pub const MAX_COMMAND: usize = 12_288;

/// What stands at the start of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// No CRLF yet.
    Incomplete,
    /// A line without its CRLF, and how many bytes it took with it.
    Complete {
        /// The line.
        text: &'a [u8],
        /// Its length with CRLF.
        taken: usize,
    },
    /// More than [`MAX_COMMAND`] bytes without CRLF.
    TooLong,
}

/// Finds command lines in a buffer.
#[derive(Clone, Copy, Debug, Default)]
pub struct LineScanner;

impl LineScanner {
    /// The line at the start of `buffer`. A bare LF or CR is part of the line.
    pub fn next(buffer: &[u8]) -> Line<'_> {
        let mut from = 0;
        while let Some(at) = memchr(b'\n', &buffer[from..]) {
            let newline = from + at;
            if newline >= MAX_COMMAND {
                return Line::TooLong;
            }
            if newline > 0 && buffer[newline - 1] == b'\r' {
                return Line::Complete { text: &buffer[..newline - 1], taken: newline + 1 };
            }
            from = newline + 1;
        }
        if buffer.len() >= MAX_COMMAND { Line::TooLong } else { Line::Incomplete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crlf_ends_a_line() {
        assert_eq!(LineScanner::next(b"NOOP\r\nQUIT"), Line::Complete { text: b"NOOP", taken: 6 });
        assert_eq!(LineScanner::next(b"NO\nOP\rX\r\n"), Line::Complete { text: b"NO\nOP\rX", taken: 9 });
        assert_eq!(LineScanner::next(b"\r\n"), Line::Complete { text: b"", taken: 2 });
        assert_eq!(LineScanner::next(b"NOOP\n"), Line::Incomplete);
        assert_eq!(LineScanner::next(&[b'x'; MAX_COMMAND]), Line::TooLong);
    }
}

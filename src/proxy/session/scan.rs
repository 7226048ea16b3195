//! Where a reply of the upstream ends.

use memchr::memchr;

/// A reply that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// How many of the scanned bytes belonged to it.
    pub(super) taken: usize,
    /// Its code.
    pub(super) code: u16,
}

/// Finds the ends of replies in bytes that arrive in pieces (RFC 5321 4.2). Lines without a code
/// belong to the reply around them; a bare LF ends a line here, since clients read it so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReplyScanner {
    /// The first bytes of the line.
    start: [u8; 4],
    /// How many bytes of the line were seen, at most five.
    seen: u8,
}

impl ReplyScanner {
    /// Scans the next piece up to the end of the reply; none: the whole piece belongs to it.
    pub(super) fn scan(&mut self, piece: &[u8]) -> Option<Ended> {
        let mut at = 0;
        while at < piece.len() {
            let newline = memchr(b'\n', &piece[at..]).map(|found| at + found);
            let line = &piece[at..newline.unwrap_or(piece.len())];
            self.take(line);
            at = newline? + 1;
            if let Some(code) = self.end_of_line() {
                return Some(Ended { taken: at, code });
            }
        }
        None
    }

    fn take(&mut self, part: &[u8]) {
        for byte in part.iter().take(5 - usize::from(self.seen)) {
            if let Some(slot) = self.start.get_mut(usize::from(self.seen)) {
                *slot = *byte;
            }
            self.seen += 1;
        }
    }

    fn end_of_line(&mut self) -> Option<u16> {
        let seen = std::mem::take(&mut self.seen);
        let [a, b, c, mark] = self.start;
        let digits = [a, b, c];
        let more = seen > 3 && mark == b'-';
        if seen < 3 || !digits.iter().all(u8::is_ascii_digit) || more {
            return None;
        }
        Some(digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_ends_with_its_last_line() {
        let wire = b"250-a\r\n250-b\r\n250 c\r\n354 go\r\n";
        let mut scanner = ReplyScanner::default();
        assert_eq!(scanner.scan(wire), Some(Ended { taken: 21, code: 250 }));
        assert_eq!(scanner.scan(&wire[21..]), Some(Ended { taken: 8, code: 354 }));
    }

    #[test]
    fn pieces_do_not_matter() {
        let wire = b"250-a\r\n250 c\r\n";
        for cut in 0..wire.len() {
            let mut scanner = ReplyScanner::default();
            assert_eq!(scanner.scan(&wire[..cut]), None, "{cut}");
            assert_eq!(scanner.scan(&wire[cut..]), Some(Ended { taken: wire.len() - cut, code: 250 }), "{cut}");
        }
    }

    #[test]
    fn lines_without_a_code_end_nothing() {
        assert_eq!(ReplyScanner::default().scan(b"hello\r\n\r\n25\r\n"), None);
        assert_eq!(ReplyScanner::default().scan(b"hello\r\n250\r\n").map(|it| it.code), Some(250));
        assert_eq!(ReplyScanner::default().scan(b"220 a\n").map(|it| it.code), Some(220));
    }
}

//! The end of a message body behind DATA.

use memchr::memchr2;

use super::Bare;

/// Looks for `<CRLF>.<CRLF>` in a body that arrives in pieces.
///
/// A body of only `.<CRLF>` is the empty message: the CRLF of the DATA command counts as the line
/// end before it.
#[derive(Clone, Copy, Debug)]
pub struct BodyScanner {
    state: State,
    bytes: u64,
    bare: Bare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    LineStart,
    Dot,
    DotCr,
    Text,
    Cr,
}

impl Default for BodyScanner {
    fn default() -> Self {
        Self { state: State::LineStart, bytes: 0, bare: Bare::default() }
    }
}

impl BodyScanner {
    /// How many bytes were scanned, the final dot included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many CR without LF and LF without CR there were.
    pub fn bare(&self) -> Bare {
        self.bare
    }

    /// Scans the next piece. `Some(n)`: the body ended with its `n`th byte; what follows belongs
    /// to the next command.
    pub fn scan(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < piece.len() {
            if self.state == State::Text {
                match memchr2(b'\r', b'\n', &piece[at..]) {
                    None => break,
                    Some(skip) => at += skip,
                }
            }
            let byte = piece[at];
            at += 1;
            if self.step(byte) {
                self.bytes += at as u64;
                self.state = State::LineStart;
                return Some(at);
            }
        }
        self.bytes += piece.len() as u64;
        None
    }

    fn step(&mut self, byte: u8) -> bool {
        self.state = match (self.state, byte) {
            (State::DotCr, b'\n') => return true,
            (State::Cr, b'\n') => State::LineStart,
            (State::LineStart, b'.') => State::Dot,
            (State::Dot, b'\r') => State::DotCr,
            (State::Cr | State::DotCr, b'\r') => {
                self.bare.cr += 1;
                State::Cr
            }
            (_, b'\r') => State::Cr,
            (before, b'\n') => {
                debug_assert!(!matches!(before, State::Cr | State::DotCr));
                self.bare.lf += 1;
                State::Text
            }
            (State::Cr | State::DotCr, _) => {
                self.bare.cr += 1;
                State::Text
            }
            _ => State::Text,
        };
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn end_of(body: &[u8]) -> Option<usize> {
        BodyScanner::default().scan(body)
    }

    #[test]
    fn only_crlf_dot_crlf_ends_a_body() {
        assert_eq!(end_of(b".\r\n"), Some(3));
        assert_eq!(end_of(b"a\r\n.\r\nQUIT\r\n"), Some(6));
        for open in
            ["a\n.\n", "a\n.\r\n", "a\r.\r", "a\r\n.\n", "a\r\n.\r\r\n", "a\r\n..\r\n", "a\r\r\n.x\r\n", "\r.\r\n"]
        {
            assert_eq!(end_of(open.as_bytes()), None, "{open:?}");
        }
    }

    #[test]
    fn bare_line_ends_are_counted() {
        let mut scanner = BodyScanner::default();
        assert_eq!(scanner.scan(b"a\nb\rc\r\n.\r\r\n.\r\n"), Some(14));
        assert_eq!(scanner.bare(), Bare { cr: 2, lf: 1 });
    }

    /// The definition, written down without any state.
    fn naive(body: &[u8]) -> Option<usize> {
        if body.starts_with(b".\r\n") {
            return Some(3);
        }
        body.windows(5).position(|five| five == b"\r\n.\r\n").map(|at| at + 5)
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(body in "[a.\r\n]{0,24}", cut in 0usize..24) {
            let body = body.as_bytes();
            let cut = cut.min(body.len());
            let mut scanner = BodyScanner::default();
            let found = scanner.scan(&body[..cut]).or_else(|| scanner.scan(&body[cut..]).map(|at| at + cut));
            prop_assert_eq!(found, naive(body));
        }
    }
}

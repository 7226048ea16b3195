//! CR and LF that stand alone.

use std::ops::AddAssign;

/// How many CR without LF and LF without CR there were. Software that takes one of them for a line
/// end reads another message than software that does not: SMTP smuggling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bare {
    /// CR without LF.
    pub cr: u64,
    /// LF without CR.
    pub lf: u64,
}

impl Bare {
    /// Those in a line without its CRLF.
    pub fn in_line(line: &[u8]) -> Self {
        let count = |wanted: u8| line.iter().filter(|byte| **byte == wanted).count() as u64;
        Self { cr: count(b'\r'), lf: count(b'\n') }
    }

    /// Those in the start of a line whose CRLF was not seen yet: a CR at its end may be a part of it.
    pub fn in_unfinished(start: &[u8]) -> Self {
        Self::in_line(start.strip_suffix(b"\r").unwrap_or(start))
    }

    /// How many there were in all.
    pub fn total(self) -> u64 {
        self.cr + self.lf
    }
}

impl AddAssign for Bare {
    fn add_assign(&mut self, more: Self) {
        self.cr += more.cr;
        self.lf += more.lf;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cr_of_a_line_end_to_come_is_not_alone() {
        assert_eq!(Bare::in_unfinished(b"NOOP\r").total(), 0);
        assert_eq!(Bare::in_unfinished(b"NO\nOP\r\r"), Bare { cr: 1, lf: 1 });
        assert_eq!(Bare::in_line(b"NOOP\r"), Bare { cr: 1, lf: 0 });
    }
}

//! Replies of an SMTP server (RFC 5321 4.2), every line kept as it came.

use std::fmt;

use memchr::memchr;
use serde::{Deserialize, Serialize};

use super::EnhancedStatus;

/// The longest reply line that is read, in bytes. RFC 5321 4.5.3.1.5 allows 512; servers send
/// more.
pub const MAX_LINE: usize = 4096;
/// The most bytes that a reply may have.
pub const MAX_REPLY: usize = 64 * 1024;

/// What a reply code means for the client (RFC 5321 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// 2yz.
    Positive,
    /// 3yz.
    Intermediate,
    /// 4yz: try again.
    Transient,
    /// 5yz: do not.
    Permanent,
}

/// A complete reply: its code and its lines without their codes and line ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The text of each line; at least one.
    pub lines: Vec<String>,
}

/// What stands at the start of a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// No complete reply yet.
    Incomplete,
    /// A reply, and how many bytes it took.
    Reply(Reply, usize),
    /// Bytes that can be no reply.
    Garbage(Flaw),
}

/// Why bytes are no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The line does not begin with three digits and a blank, hyphen or line end.
    #[error("the server sent {0:?}, which is no SMTP reply")]
    NoCode(String),
    /// The lines of one reply have different codes (RFC 5321 4.2.1 forbids it).
    #[error("the lines of one reply have the codes {0} and {1}")]
    MixedCodes(u16, u16),
    /// A line ended with LF alone.
    #[error("the server ended the reply line {0:?} with a bare line feed")]
    BareLf(String),
    /// A line or the reply is longer than is read.
    #[error("the server sent a reply of more than {0} bytes")]
    TooLong(usize),
}

impl Reply {
    /// A reply of one line.
    pub fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, lines: vec![text.into()] }
    }

    /// Reads the reply at the start of `buffer`.
    pub fn parse(buffer: &[u8]) -> Parsed {
        let mut at = 0;
        let mut first: Option<u16> = None;
        let mut lines = Vec::with_capacity(1);
        loop {
            let rest = &buffer[at..];
            let Some(newline) = memchr(b'\n', rest) else {
                return if rest.len() > MAX_LINE || at > MAX_REPLY {
                    Parsed::Garbage(Flaw::TooLong(MAX_LINE))
                } else if hopeless(rest) {
                    Parsed::Garbage(Flaw::NoCode(excerpt(rest)))
                } else {
                    Parsed::Incomplete
                };
            };
            if newline > MAX_LINE || at + newline > MAX_REPLY {
                return Parsed::Garbage(Flaw::TooLong(MAX_LINE));
            }
            let Some(line) = rest[..newline].strip_suffix(b"\r") else {
                return Parsed::Garbage(Flaw::BareLf(excerpt(&rest[..newline])));
            };
            let Some((code, more, text)) = split(line) else {
                return Parsed::Garbage(Flaw::NoCode(excerpt(line)));
            };
            match first {
                Some(known) if known != code => return Parsed::Garbage(Flaw::MixedCodes(known, code)),
                _ => first = Some(code),
            }
            lines.push(String::from_utf8_lossy(text).into_owned());
            at += newline + 1;
            if more == More::Last {
                return Parsed::Reply(Reply { code, lines }, at);
            }
        }
    }

    /// Reads a reply as a user writes it: `451 4.7.1 later`, or several such lines.
    ///
    /// # Errors
    /// Where a line does not begin with a code of 200 to 599, or the codes differ.
    pub fn from_text(text: &str) -> Result<Self, Flaw> {
        let mut reply: Option<Reply> = None;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let line = line.trim_end();
            let (code, _, text) = split(line.as_bytes()).ok_or_else(|| Flaw::NoCode(line.to_owned()))?;
            let text = String::from_utf8_lossy(text).into_owned();
            match &mut reply {
                None => reply = Some(Reply::new(code, text)),
                Some(known) if known.code == code => known.lines.push(text),
                Some(known) => return Err(Flaw::MixedCodes(known.code, code)),
            }
        }
        reply.ok_or_else(|| Flaw::NoCode(text.to_owned()))
    }

    /// As it goes over the wire, each line ended by CRLF.
    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.lines.iter().map(|line| line.len() + 6).sum());
        for (index, line) in self.lines.iter().enumerate() {
            let mark = if index + 1 == self.lines.len() { ' ' } else { '-' };
            wire.extend_from_slice(format!("{}{mark}{line}\r\n", self.code).as_bytes());
        }
        wire
    }

    /// What the code means.
    pub fn severity(&self) -> Severity {
        match self.code / 100 {
            2 => Severity::Positive,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }

    /// Whether the command was done (2yz).
    pub fn is_positive(&self) -> bool {
        self.severity() == Severity::Positive
    }

    /// The enhanced status code of the first line that has one (RFC 2034).
    pub fn status(&self) -> Option<EnhancedStatus> {
        self.lines.iter().find_map(|line| EnhancedStatus::at_start_of(line))
    }

    /// The queue-id that a server names in the reply to the final dot, in the spellings of
    /// Postfix, Exim, Sendmail, OpenSMTPD and this crate's own lab.
    pub fn queue_id(&self) -> Option<&str> {
        self.lines.iter().find_map(|line| queue_id(line))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines.iter().enumerate() {
            let (start, mark) = if index == 0 { ("", " ") } else { ("\n", " ") };
            let mark = if index + 1 == self.lines.len() { mark } else { "-" };
            write!(f, "{start}{}{mark}{line}", self.code)?;
        }
        Ok(())
    }
}

/// The queue-id that the text of an accepting reply names.
pub fn queue_id(text: &str) -> Option<&str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let after = |word: &str| {
        let at = words.iter().position(|it| it.eq_ignore_ascii_case(word))?;
        words.get(at + 1).copied()
    };
    if text.to_ascii_lowercase().contains("queued as ") {
        return after("as").map(trim);
    }
    if let Some(id) = words.iter().find_map(|word| word.strip_prefix("id=")) {
        return Some(trim(id));
    }
    let accepted = words.iter().position(|it| it.eq_ignore_ascii_case("message"))?;
    let says_accepted = words.get(accepted + 1).is_some_and(|it| it.eq_ignore_ascii_case("accepted"));
    // Sendmail and OpenSMTPD: `2.0.0 ID Message accepted…`.
    (says_accepted && accepted > 0 && EnhancedStatus::at_start_of(words[accepted - 1]).is_none())
        .then(|| trim(words[accepted - 1]))
}

fn trim(id: &str) -> &str {
    id.trim_matches(|mark: char| matches!(mark, '.' | ',' | ';' | ')' | '(' | '<' | '>' | '"'))
}

#[derive(PartialEq, Eq)]
enum More {
    Last,
    Follows,
}

fn split(line: &[u8]) -> Option<(u16, More, &[u8])> {
    let digits = line.get(..3)?;
    if !digits.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&digits[0]) {
        return None;
    }
    let code = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    match line.get(3) {
        None => Some((code, More::Last, &[])),
        Some(b' ') => Some((code, More::Last, &line[4..])),
        Some(b'-') => Some((code, More::Follows, &line[4..])),
        Some(_) => None,
    }
}

/// Whether the start of a line can no longer become a reply line.
fn hopeless(start: &[u8]) -> bool {
    start.iter().take(3).any(|byte| !byte.is_ascii_digit())
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_of_several_lines_keeps_them_all() {
        let wire = b"250-mx1.new.example\r\n250-SIZE 10\r\n250 STARTTLS\r\n421 bye\r\n";
        let Parsed::Reply(reply, taken) = Reply::parse(wire) else { panic!("a reply") };
        assert_eq!((reply.code, reply.lines.len()), (250, 3));
        assert_eq!(&wire[taken..], b"421 bye\r\n");
        assert_eq!(reply.to_wire(), &wire[..taken]);
    }

    #[test]
    fn part_of_a_reply_is_incomplete() {
        for part in ["", "2", "250", "250-a\r\n", "250-a\r\n25", "250 a\r"] {
            assert_eq!(Reply::parse(part.as_bytes()), Parsed::Incomplete, "{part:?}");
        }
    }

    #[test]
    fn what_is_no_reply_is_said_to_be_none() {
        for bad in ["hello\r\n", "25x ok\r\n", "999 no\r\n", "250_ok\r\n", "250-a\r\n550 b\r\n", "250 ok\n"] {
            assert!(matches!(Reply::parse(bad.as_bytes()), Parsed::Garbage(_)), "{bad:?}");
        }
        assert!(matches!(Reply::parse(&[b'2'; 3]), Parsed::Incomplete));
        assert!(matches!(Reply::parse(&[b'2'; MAX_LINE + 1]), Parsed::Garbage(Flaw::TooLong(_))));
    }

    #[test]
    fn queue_ids_of_real_servers_are_found() {
        for (text, id) in [
            ("2.0.0 Ok: queued as 4WkQ2n1z", "4WkQ2n1z"),
            ("OK id=1xUd9U-00004M-1o", "1xUd9U-00004M-1o"),
            ("2.0.0 p893108u010431 Message accepted for delivery", "p893108u010431"),
            ("2.0.0 b63187dd Message accepted for delivery", "b63187dd"),
        ] {
            assert_eq!(queue_id(text), Some(id), "{text}");
        }
        assert_eq!(queue_id("2.0.0 Message accepted"), None);
        assert_eq!(queue_id("2.0.0 Ok"), None);
    }
}

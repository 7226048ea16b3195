//! SMTP commands as a client writes them, read leniently.
//!
//! A proxy and a lab must understand what real clients send, not judge it: verbs in any case,
//! blanks behind the colon of MAIL and RCPT, unknown commands and parameters kept as they are.

use super::Stage;

/// One command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// HELO and the client's name.
    Helo(&'a str),
    /// EHLO and the client's name.
    Ehlo(&'a str),
    /// STARTTLS (RFC 3207).
    StartTls,
    /// AUTH and its arguments (RFC 4954).
    Auth(&'a str),
    /// MAIL: the reverse-path without its brackets, and its parameters.
    Mail {
        /// Empty for the null reverse-path.
        path: &'a str,
        /// What follows it.
        parameters: &'a str,
    },
    /// RCPT: the forward-path without its brackets, and its parameters.
    Rcpt {
        /// The recipient.
        path: &'a str,
        /// What follows it.
        parameters: &'a str,
    },
    /// DATA.
    Data,
    /// BDAT (RFC 3030).
    Bdat {
        /// How many bytes follow the command line.
        size: u64,
        /// Whether it is the last chunk.
        last: Last,
    },
    /// RSET.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// Anything else, such as VRFY, HELP, XCLIENT or a typo.
    Other,
}

/// Whether a BDAT chunk is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// More chunks follow.
    No,
    /// It ends the message.
    Yes,
}

impl<'a> Command<'a> {
    /// Reads a line without its CRLF. Bytes that are not UTF-8 make it [`Command::Other`].
    pub fn parse(line: &'a [u8]) -> Self {
        let Ok(line) = std::str::from_utf8(line) else { return Command::Other };
        let line = line.trim_end_matches([' ', '\t']);
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_start();
        let is = |word: &str| verb.eq_ignore_ascii_case(word);
        if is("MAIL") {
            return path(rest, "FROM:").map_or(Command::Other, |(path, parameters)| Command::Mail { path, parameters });
        }
        if is("RCPT") {
            return path(rest, "TO:").map_or(Command::Other, |(path, parameters)| Command::Rcpt { path, parameters });
        }
        match verb {
            _ if is("EHLO") => Command::Ehlo(rest),
            _ if is("HELO") => Command::Helo(rest),
            _ if is("DATA") => Command::Data,
            _ if is("QUIT") => Command::Quit,
            _ if is("RSET") => Command::Rset,
            _ if is("NOOP") => Command::Noop,
            _ if is("STARTTLS") => Command::StartTls,
            _ if is("AUTH") => Command::Auth(rest),
            _ if is("BDAT") => bdat(rest),
            _ => Command::Other,
        }
    }

    /// The stage that the command belongs to; none for RSET, NOOP and what is unknown.
    pub fn stage(&self) -> Option<Stage> {
        match self {
            Command::Helo(_) | Command::Ehlo(_) => Some(Stage::Ehlo),
            Command::StartTls => Some(Stage::Starttls),
            Command::Auth(_) => Some(Stage::Auth),
            Command::Mail { .. } => Some(Stage::Mail),
            Command::Rcpt { .. } => Some(Stage::Rcpt),
            Command::Data | Command::Bdat { .. } => Some(Stage::Data),
            Command::Quit => Some(Stage::Quit),
            Command::Rset | Command::Noop | Command::Other => None,
        }
    }
}

/// The path behind `FROM:` or `TO:` and what follows it.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let start = rest.get(..keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = rest[keyword.len()..].trim_start();
    match rest.strip_prefix('<') {
        Some(bracketed) => {
            let end = closing(bracketed)?;
            Some((&bracketed[..end], bracketed[end + 1..].trim_start()))
        }
        // Without brackets: not RFC 5321, but seen.
        None => Some(rest.split_once(' ').unwrap_or((rest, ""))),
    }
}

/// Where the `>` stands that is not part of a quoted local part.
fn closing(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn bdat(rest: &str) -> Command<'_> {
    let mut words = rest.split_ascii_whitespace();
    let Some(size) = words.next().and_then(|size| size.parse().ok()) else { return Command::Other };
    match words.next() {
        None => Command::Bdat { size, last: Last::No },
        Some(word) if word.eq_ignore_ascii_case("LAST") => Command::Bdat { size, last: Last::Yes },
        Some(_) => Command::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_real_clients_write_them() {
        for (line, command) in [
            (
                "mail FROM:<a@b> SIZE=10 BODY=8BITMIME",
                Command::Mail { path: "a@b", parameters: "SIZE=10 BODY=8BITMIME" },
            ),
            ("MAIL From: <>", Command::Mail { path: "", parameters: "" }),
            ("RCPT TO:<\"a>b\"@c> NOTIFY=NEVER", Command::Rcpt { path: "\"a>b\"@c", parameters: "NOTIFY=NEVER" }),
            ("RCPT TO:a@b", Command::Rcpt { path: "a@b", parameters: "" }),
            ("BDAT 12 last", Command::Bdat { size: 12, last: Last::Yes }),
            ("BDAT 12", Command::Bdat { size: 12, last: Last::No }),
            ("ehlo [127.0.0.1]", Command::Ehlo("[127.0.0.1]")),
            ("DATA ", Command::Data),
            ("BDAT x", Command::Other),
            ("MAIL TO:<a@b>", Command::Other),
            ("RCPT TO:<a@b", Command::Other),
            ("XCLIENT ADDR=1.2.3.4", Command::Other),
            ("", Command::Other),
        ] {
            assert_eq!(Command::parse(line.as_bytes()), command, "{line}");
        }
        assert_eq!(Command::parse(b"EHLO \xff"), Command::Other);
    }
}

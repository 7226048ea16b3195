//! Responses of an IMAP server (RFC 3501 7, RFC 9051 7), read with limits.
//!
//! Only what a search for probes needs is told apart; the rest is passed over. It is written by
//! hand because absence is what a drill stands on: a client library that takes a refused search or
//! a lost connection for an empty result would prove what nobody saw.

use std::io;

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest response that is read, in bytes, with its literals.
pub(super) const MAX_RESPONSE: usize = 4 << 20;

/// One response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// `+ …`: the server waits for more of the command.
    Continue,
    /// `TAG OK …`: the command is done.
    Done { tag: String, status: Status, text: String },
    /// `* OK …`: a greeting, a warning, a goodbye, a response code.
    Said { status: Status, text: String },
    /// `* …`: data.
    Data(Vec<Token>),
}

/// How a command ended, or what the server says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    No,
    Bad,
    Preauth,
    Bye,
}

/// A piece of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word or number; section brackets belong to it.
    Atom(String),
    /// A quoted string or literal.
    Text(Vec<u8>),
    /// `(`
    Open,
    /// `)`
    Close,
}

impl Token {
    /// The word or string, where it is text.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Token::Atom(atom) => Some(atom.clone()),
            Token::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Token::Open | Token::Close => None,
        }
    }

    /// Whether it is this word; letters match in either case.
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Token::Atom(atom) if atom.eq_ignore_ascii_case(word))
    }

    /// The number, where it is one.
    pub(super) fn number(&self) -> Option<u32> {
        match self {
            Token::Atom(atom) => atom.parse().ok(),
            _ => None,
        }
    }
}

/// A connection as lines and literals.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    buffer: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, buffer: vec![] }
    }

    /// The stream, and what was read of it beyond the last response.
    pub(super) fn into_parts(self) -> (S, Vec<u8>) {
        (self.stream, self.buffer)
    }

    /// Sends bytes as they are.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next response. It may be dropped half-way without losing anything.
    pub(super) async fn response(&mut self) -> io::Result<Response> {
        let mut least = 0;
        loop {
            if self.buffer.len() >= least {
                match whole(&self.buffer) {
                    Extent::Whole(length) => {
                        let response = parse(&self.buffer[..length]);
                        self.buffer.drain(..length);
                        return Ok(response);
                    }
                    Extent::Least(length) => least = length,
                }
            }
            if least > MAX_RESPONSE || self.buffer.len() > MAX_RESPONSE {
                let text = format!("the server sent a response of more than {MAX_RESPONSE} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
            }
        }
    }
}

/// How much of a buffer the first response takes.
#[derive(Debug, PartialEq, Eq)]
enum Extent {
    Whole(usize),
    /// It takes at least as many bytes.
    Least(usize),
}

fn whole(buffer: &[u8]) -> Extent {
    let mut at = 0;
    loop {
        let Some(newline) = buffer.get(at..).and_then(|rest| memchr(b'\n', rest)) else {
            return Extent::Least(buffer.len().max(at) + 1);
        };
        let line = &buffer[at..at + newline];
        at += newline + 1;
        match literal(line) {
            Some(length) => at = at.saturating_add(length),
            None => return Extent::Whole(at),
        }
        if at > buffer.len() {
            return Extent::Least(at);
        }
    }
}

/// The length of the literal that a line announces at its end: `{123}`.
fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"\r").unwrap_or(line).strip_suffix(b"}")?;
    let digits = &line[memchr::memrchr(b'{', line)? + 1..];
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    std::str::from_utf8(digits).ok().filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()
}

fn parse(bytes: &[u8]) -> Response {
    let line = || String::from_utf8_lossy(bytes).trim_end().to_owned();
    if bytes.first() == Some(&b'+') {
        return Response::Continue;
    }
    let Some(data) = bytes.strip_prefix(b"* ") else {
        let line = line();
        let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let (word, text) = rest.split_once(' ').unwrap_or((rest, ""));
        // What is neither a response nor a status ends no command.
        return match status(word) {
            Some(status) => Response::Done { tag: tag.to_owned(), status, text: text.to_owned() },
            None => Response::Data(vec![]),
        };
    };
    let line = line();
    let (word, text) = line.get(2..).and_then(|rest| rest.split_once(' ')).unwrap_or((line.get(2..).unwrap_or(""), ""));
    match status(word) {
        Some(status) => Response::Said { status, text: text.to_owned() },
        None => Response::Data(tokens(data)),
    }
}

fn status(word: &str) -> Option<Status> {
    let words = [
        ("OK", Status::Ok),
        ("NO", Status::No),
        ("BAD", Status::Bad),
        ("PREAUTH", Status::Preauth),
        ("BYE", Status::Bye),
    ];
    words.into_iter().find(|(it, _)| word.eq_ignore_ascii_case(it)).map(|(_, status)| status)
}

fn tokens(data: &[u8]) -> Vec<Token> {
    let mut tokens = vec![];
    let mut rest = data;
    while let Some(first) = rest.first() {
        rest = match first {
            b' ' | b'\r' | b'\n' => &rest[1..],
            b'(' => {
                tokens.push(Token::Open);
                &rest[1..]
            }
            b')' => {
                tokens.push(Token::Close);
                &rest[1..]
            }
            b'"' => {
                let (text, after) = quoted(&rest[1..]);
                tokens.push(Token::Text(text));
                after
            }
            b'{' => {
                let end = memchr(b'\n', rest).unwrap_or(rest.len() - 1);
                let length = literal(&rest[..end]).unwrap_or(0);
                let (text, after) = rest[end + 1..].split_at(length.min(rest.len() - end - 1));
                tokens.push(Token::Text(text.to_vec()));
                after
            }
            _ => {
                let (atom, after) = rest.split_at(atom_end(rest));
                tokens.push(Token::Atom(String::from_utf8_lossy(atom).into_owned()));
                after
            }
        };
    }
    tokens
}

fn quoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut content = vec![];
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return (content, &text[at + 1..]),
            b'\\' => {
                at += 1;
                content.extend(text.get(at));
            }
            byte => content.push(*byte),
        }
        at += 1;
    }
    (content, &[])
}

/// Where the atom at the start of `rest` ends; `BODY[HEADER.FIELDS (DATE)]<0>` is one.
fn atom_end(rest: &[u8]) -> usize {
    let mut in_section = false;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'[' => in_section = true,
            b']' => in_section = false,
            b'\r' | b'\n' => return at.max(1),
            b' ' | b'(' | b')' | b'"' if !in_section => return at.max(1),
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8], chunk: usize) -> Vec<Response> {
        let (near, mut far) = tokio::io::duplex(chunk);
        let bytes = bytes.to_vec();
        let writer = tokio::spawn(async move { far.write_all(&bytes).await });
        let mut wire = Wire::new(near);
        let mut responses = vec![];
        while let Ok(response) = wire.response().await {
            responses.push(response);
        }
        writer.abort();
        responses
    }

    #[tokio::test]
    async fn responses_are_read_however_they_are_cut() {
        let bytes = b"* OK [CAPABILITY IMAP4rev1] ready\r\n+ go\r\n* SEARCH 2 84\r\n\
            * 1 FETCH (UID 2 INTERNALDATE \" 1-Nov-2026 05:42:24 +0000\" BODY[HEADER]<0> {10}\r\nA: (b)\r\n\r\n)\r\n\
            a1 NO [NONEXISTENT] what\r\n* LIST (\\HasNoChildren \\Junk) \"/\" \"My \\\"Junk\\\"\"\r\n";
        for chunk in [1, 7, 1000] {
            let responses = read(bytes, chunk).await;
            assert_eq!(responses.len(), 6);
            let said = Response::Said { status: Status::Ok, text: "[CAPABILITY IMAP4rev1] ready".into() };
            assert_eq!(responses[0], said);
            assert_eq!(responses[1], Response::Continue);
            let Response::Data(fetch) = &responses[3] else { panic!("{responses:?}") };
            assert!(fetch[1].is("fetch") && fetch[4].number() == Some(2), "{fetch:?}");
            assert_eq!(fetch[8], Token::Text(b"A: (b)\r\n\r\n".to_vec()));
            let done = Response::Done { tag: "a1".into(), status: Status::No, text: "[NONEXISTENT] what".into() };
            assert_eq!(responses[4], done);
            let Response::Data(list) = &responses[5] else { panic!("{responses:?}") };
            assert_eq!(list.last().and_then(Token::text).as_deref(), Some("My \"Junk\""));
        }
    }

    #[tokio::test]
    async fn a_response_without_end_is_given_up() {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        tokio::spawn(async move { while far.write_all(&[b'x'; 1 << 16]).await.is_ok() {} });
        let error = Wire::new(near).response().await.expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let (near, mut far) = tokio::io::duplex(100);
        far.write_all(b"* 1 FETCH {99999999999999}\r\n").await.expect("written");
        let error = Wire::new(near).response().await.expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in "(\\* |\\+ |a1 )?([A-Z0-9\\[\\](){}\"\\\\ ]{0,12}|\\{[0-9]{1,3}\\}\r\n|\r\n){0,8}") {
            if let Extent::Whole(length) = whole(bytes.as_bytes()) {
                let _ = parse(&bytes.as_bytes()[..length]);
            }
            let _ = tokens(bytes.as_bytes());
        }
    }
}

//! One session with a POP3 server: commands, and answers read with limits.

use std::io;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::super::Trouble;
use super::super::message::MAX_HEADER;

/// How long a command may take, with its answer.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// The longest line of an answer, in bytes; a line of a message may be longer than RFC 5321 allows.
const MAX_LINE: usize = 256 * 1024;
/// The longest answer that is read to its end, in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// The most messages of a mailbox that are listed.
const MAX_MESSAGES: usize = 100_000;

/// A connection that takes commands.
pub(super) struct Session<S> {
    stream: BufReader<S>,
}

/// A command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is of no use any more.
    Lost(String),
    /// The server answered `-ERR`.
    Refused(String),
}

impl Fault {
    /// In a sentence about what was tried.
    pub(super) fn while_trying(&self, what: &str) -> Trouble {
        match self {
            Fault::Lost(why) => Trouble::new(format!("the connection was lost while {what}: {why}")),
            Fault::Refused(text) => Trouble::new(format!("the server refused {what}: {text}")),
        }
    }
}

fn lost(error: &io::Error) -> Fault {
    Fault::Lost(error.to_string())
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Reads the greeting of a server.
    pub(super) async fn greeted(stream: S) -> Result<Self, Fault> {
        let mut session = Self::over(stream);
        session.limited(async |session| session.answer().await).await?;
        Ok(session)
    }

    /// A session on a connection that has no greeting any more.
    pub(super) fn over(stream: S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// The stream, once STLS was agreed upon (RFC 2595 4).
    pub(super) async fn start_tls(mut self) -> Result<S, Fault> {
        self.command("STLS").await?;
        if !self.stream.buffer().is_empty() {
            // What follows before TLS begins was put there by somebody else.
            return Err(Fault::Lost("somebody puts text into the connection before TLS begins".to_owned()));
        }
        Ok(self.stream.into_inner())
    }

    /// Logs in.
    pub(super) async fn login(&mut self, user: &str, password: &SecretString) -> Result<(), Fault> {
        let password = password.expose_secret();
        if [user, password].iter().any(|text| text.contains(['\r', '\n', '\0'])) {
            return Err(Fault::Refused("a name or password with a line break cannot be sent".to_owned()));
        }
        self.command(&format!("USER {user}")).await?;
        self.command(&format!("PASS {password}")).await?;
        Ok(())
    }

    /// Number and unique id of each message (RFC 1939 7).
    pub(super) async fn unique_ids(&mut self) -> Result<Vec<(u32, String)>, Fault> {
        let mut ids = vec![];
        self.lines("UIDL", &mut |line| {
            let text = String::from_utf8_lossy(line);
            let mut words = text.split_ascii_whitespace();
            if let (Some(Ok(number)), Some(id)) = (words.next().map(str::parse), words.next())
                && ids.len() < MAX_MESSAGES
            {
                ids.push((number, id.to_owned()));
            }
        })
        .await?;
        Ok(ids)
    }

    /// The header block of a message. Where the server has no TOP, the whole message is read, and
    /// what follows its header passed over.
    pub(super) async fn header(&mut self, number: u32) -> Result<Vec<u8>, Fault> {
        match self.block(&format!("TOP {number} 0")).await {
            Err(Fault::Refused(_)) => self.block(&format!("RETR {number}")).await,
            other => other,
        }
    }

    async fn block(&mut self, command: &str) -> Result<Vec<u8>, Fault> {
        let (mut block, mut ended) = (vec![], false);
        self.lines(command, &mut |line| {
            ended |= line.is_empty();
            if !ended && block.len() + line.len() + 2 <= MAX_HEADER {
                block.extend_from_slice(line);
                block.extend_from_slice(b"\r\n");
            }
        })
        .await?;
        block.extend_from_slice(b"\r\n");
        Ok(block)
    }

    /// Says goodbye; what the server thinks of it does not matter.
    pub(super) async fn quit(mut self) {
        let _ = timeout(Duration::from_secs(1), self.command("QUIT")).await;
    }

    /// Sends a command and waits for `+OK`.
    async fn command(&mut self, command: &str) -> Result<String, Fault> {
        self.limited(async |session| {
            session.send(command).await?;
            session.answer().await
        })
        .await
    }

    /// Sends a command and hands out the lines of its answer, without dots that only stuff it.
    async fn lines(&mut self, command: &str, each: &mut (dyn FnMut(&[u8]) + Send)) -> Result<(), Fault> {
        self.limited(async |session| {
            session.send(command).await?;
            session.answer().await?;
            let mut read = 0;
            loop {
                let line = session.line().await?;
                read += line.len();
                if read > MAX_ANSWER {
                    return Err(Fault::Lost(format!("the answer has more than {MAX_ANSWER} bytes")));
                }
                match line.strip_prefix(b".") {
                    Some([]) => return Ok(()),
                    Some(stuffed) => each(stuffed),
                    None => each(&line),
                }
            }
        })
        .await
    }

    async fn limited<T>(&mut self, what: impl AsyncFnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        match timeout(COMMAND_LIMIT, what(self)).await {
            Ok(done) => done,
            Err(_) => Err(Fault::Lost(format!("no answer within {} s", COMMAND_LIMIT.as_secs()))),
        }
    }

    async fn send(&mut self, command: &str) -> Result<(), Fault> {
        let sent = self.stream.write_all(format!("{command}\r\n").as_bytes()).await;
        sent.map_err(|error| lost(&error))?;
        self.stream.flush().await.map_err(|error| lost(&error))
    }

    async fn answer(&mut self) -> Result<String, Fault> {
        let line = self.line().await?;
        let text = String::from_utf8_lossy(&line).into_owned();
        match (text.strip_prefix("+OK"), text.strip_prefix("-ERR")) {
            (Some(rest), _) => Ok(rest.trim().to_owned()),
            (_, Some(rest)) => Err(Fault::Refused(rest.trim().to_owned())),
            _ => Err(Fault::Lost("what answers there is no POP3 server".to_owned())),
        }
    }

    /// A line without its end.
    async fn line(&mut self) -> Result<Vec<u8>, Fault> {
        let mut line = vec![];
        loop {
            let block = self.stream.fill_buf().await.map_err(|error| lost(&error))?;
            if block.is_empty() {
                return Err(Fault::Lost("the server closed the connection".to_owned()));
            }
            let end = memchr::memchr(b'\n', block);
            let used = end.map_or(block.len(), |end| end + 1);
            line.extend_from_slice(&block[..used]);
            self.stream.consume(used);
            if line.len() > MAX_LINE {
                return Err(Fault::Lost(format!("the server sent a line of more than {MAX_LINE} bytes")));
            }
            if end.is_some() {
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A session with a server that says all this at once.
    async fn session(says: &[u8]) -> Session<tokio::io::DuplexStream> {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        far.write_all(says).await.expect("written");
        tokio::spawn(async move {
            let mut heard = vec![];
            let _ = tokio::io::AsyncReadExt::read_to_end(&mut far, &mut heard).await;
        });
        Session::over(near)
    }

    #[tokio::test]
    async fn a_header_ends_with_its_blank_line_and_dots_are_unstuffed() {
        let mut session =
            session(b"+OK\r\nA: b\r\n..c: d\r\n\r\nbody\r\n.\r\n-ERR no TOP\r\n+OK\r\nE: f\r\n.\r\n").await;
        assert_eq!(session.header(1).await.as_deref(), Ok(&b"A: b\r\n.c: d\r\n\r\n"[..]));
        assert_eq!(session.header(2).await.as_deref(), Ok(&b"E: f\r\n\r\n"[..]));
    }

    #[tokio::test]
    async fn a_line_without_end_is_given_up() {
        let mut session = session(&vec![b'x'; MAX_LINE + 1]).await;
        let fault = session.command("NOOP").await.expect_err("too long");
        assert!(matches!(fault, Fault::Lost(why) if why.contains("more than 262144 bytes")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_is_given_up() {
        let fault = session(b"+OK\r\n1 a\r\n").await.unique_ids().await.expect_err("no end");
        assert_eq!(fault, Fault::Lost("no answer within 30 s".to_owned()));
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_answered(bytes in "(\\+OK ?|-ERR |[0-9]{1,12} |[a-z.\r\n\u{e9}]){0,40}") {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.expect("a runtime").block_on(async {
                let mut session = session(format!("{bytes}\r\n").as_bytes()).await;
                let _ = session.unique_ids().await;
                let _ = session.header(1).await;
            });
        }
    }
}

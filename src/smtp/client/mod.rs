//! The client's side of a session, step by step: each step has its own deadline, and each reply
//! is handed back whatever it says.

mod auth;
mod body;
mod steps;
#[cfg(test)]
mod tests;

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::input::Input;
use super::stop::{Stop, StopKind, excerpt};
use crate::mail::reply::{MAX_LINE, Parsed};
use crate::mail::{Reply, Stage};

pub use steps::Starttls;

/// How much is read at once: more than any usual reply.
const ROOM: usize = 4096;

/// A session with a server. After any [`Stop`] it is over: a late answer would be taken for that
/// to the next command.
#[derive(Debug)]
pub struct Session<S> {
    stream: S,
    input: Input,
    output: Vec<u8>,
    stage: Stage,
    state: State,
    pace: Pace,
    /// How long each read of the step under way may take, where that is limited.
    each: Option<Duration>,
}

/// What the limit of a step is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// The whole step.
    #[default]
    Step,
    /// Each read of it, as some MTAs have it: a server that sends a byte now and then is waited for.
    /// The step as a whole may take this long.
    Read(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Over,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// A session over a connected stream. Nothing is sent or read yet.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            input: Input::default(),
            output: vec![],
            stage: Stage::Connect,
            state: State::Open,
            pace: Pace::Step,
            each: None,
        }
    }

    /// The same session, whose limits are for what `pace` says.
    #[must_use]
    pub fn paced(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The stage that was reached last. In a body it tells whether all of it was written
    /// ([`Stage::Eom`]) when the answer came.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The stream itself, for the caller to look at.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Sends `line` and its CRLF, and waits for the reply; `limit` holds for both together. The
    /// reply is Ok whatever its code.
    ///
    /// # Errors
    /// Where no reply comes in time or at all; nothing is sent where `line` holds a CR or LF.
    pub async fn command(&mut self, stage: Stage, line: &str, limit: Duration) -> Result<Reply, Stop> {
        self.stage = stage;
        self.output.clear();
        self.add_line(&[line])?;
        self.exchange(limit).await
    }

    /// Adds a line to the output.
    fn add_line(&mut self, words: &[&str]) -> Result<(), Stop> {
        if words.iter().any(|word| memchr::memchr2(b'\r', b'\n', word.as_bytes()).is_some()) {
            return Err(self.stop(StopKind::LineBreak));
        }
        words.iter().for_each(|word| self.output.extend_from_slice(word.as_bytes()));
        self.output.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// Writes the output and reads one reply.
    async fn exchange(&mut self, limit: Duration) -> Result<Reply, Stop> {
        self.within(limit, async |session| session.write_and_read().await).await
    }

    /// Runs a step, and ends the session where it fails or takes longer than `limit`.
    async fn within<T>(
        &mut self,
        limit: Duration,
        step: impl AsyncFnOnce(&mut Self) -> Result<T, StopKind>,
    ) -> Result<T, Stop> {
        if self.state == State::Over {
            return Err(self.stop(StopKind::Lost(io::ErrorKind::NotConnected.into())));
        }
        // A caller that drops the step half-way must not go on either.
        self.state = State::Over;
        let (limit, each) = match self.pace {
            Pace::Step => (limit, None),
            Pace::Read(whole) => (whole.max(limit), Some(limit)),
        };
        self.each = each;
        let kind = match timeout(limit, step(self)).await {
            Ok(Ok(done)) => {
                self.state = State::Open;
                return Ok(done);
            }
            Ok(Err(kind)) => kind,
            Err(_) => StopKind::Timeout(limit),
        };
        Err(self.stop(kind))
    }

    async fn write_and_read(&mut self) -> Result<Reply, StopKind> {
        let written = write(&mut self.stream, &self.output).await;
        match self.read_reply().await {
            Ok(reply) => Ok(reply),
            // A server that turns a client away (421) and closes may be gone before the command
            // is written: what it said counts, else why it could not be written.
            Err(StopKind::Lost(read)) => Err(StopKind::Lost(written.err().unwrap_or(read))),
            Err(other) => Err(other),
        }
    }

    /// Reads until a whole reply is there.
    async fn read_reply(&mut self) -> Result<Reply, StopKind> {
        // A reply can only be complete, or found to be none, where a line is or where its
        // beginning is seen.
        let mut worth_parsing = !self.input.rest().is_empty();
        loop {
            if worth_parsing && let Some(reply) = self.parsed()? {
                return Ok(reply);
            }
            let before = self.input.rest().len();
            self.fill().await?;
            let rest = self.input.rest();
            worth_parsing = before < 4 || memchr::memchr(b'\n', &rest[before..]).is_some() || rest.len() > MAX_LINE;
        }
    }

    /// Reads what there is; in time, where each read is limited.
    async fn fill(&mut self) -> Result<(), StopKind> {
        let fill = self.input.fill(&mut self.stream, ROOM);
        let filled = match self.each {
            Some(limit) => timeout(limit, fill).await.map_err(|_| StopKind::Timeout(limit))?,
            None => fill.await,
        };
        filled.map(drop).map_err(StopKind::Lost)
    }

    fn parsed(&mut self) -> Result<Option<Reply>, StopKind> {
        match Reply::parse(self.input.rest()) {
            Parsed::Incomplete => Ok(None),
            Parsed::Garbage(flaw) => Err(StopKind::Garbage(flaw)),
            Parsed::Reply(reply, taken) => {
                self.input.advance(taken);
                Ok(Some(reply))
            }
        }
    }

    fn stop(&self, kind: StopKind) -> Stop {
        Stop { stage: self.stage, kind, partial: excerpt(self.input.rest()) }
    }
}

/// Writes and flushes; a TLS stream holds bytes back until then.
async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

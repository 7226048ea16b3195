//! The state of a session, and its loop of reading and writing.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::super::input::Input;
use super::auth::Exchange;
use super::policy::{Answer, Channel, Envelope, Policy};
use super::settings::Settings;
use super::{End, Finished};
use crate::mail::framing::{BodyScanner, Line, LineScanner};

/// How much is read at once.
const ROOM: usize = 16 * 1024;
/// How many bytes of replies may wait before they are written, however much was pipelined.
const MAX_OUTPUT: usize = 64 * 1024;
/// After this many commands that made no sense a client is turned away.
const MAX_ERRORS: u32 = 100;

/// One session, over whatever stream.
pub(super) struct Session<'a, P> {
    pub(super) settings: &'a Settings,
    pub(super) policy: &'a mut P,
    pub(super) output: Vec<u8>,
    pub(super) envelope: Envelope,
    pub(super) turn: Turn,
    pub(super) expects: Expects,
    /// An AUTH under way.
    pub(super) exchange: Option<Exchange>,
    pub(super) scanner: BodyScanner,
    /// What came of the message that is being received.
    pub(super) body: Vec<u8>,
    /// Its size on the wire, also of what was not kept.
    pub(super) size: u64,
    pub(super) errors: u32,
    pub(super) tally: Finished,
    input: Input,
}

/// How far the client has come (RFC 5321 4.1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// EHLO or HELO is due.
    Hello,
    /// MAIL is due.
    Mail,
    /// RCPT is due, or DATA once a recipient was taken.
    Rcpt,
    /// A part of the message has come by BDAT.
    Chunks,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expects {
    /// A command line.
    Command,
    /// What answers a challenge of AUTH.
    Response,
    /// A message behind DATA.
    Body,
    /// This much of a BDAT chunk.
    Chunk { left: u64, last: crate::mail::command::Last, fate: Fate },
}

/// What becomes of a chunk; its bytes follow the command in any case (RFC 3030 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is part of a message.
    Kept,
    /// It came out of order.
    Dropped,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// More of what was read.
    Go,
    /// More has to be read.
    Read,
    /// The TLS handshake.
    StartTls,
    /// Nothing.
    End(End),
}

impl<'a, P: Policy> Session<'a, P> {
    pub(super) fn new(client: SocketAddr, settings: &'a Settings, policy: &'a mut P) -> Self {
        Self {
            settings,
            policy,
            output: vec![],
            envelope: Envelope::new(client),
            turn: Turn::Hello,
            expects: Expects::Command,
            exchange: None,
            scanner: BodyScanner::default(),
            body: vec![],
            size: 0,
            errors: 0,
            tally: Finished::default(),
            input: Input::default(),
        }
    }

    pub(super) fn finished(&self, end: End) -> Finished {
        Finished { end, ..self.tally }
    }

    /// Greets the client, or turns it away.
    pub(super) async fn greet<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Next {
        match self.policy.greeting() {
            Answer::Say(reply) if !reply.is_positive() => {
                self.output.extend_from_slice(&reply.to_wire());
                let _ = self.flush(stream).await;
                Next::End(End::Dropped)
            }
            Answer::Say(reply) => self.say_go(&reply.to_wire()),
            Answer::Yes | Answer::Queued(_) => {
                self.output.extend_from_slice(&self.settings.banner);
                Next::Go
            }
        }
    }

    /// Goes on over TLS: nothing that was said in clear counts any more (RFC 3207 4.2).
    pub(super) async fn run_encrypted<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Next {
        self.envelope = Envelope { channel: Channel::Encrypted, ..Envelope::new(self.envelope.client) };
        self.turn = Turn::Hello;
        let end = self.run(stream).await;
        let _ = timeout(self.settings.idle, stream.shutdown()).await;
        end
    }

    /// A whole session over TLS that began with the first byte.
    pub(super) async fn run_implicit<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Finished {
        self.envelope.channel = Channel::Encrypted;
        let end = match self.greet(stream).await {
            Next::Go => self.run(stream).await,
            other => other,
        };
        let _ = timeout(self.settings.idle, stream.shutdown()).await;
        self.finished(super::ended(end))
    }

    /// Reads and answers until the session is over or TLS begins.
    pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Next {
        // Taken out for the while, so that a command may borrow from it while it is carried out.
        let mut input = std::mem::take(&mut self.input);
        let end = loop {
            let next = self.use_up(&mut input).await;
            if let Err(end) = self.flush(stream).await {
                break Next::End(end);
            }
            match next {
                Next::Go => {}
                Next::Read => {
                    if let Err(end) = self.read(stream, &mut input).await {
                        let _ = self.flush(stream).await;
                        break Next::End(end);
                    }
                }
                Next::StartTls => {
                    self.tally.injected += input.clear() as u64;
                    break next;
                }
                Next::End(_) => break next,
            }
        };
        self.input = input;
        end
    }

    /// Carries out everything that was read whole.
    async fn use_up(&mut self, input: &mut Input) -> Next {
        loop {
            let next = match self.expects {
                Expects::Command | Expects::Response => self.line(input).await,
                Expects::Body => self.take_body(input).await,
                Expects::Chunk { left, last, fate } => self.take_chunk(input, left, last, fate).await,
            };
            if next != Next::Go || self.output.len() > MAX_OUTPUT {
                return next;
            }
        }
    }

    async fn line(&mut self, input: &mut Input) -> Next {
        match LineScanner::next(input.rest()) {
            Line::Incomplete => Next::Read,
            Line::TooLong => {
                self.say(b"500 5.5.6 the line is too long\r\n");
                Next::End(End::Dropped)
            }
            Line::Complete { text, taken } => {
                let next = match self.expects {
                    Expects::Response => self.response(text),
                    _ => self.command(text).await,
                };
                input.advance(taken);
                next
            }
        }
    }

    async fn read<S: AsyncRead + Unpin>(&mut self, stream: &mut S, input: &mut Input) -> Result<(), End> {
        match timeout(self.settings.idle, input.fill(stream, ROOM)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_))
                if matches!(self.expects, Expects::Body | Expects::Chunk { .. }) || self.turn == Turn::Chunks =>
            {
                Err(End::CutOff)
            }
            Ok(Err(_)) => Err(End::Closed),
            Err(_) => {
                self.say(b"421 4.4.2 waited too long for the client\r\n");
                Err(End::Idle)
            }
        }
    }

    /// Writes all replies that wait, in one piece.
    async fn flush<S: AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Result<(), End> {
        if self.output.is_empty() {
            return Ok(());
        }
        let written = timeout(self.settings.idle, write(stream, &self.output)).await;
        self.output.clear();
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Closed),
            Err(_) => Err(End::Idle),
        }
    }

    pub(super) fn say(&mut self, reply: &[u8]) {
        self.output.extend_from_slice(reply);
    }

    pub(super) fn say_go(&mut self, reply: &[u8]) -> Next {
        self.say(reply);
        Next::Go
    }

    /// Refuses a command that makes no sense here.
    pub(super) fn object(&mut self, reply: &[u8]) -> Next {
        self.errors += 1;
        if self.errors < MAX_ERRORS {
            return self.say_go(reply);
        }
        self.say(b"421 4.7.0 too many errors\r\n");
        Next::End(End::Dropped)
    }
}

async fn write<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

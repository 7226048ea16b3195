//! What a server answers: the part that differs from host to host.

use std::future::{Future, ready};
use std::net::SocketAddr;

use secrecy::SecretString;

use crate::mail::Reply;

/// Decides on the answers of one session. The engine has checked the order of commands, their
/// syntax and the limits before it asks.
pub trait Policy: Send {
    /// At connect. Any answer but 2yz turns the client away.
    fn greeting(&mut self) -> Answer {
        Answer::Yes
    }

    /// EHLO or HELO; the name is in `envelope.helo`.
    fn hello(&mut self, envelope: &Envelope) -> Answer {
        let _ = envelope;
        Answer::Yes
    }

    /// AUTH: the password or token of a user; none where there is no such user.
    fn secret(&mut self, user: &str) -> Option<SecretString> {
        let _ = user;
        None
    }

    /// MAIL; the reverse-path is in `envelope.from`.
    fn mail(&mut self, envelope: &Envelope) -> impl Future<Output = Answer> + Send {
        let _ = envelope;
        ready(Answer::Yes)
    }

    /// RCPT; `envelope.recipients` holds those that were taken before.
    fn rcpt(&mut self, envelope: &Envelope, recipient: &str) -> impl Future<Output = Answer> + Send {
        let _ = (envelope, recipient);
        ready(Answer::Yes)
    }

    /// The end of a message. Only an answer of 2yz takes it.
    fn message(&mut self, envelope: &Envelope, message: Message) -> impl Future<Output = Answer> + Send;
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The usual positive reply of the step.
    Yes,
    /// To a message: it was taken under this queue-id.
    Queued(String),
    /// This reply. After a 421 the connection is closed (RFC 5321 3.8).
    Say(Reply),
}

/// Who sends what to whom, as far as the session has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The client's address and port.
    pub client: SocketAddr,
    /// What the client called itself; empty before EHLO.
    pub helo: String,
    /// Whether it said EHLO or HELO, last.
    pub greeting: Greeting,
    /// Whether the session is encrypted.
    pub channel: Channel,
    /// Who the client proved to be, if it did.
    pub user: Option<String>,
    /// The reverse-path; empty for the null one and outside of a transaction.
    pub from: String,
    /// The parameters of MAIL, as they came.
    pub parameters: String,
    /// The recipients that were taken.
    pub recipients: Vec<String>,
}

/// How a client greeted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// HELO, or not yet.
    Helo,
    /// EHLO.
    Ehlo,
}

/// What carries the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// TCP.
    Clear,
    /// TLS.
    Encrypted,
}

impl Envelope {
    pub(super) fn new(client: SocketAddr) -> Self {
        Self {
            client,
            helo: String::new(),
            greeting: Greeting::Helo,
            channel: Channel::Clear,
            user: None,
            from: String::new(),
            parameters: String::new(),
            recipients: vec![],
        }
    }

    /// Whether MAIL came with this parameter, such as `SMTPUTF8` or `BODY=8BITMIME`.
    pub fn has_parameter(&self, parameter: &str) -> bool {
        self.parameters.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(parameter))
    }

    /// Ends the transaction; buffers are kept for the next one.
    pub(super) fn reset(&mut self) {
        self.from.clear();
        self.parameters.clear();
        self.recipients.clear();
    }
}

/// A whole message, without the dots that framed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How many CR without LF and LF without CR came in it.
    pub bare: u64,
}

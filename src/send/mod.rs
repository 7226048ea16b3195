//! Ways in: how probes leave.
//!
//! ```text
//!   Outgoing { tag, envelope, message, within }
//!        │ Mx::deliver
//!        v
//!   dns::route ── host by host, address by address ──> attempt ──> Event::Attempt
//!        └── every host failed for now? wait, next round, until the deadline ──> Event::Sent
//! ```
//!
//! `mx` is mxdrill itself as the sending MTA, by RFC 5321 5.1. What an attempt means for the next
//! host is in [`decide`], by the rules of the sender's class (`classes`); what happens in one
//! attempt is in `attempt`, what a class remembers of hosts in `memory`. Nothing here knows why a
//! probe is sent or what is expected of it.

mod attempt;
mod decide;
mod handed;
mod login;
mod mask;
mod memory;
mod message;
mod mx;
mod policy;
mod program;
mod queue;
mod relay;
mod session;
mod settings;
mod submission;
mod template;
mod transaction;
mod way;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::mail::Address;
use crate::record::Tag;
use crate::scenario::form::Dsn;

pub use decide::{Decision, decide};
pub use handed::{Hander, Manner, Sending};
pub use login::Account;
pub use message::{MessageError, Wish, Written, message};
pub use mx::Mx;
pub use policy::{Ruling, TlsPolicies};
pub use relay::{BETWEEN_LOOKS, RelayMta};
pub use session::Server;
pub use settings::Settings;
pub use submission::Submitter;
pub use template::{Template, TemplateError};
pub use way::Way;

/// A message on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Its tag.
    pub tag: Tag,
    /// Its number in the run, which its draws depend on.
    pub number: u64,
    /// Reverse-path.
    pub from: Address,
    /// Recipient.
    pub to: Address,
    /// More recipients of the same transaction. Their fate is noted; it decides nothing.
    pub also: Vec<Address>,
    /// Extensions without which the message cannot be sent.
    pub needs: Vec<Extension>,
    /// Which notifications are asked for.
    pub dsn: Option<Dsn>,
    /// Its subject, for programs that make a message of their own.
    pub subject: String,
    /// The message with CRLF line ends.
    pub message: Arc<[u8]>,
    /// How long after its first attempt its sender gives up.
    pub within: Duration,
    /// A place in it is held for each round, not while the message waits for its next one.
    pub gate: Arc<Semaphore>,
    /// Once cancelled, no further round begins; the one under way ends first, so that no session
    /// is cut in the middle of a message.
    pub enough: CancellationToken,
}

/// An SMTP extension that a message may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// 8-bit characters in the body (RFC 6152).
    EightBit,
    /// UTF-8 in addresses or headers (RFC 6531).
    Utf8,
}

impl Extension {
    /// As it stands in the answer to EHLO.
    fn keyword(self) -> &'static str {
        match self {
            Extension::EightBit => "8BITMIME",
            Extension::Utf8 => "SMTPUTF8",
        }
    }

    /// As it stands behind MAIL.
    fn parameter(self) -> &'static str {
        match self {
            Extension::EightBit => "BODY=8BITMIME",
            Extension::Utf8 => "SMTPUTF8",
        }
    }
}

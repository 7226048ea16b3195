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
mod memory;
mod message;
mod mx;
mod settings;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::mail::Address;
use crate::record::Tag;

pub use decide::{Decision, decide};
pub use message::{MessageError, message};
pub use mx::Mx;
pub use settings::Settings;

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

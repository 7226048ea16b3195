//! What a chain of `Received:` headers proves.
//!
//! ```text
//!   newest   by mx1.new   from 192.0.2.9   written at our own door: proven, if `by` is ours
//!            by spool     from 198.51.100.7   proven, since mx1.new saw 192.0.2.9, which is the spool's
//!   ─ ─ ─ ─  198.51.100.7 is nobody's: whoever it is can write all that follows  ─ ─ ─ ─
//!   oldest   by mx.old    …                claimed
//! ```
//!
//! A header is worth as much as its writer. The newest one was written by whoever put the message
//! into the mailbox. The one below it came with the message from the client whose address that
//! writer saw: it is believed only if that address belongs to a host that is trusted too, and so on
//! down. The first miss ends it for good: names in headers below are claims, also those of our own
//! hosts. A header of which nothing can be read ends it as well. What is missing proves nothing:
//! headers are stripped by firewalls, lists and relays that hide their clients.

mod message;
mod preset;
#[cfg(test)]
mod tests;
mod walk;

pub use message::{PathHop, TracedMessage, messages_in, render, trace};
pub use preset::{Service, service_of_address, service_of_name};
pub use walk::{Step, walk};

//! SMTP sessions (RFC 5321), one engine for the client's side and one for the server's, over any
//! stream.
//!
//! ```text
//!   client::Session ── command, limit ──> stream ──> Ok(Reply) whatever its code, or Stop
//!                                                    (the caller judges replies, not the engine)
//!   server::serve ── stream ──> Policy answers ──> Finished
//! ```
//!
//! Framing and replies are those of `mail/`; nothing here knows hosts, faults or scenarios. What
//! SASL mechanisms say is in [`sasl`], once for both sides.

mod capabilities;
pub mod client;
mod input;
pub mod sasl;
pub mod server;
mod stop;

pub use capabilities::{Capabilities, Hello};
pub use client::{Pace, Session, Starttls};
pub use stop::{Stop, StopKind};

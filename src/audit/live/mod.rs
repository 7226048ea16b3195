//! Asking the network, as far as the [`Gate`] lets through.
//!
//! ```text
//!   Live ── ask ────────> the resolver, each question once for all domains
//!     ├── everywhere ───> resolver, every address of every authoritative server, every view
//!     └── delegation ───> a server of the parent zone
//!   visit ── SMTP, up to RCPT ──> each address of each host once for all domains
//!   policies ── HTTPS ──> the MTA-STS policy, at each address
//!   fetch ── HTTPS ─────> documents for mail clients
//! ```
//!
//! A question that is not answered is an answer of its own: [`Answer::Unable`].

mod fetch;
mod gate;
mod names;
mod policy;
mod servers;
mod visit;

pub use fetch::Documents;
pub use gate::{Gate, NotLive, Reach};
pub use names::Live;
pub use policy::policies;
pub use visit::{Caller, visit_all};

#[cfg(doc)]
use super::facts::Answer;

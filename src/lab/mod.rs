//! Embedded mail servers on loopback: nothing leaves the machine.
//!
//! ```text
//!   Ground::plan ──> who stands at which address ──> proxies may take some of the places
//!        │
//!   Lab::start(host, listeners)      or Lab::up: every host at its own place
//!        │
//!        ├─ store   keeps a message            ──> Landed
//!        ├─ relay   passes it on at once       ──> Took, Relayed, Refused
//!        ├─ hold    passes it on when it can   ──> Took, Deferred, Relayed, Bounced
//!        ├─ submission  takes it from users who log in, passes it on by MX or to a smarthost
//!        └─ reject  refuses every recipient    ──> Refused
//! ```
//!
//! What a host does with a copy of a probe is noted in the journal before the client has its
//! answer, so that no evidence comes later than what it explains.

mod busy;
mod claim;
mod error;
mod ground;
mod hold;
mod hop;
mod host;
mod ledger;
mod listen;
mod onward;
mod policies;
mod reject;
mod relay;
mod store;
mod submission;
mod tags;
#[cfg(test)]
mod tests;
mod up;

pub use error::LabError;
pub use ground::{Apart, Ground, Site};
pub use ledger::Counts;
pub use listen::listen;
pub use onward::Outbound;
pub use policies::{Policies, with_records};
pub use store::{Keep, Stored};
pub use up::{Lab, Setting};

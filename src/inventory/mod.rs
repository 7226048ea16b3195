//! What belongs to which platform of a migration, and where one can look for mail there.
//!
//! ```text
//!   platforms: { new: {...}, legacy: {...} }
//!        │
//!        ├─ hosts, names, networks, …  ──> classify(name or address) -> platform
//!        └─ collectors                 ──> (collect/ opens them)
//! ```
//!
//! Pure: nothing is looked up here. A scenario's `platforms` and an inventory file are the same
//! format, read by `decode/`.

mod collector;
pub mod decode;
mod feed;
mod platform;
mod store;

pub use collector::{Collector, Endpoint, Imap, ImapLogin, Log, LogFormat, Looks, Secret, TlsMode};
pub use decode::load;
pub use feed::{LogSource, Syslog, SyslogTransport};
pub use platform::{Inventory, Platform, Role, glob_matches};
pub use store::{Catcher, CatcherKind, HttpLogin, HttpUrl, Jmap, Pop3, Scheme};

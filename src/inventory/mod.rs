//! What belongs to which platform of a migration, and where one can look for mail there.
//!
//! ```text
//!   platforms: { new: {...}, legacy: {...} }
//!        │
//!        ├─ hosts, names, networks, …  ──> claim(what was seen) -> platform, side, by which entry
//!        └─ collectors                 ──> (collect/ opens them)
//!   domains: { drill.example: {...} }     where mail belongs, how far it has come, the backup
//! ```
//!
//! Pure: nothing is looked up here. A scenario's `platforms` and an inventory file are the same
//! format, read by `decode/`.

mod classify;
mod collector;
pub mod decode;
mod domain;
mod feed;
mod platform;
mod store;
mod vantage;

pub use classify::{Claim, ClaimedBy, Side, Trait};
pub use collector::{Collector, Endpoint, Imap, ImapLogin, Log, LogFormat, Looks, Secret, TlsMode};
pub use decode::load;
pub use domain::{Backup, BackupDuty, BackupRule, Domain, DomainPhase};
pub use feed::{LogSource, Syslog, SyslogTransport};
pub use platform::{Inventory, Platform, Role, Spki, glob_matches};
pub use store::{Catcher, CatcherKind, HttpLogin, HttpUrl, Jmap, Pop3, Scheme};
pub use vantage::{Vantage, VantageWay};

//! What belongs to which platform of a migration, and where one can look for mail there.
//!
//! ```text
//!   platforms: { new: {...}, legacy: {...} }
//!        │
//!        ├─ hosts, names, networks, …  ──> classify(name or address) -> platform
//!        └─ collectors                 ──> (collect/ opens them)
//! ```
//!
//! Pure: nothing is looked up here. Decoding is in `scenario/`, which shares the format.

mod collector;
mod platform;

pub use collector::{Collector, Endpoint, Imap, Log, LogFormat, Looks, Secret, TlsMode};
pub use platform::{Inventory, Platform, Role, glob_matches};

//! Who still hands mail to a platform that should get none, from its own logs.
//!
//! ```text
//!   logs ──trace::events──> Stay-like arrivals ──class──> Row, counted ──> json, markdown, text
//! ```
//!
//! No probe is sent and nothing is contacted. A row is one client (or user) and one recipient
//! domain. Its class says how the mail came to be here, and so who has to change something: the
//! sender's DNS, an application, or nobody. This room knows nothing of runs and verdicts.

mod class;
mod count;
mod markdown;
mod row;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::inventory::{Inventory, LogFormat};
use crate::trace::{Unreadable, events};
use count::Counts;
pub use markdown::{markdown, text};
pub use row::{Census, Class, Row};

/// What is counted, in which logs.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The logs of the platform's hosts; `-` stands for standard input.
    pub files: &'a [PathBuf],
    /// Whose lines they hold.
    pub format: LogFormat,
    /// The platform's name.
    pub platform: &'a str,
    /// What belongs to which platform, where it is known.
    pub inventory: Option<&'a Inventory>,
    /// When the MX records were changed, where that is known.
    pub changed: Option<Timestamp>,
    /// How long senders may have kept the old ones.
    pub ttl: Duration,
    /// The time of day.
    pub now: Timestamp,
}

/// Reads the logs and counts.
///
/// # Errors
/// Where a log cannot be read.
pub fn census(wanted: &Wanted<'_>) -> Result<Census, Unreadable> {
    let mut counts = Counts::default();
    let odd_lines = events(wanted.files, wanted.format, wanted.now, &mut |event| counts.hear(event))?;
    Ok(counts.finish(wanted, odd_lines))
}

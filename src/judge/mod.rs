//! The only room that reads both what should happen and what did.
//!
//! ```text
//!   Plan ────────────────┐
//!                        ├─ facts ── settle ──> Outcome ── compare ──> Verdict ──> Record
//!   journal entries ─────┘    (what was seen       (what became     (against each
//!                              of each probe)       of it)           expectation)
//! ```
//!
//! Pure: a journal on disk gives the same record as the run that wrote it.

mod absence;
mod compare;
mod copies;
mod demands;
mod facts;
mod findings;
mod nature;
mod path;
pub mod predict;
mod record;
mod settle;
mod settled;
mod sources;
#[cfg(test)]
mod tests;

pub use compare::{Judgement, judge_probe};
pub use facts::{Facts, ProbeFacts, Window};
pub use record::record;
pub use settle::outcome;
pub use settled::{Settled, settled};

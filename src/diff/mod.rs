//! Two records side by side: what moved, what is gone, what is still there.
//!
//! ```text
//!   BEFORE ──┐                             ┌── hops:      per source and phase, gone | stayed | new
//!            ├─ compare(before, after) ──> ┤
//!   AFTER  ──┘                             └── findings:  gone | still there | new
//! ```
//!
//! Pure. It knows records and nothing else: not how they came about, nor how a difference is shown.

mod hops;
mod text;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::record::{Finding, Record};
use crate::terms::{UnknownWord, words};

pub use hops::{Hops, Relay};
pub use text::render;

words! {
    /// What became of something between two records.
    Fate {
        /// It was there before, and is not any more.
        Gone = "gone",
        /// It is in both.
        Stayed = "stayed",
        /// It is there only now.
        New = "new",
    }
}

/// A finding, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingFate {
    /// What became of it.
    pub fate: Fate,
    /// As the later record that holds it has it.
    pub finding: Finding,
}

/// What differs between two records.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The platform whose hops must be gone.
    pub platform: String,
    /// Whether any hop of that platform is on a path of the later record.
    pub legacy: Legacy,
    /// Hops, source by source and phase by phase.
    pub hops: Vec<Hops>,
    /// Findings.
    pub findings: Vec<FindingFate>,
}

words! {
    /// Whether the legacy platform is still on the way.
    Legacy {
        /// No path leads through it.
        Gone = "gone",
        /// A path still does, or an error found before is still there.
        Still = "still-there",
        /// The later record holds no path and no finding that could tell.
        Unknown = "unknown",
    }
}

/// What differs between what was seen before and after. `platform` is the one that must be gone.
pub fn compare(before: &[Record], after: &[Record], platform: &str) -> Difference {
    let hops = hops::compare(before, after);
    let findings = findings(before, after);
    let on_path = hops
        .iter()
        .flat_map(|hops| &hops.relays)
        .any(|relay| relay.fate != Fate::Gone && relay.platform.as_deref() == Some(platform));
    let found = findings.iter().any(|it| it.fate != Fate::Gone && it.finding.platform.as_deref() == Some(platform));
    let told =
        after.iter().any(|record| record.examined() || record.phases.iter().any(|phase| !phase.probes.is_empty()));
    let legacy = match (on_path || found, told) {
        (true, _) => Legacy::Still,
        (false, true) => Legacy::Gone,
        (false, false) => Legacy::Unknown,
    };
    Difference { platform: platform.to_owned(), legacy, hops, findings }
}

fn findings(before: &[Record], after: &[Record]) -> Vec<FindingFate> {
    let all =
        |records: &[Record]| -> Vec<Finding> { records.iter().flat_map(|record| record.findings.clone()).collect() };
    let (before, after) = (all(before), all(after));
    let holds = |list: &[Finding], one: &Finding| list.iter().any(|other| same(other, one));
    let gone = before.iter().filter(|one| !holds(&after, one)).map(|one| (Fate::Gone, one));
    let now = after.iter().map(|one| (if holds(&before, one) { Fate::Stayed } else { Fate::New }, one));
    gone.chain(now).map(|(fate, finding)| FindingFate { fate, finding: finding.clone() }).collect()
}

/// Whether two findings speak of the same thing: lines may have moved and texts of servers changed.
fn same(one: &Finding, other: &Finding) -> bool {
    let place = |finding: &Finding| {
        let first = finding.evidence.first()?;
        Some(["file", "key", "value"].map(|key| first.get(key).cloned()))
    };
    one.id == other.id && one.subject == other.subject && one.platform == other.platform && {
        let (one_place, other_place) = (place(one), place(other));
        one_place == other_place || one.title == other.title
    }
}

#[cfg(test)]
mod tests;

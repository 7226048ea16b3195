//! What the facts mean: each check is a function of what was seen and of what was meant.
//!
//! ```text
//!   DomainFacts + Design + Inventory ──> mx_set, target, side, design, lifetime, sources,
//!                                        smtp, spf, client, report, sts ──> Sheet
//!   all domains of a cohort ───────────> cohort ───────────────────────────> Sheet
//! ```
//!
//! Pure: nothing is asked here, and what could not be seen is never held to be right.

mod client;
mod cohort;
mod coverage;
mod design;
mod lifetime;
mod mx_set;
mod policy;
mod report;
mod sheet;
mod side;
mod smtp;
mod sources;
mod spf;
mod sts;
mod target;

use jiff::Timestamp;

use super::facts::{DomainFacts, FromSource};
use super::gather::Parts;
use crate::inventory::{Domain, DomainPhase, Inventory, Platform};
use crate::record::{Coverage, Finding, FindingSeverity};

pub use cohort::cohorts;
pub use mx_set::{Class, class};
pub use sheet::Sheet;
pub use side::{Link, chain};

/// What was meant for a domain.
#[derive(Clone, Copy, Debug)]
pub struct Design<'a> {
    /// How far it has come; a domain that the inventory does not name has moved.
    pub phase: DomainPhase,
    /// The platform where its mail belongs.
    pub at: Option<&'a Platform>,
    /// All that the inventory says of it.
    pub domain: Option<&'a Domain>,
}

impl<'a> Design<'a> {
    /// What the inventory says of `name`, or of the closest domain above it: a subdomain moves with its
    /// domain.
    pub fn of(inventory: &'a Inventory, name: &str) -> Self {
        let exact = inventory.domains.get(name);
        let mut above = name;
        let mut closest = exact;
        while let (None, Some((_, rest))) = (closest, above.split_once('.')) {
            above = rest;
            closest = inventory.domains.get(rest);
        }
        let phase = closest.map_or(DomainPhase::Moved, |domain| domain.phase);
        let at = closest.and_then(|domain| inventory.platforms.get(&domain.at.value));
        Self { phase, at, domain: exact }
    }
}

/// Where names were looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// As the internet sees them, or is going to.
    Internet,
    /// On this machine only, as in a lab: every address is a loopback one.
    ThisMachine,
}

/// One domain to be judged.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// Who is who.
    pub inventory: &'a Inventory,
    /// What was seen.
    pub facts: &'a DomainFacts,
    /// What was meant.
    pub design: Design<'a>,
    /// What is wanted.
    pub parts: Parts,
    /// Where that was seen.
    pub ground: Ground,
    /// The time of day.
    pub now: Timestamp,
}

impl<'a> Case<'a> {
    /// How grave it is that the legacy platform is still named, where it would be `base` after the move:
    /// less while the move is under way, and nothing but to know before it.
    pub fn still_legacy(&self, base: FindingSeverity) -> FindingSeverity {
        match (self.design.phase, base) {
            (DomainPhase::Moved, base) => base,
            (DomainPhase::Moving, FindingSeverity::Error) => FindingSeverity::Warning,
            (DomainPhase::Moving | DomainPhase::Planned, _) => FindingSeverity::Info,
        }
    }

    /// The MX set that senders go by.
    pub fn mx(&self) -> Option<&'a FromSource> {
        self.facts.mx.first()
    }
}

/// Everything that is to be said of one domain, gravest first.
pub fn judge(case: &Case<'_>) -> (Vec<Finding>, Vec<Coverage>) {
    let mut sheet = Sheet::new(&case.facts.name);
    if case.parts.mx.is() {
        mx_set::check(case, &mut sheet);
        target::check(case, &mut sheet);
        side::check(case, &mut sheet);
        design::check(case, &mut sheet);
        lifetime::check(case, &mut sheet);
        sources::check(case, &mut sheet);
        smtp::check(case, &mut sheet);
    }
    if case.parts.leftovers.is() {
        spf::check(case, &mut sheet);
        client::check(case, &mut sheet);
        report::check(case, &mut sheet);
    }
    if case.parts.mta_sts.is() {
        sts::check(case, &mut sheet);
        policy::check(case, &mut sheet);
    }
    coverage::note(case, &mut sheet);
    sheet.finish()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

//! What a file can say and cannot mean.
//!
//! Decoding knows one value at a time; here the parts are held against each other: names that
//! nothing has, faults that cannot be, expectations that contradict each other, a lab that does not
//! hold together. A mistake makes the scenario unusable; a warning says that it may not mean what
//! its writer thinks.

mod address;
mod expect;
mod fault;
mod lab;
mod names;
mod phase;
mod platform;
mod policy;
mod proxy;
mod sender;
mod shadow;
mod zone;

use std::collections::BTreeSet;

pub(super) use fault::{of_a_drill, standing_alone};
pub(super) use shadow::hides;

use super::Scenario;
use crate::source::read::Said;
use crate::source::{Diagnostic, Remark};

/// The files that a scenario was read from, and what is said about each.
#[derive(Debug)]
pub(super) struct Files {
    /// The scenario.
    pub(super) scenario: Said,
    /// The inventory, where one was given.
    pub(super) inventory: Option<Said>,
    /// The platforms that stand in the inventory.
    pub(super) theirs: BTreeSet<String>,
}

impl Files {
    /// Says something about the scenario.
    fn say(&mut self, said: Diagnostic) {
        self.scenario.say(said);
    }

    /// Says something about the file in which a platform stands.
    fn say_of_platform(&mut self, platform: &str, said: Diagnostic) {
        match &mut self.inventory {
            Some(inventory) if self.theirs.contains(platform) => inventory.say(said),
            _ => self.scenario.say(said),
        }
    }

    /// Whether a file cannot be used.
    pub(super) fn have_errors(&self) -> bool {
        self.scenario.has_errors() || self.inventory.as_ref().is_some_and(Said::has_errors)
    }

    /// Everything that was said, about the scenario first.
    pub(super) fn into_remarks(self) -> Vec<Remark> {
        let mut remarks = self.scenario.into_remarks();
        remarks.extend(self.inventory.map(Said::into_remarks).unwrap_or_default());
        remarks
    }
}

/// Holds the parts of a scenario against each other. The scenario may be a draft with holes:
/// nothing is said about those again.
pub(super) fn check(scenario: &Scenario, files: &mut Files) {
    address::check(scenario, files);
    platform::check(scenario, files);
    proxy::check(scenario, files);
    sender::check(scenario, files);
    policy::check(scenario, files);
    if let Some(lab) = &scenario.lab {
        lab::check(scenario, lab, files);
        zone::check(scenario, lab, files);
    }
    phase::check(scenario, files);
    for phase in &scenario.phases {
        fault::check(scenario, phase, files);
        shadow::check(phase, files);
    }
    expect::check(scenario, files);
}

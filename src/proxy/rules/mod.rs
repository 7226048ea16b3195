//! Which fault, if any, meets a moment of a session.
//!
//! ```text
//!   Facts (stage, tag, client, envelope, time) ──> Rules::decide ──> the first Rule that fires
//! ```
//!
//! A [`Rules`] is what is in force at one time. It is replaced as a whole, never changed, but for
//! the counters inside of its rules.

mod rule;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::mail::Stage;
use crate::world::Dice;

pub use rule::{Armed, OfRun, PhaseOf};
pub(super) use rule::{Facts, Rule, Serves};

/// What is in force, in file order.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<Arc<Rule>>,
    /// One bit a stage.
    stages: u16,
    told_of_tls: AtomicBool,
}

impl Rules {
    /// These faults. A fault that was in force before keeps its counters.
    pub(super) fn new(faults: Vec<Armed>, before: &Rules) -> Self {
        let keep = |armed: Armed| {
            let known = before.rules.iter().find(|rule| rule.is(&armed));
            known.cloned().unwrap_or_else(|| Arc::new(Rule::new(armed)))
        };
        let rules: Vec<Arc<Rule>> = faults.into_iter().map(keep).collect();
        let stages = rules.iter().filter(|rule| !rule.before_accept()).fold(0, |set, rule| set | bit(rule.stage()));
        Self { rules, stages, told_of_tls: AtomicBool::new(false) }
    }

    /// Whether some fault might meet an accepted connection.
    pub(super) fn any(&self) -> bool {
        self.stages != 0
    }

    /// Whether a fault stands at one of these stages.
    pub(super) fn at_any(&self, stages: &[Stage]) -> bool {
        stages.iter().any(|stage| self.stages & bit(*stage) != 0)
    }

    /// Whether this very rule is in force.
    pub(super) fn hold(&self, rule: &Arc<Rule>) -> bool {
        self.rules.iter().any(|it| Arc::ptr_eq(it, rule))
    }

    /// Those that act before a connection is accepted.
    pub(super) fn before_accept(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter().filter(|rule| rule.before_accept())
    }

    /// The first in file order that fires. Each that fits counts the occurrence, also behind one
    /// that fires.
    pub(super) fn decide(&self, facts: &Facts<'_>, dice: Dice) -> Option<Arc<Rule>> {
        if !self.at_any(&[facts.stage]) {
            return None;
        }
        let mut first = None;
        for rule in self.rules.iter().filter(|rule| !rule.before_accept()) {
            let fires = rule.fires(facts, dice);
            if fires && first.is_none() {
                first = Some(Arc::clone(rule));
            }
        }
        first
    }

    /// Those that may yet meet this session behind STARTTLS.
    fn inside<'a>(&'a self, facts: &'a Facts<'a>) -> impl Iterator<Item = &'a Arc<Rule>> {
        self.rules.iter().filter(|rule| rule.may_fire_inside(facts))
    }

    /// Whether some fault may yet meet this session behind STARTTLS.
    pub(super) fn any_inside(&self, facts: &Facts<'_>) -> bool {
        self.inside(facts).next().is_some()
    }

    /// Says once that faults behind STARTTLS cannot fire.
    pub(super) fn tell_of_tls(&self, facts: &Facts<'_>) -> Option<String> {
        let blind: Vec<String> = self.inside(facts).map(|rule| format!("`{}`", rule.fault())).collect();
        if blind.is_empty() || self.told_of_tls.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(format!(
            "a client went on with STARTTLS, behind which the proxy sees nothing: {} cannot fire there",
            blind.join(", ")
        ))
    }
}

fn bit(stage: Stage) -> u16 {
    1 << stage as u16
}

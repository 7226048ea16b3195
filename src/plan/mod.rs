//! What a run will do, before it does anything: probes, controls, deadlines, and every host and
//! port that it would contact.
//!
//! ```text
//!   Scenario + seed + run id ── expand ──> Plan { phases, controls, contacts }
//! ```
//!
//! Pure. The same scenario, seed and run id give the same plan, so that a journal can be judged
//! long after its run.

mod contact;
mod expand;

use std::sync::Arc;
use std::time::Duration;

use crate::mail::Address;
use crate::record::{RunId, Tag};
use crate::scenario::Scenario;

pub use contact::{Contact, Reach};
pub use expand::expand;

/// What a run will do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The run's id.
    pub run: RunId,
    /// The seed.
    pub seed: u64,
    /// One direct probe to each host where mail can land.
    pub controls: Vec<ControlProbe>,
    /// In the scenario's order.
    pub phases: Vec<PlannedPhase>,
    /// Everything that would be contacted.
    pub contacts: Vec<Contact>,
}

impl Plan {
    /// The probe of this tag.
    pub fn probe(&self, tag: &Tag) -> Option<&Probe> {
        self.phases.iter().flat_map(|phase| &phase.probes).find(|probe| &probe.tag == tag)
    }

    /// The phase that a tag's probe belongs to, by index; none for controls.
    pub fn phase_of(&self, tag: &Tag) -> Option<usize> {
        self.phases.iter().position(|phase| phase.probes.iter().any(|probe| &probe.tag == tag))
    }

    /// The probes that phase `index` judges: its own, or an earlier phase's.
    pub fn judged(&self, index: usize) -> &[Probe] {
        self.phases.get(self.phases[index].judges).map_or(&[], |phase| &phase.probes)
    }
}

/// A probe sent straight to a host, to see whether mail is seen there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlProbe {
    /// Its tag.
    pub tag: Tag,
    /// The platform under control.
    pub platform: String,
    /// The host that it is sent to.
    pub host: String,
    /// Its recipient.
    pub recipient: Address,
    /// Its reverse-path.
    pub reverse_path: Address,
}

/// A phase, expanded.
#[derive(Clone, Debug)]
pub struct PlannedPhase {
    /// Its index in the scenario.
    pub index: usize,
    /// The phase whose probes it judges, by index; its own where it has probes.
    pub judges: usize,
    /// Its own probes, in the order in which they leave.
    pub probes: Vec<Probe>,
    /// How long a probe may take from its first attempt: the longest `within`.
    pub within: Duration,
    /// How long `never` and `copies` are watched after a probe arrived; none in a lab, which
    /// accounts for every copy.
    pub watch: Option<Duration>,
}

/// One probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// From 1, over the whole run.
    pub number: u32,
    /// Its tag.
    pub tag: Tag,
    /// Its sender's name.
    pub sender: String,
    /// Its recipient.
    pub recipient: Address,
    /// More recipients of the same transaction.
    pub also: Vec<Address>,
    /// Its reverse-path, with the tag.
    pub reverse_path: Address,
    /// The size of its message in bytes, at least.
    pub size: u64,
}

/// A plan that is shared by the rooms of a run.
pub type SharedPlan = Arc<Plan>;

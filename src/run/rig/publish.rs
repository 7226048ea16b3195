//! What a lab publishes, phase by phase: zones, and MTA-STS policies.

use indexmap::IndexMap;

use super::super::{Kind, RunError};
use super::Rig;
use crate::lab::with_records;
use crate::scenario::{LabPolicy, Scenario};
use crate::source::Spanned;

impl Rig {
    /// Publishes what phase `index` says, before anything of it is sent. What earlier phases
    /// published stays.
    ///
    /// # Errors
    /// Where a zone cannot be served, or a certificate cannot be made.
    pub(in super::super) fn publish(&self, index: usize) -> Result<(), RunError> {
        let scenario = &self.plan.scenario;
        if scenario.phases[index].publish.is_none() {
            return Ok(());
        }
        let (zones, policies) = published(scenario, index);
        if let Some(authority) = &self.authority {
            let zones = with_records(&zones, &policies);
            authority.publish(&zones).map_err(|error| RunError::new(Kind::Harness, error))?;
        }
        match &self.policies {
            Some(hosts) => hosts.show(&policies).map_err(|error| RunError::new(Kind::Harness, error)),
            None => Ok(()),
        }
    }
}

/// What is published in phase `index`: the lab's own, as the phases up to it have changed that.
fn published(scenario: &Scenario, index: usize) -> (IndexMap<String, Spanned<String>>, IndexMap<String, LabPolicy>) {
    let lab = scenario.lab.as_ref();
    let mut zones = lab.map(|lab| lab.zones.clone()).unwrap_or_default();
    let mut policies = lab.map(|lab| lab.policies.clone()).unwrap_or_default();
    for publish in scenario.phases.iter().take(index + 1).filter_map(|it| it.publish.as_ref()) {
        zones.extend(publish.zones.clone());
        policies.extend(publish.policies.clone());
    }
    (zones, policies)
}

//! `mxdrill check`: read scenarios, say everything that is wrong with them, run nothing.

use super::arguments::{Common, Paths};
use super::{Exit, Screen, files};
use crate::source::plural;

pub(super) fn check(screen: &Screen, common: &Common, wanted: &Paths) -> Exit {
    let loaded = match files::load(screen, &wanted.paths, common.inventory.as_deref()) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    for one in &loaded {
        let scenario = &one.scenario;
        let probes: u64 =
            scenario.phases.iter().filter_map(|it| it.probes.as_ref()).map(|it| u64::from(it.count)).sum();
        let mut line = format!(
            "{}: {}, {}, {}",
            scenario.source.name,
            plural(scenario.phases.len(), "phase"),
            plural(probes as usize, "probe"),
            plural(scenario.faults().count(), "fault"),
        );
        if !one.warnings.is_empty() {
            line.push_str(&format!(", {}", plural(one.warnings.len(), "warning")));
        }
        line.push('\n');
        if !common.quiet {
            screen.result(&line);
        }
    }
    Exit::Clean
}

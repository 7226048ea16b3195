//! Which way each sender's probes took, side by side.

use crate::plan::{Plan, Probe};
use crate::record::{Hop, ProbeRecord, Source, Stop, Way};

/// One entry a sender of the judged probes, in the scenario's order; nothing where there is one
/// sender only.
pub(super) fn sources(plan: &Plan, judged: &[Probe], records: &[ProbeRecord]) -> Vec<Source> {
    let mut sources: Vec<Source> = vec![];
    for (name, sender) in &plan.scenario.senders {
        let own: Vec<&ProbeRecord> =
            judged.iter().zip(records).filter(|(probe, _)| probe.sender == *name).map(|(_, record)| record).collect();
        let Some(verdict) = own.iter().map(|probe| probe.verdict).reduce(|worst, next| worst.worst(next)) else {
            continue;
        };
        let kind = sender.kind.word().to_owned();
        sources.push(Source { sender: name.clone(), kind, verdict, ways: ways(&own) });
    }
    if sources.len() > 1 { sources } else { vec![] }
}

/// The different ways, in the order in which they were first taken.
fn ways(probes: &[&ProbeRecord]) -> Vec<Way> {
    let mut ways: Vec<Way> = vec![];
    for probe in probes {
        let stops: Vec<Stop> = probe.path.iter().map(stop).collect();
        match ways.iter_mut().find(|way| way.stops == stops && way.outcome == probe.outcome) {
            Some(way) => way.probes += 1,
            None => ways.push(Way { stops, outcome: probe.outcome, probes: 1 }),
        }
    }
    ways
}

fn stop(hop: &Hop) -> Stop {
    Stop { host: hop.by.clone(), platform: hop.platform.clone() }
}

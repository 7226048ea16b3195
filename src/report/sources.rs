//! Which way the probes of each sender took, side by side: a row a way.

use super::prose::tame;
use crate::record::{PhaseRecord, Stop, Way};
use crate::terms::Verdict;

/// A way of one sender's probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SourceRow {
    pub(super) verdict: Verdict,
    pub(super) sender: String,
    /// Its kind, such as `submission`.
    pub(super) kind: String,
    /// Host by host, with platforms.
    pub(super) way: String,
    pub(super) outcome: String,
    /// How many went this way.
    pub(super) probes: usize,
}

/// All ways of a phase, sender by sender; none where there is but one sender.
pub(super) fn rows(phase: &PhaseRecord) -> Vec<SourceRow> {
    let of = |source: &crate::record::Source, way: &Way| SourceRow {
        verdict: source.verdict,
        sender: tame(&source.sender),
        kind: tame(&source.kind),
        way: stops(way),
        outcome: outcome(way),
        probes: way.probes,
    };
    phase.sources.iter().flat_map(|source| source.ways.iter().map(move |way| of(source, way))).collect()
}

/// What became of the probes that went this way.
pub(super) fn outcome(way: &Way) -> String {
    way.outcome.map_or("not sent".to_owned(), |outcome| outcome.to_string())
}

/// Host by host.
pub(super) fn stops(way: &Way) -> String {
    match way.stops.as_slice() {
        [] => "no way is known".to_owned(),
        stops => stops.iter().map(stop).collect::<Vec<_>>().join(" > "),
    }
}

fn stop(at: &Stop) -> String {
    let platform = at.platform.as_ref().map(|it| format!(" (`{}`)", tame(it))).unwrap_or_default();
    format!("{}{platform}", tame(&at.host))
}

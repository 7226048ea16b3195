//! Phases and their probes.

use std::time::Duration;

use super::expect::expectation;
use super::fault::fault;
use super::hole;
use crate::scenario::{Judged, Phase, Probes};
use crate::source::read::{Fields, Said, list, number, one_or_list, rate, size, spanned, text};
use crate::source::yaml::Node;

/// The most probes of one phase and sender.
const MOST_PROBES: u64 = 10_000;
/// The largest probe.
const LARGEST_PROBE: u64 = 32 << 20;
/// The size of a probe where nothing is said.
const USUAL_SIZE: u64 = 1 << 10;
/// The most probes under way at once.
const MOST_AT_ONCE: u64 = 1_000;

/// One entry of `phases`.
pub(super) fn phase(node: &Node, said: &mut Said) -> Option<Phase> {
    let mut map = Fields::of(node, "a phase", said)?;
    let name = map.required("name", spanned(text)).unwrap_or_else(hole);
    let faults = map.optional("faults", list(fault)).unwrap_or_default();
    let probes = map.optional("probes", probes);
    let expect = map.required("expect", one_or_list(expectation)).unwrap_or_default();
    map.done();
    let (expect, earlier): (Vec<_>, Vec<_>) = expect.into_iter().unzip();
    let judged = earlier.into_iter().flatten().next().map_or(Judged::Own, Judged::Earlier);
    Some(Phase { name, faults, probes, expect, judged, span: node.span })
}

fn probes(node: &Node, said: &mut Said) -> Option<Probes> {
    let mut map = Fields::of(node, "a phase's `probes`", said)?;
    let probes = Probes {
        span: node.span,
        count: map.optional("count", number(1..=MOST_PROBES)).unwrap_or(1),
        from: map.several("from", spanned(text)),
        size: map.optional("size", size(1..=LARGEST_PROBE)).unwrap_or(USUAL_SIZE),
        interval: map.optional::<Duration>("rate", rate),
        at_once: map.optional("at-once", number(1..=MOST_AT_ONCE)),
        recipient: map.optional("recipient", spanned(text)),
    };
    map.done();
    Some(probes)
}

//! Phases and their probes.

use std::time::Duration;

use super::expect::expectation;
use super::fault::fault;
use super::hole;
use super::letter::letter;
use super::policy::publish;
use crate::scenario::{Expectation, Judged, Phase, Probes};
use crate::source::read::{Fields, Said, at_most, filled, list, number, one_or_list, rate, size, spanned, text};
use crate::source::yaml::Node;
use crate::source::{Diagnostic, Span, Spanned};

/// The most faults of a phase.
const MOST_FAULTS: usize = 200;
/// The most expectations of a phase, whose keys are entries where there is one alone.
const MOST_EXPECTATIONS: usize = 200;
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
    let publish = map.optional("publish", publish);
    let faults = map.optional("faults", at_most(MOST_FAULTS, list(fault))).unwrap_or_default();
    let probes = map.optional("probes", probes);
    let sends = map.has("probes");
    let expect = map.required("expect", at_most(MOST_EXPECTATIONS, filled(one_or_list(expectation))));
    let span = map.key_span("name");
    map.done();
    let (expect, earlier): (Vec<_>, Vec<_>) = expect.into_iter().flatten().unzip();
    let judged = judged(sends, &expect, earlier, span, said);
    Some(Phase { name, publish, faults, probes, expect, judged, span: node.span })
}

/// Whose probes are judged: the phase's own, or those of the one earlier phase that is named.
fn judged(
    sends: bool,
    expect: &[Expectation],
    earlier: Vec<Option<Spanned<String>>>,
    span: Span,
    said: &mut Said,
) -> Judged {
    let whole = earlier.iter().filter(|name| name.is_none()).count();
    let mut names = earlier.into_iter().flatten();
    let Some(first) = names.next() else {
        // Without an expectation that was read, the one that names the phase may be missing.
        if !sends && !expect.is_empty() {
            said.say(
                Diagnostic::error(span, "the phase has no probes to judge")
                    .help("add `probes: { count: 3 }`, or `probes: PHASE` in `expect` to judge an earlier phase's"),
            );
        }
        return Judged::Own;
    };
    if sends {
        let title = "the phase sends probes of its own and judges those of another";
        said.say(Diagnostic::error(first.span, title).help("make two phases of it"));
    } else if whole > 0 {
        let title = "some entries of `expect` name a phase and others do not";
        said.say(Diagnostic::error(first.span, title).help(format!("write `probes: {}` in each", first.value)));
    }
    for other in names.filter(|name| *name != first) {
        let title = "one phase cannot judge the probes of two others";
        said.say(
            Diagnostic::error(other.span, title).context(first.span, "the first one").help("make two phases of it"),
        );
    }
    Judged::Earlier(first)
}

fn probes(node: &Node, said: &mut Said) -> Option<Probes> {
    let mut map = Fields::of(node, "a phase's `probes`", said)?;
    let letter = letter(&mut map);
    let probes = Probes {
        span: node.span,
        count: map.optional("count", number(1..=MOST_PROBES)).unwrap_or(1),
        from: map.several("from", spanned(text)),
        size: map.optional("size", size(1..=LARGEST_PROBE)).unwrap_or(USUAL_SIZE),
        interval: map.optional::<Duration>("rate", rate),
        at_once: map.optional("at-once", number(1..=MOST_AT_ONCE)),
        recipient: map.optional("recipient", spanned(text)),
        letter,
    };
    map.done();
    Some(probes)
}

//! Expectations.

use crate::inventory::decode::host_name;
use crate::scenario::Expectation;
use crate::source::Spanned;
use crate::source::read::{Fields, Said, duration, number, spanned, text, word};
use crate::source::yaml::Node;
use crate::terms::{Family, Outcome, TlsDemand};

/// The most copies of one probe that can be expected.
const MOST_COPIES: u64 = 1_000;

/// One entry of `expect`, and the earlier phase that it names, if it does.
pub(super) fn expectation(node: &Node, said: &mut Said) -> Option<(Expectation, Option<Spanned<String>>)> {
    let mut map = Fields::of(node, "an expectation", said)?;
    let earlier = map.optional("probes", spanned(text));
    let expectation = Expectation {
        span: node.span,
        from: map.optional("from", spanned(text)),
        at: map.several("at", spanned(text)),
        host: map.several("host", spanned(host_name)),
        never: map.several("never", spanned(text)),
        via: map.several("via", spanned(text)),
        not_via: map.several("not-via", spanned(text)),
        within: map.optional("within", spanned(duration)),
        watch: map.optional("watch", spanned(duration)),
        copies: map.optional("copies", spanned(number(1..=MOST_COPIES))),
        outcome: map.several("outcome", spanned(word("an outcome", "outcomes", Outcome::ALL, Outcome::word))),
        tls: map.optional("tls", spanned(word("a demand on TLS", "demands", TlsDemand::ALL, TlsDemand::word))),
        family: map.optional("family", spanned(word("an address family", "families", Family::ALL, Family::word))),
    };
    map.done();
    Some((expectation, earlier))
}

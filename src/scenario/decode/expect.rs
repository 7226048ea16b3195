//! Expectations.

use crate::inventory::decode::host_name;
use crate::scenario::Expectation;
use crate::source::read::{Fields, Said, duration, number, spanned, text, word};
use crate::source::yaml::Node;
use crate::source::{Diagnostic, Spanned, or_list};
use crate::terms::{Family, Outcome, TlsDemand};

/// The most copies of one probe that can be expected.
const MOST_COPIES: u64 = 1_000;

/// Keys one of which must be there.
const DEMANDS: &[&str] = &["at", "host", "never", "via", "not-via", "copies", "outcome", "tls", "family"];

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
        copies: map.optional("copies", spanned(number(0..=MOST_COPIES))),
        outcome: map.several("outcome", spanned(word("an outcome", "outcomes", Outcome::ALL, Outcome::word))),
        tls: map.optional("tls", spanned(word("a demand on TLS", "demands", TlsDemand::ALL, TlsDemand::word))),
        family: map.optional("family", spanned(word("an address family", "families", Family::ALL, Family::word))),
    };
    if !DEMANDS.iter().any(|key| map.has(key)) {
        let names: Vec<String> = DEMANDS.iter().map(|key| format!("`{key}`")).collect();
        let said = Diagnostic::error(map.span(), "this expectation demands nothing, so nothing can fail it");
        map.say(said.help(format!("add {}", or_list(&names))));
    }
    map.done();
    Some((expectation, earlier))
}

//! From a YAML tree to a scenario, one file a part of it.
//!
//! What is read is a draft: where a part has a mistake, its place is held by something harmless,
//! so that the rest can still be checked against it and all mistakes are found at once. A draft
//! in which anything was wrong is never given out.

mod dns;
mod expect;
mod fault;
mod lab;
mod letter;
mod phase;
mod policy;
mod sender;
mod value;
mod ways;
mod when;

pub(super) use fault::{fault, on_host};

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;

use super::{Defaults, Limits, Scenario, Timeouts};
use crate::inventory::decode::{host_name, platforms};
use crate::source::read::{Fields, Said, at_most, entries, filled, lasting, list, number, rate, spanned, text, word};
use crate::source::yaml::Node;
use crate::source::{Diagnostic, Span, Spanned};
use crate::terms::{Smuggling, Verdict};

/// The most phases.
const MOST_PHASES: usize = 200;
/// The most senders, and standing proxies.
const MOST_SENDERS: usize = 200;
/// The most probes of a run: tags number them in five digits.
const MOST_PROBES: u64 = 99_999;
/// The longest that one step of a session may take.
const LONGEST_STEP: Duration = Duration::from_secs(3_600);
/// The longest wait between two rounds of attempts.
const LONGEST_RETRY: Duration = Duration::from_secs(86_400);

/// Reads a scenario as far as it can be read. Only its errors say whether it is whole.
pub(super) fn scenario(node: &Node, said: &mut Said) -> Option<Scenario> {
    let mut map = Fields::of(node, "a scenario", said)?;
    let name = map.required("name", spanned(text));
    let domain = map.required("domain", spanned(host_name)).unwrap_or_else(hole);
    let recipient = map.optional("recipient", spanned(text));
    let sender = map.optional("sender", spanned(value::address));
    let verdict = map.optional("verdict", spanned(word("a verdict", "verdicts", Verdict::ALL, Verdict::word)));
    let seed = map.optional("seed", number(0..=u64::MAX));
    let smuggling = map.optional("smuggling", smuggling).unwrap_or(Smuggling::Pass);
    let defaults = if map.has("lab") { Defaults::Lab } else { Defaults::Rfc5321 };
    let timeouts = map.optional("timeouts", |node: &Node, said: &mut Said| timeouts(node, defaults, said));
    let inventory = map.optional("platforms", platforms).unwrap_or_default();
    let lab = map.optional("lab", lab::lab);
    let senders = map
        .optional("senders", at_most(MOST_SENDERS, filled(entries(sender::sender))))
        .unwrap_or_else(|| vec![sender::direct()]);
    let proxies = map.optional("proxies", at_most(MOST_SENDERS, entries(sender::proxy))).unwrap_or_default();
    let limits = map.optional("limits", limits).unwrap_or_default();
    let recipients = map.optional("recipients", list(spanned(value::address))).unwrap_or_default();
    let phases = map.required("phases", at_most(MOST_PHASES, filled(list(phase::phase)))).unwrap_or_default();
    if defaults == Defaults::Rfc5321 && !map.has("sender") {
        ask_for_sender(&mut map);
    }
    map.done();
    let lab_sender = Spanned::new(LAB_SENDER.parse().ok()?, Span::default());
    Some(Scenario {
        source: said.source().clone(),
        name: name.unwrap_or_else(hole),
        recipient: recipient.unwrap_or_else(|| domain.clone().map(|domain| format!("mxdrill@{domain}"))),
        domain,
        sender: sender.unwrap_or(lab_sender),
        verdict,
        seed,
        smuggling,
        timeouts: timeouts.unwrap_or_else(|| Timeouts::of(defaults)),
        inventory,
        lab,
        limits,
        recipients,
        senders: senders.into_iter().map(|sender| (sender.name.value.clone(), sender)).collect(),
        proxies: proxies.into_iter().map(|proxy| (proxy.host.value.clone(), proxy)).collect::<IndexMap<_, _>>(),
        phases,
    })
}

/// What becomes of CR and LF that stand alone.
pub(crate) fn smuggling(node: &Node, said: &mut Said) -> Option<Smuggling> {
    let what = "something that can be done with CR and LF that stand alone";
    word(what, "things that can be done with them", Smuggling::ALL, Smuggling::word)(node, said)
}

/// What stands where a name is missing. Checks leave it alone.
fn hole() -> Spanned<String> {
    Spanned::new(String::new(), Span::default())
}

/// The reverse-path in a lab that names none; `example` is reserved (RFC 2606).
const LAB_SENDER: &str = "mxdrill@sender.example";

/// A lab needs no real reverse-path. Elsewhere bounces go to it, and SPF is judged by it.
fn ask_for_sender(map: &mut Fields<'_>) {
    let error = Diagnostic::error(map.key_span("name"), "a scenario without `lab` needs a `sender`");
    map.say(
        error
            .note("it is the reverse-path of the probes: bounces go there, and SPF is judged by its domain")
            .help("add `sender: mxdrill@DOMAIN` with a domain of yours"),
    );
}

fn limits(node: &Node, said: &mut Said) -> Option<Limits> {
    let mut map = Fields::of(node, "limits", said)?;
    let probes = map.optional("probes", spanned(number(1..=MOST_PROBES)));
    let interval = map.optional("rate", spanned(rate));
    map.done();
    Some(Limits { probes, interval })
}

fn timeouts(node: &Node, defaults: Defaults, said: &mut Said) -> Option<Timeouts> {
    let step = || lasting(Duration::from_millis(1)..=LONGEST_STEP);
    let retry = lasting(Duration::from_millis(10)..=LONGEST_RETRY);
    let mut timeouts = Timeouts::of(defaults);
    let mut stated = BTreeSet::new();
    let mut map = Fields::of(node, "timeouts", said)?;
    for (key, slot) in [
        ("connect", &mut timeouts.connect),
        ("banner", &mut timeouts.banner),
        ("ehlo", &mut timeouts.ehlo),
        ("mail", &mut timeouts.mail),
        ("rcpt", &mut timeouts.rcpt),
        ("data", &mut timeouts.data),
        ("body", &mut timeouts.body),
        ("eom", &mut timeouts.eom),
    ] {
        if let Some(limit) = map.optional(key, step()) {
            *slot = limit;
            stated.insert(key);
        }
    }
    if let Some(retry) = Some(map.several("retry", retry)).filter(|it| !it.is_empty()) {
        timeouts.retry = retry;
        stated.insert("retry");
    }
    timeouts.stated = stated;
    map.done();
    Some(timeouts)
}

//! Expectations that can be met, can fail, and can be decided.

use super::{Files, names};
use crate::inventory::{Platform, Role};
use crate::scenario::{Expectation, LabHostKind, Scenario};
use crate::source::{Diagnostic, Spanned, closest};
use crate::terms::Outcome;

pub(super) fn check(scenario: &Scenario, files: &mut Files) {
    for expected in scenario.phases.iter().flat_map(|phase| &phase.expect) {
        unknown_names(scenario, expected).into_iter().for_each(|said| files.say(said));
        let said = [
            contradiction(expected),
            nowhere_at_rest(expected),
            no_copies(expected),
            family(scenario, expected),
            idle_watch(expected),
        ];
        said.into_iter().flatten().for_each(|said| files.say(said));
        let blind = expected.never.iter().chain(&expected.not_via).filter_map(|it| unprovable(scenario, it));
        let unseen = expected.at.iter().filter_map(|it| unseen(scenario, it));
        blind.chain(unseen).for_each(|said| files.say(said));
    }
}

fn unknown_names(scenario: &Scenario, expected: &Expectation) -> Vec<Diagnostic> {
    let platforms = expected.at.iter().chain(&expected.never).filter_map(|it| names::platform(it, scenario));
    let hosts = expected.host.iter().filter_map(|it| names::host(it, scenario));
    let ways = expected.via.iter().chain(&expected.not_via).filter_map(|it| way(it, scenario));
    platforms.chain(hosts).chain(ways).collect()
}

/// `via` names a platform or any host, also one that nobody lists; a platform has no dot.
fn way(name: &Spanned<String>, scenario: &Scenario) -> Option<Diagnostic> {
    let mut known: Vec<&str> = scenario.inventory.platforms.keys().map(String::as_str).collect();
    let of_lab = scenario.lab.iter().flat_map(|lab| lab.hosts.keys().map(String::as_str));
    for host in names::platform_hosts(&scenario.inventory).into_iter().chain(of_lab) {
        if !known.contains(&host) {
            known.push(host);
        }
    }
    if known.contains(&name.as_str()) || scenario.inventory.of_name(name).is_some() {
        return None;
    }
    let near = closest(name, known.iter().copied());
    (near.is_some() || !name.contains('.'))
        .then(|| names::unknown(name, "a platform or host of this scenario", "platforms and hosts", &known))
}

/// What must be and must not be at once.
fn contradiction(expected: &Expectation) -> Option<Diagnostic> {
    let pairs = [("at", &expected.at, "never", &expected.never), ("via", &expected.via, "not-via", &expected.not_via)];
    pairs.into_iter().find_map(|(yes, wanted, no, unwanted)| {
        let both = unwanted.iter().find(|it| wanted.contains(it))?;
        let first = wanted.iter().find(|it| *it == both)?;
        let title = format!("`{}` stands under both `{yes}` and `{no}`", both.value);
        Some(Diagnostic::error(both.span, title).context(first.span, "first here"))
    })
}

/// Outcomes of probes that are at rest somewhere.
const AT_REST: [Outcome; 3] = [Outcome::Delivered, Outcome::Filtered, Outcome::Duplicated];

fn none_at_rest(expected: &Expectation) -> Option<&Spanned<Outcome>> {
    expected.outcome.first().filter(|_| expected.outcome.iter().all(|it| !AT_REST.contains(it)))
}

fn nowhere_at_rest(expected: &Expectation) -> Option<Diagnostic> {
    let (outcome, at) = (none_at_rest(expected)?, expected.at.first()?);
    let title = format!("a probe that is {} is not at `{}`", outcome.value, at.value);
    Some(
        Diagnostic::error(outcome.span, title)
            .context(at.span, "expected here")
            .note("`at` is where a probe ends, as delivered, filtered or duplicated"),
    )
}

fn no_copies(expected: &Expectation) -> Option<Diagnostic> {
    let copies = expected.copies.as_ref()?;
    if copies.value == 0 {
        // Nothing at rest while it is watched, such as mail that a backup holds.
        let at = expected.at.first()?;
        let title = format!("a probe that ends at `{}` has a copy there", at.value);
        return Some(Diagnostic::error(copies.span, title).context(at.span, "expected here"));
    }
    let outcome = none_at_rest(expected)?;
    let title = format!("a probe that is {} has no copies to count", outcome.value);
    Some(Diagnostic::error(copies.span, title).context(outcome.span, "expected here"))
}

fn family(scenario: &Scenario, expected: &Expectation) -> Option<Diagnostic> {
    let (lab, family) = (scenario.lab.as_ref()?, expected.family.as_ref()?);
    (!lab.families.contains(family)).then(|| {
        let title = format!("the lab's hosts have no {} addresses", family.value);
        Diagnostic::error(family.span, title).help("add `families: [v4, v6]` to `lab`")
    })
}

fn idle_watch(expected: &Expectation) -> Option<Diagnostic> {
    let watch = expected.watch.as_ref()?;
    (!expected.wants_absence()).then(|| {
        Diagnostic::warning(watch.span, "`watch` has nothing to watch")
            .note("it says how long `never` and `copies` must hold")
    })
}

/// Absence that nothing can prove: no mailbox or log to look into, no host that could refuse.
fn unprovable(scenario: &Scenario, name: &Spanned<String>) -> Option<Diagnostic> {
    let platform = scenario.inventory.platforms.get(&name.value)?;
    let asked = platform.role != Role::Transit && platform.hosts.iter().any(|host| is_there(scenario, host));
    if asked || !platform.collectors.is_empty() {
        return None;
    }
    let title = format!("nothing can prove that no mail reached `{}`", name.value);
    Some(
        Diagnostic::warning(name.span, title)
            .note("absence needs a host that is sent a control probe, or a collector; this can only be inconclusive")
            .help(format!("give `{}` a collector, or hosts", name.value)),
    )
}

/// Whether a control probe can be sent to a host: one of the lab, or any in the real world.
fn is_there(scenario: &Scenario, host: &str) -> bool {
    scenario.lab.as_ref().is_none_or(|lab| lab.hosts.contains_key(host))
}

/// Mail that nobody could see at its end.
fn unseen(scenario: &Scenario, name: &Spanned<String>) -> Option<Diagnostic> {
    let platform = scenario.inventory.platforms.get(&name.value)?;
    if platform.role == Role::Transit {
        let title = format!("no mail ends at `{}`: its role is transit", name.value);
        return Some(Diagnostic::error(name.span, title).help(format!("write `via: {}`", name.value)));
    }
    (platform.collectors.is_empty() && !has_store(scenario, platform)).then(|| {
        let title = format!("nobody looks for mail at `{}`", name.value);
        Diagnostic::warning(name.span, title).help(format!("give `{}` a collector", name.value))
    })
}

/// A store of the lab is a collector of its platform.
fn has_store(scenario: &Scenario, platform: &Platform) -> bool {
    let hosts = scenario.lab.iter().flat_map(|lab| lab.hosts.values());
    let stores = hosts.filter(|host| matches!(host.kind, LabHostKind::Store));
    stores.into_iter().any(|host| platform.has_name(&host.name))
}

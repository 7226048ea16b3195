//! Phases: their names, whose probes they judge, and how many there are.

use super::{Files, names};
use crate::scenario::{Judged, Phase, Scenario};
use crate::source::read::grouped;
use crate::source::{Diagnostic, Spanned};

/// The most probes of a run: tags number them in five digits.
const MOST: u64 = 99_999;

pub(super) fn check(scenario: &Scenario, files: &mut Files) {
    for (index, phase) in scenario.phases.iter().enumerate() {
        let before = &scenario.phases[..index];
        if let Some(first) = before.iter().find(|it| it.name == phase.name && !it.name.is_empty()) {
            let title = format!("two phases have the name `{}`", phase.name.value);
            files.say(Diagnostic::error(phase.name.span, title).context(first.name.span, "first here"));
        }
        if let Judged::Earlier(name) = &phase.judged
            && let Some(said) = earlier(name, phase, before, &scenario.phases[index + 1..])
        {
            files.say(said);
        }
        senders(scenario, phase, files);
        if let Some(said) = too_fast(scenario, phase) {
            files.say(said);
        }
    }
    if let Some(said) = too_many(scenario) {
        files.say(said);
    }
}

/// `probes: PHASE` names a phase before this one that sent some.
fn earlier(name: &Spanned<String>, phase: &Phase, before: &[Phase], after: &[Phase]) -> Option<Diagnostic> {
    if name.value == phase.name.value {
        let title = format!("the phase `{}` judges itself", name.value);
        return Some(Diagnostic::error(name.span, title).note("`probes` in `expect` names an earlier phase"));
    }
    if let Some(later) = after.iter().find(|it| it.name == *name) {
        let title = format!("the phase `{}` comes later", name.value);
        return Some(Diagnostic::error(name.span, title).context(later.name.span, "here"));
    }
    let Some(meant) = before.iter().find(|it| it.name == *name) else {
        let known: Vec<&str> = before.iter().map(|it| it.name.value.as_str()).filter(|it| !it.is_empty()).collect();
        return Some(names::unknown(name, "an earlier phase", "earlier phases", &known));
    };
    (meant.probes.is_none() && matches!(meant.judged, Judged::Earlier(_))).then(|| {
        let title = format!("the phase `{}` sends no probes", name.value);
        Diagnostic::error(name.span, title).context(meant.name.span, "it judges another's itself")
    })
}

/// Senders that are named are there, and each is spoken of by an expectation.
fn senders(scenario: &Scenario, phase: &Phase, files: &mut Files) {
    let sending = sending(scenario, phase);
    let own = phase.probes.iter().flat_map(|probes| &probes.from);
    own.filter_map(|name| names::sender(name, scenario)).for_each(|said| files.say(said));
    for from in phase.expect.iter().filter_map(|it| it.from.as_ref()) {
        if let Some(said) = names::sender(from, scenario) {
            files.say(said);
        } else if !sending.contains(&from.as_str()) {
            let title = format!("`{}` sends no probes in this phase", from.value);
            files.say(Diagnostic::error(from.span, title).note(format!("its senders are {}", sending.join(", "))));
        }
    }
    let spoken = |name: &str| phase.expect.iter().any(|it| it.from.as_ref().is_none_or(|from| from.value == name));
    for silent in sending.iter().filter(|name| !phase.expect.is_empty() && !spoken(name)) {
        let title = format!("nothing is expected of the probes of `{silent}`");
        let said = Diagnostic::warning(phase.name.span, title);
        files.say(said.help(format!("add an entry to `expect` without `from`, or with `from: {silent}`")));
    }
}

/// The senders of the probes that a phase judges.
fn sending<'a>(scenario: &'a Scenario, phase: &'a Phase) -> Vec<&'a str> {
    let whose = match &phase.judged {
        Judged::Own => Some(phase),
        Judged::Earlier(name) => scenario.phases.iter().find(|it| it.name == *name),
    };
    let named = whose.and_then(|phase| phase.probes.as_ref()).map(|probes| probes.from.as_slice()).unwrap_or_default();
    match named {
        [] => scenario.senders.keys().map(String::as_str).collect(),
        named => named.iter().map(|name| name.value.as_str()).collect(),
    }
}

/// More probes than the scenario itself, or any run, may send.
fn too_many(scenario: &Scenario) -> Option<Diagnostic> {
    let own = scenario.limits.probes.as_ref();
    let most = own.map_or(MOST, |limit| limit.value);
    let mut sum = 0;
    for probes in scenario.phases.iter().filter_map(|phase| phase.probes.as_ref()) {
        let senders = if probes.from.is_empty() { scenario.senders.len() } else { probes.from.len() };
        sum += u64::from(probes.count) * senders as u64;
        if sum > most {
            let title = format!("the phases send more than {} probes up to here", grouped(most));
            let said = Diagnostic::error(probes.span, title).note("`count` is sent by each sender");
            return Some(match own {
                Some(limit) => said.context(limit.span, "the limit"),
                None => said,
            });
        }
    }
    None
}

/// Probes that leave faster than the scenario allows. A phase without a pace keeps to the limit.
fn too_fast(scenario: &Scenario, phase: &Phase) -> Option<Diagnostic> {
    let (limit, probes) = (scenario.limits.interval.as_ref()?, phase.probes.as_ref()?);
    let pace = probes.interval.filter(|pace| *pace < limit.value)?;
    let title = format!("one probe every {pace:?} is faster than `limits` allow");
    Some(Diagnostic::error(probes.span, title).context(limit.span, "the limit"))
}

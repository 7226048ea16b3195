//! Whether it can be believed that nothing reached a platform.

use jiff::Timestamp;

use super::{Facts, ProbeFacts};
use crate::plan::{ControlProbe, Plan};
use crate::record::{Attempt, AttemptResult, Control, LookedState, Proof};

/// What each control proves, in the plan's order; a platform that could be sent none has one entry
/// that says so.
pub(super) fn controls(plan: &Plan, facts: &Facts) -> Vec<Control> {
    let mut all: Vec<Control> = vec![];
    for platform in plan.scenario.inventory.platforms.values() {
        let name = &platform.name.value;
        let own: Vec<&ControlProbe> = plan.controls.iter().filter(|it| it.platform == *name).collect();
        for control in &own {
            all.push(one(plan, facts, control));
        }
        let before = all.len();
        all.extend(platform.hosts.iter().filter(|host| plan.scenario.tells_itself(host)).map(|host| Control {
            platform: name.clone(),
            host: Some(host.value.clone()),
            collector: format!("store {}", host.value),
            proof: Proof::Seen,
            why: "the lab's own host tells of every copy that it takes".to_owned(),
        }));
        if own.is_empty() && before == all.len() && !platform.collectors.is_empty() {
            let alive = alive(facts, name, None, None);
            let why = match &alive {
                Some(_) => "its log has new lines".to_owned(),
                None => "the inventory names no host to send a control probe to".to_owned(),
            };
            let proof = if alive.is_some() { Proof::Alive } else { Proof::None };
            all.push(Control { platform: name.clone(), host: None, collector: alive.unwrap_or_default(), proof, why });
        }
    }
    all
}

fn one(plan: &Plan, facts: &Facts, control: &ControlProbe) -> Control {
    let seen = facts.probe(&control.tag);
    let (proof, collector, why) = proof_of(plan, facts, control, &seen);
    Control { platform: control.platform.clone(), host: Some(control.host.clone()), collector, proof, why }
}

fn proof_of(plan: &Plan, facts: &Facts, control: &ControlProbe, seen: &ProbeFacts) -> (Proof, String, String) {
    if let Some(landed) = seen.landed.iter().find(|it| it.platform == control.platform) {
        return (Proof::Seen, landed.collector.clone(), format!("{} had the control probe", landed.collector));
    }
    let last = seen.attempts.last();
    if let Some(attempt) = last.filter(|attempt| !wants_login(attempt)) {
        let said = first_line(&attempt.reply);
        match attempt.result {
            AttemptResult::Permanent => {
                return (Proof::Refused, String::new(), format!("{said}, at {}", attempt.stage));
            }
            AttemptResult::Refused => {
                return (Proof::Refused, String::new(), "it takes no connections from here".to_owned());
            }
            _ => {}
        }
    }
    if let Some(collector) = alive(facts, &control.platform, Some(&control.host), None) {
        let why = format!("{collector} has new lines");
        return (Proof::Alive, collector, why);
    }
    let watched = plan.scenario.inventory.platforms.get(&control.platform).is_some_and(|it| !it.collectors.is_empty());
    let why = match last {
        Some(attempt) if wants_login(attempt) => {
            "it asks for a login, which the control probe has not: who has one may hand it mail; watch its log"
                .to_owned()
        }
        Some(attempt) if attempt.result == AttemptResult::Accepted && watched => {
            "it took the control probe, and no collector saw it".to_owned()
        }
        Some(attempt) if attempt.result == AttemptResult::Accepted => {
            "it took the control probe, and nobody looks there: give the platform a collector".to_owned()
        }
        Some(attempt) => {
            format!("the control probe ended {} at {}: {}", attempt.result, attempt.stage, first_line(&attempt.reply))
        }
        None => "no control probe was sent".to_owned(),
    };
    (Proof::None, String::new(), why)
}

/// Whether the host refused only since nobody had logged in (RFC 4954 6): that does not show that
/// it takes no mail.
fn wants_login(attempt: &Attempt) -> bool {
    attempt.result == AttemptResult::Permanent && attempt.reply.starts_with("530")
}

/// Whether absence at `platform` during a phase is proven: each of its hosts has a control that was
/// seen or refused, or a log that lived since `since`; and no collector is blind.
///
/// # Errors
/// What is missing, and what to do about it.
pub(super) fn proven(
    facts: &Facts,
    controls: &[Control],
    platform: &str,
    since: Option<Timestamp>,
) -> Result<(), String> {
    if let Some(blind) = blind(facts, platform) {
        return Err(blind);
    }
    let own: Vec<&Control> = controls.iter().filter(|it| it.platform == platform).collect();
    if own.is_empty() {
        return Err(format!("nobody watched `{platform}`: give it a collector, or a host that refuses the mail"));
    }
    for control in own {
        let host = control.host.as_deref();
        let living = || alive(facts, platform, host, since).is_some();
        if matches!(control.proof, Proof::Seen | Proof::Refused) || living() {
            continue;
        }
        let host = host.unwrap_or("it");
        return Err(format!(
            "nothing proves that mail would have been seen at {host} of `{platform}`: {}",
            control.why
        ));
    }
    Ok(())
}

/// A collector of the platform that could not look when it last said something, or that has missed
/// something for good.
pub(super) fn blind(facts: &Facts, platform: &str) -> Option<String> {
    let missed =
        facts.looked.iter().map(|(_, it)| it).find(|it| it.platform == platform && it.state == LookedState::Gap);
    if let Some(it) = missed {
        return Some(format!("{} of `{platform}` has missed something: {}", it.collector, it.why));
    }
    let mut states = std::collections::BTreeMap::new();
    for (_, looked) in facts.looked.iter().filter(|(_, it)| it.platform == platform) {
        states.insert(&looked.collector, looked);
    }
    states
        .values()
        .find(|it| matches!(it.state, LookedState::Lost | LookedState::Failed))
        .map(|it| format!("{} of `{platform}` could not look: {}", it.collector, it.why))
}

/// The collector whose log lived after `since`.
fn alive(facts: &Facts, platform: &str, host: Option<&str>, since: Option<Timestamp>) -> Option<String> {
    facts
        .looked
        .iter()
        .filter(|(at, it)| {
            it.platform == platform && it.state == LookedState::Alive && since.is_none_or(|since| *at >= since)
        })
        .find(|(_, it)| it.host.is_none() || host.is_none() || it.host.as_deref() == host)
        .map(|(_, it)| it.collector.clone())
}

/// The first line of a reply.
pub(super) fn first_line(reply: &str) -> &str {
    reply.lines().next().unwrap_or("")
}

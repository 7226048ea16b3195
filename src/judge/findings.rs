//! What a run noticed beside what became of its probes.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Facts, predict};
use crate::classes::SenderClass;
use crate::inventory::Vantage;
use crate::plan::Plan;
use crate::record::{BareLineEnds, Finding, FindingSeverity};
use crate::scenario::{Sender, SenderKind};
use crate::source::{and_list, plural};
use crate::terms::{BarePlace, Smuggling};

/// The most places of one finding that are named.
const MOST_EVIDENCE: usize = 20;

/// Warnings, then CR and LF that stood alone, host by host; then which predictions did not hold, and by what
/// the senders did what they did.
pub(super) fn of_run(plan: &Plan, facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = warnings(facts).map(|text| finding(plan, "run-warning", text.clone())).collect();
    findings.extend(smuggling(plan, facts));
    findings.extend(predict::unheld(plan, facts));
    findings.extend(plan.scenario.senders.values().filter_map(|sender| class(plan, sender)));
    findings.extend(plan.scenario.senders.values().filter_map(|sender| vantage(plan, sender)));
    findings
}

/// Of a sender that behaves as an MTA: which one, and by which timers.
fn class(plan: &Plan, sender: &Sender) -> Option<Finding> {
    let class = sender.kind.class().filter(|class| *class != SenderClass::Rfc5321)?;
    let waits = plan.scenario.waits(class);
    let timers = match waits.scale {
        1 => format!("with the timers of {class}"),
        scale => format!("timers of {class} scaled 1/{scale}"),
    };
    let stated: Vec<&str> = waits.timeouts.stated.iter().copied().collect();
    let stated =
        if stated.is_empty() { String::new() } else { format!(" but for the scenario's own {}", and_list(&stated)) };
    let memory = class.facts().memory.is_any();
    Some(Finding {
        id: "sender-class".to_owned(),
        severity: FindingSeverity::Info,
        subject: plan.scenario.domain.value.clone(),
        platform: None,
        title: format!("the sender `{}` behaves as {class}, {timers}{stated}", sender.name.value),
        evidence: vec![json!({
            "sender": sender.name.value, "class": class, "timers": class.facts().timers.source,
            "scale": waits.scale, "memory": memory,
        })],
        fix: None,
    })
}

/// Of a sender that does not dial as this machine would: from where.
fn vantage(plan: &Plan, sender: &Sender) -> Option<Finding> {
    let SenderKind::Mx(stated) = &sender.kind else { return None };
    let vantage = Some(&stated.vantage).filter(|it| **it != Vantage::default())?;
    Some(Finding {
        id: "sender-vantage".to_owned(),
        severity: FindingSeverity::Info,
        subject: plan.scenario.domain.value.clone(),
        platform: None,
        title: format!("the sender `{}` dials {vantage}", sender.name.value),
        evidence: vec![json!({ "sender": sender.name.value, "vantage": vantage.to_string() })],
        fix: None,
    })
}

fn finding(plan: &Plan, id: &str, title: String) -> Finding {
    Finding {
        id: id.to_owned(),
        severity: FindingSeverity::Warning,
        subject: plan.scenario.domain.value.clone(),
        platform: None,
        title,
        evidence: vec![],
        fix: None,
    }
}

fn warnings(facts: &Facts) -> impl Iterator<Item = &String> {
    let mut texts: Vec<&String> = facts.warnings.iter().collect();
    // Proxies of several connections may say the same in any order.
    texts.sort();
    texts.dedup();
    texts.into_iter()
}

/// One finding for each host and for what became of them there.
fn smuggling<'a>(plan: &'a Plan, facts: &'a Facts) -> impl Iterator<Item = Finding> + 'a {
    let mut groups: BTreeMap<(&str, Smuggling), Vec<&BareLineEnds>> = BTreeMap::new();
    for seen in &facts.bare {
        groups.entry((&seen.host, seen.smuggling)).or_default().push(seen);
    }
    groups.into_iter().map(move |((host, what), mut seen)| {
        // In no order of arrival, which the same seed does not repeat.
        seen.sort_by_key(|it| (it.tag.clone(), it.place, it.cr, it.lf));
        let id = match what {
            Smuggling::Pass => "smuggling-passed",
            Smuggling::Refuse => "smuggling-refused",
        };
        let platform = plan.scenario.inventory.of_name(host).map(|platform| platform.name.value.clone());
        let evidence = seen
            .iter()
            .take(MOST_EVIDENCE)
            .map(|it| json!({ "host": it.host, "probe": it.tag, "place": it.place, "cr": it.cr, "lf": it.lf }));
        Finding { platform, evidence: evidence.collect(), ..finding(plan, id, title(host, what, &seen)) }
    })
}

fn title(host: &str, what: Smuggling, seen: &[&BareLineEnds]) -> String {
    let (cr, lf) = seen.iter().fold((0, 0), |(cr, lf), it| (cr + it.cr, lf + it.lf));
    let bodies = seen.iter().filter(|it| it.place == BarePlace::Body).count();
    let place = match bodies {
        0 => "in commands".to_owned(),
        bodies if bodies == seen.len() => format!("in {}", plural(bodies, "message")),
        bodies => format!("in {} and in commands", plural(bodies, "message")),
    };
    let fate = match what {
        Smuggling::Pass => "passed as they were",
        Smuggling::Refuse => "were refused",
    };
    format!("{cr} CR and {lf} LF that stood alone {place} for {host} {fate}")
}

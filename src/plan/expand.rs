//! From a scenario to a plan.

use std::sync::Arc;
use std::time::Duration;

use super::{ControlProbe, Plan, PlannedPhase, Probe, contact};
use crate::inventory::Role;
use crate::mail::Address;
use crate::record::{RunId, Tag};
use crate::scenario::{Expectation, Judged, Phase, Scenario};
use crate::world::Dice;

/// `within` where a phase states none, in a lab.
const WITHIN_LAB: Duration = Duration::from_secs(10);
/// `within` where a phase states none, in the real world.
const WITHIN: Duration = Duration::from_secs(120);
/// The shortest watch of a real platform: spools try again after minutes (`expect.watch`).
const WATCH: Duration = Duration::from_secs(600);

/// Expands `scenario` for one run. The seed decides the order in which the probes of several
/// senders leave; everything else follows from the scenario.
pub fn expand(scenario: Arc<Scenario>, run: RunId, seed: u64) -> Plan {
    let dice = Dice::new(seed);
    let mut number = 0;
    let mut phases: Vec<PlannedPhase> = vec![];
    for (index, phase) in scenario.phases.iter().enumerate() {
        let judges = match &phase.judged {
            Judged::Own => index,
            Judged::Earlier(name) => scenario.phases.iter().position(|it| it.name == *name).unwrap_or(index),
        };
        let mut probes = probes(&scenario, phase, &run, &mut number);
        let mixed = probes.iter().any(|probe| probe.sender != probes[0].sender);
        if mixed {
            dice.shuffle("send-order", &[index as u64], &mut probes);
        }
        phases.push(PlannedPhase {
            index,
            judges,
            probes,
            within: within(&scenario, phase),
            watch: watch(&scenario, phase),
        });
    }
    let controls = controls(&scenario, &run);
    let contacts = contact::contacts(&scenario, &controls);
    Plan { scenario, run, seed, controls, phases, contacts }
}

fn probes(scenario: &Scenario, phase: &Phase, run: &RunId, number: &mut u32) -> Vec<Probe> {
    let Some(wanted) = &phase.probes else { return vec![] };
    let all: Vec<&str> = scenario.senders.keys().map(String::as_str).collect();
    let chosen: Vec<&str> =
        if wanted.from.is_empty() { all } else { wanted.from.iter().map(|name| name.value.as_str()).collect() };
    let template = wanted.recipient.as_ref().unwrap_or(&scenario.recipient);
    let mut probes = vec![];
    for _ in 0..wanted.count {
        for sender in &chosen {
            *number += 1;
            let tag = run.probe(*number);
            probes.push(Probe {
                number: *number,
                sender: (*sender).to_owned(),
                recipient: addressed(template, &tag, &scenario.domain),
                also: wanted.letter.also.iter().map(|it| addressed(it, &tag, &scenario.domain)).collect(),
                reverse_path: scenario.sender.with_detail(tag.as_str()),
                size: wanted.size,
                tag,
            });
        }
    }
    probes
}

/// The recipient with its tag; the check made sure that the template is an address.
fn addressed(template: &str, tag: &Tag, domain: &str) -> Address {
    let text = template.replace("{tag}", tag.as_str());
    let fallback = || format!("mxdrill@{domain}").parse();
    text.parse().or_else(|_| fallback()).unwrap_or_else(|_| Address::postmaster())
}

fn within(scenario: &Scenario, phase: &Phase) -> Duration {
    let stated = phase.expect.iter().filter_map(|it| it.within.as_ref()).map(|it| it.value).max();
    stated.unwrap_or(if scenario.lab.is_some() { WITHIN_LAB } else { WITHIN })
}

fn watch(scenario: &Scenario, phase: &Phase) -> Option<Duration> {
    let stated = phase.expect.iter().filter_map(|it| it.watch.as_ref()).map(|it| it.value).max();
    match stated {
        Some(stated) => Some(stated),
        None if scenario.accounts_for_every_copy() || !phase.expect.iter().any(Expectation::wants_absence) => None,
        None => Some(within(scenario, phase).max(WATCH)),
    }
}

/// One control for each host of each platform that is watched. A platform that only passes mail on
/// needs none. In a lab only hosts that the lab has can be reached.
fn controls(scenario: &Scenario, run: &RunId) -> Vec<ControlProbe> {
    let mut controls: Vec<ControlProbe> = vec![];
    let platforms = scenario.inventory.platforms.values();
    for platform in platforms.filter(|it| !matches!(it.role, Role::Transit)) {
        for host in &platform.hosts {
            if scenario.lab.as_ref().is_some_and(|lab| !lab.hosts.contains_key(&host.value)) {
                continue;
            }
            if scenario.tells_itself(&host.value) {
                continue;
            }
            let tag = run.control(controls.len() as u32 + 1);
            controls.push(ControlProbe {
                platform: platform.name.value.clone(),
                host: host.value.clone(),
                recipient: addressed(&scenario.recipient, &tag, &scenario.domain),
                reverse_path: scenario.sender.with_detail(tag.as_str()),
                tag,
            });
        }
    }
    controls
}

//! `mxdrill plan`: what a run would do, and every host and port that it would contact.

use std::sync::Arc;

use serde_json::{Value, json};

use super::arguments::{Common, Format, Paths};
use super::{Exit, Machine, Screen, files};
use crate::judge::predict::{Foretold, cautions, of_phase};
use crate::plan::{Contact, Plan, Reach, expand};
use crate::record::RunId;
use crate::source::plural;

pub(super) fn plan(machine: &mut Machine, screen: &Screen, common: &Common, wanted: &Paths) -> Exit {
    let loaded = match files::load(screen, &wanted.paths, common.inventory.as_deref()) {
        Ok(loaded) => loaded,
        Err(exit) => return exit,
    };
    let plans: Vec<Plan> = loaded
        .into_iter()
        .map(|one| {
            let seed = wanted.seed.or(one.scenario.seed).unwrap_or_else(|| machine.fresh_seed());
            expand(Arc::new(one.scenario), RunId::from_entropy((machine.entropy)()), seed)
        })
        .collect();
    match common.format {
        Format::Text => screen.result(&plans.iter().map(text).collect::<Vec<_>>().join("\n")),
        Format::Json => {
            let all: Vec<Value> = plans.iter().map(document).collect();
            screen.result(&format!("{:#}\n", json!({ "schema": "mxdrill.plan/1", "plans": all })));
        }
    }
    Exit::Clean
}

fn text(plan: &Plan) -> String {
    let scenario = &plan.scenario;
    let mut out = format!("{}\n  {}\n", scenario.name.value, scenario.source.name);
    if !plan.controls.is_empty() {
        out.push_str(&format!("\n  first, {}:\n", plural(plan.controls.len(), "control probe")));
        for control in &plan.controls {
            out.push_str(&format!("    straight to {} of `{}`\n", control.host, control.platform));
        }
    }
    for phase in &plan.phases {
        let stated = &scenario.phases[phase.index];
        out.push_str(&format!("\n  phase `{}`\n", stated.name.value));
        for fault in &stated.faults {
            out.push_str(&format!("    fault   {}: {fault}\n", fault.host.value));
        }
        of_phase(plan, phase.index).iter().for_each(|told| out.push_str(&foretold(told)));
        out.push_str(&probes(plan, phase.index));
        out.push_str(&format!("    wait    at most {:?} for each probe{}\n", phase.within, watched(phase.watch)));
    }
    let cautions = cautions(plan);
    if !cautions.is_empty() {
        out.push_str("\n  mind:\n");
        cautions.iter().for_each(|caution| out.push_str(&format!("    {caution}\n")));
    }
    out.push_str("\n  it would contact:\n");
    for contact in &plan.contacts {
        out.push_str(&format!("    {}\n", line(contact)));
    }
    out
}

/// One line on what a class of senders will do under one fault.
fn foretold(told: &Foretold) -> String {
    let said = &told.prediction;
    let again = if said.duplicate_risk { ", two copies may arrive" } else { "" };
    let (class, outcome, fallback) = (said.sender, said.outcome, said.outcome.fallback());
    format!("    foretold {class}: {fallback} ({outcome}{again}), {}: {}\n", said.basis, said.rule)
}

fn probes(plan: &Plan, index: usize) -> String {
    let phase = &plan.phases[index];
    match phase.probes.as_slice() {
        [] => format!("    probes  those of phase `{}`, again\n", plan.scenario.phases[phase.judges].name.value),
        probes => {
            let mut senders: Vec<&str> = probes.iter().map(|it| it.sender.as_str()).collect();
            senders.sort_unstable();
            senders.dedup();
            let to = &probes[0].recipient;
            format!("    probes  {} by `{}` to {to}\n", probes.len(), senders.join("`, `"))
        }
    }
}

fn watched(watch: Option<std::time::Duration>) -> String {
    match watch {
        None => String::new(),
        Some(time) if time.is_zero() => String::new(),
        Some(time) => format!(", then watch for {time:?}"),
    }
}

/// One line on a contact.
pub(super) fn line(contact: &Contact) -> String {
    let reach = match contact.reach {
        Reach::Loopback => "on this machine",
        Reach::Remote => "needs --live",
    };
    format!("{:<32} {} ({reach})", contact.place, contact.why)
}

/// A prediction as `mxdrill predict` gives it, and the senders that it is of.
fn prediction(told: &Foretold) -> Value {
    let mut said = json!(told.prediction);
    said["from"] = json!(told.from);
    said
}

fn document(plan: &Plan) -> Value {
    let contacts: Vec<Value> = plan
        .contacts
        .iter()
        .map(|it| json!({ "place": it.place, "why": it.why, "live": it.reach == Reach::Remote }))
        .collect();
    let phases: Vec<Value> = plan
        .phases
        .iter()
        .map(|phase| {
            let stated = &plan.scenario.phases[phase.index];
            let faults: Vec<Value> = stated
                .faults
                .iter()
                .map(|it| json!({ "host": it.host.value, "at": it.at.value.to_string(), "do": it.action.value.to_string() }))
                .collect();
            let probes: Vec<Value> = phase
                .probes
                .iter()
                .map(|it| json!({ "number": it.number, "sender": it.sender, "recipient": it.recipient, "size": it.size }))
                .collect();
            let predictions: Vec<Value> = of_phase(plan, phase.index).iter().map(prediction).collect();
            json!({
                "name": stated.name.value, "faults": faults, "predictions": predictions, "probes": probes,
                "within_ms": phase.within.as_millis() as u64,
            })
        })
        .collect();
    let controls: Vec<Value> =
        plan.controls.iter().map(|it| json!({ "platform": it.platform, "host": it.host })).collect();
    json!({
        "scenario": { "name": plan.scenario.name.value, "path": &*plan.scenario.source.name },
        "seed": plan.seed, "controls": controls, "phases": phases, "cautions": cautions(plan), "contacts": contacts,
    })
}

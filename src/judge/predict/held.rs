//! After a run: what was foretold and did not come.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::{Facts, ProbeFacts};
use super::{Predicted, Prediction, predict_in};
use crate::classes::SenderClass;
use crate::plan::{Plan, Probe};
use crate::record::{AttemptResult, Finding, FindingSeverity, SentState, Tag};
use crate::scenario::Fault;
use crate::source::plural;

/// The most tags that one finding names.
const MOST_TAGS: usize = 10;

/// One warning for each fault and class whose prediction did not hold for some probe. Only probes
/// are looked at that met one single fault: of several nobody can tell which one decided.
pub(in super::super) fn unheld(plan: &Plan, facts: &Facts) -> Vec<Finding> {
    let mut missed: BTreeMap<(usize, SenderClass, Predicted), Vec<&Tag>> = BTreeMap::new();
    for probe in plan.phases.iter().flat_map(|phase| &phase.probes) {
        let seen = facts.probe(&probe.tag);
        let Some((index, fault, said)) = foretold(plan, probe, &seen) else { continue };
        if let Some(became) = became(&seen, fault).filter(|became| !fits(said.outcome, *became)) {
            missed.entry((index, said.sender, became)).or_default().push(&probe.tag);
        }
    }
    missed.into_iter().filter_map(|((index, class, became), tags)| told(plan, index, class, became, &tags)).collect()
}

/// The prediction for a probe that met one single fault.
fn foretold<'a>(plan: &'a Plan, probe: &Probe, seen: &ProbeFacts) -> Option<(usize, &'a Fault, Prediction)> {
    let class = plan.scenario.senders.get(&probe.sender)?.kind.class()?;
    let index = seen.fired.first()?.fault;
    if seen.fired.iter().any(|met| met.fault != index) {
        return None;
    }
    let (_, fault) = plan.scenario.faults().nth(index)?;
    Some((index, fault, predict_in(&plan.scenario, class, fault)))
}

/// What became of the first round, as far as that shows.
fn became(seen: &ProbeFacts, fault: &Fault) -> Option<Predicted> {
    let first: Vec<_> = seen.attempts.iter().filter(|attempt| attempt.round == 1).collect();
    let at = first.iter().position(|attempt| attempt.host == fault.host.value)?;
    let here = |host: &str| host == fault.host.value;
    if first.iter().any(|it| here(&it.host) && it.result == AttemptResult::Accepted) {
        return Some(Predicted::Delivered);
    }
    if first[at..].iter().any(|it| !here(&it.host)) {
        return Some(Predicted::Next);
    }
    let sent = seen.sent.as_ref()?;
    match sent.state {
        SentState::Bounced => Some(Predicted::Bounced),
        // Without another host nothing tells a sender that would go on from one that would not.
        SentState::Deferred | SentState::Expired if sent.untried.is_empty() => None,
        SentState::Deferred | SentState::Expired => Some(Predicted::Deferred),
        // Not a word of the sending MTA that predictions speak of.
        SentState::Delivered | SentState::Refused => None,
    }
}

/// What hangs is deferred in a drill's time.
fn fits(said: Predicted, became: Predicted) -> bool {
    said == became || (said == Predicted::Hangs && became == Predicted::Deferred)
}

fn told(plan: &Plan, index: usize, class: SenderClass, became: Predicted, tags: &[&Tag]) -> Option<Finding> {
    let (_, fault) = plan.scenario.faults().nth(index)?;
    let said = predict_in(&plan.scenario, class, fault);
    let probes = plural(tags.len(), "probe");
    let title = format!(
        "a prediction did not hold for {probes}: a sender of class {class} under {fault} of {} was foretold `{}`, \
         and it became `{became}`",
        fault.host.value, said.outcome
    );
    let tags: Vec<String> = tags.iter().take(MOST_TAGS).map(ToString::to_string).collect();
    Some(Finding {
        id: "prediction-failed".to_owned(),
        severity: FindingSeverity::Warning,
        subject: plan.scenario.domain.value.clone(),
        platform: None,
        title,
        evidence: vec![json!({ "prediction": said, "became": became, "rule": said.rule, "tags": tags })],
        fix: Some("find out what else kept the sender from going on, or expect what it does".to_owned()),
    })
}

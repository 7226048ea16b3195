//! The path of a probe, hop by hop, and how well each hop is proven.

use std::collections::BTreeSet;

use super::ProbeFacts;
use crate::inventory::Inventory;
use crate::mail::received;
use crate::plan::Plan;
use crate::record::{AttemptResult, Handling, Hop, Landed, Trust};
use crate::scenario::LabHostKind;
use crate::trace::chain::{Step, walk};

/// The hops that the `Received:` headers of the copies tell, first hop first; where no copy shows
/// any, the hops that sender, lab and logs saw.
pub(super) fn path(plan: &Plan, facts: &ProbeFacts) -> Vec<Hop> {
    let longest = facts.landed.iter().max_by_key(|landed| landed.received.len());
    match longest {
        Some(landed) if !landed.received.is_empty() => by_headers(plan, facts, landed),
        _ => by_sight(plan, facts),
    }
}

fn by_headers(plan: &Plan, facts: &ProbeFacts, landed: &Landed) -> Vec<Hop> {
    let known = known_ids(facts);
    let text: String = landed.received.iter().map(|line| format!("Received: {line}\r\n")).collect();
    let chain: Vec<_> = received::chain(text.as_bytes()).into_iter().map(|(header, _)| header).collect();
    let steps = walk(&chain, &plan.scenario.inventory);
    let mut hops: Vec<Hop> = steps.into_iter().filter_map(|step| hop(plan, step, &known)).collect();
    hops.reverse();
    hops
}

/// A header that is tied to an id from elsewhere is proven by that; one that is not, by whoever saw its
/// writer.
fn hop(plan: &Plan, step: Step, known: &BTreeSet<&str>) -> Option<Hop> {
    let header = step.header;
    let by = header.by?;
    let platform = platform_of(&plan.scenario.inventory, &by);
    let tied = header.id.as_deref().is_some_and(|id| known.contains(id));
    let trust = match (in_lab(plan, &by), tied) {
        (true, _) => Trust::Seen,
        (false, true) => Trust::Proven,
        (false, false) => step.trust,
    };
    Some(Hop { from: header.from, by, with: header.with, id: header.id, at: header.at, platform, trust })
}

/// Queue-ids that somebody other than the header names: a server's reply, a log, a store.
fn known_ids(facts: &ProbeFacts) -> BTreeSet<&str> {
    let replies = facts.attempts.iter().filter_map(|it| it.queue_id.as_deref());
    let passed = facts.passed.iter().flat_map(|it| [it.queue_id.as_deref(), it.next_queue_id.as_deref()]).flatten();
    let logs = facts.landed.iter().filter(|it| it.received.is_empty()).filter_map(|it| it.queue_id.as_deref());
    replies.chain(passed).chain(logs).collect()
}

fn by_sight(plan: &Plan, facts: &ProbeFacts) -> Vec<Hop> {
    let mut hops: Vec<Hop> = vec![];
    let mut add = |by: &str, from: Option<&str>, id: Option<&str>| {
        if !hops.iter().any(|hop| hop.by == by && hop.id.as_deref() == id) {
            hops.push(Hop {
                from: from.map(str::to_owned),
                by: by.to_owned(),
                with: None,
                id: id.map(str::to_owned),
                at: None,
                platform: platform_of(&plan.scenario.inventory, by),
                trust: Trust::Seen,
            });
        }
    };
    for attempt in facts.attempts.iter().filter(|it| it.result == AttemptResult::Accepted) {
        add(&attempt.host, None, attempt.queue_id.as_deref());
    }
    for passed in facts.passed.iter().filter(|it| it.handling != Handling::Refused) {
        if let Some(host) = &passed.host {
            add(host, None, passed.queue_id.as_deref());
        }
        if let (Handling::Relayed, Some(next)) = (passed.handling, &passed.next_host) {
            add(next, passed.host.as_deref(), passed.next_queue_id.as_deref());
        }
    }
    hops
}

fn platform_of(inventory: &Inventory, host: &str) -> Option<String> {
    inventory.of_name(host).map(|platform| platform.name.value.clone())
}

fn in_lab(plan: &Plan, host: &str) -> bool {
    plan.scenario
        .lab
        .as_ref()
        .and_then(|lab| lab.hosts.get(host))
        .is_some_and(|host| !matches!(host.kind, LabHostKind::Real(_)))
}

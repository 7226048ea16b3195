//! What was looked at, and what could not be.

use super::{Case, Sheet};
use crate::audit::facts::{Answer, HostFacts, SpfTree};
use crate::record::Sight;

pub(super) fn note(case: &Case<'_>, sheet: &mut Sheet) {
    let facts = case.facts;
    for source in &facts.mx {
        sheet.looked(format!("MX from {}", source.source), &source.answer);
    }
    for host in facts.hosts.values() {
        addresses(host, sheet);
        if case.parts.mta_sts.is() {
            sheet.looked(format!("TLSA of {}", host.name), &host.tlsa);
        }
    }
    if let Some(tree) = &facts.spf {
        spf(tree, sheet);
    }
    for (what, trail) in [("DMARC", &facts.dmarc), ("TLSRPT", &facts.tlsrpt), ("MTA-STS record", &facts.sts_record)] {
        if let Some(trail) = trail {
            sheet.looked(what, &trail.end);
        }
    }
    for one in &facts.selectors {
        sheet.looked(format!("DKIM selector {}", one.selector), &one.trail.end);
    }
    several(sheet, "SRV of mail services", facts.services.iter().map(|one| &one.trail.end));
    several(sheet, "names that clients use", facts.clients.iter().flat_map(|one| [&one.host.v4, &one.host.v6]));
    if let Some(host) = &facts.sts_host {
        several(sheet, "address of the policy host", [&host.v4, &host.v6].into_iter());
    }
    for policy in &facts.policies {
        sheet.note(format!("policy from {}", policy.source), Sight::Seen, None);
    }
    for (place, why) in &facts.policy_failures {
        sheet.note(format!("policy from {place}"), Sight::Unable, Some(why.clone()));
    }
    for document in &facts.documents {
        let (look, why) = match &document.names {
            Ok(_) => (Sight::Seen, None),
            Err(why) => (Sight::Unable, Some(why.clone())),
        };
        sheet.note(format!("{} at {}", document.kind, document.url), look, why);
    }
}

fn addresses(host: &HostFacts, sheet: &mut Sheet) {
    several(sheet, &format!("addresses of {}", host.name), [&host.v4, &host.v6].into_iter());
    let unable = host.addresses.iter().filter(|one| matches!(one.reverse, Answer::Unable(_)));
    for one in unable {
        sheet.looked(format!("reverse name of {}", one.address), &one.reverse);
    }
}

/// Answers that are told together: the worst of them counts.
fn several<'a>(sheet: &mut Sheet, what: &str, answers: impl Iterator<Item = &'a Answer>) {
    let rank = |answer: &&Answer| match answer.sight().0 {
        Sight::Unable => 2,
        Sight::Left => 1,
        Sight::Seen => 0,
    };
    if let Some(worst) = answers.max_by_key(rank) {
        sheet.looked(what, worst);
    }
}

fn spf(tree: &SpfTree, sheet: &mut Sheet) {
    if tree.cut.is_none() {
        sheet.looked(format!("SPF of {}", tree.name), &tree.trail.end);
    }
    tree.terms.iter().filter_map(|term| term.below()).for_each(|below| spf(below, sheet));
}

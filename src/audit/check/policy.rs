//! The MTA-STS policy against the MX set, the design and the legacy platform (RFC 8461 4.1, 8.4).

use serde_json::{Value, json};

use super::mx_set::{Class, class, hosts};
use super::{Case, Sheet};
use crate::audit::facts::{PolicySeen, Trail};
use crate::audit::kind::Kind;
use crate::inventory::{Side, Trait};
use crate::policy::{Announced, TxtAnswer};
use crate::record::FindingSeverity::{Error, Info, Warning};
use crate::source::and_list;

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    if let Some(trail) = &case.facts.sts_record {
        announced(case, trail, sheet);
    }
    differing(case, sheet);
    let Some(source) = case.mx() else { return };
    for policy in case.facts.policies.iter().filter(|policy| policy.mode != "none") {
        if class(&source.answer, &case.facts.itself) == Class::NullMx {
            let title = format!("the domain takes no mail, and has an MTA-STS policy of mode `{}`", policy.mode);
            sheet.add(sheet.finding(Kind::StsPolicyWithNullMx, Warning, title).shown_by(evidence(policy)));
            continue;
        }
        let set: Vec<&str> = hosts(source.answer.records()).into_iter().map(|(_, name, _)| name).collect();
        missed(case, policy, sheet);
        patterns(case, policy, &set, sheet);
    }
}

/// The record, and whether what it announces is there.
fn announced(case: &Case<'_>, trail: &Trail, sheet: &mut Sheet) {
    let texts: Vec<Vec<String>> = trail.end.texts().map(|(text, _)| vec![text.to_owned()]).collect();
    let is_meant = trail.end.texts().any(|(text, _)| text.to_ascii_lowercase().starts_with("v=sts"));
    match Announced::of(&TxtAnswer::Records(texts)) {
        Announced::Id(_) => {
            for (place, why) in &case.facts.policy_failures {
                let title = format!("a policy is announced, and {place} serves none that can be used");
                let finding = sheet.finding(Kind::StsPolicyUnusable, Error, title);
                sheet.add(finding.shown_by(json!({ "source": place, "text": format!("{place}: {why}") })));
            }
        }
        _ if is_meant => {
            let title = "the records at `_mta-sts` announce no policy, as they are written";
            let finding = sheet.finding(Kind::StsRecordInvalid, Error, title);
            sheet.add(trail.end.records().iter().fold(finding, |finding, rr| finding.shown_by(rr.evidence())));
        }
        _ => {}
    }
}

fn differing(case: &Case<'_>, sheet: &mut Sheet) {
    let body = |policy: &PolicySeen| (policy.mode.clone(), policy.max_age, policy.mx.clone());
    let policies = &case.facts.policies;
    if policies.windows(2).any(|pair| body(&pair[0]) != body(&pair[1])) {
        let title = "addresses of the policy host serve different policies";
        let finding = sheet.finding(Kind::StsPolicyDiffers, Error, title);
        sheet.add(policies.iter().fold(finding, |finding, policy| finding.shown_by(evidence(policy))));
    }
}

fn evidence(policy: &PolicySeen) -> Value {
    let PolicySeen { source, mode, max_age, mx } = policy;
    let text = format!("{source}: mode {mode}, max_age {max_age}, mx {}", and_list(mx));
    json!({ "source": source, "mode": mode, "max_age": max_age, "mx": mx, "text": text })
}

/// Every preference counts: a backup that is not covered shows only when the primary is down.
fn missed(case: &Case<'_>, policy: &PolicySeen, sheet: &mut Sheet) {
    let records = case.mx().map(|source| source.answer.records()).unwrap_or_default();
    for (preference, name, rr) in hosts(records) {
        if name.is_empty() || policy.covers(name).is_some() {
            continue;
        }
        let legacy = case.inventory.side(Trait::Name(name)) == Side::Legacy;
        let severity = if policy.mode == "enforce" && !legacy { Error } else { Warning };
        let title = format!("the policy does not cover the MX host `{name}` of preference {preference}");
        let finding = sheet.finding(Kind::StsPolicyMissesMx, severity, title).shown_by(rr.evidence());
        let finding = finding.shown_by(evidence(policy));
        sheet.add(match legacy {
            true => finding.fix(rr.removal()),
            false => finding.fix(format!("add the line `mx: {name}` to the policy, serve it, then change the id")),
        });
    }
}

fn patterns(case: &Case<'_>, policy: &PolicySeen, set: &[&str], sheet: &mut Sheet) {
    for pattern in &policy.mx {
        let plain = pattern.strip_prefix("*.").map_or_else(|| pattern.clone(), |parent| format!("mx.{parent}"));
        let claim = case.inventory.claim(Trait::Name(&plain)).filter(|claim| claim.side() == Side::Legacy);
        let fix = format!("delete the line `mx: {pattern}` of the policy, serve it, then change the id of the record");
        if let Some(claim) = claim {
            let platform = claim.platform.name.value.as_str();
            let title = format!("the policy lists `{pattern}`, which is on `{platform}`");
            let finding = sheet.finding(Kind::StsPolicyListsLegacy, case.still_legacy(Error), title);
            sheet.add(finding.platform(Some(platform)).shown_by(evidence(policy)).fix(fix));
        } else if let Some((platform, host)) = admitted(case, pattern) {
            let title = format!("the policy's `{pattern}` is wide enough for `{host}` of `{platform}`");
            let finding = sheet.finding(Kind::StsPolicyAdmitsLegacy, case.still_legacy(Warning), title);
            sheet.add(finding.platform(Some(platform)).shown_by(evidence(policy)));
        } else if !set
            .iter()
            .any(|name| PolicySeen { mx: vec![pattern.clone()], ..policy.clone() }.covers(name).is_some())
        {
            let title = format!("the policy lists `{pattern}`, and no MX record fits it");
            sheet.add(sheet.finding(Kind::StsPolicyMxUnused, Info, title).shown_by(evidence(policy)).fix(fix));
        }
    }
}

/// A legacy host that a wildcard lets in.
fn admitted<'a>(case: &Case<'a>, pattern: &str) -> Option<(&'a str, &'a str)> {
    let parent = pattern.strip_prefix("*.")?;
    let legacy = case.inventory.platforms.values().filter(|platform| platform.side == Side::Legacy);
    let hosts = legacy.flat_map(|platform| platform.hosts.iter().map(|host| (platform.name.value.as_str(), host)));
    hosts.into_iter().find_map(|(platform, host)| {
        let fits = host.value.split_once('.').is_some_and(|(_, rest)| rest == parent);
        fits.then_some((platform, host.value.as_str()))
    })
}

//! The same question to everybody: authoritative servers, the resolver, the views.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Case, Sheet};
use crate::audit::facts::{Answer, Data, FromSource, Rr, SourceKind};
use crate::audit::kind::Kind;
use crate::inventory::{Side, Trait};
use crate::record::Finding;
use crate::record::FindingSeverity::{Error, Info, Warning};
use crate::source::and_list;

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    lame(case, sheet);
    authorities(case, sheet);
    against_authority(case, sheet);
    delegation(case, sheet);
    servers_at_legacy(case, sheet);
}

/// What a source says, in a form that can be compared; `None` where it could not be learnt.
fn said(answer: &Answer) -> Option<BTreeSet<String>> {
    match answer {
        Answer::Unable(_) | Answer::Left(_) => None,
        Answer::Found(records) => Some(records.iter().map(|rr| rr.data.to_string()).collect()),
        Answer::NoName => Some(BTreeSet::from(["there is no such name".to_owned()])),
        _ => Some(BTreeSet::from(["there are no MX records".to_owned()])),
    }
}

fn of_kind<'a>(case: &Case<'a>, kind: SourceKind) -> Vec<(&'a FromSource, BTreeSet<String>)> {
    let known = case.facts.mx.iter().filter(|source| source.kind == kind);
    known.filter_map(|source| Some((source, said(&source.answer)?))).collect()
}

/// A source and its set in a line.
fn shown(finding: Finding, source: &FromSource, set: &BTreeSet<String>) -> Finding {
    let list: Vec<&str> = set.iter().map(String::as_str).collect();
    finding.shown_by(serde_json::json!({
        "source": source.source, "records": list, "text": format!("{}: {}", source.source, list.join(", ")),
    }))
}

fn lame(case: &Case<'_>, sheet: &mut Sheet) {
    for source in case.facts.mx.iter().filter(|source| source.kind == SourceKind::Lame) {
        let why = source.answer.sight().1.unwrap_or("it does not answer with authority");
        let title = format!("the name server {} does not answer for the domain", source.source);
        let finding = sheet.finding(Kind::NsNotAuthoritative, Warning, title);
        sheet.add(
            finding
                .shown_by(serde_json::json!({ "source": source.source, "text": format!("{}: {why}", source.source) })),
        );
    }
}

fn authorities(case: &Case<'_>, sheet: &mut Sheet) {
    let servers = of_kind(case, SourceKind::Authority);
    let Some((_, first)) = servers.first() else { return };
    if servers.iter().all(|(_, set)| set == first) {
        return;
    }
    let odd = minority(&servers);
    let names: Vec<String> = odd.iter().map(|source| format!("`{}`", source.source)).collect();
    let title = format!("authoritative servers differ: {} an MX set of {} own", verb(&names), its(names.len()));
    let finding = sheet.finding(Kind::MxDiffersBetweenServers, Error, title);
    let finding = finding.platform(legacy_in(case, odd.iter().copied()));
    sheet.add(servers.iter().fold(finding, |finding, (source, set)| shown(finding, source, set)));
}

fn verb(names: &[String]) -> String {
    let list = and_list(names);
    if names.len() == 1 { format!("{list} has") } else { format!("{list} have") }
}

fn its(count: usize) -> &'static str {
    if count == 1 { "its" } else { "their" }
}

/// The sources whose set fewest have; the last ones where sets are equally frequent.
fn minority<'a>(servers: &[(&'a FromSource, BTreeSet<String>)]) -> Vec<&'a FromSource> {
    let count = |set: &BTreeSet<String>| servers.iter().filter(|(_, other)| other == set).count();
    let most = servers.iter().map(|(_, set)| count(set)).max().unwrap_or(0);
    let usual = servers.iter().find(|(_, set)| count(set) == most).map(|(_, set)| set);
    servers.iter().filter(|(_, set)| Some(set) != usual).map(|(source, _)| *source).collect()
}

fn legacy_in<'a>(case: &Case<'a>, sources: impl Iterator<Item = &'a FromSource>) -> Option<&'a str> {
    let names = sources.flat_map(|source| source.answer.records()).filter_map(|rr| match &rr.data {
        Data::Mx { host, .. } => case.inventory.claim(Trait::Name(host)),
        _ => None,
    });
    names.into_iter().find(|claim| claim.side() == Side::Legacy).map(|claim| claim.platform.name.value.as_str())
}

/// The resolver and each view against the authoritative servers, or views against each other where
/// those are not known: what a cache explains is told from what it cannot.
fn against_authority(case: &Case<'_>, sheet: &mut Sheet) {
    let truth = of_kind(case, SourceKind::Authority);
    let views = of_kind(case, SourceKind::View);
    let resolvers = of_kind(case, SourceKind::Resolver);
    let seen: Vec<&(&FromSource, BTreeSet<String>)> = resolvers.iter().chain(&views).collect();
    if !truth.is_empty() && truth.iter().all(|(_, set)| *set == truth[0].1) {
        for (source, set) in seen.iter().copied().filter(|(_, set)| *set != truth[0].1) {
            differs(case, source, set, &truth[0], sheet);
        }
        return;
    }
    if !truth.is_empty() {
        return;
    }
    if let Some((first, rest)) = seen.split_first() {
        for (source, set) in rest.iter().copied().filter(|(_, set)| *set != first.1) {
            differs(case, source, set, first, sheet);
        }
    }
}

fn differs(
    case: &Case<'_>,
    source: &FromSource,
    set: &BTreeSet<String>,
    (truth, right): &(&FromSource, BTreeSet<String>),
    sheet: &mut Sheet,
) {
    let platform = legacy_in(case, std::iter::once(source));
    let finding = match explained(case, source) {
        Some(until) => {
            let title =
                format!("{} still has an older MX set; its cache explains that until {until:.0}", source.source);
            let fix =
                format!("wait until {until:.0} and ask again; keep the hosts of the older set running until then");
            sheet.finding(Kind::MxCachedElsewhere, Info, title).fix(fix)
        }
        None => {
            let kind = match source.kind {
                SourceKind::View => Kind::MxDiffersBetweenViews,
                _ => Kind::MxDiffersFromAuthority,
            };
            let title = format!("{} has another MX set than {}, and no cache explains it", source.source, truth.source);
            sheet.finding(kind, Error, title)
        }
    };
    let finding = shown(shown(finding.platform(platform), source, set), truth, right);
    sheet.add(remaining(source.answer.records()).into_iter().fold(finding, Finding::shown_by));
}

/// Until when a cache may still have what it says: the TTL that is left of its answer, and not longer
/// than a whole TTL after the change, where the inventory says when that was.
fn explained(case: &Case<'_>, source: &FromSource) -> Option<Timestamp> {
    let left = source.answer.records().iter().map(|rr| rr.ttl).max()?;
    let until = case.now.checked_add(SignedDuration::from_secs(i64::from(left))).ok()?;
    let changed = case.design.domain?.changed?;
    let longest = case.facts.mx.iter().flat_map(|source| source.answer.records()).map(|rr| rr.ttl).max()?;
    let latest = changed.checked_add(SignedDuration::from_secs(i64::from(longest))).ok()?;
    // A cache that says it will keep the answer beyond that was filled after the change.
    (changed <= case.now && until <= latest).then_some(until)
}

/// The TTL that each record of an answer has left.
fn remaining(records: &[Rr]) -> Option<serde_json::Value> {
    let left = records.iter().map(|rr| rr.ttl).max()?;
    Some(
        serde_json::json!({ "ttl": left, "text": format!("what is left of the TTL: {}", super::lifetime::spoken(left)) }),
    )
}

fn delegation(case: &Case<'_>, sheet: &mut Sheet) {
    let Some(parent) = &case.facts.delegation else { return };
    let names = |answer: &Answer| -> BTreeSet<String> {
        let of = |rr: &Rr| match &rr.data {
            Data::Server(name) => Some(name.clone()),
            _ => None,
        };
        answer.records().iter().filter_map(of).collect()
    };
    let (above, own) = (names(parent), names(&case.facts.servers));
    if above.is_empty() || own.is_empty() || above == own {
        return;
    }
    let list = |set: &BTreeSet<String>| set.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let title = format!("the parent zone delegates to {}, and the zone names {}", list(&above), list(&own));
    let finding = sheet.finding(Kind::NsDiffersFromParent, Warning, title);
    let records = parent.records().iter().chain(case.facts.servers.records());
    sheet.add(records.fold(finding, |finding, rr| finding.shown_by(rr.evidence())));
}

fn servers_at_legacy(case: &Case<'_>, sheet: &mut Sheet) {
    for rr in case.facts.servers.records() {
        let Data::Server(name) = &rr.data else { continue };
        let Some(claim) = case.inventory.claim(Trait::Name(name)).filter(|it| it.side() == Side::Legacy) else {
            continue;
        };
        let title = format!("the name server `{name}` is on `{}`", claim.platform.name.value);
        let finding = sheet.finding(Kind::NsAtLegacy, case.still_legacy(Warning), title);
        let finding = finding.platform(Some(claim.platform.name.value.as_str())).shown_by(rr.evidence());
        sheet.add(finding.fix(format!("move the zone to other servers, then {}", rr.removal())));
    }
}

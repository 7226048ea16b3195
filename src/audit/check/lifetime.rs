//! TTLs before a cutover: what caches will still say afterwards.

use super::{Case, Sheet};
use crate::audit::facts::{Rr, SourceKind};
use crate::audit::kind::Kind;
use crate::inventory::DomainPhase;
use crate::record::FindingSeverity::Warning;

/// The longest time that a cutover should have to wait for caches, in seconds.
const LONGEST: u32 = 3600;

/// What a fix proposes, in seconds.
const SHORT: u32 = 300;

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    if case.design.domain.is_none() || case.design.phase == DomainPhase::Moved {
        return;
    }
    let authority = |kind: SourceKind| matches!(kind, SourceKind::Zone | SourceKind::Authority);
    let source = case.facts.mx.iter().find(|source| authority(source.kind)).or(case.mx());
    let records = source.map(|source| source.answer.records()).unwrap_or_default();
    long(case, "the MX records", records, sheet);
    let suffix = format!(".{}", case.facts.name);
    for host in case.facts.hosts.values().filter(|host| host.name.ends_with(&suffix)) {
        let records: Vec<Rr> = host.addresses.iter().map(|one| one.record.clone()).collect();
        long(case, &format!("the addresses of `{}`", host.name), &records, sheet);
    }
}

fn long(case: &Case<'_>, what: &str, records: &[Rr], sheet: &mut Sheet) {
    let Some(longest) = records.iter().max_by_key(|rr| rr.ttl).filter(|rr| rr.ttl > LONGEST) else { return };
    let time = spoken(longest.ttl);
    let title = format!("{what} live for {time}: that long after the cutover mail still goes to the old platform");
    let finding = sheet.finding(Kind::MxTtlTooLong, Warning, title).shown_by(longest.evidence());
    let mut fix = format!("lower the TTL to {SHORT} at least {time} before the cutover");
    if let Some(changed) = case.design.domain.and_then(|domain| domain.changed).filter(|at| *at > case.now) {
        let before = changed.saturating_sub(jiff::SignedDuration::from_secs(i64::from(longest.ttl)));
        if let Ok(before) = before {
            let due = if before > case.now { format!("by {before:.0}") } else { "now; it is late already".to_owned() };
            fix = format!("lower the TTL to {SHORT} {due} (the cutover is at {changed:.0})");
        }
    }
    sheet.add(finding.fix(fix));
}

/// `2 days`, `90 minutes`, `45 s`.
pub(super) fn spoken(seconds: u32) -> String {
    use crate::source::plural;
    let count = |by: u32| (seconds / by) as usize;
    match seconds {
        it if it >= 86_400 && it % 86_400 == 0 => plural(count(86_400), "day"),
        it if it >= 3600 && it % 3600 == 0 => plural(count(3600), "hour"),
        it if it >= 60 && it % 60 == 0 => plural(count(60), "minute"),
        it => format!("{it} s"),
    }
}

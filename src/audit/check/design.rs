//! The MX set against the intended one.

use std::collections::BTreeSet;

use super::mx_set::hosts;
use super::side::{chain, side};
use super::{Case, Sheet};
use crate::audit::facts::Rr;
use crate::audit::kind::Kind;
use crate::inventory::{BackupRule, Domain, DomainPhase, Side};
use crate::record::FindingSeverity::{self, Error, Info, Warning};
use crate::source::and_list;

/// The hosts that the design has, in its order: `mx`, then those of the backup.
pub(super) fn wanted<'a>(case: &Case<'a>) -> Vec<&'a str> {
    let Some(domain) = case.design.domain else { return vec![] };
    let mut wanted: Vec<&str> = vec![];
    for host in domain.mx.iter().chain(&domain.backup.hosts) {
        if !wanted.contains(&host.value.as_str()) {
            wanted.push(&host.value);
        }
    }
    wanted
}

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    let (Some(source), Some(domain)) = (case.mx(), case.design.domain) else { return };
    let set = hosts(source.answer.records());
    if set.is_empty() || matches!(set.as_slice(), [(_, "", _)]) {
        return;
    }
    if case.design.phase == DomainPhase::Planned {
        already_new(case, &set, sheet);
        return;
    }
    lacking(case, domain, &set, sheet);
    order(domain, &set, sheet);
    backup(case, domain, &set, sheet);
}

/// Whether the design says which hosts may stand behind the first preference.
pub(super) fn has_backup_rule(case: &Case<'_>) -> bool {
    case.design.domain.is_some_and(|domain| match domain.backup.rule {
        BackupRule::Forbidden => true,
        BackupRule::Required | BackupRule::Allowed => !domain.backup.hosts.is_empty(),
    })
}

/// A moved domain must have the hosts of the design; while it moves they may still be on their way.
fn grave(case: &Case<'_>) -> FindingSeverity {
    if case.design.phase == DomainPhase::Moved { Error } else { Warning }
}

fn already_new(case: &Case<'_>, set: &[(u16, &str, &Rr)], sheet: &mut Sheet) {
    for (_, name, rr) in set {
        let Some(host) = case.facts.hosts.get(*name) else { continue };
        if side(&chain(case.inventory, host)) == Side::New {
            let title = format!("the cutover is only planned, and `{name}` is in the MX set already");
            sheet.add(sheet.finding(Kind::MxStillPlanned, Warning, title).shown_by(rr.evidence()));
        }
    }
}

fn lacking(case: &Case<'_>, domain: &Domain, set: &[(u16, &str, &Rr)], sheet: &mut Sheet) {
    for (at, host) in domain.mx.iter().enumerate() {
        if set.iter().any(|(_, name, _)| *name == host.value) {
            continue;
        }
        // A backup that must be there is said to be missing by its own finding.
        let is_backup = domain.backup.hosts.iter().any(|backup| backup.value == host.value);
        if is_backup || stands_in(case, set) == StandsIn::Legacy && at > 0 {
            continue;
        }
        let title = format!("the design has the MX host `{}`, and the MX set does not", host.value);
        let finding = sheet.finding(Kind::MxDesignMissing, grave(case), title);
        let finding = finding.platform(case.design.at.map(|at| at.name.value.as_str()));
        let finding = set.iter().fold(finding, |finding, (.., rr)| finding.shown_by(rr.evidence()));
        let preference = set.get(at).map_or(u16::try_from((at + 1) * 10).unwrap_or(u16::MAX), |(known, ..)| *known);
        sheet.add(finding.fix(format!("add `{}. MX {preference} {}.` to the zone", domain.name.value, host.value)));
    }
}

#[derive(PartialEq, Eq)]
enum StandsIn {
    /// A legacy host stands where another should: that finding says what belongs there.
    Legacy,
    Nobody,
}

fn stands_in(case: &Case<'_>, set: &[(u16, &str, &Rr)]) -> StandsIn {
    let legacy = |name: &str| {
        let host = case.facts.hosts.get(name);
        host.is_some_and(|host| side(&chain(case.inventory, host)) == Side::Legacy)
    };
    if set.iter().any(|(_, name, _)| legacy(name)) { StandsIn::Legacy } else { StandsIn::Nobody }
}

fn order(domain: &Domain, set: &[(u16, &str, &Rr)], sheet: &mut Sheet) {
    let preference = |host: &str| set.iter().find(|(_, name, _)| *name == host).map(|(it, ..)| *it);
    let present: Vec<(&str, u16)> =
        domain.mx.iter().filter_map(|host| Some((host.value.as_str(), preference(&host.value)?))).collect();
    let Some(pair) = present.windows(2).find(|pair| pair[0].1 > pair[1].1) else { return };
    let title = format!("the design has `{}` before `{}`, and the preferences say the opposite", pair[0].0, pair[1].0);
    let finding = sheet.finding(Kind::MxOrderDiffers, Warning, title);
    let shown = set.iter().filter(|(_, name, _)| pair.iter().any(|(host, _)| host == name));
    let finding = shown.fold(finding, |finding, (.., rr)| finding.shown_by(rr.evidence()));
    sheet.add(finding.fix(format!("give `{}` a lower preference than {}", pair[0].0, pair[1].1)));
}

fn backup(case: &Case<'_>, domain: &Domain, set: &[(u16, &str, &Rr)], sheet: &mut Sheet) {
    let best = set[0].0;
    let behind: Vec<&(u16, &str, &Rr)> = set.iter().filter(|(preference, ..)| *preference > best).collect();
    let allowed: BTreeSet<&str> = domain.backup.hosts.iter().map(|host| host.value.as_str()).collect();
    match domain.backup.rule {
        BackupRule::Required => {
            let fits = |name: &str| allowed.is_empty() || allowed.contains(name);
            if !behind.iter().any(|(_, name, _)| fits(name)) && stands_in(case, set) == StandsIn::Nobody {
                missing_backup(case, domain, set, sheet);
            }
        }
        BackupRule::Allowed | BackupRule::Forbidden => {}
    }
    if !has_backup_rule(case) {
        return;
    }
    for (preference, name, rr) in behind {
        let designed = domain.mx.iter().any(|host| host.value == *name) || allowed.contains(name);
        let judged_elsewhere = case.facts.hosts.get(*name).is_none_or(|host| {
            matches!(side(&chain(case.inventory, host)), Side::Legacy | Side::Unknown)
                && !case.inventory.platforms.is_empty()
        });
        if designed || judged_elsewhere {
            continue;
        }
        let title = match domain.backup.rule {
            BackupRule::Forbidden => {
                format!("the design has no backup, and `{name}` stands at preference {preference}")
            }
            _ => format!("`{name}` stands at preference {preference}, and is not a backup of the design"),
        };
        let finding = sheet.finding(Kind::BackupUnexpected, grave(case), title).shown_by(rr.evidence());
        let platform = case.inventory.of_name(name).map(|platform| platform.name.value.as_str());
        sheet.add(finding.platform(platform).fix(rr.removal()));
    }
}

fn missing_backup(case: &Case<'_>, domain: &Domain, set: &[(u16, &str, &Rr)], sheet: &mut Sheet) {
    let hosts: Vec<String> = domain.backup.hosts.iter().map(|host| format!("`{}`", host.value)).collect();
    let which = if hosts.is_empty() {
        "none is in the MX set".to_owned()
    } else {
        format!("{} is not there", and_list(&hosts))
    };
    let title = format!("the design requires a backup MX, and {which}");
    let severity = if case.design.phase == DomainPhase::Planned { Info } else { grave(case) };
    let finding = sheet.finding(Kind::BackupMissing, severity, title);
    let finding = finding.platform(case.design.at.map(|at| at.name.value.as_str()));
    let finding = set.iter().fold(finding, |finding, (.., rr)| finding.shown_by(rr.evidence()));
    let worst = set.last().map_or(10, |(preference, ..)| *preference).saturating_add(10);
    sheet.add(match domain.backup.hosts.first() {
        Some(host) => finding.fix(format!("add `{}. MX {worst} {}.` to the zone", domain.name.value, host.value)),
        None => finding.fix(format!("add an MX record of preference {worst} for a second host of the platform")),
    });
}

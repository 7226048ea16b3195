//! On which side each MX host stands, and what shows it.

use serde_json::{Value, json};

use super::mx_set::hosts;
use super::target::with_host;
use super::{Case, Sheet};
use crate::audit::facts::{Answer, Data, HostFacts, Rr, Secured};
use crate::audit::kind::Kind;
use crate::inventory::{Claim, Inventory, Side, Trait};
use crate::record::FindingSeverity::{Error, Warning};
use crate::record::{Finding, FindingSeverity};

/// One thing that was seen of a host, and who claims it.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    /// What kind of thing: `name`, `alias`, `address`, `reverse name`, `banner`, `certificate`, `key`.
    pub what: &'static str,
    /// The thing itself.
    pub seen: String,
    /// Who claims it.
    pub claim: Option<Claim<'a>>,
    /// Where it was seen, where that is a record.
    pub record: Option<&'a Rr>,
}

impl Link<'_> {
    fn side(&self) -> Side {
        self.claim.as_ref().map_or(Side::Unknown, Claim::side)
    }

    /// As evidence: what it is, whose it is, and by which entry of the inventory.
    pub fn evidence(&self) -> Value {
        let whose = match &self.claim {
            Some(claim) => format!("of `{}` by its `{}`", claim.platform.name.value, claim.by.word()),
            None => "of no platform in the inventory".to_owned(),
        };
        let told = self.record.map(|rr| format!(" ({})", rr.told.by)).unwrap_or_default();
        json!({
            "link": self.what, "seen": self.seen, "side": self.side().word(),
            "text": format!("{} {}: {whose}{told}", self.what, self.seen),
        })
    }
}

/// The evidence chain of a host, from its name to its certificate.
pub fn chain<'a>(inventory: &'a Inventory, host: &'a HostFacts) -> Vec<Link<'a>> {
    let link = |what, seen: &str, claim, record| Link { what, seen: seen.to_owned(), claim, record };
    let mut chain = vec![link("name", &host.name, inventory.claim(Trait::Name(&host.name)), None)];
    for rr in &host.aliases {
        if let Data::Alias(target) = &rr.data {
            chain.push(link("alias", target, inventory.claim(Trait::Name(target)), Some(rr)));
        }
    }
    for one in &host.addresses {
        let claim = inventory.claim(Trait::Address(one.address));
        chain.push(link("address", &one.address.to_string(), claim, Some(&one.record)));
        for rr in one.reverse.records() {
            if let Data::Pointer(name) = &rr.data {
                chain.push(link("reverse name", name, inventory.claim(Trait::ReverseName(name)), Some(rr)));
            }
        }
        let Some(visit) = &one.visit else { continue };
        if let Some(name) = &visit.greets_as {
            chain.push(link("banner", name, inventory.claim(Trait::Banner(name)), None));
        }
        let Secured::Done(seen) = &visit.secured else { continue };
        for name in seen.certificates.first().map(|leaf| leaf.names.as_slice()).unwrap_or_default() {
            chain.push(link("certificate", name, inventory.claim(Trait::Certificate(name)), None));
        }
    }
    chain
}

/// The first thing of a host that the legacy platform claims.
pub(super) fn legacy_link<'a, 'b>(chain: &'b [Link<'a>]) -> Option<&'b Link<'a>> {
    chain.iter().find(|link| link.side() == Side::Legacy)
}

/// A host's side: legacy where anything of it is, else by the first thing that a platform claims.
pub(super) fn side(chain: &[Link<'_>]) -> Side {
    match legacy_link(chain) {
        Some(_) => Side::Legacy,
        None => chain.iter().map(Link::side).find(|side| *side != Side::Unknown).unwrap_or(Side::Unknown),
    }
}

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    let Some(source) = case.mx() else { return };
    let set = hosts(source.answer.records());
    let mut seen: Vec<&str> = vec![];
    for (preference, name, rr) in &set {
        let Some(host) = case.facts.hosts.get(*name) else { continue };
        let chain = chain(case.inventory, host);
        if seen.contains(name) {
            continue;
        }
        seen.push(name);
        match legacy_link(&chain) {
            Some(link) => legacy(case, (*preference, rr), &chain, link, &set, sheet),
            None if judged_elsewhere(case, host, (*preference, set[0].0), &chain) => {}
            None => unclaimed(case, name, rr, &chain, sheet),
        }
    }
    split(case, &set, sheet);
    implicit(case, source, sheet);
}

/// A host of the legacy platform, said once and by the strongest sign.
fn legacy(
    case: &Case<'_>,
    (preference, rr): (u16, &Rr),
    chain: &[Link<'_>],
    link: &Link<'_>,
    set: &[(u16, &str, &Rr)],
    sheet: &mut Sheet,
) {
    if case.design.phase == crate::inventory::DomainPhase::Planned {
        return;
    }
    let (name, platform) = (&chain[0].seen, link.claim.as_ref().map(|claim| claim.platform.name.value.as_str()));
    let shown = platform.unwrap_or_default();
    let (kind, base, title) = match link.what {
        "name" => {
            let title = format!("the MX record of preference {preference} names `{name}`, which is on `{shown}`");
            (Kind::MxPointsToLegacy, Error, title)
        }
        "alias" => {
            let title = format!("the MX host `{name}` is an alias of `{}`, which is on `{shown}`", link.seen);
            (Kind::MxAliasToLegacy, Error, title)
        }
        "address" => {
            let title = format!("the MX host `{name}` has the address `{}`, which is on `{shown}`", link.seen);
            (Kind::MxAddressIsLegacy, Error, title)
        }
        "reverse name" => {
            let title = format!("an address of the MX host `{name}` has the reverse name `{}` of `{shown}`", link.seen);
            (Kind::MxReverseNameIsLegacy, Warning, title)
        }
        "banner" => {
            (Kind::MxBannerIsLegacy, Error, format!("the MX host `{name}` greets as `{}` of `{shown}`", link.seen))
        }
        what => {
            let title = format!("the MX host `{name}` shows a {what} of `{shown}`: `{}`", link.seen);
            (Kind::MxCertificateIsLegacy, Warning, title)
        }
    };
    let mut finding = sheet.finding(kind, case.still_legacy(base), title).platform(platform).shown_by(rr.evidence());
    finding = match (link.record, &link.claim) {
        (Some(record), _) => finding.shown_by(record.evidence()),
        _ => finding,
    };
    finding = chain.iter().fold(finding, |finding, link| finding.shown_by(link.evidence()));
    sheet.add(finding.fix(fix(case, rr, link, set)));
}

/// What to do about a record that leads to the legacy platform: where the design has a host that the set
/// lacks, that one belongs there.
fn fix(case: &Case<'_>, rr: &Rr, link: &Link<'_>, set: &[(u16, &str, &Rr)]) -> String {
    let lacking = super::design::wanted(case).into_iter().find(|host| !set.iter().any(|(_, name, _)| name == host));
    let removal = match lacking {
        Some(host) => rr.replacement(&with_host(rr, host)),
        None => rr.removal(),
    };
    match (link.what, link.record) {
        ("name", _) => removal,
        ("address", Some(record)) => format!("{}, or give the host its new address: {}", removal, record.removal()),
        ("alias", Some(record)) => format!("{removal}, or point the alias elsewhere: {}", record.removal()),
        _ => format!("find out which server that is; if it is the old one, {removal}"),
    }
}

/// Whether a host has a finding of its own that says more: it is none, or it is no backup of the design.
fn judged_elsewhere(case: &Case<'_>, host: &HostFacts, (preference, best): (u16, u16), chain: &[Link<'_>]) -> bool {
    let no_host = host.missing().is_some()
        || !host.aliases.is_empty()
        || super::target::literal(&host.name, &case.facts.name).is_some()
        || super::target::is_own_machine(&host.name);
    no_host || preference > best && side(chain) != Side::Unknown && super::design::has_backup_rule(case)
}

/// A host that nobody claims, or somebody of whom the design knows nothing.
fn unclaimed(case: &Case<'_>, name: &str, rr: &Rr, chain: &[Link<'_>], sheet: &mut Sheet) {
    let wanted = super::design::wanted(case);
    if case.inventory.platforms.is_empty() || wanted.contains(&name) || name.ends_with(".msv1.invalid") {
        return;
    }
    let (kind, title, platform) = match (side(chain), chain.iter().find_map(|link| link.claim.as_ref())) {
        (Side::Unknown, _) => {
            (Kind::MxHostUnknown, format!("no platform of the inventory claims the MX host `{name}`"), None)
        }
        (_, Some(claim)) => {
            let whose = claim.platform.name.value.as_str();
            let allowed = wanted.is_empty() && case.design.at.is_none_or(|at| at.name.value == whose);
            if allowed || case.design.domain.is_none() && claim.side() == Side::New {
                return;
            }
            let title = format!("the design does not have the MX host `{name}` of `{whose}`");
            (Kind::MxNotInDesign, title, Some(whose))
        }
        _ => return,
    };
    let finding: Finding = sheet.finding(kind, Warning, title).platform(platform).shown_by(rr.evidence());
    let finding = chain.iter().fold(finding, |finding, link| finding.shown_by(link.evidence()));
    sheet.add(finding.fix(match kind {
        Kind::MxHostUnknown => format!("add the host to a platform of the inventory, or {}", rr.removal()),
        _ => format!("{}, or add the host to `mx` or `backup` of the domain in the inventory", rr.removal()),
    }));
}

/// Equal preferences on both sides: senders choose at random (RFC 5321 5.1).
fn split(case: &Case<'_>, set: &[(u16, &str, &Rr)], sheet: &mut Sheet) {
    for group in set.chunk_by(|one, next| one.0 == next.0) {
        let sides: Vec<(Side, &Rr)> = group
            .iter()
            .filter_map(|(_, name, rr)| Some((side(&chain(case.inventory, case.facts.hosts.get(*name)?)), *rr)))
            .collect();
        let of = |wanted: Side| sides.iter().filter(|(side, _)| *side == wanted).count();
        if of(Side::Legacy) == 0 || of(Side::Legacy) == sides.len() {
            continue;
        }
        let share = format!("{} of {}", of(Side::Legacy), sides.len());
        let title = format!("at preference {} {share} hosts are the old ones: senders pick one at random", group[0].0);
        let finding = sheet.finding(Kind::MxSplitBetweenSides, case.still_legacy(Error), title);
        let finding = sides.iter().fold(finding, |finding, (_, rr)| finding.shown_by(rr.evidence()));
        let old = sides.iter().find(|(side, _)| *side == Side::Legacy);
        sheet.add(match old {
            Some((_, rr)) => finding.fix(rr.removal()),
            None => finding,
        });
    }
}

/// Without MX records the domain's own address takes mail; it may be the old server's.
fn implicit(case: &Case<'_>, source: &crate::audit::facts::FromSource, sheet: &mut Sheet) {
    if source.answer != Answer::NoData {
        return;
    }
    let chain = chain(case.inventory, &case.facts.itself);
    let Some(link) = legacy_link(&chain).filter(|link| link.what != "name") else { return };
    let severity: FindingSeverity = case.still_legacy(if link.what == "reverse name" { Warning } else { Error });
    let title = format!("without MX records mail goes to `{}`, which is on the legacy platform", link.seen);
    let platform = link.claim.as_ref().map(|claim| claim.platform.name.value.as_str());
    let mut finding = sheet.finding(Kind::MxAddressIsLegacy, severity, title).platform(platform);
    if let Some(record) = link.record {
        finding = finding.shown_by(record.evidence());
    }
    sheet.add(finding.fix("add the MX records of the design"));
}

//! MTA-STS and DANE, as far as names tell: who holds the record, who serves the policy, whose keys are named.

use sha2::{Digest, Sha256};

use super::side::{chain, legacy_link};
use super::{Case, Sheet, report};
use crate::audit::facts::{Data, Secured, Trail};
use crate::audit::kind::Kind;
use crate::inventory::{Side, Spki, Trait};
use crate::record::FindingSeverity::{Error, Warning};

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    report::tlsrpt(case, sheet);
    record_holder(case, sheet);
    policy_host(case, sheet);
    split(case, sheet);
    tlsa(case, sheet);
}

fn record_holder(case: &Case<'_>, sheet: &mut Sheet) {
    let aliases = case.facts.sts_record.iter().flat_map(|trail| &trail.aliases);
    for alias in aliases {
        let Data::Alias(target) = &alias.data else { continue };
        let claim = case.inventory.claim(Trait::Name(target)).filter(|claim| claim.side() == Side::Legacy);
        let Some(claim) = claim else { continue };
        let platform = claim.platform.name.value.as_str();
        let title = format!("the MTA-STS record is an alias of `{target}`, which is on `{platform}`");
        let finding = sheet.finding(Kind::StsRecordAtLegacy, case.still_legacy(Error), title).platform(Some(platform));
        let fix = format!("{}, and publish `_mta-sts.{}. TXT` with a new id", alias.removal(), case.facts.name);
        sheet.add(finding.shown_by(alias.evidence()).fix(fix));
    }
}

fn policy_host(case: &Case<'_>, sheet: &mut Sheet) {
    let Some(host) = &case.facts.sts_host else { return };
    let chain = chain(case.inventory, host);
    let Some(link) = legacy_link(&chain).filter(|link| matches!(link.what, "alias" | "address")) else { return };
    let Some(claim) = &link.claim else { return };
    let platform = claim.platform.name.value.as_str();
    let title = format!("the policy host `{}` leads to `{}`, which is on `{platform}`", host.name, link.seen);
    let mut finding = sheet.finding(Kind::StsHostAtLegacy, case.still_legacy(Error), title).platform(Some(platform));
    if let Some(record) = link.record {
        let fix = format!("serve the policy on the new platform; then {}; then change the id", record.removal());
        finding = finding.shown_by(record.evidence()).fix(fix);
    }
    sheet.add(chain.iter().fold(finding, |finding, link| finding.shown_by(link.evidence())));
}

/// Record and policy host delegated to names of different platforms.
fn split(case: &Case<'_>, sheet: &mut Sheet) {
    let (Some(record), Some(host)) = (&case.facts.sts_record, &case.facts.sts_host) else { return };
    let alias = |trail: &Trail| trail.aliases.last().cloned();
    let (Some(record), Some(host)) = (alias(record), host.aliases.last()) else { return };
    let (Data::Alias(left), Data::Alias(right)) = (&record.data, &host.data) else { return };
    let platform = |name: &str| case.inventory.of_name(name).map(|platform| platform.name.value.clone());
    let parent = |name: &str| name.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    let same = match (platform(left), platform(right)) {
        (Some(left), Some(right)) => left == right,
        _ => parent(left) == parent(right),
    };
    if same {
        return;
    }
    let title = format!("the MTA-STS record is delegated to `{left}`, and the policy host to `{right}`");
    let finding = sheet.finding(Kind::StsSplitControl, Warning, title).shown_by(record.evidence());
    sheet.add(finding.shown_by(host.evidence()));
}

/// TLSA records that match a key of the legacy platform (RFC 7672 8.1): left over, or the wrong host.
fn tlsa(case: &Case<'_>, sheet: &mut Sheet) {
    let legacy: Vec<(&str, Spki)> = case
        .inventory
        .platforms
        .values()
        .filter(|platform| platform.side == Side::Legacy)
        .flat_map(|platform| platform.spki.iter().map(|spki| (platform.name.value.as_str(), spki.value)))
        .collect();
    for host in case.facts.hosts.values() {
        for rr in host.tlsa.records() {
            let Data::Tlsa(tlsa) = &rr.data else { continue };
            // Selector 1 is the key; matching 0 holds all of it, 1 its SHA-256 digest.
            let digest: Option<[u8; 32]> = match (tlsa.selector, tlsa.matching) {
                (1, 1) => tlsa.data.as_slice().try_into().ok(),
                (1, 0) => Some(Sha256::digest(&tlsa.data).into()),
                _ => None,
            };
            let Some((platform, _)) = legacy.iter().copied().find(|(_, spki)| Some(spki.0) == digest) else { continue };
            let title = format!("a TLSA record of `{}` matches a key of `{platform}`", host.name);
            let finding = sheet.finding(Kind::TlsaLegacyKey, case.still_legacy(Warning), title);
            let shown = finding.platform(Some(platform)).shown_by(rr.evidence());
            sheet.add(
                shown.fix(format!("once the new key is published and twice the TTL has passed, {}", rr.removal())),
            );
        }
    }
}

/// Whether a host's session was encrypted with a certificate that is valid for it.
pub(super) fn is_trusted(secured: &Secured) -> bool {
    matches!(secured, Secured::Done(seen) if seen.verdicts == ["trusted"])
}

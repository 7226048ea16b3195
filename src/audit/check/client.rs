//! What mail clients are told: SRV, names that they guess, documents that they fetch.

use serde_json::json;

use super::side::{chain, legacy_link};
use super::{Case, Sheet};
use crate::audit::facts::{ClientName, Data, Document, Rr, Service, Trail};
use crate::audit::kind::Kind;
use crate::inventory::{Claim, DomainPhase, Side, Trait};
use crate::record::FindingSeverity::{Error, Warning};

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    case.facts.services.iter().for_each(|service| srv(case, service, sheet));
    case.facts.clients.iter().for_each(|name| client(case, name, sheet));
    case.facts.documents.iter().for_each(|document| named(case, document, sheet));
    for selector in &case.facts.selectors {
        dkim(case, &selector.selector, &selector.trail, sheet);
    }
}

fn legacy<'a>(case: &Case<'a>, name: &str) -> Option<Claim<'a>> {
    case.inventory.claim(Trait::Name(name)).filter(|claim| claim.side() == Side::Legacy)
}

fn srv(case: &Case<'_>, service: &Service, sheet: &mut Sheet) {
    let mut offers: Vec<(u16, &str, u16, &Rr)> = service
        .trail
        .end
        .records()
        .iter()
        .filter_map(|rr| match &rr.data {
            // The root: the service is not offered (RFC 2782).
            Data::Service { target, .. } if target.is_empty() => None,
            Data::Service { priority, port, target, .. } => Some((*priority, target.as_str(), *port, rr)),
            _ => None,
        })
        .collect();
    offers.sort_by_key(|(priority, ..)| *priority);
    let best = offers.first().map_or(0, |(priority, ..)| *priority);
    for (priority, target, port, rr) in &offers {
        let Some(claim) = legacy(case, target) else { continue };
        let platform = claim.platform.name.value.as_str();
        let others = offers.iter().any(|(_, other, ..)| legacy(case, other).is_none());
        let what = format!("`{}` sends clients to `{target}`, port {port}, on `{platform}`", service.service);
        let (kind, title) = match others && *priority == best {
            true => (Kind::SrvPrefersLegacy, format!("{what}, before the new host")),
            false => (Kind::SrvNamesLegacy, what),
        };
        let finding = sheet.finding(kind, case.still_legacy(Error), title).platform(Some(platform));
        sheet.add(finding.shown_by(rr.evidence()).fix(match others {
            true => rr.removal(),
            false => format!(
                "name the new host: {}",
                rr.removal().replacen("delete", "change", 1).replacen("remove", "change", 1)
            ),
        }));
    }
}

fn client(case: &Case<'_>, name: &ClientName, sheet: &mut Sheet) {
    // A name that is an MX host is judged as such.
    if case.facts.hosts.contains_key(&name.host.name) {
        return;
    }
    let chain = chain(case.inventory, &name.host);
    let Some(link) = legacy_link(&chain).filter(|link| matches!(link.what, "alias" | "address")) else { return };
    let Some(claim) = &link.claim else { return };
    let platform = claim.platform.name.value.as_str();
    let (kind, base) = match name.label {
        "autoconfig" => (Kind::AutoconfigAtLegacy, Error),
        "autodiscover" => (Kind::AutodiscoverAtLegacy, Error),
        _ => (Kind::ClientNameAtLegacy, Warning),
    };
    let title = format!("`{}` leads to `{}`, which is on `{platform}`", name.host.name, link.seen);
    let mut finding = sheet.finding(kind, case.still_legacy(base), title).platform(Some(platform));
    if let Some(record) = link.record {
        finding = finding.shown_by(record.evidence());
        finding = finding.fix(format!("{}, and point `{}` at the new platform", record.removal(), name.host.name));
    }
    sheet.add(chain.iter().fold(finding, |finding, link| finding.shown_by(link.evidence())));
}

fn named(case: &Case<'_>, document: &Document, sheet: &mut Sheet) {
    for hop in &document.redirects {
        let host = hop.split("://").nth(1).unwrap_or(hop).split(['/', ':', '?']).next().unwrap_or_default();
        let Some(claim) = legacy(case, host) else { continue };
        let platform = claim.platform.name.value.as_str();
        let title = format!("{} is fetched from `{host}`, which is on `{platform}`", document.url);
        let finding = sheet.finding(Kind::DocumentRedirects, case.still_legacy(Error), title).platform(Some(platform));
        sheet.add(
            finding.shown_by(json!({ "url": document.url, "text": format!("{} redirects to {hop}", document.url) })),
        );
    }
    let Ok(Some(names)) = &document.names else { return };
    let kind = match document.kind {
        "autoconfig" => Kind::AutoconfigDocument,
        "autodiscover" => Kind::AutodiscoverDocument,
        _ => Kind::PaccDocument,
    };
    for one in names {
        let Some(claim) = legacy(case, &one.host) else { continue };
        let platform = claim.platform.name.value.as_str();
        let title = format!("{} tells clients to use `{}` of `{platform}` for {}", document.url, one.host, one.purpose);
        let finding = sheet.finding(kind, case.still_legacy(Error), title).platform(Some(platform));
        let text = format!("{}: {} {}", document.url, one.purpose, one.host);
        let shown =
            finding.shown_by(json!({ "url": document.url, "purpose": one.purpose, "host": one.host, "text": text }));
        sheet.add(shown.fix(format!("replace `{}` in {}", one.host, document.url)));
    }
}

fn dkim(case: &Case<'_>, selector: &str, trail: &Trail, sheet: &mut Sheet) {
    for alias in &trail.aliases {
        let Data::Alias(target) = &alias.data else { continue };
        let Some(claim) = legacy(case, target) else { continue };
        let platform = claim.platform.name.value.as_str();
        let title = format!("the DKIM selector `{selector}` is an alias of `{target}`, which is on `{platform}`");
        let finding = sheet.finding(Kind::DkimAtLegacy, case.still_legacy(Error), title).platform(Some(platform));
        let fix = format!("once mail signed with it has been read, {}", alias.removal());
        sheet.add(finding.shown_by(alias.evidence()).fix(fix));
        return;
    }
    if let Some(why) = trail.end.absence()
        && case.design.phase != DomainPhase::Planned
    {
        let title = format!("there is no key at the DKIM selector `{selector}`: `{}` {why}", trail.last_name());
        let finding = sheet.finding(Kind::DkimMissing, Warning, title);
        sheet.add(trail.aliases.iter().fold(finding, |finding, rr| finding.shown_by(rr.evidence())));
    }
}

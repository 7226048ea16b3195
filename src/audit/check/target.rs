//! What an MX record names: a host with an address, and no alias (RFC 5321 5.1).

use std::net::IpAddr;

use super::mx_set::hosts;
use super::{Case, Ground, Sheet};
use crate::audit::facts::{Data, HostFacts, Rr};
use crate::audit::kind::Kind;
use crate::inventory::{Side, Trait};
use crate::record::Finding;
use crate::record::FindingSeverity::{Error, Warning};

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    let mut seen: Vec<&str> = vec![];
    for source in &case.facts.mx {
        for (_, name, rr) in hosts(source.answer.records()) {
            if name.is_empty() || seen.contains(&name) {
                continue;
            }
            seen.push(name);
            match case.facts.hosts.get(name) {
                _ if literal(name, &case.facts.name).is_some() => address_literal(case, name, rr, sheet),
                _ if is_own_machine(name) => loopback(name, "is the sender's own machine", rr, sheet, None),
                Some(host) => named(case, host, rr, sheet),
                None => {}
            }
        }
    }
}

fn named(case: &Case<'_>, host: &HostFacts, rr: &Rr, sheet: &mut Sheet) {
    if let Some(why) = host.missing()
        && !host.name.ends_with(".msv1.invalid")
    {
        missing(case, host, why, rr, sheet);
    }
    if !host.aliases.is_empty() {
        alias(case, host, rr, sheet);
    }
    for one in host.addresses.iter().filter(|_| case.ground == Ground::Internet) {
        let why = format!("has the address `{}`", one.address);
        match reach(one.address) {
            Reach::Public => {}
            Reach::OwnMachine => {
                loopback(
                    &host.name,
                    &format!("{why}, which is the sender's own machine"),
                    rr,
                    sheet,
                    Some(&one.record),
                );
            }
            Reach::Private => {
                let title = format!("`{}` {why}, which the internet cannot reach", host.name);
                let finding = sheet.finding(Kind::MxTargetIsPrivate, Warning, title).shown_by(rr.evidence());
                sheet.add(finding.shown_by(one.record.evidence()));
            }
        }
    }
}

fn missing(case: &Case<'_>, host: &HostFacts, why: &str, rr: &Rr, sheet: &mut Sheet) {
    let name = &host.name;
    let title = format!("the MX host `{name}` {why}");
    let mut finding = sheet.finding(Kind::MxTargetMissing, Error, title).platform(claimant(case, name));
    finding = finding.shown_by(rr.evidence());
    finding = host.aliases.iter().fold(finding, |finding, alias| finding.shown_by(alias.evidence()));
    let meant = name.strip_suffix(&format!(".{}", case.facts.name)).filter(|it| it.contains('.'));
    sheet.add(match meant {
        Some(meant) => {
            let data = with_host(rr, meant);
            finding.fix(format!("{}: the name lacks its final dot", rr.replacement(&data)))
        }
        None if host.aliases.is_empty() => {
            finding.fix(format!("{}, or add an A or AAAA record for `{name}`", rr.removal()))
        }
        None => finding.fix(format!("{}, or have it name a host with an address", rr.removal())),
    });
}

fn alias(case: &Case<'_>, host: &HostFacts, rr: &Rr, sheet: &mut Sheet) {
    let Some(Data::Alias(target)) = host.aliases.last().map(|rr| &rr.data) else { return };
    let title = format!("the MX host `{}` is an alias of `{target}`", host.name);
    let mut finding = sheet.finding(Kind::MxTargetIsAlias, Error, title).shown_by(rr.evidence());
    finding = host.aliases.iter().fold(finding, |finding, alias| finding.shown_by(alias.evidence()));
    // What is no host of the new platform must not be named in its stead either.
    let wrong = host.missing().is_some() || case.inventory.side(Trait::Name(target)) == Side::Legacy;
    sheet.add(finding.fix(if wrong { rr.removal() } else { rr.replacement(&with_host(rr, target)) }));
}

fn address_literal(case: &Case<'_>, name: &str, rr: &Rr, sheet: &mut Sheet) {
    let address = literal(name, &case.facts.name);
    let shown = address.map_or_else(|| name.to_owned(), |address| address.to_string());
    let title = format!("an MX record names the address `{shown}`, and must name a host");
    let platform = address.and_then(|address| case.inventory.claim(Trait::Address(address)));
    let finding = sheet.finding(Kind::MxTargetIsAddress, Error, title);
    let finding = finding.platform(platform.map(|claim| claim.platform.name.value.as_str()));
    let right = rr.replacement(&with_host(rr, &format!("mail.{}", case.facts.name)));
    sheet.add(finding.shown_by(rr.evidence()).fix(format!("{right}, and give that name the address")));
}

fn loopback(name: &str, why: &str, rr: &Rr, sheet: &mut Sheet, address: Option<&Rr>) {
    let title = format!("the MX host `{name}` {why}");
    let mut finding: Finding = sheet.finding(Kind::MxTargetIsLoopback, Error, title).shown_by(rr.evidence());
    if let Some(address) = address {
        finding = finding.shown_by(address.evidence());
    }
    sheet.add(finding.fix(format!("{}; a domain without mail has the single record `MX 0 .`", rr.removal())));
}

/// The same record with another host.
pub(super) fn with_host(rr: &Rr, host: &str) -> Data {
    match &rr.data {
        Data::Mx { preference, .. } => Data::Mx { preference: *preference, host: host.to_owned() },
        other => other.clone(),
    }
}

fn claimant<'a>(case: &Case<'a>, name: &str) -> Option<&'a str> {
    case.inventory.claim(Trait::Name(name)).map(|claim| claim.platform.name.value.as_str())
}

/// The address that was written where a name must stand; without a final dot the zone's name follows it.
pub(super) fn literal(name: &str, domain: &str) -> Option<IpAddr> {
    let short = name.strip_suffix(&format!(".{domain}")).unwrap_or(name);
    [name, short].iter().find_map(|text| text.trim_matches(['[', ']']).parse().ok())
}

/// Whether a name is the sender's own machine.
pub(super) fn is_own_machine(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    last == "localhost" || name == "localhost.localdomain" || name.starts_with("localhost.")
}

enum Reach {
    Public,
    Private,
    OwnMachine,
}

fn reach(address: IpAddr) -> Reach {
    let address = address.to_canonical();
    if address.is_loopback() || address.is_unspecified() {
        return Reach::OwnMachine;
    }
    let private = match address {
        IpAddr::V4(v4) => {
            v4.is_private() || v4.is_link_local() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64)
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    if private { Reach::Private } else { Reach::Public }
}

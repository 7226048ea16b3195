//! The MX set as such: null MX, duplicates, leftovers, no set at all.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Case, Sheet};
use crate::audit::facts::{Answer, Data, HostFacts, Rr, SpfTermKind};
use crate::audit::kind::Kind;
use crate::record::FindingSeverity::{Error, Info, Warning};
use crate::terms::{UnknownWord, words};

words! {
    /// What an MX set amounts to.
    Class {
        /// Hosts that take mail.
        Mx = "mx",
        /// The domain takes no mail (RFC 7505).
        NullMx = "null-mx",
        /// No MX record: the domain's own address takes mail (RFC 5321 5.1).
        ImplicitMx = "implicit-mx",
        /// Neither MX nor address.
        NoMail = "no-mail",
        /// It could not be learnt.
        Unknown = "unknown",
    }
}

/// What an answer to MX amounts to.
pub fn class(answer: &Answer, itself: &HostFacts) -> Class {
    match answer {
        Answer::Found(records) => match hosts(records).as_slice() {
            [(_, "", _)] => Class::NullMx,
            _ => Class::Mx,
        },
        Answer::NoName => Class::NoMail,
        Answer::NoData | Answer::Alias(_) | Answer::Circle if itself.missing().is_some() => Class::NoMail,
        Answer::NoData if !itself.addresses.is_empty() => Class::ImplicitMx,
        _ => Class::Unknown,
    }
}

/// Preference, host and record of each MX record, best first.
pub(super) fn hosts(records: &[Rr]) -> Vec<(u16, &str, &Rr)> {
    let mut hosts: Vec<(u16, &str, &Rr)> = records
        .iter()
        .filter_map(|rr| match &rr.data {
            Data::Mx { preference, host } => Some((*preference, host.as_str(), rr)),
            _ => None,
        })
        .collect();
    hosts.sort_by_key(|(preference, ..)| *preference);
    hosts
}

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    let Some(source) = case.mx() else { return };
    match class(&source.answer, &case.facts.itself) {
        Class::NullMx => null_mx(case, source.answer.records(), sheet),
        Class::Mx => set(source.answer.records(), sheet),
        Class::ImplicitMx => implicit(case, sheet),
        Class::NoMail => nothing(case, sheet),
        Class::Unknown => {}
    }
}

fn null_mx(case: &Case<'_>, records: &[Rr], sheet: &mut Sheet) {
    for (preference, _, rr) in hosts(records) {
        if preference != 0 {
            let title = format!("the null MX has the preference {preference}, and not 0");
            let right = rr.replacement(&Data::Mx { preference: 0, host: String::new() });
            sheet.add(sheet.finding(Kind::NullMxPreference, Warning, title).shown_by(rr.evidence()).fix(right));
        }
        if let (Some(_), Some(at)) = (case.design.domain, case.design.at) {
            let title = format!("the domain takes no mail, and its mail belongs to `{}`", at.name.value);
            sheet.add(sheet.finding(Kind::NullMxUnexpected, Error, title).shown_by(rr.evidence()));
        }
    }
    let Some(record) = case.facts.spf.as_ref().and_then(|spf| spf.record.as_ref().zip(Some(spf))) else { return };
    let sends = |term: &&crate::audit::facts::SpfTerm| {
        !matches!(term.kind, SpfTermKind::Other | SpfTermKind::Malformed(_)) && term.qualifier == '+'
    };
    if let Some(term) = record.1.terms.iter().find(sends) {
        let title = format!("the domain takes no mail, and SPF lets `{}` send for it", term.text);
        sheet.add(sheet.finding(Kind::NullMxButSends, Warning, title).shown_by(record.0.evidence()));
    }
}

fn set(records: &[Rr], sheet: &mut Sheet) {
    let hosts = hosts(records);
    for (at, (_, host, rr)) in hosts.iter().enumerate() {
        if host.is_empty() {
            let title = "a null MX (`.`) stands beside other MX records";
            let finding = sheet.finding(Kind::NullMxNotAlone, Error, title).shown_by(rr.evidence());
            sheet.add(finding.fix(rr.removal()));
        } else if let Some((_, _, first)) = hosts[..at].iter().find(|(_, earlier, _)| earlier == host) {
            let title = format!("`{host}` stands in the MX set twice");
            let finding = sheet.finding(Kind::MxDuplicate, Info, title).shown_by(first.evidence());
            sheet.add(finding.shown_by(rr.evidence()).fix(rr.removal()));
        }
        if *host == "msv1.invalid" || host.ends_with(".msv1.invalid") {
            let title = format!("`{host}` once proved the domain to Microsoft 365, and takes no mail");
            let finding = sheet.finding(Kind::MxVerificationLeftover, Warning, title).shown_by(rr.evidence());
            sheet.add(finding.fix(rr.removal()));
        }
    }
}

fn implicit(case: &Case<'_>, sheet: &mut Sheet) {
    let addresses = &case.facts.itself.addresses;
    let list: Vec<String> = addresses.iter().map(|one| format!("`{}`", one.address)).collect();
    let title = format!("there is no MX record: mail goes to the domain's own address {}", list.join(", "));
    let finding = sheet.finding(Kind::MxImplicit, Warning, title);
    sheet.add(addresses.iter().fold(finding, |finding, one| finding.shown_by(one.record.evidence())));
}

fn nothing(case: &Case<'_>, sheet: &mut Sheet) {
    // Only a domain that somebody expects mail for makes that a mistake.
    let severity = if case.design.domain.is_some() { Error } else { Info };
    let gone = case.mx().is_some_and(|source| source.answer == Answer::NoName);
    let why =
        if gone { "the domain does not exist (NXDOMAIN)" } else { "there is neither an MX record nor an address" };
    let mut finding = sheet.finding(Kind::MxNone, severity, format!("{why}: mail to it is returned"));
    if let Some(first) = case.design.domain.and_then(|domain| domain.mx.first()) {
        finding = finding.fix(format!("add `{}. MX 10 {}.` to the zone", case.facts.name, first.value));
    }
    sheet.add(finding);
}

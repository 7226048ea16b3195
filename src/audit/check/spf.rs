//! SPF, expanded: who may still send in the domain's name.

use ipnet::IpNet;
use serde_json::{Value, json};

use super::{Case, Sheet};
use crate::audit::facts::{Answer, HostFacts, SpfTerm, SpfTermKind, SpfTree};
use crate::audit::kind::Kind;
use crate::inventory::{Claim, Side, Trait};
use crate::record::FindingSeverity::{self, Error, Warning};

/// The most lookups (RFC 7208 4.6.4).
const MOST_LOOKUPS: usize = 10;
/// The most lookups that find nothing (RFC 7208 4.6.4).
const MOST_VOIDS: usize = 2;

pub(super) fn check(case: &Case<'_>, sheet: &mut Sheet) {
    let Some(tree) = &case.facts.spf else { return };
    limits(tree, sheet);
    Walk { case, path: vec![] }.tree(tree, sheet);
}

fn limits(tree: &SpfTree, sheet: &mut Sheet) {
    let Some(record) = &tree.record else { return };
    let (lookups, voids) = (tree.lookups(), tree.voids());
    if lookups > MOST_LOOKUPS {
        let title =
            format!("SPF needs {lookups} lookups, and {MOST_LOOKUPS} are allowed: receivers take it for an error");
        sheet.add(sheet.finding(Kind::SpfTooManyLookups, Error, title).shown_by(record.evidence()));
    }
    if voids > MOST_VOIDS {
        let title = format!("{voids} lookups of SPF find nothing, and {MOST_VOIDS} are allowed");
        sheet.add(sheet.finding(Kind::SpfTooManyVoids, Warning, title).shown_by(record.evidence()));
    }
}

/// From the domain's record down through what it includes.
struct Walk<'a> {
    case: &'a Case<'a>,
    path: Vec<&'a SpfTree>,
}

impl<'a> Walk<'a> {
    fn tree(&mut self, tree: &'a SpfTree, sheet: &mut Sheet) {
        self.path.push(tree);
        if tree.count > 1 {
            let title =
                format!("there are {} SPF records at `{}`: receivers take it for an error", tree.count, tree.name);
            let finding = sheet.finding(Kind::SpfSeveral, Error, title);
            let texts = tree.trail.end.texts().filter(|(text, _)| text.to_ascii_lowercase().starts_with("v=spf1"));
            sheet.add(texts.fold(finding, |finding, (_, rr)| finding.shown_by(rr.evidence())));
        }
        for term in &tree.terms {
            self.term(term, sheet);
        }
        self.path.pop();
    }

    fn term(&mut self, term: &'a SpfTerm, sheet: &mut Sheet) {
        // What a record rejects is no way out for anybody.
        let lets = matches!(term.qualifier, '+' | '?');
        match &term.kind {
            SpfTermKind::Include(target, below) => {
                self.below(term, Kind::SpfIncludesLegacy, target, below.as_deref(), sheet)
            }
            SpfTermKind::Redirect(target, below) => {
                self.below(term, Kind::SpfRedirectsToLegacy, target, below.as_deref(), sheet);
            }
            SpfTermKind::Network(network) if lets => self.network(term, *network, sheet),
            SpfTermKind::A(host, v4, v6) if lets => self.host(term, host, (*v4, *v6), sheet),
            // The domain's own MX hosts are judged by themselves.
            SpfTermKind::Mx(target, _, hosts, v4, v6) if lets && *target != self.case.facts.name => {
                self.name(term, target, sheet);
                hosts.iter().for_each(|host| self.host(term, host, (*v4, *v6), sheet));
            }
            SpfTermKind::Ptr(name) | SpfTermKind::Exists(name) if lets => self.name(term, name, sheet),
            SpfTermKind::All if term.qualifier == '+' => {
                let title = format!("SPF lets every server send for the domain (`{}`)", term.text);
                self.add(sheet, Kind::SpfAllowsEverybody, Warning, None, title, term);
            }
            SpfTermKind::Malformed(why) => {
                self.add(sheet, Kind::SpfMalformed, Error, None, format!("SPF cannot be read: {why}"), term);
            }
            _ => {}
        }
    }

    fn claim(&self, name: &str) -> Option<Claim<'a>> {
        self.case.inventory.claim(Trait::Name(name)).filter(|claim| claim.side() == Side::Legacy)
    }

    fn below(&mut self, term: &'a SpfTerm, kind: Kind, target: &str, below: Option<&'a SpfTree>, sheet: &mut Sheet) {
        if let Some(claim) = self.claim(target) {
            let platform = claim.platform.name.value.as_str();
            let (kind, title) = match (kind, self.path.len()) {
                (Kind::SpfRedirectsToLegacy, 1) => {
                    (kind, format!("SPF is that of `{target}`, which is on `{platform}`"))
                }
                (kind, 1) => (kind, format!("SPF includes `{target}`, which is on `{platform}`")),
                _ => {
                    let by = self.path.last().map_or("", |tree| &tree.name);
                    (
                        Kind::SpfNestedLegacy,
                        format!("SPF includes `{by}`, and that `{target}`, which is on `{platform}`"),
                    )
                }
            };
            let severity = self.case.still_legacy(Error);
            self.add(sheet, kind, severity, Some(platform), title, term);
            return;
        }
        let Some(tree) = below else { return };
        match (&tree.trail.end, tree.cut) {
            (_, Some(why)) => {
                let title = format!("SPF cannot be read to its end: `{}` leads to `{target}`, and {why}", term.text);
                self.add(sheet, Kind::SpfMalformed, Error, None, title, term);
            }
            (Answer::Unable(_) | Answer::Left(_), _) => {}
            _ if tree.count == 0 => {
                let title = format!("SPF has `{}`, and `{target}` has no SPF record", term.text);
                self.add(sheet, Kind::SpfLeadsNowhere, Error, None, title, term);
            }
            _ => self.tree(tree, sheet),
        }
    }

    fn name(&self, term: &SpfTerm, name: &str, sheet: &mut Sheet) {
        let Some(claim) = self.claim(name) else { return };
        let platform = claim.platform.name.value.as_str();
        let title = format!("SPF has `{}`, and `{name}` is on `{platform}`", term.text);
        self.add(sheet, Kind::SpfNamesLegacyHost, self.case.still_legacy(Error), Some(platform), title, term);
    }

    fn host(&self, term: &SpfTerm, host: &HostFacts, (v4, v6): (u8, u8), sheet: &mut Sheet) {
        if self.claim(&host.name).is_some() {
            return self.name(term, &host.name, sheet);
        }
        for one in &host.addresses {
            let length = if one.address.is_ipv4() { v4 } else { v6 };
            let Ok(network) = IpNet::new(one.address, length) else { continue };
            let Some((platform, _)) = self.overlap(network.trunc()) else { continue };
            let title = format!("SPF has `{}`, and `{}` is at `{}` of `{platform}`", term.text, host.name, one.address);
            self.add(sheet, Kind::SpfNamesLegacyHost, self.case.still_legacy(Error), Some(platform), title, term);
        }
    }

    fn network(&self, term: &SpfTerm, network: IpNet, sheet: &mut Sheet) {
        let Some((platform, legacy)) = self.overlap(network) else { return };
        let (kind, base, title) = match legacy.contains(&network) {
            true => {
                let title = format!("SPF lists `{}`, which is on `{platform}`", term.text);
                (Kind::SpfNamesLegacyAddress, Error, title)
            }
            false => {
                let title = format!("SPF lists `{}`, which holds `{legacy}` of `{platform}`", term.text);
                (Kind::SpfCoversLegacy, Warning, title)
            }
        };
        self.add(sheet, kind, self.case.still_legacy(base), Some(platform), title, term);
    }

    /// A network of a legacy platform that has addresses in common with `network`.
    fn overlap(&self, network: IpNet) -> Option<(&'a str, IpNet)> {
        let legacy = self.case.inventory.platforms.values().filter(|platform| platform.side == Side::Legacy);
        let networks = legacy
            .flat_map(|platform| platform.networks.iter().map(|other| (platform.name.value.as_str(), other.value)));
        networks.into_iter().find(|(_, other)| other.contains(&network) || network.contains(other))
    }

    fn add(
        &self,
        sheet: &mut Sheet,
        kind: Kind,
        severity: FindingSeverity,
        platform: Option<&str>,
        title: String,
        term: &SpfTerm,
    ) {
        let finding = sheet.finding(kind, severity, title).platform(platform);
        let finding = self
            .path
            .iter()
            .filter_map(|tree| tree.record.as_ref())
            .fold(finding, |finding, rr| finding.shown_by(rr.evidence()));
        let owner = self.path.last().map_or("", |tree| &tree.name);
        let place = self
            .path
            .last()
            .and_then(|tree| tree.record.as_ref())
            .and_then(|rr| Some(format!("line {} of {}", rr.told.line?, rr.told.by)));
        let fix = match (self.path.len(), place) {
            (_, Some(place)) => format!("take `{}` out of the SPF record in {place}", term.text),
            (1, None) => format!("take `{}` out of the SPF record of `{owner}`", term.text),
            _ => format!(
                "have `{}` taken out of the SPF record of `{owner}`, or include what you need of it yourself",
                term.text
            ),
        };
        let fixed = !matches!(kind, Kind::SpfMalformed | Kind::SpfAllowsEverybody);
        let finding = finding.shown_by(self.route(term));
        sheet.add(if fixed { finding.fix(fix) } else { finding });
    }

    /// How one gets to a term: `drill.example > _spf.new.example > include:_spf.old.example`.
    fn route(&self, term: &SpfTerm) -> Value {
        let mut names: Vec<&str> = self.path.iter().map(|tree| tree.name.as_str()).collect();
        names.push(&term.text);
        json!({ "term": term.text, "path": names, "text": format!("SPF: {}", names.join(" > ")) })
    }
}

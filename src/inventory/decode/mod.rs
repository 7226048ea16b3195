//! From the text of an inventory, or the `platforms` of a scenario, to platforms.

mod collector;
mod domain;
mod feed;
mod store;
mod value;

use std::net::{IpAddr, SocketAddr};

use super::{Inventory, Platform, Role, Side};
use crate::source::read::{Asked, Fields, Said, at_most, entries, list, number, scalar, spanned, word};
use crate::source::yaml::{self, Node};
use crate::source::{Diagnostic, Remark, SourceText, Spanned};

use value::spki;
pub use value::{endpoint, host_name, network, pattern, secret};

/// The highest number of an autonomous system (RFC 6793).
const MAX_ASN: u64 = u32::MAX as u64;

/// The most domains of one inventory.
const MOST_DOMAINS: usize = 100_000;

/// The most views of DNS.
const MOST_VIEWS: usize = 20;

/// The sides that a platform can have.
const SIDES: &[Side] = &[Side::New, Side::Legacy, Side::ThirdParty];

/// Reads an inventory file.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn load(source: &SourceText) -> Result<(Inventory, Vec<Remark>), Vec<Remark>> {
    let (inventory, said) = file(source);
    let errors = said.has_errors();
    match inventory {
        Some(inventory) if !errors => Ok((inventory, said.into_remarks())),
        _ => Err(said.into_remarks()),
    }
}

/// Reads an inventory file as far as it can be read: platforms with mistakes keep what is right
/// about them. `None` where there is nothing to go on with.
pub(crate) fn file(source: &SourceText) -> (Option<Inventory>, Said) {
    let mut said = Said::about(source);
    let inventory = match yaml::parse(source) {
        Ok(node) => top(&node, &mut said),
        Err(mistakes) => {
            mistakes.into_iter().for_each(|mistake| said.say(mistake));
            None
        }
    };
    (inventory, said)
}

fn top(node: &Node, said: &mut Said) -> Option<Inventory> {
    let mut map = Fields::of(node, "an inventory", said)?;
    let platforms = map.required("platforms", platforms);
    let domains = map.optional("domains", at_most(MOST_DOMAINS, entries(domain::domain))).unwrap_or_default();
    let views = map.optional("dns", at_most(MOST_VIEWS, entries(view))).unwrap_or_default();
    map.done();
    let platforms = platforms?.platforms;
    domains.iter().for_each(|domain| domain::check(domain, &platforms, said));
    let domains = domains.into_iter().map(|domain| (domain.name.value.clone(), domain)).collect();
    Some(Inventory { platforms, domains, views: views.into_iter().collect() })
}

/// A named view: `inside: 192.0.2.53`, with a port where it is not 53.
fn view(name: &Spanned<String>, node: &Node, said: &mut Said) -> Option<(String, SocketAddr)> {
    let text = scalar(node, "the address of a DNS server", said)?;
    let server = text.parse().or_else(|_| text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53)));
    match server {
        Ok(server) => Some((name.value.clone(), server)),
        Err(_) => {
            let error = Diagnostic::error(node.span, format!("`{text}` is not the address of a DNS server"));
            said.refuse(error.note("write an address such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:53"))
        }
    }
}

/// The `platforms` of an inventory or a scenario.
pub(crate) fn platforms(node: &Node, said: &mut Said) -> Option<Inventory> {
    let platforms = entries(platform)(node, said)?;
    let platforms = platforms.into_iter().map(|platform| (platform.name.value.clone(), platform)).collect();
    Some(Inventory { platforms, ..Inventory::default() })
}

/// A platform with mistakes keeps what is right about it, so that what refers to it is not called
/// wrong too.
fn platform(name: &Spanned<String>, node: &Node, said: &mut Said) -> Option<Platform> {
    let mut map = Fields::of(node, "a platform", said)?;
    let platform = Platform {
        name: name.clone(),
        hosts: map.several("hosts", spanned(host_name)),
        names: map.several("names", spanned(pattern)),
        networks: map.several("networks", spanned(network)),
        ptr: map.several("ptr", spanned(pattern)),
        asn: map.several("asn", spanned(number(1..=MAX_ASN))),
        certificates: map.several("certificates", spanned(pattern)),
        spki: map.several("spki", spanned(spki)),
        banners: map.several("banners", spanned(pattern)),
        side: map
            .optional("side", word("a side of a migration", "sides", SIDES, Side::word))
            .unwrap_or_else(|| side_of(&name.value)),
        role: map.optional("role", word("a role of a platform", "roles", Role::ALL, Role::word)).unwrap_or(Role::All),
        collectors: map.optional("collectors", list(spanned(collector::collector))).unwrap_or_default(),
    };
    map.done();
    Some(platform)
}

/// The side of a platform that names none: its name tells.
fn side_of(name: &str) -> Side {
    match name {
        "new" => Side::New,
        "legacy" | "old" => Side::Legacy,
        _ => Side::ThirdParty,
    }
}

/// The keys and words of an inventory file, for its schema.
pub fn asked(source: &SourceText) -> Asked {
    file(source).1.asked().clone()
}

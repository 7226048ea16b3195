//! The lab: zones, hosts and where they stand.

use std::time::Duration;

use indexmap::IndexMap;
use ipnet::Ipv4Net;

use super::dns::dns;
use super::policy::policies;
use super::value::{key_name, refusal, reply};
use crate::inventory::Secret;
use crate::inventory::decode::{endpoint, host_name, secret};
use crate::mail::Reply;
use crate::scenario::{Busy, Lab, LabHost, LabHostKind, LabSubmission, LabTls, RealHost, Verify};
use crate::source::read::{
    Fields, Kind, Said, at_most, duration, entries, filled, number, one_or_list, scalar, spanned, text, word,
};
use crate::source::yaml::{Node, Value};
use crate::source::{Diagnostic, Spanned};
use crate::terms::{AuthMechanism, Family};

/// How long a holding host waits between two tries.
const HOLD_RETRY: Duration = Duration::from_millis(200);
/// The most hosts, and zones, of a lab.
const MOST_HOSTS: usize = 500;
/// The most messages that a limit counts.
const MOST_MESSAGES: u64 = 99_999;

const KINDS: &[Kind<LabHostKind>] = &[
    ("store", store),
    ("relay", relay),
    ("hold", hold),
    ("submission", submission),
    ("reject", reject),
    ("real", real),
];

/// The `lab` of a scenario.
pub(super) fn lab(node: &Node, said: &mut Said) -> Option<Lab> {
    let mut map = Fields::of(node, "a lab", said)?;
    let zones = map.optional("zones", at_most(MOST_HOSTS, entries(zone))).unwrap_or_default();
    let hosts = map.required("hosts", at_most(MOST_HOSTS, filled(entries(host)))).unwrap_or_default();
    twice(zones.iter().map(|(origin, _)| origin), &mut map);
    twice(hosts.iter().map(|host| &host.name), &mut map);
    let port = map.optional("port", spanned(number(1..=u64::from(u16::MAX))));
    let network = map.optional("network", spanned(ipv4_network));
    let dns = map.optional("dns", dns).unwrap_or_default();
    let policies = map.optional("policies", policies).unwrap_or_default();
    let families = map.several("families", word("an address family", "families", Family::ALL, Family::word));
    map.done();
    Some(Lab {
        span: node.span,
        zones: zones.into_iter().map(|(origin, text)| (origin.value, text)).collect(),
        hosts: hosts.into_iter().map(|host| (host.name.value.clone(), host)).collect(),
        port,
        policies,
        dns_port: dns.port,
        dns_faults: dns.faults,
        network,
        families: if families.is_empty() { vec![Family::V4] } else { families },
    })
}

/// One entry of `zones`.
pub(super) fn zone(
    origin: &Spanned<String>,
    node: &Node,
    said: &mut Said,
) -> Option<(Spanned<String>, Spanned<String>)> {
    Some((key_name(origin, said)?, spanned(text)(node, said)?))
}

/// Names that are the same in another spelling.
fn twice<'a>(names: impl Iterator<Item = &'a Spanned<String>> + Clone, map: &mut Fields<'_>) {
    for (index, name) in names.clone().enumerate() {
        if let Some(first) = names.clone().take(index).find(|first| *first == name) {
            let title = format!("`{}` is given twice", name.value);
            map.say(Diagnostic::error(name.span, title).context(first.span, "first here"));
        }
    }
}

fn ipv4_network(node: &Node, said: &mut Said) -> Option<Ipv4Net> {
    let text = scalar(node, "an IPv4 network", said)?;
    match text.parse::<Ipv4Net>() {
        Ok(network) => Some(network.trunc()),
        Err(_) => {
            let title = format!("`{text}` is not an IPv4 network");
            let note = "the lab's network is a part of 127.0.0.0/8, such as `127.77.3.0/24`";
            said.refuse(Diagnostic::error(node.span, title).note(note))
        }
    }
}

/// One entry of `hosts`. One with mistakes stays known by its name.
fn host(key: &Spanned<String>, node: &Node, said: &mut Said) -> Option<LabHost> {
    let mut host = LabHost { name: key_name(key, said)?, kind: LabHostKind::Store, tls: LabTls::Offered, busy: None };
    if let Some(mut map) = Fields::of(node, "a lab host", said) {
        host.tls = map.optional("tls", word("a state of STARTTLS", "states", &TLS, spell_tls)).unwrap_or_default();
        host.busy = map.optional("busy", spanned(busy));
        host.kind = map.kind(KINDS).unwrap_or(LabHostKind::Store);
        refuse_settings_of_real(&mut map);
        map.done();
    }
    Some(host)
}

/// What a real server offers and how much it takes is its own.
fn refuse_settings_of_real(map: &mut Fields<'_>) {
    for key in ["tls", "busy"].into_iter().filter(|key| map.has(key) && map.has("real")).collect::<Vec<_>>() {
        let title = format!("`{key}` is for hosts of the lab's own, and this one is `real`");
        map.say(Diagnostic::error(map.key_span(key), title).help("set it up in the server itself"));
    }
}

const TLS: [LabTls; 3] = [LabTls::Offered, LabTls::Absent, LabTls::Implicit];

fn spell_tls(tls: LabTls) -> &'static str {
    match tls {
        LabTls::Offered => "offered",
        LabTls::Absent => "absent",
        LabTls::Implicit => "implicit",
    }
}

fn busy(node: &Node, said: &mut Said) -> Option<Busy> {
    let mut map = Fields::of(node, "a limit of a busy host", said)?;
    let messages = map.required("messages", number(0..=MOST_MESSAGES));
    let per = map.required("per", duration);
    let reply = map.optional("reply", reply).unwrap_or_else(|| Reply::new(421, "4.3.2 too many messages, try later"));
    map.done();
    Some(Busy { messages: messages?, per: per?, reply })
}

fn store(node: &Node, said: &mut Said) -> Option<LabHostKind> {
    Fields::of(node, "a `store` host", said)?.done();
    Some(LabHostKind::Store)
}

fn relay(node: &Node, said: &mut Said) -> Option<LabHostKind> {
    let mut map = Fields::of(node, "a `relay` host", said)?;
    let to = map.required("to", spanned(host_name));
    let verify = map.optional(
        "verify",
        word("something that a relay verifies", "things that it verifies", &[Verify::Recipients], spell_verify),
    );
    map.done();
    Some(LabHostKind::Relay { to: to?, verify: verify.unwrap_or_default() })
}

fn spell_verify(verify: Verify) -> &'static str {
    match verify {
        Verify::No => "nothing",
        Verify::Recipients => "recipients",
    }
}

fn hold(node: &Node, said: &mut Said) -> Option<LabHostKind> {
    let mut map = Fields::of(node, "a `hold` host", said)?;
    let then = map.required("then", spanned(host_name));
    let retry = map.optional("retry", duration).unwrap_or(HOLD_RETRY);
    map.done();
    Some(LabHostKind::Hold { then: then?, retry })
}

fn submission(node: &Node, said: &mut Said) -> Option<LabHostKind> {
    let mut map = Fields::of(node, "a `submission` host", said)?;
    let users = map.required("users", users);
    let auth = map.several("auth", word("a way to log in", "ways to log in", AuthMechanism::ALL, AuthMechanism::word));
    let smarthost = map.optional("smarthost", spanned(host_name));
    let retry = map.optional("retry", duration).unwrap_or(HOLD_RETRY);
    map.done();
    let auth = if auth.is_empty() { AuthMechanism::ALL.to_vec() } else { auth };
    Some(LabHostKind::Submission(LabSubmission { users: users?, auth, smarthost, retry }))
}

/// Names, for which the lab draws passwords, or names with their secrets.
fn users(node: &Node, said: &mut Said) -> Option<IndexMap<String, Option<Secret>>> {
    if matches!(node.value, Value::Map(_)) {
        let users = filled(entries(|name: &Spanned<String>, node: &Node, said: &mut Said| {
            Some((name.value.clone(), Some(secret(node, said)?)))
        }))(node, said)?;
        return Some(users.into_iter().collect());
    }
    Some(filled(one_or_list(text))(node, said)?.into_iter().map(|name| (name, None)).collect())
}

fn reject(node: &Node, said: &mut Said) -> Option<LabHostKind> {
    let mut map = Fields::of(node, "a `reject` host", said)?;
    let reply = map.optional("reply", refusal);
    map.done();
    let usual = || Reply::new(550, "5.7.1 mail for this domain is not accepted here");
    Some(LabHostKind::Reject { reply: reply.unwrap_or_else(usual) })
}

fn real(node: &Node, said: &mut Said) -> Option<LabHostKind> {
    let mut map = Fields::of(node, "a `real` host", said)?;
    let address = map.required("address", spanned(endpoint));
    map.done();
    Some(LabHostKind::Real(RealHost { address: address? }))
}

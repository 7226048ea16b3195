//! A lab must hold together: addresses for all hosts, and ways that end.

use ipnet::Ipv4Net;

use super::{Files, names};
use crate::scenario::{Lab, LabHost, LabHostKind, Scenario};
use crate::source::{Diagnostic, Spanned, plural};

pub(super) fn check(scenario: &Scenario, lab: &Lab, files: &mut Files) {
    if let Some(said) = lab.network.as_ref().and_then(|network| room(network, lab.ipv4_places())) {
        files.say(said);
    }
    for host in lab.hosts.values() {
        if let Some(said) = next_hop(host).and_then(|to| reachable(host, to, lab)) {
            files.say(said);
        }
        if let Some(said) = owner(host, scenario) {
            files.say(said);
        }
        if let Some(busy) = host.busy.as_ref().filter(|busy| busy.reply.code < 400) {
            let title = format!("a busy host cannot answer {}", busy.reply.code);
            files.say(Diagnostic::error(busy.span, title).note("it turns clients away: 421 (RFC 5321 3.8)"));
        }
    }
}

/// The addresses of a network that are taken: its own, the DNS authority's and the broadcast one.
const TAKEN: u64 = 3;

fn room(network: &Spanned<Ipv4Net>, hosts: usize) -> Option<Diagnostic> {
    if !network.addr().is_loopback() || network.prefix_len() < 8 {
        let title = format!("`{}` is not on loopback", network.value);
        return Some(
            Diagnostic::error(network.span, title)
                .note("a lab stays on this machine: its network is a part of 127.0.0.0/8, such as `127.77.3.0/24`"),
        );
    }
    let room = (1u64 << (32 - network.prefix_len())).saturating_sub(TAKEN);
    (room < hosts as u64).then(|| {
        let title = format!("`{}` has too few addresses for {}", network.value, plural(hosts, "host"));
        let note = format!("it has room for {room}: the first address is the DNS authority's, hosts follow");
        Diagnostic::error(network.span, title).note(note)
    })
}

/// Where a host passes mail on to.
fn next_hop(host: &LabHost) -> Option<&Spanned<String>> {
    match &host.kind {
        LabHostKind::Relay { to, .. } => Some(to),
        LabHostKind::Hold { then, .. } => Some(then),
        LabHostKind::Submission(stated) => stated.smarthost.as_ref(),
        LabHostKind::Store | LabHostKind::Reject { .. } | LabHostKind::Real(_) => None,
    }
}

/// The next hop must be there, and the way must not come back.
fn reachable(host: &LabHost, to: &Spanned<String>, lab: &Lab) -> Option<Diagnostic> {
    if let Some(unknown) = names::lab_host(to, lab) {
        return Some(unknown);
    }
    let way = way(host, lab);
    let comes_back = way.last().is_some_and(|last| *last == host.name.value);
    // Of the hosts on a circle the first one in the file speaks for all.
    let first = lab.hosts.keys().find(|name| way.contains(&name.as_str()))?;
    (comes_back && *first == host.name.value).then(|| {
        let title = format!("mail would go round: {} -> {}", host.name.value, way.join(" -> "));
        Diagnostic::error(to.span, title).help("let one of them `store` it, or pass it on to a host that does")
    })
}

/// The hosts that mail passes after `host`, until it stays or comes to a host again.
fn way<'a>(host: &'a LabHost, lab: &'a Lab) -> Vec<&'a str> {
    let mut way: Vec<&str> = vec![];
    let mut at = host;
    while let Some(next) = next_hop(at) {
        let again = *next == host.name || way.contains(&next.as_str());
        way.push(next);
        match lab.hosts.get(&next.value) {
            Some(host) if !again => at = host,
            _ => break,
        }
    }
    way
}

/// What a host does counts for nobody where no platform has it.
fn owner(host: &LabHost, scenario: &Scenario) -> Option<Diagnostic> {
    let nobody = scenario.inventory.of_name(&host.name).is_none() && !scenario.inventory.platforms.is_empty();
    nobody.then(|| {
        let title = format!("the lab's host `{}` belongs to no platform", host.name.value);
        Diagnostic::warning(host.name.span, title)
            .note("mail that it takes is seen, and counts as being nowhere that an expectation can name")
            .help("list it in the `hosts` of a platform")
    })
}

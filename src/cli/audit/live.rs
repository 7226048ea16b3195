//! The audit of domains as they are published: everything that may be contacted is decided here.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::{Exit, Machine, Screen, drill};
use super::{Audit, Seen, left, parts};
use crate::audit::check::Ground;
use crate::audit::facts::DomainFacts;
use crate::audit::gather::host;
use crate::audit::live::{Caller, Documents, Gate, Live, Reach, policies, visit_all};
use crate::audit::{Order, look, weigh};
use crate::dns::system_server;
use crate::inventory::{Inventory, Side};
use crate::policy::fetch::{Getter, Limits};
use crate::record::RunId;
use crate::tls::Trust;
use crate::world::{Clock, Dialer};

/// The name in EHLO.
const HELO: &str = "mxdrill.invalid";

/// Asks the network about `named`, or every domain of the inventory.
pub(super) fn live(
    machine: &mut Machine,
    screen: &Screen,
    wanted: &Audit,
    inventory: &Inventory,
    named: Vec<String>,
) -> Result<(Vec<String>, Seen, Timestamp), Exit> {
    let domains = if named.is_empty() { inventory.domains.keys().cloned().collect() } else { named };
    if domains.is_empty() {
        let help = "name a domain, give zone files with `--zone`, or an inventory with `domains`";
        screen.error("there is nothing to audit", &[], Some(help));
        return Err(Exit::Usage);
    }
    let views = views(wanted, inventory);
    let resolver = resolver(screen, wanted, &domains, &views)?;
    let trust = Trust::of(drill::authorities(screen, wanted.ca.as_deref())?);
    let gate = Arc::new(Gate::new(if wanted.live { Reach::Internet } else { Reach::ThisMachine }));
    let nobody = format!("mxdrill-nobody-{}", RunId::from_entropy((machine.entropy)()));
    let order = Order { inventory, domains: &domains, parts: parts(&wanted.only), jobs: usize::from(wanted.jobs) };
    let runtime = drill::runtime(screen)?;
    let (seen, now) = runtime.block_on(async {
        let clock = Clock::starting_at(machine.now);
        let names = Live::new(Arc::clone(&gate), resolver, views, wanted.ns_port);
        let caller = Caller {
            gate: Arc::clone(&gate),
            dialer: Dialer::default(),
            port: wanted.smtp_port,
            trust,
            clock,
            helo: HELO.to_owned(),
            nobody,
            patience: wanted.patience,
        };
        let mut facts = look(&names, &order).await;
        if wanted.smtp {
            old_hosts(&names, inventory, &mut facts).await;
            visit_all(&caller, &mut facts, &recipients(inventory)).await;
        }
        if order.parts.mta_sts == crate::audit::gather::Wanted::Yes {
            let dialer = caller.dialer.clone();
            let getter = Getter { dialer, trust: caller.trust.clone(), clock, limits: Limits::default() };
            policies(&getter, &gate, &mut facts).await;
        }
        if order.parts.leftovers == crate::audit::gather::Wanted::Yes {
            let documents = Documents::new(&names, caller.trust.clone(), clock, wanted.https_port);
            documents.fetch_all(&mut facts).await;
        }
        (weighed(wanted, &facts, &order, clock.now()), clock.now())
    });
    refuse(screen, &gate, &domains)?;
    Ok((domains, seen, now))
}

fn weighed(wanted: &Audit, facts: &[DomainFacts], order: &Order<'_>, now: Timestamp) -> Seen {
    let ground = if wanted.live { Ground::Internet } else { Ground::ThisMachine };
    let (findings, mut coverage) = weigh(facts, order, ground, now);
    if !wanted.smtp {
        let beyond = "the hosts themselves over SMTP";
        coverage.push(left(beyond, beyond, "asked with `--smtp`"));
    }
    (findings, coverage)
}

/// The views of the inventory, and those of the arguments.
fn views(wanted: &Audit, inventory: &Inventory) -> Vec<(String, SocketAddr)> {
    let mut views: Vec<(String, SocketAddr)> =
        inventory.views.iter().map(|(name, server)| (name.clone(), *server)).collect();
    for view in &wanted.views {
        views.retain(|(name, _)| *name != view.name);
        views.push((view.name.clone(), view.server));
    }
    views
}

/// The server to ask; refused where asking it would leave this machine unasked-for.
fn resolver(
    screen: &Screen,
    wanted: &Audit,
    domains: &[String],
    views: &[(String, SocketAddr)],
) -> Result<SocketAddr, Exit> {
    let mut remote = vec![];
    let server = match wanted.dns {
        Some(server) => server.0,
        None => {
            remote.push("the system's DNS resolver                look up names".to_owned());
            system_server().map_err(|why| {
                let help = "name a server with `--dns ADDRESS`";
                screen.error(&format!("the system's settings of DNS cannot be used: {why}"), &[], Some(help));
                Exit::Usage
            })?
        }
    };
    let far = |server: &SocketAddr| !server.ip().to_canonical().is_loopback();
    if wanted.dns.is_some() && far(&server) {
        remote.push(format!("{:<40} look up names", server.to_string()));
    }
    for (name, server) in views.iter().filter(|(_, server)| far(server)) {
        remote.push(format!("{:<40} look up names, view `{name}`", server.to_string()));
    }
    if remote.is_empty() || wanted.live {
        return Ok(server);
    }
    for domain in domains {
        remote.push(format!("{:<40} ask them about it", format!("the name servers of {domain}")));
        if wanted.smtp {
            remote.push(format!("{:<40} ask them by SMTP, up to RCPT", format!("the MX hosts of {domain}")));
        }
    }
    Err(refused(screen, &remote, domains))
}

/// Refuses what was found on the way to be on other machines.
fn refuse(screen: &Screen, gate: &Gate, domains: &[String]) -> Result<(), Exit> {
    let remote = gate.refused();
    if remote.is_empty() { Ok(()) } else { Err(refused(screen, &remote, domains)) }
}

fn refused(screen: &Screen, remote: &[String], domains: &[String]) -> Exit {
    let what = match domains {
        [one] => format!("the audit of `{one}` would contact hosts that are not on this machine; none was"),
        _ => "the audit would contact hosts that are not on this machine; none was".to_owned(),
    };
    screen.error(&what, &[remote.join("\n")], Some("add `--live` if that is what you want"));
    Exit::Usage
}

/// The hosts of the legacy platforms that a domain's MX set does not name: they may still take its mail.
async fn old_hosts(names: &Live, inventory: &Inventory, facts: &mut [DomainFacts]) {
    let legacy = inventory.platforms.values().filter(|platform| platform.side == Side::Legacy);
    let known: Vec<&str> = legacy.flat_map(|platform| &platform.hosts).map(|it| it.value.as_str()).collect();
    for name in known {
        let asked = host(names, name).await;
        for domain in facts.iter_mut().filter(|domain| !domain.hosts.contains_key(name)) {
            domain.old_hosts.push(asked.clone());
        }
    }
}

fn recipients(inventory: &Inventory) -> BTreeMap<String, String> {
    let of = |domain: &crate::inventory::Domain| Some((domain.name.value.clone(), domain.recipient.clone()?.value));
    inventory.domains.values().filter_map(of).collect()
}

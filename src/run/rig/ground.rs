//! Who stands where, and what the lab needs to be there.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use indexmap::IndexMap;
use tokio::net::TcpListener;

use super::super::{Context, Kind, RunError};
use super::Names;
use crate::dns::{Authority, LookupError, Lookups, Resolver};
use crate::inventory::Endpoint;
use crate::lab::{Ground, Lab, Policies, Setting, with_records};
use crate::plan::Plan;
use crate::record::{Standing, StandingProxy};
use crate::scenario::LabHostKind;
use crate::tls;
use crate::world::Dialer;

/// The SMTP port of hosts that are no lab's.
const SMTP: u16 = 25;

/// Listeners that wait for the lab's embedded hosts, by host.
pub(super) type Backstage = HashMap<String, Vec<TcpListener>>;

/// One host and how it is reached.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Its addresses as the world sees them.
    pub(super) own: Vec<SocketAddr>,
    /// Where it really listens, where that is known and not its own place.
    pub(super) real: Option<SocketAddr>,
    /// How a proxy stands before it, if one does.
    pub(super) proxy: Option<StandingProxy>,
}

/// All hosts, in file order.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(pub(super) IndexMap<String, Place>);

impl Places {
    /// Host and own addresses, for next hops.
    pub(super) fn own(&self) -> HashMap<String, Vec<SocketAddr>> {
        self.0.iter().map(|(host, place)| (host.clone(), place.own.clone())).collect()
    }

    /// For the record.
    pub(super) fn standing(&self, plan: &Plan) -> Vec<Standing> {
        let all = self.0.iter().flat_map(|(host, place)| {
            let by_itself = plan.scenario.proxies.contains_key(host);
            let proxy = if by_itself { Some(StandingProxy::Standing) } else { place.proxy };
            place.own.iter().map(move |address| (host, address, proxy))
        });
        let stands = |(host, address, proxy): (&String, &SocketAddr, _)| Standing {
            host: host.clone(),
            address: address.to_string(),
            proxy,
            tls_ended_by: None,
        };
        all.map(stands).collect()
    }
}

/// The authority of a lab, and the door to names; the system's or `--dns` where there is no lab.
pub(super) async fn names(
    plan: &Plan,
    context: &Context,
    ground: Option<&Ground>,
) -> Result<(Option<Authority>, Names), RunError> {
    let harness = |error: &dyn std::fmt::Display| RunError::new(Kind::Harness, error);
    if let (Some(lab), Some(ground)) = (&plan.scenario.lab, ground) {
        let zones = with_records(&lab.zones, &lab.policies);
        let hosts: Vec<(String, Vec<IpAddr>)> = ground
            .hosts
            .iter()
            .chain(&ground.policies)
            .map(|(host, site)| (host.clone(), distinct(&site.addresses)))
            .collect();
        let authority =
            Authority::start(ground.dns, &zones, &hosts, &lab.dns_faults).await.map_err(|error| harness(&error))?;
        let resolver = Resolver::at(authority.address()).map_err(|error| harness(&error))?;
        return Ok((Some(authority), Arc::new(resolver)));
    }
    let resolver = context.resolver()?;
    answers(plan, &resolver).await?;
    Ok((None, Arc::new(resolver)))
}

fn distinct(addresses: &[SocketAddr]) -> Vec<IpAddr> {
    let mut seen = BTreeSet::new();
    addresses.iter().map(SocketAddr::ip).filter(|ip| seen.insert(*ip)).collect()
}

/// Asks once before anything is sent: a drill without DNS would only show that there is none.
async fn answers(plan: &Plan, resolver: &Resolver) -> Result<(), RunError> {
    match resolver.mx(&plan.scenario.domain.value).await {
        Ok(_) | Err(LookupError::NoSuchName(_)) => Ok(()),
        Err(error) => Err(RunError::new(Kind::Unreachable, format!("{} does not answer: {error}", resolver.server()))
            .help("name a DNS server that knows the domain with `--dns ADDRESS:PORT`")),
    }
}

/// Where hosts stand: all of a lab's; else those that faults name, as DNS says.
pub(super) async fn places(plan: &Plan, names: &dyn Lookups, ground: Option<&Ground>) -> Result<Places, RunError> {
    let faulted = plan.scenario.faults().map(|(_, fault)| fault.host.value.as_str());
    let faulted: BTreeSet<&str> = faulted.chain(plan.scenario.proxies.keys().map(String::as_str)).collect();
    let mut places = Places::default();
    match (&plan.scenario.lab, ground) {
        (Some(lab), Some(ground)) => {
            for (name, site) in &ground.hosts {
                let real = match &lab.hosts[name].kind {
                    LabHostKind::Real(real) => Some(real_address(&real.address.value).await?),
                    _ => None,
                };
                let proxied = real.is_some() || faulted.contains(name.as_str());
                let proxy = proxied.then_some(StandingProxy::LabAddress);
                places.0.insert(name.clone(), Place { own: site.addresses.clone(), real, proxy });
            }
        }
        _ => {
            for host in faulted {
                let found = names.addresses(host).await;
                let found =
                    found.map_err(|error| RunError::new(Kind::Unreachable, format!("the faulted host: {error}")))?;
                let port = port(plan, host);
                let own = found.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
                let by_itself = plan.scenario.proxies.contains_key(host);
                let proxy = if by_itself { StandingProxy::Standing } else { StandingProxy::Dialled };
                places.0.insert(host.to_owned(), Place { own, real: None, proxy: Some(proxy) });
            }
        }
    }
    Ok(places)
}

/// The port at which a host that is no lab's is spoken to.
fn port(plan: &Plan, host: &str) -> u16 {
    let addresses = plan.scenario.senders.values().filter_map(|sender| sender.kind.server());
    addresses.map(|stated| &stated.address).find(|it| it.host == host).map_or(SMTP, |it| it.port)
}

async fn real_address(endpoint: &Endpoint) -> Result<SocketAddr, RunError> {
    let missing =
        |why: String| RunError::new(Kind::Unreachable, format!("the real host {endpoint} cannot be found: {why}"));
    let mut found = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port))
        .await
        .map_err(|error| missing(error.to_string()))?;
    found.next().ok_or_else(|| missing("it has no address".to_owned()))
}

/// The platform of each lab host.
pub(super) fn platforms(plan: &Plan) -> HashMap<String, String> {
    let lab = plan.scenario.lab.iter().flat_map(|lab| lab.hosts.keys());
    lab.filter_map(|host| {
        let platform = plan.scenario.inventory.of_name(host)?;
        Some((host.clone(), platform.name.value.clone()))
    })
    .collect()
}

/// The lab's certificate authority, made for this run.
pub(super) fn certificates() -> Result<Arc<tls::Authority>, RunError> {
    tls::Authority::new().map(Arc::new).map_err(|error| RunError::new(Kind::Harness, error))
}

/// The lab's policy hosts.
pub(super) fn policies(
    plan: &Plan,
    ground: Option<&Ground>,
    certificates: &Arc<tls::Authority>,
    dialer: &Dialer,
) -> Result<Option<Policies>, RunError> {
    let (Some(lab), Some(ground)) = (&plan.scenario.lab, ground) else { return Ok(None) };
    let up = Policies::up(&lab.policies, ground, Arc::clone(certificates), dialer);
    up.map(Some).map_err(|error| RunError::new(Kind::Harness, error))
}

/// The lab's embedded hosts, on the listeners that were kept for them.
pub(super) fn hosts(plan: &Plan, setting: Setting, mut listeners: Backstage) -> Result<Option<Lab>, RunError> {
    let Some(stated) = &plan.scenario.lab else { return Ok(None) };
    let mut lab = Lab::new(setting);
    for (name, host) in &stated.hosts {
        let own = listeners.remove(name).unwrap_or_default();
        lab.start(host, own).map_err(|error| RunError::new(Kind::Harness, error))?;
    }
    Ok(Some(lab))
}

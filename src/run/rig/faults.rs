//! Fault proxies: one before each host that needs one, and the faults of a phase in them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::time::Instant;

use super::super::{Kind, RunError};
use super::Rig;
use super::ground::{Backstage, Place, Places};
use crate::lab;
use crate::plan::SharedPlan;
use crate::proxy::{self, Armed, Limits, Ours, PhaseOf, Proxy, ProxyError, Settings, Termination};
use crate::record::{Event, Journal, StandingProxy};
use crate::scenario::fault::{Action, Dropping};
use crate::tls::Authority;
use crate::world::{Calls, Dialer, Dice, Listening};

/// The proxy before one host.
pub(super) struct Front {
    host: String,
    proxy: Proxy,
}

impl Front {
    /// Lifts its faults.
    pub(super) async fn lift(&self) {
        self.proxy.lift().await;
    }

    /// Ends it.
    pub(super) async fn down(self) {
        self.proxy.down().await;
    }
}

/// Starts the proxies, and keeps a listener for each embedded host: at its own place, or behind
/// its proxy. The dialer learns where everybody is dialled.
pub(super) async fn fronts(
    plan: &SharedPlan,
    places: &Places,
    dialer: &Dialer,
    dice: Dice,
    certificates: &Arc<Authority>,
    journal: &Journal,
) -> Result<(Vec<Front>, Backstage), RunError> {
    let by_nft = |action: &Action| matches!(action, Action::DropSyn(Dropping::Nft));
    let own = |host: &str| !plan.scenario.proxies.contains_key(host);
    if plan.scenario.faults().any(|(_, fault)| by_nft(&fault.action.value) && own(&fault.host.value)) {
        Proxy::tries_nft().await.map_err(refused)?;
    }
    let mut fronts = vec![];
    let mut backstage = Backstage::new();
    for (host, place) in &places.0 {
        let Some(way) = place.proxy else {
            backstage.insert(host.clone(), at_own_place(host, place)?);
            for own in &place.own {
                dialer.route(host, own.ip(), Listening::plain(*own));
            }
            continue;
        };
        if way == StandingProxy::Standing {
            // It owns the host's address, and others call it too: nobody of this process is asked.
            for own in &place.own {
                let proxied = Some(Arc::from(way.word()));
                dialer.route(host, own.ip(), Listening { socket: *own, own: *own, proxied, calls: Calls::Plain });
            }
            continue;
        }
        let (listeners, upstreams) = behind(host, place, way)?;
        backstage.insert(host.clone(), listeners);
        let tls = Termination::by_authority(Arc::clone(certificates), host);
        let tls = tls.map_err(|error| RunError::new(Kind::Harness, error))?;
        let settings =
            Settings { tls: Some(tls), ..settings(plan, host, place, way, &upstreams, dialer, dice, journal) };
        let proxy = Proxy::start(settings).await.map_err(refused)?;
        for (own, listen) in place.own.iter().zip(proxy.addresses()) {
            let proxied = Some(Arc::from(way.word()));
            dialer.route(host, own.ip(), Listening { socket: *listen, own: *own, proxied, calls: Calls::Announced });
        }
        fronts.push(Front { host: host.clone(), proxy });
    }
    Ok((fronts, backstage))
}

fn at_own_place(host: &str, place: &Place) -> Result<Vec<TcpListener>, RunError> {
    let all = place.own.iter().map(|own| lab::listen(host, *own));
    all.collect::<Result<_, _>>().map_err(|error| RunError::new(Kind::Harness, error))
}

/// What stands behind a proxy, one upstream for each of the host's own addresses.
fn behind(host: &str, place: &Place, way: StandingProxy) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), RunError> {
    if let Some(real) = place.real {
        return Ok((vec![], vec![real; place.own.len()]));
    }
    if way != StandingProxy::LabAddress {
        return Ok((vec![], place.own.clone()));
    }
    let mut listeners = vec![];
    let mut upstreams = vec![];
    for own in &place.own {
        let wrong = |error: &dyn std::fmt::Display| RunError::new(Kind::Harness, error);
        let listener = lab::listen(host, SocketAddr::new(loopback(own), 0)).map_err(|error| wrong(&error))?;
        upstreams.push(listener.local_addr().map_err(|error| wrong(&error))?);
        listeners.push(listener);
    }
    Ok((listeners, upstreams))
}

fn loopback(own: &SocketAddr) -> IpAddr {
    if own.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() }
}

#[expect(clippy::too_many_arguments, reason = "one call; a struct would only repeat Settings")]
fn settings(
    plan: &SharedPlan,
    host: &str,
    place: &Place,
    way: StandingProxy,
    upstreams: &[SocketAddr],
    dialer: &Dialer,
    dice: Dice,
    journal: &Journal,
) -> Settings {
    let listen = |own: &SocketAddr| match way {
        StandingProxy::LabAddress => *own,
        StandingProxy::Dialled | StandingProxy::Standing => SocketAddr::new(loopback(own), 0),
    };
    let fronts = place.own.iter().zip(upstreams);
    let known = Arc::clone(plan);
    let phase_of = PhaseOf::new(move |tag| {
        let phase = known.phase_of(tag)?;
        Some(Arc::from(known.scenario.phases[phase].name.value.as_str()))
    });
    Settings {
        host: Arc::from(host),
        fronts: fronts.map(|(own, upstream)| proxy::Front::plain(own.ip(), listen(own), (*upstream).into())).collect(),
        ours: Ours::Run(plan.run.clone()),
        callers: dialer.callers.clone(),
        dice,
        journal: journal.clone(),
        phase_of: Some(phase_of),
        tls: None,
        smuggling: plan.scenario.smuggling,
        limits: Limits::default(),
    }
}

fn refused(error: ProxyError) -> RunError {
    let help = match &error {
        ProxyError::Listen { .. } => {
            "stop the program that listens there, or give `lab.port` or `lab.network` another value"
        }
        ProxyError::Nft(_) => "install nftables and run as root, or use `drop-syn` without `nft`",
        ProxyError::DropSyn { .. } => "use `refuse` or `silent` instead of `drop-syn` on this system",
        ProxyError::Combination { .. } | ProxyError::NoTls { .. } => "see `mxdrill check`",
    };
    RunError::new(Kind::Harness, error).help(help)
}

impl Rig {
    /// Puts the faults of phase `index` in force.
    ///
    /// # Errors
    /// Where the system cannot do one of them.
    pub(in super::super) async fn raise(&self, index: usize) -> Result<(), RunError> {
        let since = Instant::now();
        for front in &self.fronts {
            let armed: Vec<Armed> = self
                .of_phase(index)
                .filter(|(_, fault)| fault.host.value == front.host && !self.posts.hold(&front.host))
                .map(|(at, fault)| Armed { index: at, fault: Arc::new(fault.clone()), since, of: None })
                .collect();
            if !armed.is_empty() {
                front.proxy.raise(armed).await.map_err(refused)?;
            }
        }
        self.posts.raise(&self.plan, index, &self.journal).await?;
        for (fault, _) in self.of_phase(index) {
            self.journal.note(Event::FaultRaised { fault });
        }
        Ok(())
    }

    /// Lifts the faults of phase `index`.
    pub(in super::super) async fn lift(&self, index: usize) {
        for front in &self.fronts {
            front.lift().await;
        }
        self.posts.lift(&self.plan.run, &self.journal).await;
        for (fault, _) in self.of_phase(index) {
            self.journal.note(Event::FaultLifted { fault });
        }
    }

    /// Index over the scenario and fault.
    fn of_phase(&self, index: usize) -> impl Iterator<Item = (usize, &crate::scenario::Fault)> {
        let all = self.plan.scenario.faults().enumerate();
        all.filter(move |(_, (phase, _))| *phase == index).map(|(at, (_, fault))| (at, fault))
    }
}

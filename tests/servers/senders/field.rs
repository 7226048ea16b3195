//! The lab of the trials: for each a primary behind its own fault proxy and a backup, with real zones on port 53.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use mxdrill::dns::Authority;
use mxdrill::lab::{self, Ground, Keep, Lab, Outbound, Setting};
use mxdrill::proxy::{Front, Limits, Ours, Proxy, Settings, Termination, Upstream};
use mxdrill::record::{Event, Journal, RunId, Tag};
use mxdrill::scenario::{self, Defaults, LabHost, LabHostKind, LabTls, Timeouts};
use mxdrill::source::{Span, Spanned};
use mxdrill::terms::Family;
use mxdrill::terms::Smuggling;
use mxdrill::tls;
use mxdrill::world::{Callers, Clock, Dialer, Dice};

use super::trials::{Tls, Trial};

/// Where bounces come home to.
const HOME: &str = "mx.sender.example";
const SMTP: u16 = 25;
const DNS: u16 = 53;

/// Everything that is up for the trials.
pub(crate) struct Field {
    run: RunId,
    journal: Journal,
    trials: Vec<Trial>,
    ground: Ground,
    /// Trial by trial.
    proxies: Vec<Proxy>,
    _lab: Lab,
    _authority: Authority,
}

/// Who holds a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    Primary,
    Backup,
    /// The sender of the message, who got it back.
    Home,
}

/// One message of a trial.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) tag: Tag,
    pub(crate) to: String,
    pub(crate) size: usize,
}

/// Which of a trial's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It meets the fault.
    First,
    /// It follows at once when the fault is lifted.
    Again,
}

impl Field {
    /// Brings it up in `network`, with every fault in force.
    pub(crate) async fn up(network: &str, trials: Vec<Trial>) -> Self {
        let plan = plan(network, &trials);
        let ground = Ground::plan(&plan).expect("port 25 and 53 in a network of its own");
        let journal = Journal::in_memory(Clock::starting_at(Timestamp::now()));
        let run = RunId::from_entropy(0x5e9d_e125);
        let authority = authority(&plan, &ground).await;
        let mut lab = Lab::new(setting(&run, &journal));
        let mut proxies = vec![];
        for host in plan.hosts.values() {
            let own = ground.hosts[&host.name.value].addresses[0];
            let faulted = trials.iter().position(|trial| trial.primary() == host.name.value);
            let place = if faulted.is_some() { SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0) } else { own };
            let listener = lab::listen(&host.name.value, place).expect("a place to listen");
            if let Some(index) = faulted {
                let upstream = listener.local_addr().expect("an address");
                proxies.push(proxy(&trials[index], index, own, upstream, &run, &journal).await);
            }
            lab.start(host, vec![listener]).expect("a certificate");
        }
        Self { run, journal, trials, ground, proxies, _lab: lab, _authority: authority }
    }

    pub(crate) fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Where senders ask for names.
    pub(crate) fn dns(&self) -> IpAddr {
        self.ground.dns.ip()
    }

    pub(crate) fn letter(&self, index: usize, turn: Turn) -> Letter {
        let number = index + 1 + if turn == Turn::Again { self.trials.len() } else { 0 };
        let tag = self.run.probe(u32::try_from(number).expect("few trials"));
        let local = if turn == Turn::Again { "again" } else { "first" };
        let trial = &self.trials[index];
        Letter { tag, to: format!("{local}@{}", trial.domain()), size: trial.size }
    }

    /// Who holds copies of it, by the stores' own notes, one entry a copy.
    pub(crate) fn holders(&self, index: usize, letter: &Letter) -> Vec<Holder> {
        let landed = self.journal.since(0).into_iter().filter_map(|entry| match entry.event {
            Event::Landed(landed) if landed.tag == letter.tag => landed.host,
            _ => None,
        });
        landed.map(|host| holder(&self.trials[index], &host)).collect()
    }

    /// How often the trial's fault took effect.
    pub(crate) fn fired(&self, index: usize) -> usize {
        let entries = self.journal.since(0).into_iter();
        entries.filter(|entry| matches!(&entry.event, Event::Fired(firing) if firing.fault == index)).count()
    }

    /// Repairs the trial's primary.
    pub(crate) async fn lift(&self, index: usize) {
        self.proxies[index].lift().await;
    }
}

fn holder(trial: &Trial, host: &str) -> Holder {
    match host {
        HOME => Holder::Home,
        host if host == trial.primary() => Holder::Primary,
        host if host == trial.backup() => Holder::Backup,
        host => panic!("the message of {} landed at {host}", trial.name),
    }
}

fn at_no_place<T>(value: T) -> Spanned<T> {
    Spanned::new(value, Span::default())
}

/// As a scenario would have it.
fn plan(network: &str, trials: &[Trial]) -> scenario::Lab {
    let mut hosts = IndexMap::new();
    let mut add = |name: String, tls| {
        let host = LabHost { name: at_no_place(name.clone()), kind: LabHostKind::Store, tls, busy: None };
        assert!(hosts.insert(name.clone(), host).is_none(), "two trials have {name}");
    };
    add(HOME.to_owned(), LabTls::Offered);
    for trial in trials {
        let (primary, backup) = match trial.tls {
            Tls::Everybody => (LabTls::Offered, LabTls::Offered),
            Tls::Primary => (LabTls::Offered, LabTls::Absent),
            Tls::Nobody => (LabTls::Absent, LabTls::Absent),
        };
        add(trial.primary(), primary);
        add(trial.backup(), backup);
    }
    let routes: String = trials.iter().map(route).collect();
    let zones = [("drill.example", routes), ("sender.example", format!("@ MX 10 {HOME}.\n"))];
    scenario::Lab {
        span: Span::default(),
        zones: zones.into_iter().map(|(origin, text)| (origin.to_owned(), at_no_place(text))).collect(),
        hosts,
        port: Some(at_no_place(SMTP)),
        dns_port: Some(at_no_place(DNS)),
        dns_faults: trials.iter().filter_map(Trial::misnamed).collect(),
        network: Some(at_no_place(network.parse().expect("a network"))),
        families: vec![Family::V4],
        policies: indexmap::IndexMap::new(),
    }
}

fn route(trial: &Trial) -> String {
    format!("{0} MX 10 {1}.\n{0} MX 20 {2}.\n", trial.name, trial.primary(), trial.backup())
}

async fn authority(plan: &scenario::Lab, ground: &Ground) -> Authority {
    let zones: Vec<(String, String)> =
        plan.zones.iter().map(|(origin, text)| (origin.clone(), text.value.clone())).collect();
    let hosts: Vec<(String, Vec<IpAddr>)> = ground
        .hosts
        .iter()
        .map(|(host, site)| (host.clone(), site.addresses.iter().map(SocketAddr::ip).collect()))
        .collect();
    Authority::start(ground.dns, &zones, &hosts, &plan.dns_faults).await.expect("the lab's DNS on port 53")
}

fn setting(run: &RunId, journal: &Journal) -> Setting {
    Setting {
        run: run.clone(),
        journal: journal.clone(),
        dialer: Dialer::default(),
        authority: Arc::new(tls::Authority::new().expect("keys")),
        platforms: HashMap::new(),
        addresses: HashMap::new(),
        timeouts: Timeouts::of(Defaults::Lab),
        outbound: Outbound::default(),
        keep: Keep::Nothing,
    }
}

async fn proxy(
    trial: &Trial,
    index: usize,
    own: SocketAddr,
    upstream: SocketAddr,
    run: &RunId,
    journal: &Journal,
) -> Proxy {
    let certificates = Arc::new(tls::Authority::new().expect("keys"));
    let settings = Settings {
        host: Arc::from(trial.primary()),
        fronts: vec![Front::plain(own.ip(), own, Upstream::Address(upstream))],
        ours: Ours::Run(run.clone()),
        callers: Callers::default(),
        dice: Dice::new(0),
        journal: journal.clone(),
        phase_of: None,
        tls: Some(Termination::by_authority(certificates, &trial.primary()).expect("a certificate")),
        smuggling: Smuggling::Pass,
        limits: Limits::default(),
    };
    let proxy = Proxy::start(settings).await.expect("the primary's place");
    proxy.raise(trial.armed(index)).await.expect("the fault holds on this system");
    proxy
}

//! Bringing hosts up, and down again.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use indexmap::IndexMap;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::busy::{Limited, Window};
use super::ground::Ground;
use super::hold::{Hold, Spool, work_off};
use super::host::Host;
use super::ledger::InFlight;
use super::listen::{accept, listen};
use super::onward::{Onward, Outbound};
use super::reject::Reject;
use super::relay::Relay;
use super::store::{Shelf, Store};
use super::submission::Submission;
use super::{Counts, Keep, LabError, Stored};
use crate::record::{Event, Journal, Looked, LookedState, RunId};
use crate::scenario::{self, LabHost, LabHostKind, LabTls, Timeouts};
use crate::smtp::server::{Policy, Settings};
use crate::tls::Authority;
use crate::world::Dialer;

/// What the hosts of a lab are given.
#[derive(Debug)]
pub struct Setting {
    /// Whose tags are looked for.
    pub run: RunId,
    /// Where evidence is noted.
    pub journal: Journal,
    /// How relays and spools reach the next hop.
    pub dialer: Dialer,
    /// Who makes the hosts' certificates.
    pub authority: Arc<Authority>,
    /// The platform of each host.
    pub platforms: HashMap<String, String>,
    /// Where each host is, as DNS says: the next hops of relays and spools.
    pub addresses: HashMap<String, Vec<SocketAddr>>,
    /// How long each step with a next hop may take.
    pub timeouts: Timeouts,
    /// For hosts that take mail from users and route it by themselves.
    pub outbound: Outbound,
    /// What stores keep.
    pub keep: Keep,
}

/// Embedded hosts that are up. Dropping it takes them down.
#[derive(Debug)]
pub struct Lab {
    setting: Arc<Setting>,
    hosts: IndexMap<String, Up>,
    ids: Arc<AtomicU64>,
    in_flight: InFlight,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Up {
    host: Arc<Host>,
    shelf: Arc<Shelf>,
}

impl Lab {
    /// A lab without hosts.
    pub fn new(setting: Setting) -> Self {
        Self {
            setting: Arc::new(setting),
            hosts: IndexMap::new(),
            ids: Arc::new(AtomicU64::new(1)),
            in_flight: InFlight::default(),
            tasks: JoinSet::new(),
        }
    }

    /// Every embedded host of the scenario's lab, at its own place.
    ///
    /// # Errors
    /// Where a host cannot listen there; those that could are taken down again.
    pub fn up(lab: &scenario::Lab, ground: &Ground, setting: Setting) -> Result<Self, LabError> {
        let mut up = Self::new(setting);
        for (name, host) in &lab.hosts {
            let places = ground.hosts.get(name).map_or(&[][..], |site| &site.addresses);
            if !matches!(host.kind, LabHostKind::Real(_)) {
                let listeners: Result<Vec<_>, _> = places.iter().map(|address| listen(name, *address)).collect();
                up.start(host, listeners?)?;
            }
        }
        Ok(up)
    }

    /// Serves one host on these listeners, wherever they are: at its own place, or behind a proxy
    /// that stands there. A real host is served by somebody else: nothing is done.
    ///
    /// # Errors
    /// Where its certificate cannot be made.
    pub fn start(&mut self, host: &LabHost, listeners: Vec<TcpListener>) -> Result<(), LabError> {
        let name = host.name.value.clone();
        let mut settings = Settings::new(&name);
        if host.tls != LabTls::Absent {
            settings = settings.with_tls(self.setting.authority.acceptor(&[&name])?);
        }
        if host.tls == LabTls::Implicit {
            settings = settings.with_implicit_tls();
        }
        if let LabHostKind::Submission(stated) = &host.kind {
            settings = settings.with_auth(&stated.auth);
        }
        let up = Up { host: self.host(&name), shelf: Arc::default() };
        let desk = Desk {
            host: Arc::clone(&up.host),
            settings: Arc::new(settings),
            window: host.busy.as_ref().map(|busy| Arc::new(Window::new(busy.value.clone()))),
            listeners,
        };
        self.open(desk, &up, &host.kind);
        self.hosts.insert(name, up);
        Ok(())
    }

    fn host(&self, name: &str) -> Arc<Host> {
        Arc::new(Host {
            name: name.to_owned(),
            setting: Arc::clone(&self.setting),
            tally: Default::default(),
            number: self.hosts.len() + 1,
            ids: Arc::clone(&self.ids),
            in_flight: self.in_flight.clone(),
        })
    }

    fn open(&mut self, desk: Desk, up: &Up, kind: &LabHostKind) {
        let (host, tasks) = (Arc::clone(&up.host), &mut self.tasks);
        match kind {
            LabHostKind::Store => {
                note_open(&host);
                let shelf = Arc::clone(&up.shelf);
                desk.open(tasks, move || Store { host: Arc::clone(&host), shelf: Arc::clone(&shelf) });
            }
            LabHostKind::Reject { reply } => {
                let reply = reply.clone();
                desk.open(tasks, move || Reject { host: Arc::clone(&host), reply: reply.clone() });
            }
            LabHostKind::Relay { to, verify } => {
                let (to, verify) = (to.value.clone(), *verify);
                desk.open(tasks, move || Relay { host: Arc::clone(&host), to: to.clone(), verify });
            }
            LabHostKind::Hold { then, retry } => {
                let (spool, waiting) = Spool::new();
                tasks.spawn(work_off(Arc::clone(&host), Onward::To(then.value.clone()), *retry, waiting));
                desk.open(tasks, move || Hold { host: Arc::clone(&host), spool: Arc::clone(&spool) });
            }
            LabHostKind::Submission(stated) => {
                let (spool, waiting) = Spool::new();
                let onward = stated.smarthost.as_ref().map_or(Onward::ByMx, |to| Onward::To(to.value.clone()));
                tasks.spawn(work_off(Arc::clone(&host), onward, stated.retry, waiting));
                desk.open(tasks, move || Submission::new(Arc::clone(&host), Arc::clone(&spool)));
            }
            LabHostKind::Real(_) => {}
        }
    }

    /// How many copies were received whole by a relay or spool and are neither at rest, nor
    /// refused, nor returned; changes as it does. At 0, every copy is accounted for.
    pub fn in_flight(&self) -> watch::Receiver<usize> {
        self.in_flight.watch()
    }

    /// What became of the copies, host by host, in the order in which they were started.
    pub fn counts(&self) -> IndexMap<String, Counts> {
        self.hosts.iter().map(|(name, up)| (name.clone(), up.host.tally.counts())).collect()
    }

    /// What a store keeps, oldest first; nothing where the host is no store.
    pub fn messages(&self, host: &str) -> Vec<Arc<Stored>> {
        self.hosts.get(host).map(|up| up.shelf.messages()).unwrap_or_default()
    }

    /// Ends every listener and session, and waits until they are gone.
    pub async fn down(mut self) {
        self.tasks.shutdown().await;
    }
}

/// A host about to be opened.
struct Desk {
    host: Arc<Host>,
    settings: Arc<Settings>,
    window: Option<Arc<Window>>,
    listeners: Vec<TcpListener>,
}

impl Desk {
    fn open<P: Policy + 'static>(self, tasks: &mut JoinSet<()>, policy: impl Fn() -> P + Clone + Send + 'static) {
        for listener in self.listeners {
            let (host, window, policy) = (Arc::clone(&self.host), self.window.clone(), policy.clone());
            let limited = move || Limited::new(Arc::clone(&host), window.clone(), policy());
            tasks.spawn(accept(listener, Arc::clone(&self.settings), limited));
        }
    }
}

/// A store is a collector of its platform, and it looks as soon as it is up.
fn note_open(host: &Host) {
    host.setting.journal.note(Event::Looked(Looked {
        platform: host.platform(),
        host: Some(host.name.clone()),
        collector: host.label(),
        state: LookedState::Open,
        why: "it is a store of the lab".to_owned(),
    }));
}

//! What standing proxies are told.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::config::Listener;
use super::ledger::Ledger;
use crate::proxy::announce::Introduction;
use crate::proxy::{Front, Limits, Ours, Settings, Termination, TerminationError};
use crate::record::Journal;
use crate::terms::Smuggling;
use crate::world::{Callers, Clock, Dice};

/// What standing proxies are told.
#[derive(Clone, Debug)]
pub struct StandSettings {
    /// Where they listen, and for which hosts; at least one.
    pub listeners: Vec<Listener>,
    /// For `chance`.
    pub dice: Dice,
    /// For the times of firings.
    pub clock: Clock,
    /// What clients are shown where a fault needs to see inside of TLS. None: what comes behind
    /// STARTTLS passes unseen, but where a fault spoils the certificate itself.
    pub tls: Option<Identity>,
    /// What becomes of CR and LF that stand alone.
    pub smuggling: Smuggling,
    /// How much of everything.
    pub limits: Limits,
    /// The lease of faults that name none. None: those of the control API have [`API_LEASE`](super::API_LEASE),
    /// others stay.
    pub lease: Option<Duration>,
}

/// A certificate chain and its private key, both as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The chain, leaf first.
    pub certificates: String,
    /// The key.
    pub key: SecretString,
}

impl StandSettings {
    /// Each host once.
    pub(super) fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = vec![];
        for listener in &self.listeners {
            if !hosts.contains(&listener.host) {
                hosts.push(listener.host.clone());
            }
        }
        hosts
    }

    /// Where the proxy vouches for clients nothing may stand in a line that the host ends elsewhere.
    fn smuggling_of(&self, host: &str) -> Smuggling {
        let vouches = |it: &Listener| it.host == host && it.introduction == Introduction::Xclient;
        if self.listeners.iter().any(vouches) { Smuggling::Refuse } else { self.smuggling }
    }

    pub(super) fn of_host(&self, host: &str, ledger: &Arc<Ledger>) -> Result<Settings, TerminationError> {
        let tls = match &self.tls {
            Some(given) => {
                Termination::given(given.certificates.as_bytes(), given.key.expose_secret().as_bytes(), host)?
            }
            None => Termination::for_flaws(host)?,
        };
        let (name, book): (Arc<str>, _) = (Arc::from(host), Arc::clone(ledger));
        let journal = Journal::handing_on(self.clock, move |entry| book.take(&name, entry));
        let front = |listener: &Listener| Front {
            address: listener.own_address(),
            listen: listener.listen,
            upstream: listener.upstream.clone(),
            introduction: listener.introduction,
            balancers: listener.balancers.clone(),
        };
        Ok(Settings {
            host: Arc::from(host),
            fronts: self.listeners.iter().filter(|it| it.host == host).map(front).collect(),
            ours: Ours::AnyProbe,
            callers: Callers::default(),
            dice: self.dice,
            journal,
            phase_of: None,
            tls: Some(tls),
            smuggling: self.smuggling_of(host),
            limits: self.limits,
        })
    }
}

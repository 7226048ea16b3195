//! What a proxy is told, and what it can fail with.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::announce::Introduction;
use super::rules::{Armed, PhaseOf};
use super::termination::{Termination, flaw};
use crate::record::{Journal, RunId};
use crate::scenario::fault::Action;
use crate::terms::Smuggling;
use crate::world::{Callers, Dice};

/// What a proxy is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The host that it stands before, for messages.
    pub host: Arc<str>,
    /// Where it listens, and where what it takes goes; at least one.
    pub fronts: Vec<Front>,
    /// Whose mail a fault may touch.
    pub ours: Ours,
    /// Who of this process dials it.
    pub callers: Callers,
    /// For `chance`.
    pub dice: Dice,
    /// Where firings and warnings are noted.
    pub journal: Journal,
    /// The phase of a probe, for the trigger `probe`; none: such a fault never fires.
    pub phase_of: Option<PhaseOf>,
    /// What clients are shown where a fault needs to see inside of TLS. None: what comes behind
    /// STARTTLS passes unseen.
    pub tls: Option<Termination>,
    /// What becomes of CR and LF that stand alone.
    pub smuggling: Smuggling,
    /// How much of everything.
    pub limits: Limits,
}

/// Whose mail a fault with `scope: probes` may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ours {
    /// Probes of this run, by their tags.
    Run(RunId),
    /// Probes of any run of mxdrill, by their tags; and whom a fault names by recipient, sender or
    /// client.
    AnyProbe,
}

/// Where a host itself is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upstream {
    /// At this address.
    Address(SocketAddr),
    /// At a name and a port, looked up anew for every connection: a container that was started
    /// again may have another address.
    Name(Arc<str>),
}

impl From<SocketAddr> for Upstream {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// One listener and its upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// The host's own address, which a fault may narrow itself to.
    pub address: IpAddr,
    /// Where to listen; port 0: a free one.
    pub listen: SocketAddr,
    /// The host itself.
    pub upstream: Upstream,
    /// How the host is told who its client is.
    pub introduction: Introduction,
    /// Load balancers, which say so themselves by the PROXY protocol.
    pub balancers: Vec<IpNet>,
}

impl Front {
    /// A listener that tells the host nothing of its clients.
    pub fn plain(address: IpAddr, listen: SocketAddr, upstream: Upstream) -> Self {
        Self { address, listen, upstream, introduction: Introduction::None, balancers: vec![] }
    }
}

/// How much of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time; further ones wait in the listener's queue.
    pub connections: usize,
    /// How long the upstream may take to accept a connection.
    pub connect: Duration,
    /// How long a TLS handshake may take, with either side.
    pub handshake: Duration,
    /// How long a connection may stand still. Above RFC 5321 4.5.3.2.6 and Sendmail's hour.
    pub idle: Duration,
    /// How long a client may take to close its side behind our FIN.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connect: Duration::from_secs(30),
            handshake: Duration::from_secs(30),
            idle: Duration::from_secs(70 * 60),
            linger: Duration::from_secs(5),
        }
    }
}

/// A proxy cannot do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// An address cannot be listened on.
    #[error("the proxy cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The action is not possible at the stage.
    #[error("`{action}` cannot be at `{stage}`")]
    Combination {
        /// The action's word.
        action: &'static str,
        /// The stage's word.
        stage: &'static str,
    },
    /// A fault of a certificate needs one to show.
    #[error("`{fault}` needs a proxy that can end TLS")]
    NoTls {
        /// In words.
        fault: String,
    },
    /// `drop-syn` by nftables with this system or user.
    #[error("`drop-syn` by nftables cannot be used: {0}")]
    Nft(String),
    /// `drop-syn` with this system or listener.
    #[error("`drop-syn` does not hold on {address}: {why}")]
    DropSyn {
        /// The listener.
        address: SocketAddr,
        /// In a sentence.
        why: String,
    },
}

/// Whether the fault can be, of a proxy that ends TLS so.
pub(super) fn check(armed: &Armed, tls: Option<&Termination>) -> Result<(), ProxyError> {
    let (action, stage) = (&armed.fault.action.value, armed.fault.at.value);
    if !action.stages().contains(&stage) {
        return Err(ProxyError::Combination { action: action.word(), stage: stage.word() });
    }
    match action {
        Action::Tls(how) if flaw(*how).is_some() && tls.is_none() => {
            Err(ProxyError::NoTls { fault: armed.fault.to_string() })
        }
        _ => Ok(()),
    }
}

//! The fault-injecting SMTP relay: it stands in front of one host and passes everything byte for
//! byte in both directions, but for what a fault says.
//!
//! ```text
//!   client ──TCP──> listen/   door of each address: open, refusing, or silent to SYN
//!                     │ accept ── announce/  who the client is: heard from a balancer, told to the host
//!                     v
//!                  serve ──dial──> upstream, the only host that it ever talks to
//!                     │
//!                     v
//!                  relay      one task: reads a chunk, asks the session, writes it on; TLS where it must
//!                     │
//!                     v
//!                  session/   SMTP without I/O: what is said, what is due, what a fault does
//!                     │
//!                     v
//!                  rules/     which fault meets this moment: stage, scope, triggers, counters
//! ```
//!
//! `standing/` is proxies without a run, `control/` their HTTP API, `remote/` the client of it for a run.
//!
//! Every fault that takes effect is noted as [`Event::Fired`](crate::record::Event::Fired), but
//! for those that act before a connection is accepted: no client is known there.

mod action;
pub mod announce;
pub mod control;
mod counts;
#[cfg(test)]
mod dialogs;
mod listen;
mod live;
mod relay;
pub mod remote;
mod rules;
mod serve;
mod session;
mod settings;
mod shared;
pub mod standing;
mod termination;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod transparency;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use counts::{Guest, Traffic};
pub use rules::{Armed, OfRun, PhaseOf};
pub use settings::{Front, Limits, Ours, ProxyError, Settings, Upstream};
pub use termination::{Termination, TerminationError};

use crate::source::plural;
use listen::Doors;
use rules::Rules;
use shared::Shared;

/// How long connections may take to end when the proxy is taken down.
const DOWN_LIMIT: Duration = Duration::from_secs(5);

/// A running proxy. Dropping it ends it as well, but does not wait until it is gone.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    doors: Doors,
    addresses: Vec<SocketAddr>,
}

impl Proxy {
    /// Listens, with nothing in force.
    ///
    /// # Errors
    /// Where an address cannot be listened on.
    pub async fn start(settings: Settings) -> Result<Proxy, ProxyError> {
        let shared = Shared::new(&settings);
        let (doors, addresses) = Doors::open(&shared, &settings.fronts)?;
        Ok(Proxy { shared, doors, addresses })
    }

    /// Tries whether `drop-syn` by nftables can be used, before any fault needs it.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn tries_nft() -> Result<(), ProxyError> {
        listen::can_filter().await.map_err(ProxyError::Nft)
    }

    /// Where it listens: one address a front, in their order.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Replaces what is in force, all at once. A fault that stays keeps its counters; what others
    /// were doing is undone as by [`lift`](Proxy::lift).
    ///
    /// # Errors
    /// Where a fault cannot stand at its stage, or the system cannot do it, such as `drop-syn`
    /// where SYNs are still answered. Nothing is changed then.
    pub async fn raise(&self, faults: Vec<Armed>) -> Result<(), ProxyError> {
        faults.iter().try_for_each(|fault| settings::check(fault, self.shared.tls.as_ref()))?;
        let before = Arc::clone(&self.shared.rules.borrow());
        let rules = Arc::new(Rules::new(faults, &before));
        self.shared.rules.send_replace(Arc::clone(&rules));
        let raised = self.doors.obey(&rules).await;
        if raised.is_err() {
            self.shared.rules.send_replace(Arc::clone(&before));
            // It did hold before.
            let _ = self.doors.obey(&before).await;
        }
        raised
    }

    /// Lifts all faults. Service is restored at once: replies that were held go, connections of
    /// which bytes were thrown away are closed, clients that wait for an answer to their SYN are
    /// served when they send it again.
    pub async fn lift(&self) {
        let rules = Arc::new(Rules::default());
        self.shared.rules.send_replace(Arc::clone(&rules));
        if let Err(error) = self.doors.obey(&rules).await {
            self.shared.warn(&error.to_string());
        }
    }

    /// Ends without cutting a message: nobody is let in any more, faults are lifted, connections
    /// without a message under way are told 421, and the others may end theirs within `limit`.
    pub async fn drain(&self, limit: Duration) {
        self.doors.leave().await;
        self.lift().await;
        self.shared.live.leave();
        if tokio::time::timeout(limit, self.shared.live.empty()).await.is_err() {
            let left = plural(self.connections(), "connection");
            self.shared.warn(&format!("{left} did not end within {limit:?}, and will be cut"));
        }
        self.shared.live.abort_all();
        // As in `down`.
        let _ = tokio::time::timeout(DOWN_LIMIT, self.shared.live.empty()).await;
    }

    /// Whether it lets nobody in any more.
    pub fn is_leaving(&self) -> bool {
        self.shared.live.is_leaving()
    }

    /// Who is connected, the first to come first.
    pub fn guests(&self) -> Vec<Guest> {
        let mut guests: Vec<Guest> = self.shared.live.links().iter().map(|link| link.guest()).collect();
        guests.sort_by_key(|guest| guest.number);
        guests
    }

    /// What came by since it was started.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            commands: self.shared.commands.all().collect(),
            smuggling: self.shared.smuggled.all().collect(),
            ..self.shared.live.traffic()
        }
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.live.count()
    }

    /// Ends every connection and listens no more.
    pub async fn down(self) {
        self.doors.close().await;
        self.shared.live.abort_all();
        // Aborted tasks end at once; the limit is for a runtime that is itself going down.
        let _ = tokio::time::timeout(DOWN_LIMIT, self.shared.live.empty()).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.live.abort_all();
    }
}

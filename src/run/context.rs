//! What a run is given by whoever starts it: everything that it would otherwise have to take from
//! the machine.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use tokio::sync::watch;

use super::{Kind, RunError};
use crate::dns::Resolver;
use crate::tls::Trust;
use crate::world::Environment;

/// Given to a run.
#[derive(Clone)]
pub struct Context {
    /// Where secrets come from.
    pub environment: Environment,
    /// The authorities that are trusted: the system's, or those of `--ca`.
    pub authorities: Arc<Vec<CertificateDer<'static>>>,
    /// The DNS server to ask; none: the system's. A lab has its own.
    pub dns: Option<SocketAddr>,
    /// The name in EHLO, where a sender states none and no lab is used.
    pub helo: String,
    /// How many probes may be under way at the same time, at least 1.
    pub jobs: usize,
    /// The folder in which the run makes one of its own, named by its id.
    pub record: Option<PathBuf>,
    /// Becomes `Some(signal)` when the run is to stop.
    pub stop: watch::Receiver<Option<&'static str>>,
    /// The arguments, for the record.
    pub command: Vec<String>,
    /// The inventory file's path and text, for the record.
    pub inventory: Option<(String, String)>,
}

impl Context {
    /// Whom to trust, with `more` beside the given authorities.
    pub(super) fn trust(&self, more: Option<&CertificateDer<'static>>) -> Trust {
        Trust::of(self.authorities.iter().chain(more).cloned())
    }

    /// The same for rustls.
    pub(super) fn roots(&self) -> Arc<RootCertStore> {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(self.authorities.iter().cloned());
        Arc::new(store)
    }

    /// What asks DNS where no lab does.
    pub(super) fn resolver(&self) -> Result<Resolver, RunError> {
        let resolver = match self.dns {
            Some(address) => Resolver::at(address),
            None => Resolver::system(),
        };
        resolver.map_err(|error| RunError::new(Kind::Harness, error))
    }

    /// Waits until the run is to stop, and says why.
    pub(super) async fn stopped(&self) -> &'static str {
        let mut stop = self.stop.clone();
        match stop.wait_for(Option::is_some).await {
            Ok(by) => by.unwrap_or("a request"),
            // Nobody can stop it any more.
            Err(_) => std::future::pending().await,
        }
    }
}

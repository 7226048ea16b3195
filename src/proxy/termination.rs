//! How the proxy ends TLS where a fault needs to see inside of it: as itself towards clients, and
//! as an opportunistic client towards the host.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use crate::tls::{self, Authority, AuthorityError, BadIdentity, Flaw};

/// What clients are shown instead of the host's certificate. Cloning is cheap.
#[derive(Clone)]
pub struct Termination(Arc<Shown>);

struct Shown {
    name: String,
    /// None: only certificates that are wrong on purpose are shown.
    acceptor: Option<TlsAcceptor>,
    /// Makes the certificates that are wrong on purpose.
    authority: Arc<Authority>,
}

/// The proxy cannot end TLS so.
#[derive(Debug, thiserror::Error)]
pub enum TerminationError {
    /// The certificate and key that were given are no use.
    #[error(transparent)]
    Given(#[from] BadIdentity),
    /// A certificate could not be made.
    #[error(transparent)]
    Made(#[from] AuthorityError),
}

impl Termination {
    /// With certificates of `authority` for the host's name.
    ///
    /// # Errors
    /// Where the name cannot stand in a certificate.
    pub fn by_authority(authority: Arc<Authority>, host: &str) -> Result<Self, TerminationError> {
        let acceptor = authority.acceptor(&[host])?;
        Ok(Self::showing(host, Some(acceptor), authority))
    }

    /// With the certificates of a PEM file (leaf first) and the private key of another, or of the
    /// same. Those that a fault wants flawed are made by an authority of their own.
    ///
    /// # Errors
    /// Where they cannot be used.
    pub fn given(certificates: &[u8], key: &[u8], host: &str) -> Result<Self, TerminationError> {
        let acceptor = tls::acceptor_from_pem(certificates, key)?;
        Ok(Self::showing(host, Some(acceptor), Arc::new(Authority::new()?)))
    }

    /// Only where a fault wants a flawed certificate: everything else that comes behind STARTTLS
    /// passes unseen. For a proxy that was given no certificate, and that others' mail passes.
    ///
    /// # Errors
    /// Where no authority can be made.
    pub fn for_flaws(host: &str) -> Result<Self, TerminationError> {
        Ok(Self::showing(host, None, Arc::new(Authority::new()?)))
    }

    fn showing(host: &str, acceptor: Option<TlsAcceptor>, authority: Arc<Authority>) -> Self {
        Self(Arc::new(Shown { name: host.to_owned(), acceptor, authority }))
    }

    /// Whether TLS may be ended only to see what is inside.
    pub(super) fn sees_inside(&self) -> bool {
        self.0.acceptor.is_some()
    }

    /// What accepts TLS from a client, with a flaw where a fault wants one.
    pub(super) fn acceptor(&self, flaw: Option<Flaw>) -> Option<Result<TlsAcceptor, AuthorityError>> {
        match flaw {
            None => self.0.acceptor.clone().map(Ok),
            Some(flaw) => Some(self.0.authority.flawed_acceptor(&self.0.name, flaw)),
        }
    }
}

impl fmt::Debug for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Termination").field("name", &self.0.name).finish_non_exhaustive()
    }
}

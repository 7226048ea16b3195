//! How the proxy ends TLS where a fault needs to see inside of it: as itself towards clients, and
//! as an opportunistic client towards the host.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;

use crate::scenario::fault::TlsFault;
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

/// What is wrong with the certificate of a fault; none where the fault is not one of a certificate.
pub(super) fn flaw(how: TlsFault) -> Option<Flaw> {
    match how {
        TlsFault::Expired => Some(Flaw::Expired),
        TlsFault::NotYetValid => Some(Flaw::NotYetValid),
        TlsFault::SelfSigned => Some(Flaw::SelfSigned),
        TlsFault::UnknownCa => Some(Flaw::UnknownCa),
        TlsFault::WrongName => Some(Flaw::WrongName),
        TlsFault::Unavailable | TlsFault::OldVersion => None,
        TlsFault::Garbage | TlsFault::Silent | TlsFault::Close => None,
    }
}

impl fmt::Debug for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Termination").field("name", &self.0.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tls::Trust;
    use crate::world::Clock;

    /// What is wrong with the certificate that a client sees.
    async fn shown(termination: &Termination, flaw: Option<Flaw>, trust: &Trust) -> Vec<String> {
        let acceptor = termination.acceptor(flaw).expect("it shows one").expect("a certificate");
        let (near, far) = tokio::io::duplex(64 * 1024);
        let server = tokio::spawn(async move { acceptor.accept(far).await.map(drop) });
        let clock = Clock::starting_at("2026-11-21T06:40:00Z".parse().expect("a time"));
        let seen = crate::tls::connect(near, "mx.test", trust, &clock, Duration::from_secs(5)).await;
        server.await.expect("no panic").expect("accepted");
        seen.expect("encrypted").1.verdicts
    }

    #[tokio::test]
    async fn a_given_certificate_is_shown_and_spoilt_ones_are_of_another_authority() {
        let own = rcgen::generate_simple_self_signed(["mx.test".to_owned()]).expect("a certificate");
        let (chain, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        let given = Termination::given(chain.as_bytes(), key.as_bytes(), "mx.test").expect("a pair");
        let trust = Trust::of([own.cert.der().clone()]);
        assert_eq!(shown(&given, None, &trust).await, ["trusted"]);
        assert_eq!(shown(&given, Some(Flaw::WrongName), &trust).await, ["wrong-name", "unknown-ca"]);
    }

    #[tokio::test]
    async fn each_flaw_is_the_only_one_where_the_authority_is_trusted() {
        let authority = Arc::new(Authority::new().expect("keys"));
        let trust = authority.trust();
        let termination = Termination::by_authority(authority, "mx.test").expect("a certificate");
        assert_eq!(shown(&termination, None, &trust).await, ["trusted"]);
        for how in TlsFault::ALL.iter().copied() {
            if let Some(flaw) = flaw(how) {
                assert_eq!(shown(&termination, Some(flaw), &trust).await, [how.word()]);
            }
        }
    }
}

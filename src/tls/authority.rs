//! A lab's own certificate authority, made anew for each lab.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::{Trust, provider};

/// An authority whose key lives in memory only.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// By the library that writes certificates.
    #[error("a certificate of the lab could not be made: {0}")]
    Issue(#[from] rcgen::Error),
    /// By the library that uses them.
    #[error("a certificate of the lab could not be used: {0}")]
    Use(#[from] rustls::Error),
}

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// From 1975 to 4096.
    #[default]
    Current,
    /// Until 2001.
    Expired,
    /// From 3000.
    NotYet,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new authority with a new key.
    ///
    /// # Errors
    /// Where the library cannot make keys.
    pub fn new() -> Result<Self, AuthorityError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([])?;
        params.distinguished_name.push(DnType::CommonName, "mxdrill lab authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Ok(Self { issuer: Issuer::new(params, key), certificate: der, pem })
    }

    /// Its own certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its own certificate as a PEM file, for other software that is to trust it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Trust in this authority and nobody else.
    pub fn trust(&self) -> Trust {
        Trust::of([self.certificate.clone()])
    }

    /// A chain, leaf first, for DNS names and addresses, and the leaf's key.
    ///
    /// # Errors
    /// Where a name cannot stand in a certificate.
    pub fn issue(
        &self,
        names: &[&str],
        validity: Validity,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), AuthorityError> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone())?;
        params.distinguished_name.push(DnType::CommonName, names.first().cloned().unwrap_or_default());
        match validity {
            Validity::Current => {}
            Validity::Expired => params.not_after = date_time_ymd(2001, 1, 1),
            Validity::NotYet => params.not_before = date_time_ymd(3000, 1, 1),
        }
        let leaf = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        Ok((vec![leaf.der().clone(), self.certificate.clone()], key))
    }

    /// What a lab host needs to offer STARTTLS under these names.
    ///
    /// # Errors
    /// Where a name cannot stand in a certificate.
    pub fn acceptor(&self, names: &[&str]) -> Result<TlsAcceptor, AuthorityError> {
        let (chain, key) = self.issue(names, Validity::Current)?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // Nobody resumes a session here.
        config.send_tls13_tickets = 0;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

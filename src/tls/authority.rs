//! A lab's own certificate authority, made anew for each lab.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::{Trust, acceptor};

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

/// What can be wrong with a certificate that is made on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is no longer valid.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It speaks for another name.
    WrongName,
    /// It is signed with its own key.
    SelfSigned,
    /// It is signed by an authority that nobody knows.
    UnknownCa,
}

/// The name in a certificate for another name; no host can have it (RFC 6761 6.4).
const OTHER_NAME: &str = "another-host.invalid";

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
        Ok(acceptor(chain, key)?)
    }

    /// The same with something wrong on purpose, and nothing else.
    ///
    /// # Errors
    /// Where `name` cannot stand in a certificate.
    pub fn flawed_acceptor(&self, name: &str, flaw: Flaw) -> Result<TlsAcceptor, AuthorityError> {
        let (chain, key) = match flaw {
            Flaw::Expired => self.issue(&[name], Validity::Expired)?,
            Flaw::NotYetValid => self.issue(&[name], Validity::NotYet)?,
            Flaw::WrongName => self.issue(&[OTHER_NAME], Validity::Current)?,
            Flaw::UnknownCa => Self::new()?.issue(&[name], Validity::Current)?,
            Flaw::SelfSigned => self_signed(name)?,
        };
        Ok(acceptor(chain, key)?)
    }
}

fn self_signed(name: &str) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), AuthorityError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([name.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    let leaf = params.self_signed(&key)?;
    Ok((vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into())))
}

//! Whom to trust.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// The certificate authorities that are trusted. There may be none: then no certificate is
/// trusted, and a session is encrypted all the same.
#[derive(Clone, Debug)]
pub struct Trust(Arc<RootCertStore>);

/// A PEM file holds no certificate that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPem {
    /// There is no certificate in it.
    #[error("it holds no certificate (`-----BEGIN CERTIFICATE-----`)")]
    Empty,
    /// One of them cannot be read.
    #[error("its certificate number {number} cannot be read: {why}")]
    Certificate {
        /// From 1.
        number: usize,
        /// Why.
        why: String,
    },
}

impl Trust {
    /// These authorities. Those that cannot be read are left out, since a system's store may hold
    /// some that are older than the rules.
    pub fn of<'a>(authorities: impl IntoIterator<Item = CertificateDer<'a>>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities);
        Self(Arc::new(roots))
    }

    /// Nobody.
    pub fn nobody() -> Self {
        Self::of([])
    }

    /// The authorities of a PEM file.
    ///
    /// # Errors
    /// Where there is none in it, or one cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, BadPem> {
        let mut roots = RootCertStore::empty();
        for (index, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let bad = |why: String| BadPem::Certificate { number: index + 1, why };
            let certificate = certificate.map_err(|error| bad(error.to_string()))?;
            roots.add(certificate).map_err(|error| bad(error.to_string()))?;
        }
        if roots.is_empty() { Err(BadPem::Empty) } else { Ok(Self(Arc::new(roots))) }
    }

    pub(super) fn roots(&self) -> &RootCertStore {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        assert_eq!(Trust::from_pem(b"hello").expect_err("no certificate"), BadPem::Empty);
        let bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(Trust::from_pem(bad), Err(BadPem::Certificate { number: 1, .. })));
    }
}

//! The server's side of a handshake.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::provider;

/// A chain and a key cannot serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentity {
    /// There is no certificate, or one cannot be read.
    #[error("the certificates cannot be used: {0}")]
    Certificates(String),
    /// There is no private key, or it cannot be read.
    #[error("the private key cannot be used: {0}")]
    Key(String),
    /// They are no pair.
    #[error("the certificate and the private key cannot be used together: {0}")]
    Pair(String),
}

/// Accepts TLS with `chain` (leaf first) and the leaf's key. No certificate is asked of clients.
///
/// # Errors
/// Where the key is not that of the leaf.
pub fn acceptor(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<TlsAcceptor, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // Nobody resumes a session here.
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Accepts TLS with the certificates of a PEM file (leaf first) and the private key of another, or
/// of the same.
///
/// # Errors
/// What cannot be used, and why.
pub fn acceptor_from_pem(certificates: &[u8], key: &[u8]) -> Result<TlsAcceptor, BadIdentity> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
    let chain = chain.map_err(|error| BadIdentity::Certificates(error.to_string()))?;
    if chain.is_empty() {
        return Err(BadIdentity::Certificates("there is none (`-----BEGIN CERTIFICATE-----`)".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| BadIdentity::Key(error.to_string()))?;
    acceptor(chain, key).map_err(|error| BadIdentity::Pair(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(certificates: &str, key: &str) -> String {
        let Err(error) = acceptor_from_pem(certificates.as_bytes(), key.as_bytes()) else { panic!("it is good") };
        error.to_string()
    }

    #[test]
    fn only_a_chain_with_its_own_key_serves() {
        let own = rcgen::generate_simple_self_signed(["mx.test".to_owned()]).expect("a certificate");
        let other = rcgen::KeyPair::generate().expect("a key").serialize_pem();
        let (chain, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        acceptor_from_pem(chain.as_bytes(), key.as_bytes()).map(drop).expect("a pair");
        let both = format!("{key}{chain}");
        acceptor_from_pem(both.as_bytes(), both.as_bytes()).map(drop).expect("both in one file");
        assert!(refused("", &key).starts_with("the certificates cannot be used: there is none"));
        assert!(refused(&chain, "").starts_with("the private key cannot be used"));
        assert!(refused(&chain, &other).starts_with("the certificate and the private key cannot be used together"));
    }
}

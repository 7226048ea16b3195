//! TLS to a mailbox server, with certificate errors that say what to do.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Trouble;

/// Whom to trust.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    pub(super) roots: Arc<RootCertStore>,
    /// Certificates that are trusted themselves: a server's own, which signs itself, is no
    /// authority of another.
    pub(super) own: Vec<CertificateDer<'static>>,
}

/// The certificates in a PEM file: authorities, or the server's own.
pub(super) fn trusted_in(path: &Path) -> Result<Trust, Trouble> {
    let shown = path.display();
    let unusable = |why: String| {
        Trouble::new(format!("the file of the certificate authority, `{shown}`, {why}"))
            .help("set `ca` to a PEM file with the authority's certificate, or with the server's own")
    };
    let mut roots = RootCertStore::empty();
    let mut own = vec![];
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| unusable(format!("cannot be read: {error}")))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(format!("cannot be read: {error}")))?;
        own.push(certificate.clone());
        roots.add(certificate).map_err(|error| unusable(format!("holds a certificate that is none: {error}")))?;
    }
    match own.is_empty() {
        true => Err(unusable("holds no certificate".to_owned())),
        false => Ok(Trust { roots: Arc::new(roots), own }),
    }
}

/// The settings of a client that verifies as rustls does, for connections that others make.
pub(super) fn client_config(trust: Trust) -> Result<ClientConfig, Trouble> {
    let (config, _) = verifying(trust)?;
    Ok(config)
}

/// Settings that trust nobody, for clients that speak in clear text.
pub(super) fn trusting_nobody() -> Result<ClientConfig, Trouble> {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Trouble::new(format!("TLS cannot be used: {error}")))?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// Encrypts the connection to `host`.
pub(super) async fn connect(stream: TcpStream, host: &str, trust: Trust) -> Result<TlsStream<TcpStream>, Trouble> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Trouble::new(format!("`{host}` is no name that a certificate could have")))?;
    let (config, verifier) = verifying(trust)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| explain(&error, host, &verifier))
}

fn verifying(trust: Trust) -> Result<(ClientConfig, Arc<Remembering>), Trouble> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(trust.roots, provider.clone()).build().map_err(|_| {
        Trouble::new("no certificate authority is known on this machine")
            .help("install the package `ca-certificates`, or set `ca` to a PEM file with the authority's certificate")
    })?;
    let verifier = Arc::new(Remembering { inner, own: trust.own, leaf: Mutex::new(None) });
    let config =
        config(provider, verifier.clone()).map_err(|error| Trouble::new(format!("TLS cannot be used: {error}")))?;
    Ok((config, verifier))
}

fn config(provider: Arc<CryptoProvider>, verifier: Arc<Remembering>) -> Result<ClientConfig, Error> {
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

/// Verifies as rustls does, or that it is one of `own`; keeps the certificate for the explanation.
#[derive(Debug)]
struct Remembering {
    inner: Arc<WebPkiServerVerifier>,
    own: Vec<CertificateDer<'static>>,
    leaf: Mutex<Option<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Remembering {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.leaf.lock().unwrap_or_else(PoisonError::into_inner) = Some(leaf.clone().into_owned());
        if self.own.iter().any(|own| own == leaf) {
            return verify_own(leaf, name, now);
        }
        self.inner.verify_server_cert(leaf, chain, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// A certificate that is trusted itself must still be for the name and in its time. That the
/// server has its key is shown by the handshake's signature.
fn verify_own(leaf: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<ServerCertVerified, Error> {
    let Ok((_, certificate)) = X509Certificate::from_der(leaf) else {
        return Err(CertificateError::BadEncoding.into());
    };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if certificate.validity().not_before.timestamp() > now {
        return Err(CertificateError::NotValidYet.into());
    }
    if certificate.validity().not_after.timestamp() < now {
        return Err(CertificateError::Expired.into());
    }
    verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
    Ok(ServerCertVerified::assertion())
}

fn explain(error: &io::Error, host: &str, verifier: &Remembering) -> Trouble {
    let leaf = verifier.leaf.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let seen = leaf.as_ref().and_then(Seen::read).unwrap_or_default();
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(why)) => explain_certificate(why, host, &seen),
        Some(Error::InvalidMessage(_)) => Trouble::new("the server does not speak TLS on this port")
            .help("set `tls: starttls`, or the port that is meant for TLS (993)"),
        _ => Trouble::new(format!("the TLS handshake failed: {error}")),
    }
}

fn explain_certificate(why: &CertificateError, host: &str, seen: &Seen) -> Trouble {
    match why {
        // One that signs itself may be called an authority by the tool that made it.
        CertificateError::UnknownIssuer | CertificateError::Other(_) if seen.subject == seen.issuer => {
            Trouble::new(format!("the certificate of `{}` is signed by itself, and not trusted here", seen.subject))
                .help("set `ca` to a PEM file with this certificate")
        }
        CertificateError::UnknownIssuer => Trouble::new(format!(
            "the certificate of `{}`, issued by `{}`, is of no authority that is trusted here",
            seen.subject, seen.issuer
        ))
        .help("set `ca` to a PEM file with the certificate of that authority"),
        CertificateError::BadSignature => Trouble::new(format!(
            "the certificate of `{}` is not signed by the authority `{}` that is trusted here",
            seen.subject, seen.issuer
        ))
        .help("the authority may have been made anew: set `ca` to its present certificate"),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Trouble::new(format!("the certificate is for {}, not for `{host}`", seen.names()))
                .help("set `address` to a name in the certificate")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Trouble::new(format!("the certificate of `{}` expired on {}", seen.subject, seen.not_after))
                .help("renew it on the server; if it is valid, this machine's clock is wrong")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Trouble::new(format!("the certificate of `{}` is not valid before {}", seen.subject, seen.not_before))
                .help("if that is past, this machine's clock is wrong")
        }
        other => Trouble::new(format!("the certificate of `{}` is not accepted: {other}", seen.subject)),
    }
}

/// What a certificate says.
#[derive(Debug, Default)]
struct Seen {
    subject: String,
    issuer: String,
    names: Vec<String>,
    not_before: String,
    not_after: String,
}

impl Seen {
    fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let alternatives = certificate.subject_alternative_name().ok().flatten();
        let names = alternatives.map(|it| it.value.general_names.iter().filter_map(name).collect());
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names: names.unwrap_or_default(),
            not_before: certificate.validity().not_before.to_string(),
            not_after: certificate.validity().not_after.to_string(),
        })
    }

    fn names(&self) -> String {
        match self.names.as_slice() {
            [] => "no name at all".to_owned(),
            names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        }
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|it| std::net::Ipv4Addr::from(it).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|it| std::net::Ipv6Addr::from(it).to_string()),
            _ => None,
        },
        _ => None,
    }
}

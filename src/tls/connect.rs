//! The client's side of a handshake.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::capture::Capture;
use super::{CertificateFlaw, Trust, describe, judge, provider};
use crate::record::TlsSeen;
use crate::world::Clock;

/// The handshake did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("the TLS handshake failed: {why}")]
pub struct TlsFailed {
    /// In a sentence.
    pub why: String,
    /// What was seen until then.
    pub seen: TlsSeen,
    /// The alert that the peer sent (RFC 8446 6), where it sent one.
    pub alert: Option<u8>,
    /// How long nobody answered, where that was why.
    pub unanswered: Option<Duration>,
}

/// Encrypts `stream`, whatever certificate the peer shows, and says everything that is wrong with
/// it for `host` (a DNS name or an address): opportunistic TLS (RFC 7435) goes on with any.
/// Nothing is resumed, so that each connection shows its certificates.
///
/// # Errors
/// Where the handshake fails or takes longer than `limit`. Peers that know nothing newer than
/// TLS 1.1 fail, too.
pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    host: &str,
    trust: &Trust,
    clock: &Clock,
    limit: Duration,
) -> Result<(TlsStream<S>, TlsSeen), TlsFailed> {
    let failed = |why: String, seen: TlsSeen| TlsFailed { why, seen, alert: None, unanswered: None };
    let name = ServerName::try_from(host.trim_end_matches('.').to_owned())
        .map_err(|_| failed(format!("`{host}` is no name that TLS could ask for"), TlsSeen::default()))?;
    let capture = Capture::new(provider().signature_verification_algorithms);
    let config = config(Arc::clone(&capture), *clock).map_err(|error| failed(error.to_string(), TlsSeen::default()))?;
    let handshake = TlsConnector::from(Arc::new(config)).connect(name.clone(), stream);
    let done = timeout(limit, handshake).await;
    let mut seen = certificates(&capture, &name, trust, clock);
    match done {
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            seen.version = session.protocol_version().map(version);
            seen.cipher = session.negotiated_cipher_suite().map(cipher);
            Ok((stream, seen))
        }
        Ok(Err(error)) => Err(TlsFailed { alert: alert(&error), ..failed(error.to_string(), seen) }),
        Err(_) => {
            let why = format!("it was not complete within {limit:?}");
            Err(TlsFailed { unanswered: Some(limit), ..failed(why, seen) })
        }
    }
}

fn alert(error: &std::io::Error) -> Option<u8> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::AlertReceived(alert) => Some(u8::from(*alert)),
        _ => None,
    }
}

fn config(capture: Arc<Capture>, clock: Clock) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(Watch(clock)))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(capture)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// A client's settings that trust `trust` and nobody else, for connections that are refused where the
/// certificate is not valid, such as those of HTTPS.
///
/// # Errors
/// Where the library refuses the settings.
pub fn verifying(trust: &Trust, clock: Clock) -> Result<ClientConfig, rustls::Error> {
    Ok(ClientConfig::builder_with_details(provider(), Arc::new(Watch(clock)))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trust.roots().clone())
        .with_no_client_auth())
}

fn certificates(capture: &Capture, host: &ServerName<'_>, trust: &Trust, clock: &Clock) -> TlsSeen {
    let chain = capture.chain();
    if chain.is_empty() {
        return TlsSeen::default();
    }
    let now = Watch(*clock).current_time().unwrap_or_else(|| UnixTime::since_unix_epoch(Duration::ZERO));
    let flaws = judge(&chain, host, trust, now);
    let verdicts = match flaws.as_slice() {
        [] => vec!["trusted".to_owned()],
        flaws => flaws.iter().copied().map(CertificateFlaw::word).map(str::to_owned).collect(),
    };
    TlsSeen { certificates: chain.iter().map(describe::certificate).collect(), verdicts, ..TlsSeen::default() }
}

fn version(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The suite in the spelling of RFC 8446 and IANA; rustls marks those of TLS 1.3.
fn cipher(suite: rustls::SupportedCipherSuite) -> String {
    suite.suite().as_str().unwrap_or("unknown").replacen("TLS13_", "TLS_", 1)
}

/// The run's clock, for rustls.
#[derive(Debug)]
struct Watch(Clock);

impl TimeProvider for Watch {
    fn current_time(&self) -> Option<UnixTime> {
        u64::try_from(self.0.now().as_second())
            .ok()
            .map(|second| UnixTime::since_unix_epoch(Duration::from_secs(second)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::tls::Authority;

    const LIMIT: Duration = Duration::from_secs(5);

    fn clock() -> Clock {
        Clock::starting_at("2026-11-21T06:40:00Z".parse().expect("a time"))
    }

    #[tokio::test]
    async fn a_lab_certificate_is_trusted_for_its_name_only() {
        let lab = Authority::new().expect("keys");
        for (host, verdict) in [("mx1.new.example", "trusted"), ("mx.old.example", "wrong-name")] {
            let (near, far) = tokio::io::duplex(64 * 1024);
            let acceptor = lab.acceptor(&["mx1.new.example"]).expect("a certificate");
            let server = tokio::spawn(async move {
                let mut stream = acceptor.accept(far).await.expect("a handshake");
                stream.write_all(b"hello").await.expect("written");
                stream.shutdown().await.expect("closed");
            });
            let (mut stream, seen) = connect(near, host, &lab.trust(), &clock(), LIMIT).await.expect("encrypted");
            let mut heard = String::new();
            stream.read_to_string(&mut heard).await.expect("read");
            server.await.expect("no panic");
            assert_eq!(heard, "hello");
            assert_eq!(seen.verdicts, [verdict]);
            assert_eq!(seen.version.as_deref(), Some("TLSv1.3"));
            assert!(seen.cipher.expect("a suite").starts_with("TLS_AES"));
            assert_eq!(seen.certificates[0].names, ["mx1.new.example"]);
            assert_eq!(seen.certificates[0].sha256.len(), 64);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_is_silent_or_talks_nonsense_fails() {
        let (near, far) = tokio::io::duplex(1024);
        let error = connect(near, "mx", &Trust::nobody(), &clock(), LIMIT).await.expect_err("silence");
        assert_eq!(error.to_string(), "the TLS handshake failed: it was not complete within 5s");
        drop(far);
        let (near, mut far) = tokio::io::duplex(1024);
        far.write_all(b"250 what\r\n").await.expect("written");
        let error = connect(near, "mx", &Trust::nobody(), &clock(), LIMIT).await.expect_err("nonsense");
        assert!(error.seen.verdicts.is_empty(), "{error}");
    }
}

//! Everything that is wrong with a server's certificates, each flaw by itself.
//!
//! A verifier stops at the first flaw and so hides the others: an expired certificate for another
//! name looks merely expired. Here dates, name and chain are checked one by one, the chain at a
//! moment at which the leaf is valid.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Trust, provider};
use crate::terms::{UnknownWord, words};

words! {
    /// What is wrong with a certificate.
    CertificateFlaw {
        /// It, or one of its chain, is no longer valid.
        Expired = "expired",
        /// It, or one of its chain, is not valid yet.
        NotYetValid = "not-yet-valid",
        /// It speaks for other names (RFC 9525); the subject's common name does not count.
        WrongName = "wrong-name",
        /// It is signed with its own key and not trusted by itself.
        SelfSigned = "self-signed",
        /// No chain leads to a trusted authority, or only to one of the same name with another key.
        UnknownCa = "unknown-ca",
        /// It is no server's certificate, such as that of an authority.
        WrongPurpose = "wrong-purpose",
        /// It, or its chain, cannot be read.
        Malformed = "malformed",
    }
}

/// Every flaw of `chain` (leaf first) as the certificates of `host` (a DNS name or an address);
/// empty where it can be trusted.
pub fn judge(
    chain: &[CertificateDer<'_>],
    host: &ServerName<'_>,
    trust: &Trust,
    now: UnixTime,
) -> Vec<CertificateFlaw> {
    let Some((leaf, others)) = chain.split_first() else { return vec![CertificateFlaw::Malformed] };
    let (Ok((_, read)), Ok(parsed)) = (X509Certificate::from_der(leaf), ParsedCertificate::try_from(leaf)) else {
        return vec![CertificateFlaw::Malformed];
    };
    let (dates, valid_at) = dates(&read, now);
    let name = verify_server_name(&parsed, host).err().map(|_| CertificateFlaw::WrongName);
    let chained = verify_server_cert_signed_by_trust_anchor(
        &parsed,
        trust.roots(),
        others,
        valid_at,
        provider().signature_verification_algorithms.all,
    );
    let signer = chained.err().map(|error| signer(&error, read.subject() == read.issuer()));
    let mut flaws: Vec<_> = [dates, name, signer].into_iter().flatten().collect();
    flaws.dedup();
    flaws
}

/// What is wrong with the leaf's dates, and the moment nearest to `now` at which it is valid.
fn dates(leaf: &X509Certificate<'_>, now: UnixTime) -> (Option<CertificateFlaw>, UnixTime) {
    let second = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).unwrap_or(0);
    let (first, last) = (second(leaf.validity().not_before), second(leaf.validity().not_after));
    let at = |second| UnixTime::since_unix_epoch(Duration::from_secs(second));
    if now.as_secs() < first {
        (Some(CertificateFlaw::NotYetValid), at(first))
    } else if now.as_secs() > last {
        (Some(CertificateFlaw::Expired), at(last))
    } else {
        (None, now)
    }
}

/// The flaw behind a chain that does not hold.
fn signer(error: &Error, own_issuer: bool) -> CertificateFlaw {
    use CertificateError as Is;
    if own_issuer {
        return CertificateFlaw::SelfSigned;
    }
    match error {
        Error::InvalidCertificate(Is::Expired | Is::ExpiredContext { .. }) => CertificateFlaw::Expired,
        Error::InvalidCertificate(Is::NotValidYet | Is::NotValidYetContext { .. }) => CertificateFlaw::NotYetValid,
        Error::InvalidCertificate(Is::UnknownIssuer | Is::BadSignature) => CertificateFlaw::UnknownCa,
        Error::InvalidCertificate(Is::InvalidPurpose | Is::InvalidPurposeContext { .. }) => {
            CertificateFlaw::WrongPurpose
        }
        Error::InvalidCertificate(Is::Other(other)) if other.to_string().contains("CaUsedAsEndEntity") => {
            CertificateFlaw::WrongPurpose
        }
        _ => CertificateFlaw::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::{Authority, Validity};

    const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_795_000_000));

    fn flaws(chain: &[CertificateDer<'_>], trust: &Trust) -> Vec<&'static str> {
        let host = ServerName::try_from("mx1.new.example").expect("a name");
        judge(chain, &host, trust, NOW).into_iter().map(CertificateFlaw::word).collect()
    }

    #[test]
    fn each_flaw_is_found_by_itself() {
        let lab = Authority::new().expect("keys");
        let other = Authority::new().expect("keys");
        let issue =
            |authority: &Authority, name: &str, validity| authority.issue(&[name], validity).expect("a certificate").0;
        let good = issue(&lab, "mx1.new.example", Validity::Current);
        assert_eq!(flaws(&good, &lab.trust()), Vec::<&str>::new());
        assert_eq!(flaws(&good, &Trust::nobody()), ["unknown-ca"]);
        assert_eq!(flaws(&good, &other.trust()), ["unknown-ca"]);
        let late = issue(&lab, "mx.old.example", Validity::Expired);
        assert_eq!(flaws(&late, &other.trust()), ["expired", "wrong-name", "unknown-ca"]);
        let early = issue(&lab, "mx1.new.example", Validity::NotYet);
        assert_eq!(flaws(&early, &lab.trust()), ["not-yet-valid"]);
        assert_eq!(flaws(&[], &lab.trust()), ["malformed"]);
        assert_eq!(flaws(&[CertificateDer::from(vec![1, 2, 3])], &lab.trust()), ["malformed"]);
    }

    #[test]
    fn a_self_signed_certificate_is_told_from_an_unknown_authority() {
        let own = rcgen::generate_simple_self_signed(["mx1.new.example".to_owned()]).expect("a certificate");
        let chain = [own.cert.der().clone()];
        assert_eq!(flaws(&chain, &Trust::nobody()), ["self-signed"]);
        assert_eq!(flaws(&chain, &Trust::of(chain.clone())), Vec::<&str>::new());
        let authority = Authority::new().expect("keys");
        assert_eq!(flaws(&[authority.certificate().clone()], &Trust::nobody()), ["wrong-name", "self-signed"]);
    }
}

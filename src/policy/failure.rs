//! What senders call what goes wrong (RFC 8460 4.3).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::terms::{UnknownWord, words};

words! {
    /// The result types of TLSRPT.
    FailureType {
        /// The host offers no STARTTLS.
        StarttlsNotSupported = "starttls-not-supported",
        /// The certificate speaks for other names.
        CertificateHostMismatch = "certificate-host-mismatch",
        /// The certificate has expired, or is not valid yet.
        CertificateExpired = "certificate-expired",
        /// No chain leads to a trusted authority.
        CertificateNotTrusted = "certificate-not-trusted",
        /// Anything else, such as an MX host that the policy does not cover.
        ValidationFailure = "validation-failure",
        /// No TLSA record matches, or none can be used.
        TlsaInvalid = "tlsa-invalid",
        /// DNSSEC fails, or cannot be asked.
        DnssecInvalid = "dnssec-invalid",
        /// The sender demands DANE, and there is none.
        DaneRequired = "dane-required",
        /// The policy cannot be fetched.
        StsPolicyFetchError = "sts-policy-fetch-error",
        /// The policy was fetched and is none.
        StsPolicyInvalid = "sts-policy-invalid",
        /// The certificate of the policy host is not right.
        StsWebpkiInvalid = "sts-webpki-invalid",
    }
}

/// What the flaws of a certificate are called, the gravest first; nothing where it is trusted.
pub fn of_verdicts(verdicts: &[String]) -> Option<FailureType> {
    let has = |word: &str| verdicts.iter().any(|it| it == word);
    if has("trusted") {
        None
    } else if has("expired") || has("not-yet-valid") {
        Some(FailureType::CertificateExpired)
    } else if has("wrong-name") {
        Some(FailureType::CertificateHostMismatch)
    } else if has("self-signed") || has("unknown-ca") {
        Some(FailureType::CertificateNotTrusted)
    } else {
        Some(FailureType::ValidationFailure)
    }
}

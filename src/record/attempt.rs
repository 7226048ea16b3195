//! One try to deliver to one address.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mail::{EnhancedStatus, Stage};
use crate::terms::{UnknownWord, words};

words! {
    /// How an attempt ended.
    AttemptResult {
        /// The server took the message: 2yz to the end of the body.
        Accepted = "accepted",
        /// 4yz.
        Transient = "transient",
        /// 5yz.
        Permanent = "permanent",
        /// No answer in time.
        Timeout = "timeout",
        /// The connection was refused (RST to the SYN).
        Refused = "refused",
        /// The connection was closed or reset where an answer was due.
        Lost = "lost",
        /// The server sent what is no SMTP.
        Garbage = "garbage",
        /// The TLS handshake failed.
        TlsFailed = "tls-failed",
        /// The system could not send to the address at all.
        Unreachable = "unreachable",
        /// The host's addresses could not be found.
        NoAddress = "no-address",
        /// The sender did not try it: it remembers that the host failed, or still uses the
        /// connection to another one. `reply` says which.
        PassedOver = "passed-over",
        /// The domain's MX set could not be found: no such domain, null MX (RFC 7505), or DNS
        /// failed. `host` is the domain.
        NoRoute = "no-route",
    }
}

/// One try to deliver to one address of one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The host as DNS names it.
    pub host: String,
    /// Address and port as the host's own; absent where none was found.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// Its MX preference; absent for an implicit MX.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub preference: Option<u16>,
    /// The fault proxy that was dialled instead of the host, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<String>,
    /// How it ended.
    pub result: AttemptResult,
    /// The last stage that was reached.
    pub stage: Stage,
    /// The server's reply there, all lines, joined by line feeds; or what was seen instead.
    pub reply: String,
    /// Its enhanced status code (RFC 3463).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<String>")]
    pub status: Option<EnhancedStatus>,
    /// The queue-id that the server named when it took the message.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queue_id: Option<String>,
    /// When it began.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// In which round of attempts, from 1: rounds are a retry apart.
    pub round: u32,
    /// What was seen of TLS; absent where it was not tried.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<TlsSeen>,
}

words! {
    /// Who ends TLS, where it is not the host itself.
    TlsEnd {
        /// The fault proxy before it.
        Proxy = "proxy",
    }
}

/// What was seen of a TLS session and its peer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TlsSeen {
    /// Such as `TLSv1.3`; absent where the handshake failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<String>,
    /// The cipher suite, in the names of RFC 8446 and IANA.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cipher: Option<String>,
    /// The peer's chain as it was sent, leaf first.
    pub certificates: Vec<Certificate>,
    /// Everything that is wrong with it for this host, or `trusted`.
    pub verdicts: Vec<String>,
    /// Who ended TLS in the host's stead: the certificates are not the host's then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_by: Option<TlsEnd>,
}

/// One certificate of a chain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Its subject.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// The names it speaks for (subjectAltName: DNS names and IP addresses).
    pub names: Vec<String>,
    /// First second of its validity.
    pub not_before: String,
    /// Last second of its validity.
    pub not_after: String,
    /// SHA-256 of the whole certificate, in hexadecimal.
    pub sha256: String,
}

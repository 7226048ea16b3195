//! One try to deliver to one address.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::mail::{EnhancedStatus, Stage};
use crate::terms::{AuthMechanism, StsMode, UnknownWord, words};

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
        /// The domain's TLS policy forbids it: the policy does not cover the host, or its TLS is not
        /// what the policy demands.
        TlsPolicy = "tls-policy",
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

words! {
    /// What a host that was tried is to the message.
    Target {
        /// A host that takes mail for the recipient's domain.
        Mx = "mx",
        /// A server that takes mail from its users, or from its network, and passes it on.
        Submission = "submission",
    }
}

impl Target {
    /// Whether it is the usual one, which records leave out.
    fn usual() -> Self {
        Target::Mx
    }

    fn is_usual(&self) -> bool {
        *self == Target::usual()
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
    /// What it is to the message; absent: an MX host.
    #[serde(skip_serializing_if = "Target::is_usual", default = "Target::usual")]
    pub target: Target,
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
    /// Who logged in; absent where nobody did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login: Option<LoginSeen>,
    /// What was answered to each recipient of the transaction, where there were several.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub recipients: Vec<RecipientReply>,
    /// The TLS policy of the domain, where the sender applies any and found one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub policy: Option<PolicySeen>,
}

/// A login, as it was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoginSeen {
    /// The user.
    pub user: String,
    /// How it was tried.
    pub mechanism: AuthMechanism,
}

/// The answer to one RCPT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecipientReply {
    /// The recipient.
    pub recipient: String,
    /// All lines of the reply, joined by line feeds.
    pub reply: String,
}

words! {
    /// Where an MTA-STS policy came from.
    PolicyOrigin {
        /// From the sender's cache.
        Cache = "cache",
        /// It was fetched for this attempt.
        Live = "live",
    }
}

words! {
    /// Whether a TLS policy held.
    PolicyVerdict {
        /// It demands nothing, or there is none.
        NotDemanded = "not-demanded",
        /// Everything that it demands was so, as far as the attempt came.
        Held = "held",
        /// It did not hold, and the mode is `testing`: the sender goes on and reports it.
        Reported = "reported",
        /// It did not hold, and the host was not used.
        Refused = "refused",
    }
}

/// The MTA-STS policy that applied to an attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicySeen {
    /// What it demands; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mode: Option<StsMode>,
    /// The `id` under which it was fetched.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// Its patterns.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub mx: Vec<String>,
    /// Where it came from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<PolicyOrigin>,
    /// Whether it held.
    pub verdict: PolicyVerdict,
    /// What did not hold, in the words of RFC 8460 4.3.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<String>,
    /// Why the policy could not be fetched, where that was tried.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fetch_failure: Option<String>,
}

impl Default for PolicySeen {
    fn default() -> Self {
        Self {
            mode: None,
            id: None,
            mx: vec![],
            origin: None,
            verdict: PolicyVerdict::NotDemanded,
            failure: None,
            fetch_failure: None,
        }
    }
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

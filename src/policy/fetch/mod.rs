//! Fetching a policy as RFC 8461 3.3 demands, and keeping every fact of it.
//!
//! ```text
//!   DOMAIN ──> addresses of mta-sts.DOMAIN, IPv6 and IPv4
//!                 └─ each by itself: TCP ─ TLS (chain kept, nothing refused yet) ─ one GET
//!                                       └──> Fetched ── transport, outcome ──> a policy, or why not
//! ```
//!
//! No redirect is followed and nothing is cached here; what a flaw means is decided afterwards,
//! from the facts.

mod get;
mod judge;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use get::{Getter, Limits};
pub use judge::{Transport, Unusable};

use crate::record::TlsSeen;

/// Where a policy is on its host.
pub const PATH: &str = "/.well-known/mta-sts.txt";
/// The port of the policy host.
pub const HTTPS: u16 = 443;
/// What a policy host is called before the domain.
pub const HOST_LABEL: &str = "mta-sts";

/// The policy host of a domain.
pub fn policy_host(domain: &str) -> String {
    format!("{HOST_LABEL}.{domain}")
}

/// What one address of a policy host said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fetched {
    /// `mta-sts.DOMAIN`.
    pub host: String,
    /// Address and port.
    pub address: String,
    /// When it was asked.
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What was seen of TLS; absent where nothing answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<TlsSeen>,
    /// The HTTP status; absent where there was no answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// Where a redirect leads to. It was not followed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<String>,
    /// The media type as it was sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<String>,
    /// How many bytes of a body were read; of a larger one than the limit no more than one above it.
    pub bytes: u64,
    /// The body, at most the limit; bytes that are not UTF-8 are replaced.
    pub body: String,
    /// Why there is no whole answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trouble: Option<String>,
}

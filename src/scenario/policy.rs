//! MTA-STS policies that a lab publishes, and what is wrong with them on purpose.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::source::{Span, Spanned};
use crate::terms::{StsMode, UnknownWord, words};

/// A policy that the lab publishes for a domain: the TXT record, and a policy host.
#[derive(Clone, Debug)]
pub struct LabPolicy {
    /// The domain, where it is written.
    pub domain: Spanned<String>,
    /// What the policy says.
    pub text: String,
    /// The `id` of the TXT record; none: there is no record.
    pub id: Option<String>,
    /// How many addresses the policy host has in each family, from 1.
    pub addresses: usize,
    /// What is wrong; of several at one address the first one counts.
    pub faults: Vec<PolicyFault>,
}

/// One fault of a policy host.
#[derive(Clone, Debug)]
pub struct PolicyFault {
    /// Only at this address, from 1; none: at all of them.
    pub address: Option<Spanned<u16>>,
    /// What is wrong.
    pub action: PolicyAction,
}

words! {
    /// What can be wrong with the certificate of a policy host.
    PolicyCertificate {
        /// It is no longer valid.
        Expired = "expired",
        /// It is not valid yet.
        NotYetValid = "not-yet-valid",
        /// It is signed with its own key.
        SelfSigned = "self-signed",
        /// It is signed by an authority that nobody knows.
        UnknownCa = "unknown-ca",
        /// It speaks for another name.
        WrongName = "wrong-name",
    }
}

/// What a policy host does wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyAction {
    /// It shows this certificate.
    Certificate(PolicyCertificate),
    /// It answers with this status.
    Status(u16),
    /// It says that the policy has moved, with status 301.
    Redirect(String),
    /// It answers late.
    Delay(Duration),
    /// It sends more than 64 KiB.
    Huge,
    /// It names another media type.
    ContentType(String),
    /// It sends another text, such as a stale copy.
    Text(String),
}

/// What changes in the lab when a phase begins, and stays so.
#[derive(Clone, Debug, Default)]
pub struct Publish {
    /// The `publish` key.
    pub span: Span,
    /// Zones, which replace those of the same origin.
    pub zones: IndexMap<String, Spanned<String>>,
    /// Policies, which replace those of the same domain.
    pub policies: IndexMap<String, LabPolicy>,
}

#[expect(clippy::derivable_impls, reason = "`words!` has no place for `#[default]`")]
impl Default for TlsPolicy {
    fn default() -> Self {
        TlsPolicy::Opportunistic
    }
}

words! {
    /// Which TLS policies the `mx` sender applies.
    TlsPolicy {
        /// None: TLS where it is offered, with any certificate (RFC 7435).
        Opportunistic = "opportunistic",
        /// MTA-STS (RFC 8461).
        MtaSts = "mta-sts",
    }
}

/// A policy that a sender has in its cache when the run begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedPolicy {
    /// Its mode.
    pub mode: StsMode,
    /// Its patterns.
    pub mx: Vec<String>,
    /// How long it may be cached.
    pub max_age: Duration,
    /// The `id` under which it was fetched.
    pub id: String,
    /// How long ago it was fetched.
    pub age: Duration,
}

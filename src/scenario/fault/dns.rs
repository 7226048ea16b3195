//! Faults of the lab's DNS authority.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::source::{Span, Spanned};
use crate::terms::{UnknownWord, words};

/// One name that the authority answers wrongly, for the whole scenario.
#[derive(Clone, Debug)]
pub struct DnsFault {
    /// The whole entry.
    pub span: Span,
    /// The name, in lower case without a final dot.
    pub name: Spanned<String>,
    /// Only for questions of this type; none: for all.
    pub record: Option<Spanned<RecordType>>,
    /// What it does.
    pub action: Spanned<DnsAction>,
}

words! {
    /// The types of records that senders ask for.
    RecordType {
        /// IPv4 addresses.
        A = "A",
        /// IPv6 addresses.
        Aaaa = "AAAA",
        /// Mail exchangers.
        Mx = "MX",
        /// Other names.
        Cname = "CNAME",
        /// Texts, such as `_mta-sts`.
        Txt = "TXT",
        /// Certificates for DANE (RFC 6698).
        Tlsa = "TLSA",
        /// Reverse names.
        Ptr = "PTR",
    }
}

/// How a question is answered wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsAction {
    /// There is no such name.
    Nxdomain,
    /// The server failed.
    Servfail,
    /// The server will not answer.
    Refused,
    /// No answer at all.
    Timeout,
    /// Over UDP an empty answer that says it was cut; over TCP the right one.
    Truncate,
    /// The right answer after this time.
    Delay(Duration),
}

impl DnsAction {
    /// The word in scenarios.
    pub fn word(&self) -> &'static str {
        match self {
            DnsAction::Nxdomain => "nxdomain",
            DnsAction::Servfail => "servfail",
            DnsAction::Refused => "refused",
            DnsAction::Timeout => "timeout",
            DnsAction::Truncate => "truncate",
            DnsAction::Delay(_) => "delay",
        }
    }
}

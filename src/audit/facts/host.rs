//! What was seen of one host.

use std::net::IpAddr;

use super::{Answer, Rr};
use crate::mail::Reply;
use crate::record::TlsSeen;

/// A host that DNS names.
#[derive(Clone, Debug, PartialEq)]
pub struct HostFacts {
    /// Its name.
    pub name: String,
    /// The aliases that lead to its addresses; none is allowed for an MX (RFC 5321 5.1).
    pub aliases: Vec<Rr>,
    /// A, at the end of the aliases.
    pub v4: Answer,
    /// AAAA, at the end of the aliases.
    pub v6: Answer,
    /// Each address by itself.
    pub addresses: Vec<AddressFacts>,
    /// TLSA for port 25 (RFC 7672 2.2.3).
    pub tlsa: Answer,
}

impl HostFacts {
    /// A host of whom nobody was asked, such as the root of a null MX or an address literal.
    pub fn unasked(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            aliases: vec![],
            v4: Answer::NoData,
            v6: Answer::NoData,
            addresses: vec![],
            tlsa: Answer::NoData,
        }
    }

    /// Why it certainly has no address; `None` where it has one or where nobody knows.
    pub fn missing(&self) -> Option<&'static str> {
        match (self.v4.absence(), self.v6.absence()) {
            (Some("has no such record"), Some("has no such record")) => Some("has no address"),
            (Some(why), Some(_)) => Some(why),
            _ => None,
        }
    }
}

/// One address of a host.
#[derive(Clone, Debug, PartialEq)]
pub struct AddressFacts {
    /// The address.
    pub address: IpAddr,
    /// The record that gives it.
    pub record: Rr,
    /// Its PTR records.
    pub reverse: Answer,
    /// What it said over SMTP; absent where it was not asked.
    pub visit: Option<Visit>,
}

/// A session with one address: up to RCPT, never further.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    /// The socket that was dialled.
    pub socket: String,
    /// Its greeting, or why there was no session.
    pub banner: Result<Reply, String>,
    /// The host name in the greeting (RFC 5321 4.2).
    pub greets_as: Option<String>,
    /// The answer to EHLO, where it came.
    pub hello: Option<Reply>,
    /// What came of STARTTLS.
    pub secured: Secured,
    /// RCPT, domain by domain.
    pub asked: Vec<Asked>,
}

/// What came of STARTTLS.
#[derive(Clone, Debug, PartialEq)]
pub enum Secured {
    /// The session did not get that far.
    Unasked,
    /// It is not offered.
    Absent,
    /// It was offered and did not come about.
    Failed(String),
    /// The session was encrypted; the certificates are judged for the host's name.
    Done(Box<TlsSeen>),
}

/// The answers to RCPT for one domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The domain.
    pub domain: String,
    /// For a mailbox that should be there, and the answer or why there is none.
    pub recipient: (String, Result<Reply, String>),
    /// For one that cannot exist: the control.
    pub nobody: (String, Result<Reply, String>),
}

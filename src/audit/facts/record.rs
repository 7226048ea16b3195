//! A record of DNS, and where it was read.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use hickory_resolver::proto::rr::{RData, Record};
use serde_json::{Value, json};

/// What a record says; names in lower case without a final dot, the root as the empty name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Data {
    /// MX (RFC 1035 3.3.9).
    Mx {
        /// Lower is tried first.
        preference: u16,
        /// The host.
        host: String,
    },
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME: the name that is really meant.
    Alias(String),
    /// TXT, its strings joined without anything between them.
    Text(String),
    /// SRV (RFC 2782).
    Service {
        /// Lower is tried first.
        priority: u16,
        /// The share among equal priorities.
        weight: u16,
        /// The port.
        port: u16,
        /// The host; the root where the service is not offered.
        target: String,
    },
    /// NS.
    Server(String),
    /// PTR.
    Pointer(String),
    /// TLSA (RFC 6698).
    Tlsa(Tlsa),
}

/// A TLSA record's fields (RFC 6698 2.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tlsa {
    /// 0 to 3; SMTP uses 2 and 3 (RFC 7672 3.1).
    pub usage: u8,
    /// 0 the certificate, 1 its key.
    pub selector: u8,
    /// 0 as it is, 1 SHA-256, 2 SHA-512.
    pub matching: u8,
    /// What is matched.
    pub data: Vec<u8>,
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::Mx { preference, host } => write!(f, "MX {preference} {host}."),
            Data::Address(IpAddr::V4(address)) => write!(f, "A {address}"),
            Data::Address(IpAddr::V6(address)) => write!(f, "AAAA {address}"),
            Data::Alias(target) => write!(f, "CNAME {target}."),
            Data::Text(text) => write!(f, "TXT {text:?}"),
            Data::Service { priority, weight, port, target } => write!(f, "SRV {priority} {weight} {port} {target}."),
            Data::Server(host) => write!(f, "NS {host}."),
            Data::Pointer(host) => write!(f, "PTR {host}."),
            Data::Tlsa(Tlsa { usage, selector, matching, data }) => {
                write!(f, "TLSA {usage} {selector} {matching} ")?;
                data.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// Where a record was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// A zone file's path, or a server, such as `ns1.drill.example (192.0.2.53)`.
    pub by: Arc<str>,
    /// The line in the file, from 1.
    pub line: Option<u32>,
    /// The line as it is written.
    pub text: Option<Arc<str>>,
}

impl Told {
    /// By a server.
    pub fn server(by: &str) -> Self {
        Self { by: by.into(), line: None, text: None }
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rr {
    /// Its name.
    pub owner: String,
    /// How long it may be kept, in seconds; of a cache, what is left of that.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
    /// Where it was read.
    pub told: Told,
}

impl Rr {
    /// A record as it came from DNS or a zone; `None` for kinds that no audit reads.
    pub fn of(record: &Record, told: Told) -> Option<Self> {
        let data = match &record.data {
            RData::MX(mx) => Data::Mx { preference: mx.preference, host: record_name(&mx.exchange) },
            RData::A(address) => Data::Address(address.0.into()),
            RData::AAAA(address) => Data::Address(address.0.into()),
            RData::CNAME(target) => Data::Alias(record_name(&target.0)),
            RData::TXT(text) => {
                let bytes: Vec<u8> = text.txt_data.iter().flat_map(|part| part.iter().copied()).collect();
                Data::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            RData::SRV(srv) => Data::Service {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                target: record_name(&srv.target),
            },
            RData::NS(host) => Data::Server(record_name(&host.0)),
            RData::PTR(host) => Data::Pointer(record_name(&host.0)),
            RData::TLSA(tlsa) => Data::Tlsa(Tlsa {
                usage: tlsa.cert_usage.into(),
                selector: tlsa.selector.into(),
                matching: tlsa.matching.into(),
                data: tlsa.cert_data.clone(),
            }),
            _ => return None,
        };
        Some(Self { owner: record_name(&record.name), ttl: record.ttl, data, told })
    }

    /// The record as it is written in a zone, without its TTL: `drill.example. MX 20 mx.old.example.`
    pub fn zone_line(&self) -> String {
        format!("{}. {}", self.owner, self.data)
    }

    /// As evidence.
    pub fn evidence(&self) -> Value {
        let record = format!("{}. {} {}", self.owner, self.ttl, self.data);
        match (self.told.line, &self.told.text) {
            (Some(line), Some(text)) => {
                json!({ "file": &*self.told.by, "line": line, "text": &**text, "record": record })
            }
            _ => json!({ "source": &*self.told.by, "record": record, "text": format!("{}: {record}", self.told.by) }),
        }
    }

    /// The instruction to take it out.
    pub fn removal(&self) -> String {
        match (self.told.line, &self.told.text) {
            (Some(line), Some(text)) => format!("delete line {line} of {}: `{}`", self.told.by, text.trim()),
            _ => format!("remove `{}` from the zone", self.zone_line()),
        }
    }

    /// The instruction to have it say something else.
    pub fn replacement(&self, data: &Data) -> String {
        let new = format!("{}. {data}", self.owner);
        match self.told.line {
            Some(line) => format!("change line {line} of {} to `{new}`", self.told.by),
            None => format!("change `{}` to `{new}`", self.zone_line()),
        }
    }
}

/// A name as the house writes it.
pub(crate) fn record_name(name: &hickory_resolver::proto::rr::Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

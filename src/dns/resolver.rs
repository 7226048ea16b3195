//! The door to DNS.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::{RData, RecordType};

/// The MX records of a domain, CNAMEs followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MxSet {
    /// The name that holds them, where a CNAME led away from the one that was asked for.
    pub canonical: Option<String>,
    /// Preference and host, in the order of the answer; hosts in lower case without a final dot,
    /// the root as the empty name (RFC 7505).
    pub hosts: Vec<(u16, String)>,
}

/// Why a lookup has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// NXDOMAIN: there is no such name.
    #[error("there is no `{0}` in DNS (NXDOMAIN)")]
    NoSuchName(String),
    /// The server failed, refused or did not answer: nothing is known.
    #[error("DNS has no answer for `{name}`: {why}")]
    Failed {
        /// What was asked for.
        name: String,
        /// Why.
        why: String,
    },
}

/// What a sender asks DNS.
#[async_trait]
pub trait Lookups: Send + Sync {
    /// The MX set of `domain`; an empty one where the name has none.
    ///
    /// # Errors
    /// Where the name does not exist, or nothing could be learnt.
    async fn mx(&self, domain: &str) -> Result<MxSet, LookupError>;

    /// The addresses of `host` in the order of the answer, IPv6 first; none where it has none.
    ///
    /// # Errors
    /// Where the name does not exist, or nothing could be learnt of any family.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, LookupError>;

    /// The TXT records at `name`, each with its strings, CNAMEs followed; none where it has none.
    ///
    /// # Errors
    /// Where the name does not exist, or nothing could be learnt.
    async fn texts(&self, name: &str) -> Result<Vec<Vec<String>>, LookupError> {
        Err(LookupError::NoSuchName(name.to_owned()))
    }
}

/// A stub resolver without a cache: a drill asks anew each time.
#[derive(Clone)]
pub struct Resolver {
    inner: TokioResolver,
    server: String,
}

/// The resolver could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the system's resolver cannot be used: {0}; name one with `--dns ADDRESS:PORT`")]
pub struct ResolverError(String);

impl Resolver {
    /// One that asks the server at `address`, by UDP and then TCP.
    ///
    /// # Errors
    /// Where the library refuses the settings.
    pub fn at(address: SocketAddr) -> Result<Self, ResolverError> {
        let on_port = |mut connection: ConnectionConfig| {
            connection.port = address.port();
            connection
        };
        let connections = vec![on_port(ConnectionConfig::udp()), on_port(ConnectionConfig::tcp())];
        let server = NameServerConfig::new(address.ip(), true, connections);
        let config = ResolverConfig::from_parts(None, vec![], vec![server]);
        let mut builder = hickory_resolver::Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        settle(builder.options_mut());
        let inner = builder.build().map_err(|error| ResolverError(error.to_string()))?;
        Ok(Self { inner, server: address.to_string() })
    }

    /// One that asks as the system is set up to.
    ///
    /// # Errors
    /// Where the system's settings cannot be read.
    pub fn system() -> Result<Self, ResolverError> {
        let wrap = |error: NetError| ResolverError(error.to_string());
        let mut builder = hickory_resolver::Resolver::builder_tokio().map_err(wrap)?;
        settle(builder.options_mut());
        let inner = builder.build().map_err(wrap)?;
        Ok(Self { inner, server: "the system's resolver".to_owned() })
    }

    /// What it asks, for messages.
    pub fn server(&self) -> &str {
        &self.server
    }

    async fn family(&self, host: &str, kind: RecordType) -> Result<Vec<IpAddr>, LookupError> {
        match self.inner.lookup(absolute(host), kind).await {
            Ok(answer) => Ok(answer
                .answers()
                .iter()
                .filter_map(|record| match &record.data {
                    RData::A(address) => Some(IpAddr::V4(address.0)),
                    RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                    _ => None,
                })
                .collect()),
            Err(error) => absence(host, &error).map(|()| vec![]),
        }
    }
}

#[async_trait]
impl Lookups for Resolver {
    async fn mx(&self, domain: &str) -> Result<MxSet, LookupError> {
        let answer = match self.inner.lookup(absolute(domain), RecordType::MX).await {
            Ok(answer) => answer,
            Err(error) => return absence(domain, &error).map(|()| MxSet::default()),
        };
        let mut set = MxSet::default();
        for record in answer.answers() {
            match &record.data {
                RData::MX(mx) => set.hosts.push((mx.preference, relative(&mx.exchange.to_utf8()))),
                RData::CNAME(target) => set.canonical = Some(relative(&target.0.to_utf8())),
                _ => {}
            }
        }
        Ok(set)
    }

    async fn texts(&self, name: &str) -> Result<Vec<Vec<String>>, LookupError> {
        let answer = match self.inner.lookup(absolute(name), RecordType::TXT).await {
            Ok(answer) => answer,
            Err(error) => return absence(name, &error).map(|()| vec![]),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let strings = answer.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(txt.txt_data.iter().map(|bytes| text(bytes)).collect()),
            _ => None,
        });
        Ok(strings.collect())
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, LookupError> {
        let (v6, v4) = tokio::join!(self.family(host, RecordType::AAAA), self.family(host, RecordType::A));
        match (v6, v4) {
            (Ok(v6), Ok(v4)) => Ok(v6.into_iter().chain(v4).collect()),
            // One family is enough to deliver to; that the other failed shows only where both did.
            (Ok(found), Err(error)) | (Err(error), Ok(found)) => {
                if found.is_empty() {
                    Err(error)
                } else {
                    Ok(found)
                }
            }
            (Err(error), Err(_)) => Err(error),
        }
    }
}

/// A drill measures what servers say now, not what was said before.
fn settle(options: &mut ResolverOpts) {
    options.cache_size = 0;
    options.timeout = Duration::from_secs(2);
    options.attempts = 2;
    options.use_hosts_file = ResolveHosts::Never;
    options.preserve_intermediates = true;
}

/// `Ok` where the error says that the name exists without such records.
fn absence(name: &str, error: &NetError) -> Result<(), LookupError> {
    if error.is_nx_domain() {
        return Err(LookupError::NoSuchName(name.to_owned()));
    }
    if error.is_no_records_found() && !failed(error) {
        return Ok(());
    }
    Err(LookupError::Failed { name: name.to_owned(), why: error.to_string() })
}

/// "No records" also stands for an empty answer with an error code.
fn failed(error: &NetError) -> bool {
    use hickory_resolver::proto::op::ResponseCode;
    matches!(error, NetError::Dns(DnsError::NoRecordsFound(none)) if none.response_code != ResponseCode::NoError)
}

fn absolute(name: &str) -> String {
    if name.ends_with('.') { name.to_owned() } else { format!("{name}.") }
}

fn relative(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

//! What is asked about a domain, whoever answers.
//!
//! ```text
//!   gather(domain, &dyn Names) ──> DomainFacts
//!               │
//!               ├── Zones: the files, no network
//!               └── Live:  the resolver, every authoritative server, the named views
//! ```
//!
//! Which questions are asked is the same offline and live, so that what is found before zones are
//! published is found afterwards, too. What the answers mean is not known here.

mod client;
mod host;
mod spf;

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::future::join_all;
use hickory_resolver::proto::rr::RecordType;

use super::facts::{Answer, Data, DomainFacts, FromSource, HostFacts, Rr, Selector, Service, Trail};

pub use host::host;

/// The most aliases that are followed.
const MOST_ALIASES: usize = 8;

/// The mail services that clients find by SRV (RFC 6186, RFC 8314 5.1).
pub(super) const SERVICES: &[&str] = &[
    "_submission._tcp",
    "_submissions._tcp",
    "_imap._tcp",
    "_imaps._tcp",
    "_pop3._tcp",
    "_pop3s._tcp",
    "_sieve._tcp",
    "_jmap._tcp",
    "_autodiscover._tcp",
];

/// Who answers questions about names.
#[async_trait]
pub trait Names: Send + Sync {
    /// The records of one kind at a name; aliases are not followed.
    async fn ask(&self, name: &str, kind: RecordType) -> Answer;

    /// The same question to everybody who can be asked; the first answer is the one that senders go by.
    async fn everywhere(&self, name: &str, kind: RecordType) -> Vec<FromSource>;

    /// The NS records that the parent zone gives out, where its servers can be asked.
    async fn delegation(&self, _domain: &str) -> Option<Answer> {
        None
    }
}

/// Which parts of an audit are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The MX set.
    pub mx: Wanted,
    /// MTA-STS and TLSRPT.
    pub mta_sts: Wanted,
    /// What else names the old platform.
    pub leftovers: Wanted,
}

/// Whether a part is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// It is.
    #[default]
    Yes,
    /// It is not.
    No,
}

impl Wanted {
    pub(super) fn is(self) -> bool {
        self == Wanted::Yes
    }
}

/// Asks everything about one domain that names can tell.
pub async fn gather(names: &dyn Names, domain: &str, selectors: &[String], parts: Parts) -> DomainFacts {
    let mut facts = DomainFacts::new(domain, names.everywhere(domain, RecordType::MX).await);
    follow_alias(names, &mut facts).await;
    let hosts = mx_hosts(&facts);
    let asked = join_all(hosts.iter().map(|name| host(names, name))).await;
    facts.hosts = asked.into_iter().map(|host| (host.name.clone(), host)).collect();
    facts.itself = host(names, domain).await;
    facts.servers = trail(names, domain, RecordType::NS).await.end;
    facts.delegation = names.delegation(domain).await;
    if parts.leftovers.is() || parts.mx.is() {
        facts.spf = Some(spf::tree(names, domain).await);
    }
    if parts.leftovers.is() {
        leftovers(names, &mut facts, selectors).await;
    }
    if parts.leftovers.is() || parts.mta_sts.is() {
        facts.tlsrpt = Some(trail(names, &format!("_smtp._tls.{domain}"), RecordType::TXT).await);
    }
    if parts.mta_sts.is() {
        facts.sts_record = Some(trail(names, &format!("_mta-sts.{domain}"), RecordType::TXT).await);
        facts.sts_host = Some(host(names, &format!("mta-sts.{domain}")).await);
    }
    facts
}

/// The domain itself may be an alias (RFC 5321 5.1): its MX set is that of the name behind it.
async fn follow_alias(names: &dyn Names, facts: &mut DomainFacts) {
    for source in &mut facts.mx {
        if let Answer::Alias(_) = &source.answer {
            let followed = trail(names, &facts.name, RecordType::MX).await;
            source.answer = followed.end;
        }
    }
}

async fn leftovers(names: &dyn Names, facts: &mut DomainFacts, selectors: &[String]) {
    let domain = facts.name.clone();
    facts.dmarc = Some(trail(names, &format!("_dmarc.{domain}"), RecordType::TXT).await);
    facts.selectors = join_all(selectors.iter().map(async |selector| Selector {
        selector: selector.clone(),
        trail: trail(names, &format!("{selector}._domainkey.{domain}"), RecordType::TXT).await,
    }))
    .await;
    facts.services = join_all(SERVICES.iter().map(async |service| Service {
        service,
        trail: trail(names, &format!("{service}.{domain}"), RecordType::SRV).await,
    }))
    .await;
    facts.clients = client::names(names, &domain).await;
}

/// Every host that an MX record of any source names; the root of a null MX is none.
fn mx_hosts(facts: &DomainFacts) -> BTreeSet<String> {
    let of = |rr: &Rr| match &rr.data {
        Data::Mx { host, .. } if !host.is_empty() => Some(host.clone()),
        _ => None,
    };
    facts.mx.iter().flat_map(|source| source.answer.records()).filter_map(of).collect()
}

/// Asks, and follows aliases.
pub(in crate::audit) async fn trail(names: &dyn Names, name: &str, kind: RecordType) -> Trail {
    let mut trail = Trail { name: name.to_owned(), aliases: vec![], end: Answer::Circle };
    let mut here = name.to_owned();
    while trail.aliases.len() <= MOST_ALIASES {
        match names.ask(&here, kind).await {
            Answer::Alias(alias) => {
                if let Data::Alias(target) = &alias.data {
                    here.clone_from(target);
                }
                trail.aliases.push(*alias);
                if here == name || trail.aliases.iter().any(|rr| rr.owner == here) {
                    break;
                }
            }
            end => {
                trail.end = end;
                break;
            }
        }
    }
    trail
}

/// The hosts of a set, asked one by one.
pub(super) async fn hosts(names: &dyn Names, wanted: &[String]) -> Vec<HostFacts> {
    join_all(wanted.iter().map(|name| host(names, name))).await
}

//! What was seen of one domain.

use std::collections::BTreeMap;

use super::{Answer, HostFacts, SpfTree, Trail};

/// Who was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// A zone file.
    Zone,
    /// An authoritative server, asked directly.
    Authority,
    /// A server that the zone names, and that does not answer with authority.
    Lame,
    /// The resolver.
    Resolver,
    /// A named view of DNS.
    View,
}

/// An answer, and who gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct FromSource {
    /// The kind of source.
    pub kind: SourceKind,
    /// Such as `ns1.drill.example (192.0.2.53)` or `view inside`.
    pub source: String,
    /// What it said.
    pub answer: Answer,
}

/// A service by SRV.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Such as `_submission._tcp`.
    pub service: &'static str,
    /// What it said, aliases followed.
    pub trail: Trail,
}

/// A name below the domain that clients use or guess.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientName {
    /// Such as `autoconfig`.
    pub label: &'static str,
    /// Where it leads.
    pub host: HostFacts,
}

/// A DKIM selector (RFC 6376 3.6.2).
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    /// Its name.
    pub selector: String,
    /// `SELECTOR._domainkey.DOMAIN`, aliases followed.
    pub trail: Trail,
}

/// A host name that a document gives to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// What for: `smtp`, `imap`, `pop3`, or the element's name.
    pub purpose: String,
    /// The host.
    pub host: String,
}

/// A document that tells clients their settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// `autoconfig`, `autodiscover` or `pacc`.
    pub kind: &'static str,
    /// Where it was asked for.
    pub url: String,
    /// Where redirects led, in their order.
    pub redirects: Vec<String>,
    /// The hosts that it names; `Ok(None)` where there certainly is no such document.
    pub names: Result<Option<Vec<Named>>, String>,
}

/// An MTA-STS policy (RFC 8461 3.2) as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySeen {
    /// Where: the URL and the address that served it.
    pub source: String,
    /// `enforce`, `testing` or `none`.
    pub mode: String,
    /// How long senders keep it, in seconds.
    pub max_age: u64,
    /// The patterns of MX hosts, in lower case.
    pub mx: Vec<String>,
}

impl PolicySeen {
    /// The first pattern that covers the MX host `name` (RFC 8461 4.1): `*` stands for one whole label.
    pub fn covers(&self, name: &str) -> Option<&str> {
        let fits = |pattern: &&String| match pattern.strip_prefix("*.") {
            Some(parent) => name.split_once('.').is_some_and(|(_, rest)| rest == parent),
            None => *pattern == name,
        };
        self.mx.iter().find(fits).map(String::as_str)
    }
}

/// What was seen of one domain.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainFacts {
    /// Its name.
    pub name: String,
    /// The MX set, source by source; the first one is what senders go by.
    pub mx: Vec<FromSource>,
    /// Every host that any source's MX set names, and what its name leads to.
    pub hosts: BTreeMap<String, HostFacts>,
    /// The domain's own addresses: its host where it has no MX (RFC 5321 5.1).
    pub itself: HostFacts,
    /// NS: of the zone itself.
    pub servers: Answer,
    /// NS as the parent zone delegates, where it could be asked.
    pub delegation: Option<Answer>,
    /// SPF, expanded; `None` where it was not asked for.
    pub spf: Option<SpfTree>,
    /// TXT at `_dmarc`.
    pub dmarc: Option<Trail>,
    /// TXT at `_smtp._tls` (RFC 8460).
    pub tlsrpt: Option<Trail>,
    /// TXT at `_mta-sts` (RFC 8461).
    pub sts_record: Option<Trail>,
    /// The policy host `mta-sts.DOMAIN`.
    pub sts_host: Option<HostFacts>,
    /// The policy, from each address that serves it.
    pub policies: Vec<PolicySeen>,
    /// Where no policy could be had, and why.
    pub policy_failures: Vec<(String, String)>,
    /// The DKIM selectors of the inventory.
    pub selectors: Vec<Selector>,
    /// SRV of mail services.
    pub services: Vec<Service>,
    /// Names that clients use or guess.
    pub clients: Vec<ClientName>,
    /// Documents that tell clients their settings.
    pub documents: Vec<Document>,
    /// Hosts of the legacy platforms that no MX names, as they were asked over SMTP.
    pub old_hosts: Vec<HostFacts>,
}

impl DomainFacts {
    /// A domain of which nothing was asked but its MX set.
    pub fn new(name: &str, mx: Vec<FromSource>) -> Self {
        Self {
            name: name.to_owned(),
            mx,
            hosts: BTreeMap::new(),
            itself: HostFacts::unasked(name),
            servers: Answer::NoData,
            delegation: None,
            spf: None,
            dmarc: None,
            tlsrpt: None,
            sts_record: None,
            sts_host: None,
            policies: vec![],
            policy_failures: vec![],
            selectors: vec![],
            services: vec![],
            clients: vec![],
            documents: vec![],
            old_hosts: vec![],
        }
    }
}

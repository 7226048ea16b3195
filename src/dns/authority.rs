//! The lab's authoritative server, over UDP and TCP.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::proto::rr::rdata::{A, AAAA};
use hickory_server::proto::rr::{Name, RData, Record, RecordSet, RecordType, RrKey};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use tokio::net::{TcpListener, UdpSocket};

use super::faulty::{Faulty, Zones};
use super::{ZoneError, zone_records};
use crate::scenario::fault::DnsFault;

/// How long an idle TCP client is kept.
const TCP_IDLE: Duration = Duration::from_secs(5);
/// How many answers wait for one TCP client.
const TCP_BUFFER: usize = 64;
const TTL: u32 = 60;

/// The zones of a lab, answered at one address.
pub struct Authority {
    server: Server<Faulty>,
    address: SocketAddr,
    zones: Zones,
    hosts: Vec<(String, Vec<IpAddr>)>,
}

/// The authority could not be started.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A zone cannot be read.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// The zone and the addresses of hosts cannot be served together.
    #[error("the zone `{0}` cannot be served: {1}")]
    Contents(String, String),
    /// The address cannot be bound.
    #[error("the lab's DNS cannot listen at {address}: {error}; give `lab.network` or `lab.dns.port` another value")]
    Bind {
        /// Which address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
}

impl Authority {
    /// Serves `zones` (origin and text) at `address`, with the addresses of `hosts` added. Zones
    /// that the hosts need and nobody wrote are made. Port 0 takes a free one. `faults` are in
    /// force from the first question on.
    ///
    /// # Errors
    /// Where a zone is wrong or the address cannot be had.
    pub async fn start(
        address: SocketAddr,
        zones: &[(String, String)],
        hosts: &[(String, Vec<IpAddr>)],
        faults: &[DnsFault],
    ) -> Result<Self, AuthorityError> {
        let zones = Zones::new(catalog(zones, hosts)?);
        let mut server = Server::new(Faulty::new(zones.clone(), faults));
        let (udp, tcp, address) = sockets(address).await.map_err(|error| AuthorityError::Bind { address, error })?;
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE, TCP_BUFFER);
        Ok(Self { server, address, zones, hosts: hosts.to_vec() })
    }

    /// From now on answers with `zones` instead; the addresses of hosts stay.
    ///
    /// # Errors
    /// Where a zone is wrong; the old ones are answered then.
    pub fn publish(&self, zones: &[(String, String)]) -> Result<(), AuthorityError> {
        self.zones.replace(catalog(zones, &self.hosts)?);
        Ok(())
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops answering.
    pub async fn down(mut self) {
        // The only error is that a task was already gone.
        let _ = self.server.shutdown_gracefully().await;
    }
}

/// UDP and TCP at the same port.
async fn sockets(address: SocketAddr) -> io::Result<(UdpSocket, TcpListener, SocketAddr)> {
    const TRIES: usize = 20;
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..TRIES {
        let tcp = TcpListener::bind(address).await?;
        let taken = tcp.local_addr()?;
        match UdpSocket::bind(taken).await {
            Ok(udp) => return Ok((udp, tcp, taken)),
            Err(error) => last = error,
        }
        if address.port() != 0 {
            break;
        }
    }
    Err(last)
}

type Zone = (Name, BTreeMap<RrKey, RecordSet>);

fn catalog(zones: &[(String, String)], hosts: &[(String, Vec<IpAddr>)]) -> Result<Catalog, AuthorityError> {
    let mut all: Vec<Zone> = vec![];
    for (origin, text) in zones {
        all.push(zone_records(origin, text)?);
    }
    for (host, addresses) in hosts {
        let name = Name::from_utf8(format!("{host}."))
            .map_err(|error| ZoneError { origin: host.clone(), why: error.to_string() })?;
        let zone = zone_for(&mut all, &name)?;
        for address in addresses {
            add(&mut zone.1, &name, *address);
        }
    }
    let mut catalog = Catalog::new();
    for (origin, sets) in all {
        let zone = InMemoryZoneHandler::<TokioRuntimeProvider>::new(
            origin.clone(),
            sets,
            ZoneType::Primary,
            AxfrPolicy::Deny,
            None,
        )
        .map_err(|error| AuthorityError::Contents(origin.to_string(), error.to_string()))?;
        catalog.upsert(origin.into(), vec![Arc::new(zone)]);
    }
    Ok(catalog)
}

/// The closest zone that holds `name`; its parent's, made anew, where there is none.
fn zone_for<'a>(all: &'a mut Vec<Zone>, name: &Name) -> Result<&'a mut Zone, AuthorityError> {
    let closest = (0..all.len()).filter(|at| all[*at].0.zone_of(name)).max_by_key(|at| all[*at].0.num_labels());
    let at = match closest {
        Some(at) => at,
        None => {
            let parent = name.base_name();
            let origin = if parent.num_labels() == 0 { name.clone() } else { parent };
            all.push(zone_records(&origin.to_utf8(), "")?);
            all.len() - 1
        }
    };
    Ok(&mut all[at])
}

fn add(sets: &mut BTreeMap<RrKey, RecordSet>, name: &Name, address: IpAddr) {
    let (kind, data) = match address {
        IpAddr::V4(v4) => (RecordType::A, RData::A(A(v4))),
        IpAddr::V6(v6) => (RecordType::AAAA, RData::AAAA(AAAA(v6))),
    };
    let key = RrKey::new(name.into(), kind);
    let set = sets.entry(key).or_insert_with(|| RecordSet::with_ttl(name.clone(), kind, TTL));
    set.insert(Record::from_rdata(name.clone(), TTL, data), 1);
}

#[cfg(test)]
mod tests {
    use super::super::{LookupError, Lookups, Resolver};
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn the_zones_and_the_hosts_of_a_lab_are_answered() {
        let zones = [
            (
                "drill.example".to_owned(),
                "@ MX 10 mx1.new.example.\n@ MX 20 mx.old.example.\nalias CNAME drill.example.\n".to_owned(),
            ),
            ("none.example".to_owned(), "@ MX 0 .\n".to_owned()),
        ];
        let hosts = [("mx1.new.example".to_owned(), vec![ip("127.77.0.2"), ip("::1")])];
        let authority = Authority::start("127.0.0.1:0".parse().unwrap(), &zones, &hosts, &[]).await.unwrap();
        let resolver = Resolver::at(authority.address()).unwrap();

        let set = resolver.mx("drill.example").await.unwrap();
        let mut hosts = set.hosts.clone();
        hosts.sort();
        assert_eq!(hosts, [(10, "mx1.new.example".to_owned()), (20, "mx.old.example".to_owned())]);
        assert_eq!(resolver.mx("none.example").await.unwrap().hosts, [(0, String::new())]);
        let alias = resolver.mx("alias.drill.example").await.unwrap();
        assert_eq!((alias.canonical.as_deref(), alias.hosts.len()), (Some("drill.example"), 2));
        assert_eq!(resolver.addresses("mx1.new.example").await.unwrap(), [ip("::1"), ip("127.77.0.2")]);
        let gone = resolver.addresses("mx9.new.example").await;
        assert_eq!(gone, Err(LookupError::NoSuchName("mx9.new.example".to_owned())));
        assert!(matches!(resolver.mx("elsewhere.test").await, Err(LookupError::Failed { .. })));
        authority.down().await;
    }

    #[tokio::test]
    async fn a_fault_changes_the_answer_to_its_own_question_only() {
        use crate::scenario::fault::{DnsAction, RecordType};
        use crate::source::{Span, Spanned};
        let fault = |name: &str, record: Option<RecordType>, action: DnsAction| DnsFault {
            span: Span::default(),
            name: Spanned::new(name.to_owned(), Span::default()),
            record: record.map(|it| Spanned::new(it, Span::default())),
            action: Spanned::new(action, Span::default()),
        };
        let zones = [("drill.example".to_owned(), "@ MX 10 mx1.drill.example.\ngone A 127.0.0.1\n".to_owned())];
        let hosts = ["mx1.drill.example", "mx2.drill.example", "mx3.drill.example"];
        let hosts: Vec<_> = hosts.iter().map(|host| ((*host).to_owned(), vec![ip("127.77.0.2")])).collect();
        let faults = [
            fault("mx1.drill.example", Some(RecordType::A), DnsAction::Servfail),
            fault("gone.drill.example", None, DnsAction::Nxdomain),
            fault("mx2.drill.example", None, DnsAction::Truncate),
            fault("mx3.drill.example", Some(RecordType::A), DnsAction::Delay(Duration::from_millis(50))),
        ];
        let authority = Authority::start("127.0.0.1:0".parse().unwrap(), &zones, &hosts, &faults).await.unwrap();
        let resolver = Resolver::at(authority.address()).unwrap();
        assert!(matches!(resolver.addresses("mx1.drill.example").await, Err(LookupError::Failed { .. })));
        assert_eq!(resolver.mx("drill.example").await.unwrap().hosts.len(), 1);
        assert!(matches!(resolver.addresses("gone.drill.example").await, Err(LookupError::NoSuchName(_))));
        assert_eq!(resolver.addresses("mx2.drill.example").await.unwrap(), [ip("127.77.0.2")], "asked again over TCP");
        let asked = std::time::Instant::now();
        assert_eq!(resolver.addresses("mx3.drill.example").await.unwrap(), [ip("127.77.0.2")]);
        assert!(asked.elapsed() >= Duration::from_millis(50));
        authority.down().await;
    }
}

//! Who stands where: addresses and ports, planned before anything listens, because a fault proxy
//! may have to stand at a host's place.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::RangeInclusive;

use indexmap::IndexMap;
use ipnet::Ipv4Net;

use super::LabError;
use super::claim::Claim;
use crate::policy::fetch::policy_host;
use crate::scenario;
use crate::source::Spanned;
use crate::terms::Family;

/// Where free ports are looked for when all hosts share one.
const SMTP_PORTS: RangeInclusive<u16> = 2525..=2624;
/// Where a free port for DNS is looked for.
const DNS_PORTS: RangeInclusive<u16> = 5300..=5399;
/// What errors call the authority.
const DNS: &str = "the lab's DNS";

/// Where everybody stands. The places are held against other labs until this is dropped.
#[derive(Debug)]
pub struct Ground {
    /// Every host of the lab, in file order; real ones too, whose place a proxy takes.
    pub hosts: IndexMap<String, Site>,
    /// Every policy host, by its name; port 0 where any will do.
    pub policies: IndexMap<String, Site>,
    /// Where the DNS authority listens, UDP and TCP.
    pub dns: SocketAddr,
    /// How hosts are told apart.
    pub apart: Apart,
    _claim: Claim,
}

/// The place of one host, as the world sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Its addresses and ports: IPv4 first, at least one.
    pub addresses: Vec<SocketAddr>,
}

/// How the hosts of a lab are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Each has an IPv4 address of its own, and all have one port. Their IPv6 address is `::1`
    /// for all; there the port tells them apart.
    ByAddress,
    /// All have 127.0.0.1, where the system has no more of 127.0.0.0/8 (macOS).
    ByPort,
}

impl Ground {
    /// Gives every host of the lab its place, and tries whether one can listen there.
    ///
    /// # Errors
    /// Where a given port or network cannot be used, or nothing is free.
    pub fn plan(lab: &scenario::Lab) -> Result<Self, LabError> {
        let claim = Claim::take()?;
        let network = network(lab, claim.number)?;
        let apart = match can_listen(SocketAddr::new(network.first.into(), 0)) {
            Err(error) if lab.network.is_some() => return Err(refused(DNS, network.first, 0, error)),
            Err(_) => Apart::ByPort,
            Ok(()) => Apart::ByAddress,
        };
        let mut ports = Ports(claim.ports());
        let mut hosts: IndexMap<String, Site> = lab.hosts.keys().map(|name| (name.clone(), Site::default())).collect();
        if lab.families.contains(&Family::V4) || lab.families.is_empty() {
            match apart {
                Apart::ByAddress => share_a_port(&mut hosts, &network, lab.port.as_ref())?,
                Apart::ByPort => each_a_port(&mut hosts, Ipv4Addr::LOCALHOST.into(), lab.port.as_ref(), &mut ports)?,
            }
        }
        if lab.families.contains(&Family::V6) {
            each_a_port(&mut hosts, Ipv6Addr::LOCALHOST.into(), None, &mut ports)?;
        }
        let policies = policies(lab, apart, &network);
        let dns = dns(lab, apart, &network, &mut ports)?;
        Ok(Self { hosts, policies, dns, apart, _claim: claim })
    }
}

/// The part of loopback that a lab has.
struct Network {
    first: Ipv4Addr,
    addresses: Vec<Ipv4Addr>,
}

/// `.1` is the DNS, hosts follow in file order.
fn network(lab: &scenario::Lab, number: u8) -> Result<Network, LabError> {
    let network = match &lab.network {
        Some(given) => given.value,
        None => Ipv4Net::new_assert(Ipv4Addr::new(127, 77, number, 0), 24),
    };
    if !(network.network().is_loopback() && network.broadcast().is_loopback()) {
        return Err(LabError::NotLoopback(network));
    }
    let mut usable = network.hosts();
    let too_small = || LabError::TooSmall { network, hosts: lab.ipv4_places() };
    let first = usable.next().ok_or_else(too_small)?;
    let addresses: Vec<Ipv4Addr> = usable.take(lab.ipv4_places()).collect();
    if addresses.len() < lab.ipv4_places() { Err(too_small()) } else { Ok(Network { first, addresses }) }
}

/// Every host its own address, all the same port.
fn share_a_port(
    hosts: &mut IndexMap<String, Site>,
    network: &Network,
    given: Option<&Spanned<u16>>,
) -> Result<(), LabError> {
    let place = |port: u16| network.addresses.iter().map(move |address| SocketAddr::new((*address).into(), port));
    let port = match given {
        Some(given) => {
            for (host, address) in hosts.keys().zip(place(given.value)) {
                can_listen(address).map_err(|error| refused(host, address.ip(), address.port(), error))?;
            }
            given.value
        }
        None => SMTP_PORTS
            .clone()
            .find(|port| place(*port).all(|address| can_listen(address).is_ok()))
            .ok_or_else(|| no_port(hosts.keys().next().map_or(DNS, String::as_str), &SMTP_PORTS))?,
    };
    for (site, address) in hosts.values_mut().zip(place(port)) {
        site.addresses.push(address);
    }
    Ok(())
}

/// Every host its own port at one address.
fn each_a_port(
    hosts: &mut IndexMap<String, Site>,
    address: IpAddr,
    given: Option<&Spanned<u16>>,
    ports: &mut Ports,
) -> Result<(), LabError> {
    if let Some(given) = given {
        return Err(LabError::OnePort(given.value));
    }
    can_listen(SocketAddr::new(address, 0))
        .map_err(|error| refused(hosts.keys().next().map_or(DNS, String::as_str), address, 0, error))?;
    for (host, site) in hosts.iter_mut() {
        let free = ports.next(host, |port| can_listen(SocketAddr::new(address, port)).is_ok())?;
        site.addresses.push(SocketAddr::new(address, free));
    }
    Ok(())
}

/// Policy hosts follow the hosts. Other software looks for them at port 443, and gets it where the
/// lab has the ports that senders know.
fn policies(lab: &scenario::Lab, apart: Apart, network: &Network) -> IndexMap<String, Site> {
    let mut free = network.addresses.iter().skip(lab.hosts.len());
    let port = if lab.port.as_ref().is_some_and(|port| port.value == 25) { 443 } else { 0 };
    let has = |family| lab.families.contains(&family);
    let mut site = |policy: &scenario::LabPolicy| {
        let mut site = Site::default();
        if has(Family::V4) || lab.families.is_empty() {
            for _ in 0..policy.addresses {
                let own = free.next().filter(|_| apart == Apart::ByAddress).copied().unwrap_or(Ipv4Addr::LOCALHOST);
                site.addresses.push(SocketAddr::new(own.into(), port));
            }
        }
        if has(Family::V6) {
            site.addresses.push(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), 0));
        }
        site
    };
    lab.policies.iter().map(|(domain, policy)| (policy_host(domain), site(policy))).collect()
}

fn dns(lab: &scenario::Lab, apart: Apart, network: &Network, ports: &mut Ports) -> Result<SocketAddr, LabError> {
    let address = match apart {
        Apart::ByAddress => network.first,
        Apart::ByPort => Ipv4Addr::LOCALHOST,
    };
    let place = |port: u16| SocketAddr::new(address.into(), port);
    let port = match (&lab.dns_port, apart) {
        (Some(given), _) => {
            can_answer(place(given.value)).map_err(|error| refused(DNS, address, given.value, error))?;
            given.value
        }
        (None, Apart::ByAddress) => {
            DNS_PORTS.clone().find(|port| can_answer(place(*port)).is_ok()).ok_or_else(|| no_port(DNS, &DNS_PORTS))?
        }
        (None, Apart::ByPort) => ports.next(DNS, |port| can_answer(place(port)).is_ok())?,
    };
    Ok(place(port))
}

/// Ports that are given out one after the other.
struct Ports(RangeInclusive<u16>);

impl Ports {
    fn next(&mut self, host: &str, free: impl Fn(u16) -> bool) -> Result<u16, LabError> {
        let tried = self.0.clone();
        self.0.by_ref().find(|port| free(*port)).ok_or_else(|| no_port(host, &tried))
    }
}

fn can_listen(address: SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(|_| ())
}

fn can_answer(address: SocketAddr) -> io::Result<()> {
    UdpSocket::bind(address)?;
    can_listen(address)
}

fn refused(host: &str, address: impl Into<IpAddr>, port: u16, error: io::Error) -> LabError {
    LabError::Listen { host: host.to_owned(), address: SocketAddr::new(address.into(), port), error }
}

fn no_port(host: &str, tried: &RangeInclusive<u16>) -> LabError {
    LabError::NoPort { host: host.to_owned(), first: *tried.start(), last: *tried.end() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::tests::lab_of;
    use crate::source::Span;

    #[test]
    fn two_labs_side_by_side_have_nothing_in_common() {
        let mut lab = lab_of(&["mx1.new.example", "mx.old.example"]);
        lab.families = vec![Family::V4, Family::V6];
        let (one, two) = (Ground::plan(&lab).expect("a ground"), Ground::plan(&lab).expect("a ground"));
        let all = |ground: &Ground| -> Vec<SocketAddr> {
            ground.hosts.values().flat_map(|site| site.addresses.clone()).chain([ground.dns]).collect()
        };
        assert_eq!(all(&one).len(), 5);
        assert!(all(&one).iter().all(|address| !all(&two).contains(address)), "{one:?} {two:?}");
        assert!(one.hosts["mx.old.example"].addresses[1].is_ipv6());
    }

    #[test]
    fn hosts_follow_the_dns_in_file_order() {
        let mut lab = lab_of(&["b", "a"]);
        lab.network = Some(Spanned::new("127.99.4.0/29".parse().expect("a network"), Span::default()));
        let Ok(ground) = Ground::plan(&lab) else { return };
        let octets: Vec<String> = ground.hosts.values().map(|site| site.addresses[0].ip().to_string()).collect();
        assert_eq!(
            (ground.dns.ip().to_string(), octets.join(" ")),
            ("127.99.4.1".into(), "127.99.4.2 127.99.4.3".into())
        );
    }

    #[test]
    fn a_network_that_is_too_small_or_not_loopback_is_refused() {
        let mut lab = lab_of(&["a", "b"]);
        let mut plan = |network: &str| {
            lab.network = Some(Spanned::new(network.parse().expect("a network"), Span::default()));
            Ground::plan(&lab).expect_err("refused").to_string()
        };
        assert!(plan("127.99.5.0/30").starts_with("2 hosts and the DNS do not fit"), "{}", plan("127.99.5.0/30"));
        assert!(plan("192.0.2.0/24").contains("is not a part of 127.0.0.0/8"));
    }

    #[test]
    fn a_given_port_that_is_taken_is_named() {
        let Ok(taken) = TcpListener::bind("127.99.6.2:0") else { return };
        let port = taken.local_addr().expect("an address").port();
        let mut lab = lab_of(&["mx1.new.example"]);
        lab.network = Some(Spanned::new("127.99.6.0/24".parse().expect("a network"), Span::default()));
        lab.port = Some(Spanned::new(port, Span::default()));
        let error = Ground::plan(&lab).expect_err("taken").to_string();
        assert!(error.starts_with(&format!("`mx1.new.example` cannot listen on 127.99.6.2:{port}: ")), "{error}");
        assert!(error.ends_with("stop the program that listens there, or name another port"), "{error}");
    }
}

//! Services whose headers are trusted where a trusted writer saw one of their addresses.
//!
//! The networks are those that the services publish for their own mail. They change: each list says
//! where it stands and as of when it was written down here. An address that is missing costs a proof,
//! never gives a false one; a platform's own `networks` in the inventory come first.

use std::net::IpAddr;

use ipnet::IpNet;

/// A mail service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: &'static str,
    /// Endings of its hosts' names.
    names: &'static [&'static str],
    /// Its networks.
    networks: &'static [&'static str],
    /// Where they are published.
    pub source: &'static str,
    /// As of when they stand here.
    pub as_of: &'static str,
}

/// What is known by name.
const SERVICES: &[Service] = &[
    Service {
        name: "Exchange Online Protection",
        names: &[".mail.protection.outlook.com", ".prod.outlook.com"],
        networks: &[
            "40.92.0.0/15",
            "40.107.0.0/16",
            "52.100.0.0/14",
            "52.238.78.88/32",
            "104.47.0.0/17",
            "2a01:111:f400::/48",
            "2a01:111:f403::/48",
        ],
        source: "Microsoft 365 URLs and IP address ranges, Exchange Online, ids 9 and 10",
        as_of: "2025-01",
    },
    Service {
        name: "Google",
        names: &[".google.com"],
        networks: &[
            "35.190.247.0/24",
            "64.233.160.0/19",
            "66.102.0.0/20",
            "66.249.80.0/20",
            "72.14.192.0/18",
            "74.125.0.0/16",
            "108.177.8.0/21",
            "173.194.0.0/16",
            "209.85.128.0/17",
            "216.58.192.0/19",
            "216.239.32.0/19",
            "2001:4860:4000::/36",
            "2404:6800:4000::/36",
            "2607:f8b0:4000::/36",
            "2800:3f0:4000::/36",
            "2a00:1450:4000::/36",
            "2c0f:fb50:4000::/36",
        ],
        source: "SPF of _netblocks.google.com and _netblocks2.google.com",
        as_of: "2025-01",
    },
    Service {
        name: "Mimecast",
        names: &[".mimecast.com", ".mimecast.co.za"],
        networks: &[
            "91.220.42.0/24",
            "146.101.78.0/24",
            "170.10.128.0/22",
            "195.130.217.0/24",
            "205.139.110.0/23",
            "207.211.30.0/23",
        ],
        source: "Mimecast data centers and URLs",
        as_of: "2025-01",
    },
    Service {
        name: "Proofpoint",
        names: &[".pphosted.com", ".ppops.net"],
        networks: &["67.231.144.0/20", "148.163.128.0/19", "185.132.180.0/22"],
        source: "SPF of spf.pphosted.com customers, Proofpoint on Demand",
        as_of: "2025-01",
    },
];

/// The service to which an address belongs.
pub fn service_of_address(address: IpAddr) -> Option<&'static Service> {
    let address = address.to_canonical();
    let within = |network: &&str| network.parse::<IpNet>().is_ok_and(|network| network.contains(&address));
    SERVICES.iter().find(|service| service.networks.iter().any(within))
}

/// The service to which a name belongs, where a trusted writer says it.
pub fn service_of_name(name: &str) -> Option<&'static Service> {
    let name = format!(".{}", name.trim_end_matches('.').to_ascii_lowercase());
    SERVICES.iter().find(|service| service.names.iter().any(|end| name.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_is_one_and_belongs_to_one_service() {
        let all: Vec<(&str, IpNet)> = SERVICES
            .iter()
            .flat_map(|service| service.networks.iter().map(|it| (service.name, it.parse().expect("a network"))))
            .collect();
        for (index, (name, network)) in all.iter().enumerate() {
            assert_eq!(network.addr(), network.network(), "{network}");
            for (other, another) in &all[index + 1..] {
                assert!(
                    !network.contains(another) && !another.contains(network),
                    "{name} {network}, {other} {another}"
                );
            }
        }
    }

    #[test]
    fn a_name_must_end_with_the_services_own() {
        let of = |name: &str| service_of_name(name).map(|it| it.name);
        assert_eq!(of("mx.google.com"), Some("Google"));
        assert_eq!(of("am5pr04mb2836.eurprd04.prod.outlook.com."), Some("Exchange Online Protection"));
        assert_eq!(of("notgoogle.com"), None);
        assert_eq!(service_of_address("::ffff:209.85.128.7".parse().expect("one")).map(|it| it.name), Some("Google"));
    }
}

//! Why a lab cannot be.

use std::io;
use std::net::SocketAddr;

use ipnet::Ipv4Net;

use crate::tls::AuthorityError;

/// A lab could not be brought up.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A host cannot listen where it should.
    #[error("`{host}` cannot listen on {address}: {error}{}", remedy(error))]
    Listen {
        /// The host, or `the lab's DNS`.
        host: String,
        /// Where.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// No port is free on all addresses.
    #[error("none of the ports {first} to {last} is free for `{host}`; name one with `lab.port` or `lab.dns-port`")]
    NoPort {
        /// The host, or `the lab's DNS`.
        host: String,
        /// The first that was tried.
        first: u16,
        /// The last one.
        last: u16,
    },
    /// The hosts do not fit in the network.
    #[error(
        "{hosts} hosts and the DNS do not fit into `lab.network` {network}; give a greater network or leave it out"
    )]
    TooSmall {
        /// The network.
        network: Ipv4Net,
        /// How many there are.
        hosts: usize,
    },
    /// The network is not loopback.
    #[error("`lab.network` {0} is not a part of 127.0.0.0/8; leave it out or take one that is")]
    NotLoopback(Ipv4Net),
    /// Hosts have to be told apart by port, and one port was asked for.
    #[error(
        "all hosts were to listen on port {0}, but only 127.0.0.1 is loopback on this system and hosts are told apart \
         by port; leave out `lab.port`"
    )]
    OnePort(u16),
    /// As many labs as there can be are up already.
    #[error("{0} labs are up on this machine already; stop some of them")]
    TooMany(usize),
    /// No certificate could be made.
    #[error(transparent)]
    Certificate(#[from] AuthorityError),
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; stop the program that listens there, or name another port",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need root: name a higher one, or none",
        io::ErrorKind::AddrNotAvailable => {
            "; this system has no such loopback address: leave `lab.network` and `v6` out"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_address_and_remedy_are_named() {
        let address = "127.77.0.2:25".parse().expect("an address");
        let error = LabError::Listen {
            host: "mx1.new.example".to_owned(),
            address,
            error: io::Error::new(io::ErrorKind::PermissionDenied, "permission denied"),
        };
        assert_eq!(
            error.to_string(),
            "`mx1.new.example` cannot listen on 127.77.0.2:25: permission denied; ports below 1024 need root: name a \
             higher one, or none"
        );
    }
}

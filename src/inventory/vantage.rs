//! From where hosts are dialled.

use std::fmt;
use std::net::IpAddr;

use super::Endpoint;

/// From where, and through what, an `mx` sender dials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vantage {
    /// The address of this machine that connections are made from; none: the system chooses.
    pub source: Option<IpAddr>,
    /// The way to the host.
    pub way: VantageWay,
}

/// The way to a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VantageWay {
    /// Straight from this machine.
    #[default]
    Direct,
    /// Through a SOCKS5 server that asks for no login (RFC 1928).
    Socks5(Endpoint),
    /// Through a program whose stdin and stdout are the connection; `{address}` and `{port}` stand in its
    /// words.
    Command(Vec<String>),
}

impl fmt::Display for Vantage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            VantageWay::Direct => f.write_str("from this machine")?,
            VantageWay::Socks5(at) => write!(f, "through the SOCKS5 server {at}")?,
            VantageWay::Command(words) => write!(f, "through `{}`", words.join(" "))?,
        }
        match self.source {
            Some(source) => write!(f, ", from the address {source}"),
            None => Ok(()),
        }
    }
}

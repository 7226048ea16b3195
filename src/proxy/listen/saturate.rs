//! A listener that answers no SYN, without any privilege.
//!
//! Linux drops a SYN where the queue of connections that wait to be accepted is full. A backlog of
//! 0 makes the queue one long; a connection of our own, which nobody accepts, fills it. Whether it
//! holds is tried by one more: it must not come about. Where the queue is emptied, the next SYN of
//! a client that waits (after 1, 3, 7 s) is answered.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpStream;

/// The connections of our own that fill a listener's queue.
#[derive(Debug)]
pub(super) struct Fillers(Vec<TcpStream>);

impl Fillers {
    /// The addresses they call from, to tell them from clients.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().filter_map(|filler| filler.local_addr().ok()).collect()
    }
}

/// Fills the queue of the listener at `address`, which accepts nobody and has a backlog of 0.
#[cfg(target_os = "linux")]
pub(super) async fn saturate(address: SocketAddr) -> Result<Fillers, String> {
    use std::time::Duration;

    /// A handshake on one machine takes microseconds: what is not there by then was dropped.
    const UNANSWERED: Duration = Duration::from_millis(200);
    /// More than any queue of a backlog of 0 takes.
    const MOST: usize = 8;

    let address = reachable(address);
    let mut fillers = vec![];
    while fillers.len() < MOST {
        match tokio::time::timeout(UNANSWERED, TcpStream::connect(address)).await {
            Ok(Ok(filler)) => fillers.push(filler),
            Ok(Err(error)) => return Err(format!("its queue cannot be filled: {error}")),
            Err(_) => return Ok(Fillers(fillers)),
        }
    }
    Err(format!("the system still answers SYNs with {MOST} connections waiting"))
}

/// Elsewhere a full queue answers with RST, or not at all reliably.
#[cfg(not(target_os = "linux"))]
pub(super) async fn saturate(_: SocketAddr) -> Result<Fillers, String> {
    Err("only Linux drops a SYN where the queue is full; `refuse` and `silent` work here".to_owned())
}

/// An address at which a listener on all addresses can be called.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

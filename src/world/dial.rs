//! How connections are made, so that a host can be reached through a proxy or on a lab's port.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

/// Where a host's SMTP port really listens, for the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The socket to dial.
    pub socket: SocketAddr,
    /// The host's own socket, which differs where a proxy is dialled in its stead.
    pub own: SocketAddr,
    /// How a fault proxy stands there, if one does.
    pub proxied: Option<Arc<str>>,
    /// Whether somebody there wants to know who calls.
    pub calls: Calls,
}

/// Whether a call is announced before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// To a proxy of this process.
    Announced,
    /// To nobody.
    Plain,
}

impl Listening {
    /// A host without any proxy before it.
    pub fn plain(socket: SocketAddr) -> Self {
        Self { socket, own: socket, proxied: None, calls: Calls::Plain }
    }
}

/// Opens connections. Hosts are looked up by name and address first: a lab tells hosts apart by
/// port where they share an address, and a fault proxy may stand in front of one.
#[derive(Clone, Debug, Default)]
pub struct Dialer {
    routes: Arc<Mutex<HashMap<(String, IpAddr), Listening>>>,
    /// Who has dialled, for proxies that run in this process.
    pub callers: Callers,
}

impl Dialer {
    /// From now on `host` at `address` is dialled at `listening`.
    pub fn route(&self, host: &str, address: IpAddr, listening: Listening) {
        self.lock().insert((host.to_ascii_lowercase(), address), listening);
    }

    /// `host` at `address` is dialled directly again.
    pub fn unroute(&self, host: &str, address: IpAddr) {
        self.lock().remove(&(host.to_ascii_lowercase(), address));
    }

    /// Where `host` at `address` is dialled: its route, or `port` of the address itself.
    pub fn target(&self, host: &str, address: IpAddr, port: u16) -> Listening {
        let known = self.lock().get(&(host.to_ascii_lowercase(), address)).cloned();
        known.unwrap_or_else(|| Listening::plain(SocketAddr::new(address, port)))
    }

    /// Connects to `target` within `limit`. `tag` is told to a proxy of this process that stands
    /// there, so that it knows before the first byte whose connection it is.
    ///
    /// # Errors
    /// The system's error, or [`io::ErrorKind::TimedOut`] after `limit`.
    pub async fn connect(&self, target: &Listening, tag: Option<&str>, limit: Duration) -> io::Result<TcpStream> {
        let socket = match target.socket {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        let announced = match (tag, target.calls) {
            (Some(tag), Calls::Announced) => Some(self.announce(&socket, target.socket, tag)?),
            _ => None,
        };
        let connected = tokio::time::timeout(limit, socket.connect(target.socket)).await;
        match connected {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                Ok(stream)
            }
            Ok(Err(error)) => {
                self.withdraw(announced);
                Err(error)
            }
            Err(_) => {
                self.withdraw(announced);
                Err(io::Error::new(io::ErrorKind::TimedOut, "no answer to SYN"))
            }
        }
    }

    fn announce(&self, socket: &TcpSocket, target: SocketAddr, tag: &str) -> io::Result<u16> {
        let any: IpAddr = match target {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        socket.bind(SocketAddr::new(any, 0))?;
        let port = socket.local_addr()?.port();
        self.callers.lock().insert(port, Arc::from(tag));
        Ok(port)
    }

    fn withdraw(&self, announced: Option<u16>) {
        if let Some(port) = announced {
            self.callers.lock().remove(&port);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(String, IpAddr), Listening>> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who dials from which port of this machine: entered before the connection is made, taken out by
/// the proxy that accepts it.
#[derive(Clone, Debug, Default)]
pub struct Callers(Arc<Mutex<HashMap<u16, Arc<str>>>>);

impl Callers {
    /// The tag of the probe whose sender dials from `peer`, if it is one of this process. The
    /// entry is taken out.
    pub fn take(&self, peer: SocketAddr) -> Option<Arc<str>> {
        peer.ip().to_canonical().is_loopback().then(|| self.lock().remove(&peer.port())).flatten()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u16, Arc<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

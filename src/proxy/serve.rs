//! One accepted connection, from its first moment.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::counts::Link;
use super::relay::{Relay, Wire as _};
use super::session::{Connection, Need, Session};
use super::settings::{Front, Upstream};
use super::shared::Shared;

/// Serves a client in a task of its own.
pub(super) fn spawn(
    shared: &Arc<Shared>,
    front: &Front,
    client: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
) {
    let number = shared.live.number();
    let caller = shared.callers.take(peer).and_then(|tag| tag.parse().ok());
    let link = Arc::new(Link::new(number, peer));
    let connection = Connection { number, peer, front: front.address, caller, link: Arc::clone(&link) };
    shared.live.spawn(link, place, serve(Arc::clone(shared), front.upstream.clone(), client, connection));
}

async fn serve(shared: Arc<Shared>, upstream: Upstream, client: TcpStream, connection: Connection) {
    // Without it a reply could wait for the client's delayed ACK; a socket that does not know it
    // is gone, which the first read shows.
    let _ = client.set_nodelay(true);
    let session = Session::accept(Arc::clone(&shared), connection);
    let limits = shared.limits;
    let dialled = match session.need() {
        Need::Wanted => match dial(&upstream, limits.connect).await {
            Ok(stream) => Some(stream),
            Err(error) => return cannot_reach(&shared, &client, &error),
        },
        Need::Done | Need::Abort => None,
    };
    shared.reached();
    let mut relay = Relay::new(session, client, dialled, limits);
    relay.run().await;
}

async fn dial(upstream: &Upstream, limit: Duration) -> io::Result<TcpStream> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
    let connected = match upstream {
        Upstream::Address(address) => tokio::time::timeout(limit, TcpStream::connect(*address)).await,
        // Boxed: few proxies have one, and every connection would have to make room for it.
        Upstream::Name(name) => Box::pin(tokio::time::timeout(limit, TcpStream::connect(&**name))).await,
    };
    let stream = connected.map_err(late)??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The client sees what it would see without a proxy, as near as can be: no byte, and RST. A
/// reply of our own would be one that the host never gave.
fn cannot_reach(shared: &Shared, client: &TcpStream, error: &io::Error) {
    shared.unreachable(&format!("the host itself cannot be reached: {error}; clients are reset"));
    client.reset_on_drop();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_small() {
        let shared = Shared::new(&crate::proxy::dialogs::settings());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let peer = listener.local_addr().expect("an address");
        let client = TcpStream::connect(peer).await.expect("connected");
        let link = Arc::new(Link::new(1, peer));
        let connection = Connection { number: 1, peer, front: peer.ip(), caller: None, link };
        // Thousands may be idle at the same time; no buffer is a part of it.
        assert!(size_of_val(&serve(shared, peer.into(), client, connection)) < 2048);
    }
}

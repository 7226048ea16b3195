//! One accepted connection, from its first moment.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::announce::{self, Introduction};
use super::counts::Link;
use super::relay::{Relay, Wire as _};
use super::session::{Connection, Need, Session};
use super::settings::{Front, Limits, Upstream};
use super::shared::Shared;

/// Serves a client in a task of its own.
pub(super) fn spawn(
    shared: &Arc<Shared>,
    front: &Arc<Front>,
    client: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
) {
    let number = shared.live.number();
    let link = Arc::new(Link::new(number, peer));
    let served = serve(Arc::clone(shared), Arc::clone(front), client, Arc::clone(&link));
    shared.live.spawn(link, place, served);
}

async fn serve(shared: Arc<Shared>, front: Arc<Front>, mut client: TcpStream, link: Arc<Link>) {
    // Without it a reply could wait for the client's delayed ACK; a socket that does not know it
    // is gone, which the first read shows.
    let _ = client.set_nodelay(true);
    let limits = shared.limits;
    let caller = shared.callers.take(link.peer).and_then(|tag| tag.parse().ok());
    let peer = match heard(&front, &mut client, link.peer, limits).await {
        Ok(peer) => peer,
        Err(error) => return unannounced(&shared, &client, &error),
    };
    link.is_for(peer);
    let introduced = front.introduction;
    let connection = Connection { number: link.number, peer, front: front.address, caller, introduced, link };
    let session = Session::accept(Arc::clone(&shared), connection);
    let mut said = vec![];
    let dialled = match session.need() {
        Need::Wanted => match reach(&front, &client, peer, limits).await {
            Ok((stream, greeting)) => {
                said = greeting;
                Some(stream)
            }
            Err(error) => return cannot_reach(&shared, &client, &error),
        },
        Need::Done | Need::Abort => None,
    };
    shared.reached();
    let mut relay = Relay::new(session, client, dialled, limits);
    relay.heard(&said);
    drop(said);
    relay.run().await;
}

/// For whom the peer calls.
async fn heard(front: &Front, client: &mut TcpStream, peer: SocketAddr, limits: Limits) -> io::Result<SocketAddr> {
    if front.balancers.is_empty() {
        return Ok(peer);
    }
    Box::pin(announce::caller(front, client, peer, limits.handshake)).await
}

/// The host, once it knows who its client is; and what it has said by then.
async fn reach(
    front: &Front,
    client: &TcpStream,
    peer: SocketAddr,
    limits: Limits,
) -> io::Result<(TcpStream, Vec<u8>)> {
    let mut stream = dial(&front.upstream, limits.connect).await?;
    if front.introduction == Introduction::None {
        return Ok((stream, vec![]));
    }
    let called = client.local_addr()?;
    // Boxed: few proxies do it, and every connection would have to make room for it.
    let told = Box::pin(announce::introduce(front.introduction, &mut stream, peer, called, limits.handshake)).await;
    told.map(|said| (stream, said))
}

/// A load balancer did not say for whom it calls: nobody can be taken for its client.
fn unannounced(shared: &Shared, client: &TcpStream, error: &io::Error) {
    shared.unreachable(&format!("a connection from a network of `accept-proxy` was reset: {error}"));
    client.reset_on_drop();
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
        let front = Arc::new(Front::plain(peer.ip(), peer, peer.into()));
        // Thousands may be idle at the same time; no buffer is a part of it.
        assert!(size_of_val(&serve(shared, front, client, link)) < 2048);
    }
}

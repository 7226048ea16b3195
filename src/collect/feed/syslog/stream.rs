//! Connections that bring log lines.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::super::Item;
use super::Heard;
use super::framing::{Frame, Framer};

/// The most connections at a time.
pub(super) const MAX_CONNECTIONS: usize = 256;
/// How long a handshake may take.
const TLS_LIMIT: Duration = Duration::from_secs(10);

/// Takes connections until it is dropped; they end with it.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, heard: Heard) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Too many files are open, perhaps: others may end meanwhile.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        if !heard.writers.may_send(peer.ip()) {
            continue;
        }
        if connections.len() >= MAX_CONNECTIONS {
            let why = format!("{} was turned away: {MAX_CONNECTIONS} connections are open already", peer.ip());
            let _ = heard.items.send(Item::Gap(why)).await;
            continue;
        }
        connections.spawn(serve(stream, peer, tls.clone(), heard.clone()));
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, heard: Heard) {
    let keep_alive = socket2::TcpKeepalive::new().with_time(Duration::from_secs(60));
    // A sender that vanished must not hold its place for ever.
    let _ = socket2::SockRef::from(&stream).set_tcp_keepalive(&keep_alive);
    let read = match tls {
        None => read(stream, peer, &heard).await,
        Some(tls) => match timeout(TLS_LIMIT, tls.accept(stream)).await {
            Ok(Ok(stream)) => read(stream, peer, &heard).await,
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no TLS handshake in time")),
        },
    };
    if let Err(error) = read {
        heard.notes.warn(&format!("a connection from {} was lost: {error}", peer.ip()));
    }
}

async fn read(mut stream: impl AsyncRead + Unpin, peer: SocketAddr, heard: &Heard) -> io::Result<()> {
    let (mut framer, mut block) = (Framer::default(), vec![0; 16 * 1024]);
    loop {
        let read = stream.read(&mut block).await?;
        let mut items = vec![];
        let mut each = |frame: Frame| match frame {
            Frame::Whole(bytes) => items.extend(heard.item(&bytes, peer)),
            Frame::Overlong => items.push(Item::Overlong),
        };
        match read {
            0 => framer.rest(&mut each),
            read => framer.feed(&block[..read], &mut each),
        }
        for item in items {
            // A sender that is faster than the reader has to wait.
            if heard.items.send(item).await.is_err() {
                return Ok(());
            }
        }
        if read == 0 {
            return Ok(());
        }
    }
}

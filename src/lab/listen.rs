//! Listening, and a session for everybody who comes.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use super::LabError;
use crate::smtp::server::{Policy, Settings, serve};

/// How many clients may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How many sessions one listener has at the same time; others wait in its backlog.
const SESSIONS: usize = 4096;

/// Listens for `host` on `address`; port 0: a free one.
///
/// # Errors
/// Where the address is taken, is not on this machine, or is not allowed.
pub fn listen(host: &str, address: SocketAddr) -> Result<TcpListener, LabError> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A lab that was just taken down leaves its port in TIME_WAIT.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().map_err(|error| LabError::Listen { host: host.to_owned(), address, error })
}

/// Serves everybody who connects, for ever; dropping the future ends every session.
pub(super) async fn accept<P: Policy + 'static>(
    listener: TcpListener,
    settings: Arc<Settings>,
    policy: impl Fn() -> P + Send,
) {
    let mut sessions = JoinSet::new();
    loop {
        while sessions.try_join_next().is_some() {}
        while sessions.len() >= SESSIONS {
            sessions.join_next().await;
        }
        let Ok((stream, client)) = listener.accept().await else {
            // Out of file descriptors, most likely: one is free when a session ends.
            sessions.join_next().await;
            tokio::task::yield_now().await;
            continue;
        };
        // Without it the kernel may wait with a reply for more; failure only costs time.
        let _ = stream.set_nodelay(true);
        let (settings, mut policy) = (Arc::clone(&settings), policy());
        sessions.spawn(async move {
            let finished = serve(stream, client, &settings, &mut policy).await;
            tracing::trace!(host = settings.name(), %client, ?finished, "session over");
        });
    }
}

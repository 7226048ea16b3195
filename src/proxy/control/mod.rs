//! The control API of standing proxies: HTTP and JSON.
//!
//! ```text
//!   client ──TCP──> accept ── guard (token, origin, deadline) ── routes ──> Stand
//!                   at most MOST at once                           │
//!                                          a fault is the YAML form as JSON, read by the decoder of
//!                                          scenarios: its mistakes are drawn as everywhere
//! ```
//!
//! Whoever reaches it can break a production MX: it listens on loopback, or wants a token.
//! The description that it serves at `/openapi.json` is held against the routes by a test.

mod answer;
mod guard;
mod metrics;
mod routes;
mod runs;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use secrecy::SecretString;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use super::standing::Stand;
use guard::Guard;

/// How many clients are served at the same time; further ones wait.
const MOST: usize = 64;
/// How long a client may take for the head of a request.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// How long nothing is accepted where the system has no more descriptors.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// A control API cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Others than this machine could reach it, and nothing keeps them out.
    #[error("the control API on {0} would be open to everybody who reaches it")]
    Open(SocketAddr),
    /// A token that can be guessed.
    #[error("the token of the control API has fewer than {0} characters")]
    ShortToken(usize),
    /// The address cannot be listened on.
    #[error("the control API cannot listen on {address}: {error}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        error: std::io::Error,
    },
}

/// A control API that holds its address and does not answer yet: what cannot be is known before
/// any mail comes by.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    guard: Guard,
    address: SocketAddr,
}

impl Bound {
    /// Serves whoever may come.
    pub fn serve(self, stand: &Arc<Stand>) -> Control {
        let service = routes::service(Arc::clone(stand), self.guard);
        Control { address: self.address, task: tokio::spawn(serve(self.listener, service)) }
    }
}

/// A running control API. Dropping it ends it.
#[derive(Debug)]
pub struct Control {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Control {
    /// Takes its address.
    ///
    /// # Errors
    /// Where others than this machine could reach it without a token, or it cannot listen.
    pub async fn bind(address: SocketAddr, token: Option<SecretString>) -> Result<Bound, ControlError> {
        let guard = Guard::new(address, token.as_ref())?;
        let wrap = |error| ControlError::Listen { address, error };
        let listener = TcpListener::bind(address).await.map_err(wrap)?;
        let address = listener.local_addr().map_err(wrap)?;
        Ok(Bound { listener, guard, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends with its task, and every connection with it.
async fn serve(listener: TcpListener, service: axum::Router) {
    let room = Arc::new(Semaphore::new(MOST));
    let mut clients = JoinSet::new();
    while let Ok(place) = Arc::clone(&room).acquire_owned().await {
        while clients.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((client, _)) => {
                let talk = talk(client, service.clone());
                clients.spawn(async move {
                    talk.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!("the control API cannot accept connections: {error}");
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
}

async fn talk(client: TcpStream, service: axum::Router) {
    let talk = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(client), TowerToHyperService::new(service));
    // A client that breaks off, or is too slow, has no further answer to get.
    let _ = talk.await;
}

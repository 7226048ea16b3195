//! Who the client is: heard from a load balancer in front, told to the host behind.
//!
//! ```text
//!   client ──> balancer ── PROXY header ──> heard.rs      only from networks that are named
//!                                             │ the client
//!                                             v
//!                          PROXY header, v1 or v2 ──> host
//!                          XCLIENT (xclient.rs)   ──> host   220, EHLO, XCLIENT, 220: as for a new client
//! ```
//!
//! A host that cannot be told is not spoken to: it would take every client for the proxy, which it
//! may trust with more than strangers.

mod heard;
mod xclient;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::settings::Front;
use crate::mail::proxy_protocol::{to_v1, to_v2};
use crate::terms::{UnknownWord, words};

words! {
    /// How the host is told who its client is.
    Introduction {
        /// Not at all: it sees the proxy's address.
        None = "none",
        /// By the PROXY protocol, version 1.
        ProxyV1 = "proxy-v1",
        /// By the PROXY protocol, version 2.
        ProxyV2 = "proxy-v2",
        /// By XCLIENT, as Postfix knows it.
        Xclient = "xclient",
    }
}

/// For whom `peer` calls: itself, or where it is a load balancer whom its PROXY header names.
///
/// # Errors
/// Where a load balancer sends no header that can be read, within `limit`.
pub(super) async fn caller(
    front: &Front,
    client: &mut TcpStream,
    peer: SocketAddr,
    limit: Duration,
) -> io::Result<SocketAddr> {
    let ip = peer.ip().to_canonical();
    if !front.balancers.iter().any(|network| network.contains(&ip)) {
        return Ok(peer);
    }
    let heard = tokio::time::timeout(limit, heard::header(client)).await.map_err(late)??;
    Ok(heard.unwrap_or(peer))
}

/// Tells the host that `client` calls, who called `called`. Gives what the host has said by then, which
/// is for the client.
///
/// # Errors
/// Where the host does not take it, within `limit`.
pub(super) async fn introduce(
    how: Introduction,
    host: &mut TcpStream,
    client: SocketAddr,
    called: SocketAddr,
    limit: Duration,
) -> io::Result<Vec<u8>> {
    let told = async {
        match how {
            Introduction::None => Ok(vec![]),
            Introduction::ProxyV1 => host.write_all(&to_v1(client, called)).await.map(|()| vec![]),
            Introduction::ProxyV2 => host.write_all(&to_v2(client, called)).await.map(|()| vec![]),
            Introduction::Xclient => xclient::introduce(host, client, called).await,
        }
    };
    tokio::time::timeout(limit, told).await.map_err(late)?
}

fn late(_: tokio::time::error::Elapsed) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "nothing came in time")
}

//! From an address in an inventory to a connection, encrypted where it should be.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::tls::{self, Trust};
use super::{Context, Trouble};
use crate::inventory::{Endpoint, TlsMode};

/// How long one address may take to answer.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long the TLS handshake may take.
const TLS_LIMIT: Duration = Duration::from_secs(10);
/// The most addresses of a name that are tried.
const MAX_ADDRESSES: usize = 8;

/// A connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects to the first address that answers. A password of `user` goes over it: in clear text it
/// stays on this machine.
pub(super) async fn dial(place: &Endpoint, tls: TlsMode, user: &str, context: &Context) -> Result<TcpStream, Trouble> {
    let addresses = addresses(&place.host, context).await?;
    if tls == TlsMode::Plain && !addresses.iter().all(|it| it.to_canonical().is_loopback()) {
        return Err(Trouble::new(format!(
            "`tls: plain` would send the password of `{user}` over the network in clear"
        ))
        .help("set `tls: starttls` or `tls: implicit`; plain is for this machine only"));
    }
    let mut why = "there is no address".to_owned();
    for address in addresses.into_iter().take(MAX_ADDRESSES) {
        let socket = SocketAddr::new(address, place.port);
        match timeout(CONNECT_LIMIT, TcpStream::connect(socket)).await {
            Ok(Ok(stream)) => {
                // Commands are small and wait for their answers.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => why = format!("{socket}: {error}"),
            Err(_) => why = format!("{socket}: no answer within {} s", CONNECT_LIMIT.as_secs()),
        }
    }
    Err(Trouble::new(format!("the server cannot be reached: {why}"))
        .help("check `address`, and that the server runs and can be reached from here"))
}

/// The addresses of a name, or of an address itself.
pub(super) async fn addresses(host: &str, context: &Context) -> Result<Vec<IpAddr>, Trouble> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        // RFC 6761 6.3: never asked of DNS.
        return Ok(vec![IpAddr::from([127, 0, 0, 1]), std::net::Ipv6Addr::LOCALHOST.into()]);
    }
    let found = context.resolve.addresses(host).await;
    found.map_err(|why| Trouble::new(format!("`{host}` has no address: {why}")).help("check `address`"))
}

/// Whom to trust: the authorities in `ca`, or those that the run trusts.
pub(super) fn trust(ca: Option<&Path>, context: &Context) -> Result<Trust, Trouble> {
    match ca {
        Some(path) => tls::trusted_in(path),
        None => Ok(Trust { roots: context.roots.clone(), own: vec![] }),
    }
}

/// Encrypts a connection to `host`.
pub(super) async fn handshake(stream: TcpStream, host: &str, trust: Trust) -> Result<Box<dyn Stream>, Trouble> {
    match timeout(TLS_LIMIT, tls::connect(stream, host, trust)).await {
        Ok(encrypted) => Ok(Box::new(encrypted?)),
        Err(_) => Err(Trouble::new(format!("the TLS handshake took longer than {} s", TLS_LIMIT.as_secs()))
            .help("a port that begins in clear needs `tls: starttls`")),
    }
}

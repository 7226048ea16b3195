//! One question to one server, with everything that its answer says: whether it comes from authority, and
//! what is left of the TTLs. Nothing is cached, merged with other questions or followed.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::{DnsHandle, NetError};
use hickory_resolver::proto::op::{DnsRequestOptions, Message, Query};
use hickory_resolver::proto::rr::{Name, RecordType};

/// How long one server may take to answer.
const LIMIT: Duration = Duration::from_secs(4);
/// How often a datagram that was not answered is sent again.
const RETRIES: u8 = 1;

/// Whether a server is asked to look further itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recursion {
    /// As a resolver is asked.
    Wanted,
    /// As an authoritative server is asked.
    Unwanted,
}

/// Asks `server` one question by UDP, and by TCP where the answer was cut. The message is handed back
/// whatever its code.
///
/// # Errors
/// Why there is no answer.
pub async fn ask(server: SocketAddr, name: &str, kind: RecordType, recursion: Recursion) -> Result<Message, String> {
    let name = Name::from_utf8(format!("{}.", name.trim_end_matches('.')))
        .map_err(|error| format!("`{name}` cannot be asked for: {error}"))?;
    let options = {
        let mut options = DnsRequestOptions::default();
        options.recursion_desired = recursion == Recursion::Wanted;
        options
    };
    let provider = TokioRuntimeProvider::default();
    let udp = UdpClientStream::builder(server, provider.clone())
        .with_timeout(Some(LIMIT))
        .with_max_retries(RETRIES)
        .exchange();
    let answer = first(udp.lookup(Query::query(name.clone(), kind), options)).await?;
    if !answer.metadata.truncation {
        return Ok(answer);
    }
    let tcp = TcpClientStream::exchange(server, None, LIMIT, None, provider).await;
    let tcp = tcp.map_err(|error| format!("its answer was cut, and TCP failed: {error}"))?;
    first(tcp.lookup(Query::query(name, kind), options)).await
}

async fn first<S, T>(mut answers: S) -> Result<Message, String>
where
    S: futures_util::Stream<Item = Result<T, NetError>> + Unpin,
    T: Into<Message>,
{
    match tokio::time::timeout(LIMIT * 2, answers.next()).await {
        Ok(Some(Ok(answer))) => Ok(answer.into()),
        Ok(Some(Err(NetError::Timeout))) | Ok(None) | Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
        Ok(Some(Err(error))) => Err(error.to_string()),
    }
}

/// The first server that the system asks.
///
/// # Errors
/// Where the system's settings cannot be read or name none.
pub fn system_server() -> Result<SocketAddr, String> {
    let (config, _) = hickory_resolver::system_conf::read_system_conf().map_err(|error| error.to_string())?;
    let first = config.name_servers().first().ok_or_else(|| "they name no server".to_owned())?;
    let port = first.connections.first().map_or(53, |connection| connection.port);
    Ok(SocketAddr::new(first.ip, port))
}

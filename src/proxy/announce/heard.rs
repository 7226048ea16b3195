//! The PROXY header of a load balancer.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::mail::proxy_protocol::{Header, Parsed, parse};

/// Reads the header, and no byte behind it. None: the balancer calls for itself, such as to see
/// whether the proxy is there.
pub(super) async fn header<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<SocketAddr>> {
    let mut bytes = vec![];
    loop {
        match parse(&bytes) {
            Parsed::Header(Header::For { source, .. }, _) => return Ok(Some(source)),
            Parsed::Header(Header::Unknown, _) => return Ok(None),
            Parsed::No(flaw) => return Err(io::Error::new(io::ErrorKind::InvalidData, flaw)),
            Parsed::Incomplete(more) => {
                let from = bytes.len();
                bytes.resize(from + more, 0);
                stream.read_exact(&mut bytes[from..]).await?;
            }
        }
    }
}

//! The server's side of a session.
//!
//! ```text
//!   read what is there ──> commands, bodies, chunks ──> replies ──> write them all ──> read …
//!                                │
//!                                └ Policy: greeting, hello, secret, mail, rcpt, message
//! ```
//!
//! Pipelined commands cost one read and one write together (RFC 2920). Framing is strict: only
//! CRLF ends a line, only `<CRLF>.<CRLF>` ends a body.

mod auth;
mod commands;
mod content;
mod parameters;
mod policy;
mod received;
mod session;
mod settings;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

pub use policy::{Answer, Channel, Envelope, Greeting, Message, Policy};
pub use received::received;
pub use settings::Settings;

use session::{Next, Session};
use settings::Handshake;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// A session that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub end: End,
    /// How many messages were taken.
    pub messages: u64,
    /// How many CR without LF and LF without CR came in commands and bodies.
    pub bare: u64,
    /// How many bytes of plaintext stood behind STARTTLS and were dropped (RFC 3207 6).
    pub injected: u64,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// With QUIT.
    Quit,
    /// The client closed the connection, or it broke, between messages.
    #[default]
    Closed,
    /// The same in the middle of a message.
    CutOff,
    /// The client was silent, or took no replies, for too long.
    Idle,
    /// The server closed it: turned away at connect, a 421, or too many errors.
    Dropped,
    /// The TLS handshake failed.
    TlsFailed,
}

/// Serves one client until the session is over. Nothing is left running; dropping the future
/// closes the connection at once.
pub async fn serve<S, P>(mut stream: S, client: SocketAddr, settings: &Settings, policy: &mut P) -> Finished
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    P: Policy,
{
    let mut session = Session::new(client, settings, policy);
    if let (Handshake::AtOnce, Some(acceptor)) = (settings.handshake, &settings.tls) {
        return match timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(mut stream)) => session.run_implicit(&mut stream).await,
            _ => session.finished(End::TlsFailed),
        };
    }
    let end = match session.greet(&mut stream).await {
        Next::Go => session.run(&mut stream).await,
        other => other,
    };
    let end = match (end, &settings.tls) {
        (Next::StartTls, Some(acceptor)) => match timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(mut stream)) => session.run_encrypted(&mut stream).await,
            _ => Next::End(End::TlsFailed),
        },
        (other, _) => other,
    };
    session.finished(ended(end))
}

fn ended(next: Next) -> End {
    match next {
        Next::End(end) => end,
        Next::Go | Next::Read | Next::StartTls => End::Closed,
    }
}

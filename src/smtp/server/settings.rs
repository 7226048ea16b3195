//! What a server is called, offers and allows.

use std::time::Duration;

use tokio_rustls::TlsAcceptor;

use super::policy::Channel;
use crate::terms::AuthMechanism;

/// The settings of a server, shared by its sessions.
#[derive(Clone)]
pub struct Settings {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) recipients: usize,
    pub(super) idle: Duration,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) handshake: Handshake,
    pub(super) auth: Vec<AuthMechanism>,
    pub(super) banner: Vec<u8>,
    clear: Vec<u8>,
    encrypted: Vec<u8>,
}

/// When TLS begins, where it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    /// When the client asks for it.
    OnStarttls,
    /// Before the greeting.
    AtOnce,
}

/// The greatest message in bytes, unless set otherwise.
const SIZE: u64 = 32 << 20;
/// The most recipients of one message (RFC 5321 4.5.3.1.8 asks for 100).
const RECIPIENTS: usize = 1000;
/// How long a client may be silent (RFC 5321 4.5.3.2.7).
const IDLE: Duration = Duration::from_secs(300);

impl Settings {
    /// A server of this name that takes messages of up to 32 MiB for up to 1000 recipients,
    /// waits 5 minutes for a client, and knows no TLS.
    pub fn new(name: &str) -> Self {
        let (size, recipients, idle) = (SIZE, RECIPIENTS, IDLE);
        let banner = format!("220 {name} ESMTP mxdrill lab\r\n").into_bytes();
        let (tls, handshake) = (None, Handshake::OnStarttls);
        let (auth, clear, encrypted) = (vec![], vec![], vec![]);
        Self { name: name.to_owned(), size, recipients, idle, tls, handshake, auth, banner, clear, encrypted }.written()
    }

    /// Offers STARTTLS.
    #[must_use]
    pub fn with_tls(self, acceptor: TlsAcceptor) -> Self {
        Self { tls: Some(acceptor), ..self }.written()
    }

    /// Begins TLS with the first byte instead of offering STARTTLS (RFC 8314 3.3).
    #[must_use]
    pub fn with_implicit_tls(self) -> Self {
        Self { handshake: Handshake::AtOnce, ..self }
    }

    /// Takes mail only from clients that prove who they are, by one of these mechanisms (RFC 4954).
    /// Where TLS is offered, AUTH is offered behind it only, so that no password travels in clear.
    #[must_use]
    pub fn with_auth(self, auth: &[AuthMechanism]) -> Self {
        Self { auth: auth.to_vec(), ..self }.written()
    }

    /// Takes messages of up to this many bytes.
    #[must_use]
    pub fn with_size(self, size: u64) -> Self {
        Self { size, ..self }.written()
    }

    /// Waits this long for a client to say, or take, anything.
    #[must_use]
    pub fn with_idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// The server's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The answer to EHLO, ready to be sent.
    pub(super) fn ehlo(&self, channel: Channel) -> &[u8] {
        match channel {
            Channel::Clear => &self.clear,
            Channel::Encrypted => &self.encrypted,
        }
    }

    /// With the EHLO answers written for these settings.
    fn written(mut self) -> Self {
        let (name, size) = (&self.name, self.size);
        let answer = |starttls: &str, auth: &str| {
            format!(
                "250-{name}\r\n250-PIPELINING\r\n250-SIZE {size}\r\n{starttls}{auth}250-ENHANCEDSTATUSCODES\r\n\
                 250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n"
            )
            .into_bytes()
        };
        let auth = match self.auth.as_slice() {
            [] => String::new(),
            some => format!("250-AUTH {}\r\n", some.iter().map(|it| it.keyword()).collect::<Vec<_>>().join(" ")),
        };
        let clear = if self.tls.is_some() { answer("250-STARTTLS\r\n", "") } else { answer("", &auth) };
        self.encrypted = answer("", &auth);
        self.clear = clear;
        self
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}

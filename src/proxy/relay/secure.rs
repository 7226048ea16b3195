//! The handshakes of a session whose TLS the proxy ends: with the upstream first, so that what
//! fails there fails for the client as well, then with the client.

use tokio::time::timeout;
use tokio_rustls::TlsStream;

use super::channel::Channel;
use super::side::Side;
use super::{Relay, Stirred, Wire};
use crate::proxy::session::{Failure, Handshake, Session};
use crate::tls::{self, Flaw, Trust};

impl<C: Wire, U: Wire> Relay<C, U> {
    /// Carries out a handshake, and tells the session what came of it.
    pub(super) async fn secure(&mut self, handshake: Handshake) {
        // Boxed: a connection that never comes here holds no room for it.
        match handshake {
            Handshake::Upstream => Box::pin(self.secure_upstream()).await,
            Handshake::Client(flaw) => Box::pin(self.secure_client(flaw)).await,
        }
        self.stirred = Stirred::Yes;
    }

    async fn secure_upstream(&mut self) {
        match self.connect().await {
            Ok(encrypted) => {
                self.upstream = Some(Side::new(encrypted));
                self.act(Session::upstream_secured);
            }
            Err(failure) => {
                self.upstream = None;
                self.act(|session, outs| session.upstream_failed(failure, outs));
            }
        }
    }

    /// As an opportunistic sender (RFC 7435): any certificate will do.
    async fn connect(&mut self) -> Result<Channel<U>, Failure> {
        let wire = self.upstream.as_mut().and_then(|side| side.wire.take_clear());
        let wire = wire.ok_or_else(|| Failure { why: "it is gone".to_owned(), alert: None })?;
        let (name, clock) = (self.session.server_name(), self.session.clock());
        match tls::connect(wire, &name, &Trust::nobody(), &clock, self.limits.handshake).await {
            Ok((stream, _)) => Ok(Channel::Encrypted(Box::new(TlsStream::from(stream)))),
            Err(failed) => Err(Failure { why: failed.why, alert: failed.alert }),
        }
    }

    async fn secure_client(&mut self, flaw: Option<Flaw>) {
        match self.accept(flaw).await {
            Ok(()) => self.session.client_secured(),
            Err(why) => self.session.client_failed(&why),
        }
    }

    async fn accept(&mut self, flaw: Option<Flaw>) -> Result<(), String> {
        let gone = || "it is gone".to_owned();
        let acceptor = self.session.acceptor(flaw).ok_or_else(gone)?.map_err(|error| error.to_string())?;
        let wire = self.client.wire.take_clear().ok_or_else(gone)?;
        match timeout(self.limits.handshake, acceptor.accept(wire).into_fallible()).await {
            Ok(Ok(stream)) => {
                self.client.wire = Channel::Encrypted(Box::new(TlsStream::from(stream)));
                Ok(())
            }
            Ok(Err((error, wire))) => {
                self.client.wire = Channel::Clear(wire);
                Err(error.to_string())
            }
            Err(_) => Err("it was not complete in time".to_owned()),
        }
    }
}

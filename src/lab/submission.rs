//! A host that takes mail from users who log in (RFC 6409), and passes it on: a smarthost.

use std::sync::Arc;

use secrecy::SecretString;

use super::hold::{Hold, Spool};
use super::host::Host;
use crate::smtp::server::{Answer, Envelope, Message, Policy};

/// The policy of one session. That nobody sends without a login is the engine's doing.
pub(super) struct Submission {
    inner: Hold,
}

impl Submission {
    pub(super) fn new(host: Arc<Host>, spool: Arc<Spool>) -> Self {
        Self { inner: Hold { host, spool } }
    }
}

impl Policy for Submission {
    fn secret(&mut self, user: &str) -> Option<SecretString> {
        let host = &self.inner.host;
        host.setting.outbound.logins.get(&host.name)?.get(user).cloned()
    }

    async fn message(&mut self, envelope: &Envelope, message: Message) -> Answer {
        self.inner.take(envelope, message)
    }
}

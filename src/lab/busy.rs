//! A host that turns clients away when too many come.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::host::Host;
use super::ledger::count;
use crate::mail::Reply;
use crate::scenario::Busy;
use crate::smtp::server::{Answer, Envelope, Message, Policy};

/// The messages that were let in during the last while. A client is counted when it connects, so
/// that clients who come together do not all pass before the first of them has sent its message.
#[derive(Debug)]
pub(super) struct Window {
    limit: Busy,
    admitted: Mutex<VecDeque<Ticket>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticket {
    at: Instant,
    number: u64,
}

impl Window {
    pub(super) fn new(limit: Busy) -> Self {
        Self { limit, admitted: Mutex::default() }
    }

    fn admit(&self) -> Result<Ticket, Reply> {
        let now = Instant::now();
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        while admitted.front().is_some_and(|oldest| now.duration_since(oldest.at) >= self.limit.per) {
            admitted.pop_front();
        }
        if admitted.len() >= self.limit.messages as usize {
            return Err(self.limit.reply.clone());
        }
        let number = admitted.back().map_or(0, |newest| newest.number + 1);
        let ticket = Ticket { at: now, number };
        admitted.push_back(ticket);
        Ok(ticket)
    }

    fn give_back(&self, ticket: Ticket) {
        self.admitted.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| *other != ticket);
    }
}

/// The policy `inner`, behind the host's limit if it has one.
pub(super) struct Limited<P> {
    host: Arc<Host>,
    window: Option<Arc<Window>>,
    /// The ticket of a client that has sent nothing yet.
    unused: Option<Ticket>,
    inner: P,
}

impl<P> Limited<P> {
    pub(super) fn new(host: Arc<Host>, window: Option<Arc<Window>>, inner: P) -> Self {
        Self { host, window, unused: None, inner }
    }
}

impl<P> Drop for Limited<P> {
    fn drop(&mut self) {
        if let (Some(window), Some(ticket)) = (&self.window, self.unused.take()) {
            window.give_back(ticket);
        }
    }
}

impl<P: Policy> Policy for Limited<P> {
    fn greeting(&mut self) -> Answer {
        match self.window.as_ref().map(|window| window.admit()) {
            Some(Err(reply)) => {
                count(&self.host.tally.turned_away);
                Answer::Say(reply)
            }
            Some(Ok(ticket)) => {
                self.unused = Some(ticket);
                self.inner.greeting()
            }
            None => self.inner.greeting(),
        }
    }

    fn hello(&mut self, envelope: &Envelope) -> Answer {
        self.inner.hello(envelope)
    }

    fn secret(&mut self, user: &str) -> Option<secrecy::SecretString> {
        self.inner.secret(user)
    }

    async fn mail(&mut self, envelope: &Envelope) -> Answer {
        self.inner.mail(envelope).await
    }

    async fn rcpt(&mut self, envelope: &Envelope, recipient: &str) -> Answer {
        self.inner.rcpt(envelope, recipient).await
    }

    async fn message(&mut self, envelope: &Envelope, message: Message) -> Answer {
        let answer = self.inner.message(envelope, message).await;
        if let (Some(window), None) = (&self.window, self.unused.take()) {
            // A second message of one session; it came in already, so it only counts.
            let _ = window.admit();
        }
        answer
    }
}

//! What a sender remembers of hosts from one message to the next.
//!
//! Each class as its facts say; RFC 5321 by the letter remembers nothing. A host that failed is
//! passed over for a while, a host that took a message is preferred for a while (real senders use
//! the connection again), one with which TLS failed is given mail in clear.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::classes::{Failure, SenderClass, Starttls};
use crate::dns::Candidate;
use crate::mail::Stage;
use crate::scenario::Waits;

/// The memory of one sender; its copies share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    avoided: HashMap<String, Instant>,
    in_clear: HashMap<String, Instant>,
    open: HashMap<String, (String, Instant)>,
}

/// The hosts of a route as a sender with a memory takes them.
pub(super) struct Order {
    /// To be tried.
    pub(super) tried: Vec<Candidate>,
    /// Not to be tried, and why.
    pub(super) passed_over: Vec<(Candidate, String)>,
}

impl Hosts {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers how a session with a host failed.
    pub(super) fn failed(&self, class: SenderClass, waits: &Waits, host: &str, at: Stage, failure: Failure) {
        let memory = &class.facts().memory;
        let lasting =
            memory.avoids.iter().find(|(stages, failures, _)| stages.contains(&at) && failures.contains(&failure));
        let mut known = self.lock();
        if let Some((_, _, seconds)) = lasting {
            known.avoided.insert(host.to_owned(), Instant::now() + waits.scaled(*seconds));
        }
        if let Some(seconds) = memory.in_clear.filter(|_| at == Stage::Starttls) {
            known.in_clear.insert(host.to_owned(), Instant::now() + waits.scaled(seconds));
        }
    }

    /// Remembers that a host took mail for a domain.
    pub(super) fn took(&self, class: SenderClass, waits: &Waits, domain: &str, host: &str) {
        if let Some(seconds) = class.facts().memory.reuses {
            let until = Instant::now() + waits.scaled(seconds);
            self.lock().open.insert(domain.to_owned(), (host.to_owned(), until));
        }
    }

    /// Whether a host is given mail in clear.
    pub(super) fn tls_with(&self, class: SenderClass, host: &str) -> Starttls {
        let forgotten = self.lock().in_clear.get(host).is_none_or(|until| *until <= Instant::now());
        if forgotten { class.facts().starttls } else { Starttls::Never }
    }

    /// The hosts of a route, without those that are passed over. Where all of them failed lately,
    /// all are tried.
    pub(super) fn order(&self, class: SenderClass, domain: &str, route: Vec<Candidate>) -> Order {
        let now = Instant::now();
        let known = self.lock();
        let open = known.open.get(domain).filter(|(_, until)| *until > now).map(|(host, _)| host.clone());
        if let Some(at) = open.and_then(|open| route.iter().position(|it| it.host == open)) {
            let why = |host: &str| format!("{class} uses the connection to {host} again, which took a message lately");
            let taken = route[at].host.clone();
            let mut rest = route;
            let before: Vec<Candidate> = rest.drain(..at).collect();
            let passed_over = before.into_iter().map(|it| (it, why(&taken))).collect();
            return Order { tried: rest, passed_over };
        }
        let failed = |it: &Candidate| known.avoided.get(&it.host).is_some_and(|until| *until > now);
        let (avoided, tried): (Vec<Candidate>, Vec<Candidate>) = route.into_iter().partition(failed);
        if tried.is_empty() {
            return Order { tried: avoided, passed_over: vec![] };
        }
        let why = format!("{class} remembers that it failed, and leaves it alone for a while");
        Order { tried, passed_over: avoided.into_iter().map(|it| (it, why.clone())).collect() }
    }
}

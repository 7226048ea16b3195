//! The sender `submission`: through a server that takes mail from its users (RFC 6409).
//!
//! ```text
//!   address ── connect ── TLS, verified ── EHLO ── AUTH ── MAIL … ──> Accepted: handed over
//!                   4yz, timeout: again by `retry`   5yz, TLS, login: refused, nobody has it
//! ```
//!
//! Clients of a submission server do not fall back: there is one server, and its word is final.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::login::{Account, Fresh};
use super::session::{Server, Speak};
use super::{Outgoing, Settings};
use crate::mail::Stage;
use crate::record::{Attempt, AttemptResult, Event, Sent, SentState, Target};

/// The most addresses of the server that are tried.
const MAX_ADDRESSES: usize = 20;

/// The sender.
#[derive(Clone)]
pub struct Submitter {
    settings: Settings,
    server: Arc<Server>,
    account: Option<Arc<Account>>,
}

/// What became of one round.
enum Round {
    Taken,
    Refused(String),
    Deferred(String),
}

impl Submitter {
    /// A sender through `server`, logged in as `account` where there is one.
    pub fn new(settings: Settings, server: Server, account: Option<Account>) -> Self {
        Self { settings, server: Arc::new(server), account: account.map(Arc::new) }
    }

    /// Hands `mail` over: again and again where it is put off, until its deadline passes. Notes
    /// every attempt and its own last word.
    pub async fn deliver(&self, mail: &Outgoing) -> SentState {
        let mut deadline = None;
        for round in 1.. {
            if mail.enough.is_cancelled() {
                break;
            }
            match self.round(mail, round, &mut deadline).await {
                Round::Taken => return self.say(mail, SentState::Delivered, "the server took it"),
                Round::Refused(why) => return self.say(mail, SentState::Refused, &why),
                Round::Deferred(why) => self.say(mail, SentState::Deferred, &why),
            };
            let (next, last) = (Instant::now() + self.pause(round), deadline.unwrap_or_else(Instant::now));
            tokio::select! {
                () = tokio::time::sleep_until(next.min(last)) => {}
                () = mail.enough.cancelled() => break,
            }
            if next >= last {
                return self.say(mail, SentState::Expired, "the server was tried until the deadline");
            }
        }
        SentState::Deferred
    }

    async fn round(&self, mail: &Outgoing, round: u32, deadline: &mut Option<Instant>) -> Round {
        // The gate is never closed; were it, the round would just begin at once.
        let _place = mail.gate.acquire().await;
        let deadline = *deadline.get_or_insert_with(|| Instant::now() + mail.within);
        let addresses = match self.addresses().await {
            Ok(addresses) => addresses,
            Err(why) => {
                self.note(mail, self.unresolved(round, &why));
                return Round::Deferred(why);
            }
        };
        let mut why = String::new();
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            let attempt = self.address(mail, address, round, deadline).await;
            let refused = match attempt.result {
                AttemptResult::Accepted => return Round::Taken,
                AttemptResult::Permanent | AttemptResult::TlsFailed => Some(attempt.stage),
                _ => None,
            };
            why = format!("{} did not take it at {}", attempt.host, attempt.stage);
            if refused.is_some() {
                return Round::Refused(why);
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        Round::Deferred(why)
    }

    /// One address; twice where a login failed and a newer secret is to be had.
    async fn address(&self, mail: &Outgoing, address: IpAddr, round: u32, deadline: Instant) -> Attempt {
        let first = self.attempt(mail, address, round, deadline, Fresh::Known).await;
        let expired = first.result == AttemptResult::Permanent && first.stage == Stage::Auth;
        match &self.account {
            Some(account) if expired && account.renews() => {
                self.attempt(mail, address, round, deadline, Fresh::Anew).await
            }
            _ => first,
        }
    }

    async fn attempt(&self, mail: &Outgoing, address: IpAddr, round: u32, deadline: Instant, fresh: Fresh) -> Attempt {
        let port = self.server.address.port;
        let target = self.settings.dialer.target(&self.server.address.host, address, port);
        let speak = Speak { settings: &self.settings, server: &self.server, mail, deadline, round };
        let login = match &self.account {
            None => None,
            Some(account) => match account.login(fresh).await {
                Ok(login) => Some((login, account.mechanism)),
                Err(error) => {
                    let attempt = speak.without_login(&target, &error);
                    self.note(mail, attempt.clone());
                    return attempt;
                }
            },
        };
        let attempt = speak.at(&target, login.as_ref()).await;
        self.note(mail, attempt.clone());
        attempt
    }

    async fn addresses(&self) -> Result<Vec<IpAddr>, String> {
        let host = &self.server.address.host;
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into()]);
        }
        match self.settings.names.addresses(host).await {
            Ok(found) if found.is_empty() => Err(format!("{host} has no address")),
            Ok(found) => Ok(found),
            Err(error) => Err(error.to_string()),
        }
    }

    fn unresolved(&self, round: u32, why: &str) -> Attempt {
        Attempt {
            host: self.server.address.host.clone(),
            address: None,
            target: Target::Submission,
            preference: None,
            proxy: None,
            result: AttemptResult::NoAddress,
            stage: Stage::Connect,
            reply: why.to_owned(),
            status: None,
            queue_id: None,
            at: self.settings.journal.clock().now(),
            ms: 0,
            round,
            tls: None,
            login: None,
            recipients: vec![],
            policy: None,
        }
    }

    /// How long to wait after this round; the last of the schedule repeats.
    fn pause(&self, round: u32) -> Duration {
        let schedule = &self.settings.waits.timeouts.retry;
        let at = (round as usize - 1).min(schedule.len().saturating_sub(1));
        schedule.get(at).copied().unwrap_or(Duration::from_secs(300))
    }

    fn note(&self, mail: &Outgoing, attempt: Attempt) {
        self.settings.journal.note(Event::Attempt { tag: mail.tag.clone(), attempt });
    }

    fn say(&self, mail: &Outgoing, state: SentState, why: &str) -> SentState {
        let sent = Sent { tag: mail.tag.clone(), state, why: why.to_owned(), untried: vec![] };
        self.settings.journal.note(Event::Sent(sent));
        state
    }
}

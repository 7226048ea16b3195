//! The sender `mx`: mxdrill itself as the sending MTA (RFC 5321 5.1).

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::attempt::{Tls, Try};
use super::{Decision, Outgoing, Ruling, Settings, decide};
use crate::dns::{Candidate, LookupError, NoRoute, route};
use crate::mail::Stage;
use crate::record::{Attempt, AttemptResult, Event, Sent, SentState};

/// The port that MX hosts listen on where no route says otherwise.
const SMTP: u16 = 25;
/// The most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 20;

/// The sender.
#[derive(Clone)]
pub struct Mx {
    settings: Settings,
}

/// Where in its schedule a message is.
struct Turn {
    /// From 1.
    round: u32,
    /// Set when the first round begins.
    deadline: Option<Instant>,
}

impl Turn {
    fn deadline(&mut self, mail: &Outgoing) -> Instant {
        *self.deadline.get_or_insert_with(|| Instant::now() + mail.within)
    }
}

/// What became of one round over all hosts.
enum Round {
    Taken,
    Bounced { why: String, untried: Vec<String> },
    Deferred(String),
}

impl Mx {
    /// A sender with these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Delivers `mail`: round after round over all hosts, until one takes it, one refuses it for
    /// good, or its deadline passes. Notes every attempt and its own last word.
    pub async fn deliver(&self, mail: &Outgoing) -> SentState {
        let mut turn = Turn { round: 1, deadline: None };
        while !mail.enough.is_cancelled() {
            match self.round(mail, &mut turn).await {
                Round::Taken => return self.say(mail, SentState::Delivered, "a host took it", vec![]),
                Round::Bounced { why, untried } => return self.say(mail, SentState::Bounced, &why, untried),
                Round::Deferred(why) => self.say(mail, SentState::Deferred, &why, vec![]),
            };
            let next = Instant::now() + self.pause(turn.round);
            let deadline = turn.deadline(mail);
            let wake = next.min(deadline);
            tokio::select! {
                () = tokio::time::sleep_until(wake) => {}
                () = mail.enough.cancelled() => return SentState::Deferred,
            }
            if next >= deadline {
                return self.say(mail, SentState::Expired, "every host was tried until the deadline", vec![]);
            }
            turn.round += 1;
        }
        SentState::Deferred
    }

    /// Sends `mail` straight to `host`, whatever DNS says of its domain: each address once.
    pub async fn deliver_to(&self, host: &str, mail: &Outgoing) -> SentState {
        let candidate = Candidate { host: host.to_owned(), preference: None };
        match self.host(mail, &candidate, &mut Turn { round: 1, deadline: None }, &Ruling::default()).await {
            Ok(()) => self.say(mail, SentState::Deferred, "no address of the host took it", vec![]),
            Err(Decision::Done) => self.say(mail, SentState::Delivered, "the host took it", vec![]),
            Err(_) => self.say(mail, SentState::Bounced, "the host refused it", vec![]),
        }
    }

    async fn round(&self, mail: &Outgoing, turn: &mut Turn) -> Round {
        // The gate is never closed; were it, the round would just begin at once.
        let _place = mail.gate.acquire().await;
        turn.deadline(mail);
        let draw = [mail.number, u64::from(turn.round)];
        let found = route(self.settings.names.as_ref(), mail.to.domain(), self.settings.dice, &draw).await;
        let hosts = match found {
            Ok(found) => found.hosts,
            Err(none) => return self.no_route(mail, turn.round, &none),
        };
        let ruling = match &self.settings.policies {
            Some(policies) => policies.ruling(mail.to.domain()).await,
            None => Ruling::default(),
        };
        for (at, candidate) in hosts.iter().enumerate() {
            match self.host(mail, candidate, turn, &ruling).await {
                Ok(()) => {}
                Err(Decision::Done) => return Round::Taken,
                Err(_) => {
                    let untried = hosts[at + 1..].iter().map(|it| it.host.clone()).collect();
                    return Round::Bounced { why: format!("{} refused it for good", candidate.host), untried };
                }
            }
        }
        Round::Deferred("no host took it for now".to_owned())
    }

    /// Tries every address of a host. `Err`: no other host is to be tried.
    async fn host(
        &self,
        mail: &Outgoing,
        candidate: &Candidate,
        turn: &mut Turn,
        ruling: &Ruling,
    ) -> Result<(), Decision> {
        if let Some(why) = ruling.forbids(&candidate.host) {
            let attempt = self.unrouted(candidate, turn.round, AttemptResult::TlsPolicy, &why);
            self.note_under(mail, attempt, ruling);
            return Ok(());
        }
        let addresses = match self.settings.names.addresses(&candidate.host).await {
            Ok(addresses) if !addresses.is_empty() => addresses,
            Ok(_) => return self.no_address(mail, candidate, turn.round, "it has no address"),
            Err(error @ (LookupError::NoSuchName(_) | LookupError::Failed { .. })) => {
                return self.no_address(mail, candidate, turn.round, &error.to_string());
            }
        };
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            match self.address(mail, candidate, address, turn, ruling).await {
                Decision::Next | Decision::InClear => {}
                over => return Err(over),
            }
            if Instant::now() >= turn.deadline(mail) {
                break;
            }
        }
        Ok(())
    }

    /// Tries one address, and once more in clear where TLS failed.
    async fn address(
        &self,
        mail: &Outgoing,
        candidate: &Candidate,
        address: IpAddr,
        turn: &mut Turn,
        ruling: &Ruling,
    ) -> Decision {
        let target = self.settings.dialer.target(&candidate.host, address, SMTP);
        let host = candidate.host.as_str();
        let deadline = turn.deadline(mail);
        let preference = candidate.preference;
        let attempt = Try { settings: &self.settings, mail, host, preference, round: turn.round, deadline };
        let first = attempt.at(&target, ruling.tls()).await;
        let decision = decide(&first);
        self.note_under(mail, first, ruling);
        if decision != Decision::InClear {
            return decision;
        }
        let second = attempt.at(&target, Tls::Clear).await;
        let decision = decide(&second);
        self.note_under(mail, second, ruling);
        decision
    }

    fn no_route(&self, mail: &Outgoing, round: u32, none: &NoRoute) -> Round {
        let domain = Candidate { host: mail.to.domain().to_owned(), preference: None };
        self.note(mail, self.unrouted(&domain, round, AttemptResult::NoRoute, &none.to_string()));
        if none.is_transient() {
            Round::Deferred(none.to_string())
        } else {
            Round::Bounced { why: none.to_string(), untried: vec![] }
        }
    }

    fn no_address(&self, mail: &Outgoing, candidate: &Candidate, round: u32, why: &str) -> Result<(), Decision> {
        self.note(mail, self.unrouted(candidate, round, AttemptResult::NoAddress, why));
        Ok(())
    }

    /// An attempt that DNS ended before it began.
    fn unrouted(&self, candidate: &Candidate, round: u32, result: AttemptResult, why: &str) -> Attempt {
        Attempt {
            host: candidate.host.clone(),
            address: None,
            preference: candidate.preference,
            proxy: None,
            result,
            stage: Stage::Connect,
            reply: why.to_owned(),
            status: None,
            queue_id: None,
            at: self.settings.journal.clock().now(),
            ms: 0,
            round,
            tls: None,
            policy: None,
        }
    }

    /// How long to wait after this round; the last of the schedule repeats.
    fn pause(&self, round: u32) -> Duration {
        let schedule = &self.settings.timeouts.retry;
        let at = (round as usize - 1).min(schedule.len().saturating_sub(1));
        schedule.get(at).copied().unwrap_or(Duration::from_secs(300))
    }

    /// Notes an attempt, and what the TLS policy had to say.
    fn note_under(&self, mail: &Outgoing, mut attempt: Attempt, ruling: &Ruling) {
        ruling.note(&mut attempt);
        self.note(mail, attempt);
    }

    fn note(&self, mail: &Outgoing, attempt: Attempt) {
        self.settings.journal.note(Event::Attempt { tag: mail.tag.clone(), attempt });
    }

    fn say(&self, mail: &Outgoing, state: SentState, why: &str, untried: Vec<String>) -> SentState {
        let sent = Sent { tag: mail.tag.clone(), state, why: why.to_owned(), untried };
        self.settings.journal.note(Event::Sent(sent));
        state
    }
}

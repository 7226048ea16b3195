//! The sender `mx`: mxdrill itself as the sending MTA (RFC 5321 5.1).

use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::attempt::{Demand, Tried, Try};
use super::memory::{Hosts, Order};
use super::{Decision, Outgoing, Ruling, Settings, decide};
use crate::classes::{Failure, Rule, Starttls};
use crate::dns::{Candidate, LookupError, NoRoute, route};
use crate::mail::Stage;
use crate::record::{Attempt, AttemptResult, Event, Sent, SentState, Target};

/// The port that MX hosts listen on where no route says otherwise.
const SMTP: u16 = 25;
/// The most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 20;

/// Why no further host is tried once a message's time is up.
const LATE: &str = "its deadline passed before every host was tried";

/// The sender.
#[derive(Clone)]
pub struct Mx {
    settings: Settings,
    hosts: Hosts,
}

/// Where in its schedule a message is.
struct Turn {
    /// From 1.
    round: u32,
    /// Set when the first round begins.
    deadline: Option<Instant>,
    tally: Tally,
}

/// What was tried in a round, for the limits of the class.
#[derive(Default)]
struct Tally {
    hosts: u32,
    addresses: u32,
    /// Those that came past EHLO.
    sessions: u32,
}

impl Turn {
    fn first() -> Self {
        Self { round: 1, deadline: None, tally: Tally::default() }
    }

    fn deadline(&mut self, mail: &Outgoing) -> Instant {
        *self.deadline.get_or_insert_with(|| Instant::now() + mail.within)
    }
}

/// What became of one round over all hosts.
enum Round {
    Taken,
    Bounced { why: String, untried: Vec<String> },
    Deferred { why: String, untried: Vec<String> },
    Hangs { why: String, untried: Vec<String> },
}

impl Mx {
    /// A sender with these settings that has seen no host yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, hosts: Hosts::default() }
    }

    /// Delivers `mail`: round after round over all hosts, until one takes it, one refuses it for
    /// good, or its deadline passes. Notes every attempt and its own last word.
    pub async fn deliver(&self, mail: &Outgoing) -> SentState {
        let mut turn = Turn::first();
        while !mail.enough.is_cancelled() {
            let (why, untried, next) = match self.round(mail, &mut turn).await {
                Round::Taken => return self.say(mail, SentState::Delivered, "a host took it", vec![]),
                Round::Bounced { why, untried } => return self.say(mail, SentState::Bounced, &why, untried),
                Round::Deferred { why, untried } => (why, untried, Instant::now() + self.pause(turn.round)),
                Round::Hangs { why, untried } => (why, untried, turn.deadline(mail)),
            };
            self.say(mail, SentState::Deferred, &why, untried.clone());
            let deadline = turn.deadline(mail);
            let wake = next.min(deadline);
            tokio::select! {
                () = tokio::time::sleep_until(wake) => {}
                () = mail.enough.cancelled() => return SentState::Deferred,
            }
            if next >= deadline {
                let why = if untried.is_empty() { "every host was tried until the deadline" } else { &why };
                return self.say(mail, SentState::Expired, why, untried);
            }
            turn.round += 1;
        }
        SentState::Deferred
    }

    /// Sends `mail` straight to `host`, whatever DNS says of its domain: each address once.
    pub async fn deliver_to(&self, host: &str, mail: &Outgoing) -> SentState {
        let candidate = Candidate { host: host.to_owned(), preference: None };
        match self.host(mail, &candidate, &mut Turn::first(), &Ruling::default()).await {
            Ok(()) => self.say(mail, SentState::Deferred, "no address of the host took it", vec![]),
            Err(Decision::Done) => self.say(mail, SentState::Delivered, "the host took it", vec![]),
            Err(_) => self.say(mail, SentState::Bounced, "the host refused it", vec![]),
        }
    }

    async fn round(&self, mail: &Outgoing, turn: &mut Turn) -> Round {
        // The gate is never closed; were it, the round would just begin at once.
        let _place = mail.gate.acquire().await;
        let deadline = turn.deadline(mail);
        turn.tally = Tally::default();
        let draw = [mail.number, u64::from(turn.round)];
        let found = route(self.settings.names.as_ref(), mail.to.domain(), self.settings.dice, &draw).await;
        let hosts = match found {
            Ok(found) => self.order(mail, turn.round, found.hosts),
            Err(none) => return self.no_route(mail, turn.round, &none),
        };
        let ruling = match &self.settings.policies {
            Some(policies) => policies.ruling(mail.to.domain()).await,
            None => Ruling::default(),
        };
        for (at, candidate) in hosts.iter().enumerate() {
            let untried = |from: usize| hosts[from..].iter().map(|it| it.host.clone()).collect();
            if let Some(why) = self.limit(&turn.tally) {
                return Round::Deferred { why, untried: untried(at) };
            }
            turn.tally.hosts += 1;
            match self.host(mail, candidate, turn, &ruling).await {
                Ok(()) if Instant::now() < deadline => {}
                Ok(()) => return Round::Deferred { why: LATE.to_owned(), untried: untried(at + 1) },
                Err(decision) => return self.ended(candidate, decision, untried(at + 1)),
            }
        }
        Round::Deferred { why: "no host took it for now".to_owned(), untried: vec![] }
    }

    /// What a decision means that no other host is tried after.
    fn ended(&self, candidate: &Candidate, decision: Decision, untried: Vec<String>) -> Round {
        let (host, class) = (&candidate.host, self.settings.class);
        let by = |rule: &Rule| format!("{class}: {}", rule.fact);
        match decision {
            Decision::Done => Round::Taken,
            Decision::Bounce(rule) => {
                Round::Bounced { why: format!("{host} refused it for good ({})", by(rule)), untried }
            }
            Decision::Hang(rule) => Round::Hangs { why: format!("it hangs at {host} ({})", by(rule)), untried },
            Decision::Next(rule) | Decision::Defer(rule) | Decision::InClear(rule) | Decision::Again(rule) => {
                Round::Deferred { why: format!("it is kept after {host} ({})", by(rule)), untried }
            }
        }
    }

    /// The hosts in the order in which they are tried; what is passed over is noted.
    fn order(&self, mail: &Outgoing, round: u32, hosts: Vec<Candidate>) -> Vec<Candidate> {
        let Order { tried, passed_over } = self.hosts.order(self.settings.class, mail.to.domain(), hosts);
        for (candidate, why) in passed_over {
            self.note(mail, self.unrouted(&candidate, round, AttemptResult::PassedOver, &why));
        }
        tried
    }

    /// The limit of the class that is reached, in a sentence.
    fn limit(&self, tally: &Tally) -> Option<String> {
        let class = self.settings.class;
        let limits = &class.facts().limits;
        let reached = |tried: u32, limit: Option<u32>, what: &str| {
            limit.filter(|limit| tried >= *limit).map(|limit| format!("{class} tries {limit} {what} at a time"))
        };
        reached(tally.hosts, limits.hosts, "hosts")
            .or_else(|| reached(tally.addresses, limits.addresses, "addresses"))
            .or_else(|| reached(tally.sessions, limits.sessions, "sessions"))
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
            Ok(_) => return self.no_address(mail, candidate, turn.round, Failure::NoAddress, "it has no address"),
            Err(error) => {
                let failure = match &error {
                    LookupError::NoSuchName(_) => Failure::NoSuchName,
                    LookupError::Failed { .. } => Failure::DnsFailed,
                };
                return self.no_address(mail, candidate, turn.round, failure, &error.to_string());
            }
        };
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            if self.limit(&turn.tally).is_some_and(|_| turn.tally.addresses > 0) {
                break;
            }
            match self.address(mail, candidate, address, turn, ruling).await {
                Decision::Next(_) | Decision::InClear(_) => {}
                over => return Err(over),
            }
            if Instant::now() >= turn.deadline(mail) {
                break;
            }
        }
        Ok(())
    }

    /// Tries one address, and once more in clear where TLS failed and the class comes back.
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
        turn.tally.addresses += 1;
        let (round, demand) = (turn.round, ruling.demand());
        let attempt = Try { settings: &self.settings, mail, host, preference, round, deadline, demand };
        // What a class remembers of a host's TLS does not count against a policy.
        let tls = match demand {
            Demand::Nothing => self.hosts.tls_with(self.settings.class, host),
            Demand::Verified => Starttls::Opportunistic,
        };
        let first = self.learn(mail, turn, attempt.at(&target, tls).await, ruling);
        if !matches!(first, Decision::InClear(_)) || demand == Demand::Verified {
            return first;
        }
        self.learn(mail, turn, attempt.at(&target, Starttls::Never).await, ruling)
    }

    /// Notes an attempt, remembers it, and decides.
    fn learn(&self, mail: &Outgoing, turn: &mut Turn, tried: Tried, ruling: &Ruling) -> Decision {
        let Settings { class, waits, .. } = &self.settings;
        let host = tried.attempt.host.clone();
        if tried.attempt.stage > Stage::Ehlo {
            turn.tally.sessions += 1;
        }
        let ruled_out = tried.attempt.result == AttemptResult::TlsPolicy;
        self.note_under(mail, tried.attempt, ruling);
        match tried.ended {
            // The host did nothing wrong that would be remembered.
            Some(_) if ruled_out => {}
            Some((at, failure)) if at < Stage::Quit => self.hosts.failed(*class, waits, &host, at, failure),
            _ => self.hosts.took(*class, waits, mail.to.domain(), &host),
        }
        decide(*class, tried.ended)
    }

    fn no_route(&self, mail: &Outgoing, round: u32, none: &NoRoute) -> Round {
        let domain = Candidate { host: mail.to.domain().to_owned(), preference: None };
        self.note(mail, self.unrouted(&domain, round, AttemptResult::NoRoute, &none.to_string()));
        let (why, untried) = (none.to_string(), vec![]);
        if none.is_transient() { Round::Deferred { why, untried } } else { Round::Bounced { why, untried } }
    }

    fn no_address(
        &self,
        mail: &Outgoing,
        candidate: &Candidate,
        round: u32,
        failure: Failure,
        why: &str,
    ) -> Result<(), Decision> {
        self.note(mail, self.unrouted(candidate, round, AttemptResult::NoAddress, why));
        match decide(self.settings.class, Some((Stage::Connect, failure))) {
            Decision::Next(_) | Decision::InClear(_) => Ok(()),
            over => Err(over),
        }
    }

    /// An attempt that DNS ended before it began.
    fn unrouted(&self, candidate: &Candidate, round: u32, result: AttemptResult, why: &str) -> Attempt {
        Attempt {
            host: candidate.host.clone(),
            address: None,
            target: Target::Mx,
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

//! One try to deliver one message to one address.

use tokio::time::Instant;

use super::transaction::{End, Pass, Wire, Wired, judged, taken, unreached};
use super::{Outgoing, Settings};
use crate::classes::{Failure, Patience, Starttls, Step};
use crate::mail::Stage;
use crate::record::{Attempt, AttemptResult, Target, TlsSeen};
use crate::smtp::{self, Capabilities, Hello, Pace, Session, Stop};
use crate::tls;
use crate::world::Listening;

/// An attempt that is over, and where and how it failed; not at all where it was taken.
pub(super) struct Tried {
    pub(super) attempt: Attempt,
    pub(super) ended: Option<(Stage, Failure)>,
}

/// What a TLS policy demands of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// Nothing.
    Nothing,
    /// TLS, with a certificate that verifies for the host.
    Verified,
}

/// One attempt under way.
pub(super) struct Try<'a> {
    pub(super) settings: &'a Settings,
    pub(super) mail: &'a Outgoing,
    pub(super) host: &'a str,
    pub(super) preference: Option<u16>,
    pub(super) round: u32,
    pub(super) deadline: Instant,
    pub(super) demand: Demand,
}

impl Try<'_> {
    /// Connects, speaks, and writes down what came of it.
    pub(super) async fn at(&self, target: &Listening, mode: Starttls) -> Tried {
        let (at, began) = (self.settings.journal.clock().now(), Instant::now());
        let mut seen = None;
        let mut end = match self.session(target, mode, &mut seen).await {
            Ok(end) | Err(end) => end,
        };
        if end.failure == Some(Failure::Timeout) && self.holds_out() == Patience::EachRead {
            end.failure = Some(Failure::Trickle);
        }
        if self.demand == Demand::Verified && end.result == AttemptResult::TlsFailed {
            end.result = AttemptResult::TlsPolicy;
        }
        if end.result == AttemptResult::TlsPolicy {
            // A host that a policy rules out is as one that cannot be reached (RFC 8461 5.1).
            end.failure = Some(Failure::Refused);
        }
        let ended = end.failure.map(|failure| (if taken(&end) { Stage::Quit } else { end.stage }, failure));
        let attempt = Attempt {
            host: self.host.to_owned(),
            address: Some(target.own.to_string()),
            target: Target::Mx,
            preference: self.preference,
            proxy: target.proxied.as_ref().map(ToString::to_string),
            result: end.result,
            stage: end.stage,
            reply: end.reply,
            status: end.status,
            queue_id: end.queue_id,
            at,
            ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            round: self.round,
            tls: seen,
            login: None,
            recipients: end.recipients,
            policy: None,
        };
        Tried { attempt, ended }
    }

    async fn session(&self, target: &Listening, mode: Starttls, seen: &mut Option<TlsSeen>) -> Result<End, End> {
        let timeouts = &self.settings.waits.timeouts;
        let limit = self.pass().limit(timeouts.connect);
        let dialled = self.settings.dialer.connect(target, Some(self.mail.tag.as_str()), limit).await;
        let stream = dialled.map_err(|error| unreached(&error, limit))?;
        let mut session: Wired = Session::new(Box::new(stream) as Box<dyn Wire>).paced(self.pace());
        let banner = session.greeting(self.pass().limit(timeouts.banner)).await?;
        if !banner.is_positive() {
            return self.pass().leave(session, judged(Stage::Banner, &banner)).await;
        }
        let mut hello = self.hello(&mut session).await?;
        if !hello.reply.is_positive() {
            return self.pass().leave(session, judged(Stage::Ehlo, &hello.reply)).await;
        }
        if mode == Starttls::Opportunistic && hello.capabilities.has("STARTTLS") {
            session = self.secure(session, seen).await?;
            if seen.is_some() {
                hello = self.hello(&mut session).await?;
                if !hello.reply.is_positive() {
                    return self.pass().leave(session, judged(Stage::Ehlo, &hello.reply)).await;
                }
            }
        }
        if let Some(why) = self.lacking(seen.as_ref()) {
            let end = End::seen(AttemptResult::TlsPolicy, Stage::Starttls, Failure::Refused, why);
            return self.pass().leave(session, end).await;
        }
        self.pass().transaction(session, &hello.capabilities).await
    }

    /// What a session lacks that must be verified.
    fn lacking(&self, seen: Option<&TlsSeen>) -> Option<String> {
        if self.demand != Demand::Verified {
            return None;
        }
        let Some(seen) = seen else { return Some("the policy demands TLS, and there is none".to_owned()) };
        let flaws: Vec<&str> = seen.verdicts.iter().map(String::as_str).filter(|it| *it != "trusted").collect();
        (!flaws.is_empty())
            .then(|| format!("the policy demands a verified certificate, and it is {}", flaws.join(", ")))
    }

    /// EHLO, and HELO where the class says it.
    async fn hello(&self, session: &mut Wired) -> Result<Hello, Stop> {
        let (name, limit) = (&self.settings.helo, self.pass().limit(self.settings.waits.timeouts.ehlo));
        let reply = session.command(Stage::Ehlo, &format!("EHLO {name}"), limit).await?;
        if reply.is_positive() {
            return Ok(Hello { capabilities: Capabilities::of(&reply), reply });
        }
        let helo = self.settings.class.facts().helo.follows(Failure::of(&reply));
        let reply = match helo {
            Some(word) => session.command(Stage::Ehlo, &format!("{word} {name}"), limit).await?,
            None => reply,
        };
        Ok(Hello { capabilities: Capabilities::default(), reply })
    }

    /// What the limits of the class are for. A server that sends a byte now and then can hold some
    /// classes until the message's own deadline.
    fn pace(&self) -> Pace {
        match self.settings.class.facts().timers.patience {
            Patience::WholeReply => Pace::Step,
            Patience::EachRead => Pace::Read(self.deadline.saturating_duration_since(Instant::now())),
        }
    }

    /// What kept the session up, once the message's own deadline is over.
    fn holds_out(&self) -> Patience {
        if Instant::now() < self.deadline { Patience::WholeReply } else { self.settings.class.facts().timers.patience }
    }

    /// STARTTLS; a session that goes on in clear where the server declines and the class lets it.
    async fn secure(&self, session: Wired, seen: &mut Option<TlsSeen>) -> Result<Wired, End> {
        let limit = self.pass().limit(self.settings.waits.timeouts.ehlo);
        let stream = match session.starttls(limit).await? {
            smtp::Starttls::Declined(session, reply) => {
                let rule = self.settings.class.rule(Stage::Starttls, Failure::of(&reply));
                if rule.then == Step::GoOn {
                    return Ok(session);
                }
                return match self.pass().leave(session, judged(Stage::Starttls, &reply)).await {
                    Ok(end) | Err(end) => Err(end),
                };
            }
            smtp::Starttls::Ready(stream) => stream,
        };
        let clock = self.settings.journal.clock();
        match tls::connect(stream, self.host, &self.settings.trust, &clock, limit).await {
            Ok((stream, tls)) => {
                *seen = Some(tls);
                Ok(Session::new(Box::new(stream) as Box<dyn Wire>).paced(self.pace()))
            }
            Err(failed) => {
                let why = failed.unanswered.map_or(Failure::Handshake, |_| Failure::HandshakeTimeout);
                let end = End::seen(AttemptResult::TlsFailed, Stage::Starttls, why, &failed);
                *seen = Some(failed.seen);
                Err(end)
            }
        }
    }

    fn pass(&self) -> Pass<'_> {
        Pass { settings: self.settings, mail: self.mail, deadline: self.deadline }
    }
}

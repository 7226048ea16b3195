//! One try to deliver one message to one address.

use tokio::time::Instant;

use super::transaction::{End, Pass, Wired, judged, unreached};
use super::{Outgoing, Settings};
use crate::mail::Stage;
use crate::record::{Attempt, AttemptResult, Target, TlsSeen};
use crate::smtp::{Session, Starttls};
use crate::tls;
use crate::world::Listening;

/// Whether STARTTLS is used where it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    /// It is.
    Opportunistic,
    /// It failed before: in clear this time.
    Clear,
}

/// One attempt under way.
pub(super) struct Try<'a> {
    pub(super) settings: &'a Settings,
    pub(super) mail: &'a Outgoing,
    pub(super) host: &'a str,
    pub(super) preference: Option<u16>,
    pub(super) round: u32,
    pub(super) deadline: Instant,
}

impl Try<'_> {
    /// Connects, speaks, and writes down what came of it.
    pub(super) async fn at(&self, target: &Listening, mode: Tls) -> Attempt {
        let (at, began) = (self.settings.journal.clock().now(), Instant::now());
        let mut seen = None;
        let end = match self.session(target, mode, &mut seen).await {
            Ok(end) | Err(end) => end,
        };
        Attempt {
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
        }
    }

    async fn session(&self, target: &Listening, mode: Tls, seen: &mut Option<TlsSeen>) -> Result<End, End> {
        let timeouts = &self.settings.timeouts;
        let pass = self.pass();
        let limit = pass.limit(timeouts.connect);
        let dialled = self.settings.dialer.connect(target, Some(self.mail.tag.as_str()), limit).await;
        let stream = dialled.map_err(|error| unreached(&error, limit))?;
        let mut session: Wired = Session::new(Box::new(stream));
        let banner = session.greeting(pass.limit(timeouts.banner)).await?;
        if !banner.is_positive() {
            return pass.leave(session, judged(Stage::Banner, &banner)).await;
        }
        let mut hello = session.hello(&self.settings.helo, pass.limit(timeouts.ehlo)).await?;
        if !hello.reply.is_positive() {
            return pass.leave(session, judged(Stage::Ehlo, &hello.reply)).await;
        }
        if mode == Tls::Opportunistic && hello.capabilities.has("STARTTLS") {
            session = self.secure(session, seen).await?;
            if seen.is_some() {
                hello = session.hello(&self.settings.helo, pass.limit(timeouts.ehlo)).await?;
                if !hello.reply.is_positive() {
                    return pass.leave(session, judged(Stage::Ehlo, &hello.reply)).await;
                }
            }
        }
        pass.transaction(session, &hello.capabilities).await
    }

    /// STARTTLS; a session that goes on in clear where the server declines.
    async fn secure(&self, session: Wired, seen: &mut Option<TlsSeen>) -> Result<Wired, End> {
        let limit = self.pass().limit(self.settings.timeouts.ehlo);
        let stream = match session.starttls(limit).await? {
            Starttls::Declined(session, _) => return Ok(session),
            Starttls::Ready(stream) => stream,
        };
        let clock = self.settings.journal.clock();
        match tls::connect(stream, self.host, &self.settings.trust, &clock, limit).await {
            Ok((stream, tls)) => {
                *seen = Some(tls);
                Ok(Session::new(Box::new(stream)))
            }
            Err(failed) => {
                let end = End::seen(AttemptResult::TlsFailed, Stage::Starttls, &failed);
                *seen = Some(failed.seen);
                Err(end)
            }
        }
    }

    fn pass(&self) -> Pass<'_> {
        Pass { mail: self.mail, timeouts: &self.settings.timeouts, deadline: self.deadline }
    }
}

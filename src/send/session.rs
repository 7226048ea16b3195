//! One session with a submission server.

use tokio::time::Instant;

use super::mask::Mask;
use super::transaction::{End, Pass, Wire, Wired, judged, unreached};
use super::{Outgoing, Settings};
use crate::inventory::{Endpoint, TlsMode};
use crate::mail::Stage;
use crate::record::{Attempt, AttemptResult, LoginSeen, Target, TlsSeen};
use crate::smtp::sasl::{self, Login};
use crate::smtp::{Capabilities, Session, Starttls};
use crate::terms::AuthMechanism;
use crate::tls::{self, Trust};
use crate::world::{Listening, SecretError};

/// The server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where it listens.
    pub address: Endpoint,
    /// How the connection is encrypted.
    pub tls: TlsMode,
    /// Whom to trust.
    pub trust: Trust,
}

/// One session about to be held.
pub(super) struct Speak<'a> {
    pub(super) settings: &'a Settings,
    pub(super) server: &'a Server,
    pub(super) mail: &'a Outgoing,
    pub(super) deadline: Instant,
    pub(super) round: u32,
}

/// What was seen on the way.
#[derive(Default)]
struct Seen {
    tls: Option<TlsSeen>,
    login: Option<LoginSeen>,
}

type Said<'a> = Option<&'a (Login, Option<AuthMechanism>)>;

impl Speak<'_> {
    /// Connects, speaks, and writes down what came of it, without any secret.
    pub(super) async fn at(&self, target: &Listening, login: Said<'_>) -> Attempt {
        let (at, began) = (self.settings.journal.clock().now(), Instant::now());
        let mut seen = Seen::default();
        let end = match self.session(target, login, &mut seen).await {
            Ok(end) | Err(end) => end,
        };
        let mut mask = Mask::default();
        if let Some((login, _)) = login {
            mask.add(&login.secret);
        }
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let reply = mask.hide(&end.reply);
        Attempt { at, ms, tls: seen.tls, login: seen.login, ..self.written(target, End { reply, ..end }) }
    }

    /// An attempt that ended before it began: the secret cannot be had.
    pub(super) fn without_login(&self, target: &Listening, error: &SecretError) -> Attempt {
        self.written(target, End::given_up(AttemptResult::Permanent, Stage::Auth, error))
    }

    fn written(&self, target: &Listening, end: End) -> Attempt {
        Attempt {
            host: self.server.address.host.clone(),
            address: Some(target.own.to_string()),
            target: Target::Submission,
            preference: None,
            proxy: target.proxied.as_ref().map(ToString::to_string),
            result: end.result,
            stage: end.stage,
            reply: end.reply,
            status: end.status,
            queue_id: end.queue_id,
            at: self.settings.journal.clock().now(),
            ms: 0,
            round: self.round,
            tls: None,
            login: None,
            recipients: end.recipients,
            policy: None,
        }
    }

    async fn session(&self, target: &Listening, login: Said<'_>, seen: &mut Seen) -> Result<End, End> {
        let (pass, timeouts) = (self.pass(), &self.settings.waits.timeouts);
        let limit = pass.limit(timeouts.connect);
        let dialled = self.settings.dialer.connect(target, Some(self.mail.tag.as_str()), limit).await;
        let mut stream: Box<dyn Wire> = Box::new(dialled.map_err(|error| unreached(&error, limit))?);
        if self.server.tls == TlsMode::Implicit {
            stream = self.encrypted(stream, Stage::Connect, seen).await?;
        }
        let mut session: Wired = Session::new(stream);
        let banner = session.greeting(pass.limit(timeouts.banner)).await?;
        if !banner.is_positive() {
            return pass.leave(session, judged(Stage::Banner, &banner)).await;
        }
        let mut offered = self.hello(&mut session).await?;
        if self.server.tls == TlsMode::Starttls {
            if !offered.has("STARTTLS") {
                let end = End::given_up(AttemptResult::TlsFailed, Stage::Starttls, "STARTTLS is not offered");
                return pass.leave(session, end).await;
            }
            session = self.secure(session, seen).await?;
            offered = self.hello(&mut session).await?;
        }
        if let Some((login, wanted)) = login {
            self.log_in(&mut session, &offered, login, *wanted, seen).await?;
        }
        pass.transaction(session, &offered).await
    }

    async fn hello(&self, session: &mut Wired) -> Result<Capabilities, End> {
        let limit = self.pass().limit(self.settings.waits.timeouts.ehlo);
        let hello = session.hello(&self.settings.helo, limit).await?;
        if hello.reply.is_positive() { Ok(hello.capabilities) } else { Err(judged(Stage::Ehlo, &hello.reply)) }
    }

    async fn secure(&self, session: Wired, seen: &mut Seen) -> Result<Wired, End> {
        match session.starttls(self.pass().limit(self.settings.waits.timeouts.ehlo)).await? {
            Starttls::Ready(stream) => Ok(Session::new(self.encrypted(stream, Stage::Starttls, seen).await?)),
            Starttls::Declined(_, reply) => Err(End::said(AttemptResult::TlsFailed, Stage::Starttls, &reply)),
        }
    }

    /// The handshake. Unlike between MTAs, a certificate that is not the server's ends it: who
    /// shows one would learn the password (RFC 8314 4).
    async fn encrypted(&self, stream: Box<dyn Wire>, stage: Stage, seen: &mut Seen) -> Result<Box<dyn Wire>, End> {
        let limit = self.pass().limit(self.settings.waits.timeouts.ehlo);
        let (host, clock) = (&self.server.address.host, self.settings.journal.clock());
        match tls::connect(stream, host, &self.server.trust, &clock, limit).await {
            Ok((stream, tls)) => {
                let flaws = tls.verdicts.join(", ");
                seen.tls = Some(tls);
                if flaws == "trusted" {
                    return Ok(Box::new(stream));
                }
                let what = format!("the certificate is not trusted ({flaws}): nothing was sent");
                Err(End::given_up(AttemptResult::TlsFailed, stage, what))
            }
            Err(failed) => {
                let end = End::given_up(AttemptResult::TlsFailed, stage, &failed);
                seen.tls = Some(failed.seen);
                Err(end)
            }
        }
    }

    async fn log_in(
        &self,
        session: &mut Wired,
        offered: &Capabilities,
        login: &Login,
        wanted: Option<AuthMechanism>,
        seen: &mut Seen,
    ) -> Result<(), End> {
        let known = offered.parameters("AUTH").unwrap_or_default();
        let token = wanted.filter(|it| *it == AuthMechanism::Xoauth2);
        let Some(mechanism) = wanted.filter(|_| !known.is_empty()).or_else(|| sasl::best(known, token)) else {
            let what = match known {
                "" => "the server offers no AUTH".to_owned(),
                known => format!("the server offers no way to log in that mxdrill knows: {known}"),
            };
            return Err(End::given_up(AttemptResult::Permanent, Stage::Auth, what));
        };
        seen.login = Some(LoginSeen { user: login.user.clone(), mechanism });
        let reply =
            session.authenticate(mechanism, login, self.pass().limit(self.settings.waits.timeouts.mail)).await?;
        if reply.is_positive() { Ok(()) } else { Err(judged(Stage::Auth, &reply)) }
    }

    fn pass(&self) -> Pass<'_> {
        Pass { settings: self.settings, mail: self.mail, deadline: self.deadline }
    }
}

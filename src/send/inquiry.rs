//! Whether a server still takes mail: everything up to RCPT, and never a message.
//!
//! ```text
//!   connect ── EHLO ── STARTTLS ── EHLO ── AUTH ── MAIL ── RCPT ── RSET ── QUIT
//!                          2yz to RCPT: it accepts    5yz: it refuses    else: not known
//! ```
//!
//! DATA is not in it: whatever the server says, no mail is sent.

use std::net::SocketAddr;
use std::time::Duration;

use super::mask::Mask;
use super::transaction::{Wire, Wired, unreached};
use crate::mail::{Address, Reply, Severity, Stage};
use crate::smtp::sasl::{self, Login};
use crate::smtp::{Capabilities, Session, Starttls, Stop};
use crate::tls::{self, Trust};
use crate::world::{Clock, Dialer, Listening};

/// How long each step may take; RFC 5321 4.5.3.2 allows more, and nobody waits that long for a question.
const STEP: Duration = Duration::from_secs(20);
/// The port on which TLS begins with the first byte (RFC 8314 3.3).
const IMPLICIT: u16 = 465;

/// What a server is asked.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// Its name, for TLS and for people.
    pub host: String,
    /// Where it listens; TLS begins at once on port 465, else after STARTTLS where that is offered.
    pub address: SocketAddr,
    /// The name in EHLO.
    pub helo: String,
    /// Reverse-path.
    pub from: Address,
    /// Recipient.
    pub to: Address,
    /// Who logs in, where somebody does.
    pub login: Option<Login>,
    /// Whose certificates may see the password.
    pub trust: Trust,
}

/// What the server does with mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It would take the message.
    Accepts,
    /// It would not, for good.
    Refuses,
    /// It was not to be learnt.
    Unknown,
}

/// The answer and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// In a word.
    pub answer: Answer,
    /// The last stage that was reached.
    pub stage: Stage,
    /// What the server said there, or why it was not asked; without any secret.
    pub said: String,
    /// Whether and how the session was encrypted.
    pub tls: Option<String>,
}

/// What was learnt so far, if nothing more can be.
struct Ended(Answer, Stage, String);

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        Self(Answer::Unknown, stop.stage, stop.to_string())
    }
}

impl Inquiry {
    /// Asks. Takes at most 20 s a step.
    pub async fn ask(&self, dialer: &Dialer, clock: &Clock) -> Answered {
        let mut tls = None;
        let Ended(answer, stage, said) = match self.session(dialer, clock, &mut tls).await {
            Ok(ended) | Err(ended) => ended,
        };
        let mut mask = Mask::default();
        if let Some(login) = &self.login {
            mask.add(&login.secret);
        }
        Answered { answer, stage, said: mask.hide(&said), tls }
    }

    async fn session(&self, dialer: &Dialer, clock: &Clock, tls: &mut Option<String>) -> Result<Ended, Ended> {
        let target = Listening::plain(self.address);
        let dialled = dialer.connect(&target, None, STEP).await;
        let mut stream: Box<dyn Wire> =
            Box::new(dialled.map_err(|error| Ended(Answer::Unknown, Stage::Connect, unreached(&error, STEP).reply))?);
        if self.address.port() == IMPLICIT {
            stream = self.encrypted(stream, clock, Stage::Connect, tls).await?;
        }
        let mut session: Wired = Session::new(stream);
        positive(Stage::Banner, session.greeting(STEP).await?)?;
        let mut offered = self.hello(&mut session).await?;
        if tls.is_none() && offered.has("STARTTLS") {
            session = match session.starttls(STEP).await? {
                Starttls::Ready(stream) => Session::new(self.encrypted(stream, clock, Stage::Starttls, tls).await?),
                Starttls::Declined(session, _) => session,
            };
            offered = self.hello(&mut session).await?;
        }
        if let Some(login) = &self.login {
            self.log_in(&mut session, &offered, login, tls.is_some()).await?;
        }
        let answered = self.envelope(&mut session).await;
        // What becomes of both changes nothing.
        let _ = session.reset(STEP).await;
        session.quit(Duration::from_millis(500)).await;
        answered
    }

    async fn hello(&self, session: &mut Wired) -> Result<Capabilities, Ended> {
        let hello = session.hello(&self.helo, STEP).await?;
        positive(Stage::Ehlo, hello.reply)?;
        Ok(hello.capabilities)
    }

    /// The handshake. Whoever shows a certificate that is not the server's learns no password (RFC 8314 4).
    async fn encrypted(
        &self,
        stream: Box<dyn Wire>,
        clock: &Clock,
        stage: Stage,
        tls: &mut Option<String>,
    ) -> Result<Box<dyn Wire>, Ended> {
        let (stream, seen) = tls::connect(stream, &self.host, &self.trust, clock, STEP)
            .await
            .map_err(|failed| Ended(Answer::Unknown, stage, failed.to_string()))?;
        let flaws = seen.verdicts.join(", ");
        if flaws != "trusted" && self.login.is_some() {
            let why =
                format!("its certificate is not trusted ({flaws}), and nobody logged in: name its authority by --ca");
            return Err(Ended(Answer::Unknown, stage, why));
        }
        *tls = Some(format!("{}, {flaws}", seen.version.as_deref().unwrap_or("TLS")));
        Ok(Box::new(stream))
    }

    async fn log_in(
        &self,
        session: &mut Wired,
        offered: &Capabilities,
        login: &Login,
        encrypted: bool,
    ) -> Result<(), Ended> {
        if !encrypted && !self.address.ip().to_canonical().is_loopback() {
            let why = "it offers no TLS, and a password is not sent in clear".to_owned();
            return Err(Ended(Answer::Unknown, Stage::Auth, why));
        }
        let Some(mechanism) = sasl::best(offered.parameters("AUTH").unwrap_or_default(), None) else {
            return Err(Ended(Answer::Unknown, Stage::Auth, "it offers no login that mxdrill knows".to_owned()));
        };
        positive(Stage::Auth, session.authenticate(mechanism, login, STEP).await?)
    }

    async fn envelope(&self, session: &mut Wired) -> Result<Ended, Ended> {
        positive(Stage::Mail, session.mail(&self.from.to_string(), "", STEP).await?)?;
        let rcpt = session.rcpt(&self.to.to_string(), "", STEP).await?;
        let said = rcpt.to_string();
        positive(Stage::Rcpt, rcpt).map(|()| Ended(Answer::Accepts, Stage::Rcpt, said))
    }
}

/// Goes on after 2yz.
fn positive(stage: Stage, reply: Reply) -> Result<(), Ended> {
    match reply.severity() {
        Severity::Positive => Ok(()),
        Severity::Permanent => Err(Ended(Answer::Refuses, stage, reply.to_string())),
        Severity::Transient | Severity::Intermediate => Err(Ended(Answer::Unknown, stage, reply.to_string())),
    }
}

//! Asking hosts over SMTP: up to RCPT, then RSET and QUIT. No message is ever begun (RFC 5321 4.1.1.4).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncWrite};

use super::super::facts::{Asked, DomainFacts, HostFacts, Secured, Visit};
use super::Gate;
use crate::mail::{Reply, Severity};
use crate::smtp::client::{Session, Starttls};
use crate::tls::{self, Trust};
use crate::world::{Clock, Dialer};

/// The most hosts that are spoken to at the same time; each of them by one connection only.
const MOST_AT_ONCE: usize = 8;
/// The most domains that are asked about in one session.
const MOST_DOMAINS: usize = 40;
/// How long a step may take. Shorter than RFC 5321 4.5.3.2 wants of senders: nothing is lost here.
const STEP: Duration = Duration::from_secs(30);
/// How long the handshake of TCP may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long two connections to one address are apart.
const PACE: Duration = Duration::from_millis(200);

/// Who asks, and how.
pub struct Caller {
    /// What may be contacted.
    pub gate: Arc<Gate>,
    /// The way to hosts.
    pub dialer: Dialer,
    /// The port of SMTP: 25, but for a lab.
    pub port: u16,
    /// Whose certificates are trusted.
    pub trust: Trust,
    /// For the dates of certificates.
    pub clock: Clock,
    /// The name in EHLO.
    pub helo: String,
    /// The local part that cannot exist anywhere.
    pub nobody: String,
    /// How long to wait before the one retry where a recipient was put off (greylisting).
    pub patience: Duration,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}
type Wired = Session<Box<dyn Wire>>;

/// A domain, and a mailbox there that should take mail.
type Question = (String, String);

/// Asks every address of every host that the facts hold, once for all domains that share it.
/// `recipients` gives each domain's mailbox.
pub async fn visit_all(caller: &Caller, facts: &mut [DomainFacts], recipients: &BTreeMap<String, String>) {
    let mut wanted: BTreeMap<(String, IpAddr), Vec<Question>> = BTreeMap::new();
    for domain in facts.iter() {
        let mailbox = recipients.get(&domain.name).cloned().unwrap_or_else(|| format!("postmaster@{}", domain.name));
        for host in domain.hosts.values().chain(&domain.old_hosts) {
            for one in &host.addresses {
                let questions = wanted.entry((host.name.clone(), one.address)).or_default();
                questions.push((domain.name.clone(), mailbox.clone()));
            }
        }
    }
    let visits = wanted.into_iter().map(|(at, questions)| async move {
        let visit = caller.visit(&at.0, at.1, &questions).await;
        (at, visit)
    });
    let done: BTreeMap<(String, IpAddr), Visit> = stream::iter(visits).buffer_unordered(MOST_AT_ONCE).collect().await;
    for domain in facts {
        let name = domain.name.clone();
        domain.hosts.values_mut().chain(&mut domain.old_hosts).for_each(|host| hand_out(host, &name, &done));
    }
}

/// Each domain keeps what it asked itself.
fn hand_out(host: &mut HostFacts, domain: &str, done: &BTreeMap<(String, IpAddr), Visit>) {
    for one in &mut host.addresses {
        let Some(visit) = done.get(&(host.name.clone(), one.address)) else { continue };
        let own = visit.asked.iter().filter(|asked| asked.domain == domain).cloned().collect();
        one.visit = Some(Visit { asked: own, ..visit.clone() });
    }
}

impl Caller {
    async fn visit(&self, host: &str, address: IpAddr, questions: &[Question]) -> Visit {
        let target = self.dialer.target(host, address, self.port);
        let mut visit = Visit {
            socket: target.own.to_string(),
            banner: Err("it was not dialled".to_owned()),
            greets_as: None,
            hello: None,
            secured: Secured::Unasked,
            asked: vec![],
        };
        let place = format!("{host} ({address}), port {}", self.port);
        if let Err(closed) = self.gate.admit(&place, target.socket.ip(), "ask it by SMTP, up to RCPT") {
            visit.banner = Err(closed.to_string());
            return visit;
        }
        for (at, part) in questions.chunks(MOST_DOMAINS).enumerate() {
            if at > 0 {
                tokio::time::sleep(PACE).await;
            }
            self.session(host, &target, part, &mut visit).await;
        }
        self.again(host, &target, &mut visit).await;
        visit
    }

    /// A recipient that was put off is asked for once more.
    async fn again(&self, host: &str, target: &crate::world::Listening, visit: &mut Visit) {
        let put_off = |asked: &Asked| asked.recipient.1.as_ref().is_ok_and(|it| it.severity() == Severity::Transient);
        let (later, kept): (Vec<Asked>, Vec<Asked>) = visit.asked.drain(..).partition(put_off);
        visit.asked = kept;
        if later.is_empty() {
            return;
        }
        tokio::time::sleep(self.patience).await;
        let questions: Vec<Question> = later.iter().map(|it| (it.domain.clone(), it.recipient.0.clone())).collect();
        let mut second = Visit { asked: vec![], ..visit.clone() };
        for part in questions.chunks(MOST_DOMAINS) {
            self.session(host, target, part, &mut second).await;
        }
        // Whoever is not answered the second time keeps the first answer.
        let answered =
            |asked: &Asked| second.asked.iter().any(|it| it.domain == asked.domain && it.recipient.1.is_ok());
        visit.asked.extend(later.into_iter().filter(|asked| !answered(asked)));
        let known: Vec<String> = visit.asked.iter().map(|it| it.domain.clone()).collect();
        visit.asked.extend(second.asked.into_iter().filter(|asked| !known.contains(&asked.domain)));
    }

    async fn session(&self, host: &str, target: &crate::world::Listening, questions: &[Question], visit: &mut Visit) {
        if let Err(why) = self.speak(host, target, questions, visit).await {
            if visit.banner.is_err() {
                visit.banner = Err(why.clone());
            }
            let known: Vec<String> = visit.asked.iter().map(|it| it.domain.clone()).collect();
            let missed = questions.iter().filter(|(domain, _)| !known.contains(domain));
            visit.asked.extend(missed.map(|(domain, mailbox)| Asked {
                domain: domain.clone(),
                recipient: (mailbox.clone(), Err(why.clone())),
                nobody: (format!("{}@{domain}", self.nobody), Err(why.clone())),
            }));
        }
    }

    async fn speak(
        &self,
        host: &str,
        target: &crate::world::Listening,
        questions: &[Question],
        visit: &mut Visit,
    ) -> Result<(), String> {
        let stream = self.dialer.connect(target, None, CONNECT).await.map_err(|error| error.to_string())?;
        let mut session: Wired = Session::new(Box::new(stream));
        let banner = session.greeting(STEP).await.map_err(|stop| stop.to_string())?;
        visit.greets_as = banner.lines.first().and_then(|line| greets_as(line));
        visit.banner = Ok(banner.clone());
        if !banner.is_positive() {
            session.quit(STEP).await;
            return Err(format!("it greets with {banner}"));
        }
        let hello = session.hello(&self.helo, STEP).await.map_err(|stop| stop.to_string())?;
        visit.hello = Some(hello.reply.clone());
        if !hello.reply.is_positive() {
            session.quit(STEP).await;
            return Err(format!("it answers EHLO with {}", hello.reply));
        }
        let mut session = match hello.capabilities.has("STARTTLS") {
            true => self.secure(host, target, session, visit).await?,
            false => {
                visit.secured = Secured::Absent;
                session
            }
        };
        for (domain, mailbox) in questions {
            let asked = self.ask(&mut session, domain, mailbox).await.map_err(|stop| stop.to_string())?;
            visit.asked.push(asked);
        }
        session.quit(STEP).await;
        Ok(())
    }

    /// STARTTLS; where the handshake fails, a new session goes on in clear, as opportunistic senders do.
    async fn secure(
        &self,
        host: &str,
        target: &crate::world::Listening,
        session: Wired,
        visit: &mut Visit,
    ) -> Result<Wired, String> {
        let failed = match session.starttls(STEP).await.map_err(|stop| stop.to_string())? {
            Starttls::Declined(session, reply) => {
                visit.secured = Secured::Failed(format!("it answers {reply}"));
                return Ok(session);
            }
            Starttls::Ready(stream) => match tls::connect(stream, host, &self.trust, &self.clock, STEP).await {
                Ok((stream, seen)) => {
                    visit.secured = Secured::Done(Box::new(seen));
                    let mut session: Wired = Session::new(Box::new(stream));
                    session.hello(&self.helo, STEP).await.map_err(|stop| stop.to_string())?;
                    return Ok(session);
                }
                Err(failed) => failed,
            },
        };
        visit.secured = Secured::Failed(failed.to_string());
        tokio::time::sleep(PACE).await;
        let stream = self.dialer.connect(target, None, CONNECT).await.map_err(|error| error.to_string())?;
        let mut session: Wired = Session::new(Box::new(stream));
        session.greeting(STEP).await.map_err(|stop| stop.to_string())?;
        session.hello(&self.helo, STEP).await.map_err(|stop| stop.to_string())?;
        Ok(session)
    }

    /// MAIL from nobody, RCPT for the mailbox and for one that cannot exist, RSET.
    async fn ask(&self, session: &mut Wired, domain: &str, mailbox: &str) -> Result<Asked, crate::smtp::Stop> {
        let nobody = format!("{}@{domain}", self.nobody);
        let mail = session.mail("", "", STEP).await?;
        if !mail.is_positive() {
            let said = || Err(format!("it answers MAIL with {}", one_line(&mail)));
            return Ok(Asked {
                domain: domain.to_owned(),
                recipient: (mailbox.to_owned(), said()),
                nobody: (nobody, said()),
            });
        }
        let first = session.rcpt(mailbox, "", STEP).await?;
        let second = session.rcpt(&nobody, "", STEP).await?;
        session.reset(STEP).await?;
        Ok(Asked {
            domain: domain.to_owned(),
            recipient: (mailbox.to_owned(), Ok(first)),
            nobody: (nobody, Ok(second)),
        })
    }
}

fn one_line(reply: &Reply) -> String {
    reply.to_string().replace('\n', " / ")
}

/// The host name in a greeting (RFC 5321 4.2): its first word, where it is one.
fn greets_as(line: &str) -> Option<String> {
    let first = line.split_whitespace().next()?.trim_end_matches('.').to_ascii_lowercase();
    crate::mail::address::is_domain(&first).then_some(first).filter(|name| name.contains('.'))
}

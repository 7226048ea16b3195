//! Mailboxes over POP3 (RFC 1939), for servers that have nothing better.
//!
//! ```text
//!   every look: connect ── STLS? ── USER, PASS ── UIDL ── TOP of what is new ── QUIT
//! ```
//!
//! A session shows the mailbox as it was when it began, so each look is a session of its own.
//! Nothing is deleted. Some servers delete or hide what was read over POP3 by a setting of their
//! own, which no client can see.

mod session;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::time::Duration;

use super::dial::{self, Stream};
use super::notes::Notes;
use super::shelf::{self, Item, Known, NEAR_POLL, Setback, Shelf};
use super::{Collecting, Context, Trouble};
use crate::inventory::{Pop3, TlsMode};
use crate::record::Placement;
use session::{Fault, Session};

/// How often to look elsewhere: each look is a login, and servers count those.
const FAR_POLL: Duration = Duration::from_secs(15);
/// How long to stay away where the server says that logins come too often (RFC 2449 8.1.1).
const LOGIN_DELAY: Duration = Duration::from_secs(60);

/// Begins to look into a mailbox.
pub(super) async fn open(settings: &Pop3, context: &Context, notes: Notes) -> Result<Collecting, Trouble> {
    let poll = settings.poll.unwrap_or(if settings.address.is_loopback() { NEAR_POLL } else { FAR_POLL });
    let why = format!("logged in as `{}`", settings.user);
    let mailbox =
        Mailbox { settings: settings.clone(), context: context.clone(), session: None, numbers: HashMap::new() };
    shelf::open(mailbox, poll, context.since, notes, &why).await
}

struct Mailbox {
    settings: Pop3,
    context: Context,
    /// For as long as a look takes.
    session: Option<Session<Box<dyn Stream>>>,
    /// By unique id, in this session.
    numbers: HashMap<String, u32>,
}

impl Mailbox {
    async fn connect(&mut self) -> Result<Session<Box<dyn Stream>>, Setback> {
        let Pop3 { address, tls, user, password, ca, .. } = &self.settings;
        let password = self.context.environment.secret(password).await;
        let password = password.map_err(|error| Trouble::new(format!("there is no password for `{user}`: {error}")))?;
        let stream = dial::dial(address, *tls, user, &self.context).await?;
        let trust = || dial::trust(ca.as_deref(), &self.context);
        let greeting = |fault: Fault| {
            fault
                .while_trying("waiting for its greeting")
                .help("check host and port, and `tls`: a port that is meant for TLS says nothing in clear")
        };
        let mut session = match tls {
            TlsMode::Plain => Session::greeted(Box::new(stream) as Box<dyn Stream>).await.map_err(greeting)?,
            TlsMode::Implicit => {
                let stream = dial::handshake(stream, &address.host, trust()?).await?;
                Session::greeted(stream).await.map_err(greeting)?
            }
            TlsMode::Starttls => {
                let trust = trust()?;
                let plain = Session::greeted(stream).await.map_err(greeting)?;
                let stream = plain.start_tls().await.map_err(|fault| {
                    fault.while_trying("STLS").help("set `tls: implicit` with the port that is meant for it (995)")
                })?;
                Session::over(dial::handshake(stream, &address.host, trust).await?)
            }
        };
        match session.login(user, &password).await {
            Ok(()) => Ok(session),
            Err(fault) => Err(refused_login(&fault, user)),
        }
    }
}

fn refused_login(fault: &Fault, user: &str) -> Setback {
    let Fault::Refused(text) = fault else { return fault.while_trying("logging in").into() };
    let trouble = Trouble::new(format!("the server refused the login of `{user}`: {text}"));
    if text.contains("[LOGIN-DELAY]") {
        let trouble = trouble.help("look less often: set `poll`");
        return Setback { trouble, pause: Some(LOGIN_DELAY) };
    }
    let help = match text.contains("[IN-USE]") {
        true => "somebody else reads the mailbox at the moment; give the probes one of their own",
        false => "check `user` and `password`; the password may have been changed, or need to be one for programs",
    };
    trouble.help(help).into()
}

impl Shelf for Mailbox {
    async fn list(&mut self, _: &Known) -> Result<Vec<Item>, Setback> {
        let mut session = self.connect().await?;
        let listed = session.unique_ids().await.map_err(|fault| {
            fault.while_trying("the list of messages (UIDL)").help("the server must be able to tell messages apart")
        })?;
        self.session = Some(session);
        self.numbers = listed.iter().map(|(number, id)| (id.clone(), *number)).collect();
        let item = |(_, id): (u32, String)| {
            let detail = format!("POP3 message {id}");
            Item { id, at: None, placement: Placement::Inbox, detail, header: None }
        };
        Ok(listed.into_iter().map(item).collect())
    }

    async fn header(&mut self, item: &Item) -> Result<Option<Vec<u8>>, Setback> {
        let (Some(session), Some(number)) = (&mut self.session, self.numbers.get(&item.id)) else { return Ok(None) };
        let header = session.header(*number).await;
        header.map(Some).map_err(|fault| fault.while_trying("reading a message").into())
    }

    async fn done(&mut self) {
        if let Some(session) = self.session.take() {
            session.quit().await;
        }
    }
}

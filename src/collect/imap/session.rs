//! One connection to a server, logged in.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::time::Duration;

use base64::Engine;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::super::Trouble;
use super::super::dial::Stream;
use super::name::{can_be_quoted, quote};
use super::wire::{Response, Status, Token, Wire};

/// How long a command may take.
pub(super) const COMMAND_LIMIT: Duration = Duration::from_secs(20);

/// A connection that takes commands.
pub(super) struct Session<S = Box<dyn Stream>> {
    wire: Wire<S>,
    commands: u32,
    capabilities: HashSet<String>,
    /// What the server said first.
    greeting: String,
    /// The tag of an IDLE that is under way.
    idle: Option<String>,
    /// Whether the server has told of a message, in passing, since the mailbox was selected: it
    /// will not tell of it again.
    news: bool,
    /// What the server said as it closed the connection.
    bye: Option<String>,
}

impl<S> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("idle", &self.idle).finish_non_exhaustive()
    }
}

/// Servers with habits of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Exchange and Microsoft 365: their search knows only some header fields.
    Exchange,
    Other,
}

/// A command failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection is of no use any more.
    Lost(String),
    /// The server refused the command (NO).
    Refused(String),
    /// The server did not understand it (BAD).
    NotUnderstood(String),
}

impl Fault {
    /// In a sentence about what was tried.
    pub(super) fn while_trying(&self, what: &str) -> Trouble {
        match self {
            Fault::Lost(why) => Trouble::new(format!("the connection was lost while {what}: {why}")),
            Fault::Refused(text) => Trouble::new(format!("the server refused {what}: {text}")),
            Fault::NotUnderstood(text) => Trouble::new(format!("the server did not understand {what}: {text}")),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Reads the greeting of a server.
    pub(super) async fn greeted(stream: S) -> Result<Self, Trouble> {
        let mut session = Self::over(stream);
        match session.next().await {
            Ok(Response::Said { status: Status::Ok, text }) => {
                session.remember(&text);
                session.greeting = text;
            }
            Ok(Response::Said { status: Status::Bye, text }) => {
                return Err(Trouble::new(format!("the server turned the connection away: {text}")));
            }
            Ok(Response::Said { status: Status::Preauth, .. }) => {
                return Err(Trouble::new("the server takes the connection for logged in already (PREAUTH)"));
            }
            Ok(_) => return Err(Trouble::new("what answers there is no IMAP server").help("check host and port")),
            Err(fault) => {
                return Err(fault
                    .while_trying("waiting for its greeting")
                    .help("check host and port; a port meant for TLS says nothing to a client that speaks in clear"));
            }
        }
        Ok(session)
    }

    /// A session on a connection that has no greeting any more.
    pub(super) fn over(stream: S) -> Self {
        let wire = Wire::new(stream);
        let capabilities = HashSet::new();
        Self { wire, commands: 0, capabilities, greeting: String::new(), idle: None, news: false, bye: None }
    }

    /// The stream, once STARTTLS was agreed upon.
    pub(super) async fn start_tls(mut self) -> Result<S, Trouble> {
        self.command("STARTTLS", &mut |_| {}).await.map_err(|fault| {
            fault.while_trying("STARTTLS").help("set `tls: implicit` with the port that is meant for it (993)")
        })?;
        match self.wire.into_parts() {
            (stream, rest) if rest.is_empty() => Ok(stream),
            // RFC 3501 6.2.1: nothing may follow before TLS; what does was put there by someone.
            _ => Err(Trouble::new("somebody puts text into the connection before TLS begins")),
        }
    }

    /// Asks what the server can do.
    pub(super) async fn ask_capabilities(&mut self) -> Result<(), Fault> {
        let mut found = HashSet::new();
        self.command("CAPABILITY", &mut |data| {
            if data.first().is_some_and(|word| word.is("CAPABILITY")) {
                found.extend(data[1..].iter().filter_map(Token::text).map(|it| it.to_ascii_uppercase()));
            }
        })
        .await?;
        self.capabilities = found;
        Ok(())
    }

    /// Which kind of server it is, as far as that matters.
    pub(super) fn kind(&self) -> Kind {
        if self.greeting.contains("Microsoft Exchange") { Kind::Exchange } else { Kind::Other }
    }

    /// Whether the server can do it.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.contains(capability)
    }

    /// Logs in. Strings that do not fit in quotes go as literals (RFC 3501 4.3).
    pub(super) async fn login(&mut self, user: &str, password: &SecretString) -> Result<(), Fault> {
        let password = password.expose_secret();
        if can_be_quoted(user) && can_be_quoted(password) {
            return self.command(&format!("LOGIN {} {}", quote(user), quote(password)), &mut |_| {}).await;
        }
        let tag = self.send(&format!("LOGIN {{{}}}", user.len())).await?;
        self.go_on(&tag).await?;
        self.send_raw(format!("{user} {{{}}}\r\n", password.len()).as_bytes()).await?;
        self.go_on(&tag).await?;
        self.send_raw(format!("{password}\r\n").as_bytes()).await?;
        self.until_done(&tag, &mut |_| {}).await
    }

    /// Logs in with a token (SASL XOAUTH2): what Gmail and Microsoft 365 take.
    pub(super) async fn show_token(&mut self, user: &str, token: &SecretString) -> Result<(), Fault> {
        let answer = format!("user={user}\u{1}auth=Bearer {}\u{1}\u{1}", token.expose_secret());
        let answer = base64::engine::general_purpose::STANDARD.encode(answer);
        let tag = match self.can("SASL-IR") {
            true => self.send(&format!("AUTHENTICATE XOAUTH2 {answer}")).await?,
            false => {
                let tag = self.send("AUTHENTICATE XOAUTH2").await?;
                self.go_on(&tag).await?;
                self.send_raw(format!("{answer}\r\n").as_bytes()).await?;
                tag
            }
        };
        loop {
            match self.next_or_done(&tag).await? {
                // What is wrong with the token, for programs; an empty answer gets the reason for people.
                Some(Response::Continue) => self.send_raw(b"\r\n").await?,
                Some(_) => {}
                None => return Ok(()),
            }
        }
    }

    /// Selects a mailbox for reading only.
    pub(super) async fn examine(&mut self, mailbox: &str) -> Result<Examined, Fault> {
        self.open("EXAMINE", mailbox).await
    }

    /// Selects a mailbox so that messages can be taken out of it.
    pub(super) async fn select(&mut self, mailbox: &str) -> Result<Examined, Fault> {
        self.open("SELECT", mailbox).await
    }

    async fn open(&mut self, command: &str, mailbox: &str) -> Result<Examined, Fault> {
        let mut examined = Examined::default();
        let tag = self.send(&format!("{command} {}", quote(mailbox))).await?;
        loop {
            match self.next_or_done(&tag).await? {
                Some(Response::Said { status: Status::Ok, text }) => examined.take(&text),
                Some(_) => {}
                None => break,
            }
        }
        self.news = false;
        Ok(examined)
    }

    /// Asks to be told of new messages in the selected mailbox (RFC 2177), if the server can do
    /// that.
    pub(super) async fn begin_idle(&mut self) -> Result<(), Fault> {
        if !self.can("IDLE") {
            return Ok(());
        }
        let tag = self.send("IDLE").await?;
        match self.go_on(&tag).await {
            Ok(()) => self.idle = Some(tag),
            Err(Fault::Lost(why)) => return Err(Fault::Lost(why)),
            // It says that it can and does not: then it is looked at by the clock.
            Err(_) => {
                self.capabilities.remove("IDLE");
            }
        }
        Ok(())
    }

    /// Whether the server was asked to tell of new messages.
    pub(super) fn idles(&self) -> bool {
        self.idle.is_some()
    }

    /// Waits until the server tells of a message, or the connection is lost. It may be dropped
    /// half-way.
    pub(super) async fn told(&mut self) {
        while !self.news {
            match self.wire.response().await {
                Ok(Response::Data(data)) => self.news = is_news(&data),
                Ok(Response::Done { .. }) => {
                    // The server ended it.
                    self.idle = None;
                    return;
                }
                Ok(Response::Said { status: Status::Bye, .. }) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// Ends IDLE where it is under way.
    pub(super) async fn end_idle(&mut self) -> Result<(), Fault> {
        let Some(tag) = self.idle.take() else { return Ok(()) };
        self.send_raw(b"DONE\r\n").await?;
        self.until_done(&tag, &mut |_| {}).await
    }

    /// Sends a command and hands out its data. It is an error where the server does not say OK.
    pub(super) async fn command(
        &mut self,
        command: &str,
        each: &mut (dyn FnMut(Vec<Token>) + Send),
    ) -> Result<(), Fault> {
        let tag = self.send(command).await?;
        self.until_done(&tag, each).await
    }

    async fn until_done(&mut self, tag: &str, each: &mut (dyn FnMut(Vec<Token>) + Send)) -> Result<(), Fault> {
        while let Some(response) = self.next_or_done(tag).await? {
            if let Response::Data(data) = response {
                each(data);
            }
        }
        Ok(())
    }

    /// The next response, or nothing once the command is done.
    async fn next_or_done(&mut self, tag: &str) -> Result<Option<Response>, Fault> {
        match self.next().await? {
            Response::Done { tag: of, status, text } if of == tag => match status {
                Status::Ok => Ok(None),
                Status::Bad => Err(Fault::NotUnderstood(text)),
                _ => Err(Fault::Refused(text)),
            },
            other => Ok(Some(other)),
        }
    }

    /// Waits until the server asks for more of a command.
    async fn go_on(&mut self, tag: &str) -> Result<(), Fault> {
        loop {
            match self.next_or_done(tag).await? {
                Some(Response::Continue) => return Ok(()),
                Some(_) => {}
                None => return Err(Fault::Lost("the server ended a command before it was whole".to_owned())),
            }
        }
    }

    async fn next(&mut self) -> Result<Response, Fault> {
        match timeout(COMMAND_LIMIT, self.wire.response()).await {
            Ok(Ok(response)) => {
                match &response {
                    Response::Said { status: Status::Bye, text } => self.bye = Some(text.clone()),
                    Response::Data(data) => self.news |= is_news(data),
                    _ => {}
                }
                Ok(response)
            }
            Ok(Err(error)) => Err(self.lost(&error)),
            Err(_) => Err(Fault::Lost(format!("no answer within {} s", COMMAND_LIMIT.as_secs()))),
        }
    }

    async fn send(&mut self, command: &str) -> Result<String, Fault> {
        self.commands += 1;
        let tag = format!("m{}", self.commands);
        self.send_raw(format!("{tag} {command}\r\n").as_bytes()).await?;
        Ok(tag)
    }

    async fn send_raw(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match timeout(COMMAND_LIMIT, self.wire.send(bytes)).await {
            Ok(sent) => sent.map_err(|error| self.lost(&error)),
            Err(_) => Err(Fault::Lost(format!("it takes nothing within {} s", COMMAND_LIMIT.as_secs()))),
        }
    }

    fn lost(&self, error: &io::Error) -> Fault {
        match &self.bye {
            Some(bye) => Fault::Lost(format!("the server said goodbye: {bye}")),
            None => Fault::Lost(error.to_string()),
        }
    }

    /// Takes capabilities from a response code: `[CAPABILITY …] text`.
    fn remember(&mut self, text: &str) {
        if let Some((list, _)) = text.strip_prefix("[CAPABILITY ").and_then(|rest| rest.split_once(']')) {
            self.capabilities = list.split(' ').map(str::to_ascii_uppercase).collect();
        }
    }
}

/// `* 5 EXISTS`: there are more messages than before.
fn is_news(data: &[Token]) -> bool {
    data.get(1).is_some_and(|word| word.is("EXISTS") || word.is("RECENT"))
}

/// What a server says of a mailbox as it is selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Examined {
    /// Changes when UIDs are given anew.
    pub(super) validity: Option<u32>,
    /// The UID that the next message will have, at least.
    pub(super) next: Option<u32>,
}

impl Examined {
    fn take(&mut self, text: &str) {
        let code = |name: &str| -> Option<u32> {
            let (head, rest) = text.strip_prefix('[')?.split_once(' ')?;
            rest.split(']').next().filter(|_| head.eq_ignore_ascii_case(name))?.parse().ok()
        };
        self.validity = code("UIDVALIDITY").or(self.validity);
        self.next = code("UIDNEXT").or(self.next);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn session(says: &str) -> Session<tokio::io::DuplexStream> {
        let (near, mut far) = tokio::io::duplex(10_000);
        far.write_all(says.as_bytes()).await.expect("written");
        tokio::spawn(async move {
            // The server stays, and says no more.
            let mut heard = vec![0; 100];
            while tokio::io::AsyncReadExt::read(&mut far, &mut heard).await.is_ok_and(|read| read > 0) {}
        });
        Session { capabilities: HashSet::from(["IDLE".to_owned()]), ..Session::over(near) }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_in_passing_is_not_lost() {
        let limit = Duration::from_secs(1);
        let mut session = session("* 1 EXISTS\r\nm1 OK\r\n* 2 EXISTS\r\nm2 OK\r\n+ idling\r\n").await;
        session.examine("INBOX").await.expect("examined");
        session.command("UID SEARCH ALL", &mut |_| {}).await.expect("searched");
        session.begin_idle().await.expect("it idles");
        assert!(timeout(limit, session.told()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_there_is_no_news() {
        let limit = Duration::from_secs(1);
        let mut session = session("* 1 EXISTS\r\nm1 OK\r\n+ idling\r\n* OK still here\r\n").await;
        session.examine("INBOX").await.expect("examined");
        session.begin_idle().await.expect("it idles");
        assert!(timeout(limit, session.told()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_is_given_up() {
        let mut session = session("* 1 EXISTS\r\n").await;
        let fault = session.examine("INBOX").await.expect_err("no answer");
        assert_eq!(fault, Fault::Lost("no answer within 20 s".to_owned()));
    }
}

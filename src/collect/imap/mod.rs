//! Mailboxes over IMAP (RFC 3501, RFC 9051).
//!
//! ```text
//!   connect ──> Session ──> Mailbox::look ──┐ new: UID SEARCH for the run's id, FETCH of headers
//!      ^                        ^           │
//!      │ lost: at once, then    │ stir      v
//!      │ slower and slower      └── IDLE in the inbox, a timer for the others
//! ```
//!
//! IDLE watches one mailbox, and some servers are slow to tell, so a timer looks as well. A
//! connection that is lost is made anew; what came meanwhile is found by the next look, because
//! mailboxes are compared with what was seen of them, not listened to. Mailboxes are opened for
//! reading only, and no flag is changed; but for `erase`, which is asked for by name.

mod connect;
#[cfg(test)]
mod dialogs;
mod erase;
#[cfg(test)]
mod fake;
mod mailbox;
mod name;
mod session;
mod wire;

pub(super) use erase::erase;

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::copies::Copies;
use super::notes::Notes;
use super::watch::{Occasion, Place};
use super::{Collecting, Context, Trouble};
use crate::inventory::Imap;
use crate::record::LookedState;
use mailbox::Mailbox;
use session::Session;

/// How often to look on this machine, where looking costs nothing.
const NEAR_POLL: Duration = Duration::from_millis(300);
/// How often to look elsewhere where the server tells of nothing, or has other mailboxes too.
const FAR_POLL: Duration = Duration::from_secs(2);
/// How often to look although the server tells of new messages.
const IDLE_POLL: Duration = Duration::from_secs(60);
/// How long to wait before a lost connection is tried again; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest such wait.
const LAST_WAIT: Duration = Duration::from_secs(30);

/// Begins to look into an account.
pub(super) async fn open(settings: &Imap, context: &Context, notes: Notes) -> Result<Collecting, Trouble> {
    let mut account = Account::open(settings.clone(), context.clone(), notes.clone()).await?;
    account.look(Occasion::Asked).await?;
    let names = account.names();
    notes.looked(LookedState::Open, &format!("logged in as `{}`; looks into {names}", settings.user));
    Ok(Collecting::begin(account, notes))
}

/// An account and the connection to it.
#[derive(Debug)]
struct Account {
    settings: Imap,
    context: Context,
    notes: Notes,
    mailboxes: Vec<Mailbox>,
    copies: Copies,
    line: Line,
}

#[derive(Debug)]
enum Line {
    Up(Session),
    /// Lost, or in use by a look that was dropped half-way.
    Down {
        failures: u32,
        again: Instant,
    },
}

impl Account {
    async fn open(settings: Imap, context: Context, notes: Notes) -> Result<Self, Trouble> {
        let mut session = connect::connect(&settings, &context).await?;
        let mut mailboxes = mailbox::find(&settings, &mut session).await?;
        for mailbox in &mut mailboxes {
            mailbox.open(&mut session, context.since).await?;
        }
        let line = Line::Up(session);
        Ok(Self { settings, context, notes, mailboxes, copies: Copies::default(), line })
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.mailboxes.iter().map(|it| format!("`{}`", it.name())).collect();
        names.join(" and ")
    }

    /// Looks into every mailbox, and asks to be told of new messages.
    async fn look_with(&mut self, session: &mut Session, occasion: Occasion) -> Result<(), Trouble> {
        session.end_idle().await.map_err(|fault| fault.while_trying("waiting for new messages"))?;
        if occasion == Occasion::Asked && self.settings.mailboxes.is_empty() {
            self.find_new_junk(session).await?;
        }
        for mailbox in &mut self.mailboxes {
            mailbox.look(session, &self.notes, &mut self.copies, occasion).await?;
        }
        session.begin_idle().await.map_err(|fault| fault.while_trying("asking to be told of new messages"))
    }

    /// A folder for unwanted mail may be made by the first message that goes there.
    async fn find_new_junk(&mut self, session: &mut Session) -> Result<(), Trouble> {
        for found in mailbox::find(&self.settings, session).await? {
            if !self.mailboxes.iter().any(|known| known.stands_for(&found)) {
                self.mailboxes.insert(0, found);
            }
        }
        Ok(())
    }

    async fn reconnected(&mut self, occasion: Occasion) -> Result<(), Trouble> {
        let mut session = connect::connect(&self.settings, &self.context).await?;
        self.look_with(&mut session, occasion).await?;
        self.line = Line::Up(session);
        Ok(())
    }

    fn poll(&self) -> Duration {
        let Line::Up(session) = &self.line else { return FAR_POLL };
        if self.settings.address.is_loopback() {
            NEAR_POLL
        } else if session.idles() && self.mailboxes.len() == 1 {
            IDLE_POLL
        } else {
            FAR_POLL
        }
    }
}

impl Place for Account {
    async fn look(&mut self, occasion: Occasion) -> Result<(), Trouble> {
        let down = Line::Down { failures: 0, again: Instant::now() };
        let failures = match std::mem::replace(&mut self.line, down) {
            Line::Up(mut session) => {
                if self.look_with(&mut session, occasion).await.is_ok() {
                    self.line = Line::Up(session);
                    return Ok(());
                }
                // Servers close connections now and then; that alone hides nothing.
                0
            }
            Line::Down { failures, .. } => failures,
        };
        let looked = self.reconnected(occasion).await;
        if looked.is_err() {
            let wait = LAST_WAIT.min(FIRST_WAIT * 2u32.saturating_pow(failures.min(10)));
            self.line = Line::Down { failures: failures + 1, again: Instant::now() + wait };
        }
        looked
    }

    async fn stir(&mut self) {
        let poll = self.poll();
        match &mut self.line {
            Line::Down { again, .. } => {
                let _ = timeout_at(*again, std::future::pending::<()>()).await;
            }
            Line::Up(session) if session.idles() => {
                let _ = timeout(poll, session.told()).await;
            }
            Line::Up(_) => {
                let _ = timeout(poll, std::future::pending::<()>()).await;
            }
        }
    }

    async fn close(self) {
        if let Line::Up(mut session) = self.line
            && session.end_idle().await.is_ok()
        {
            // The server closes the connection; how it says goodbye does not matter.
            let _ = session.command("LOGOUT", &mut |_| {}).await;
        }
    }
}

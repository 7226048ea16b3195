//! Where mail can land: mailboxes and logs, looked at while a run goes on.
//!
//! ```text
//!   inventory::Collector ──open──> one task a place
//!                                     │  stir: something may be new      (IDLE, or a poll)
//!                                     │  look: one complete look, now    (also on demand)
//!                                     v
//!        imap   maildir   mbox   log ──> Notes ──Landed, Passed, Looked──> Journal
//! ```
//!
//! | room | looks at | finds a probe by |
//! |---|---|---|
//! | `imap/` | mailboxes of one account | a search for the run's id, then the message's own header |
//! | `pop3/`, `jmap`, `catcher/` | what a server lists; `shelf` compares it with what was seen | the message's own header |
//! | `maildir` | `new` and `cur` of a Maildir and its folders | the message's own header |
//! | `mbox` | a growing file of messages | the message's own header |
//! | `log/` | the log of an MTA | tags in envelopes and Message-IDs, tied to queue-ids |
//! | `feed/` | lines that a program prints, that come by syslog, or on stdin | as `log/`, which reads them |
//!
//! A place notes each copy, and each line that speaks of a probe, exactly once. A message that
//! only quotes a probe, such as a DSN, is no copy of it: only its own header counts. What a place
//! cannot see it must not be silent about: [`open`] fails, and a place that is lost later says so
//! in the journal, because absence is believed only where one could look.

mod catcher;
mod copies;
mod dial;
mod feed;
mod folder;
mod follow;
mod http;
mod imap;
mod jmap;
pub mod log;
mod maildir;
mod mbox;
mod message;
mod notes;
mod pop3;
mod shelf;
mod stamp;
#[cfg(test)]
mod testing;
mod tls;
mod watch;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

use crate::inventory::{Collector, Log, LogSource, Looks};
use crate::record::{Journal, LookedState, RunId};
use crate::world::Environment;

use notes::Notes;
pub use watch::Collecting;

/// What is watched, and for whom.
#[derive(Clone, Debug)]
pub struct Watching {
    /// The platform that the collector belongs to.
    pub platform: Arc<str>,
    /// Where to look.
    pub collector: Arc<Collector>,
    /// The platform's host, where it has just one: evidence of a collector that names none is
    /// evidence of this one.
    pub host: Option<Arc<str>>,
}

/// From when on a place is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// What comes from now on: a run that begins has no older probes.
    #[default]
    Opening,
    /// Whatever is there, for a run that was begun before.
    Ever,
}

/// What the run gives to its collectors.
#[derive(Clone)]
pub struct Context {
    /// Whose probes are looked for.
    pub run: RunId,
    /// Where they are noted.
    pub journal: Journal,
    /// Where secrets come from.
    pub environment: Environment,
    /// Whom to trust where a collector names no authority of its own.
    pub roots: Arc<rustls::RootCertStore>,
    /// How names become addresses.
    pub resolve: Arc<dyn Resolve>,
    /// From when on.
    pub since: Since,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("run", &self.run).field("since", &self.since).finish_non_exhaustive()
    }
}

/// The door to DNS. It is asked for names only, never for literal addresses.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of `host` in the order to try; at least one.
    ///
    /// # Errors
    /// Why there are none, in a clause such as `no such host`.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, String>;
}

/// A place cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("collector `{collector}` of platform `{platform}`: {what}")]
pub struct CollectError {
    /// The platform's name.
    pub platform: Arc<str>,
    /// The collector's label.
    pub collector: Arc<str>,
    /// What is wrong, lower case, names in back-ticks. It holds no secret.
    pub what: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

/// What is wrong with a place, before it is said which.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trouble {
    what: String,
    help: Option<String>,
}

impl Trouble {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Begins to look. Where this succeeds the place was reached and read once, the journal says so
/// ([`LookedState::Open`]), and a task goes on until [`Collecting::close`].
///
/// # Errors
/// Where the place cannot be looked at; the journal says so too ([`LookedState::Failed`]).
pub async fn open(watching: Watching, context: Context) -> Result<Collecting, CollectError> {
    let notes = Notes::new(&watching, &context);
    let opened = match &watching.collector.looks {
        Looks::Imap(settings) => imap::open(settings, &context, notes.clone()).await,
        Looks::Pop3(settings) => pop3::open(settings, &context, notes.clone()).await,
        Looks::Jmap(settings) => jmap::open(settings, &context, notes.clone()).await,
        Looks::Catcher(settings) => catcher::open(settings, &context, notes.clone()).await,
        Looks::Maildir(path) => maildir::open(path, context.since, notes.clone()).await,
        Looks::Mbox(path) => mbox::open(path, context.since, notes.clone()).await,
        Looks::Log(Log { format, from }) => match from {
            LogSource::Path(path) => log::open(path, *format, context.since, notes.clone()).await,
            LogSource::Stdin => feed::stdin::open(*format, notes.clone()).await,
            LogSource::Command(words) => feed::command::open(words, *format, notes.clone()).await,
        },
        Looks::Syslog(settings) => feed::syslog::open(settings, notes.clone()).await,
    };
    opened.map_err(|trouble| {
        notes.looked(LookedState::Failed, &trouble.what);
        notes.error(trouble)
    })
}

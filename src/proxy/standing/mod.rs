//! Proxies that stand by themselves, before hosts that live on: no scenario, no run.
//!
//! ```text
//!   lines, config, control API ──> Stand::change ──> Book (what is in force, until when)
//!                                        │             │ leases run out ──> change
//!                                        v             v
//!                                     Proxy::raise, one a host       all of it, or nothing
//!                                        │ firings
//!                                        v
//!                                     Ledger: counts, the last of them, a log line each
//! ```
//!
//! Faults have leases: who raised them and is gone, or has forgotten them, does not leave a broken
//! MX behind.

mod book;
mod config;
mod ledger;
mod runs;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Guest, Proxy, ProxyError, TerminationError, Traffic};
use crate::scenario::Fault;
use crate::scenario::standing::{MOST_FAULTS, Standing, hides};
use book::{Book, Entry};
pub use book::{Held, Origin};
pub use config::{Config, Listener, XCLIENT_NEEDS_REFUSAL, XCLIENT_WHY};
use ledger::Ledger;
pub use ledger::{Fired, Kind};
pub use runs::{RunState, Since};
pub use settings::{Identity, StandSettings};

/// The lease of faults that came over the control API, where nothing else is said: who raised them
/// may be gone.
pub const API_LEASE: Duration = Duration::from_secs(600);

/// Faults cannot be what they are told to be.
#[derive(Debug, thiserror::Error)]
pub enum StandError {
    /// The proxy cannot do it.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The certificate that it was given is no use.
    #[error(transparent)]
    Tls(#[from] TerminationError),
    /// Another run is at work there.
    #[error("faults of the run {run} are in force at `{host}`")]
    Taken {
        /// Which run.
        run: String,
        /// Where.
        host: String,
    },
    /// There would be too many.
    #[error("there would be more than {MOST_FAULTS} faults in force")]
    TooMany,
    /// The task that was to do it is gone: the program is ending.
    #[error("the proxy is going down")]
    Down,
}

/// Standing proxies, one for each host, and the faults in them.
#[derive(Debug)]
pub struct Stand {
    hosts: Vec<Host>,
    book: Mutex<Book>,
    /// Held while faults change: one change after the other.
    turn: tokio::sync::Mutex<()>,
    changed: watch::Sender<()>,
    ledger: Arc<Ledger>,
    lease: Mutex<Option<Duration>>,
}

/// One host and its proxy.
#[derive(Debug)]
struct Host {
    name: String,
    proxy: Proxy,
}

impl Stand {
    /// Listens everywhere, with nothing in force.
    ///
    /// # Errors
    /// Where an address cannot be listened on, or the certificate cannot be used.
    pub async fn start(settings: StandSettings) -> Result<Arc<Self>, StandError> {
        let ledger = Arc::new(Ledger::default());
        let mut hosts = vec![];
        for name in settings.hosts() {
            let proxy = Proxy::start(settings.of_host(&name, &ledger)?).await?;
            hosts.push(Host { name, proxy });
        }
        let stand = Arc::new(Self {
            hosts,
            book: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(()),
            ledger,
            lease: Mutex::new(settings.lease),
        });
        tokio::spawn(keep_leases(Arc::downgrade(&stand), stand.changed.subscribe()));
        Ok(stand)
    }

    /// The hosts that it stands before.
    pub fn hosts(&self) -> Vec<String> {
        self.hosts.iter().map(|host| host.name.clone()).collect()
    }

    /// Where it listens, and for which host.
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        let of_host = |host: &Host| {
            host.proxy.addresses().iter().map(|address| (host.name.clone(), *address)).collect::<Vec<_>>()
        };
        self.hosts.iter().flat_map(of_host).collect()
    }

    /// Adds faults behind those in force, all of them or none. Gives what was added.
    ///
    /// # Errors
    /// Where one of them cannot be put in force, or there would be too many.
    pub async fn add(self: &Arc<Self>, faults: Vec<Standing>, origin: Origin) -> Result<Vec<Held>, StandError> {
        let lease = self.lease_of(origin);
        let added = self.change(move |book| book.add(faults, origin, lease)).await?;
        Ok(self.held(|entry| added.contains(&entry.id)))
    }

    /// Puts these faults in the place of those of the same origin; of all of them where it came
    /// over the control API. Gives what was put there.
    ///
    /// # Errors
    /// As [`add`](Stand::add); what was in force stays then.
    pub async fn replace(self: &Arc<Self>, faults: Vec<Standing>, origin: Origin) -> Result<Vec<Held>, StandError> {
        let lease = self.lease_of(origin);
        let put = move |book: &mut Book| {
            book.entries.retain(|entry| origin != Origin::Control && entry.origin != origin);
            book.add(faults, origin, lease)
        };
        let added = self.change(put).await?;
        Ok(self.held(|entry| added.contains(&entry.id)))
    }

    /// Lifts one fault, or all of them. Gives what was lifted.
    ///
    /// # Errors
    /// Where the others cannot stay in force.
    pub async fn remove(self: &Arc<Self>, id: Option<usize>) -> Result<Vec<Held>, StandError> {
        let meant = move |entry: &Entry| id.is_none_or(|id| entry.id == id);
        let gone = self.held(meant);
        self.change(move |book| book.entries.retain(|entry| !meant(entry))).await?;
        Ok(gone)
    }

    /// Begins the lease of one fault, or of all of them, anew. Gives what was renewed.
    ///
    /// # Errors
    /// Where the proxy is going down.
    pub async fn renew(self: &Arc<Self>, id: Option<usize>) -> Result<Vec<Held>, StandError> {
        let meant = move |entry: &Entry| id.is_none_or(|id| entry.id == id);
        let now = Instant::now();
        self.change(move |book| book.entries.iter_mut().filter(|it| meant(it)).for_each(|it| it.renew(now))).await?;
        Ok(self.held(meant))
    }

    /// Changes the lease of faults that are still to come and name none.
    pub fn set_lease(&self, lease: Option<Duration>) {
        *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = lease;
    }

    /// What is in force, the first to fire first.
    pub fn faults(&self) -> Vec<Held> {
        self.held(|_| true)
    }

    /// Why a fault would never fire behind those in force, if so.
    pub fn hidden(&self, fault: &Fault) -> Option<String> {
        let book = self.book();
        let hides = |entry: &Entry| {
            let first = &entry.armed.fault;
            let why = (first.host == fault.host).then(|| hides(first, fault)).flatten()?;
            Some(format!("{why} (fault {})", entry.id))
        };
        book.entries.iter().find_map(hides)
    }

    /// Whether it lets nobody in any more.
    pub fn is_leaving(&self) -> bool {
        self.hosts.iter().any(|host| host.proxy.is_leaving())
    }

    /// Who is connected, by host.
    pub fn guests(&self) -> impl Iterator<Item = (&str, Guest)> {
        self.hosts.iter().flat_map(|host| host.proxy.guests().into_iter().map(|guest| (host.name.as_str(), guest)))
    }

    /// What came by since the start, by host.
    pub fn traffic(&self) -> impl Iterator<Item = (&str, Traffic)> {
        self.hosts.iter().map(|host| (host.name.as_str(), host.proxy.traffic()))
    }

    /// How often each kind of fault fired.
    pub fn fired(&self) -> BTreeMap<Kind, u64> {
        self.ledger.kinds()
    }

    /// The firings with a greater number than `since`, as far as they are remembered.
    pub fn firings(&self, since: u64) -> Vec<Fired> {
        self.ledger.since(since)
    }

    /// Ends: nobody is let in any more, faults are lifted, messages under way may end within
    /// `limit`. See [`Proxy::drain`].
    pub async fn drain(&self, limit: Duration) {
        let all = self.hosts.iter().map(|host| host.proxy.drain(limit));
        futures_util::future::join_all(all).await;
    }

    fn lease_of(&self, origin: Origin) -> Option<Duration> {
        let lease = *self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        lease.or((origin == Origin::Control).then_some(API_LEASE))
    }

    fn held(&self, which: impl Fn(&Entry) -> bool) -> Vec<Held> {
        let now = Instant::now();
        let book = self.book();
        book.entries.iter().filter(|entry| which(entry)).map(|it| it.held(now, self.ledger.fired(it.id))).collect()
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is in force, in a task of its own: who asked for it may go away half-way.
    async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        edit: impl FnOnce(&mut Book) -> T + Send + 'static,
    ) -> Result<T, StandError> {
        let stand = Arc::clone(self);
        let task = tokio::spawn(async move { stand.change_now(edit).await });
        task.await.unwrap_or(Err(StandError::Down))
    }

    async fn change_now<T>(&self, edit: impl FnOnce(&mut Book) -> T) -> Result<T, StandError> {
        let _turn = self.turn.lock().await;
        let before = self.book().clone();
        let mut after = before.clone();
        let done = edit(&mut after);
        if after.entries.len() > MOST_FAULTS {
            return Err(StandError::TooMany);
        }
        self.ledger.learn(&after);
        self.obey(&before, &after).await?;
        self.ledger.tell(&before, &after);
        *self.book() = after;
        self.changed.send_replace(());
        Ok(done)
    }

    /// Puts the faults of `after` in force at every host, or those of `before` again.
    async fn obey(&self, before: &Book, after: &Book) -> Result<(), ProxyError> {
        for (index, host) in self.hosts.iter().enumerate() {
            if before.same_at(after, &host.name) {
                continue;
            }
            if let Err(error) = host.proxy.raise(after.of_host(&host.name)).await {
                for earlier in &self.hosts[..index] {
                    // They did hold before.
                    let _ = earlier.proxy.raise(before.of_host(&earlier.name)).await;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Lifts the faults whose lease has run out.
    async fn expire(&self) {
        let now = Instant::now();
        let gone = self.held(|entry| entry.has_run_out(now));
        if gone.is_empty() {
            return;
        }
        for fault in &gone {
            tracing::warn!(fault = fault.id, host = fault.host, "its lease ran out: {} at {}", fault.action, fault.at);
        }
        if let Err(error) = self.change_now(|book| book.entries.retain(|entry| !entry.has_run_out(now))).await {
            tracing::error!("faults whose lease ran out cannot be lifted: {error}");
        }
    }
}

/// Lifts faults as their leases run out, for as long as the stand is there.
async fn keep_leases(stand: Weak<Stand>, mut changed: watch::Receiver<()>) {
    loop {
        let next = match stand.upgrade() {
            Some(stand) => stand.book().next_end(),
            None => return,
        };
        let due = async {
            match next {
                Some(next) => tokio::time::sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            told = changed.changed() => if told.is_err() { return },
        }
        if let Some(stand) = stand.upgrade() {
            stand.expire().await;
        }
    }
}

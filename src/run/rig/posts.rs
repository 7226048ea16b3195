//! Proxies that stand by themselves: told about the faults of a phase, watched while it lasts, and
//! told to lift them.
//!
//! ```text
//!   raise ── put, with a lease ──> proxy
//!   keeper: firings ──> journal     renew at each third of the lease
//!   lift  ── delete ──> proxy       what fired until then ──> journal
//! ```
//!
//! A run that is killed leaves nothing behind: the leases run out.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use super::super::{Context, Kind, RunError};
use crate::plan::Plan;
use crate::proxy::remote::{Remote, RemoteError};
use crate::proxy::standing::{RunState, Since};
use crate::record::{Event, Firing, Journal, RunId, TlsEnded};
use crate::scenario::Proxy;
use crate::scenario::standing::as_json;

/// How often a proxy is asked what has fired.
const LOOKS: Duration = Duration::from_millis(250);

/// Every control API that the scenario names.
pub(super) struct Posts(Vec<Post>);

/// One control API, and the hosts that it speaks for.
struct Post {
    hosts: Vec<String>,
    remote: Remote,
    lease: Duration,
    active: Mutex<Option<Active>>,
}

/// Faults in force.
struct Active {
    watch: Arc<Mutex<Watch>>,
    keeper: JoinHandle<()>,
}

impl Drop for Active {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// What is known of the faults in force.
struct Watch {
    /// Indices over the scenario, by the proxy's numbers.
    faults: BTreeMap<usize, usize>,
    since: Since,
    tls_ended: BTreeMap<String, u64>,
    lost: bool,
}

impl Posts {
    /// Tries every control API before anything is sent. Gives what a reader should know.
    ///
    /// # Errors
    /// Where one cannot be asked, does not take the token, stands before other hosts, or has faults of
    /// another run in force.
    pub(super) async fn reach(plan: &Plan, context: &Context) -> Result<(Self, Vec<String>), RunError> {
        let mut groups: IndexMap<&str, Vec<&Proxy>> = IndexMap::new();
        for proxy in plan.scenario.proxies.values() {
            groups.entry(proxy.control.trim_end_matches('/')).or_default().push(proxy);
        }
        let (mut posts, mut remarks) = (vec![], vec![]);
        for (control, proxies) in groups {
            let post = Post::new(control, &proxies, context).await?;
            remarks.extend(post.tried(control, plan).await?);
            posts.push(post);
        }
        Ok((Self(posts), remarks))
    }

    /// Whether the faults of a host are told to a proxy that stands by itself.
    pub(super) fn hold(&self, host: &str) -> bool {
        self.0.iter().any(|post| post.speaks_for(host))
    }

    /// Puts the faults of phase `index` in force.
    ///
    /// # Errors
    /// Where a proxy cannot or does not want to.
    pub(super) async fn raise(&self, plan: &Plan, index: usize, journal: &Journal) -> Result<(), RunError> {
        for post in &self.0 {
            post.raise(plan, index, journal).await?;
        }
        Ok(())
    }

    /// Lifts what is in force, and notes what has fired until then.
    pub(super) async fn lift(&self, run: &RunId, journal: &Journal) {
        futures_util::future::join_all(self.0.iter().map(|post| post.lift(run, journal))).await;
    }
}

impl Post {
    async fn new(control: &str, proxies: &[&Proxy], context: &Context) -> Result<Self, RunError> {
        let token = proxies.iter().find_map(|proxy| proxy.token.as_ref());
        let token = match token {
            Some(secret) => context.environment.secret(secret).await.map(Some),
            None => Ok(None),
        };
        let token = token.map_err(|error| {
            RunError::new(Kind::Usage, format!("the token for the control API at {control} cannot be had: {error}"))
        })?;
        let remote = Remote::new(control, token, context.roots()).map_err(|error| refused(&error))?;
        let lease = proxies.iter().map(|proxy| proxy.lease).min().unwrap_or(Duration::from_secs(30));
        let hosts = proxies.iter().map(|proxy| proxy.host.value.clone()).collect();
        Ok(Self { hosts, remote, lease, active: Mutex::default() })
    }

    fn speaks_for(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| known == host)
    }

    /// Whether it can be told; and faults that others have put there.
    async fn tried(&self, control: &str, plan: &Plan) -> Result<Vec<String>, RunError> {
        let there = self.remote.hosts().await.map_err(|error| refused(&error))?;
        if let Some(missing) = self.hosts.iter().find(|host| !there.contains(*host)) {
            let what = format!("the standing proxy at {control} does not stand before `{missing}`");
            let known: Vec<&str> = there.iter().map(String::as_str).collect();
            let help =
                format!("it stands before {}: start it with `--host {missing}`", crate::source::and_list(&known));
            return Err(RunError::new(Kind::Usage, what).help(help));
        }
        let held = self.remote.in_force().await.map_err(|error| refused(&error))?;
        let mut remarks = vec![];
        for fault in held.into_iter().filter(|fault| self.speaks_for(&fault.host)) {
            match fault.run {
                Some(other) if other != plan.run.as_str() => {
                    let what = format!("faults of the run {other} are in force at `{}`", fault.host);
                    let help = "wait until it is over, or lift them: DELETE /v1/runs/".to_owned() + &other;
                    return Err(RunError::new(Kind::Unreachable, what).help(help));
                }
                _ => remarks.push(format!(
                    "the standing proxy before `{}` has a fault that is not of this run: {}",
                    fault.host, fault.text
                )),
            }
        }
        Ok(remarks)
    }

    async fn raise(&self, plan: &Plan, index: usize, journal: &Journal) -> Result<(), RunError> {
        let scenario = &plan.scenario;
        let own = scenario.faults().enumerate();
        let own = own.filter(|(_, (phase, fault))| *phase == index && self.speaks_for(&fault.host.value));
        let faults: Vec<_> =
            own.filter_map(|(at, (_, fault))| Some((at, as_json(&scenario.source, fault.span)?))).collect();
        if faults.is_empty() {
            return Ok(());
        }
        let put = self.remote.put(&plan.run, plan.seed, self.lease, &faults).await.map_err(|error| refused(&error))?;
        let numbers = put.faults.iter().copied().zip(faults.iter().map(|(at, _)| *at)).collect();
        let watch = Watch { faults: numbers, since: put.last, tls_ended: put.tls_ended, lost: false };
        let watch = Arc::new(Mutex::new(watch));
        let keeper = keep(self.remote.clone(), plan.run.clone(), self.lease, Arc::clone(&watch), journal.clone());
        *self.active.lock().await = Some(Active { watch, keeper: tokio::spawn(keeper) });
        Ok(())
    }

    async fn lift(&self, run: &RunId, journal: &Journal) {
        let Some(active) = self.active.lock().await.take() else { return };
        active.keeper.abort();
        let lifted = match self.remote.lift(run).await {
            // Once more: one lost packet must not leave a broken host behind.
            Err(RemoteError::Unreachable { .. }) => self.remote.lift(run).await,
            other => other,
        };
        let mut watch = active.watch.lock().await;
        match lifted {
            Ok(faults) => watch.compare(&faults, journal),
            Err(error) => {
                let text = format!("{error}; its faults lift themselves within {:?}", self.lease);
                journal.note(Event::Warning { text });
            }
        }
        match self.remote.state(run, watch.since).await {
            Ok(state) => watch.learn(&state, journal),
            Err(error) => watch.lose(&error.to_string(), journal),
        }
    }
}

/// Notes what fires, and renews the leases, for as long as it is not ended.
async fn keep(remote: Remote, run: RunId, lease: Duration, watch: Arc<Mutex<Watch>>, journal: Journal) {
    let mut looks = tokio::time::interval(LOOKS.min(lease / 4));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut renewed, mut tried) = (Instant::now(), Instant::now());
    loop {
        looks.tick().await;
        if tried.elapsed() >= lease / 3 {
            tried = Instant::now();
            match remote.renew(&run).await {
                Ok(()) => renewed = tried,
                // It may be back before the lease is over.
                Err(RemoteError::Unreachable { .. }) if renewed.elapsed() < lease => {}
                Err(error) => return watch.lock().await.lose(&error.to_string(), &journal),
            }
        }
        // Locked while it is asked: nothing is noted twice.
        let mut watch = watch.lock().await;
        if let Ok(state) = remote.state(&run, watch.since).await {
            watch.compare(&state.faults, &journal);
            watch.learn(&state, &journal);
        }
    }
}

impl Watch {
    /// Notes what is new.
    fn learn(&mut self, state: &RunState, journal: &Journal) {
        if state.missed > 0 {
            let forgotten = "more has fired at the standing proxy than it remembers: not every firing is known";
            self.lose(forgotten, journal);
        }
        for (host, count) in &state.tls_ended {
            if self.tls_ended.get(host).copied().unwrap_or(0) < *count {
                // On which connection that was, only the proxy knows.
                journal.note(Event::TlsEnded(TlsEnded { host: host.clone(), tag: None, connection: 0 }));
            }
        }
        for fired in &state.firings {
            let Some(fault) = self.faults.get(&fired.fault).copied() else { continue };
            journal.note(Event::Fired(Firing {
                fault,
                tag: fired.tag.clone(),
                connection: fired.connection,
                client: fired.client.clone(),
                stage: fired.stage,
                command: fired.command.clone(),
            }));
        }
        for seen in &state.bare_line_ends {
            journal.note(Event::BareLineEnds(seen.clone()));
        }
        self.tls_ended.clone_from(&state.tls_ended);
        self.since = state.last;
    }

    /// Whether all of them are in force.
    fn compare(&mut self, in_force: &[usize], journal: &Journal) {
        if self.faults.keys().any(|fault| !in_force.contains(fault)) {
            self.lose("the standing proxy has lifted faults of this run before its phase was over", journal);
        }
    }

    /// The faults may not be in force any more. Said once.
    fn lose(&mut self, why: &str, journal: &Journal) {
        if std::mem::replace(&mut self.lost, true) {
            return;
        }
        for fault in self.faults.values() {
            journal.note(Event::FaultLost { fault: *fault, why: why.to_owned() });
        }
    }
}

fn refused(error: &RemoteError) -> RunError {
    let (kind, help) = match error {
        RemoteError::Unreachable { .. } => (Kind::Unreachable, "start the proxy with `--control`, or mend its address"),
        RemoteError::Refused { .. } => (Kind::Usage, "give the proxy's own token: `token: { env: NAME }`"),
        RemoteError::Cannot { .. } => (Kind::Unreachable, "look at the proxy's log"),
        RemoteError::Gone { .. } => (Kind::Unreachable, "see who else uses the proxy"),
        RemoteError::Foreign { .. } => (Kind::Unreachable, "use the same version of mxdrill on both sides"),
    };
    RunError::new(kind, error).help(help)
}

//! The doors through which clients come, one a front.
//!
//! ```text
//!           ┌── refuse ──> Refusing ──┐      closed, the port kept
//!   Open ───┤                         ├──> Open again
//!           ├─ drop-syn ─> Dropping ──┤      listening, its queue full of our own connections
//!           └─ by nft ───> Filtering ─┘      listening, behind a rule of nftables
//! ```
//!
//! `refuse` and `drop-syn` act before a connection is accepted, so that only time can trigger
//! them: a task opens and shuts the doors when a window begins or ends.

mod door;
mod filter;
mod saturate;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex as Blocking, PoisonError};

use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::rules::Rules;
use super::settings::{Front, ProxyError};
use super::shared::Shared;
use crate::scenario::fault::{Action, Dropping};
use door::{Door, Mode};
pub(super) use filter::can_filter;

/// All doors of a proxy.
#[derive(Debug)]
pub(super) struct Doors {
    doors: Arc<Mutex<Vec<Door>>>,
    shared: Arc<Shared>,
    /// Opens and shuts doors when a window begins or ends.
    porter: Blocking<Option<JoinHandle<()>>>,
}

impl Doors {
    /// Opens a door for every front.
    pub(super) fn open(shared: &Arc<Shared>, fronts: &[Front]) -> Result<(Self, Vec<SocketAddr>), ProxyError> {
        let open = |front: &Front| Door::open(shared, front.clone());
        let doors: Vec<Door> = fronts.iter().map(open).collect::<Result<_, _>>()?;
        let addresses = doors.iter().map(Door::address).collect();
        let doors = Arc::new(Mutex::new(doors));
        Ok((Self { doors, shared: Arc::clone(shared), porter: Blocking::default() }, addresses))
    }

    /// Makes the doors what the rules say, now and whenever a window begins or ends.
    pub(super) async fn obey(&self, rules: &Arc<Rules>) -> Result<(), ProxyError> {
        self.dismiss();
        settle(&self.doors, rules).await?;
        if next_change(rules, Instant::now()).is_some() {
            let porter = keep_settled(Arc::clone(&self.doors), Arc::clone(rules), Arc::clone(&self.shared));
            *self.porter() = Some(tokio::spawn(porter));
        }
        Ok(())
    }

    /// Shuts them for good, once those who wait before them are let in.
    pub(super) async fn leave(&self) {
        self.dismiss();
        for mut door in self.doors.lock().await.drain(..) {
            door.leave().await;
        }
    }

    /// Shuts them for good.
    pub(super) async fn close(&self) {
        self.dismiss();
        self.doors.lock().await.clear();
    }

    fn dismiss(&self) {
        if let Some(porter) = self.porter().take() {
            porter.abort();
        }
    }

    fn porter(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.porter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.dismiss();
    }
}

async fn settle(doors: &Mutex<Vec<Door>>, rules: &Rules) -> Result<(), ProxyError> {
    let now = Instant::now();
    let mut doors = doors.lock().await;
    for door in doors.iter_mut() {
        let mode = mode(rules, door.front(), now);
        door.become_(mode).await?;
    }
    Ok(())
}

/// What the first fault in file order whose window is open makes of a door.
fn mode(rules: &Rules, front: &Front, now: Instant) -> Mode {
    let fault = rules.before_accept().find(|rule| rule.fault().covers(front.address) && rule.in_window(now));
    match fault.map(|rule| (rule.action(), rule.index())) {
        Some((Action::DropSyn(Dropping::Nft), index)) => Mode::Filtering(index),
        Some((Action::DropSyn(Dropping::Queue), _)) => Mode::Dropping,
        Some(_) => Mode::Refusing,
        None => Mode::Open,
    }
}

fn next_change(rules: &Rules, now: Instant) -> Option<Instant> {
    let edges = rules.before_accept().flat_map(|rule| {
        let (start, end) = rule.window();
        [Some(start), end]
    });
    edges.flatten().filter(|edge| *edge > now).min()
}

async fn keep_settled(doors: Arc<Mutex<Vec<Door>>>, rules: Arc<Rules>, shared: Arc<Shared>) {
    while let Some(next) = next_change(&rules, Instant::now()) {
        tokio::time::sleep_until(next).await;
        if let Err(error) = settle(&doors, &rules).await {
            shared.warn(&error.to_string());
        }
    }
}

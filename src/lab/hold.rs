//! A host that takes mail for another and keeps it until that one takes it: a backup with a spool.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;

use super::hop::{self, Handed};
use super::host::{Copy, Host, Next};
use super::ledger::{Flight, count};
use super::onward::Onward;
use crate::mail::{Reply, Severity};
use crate::record::Handling;
use crate::smtp::server::{Answer, Envelope, Message, Policy};

/// The most that one spool holds, in KiB.
const SPOOL: usize = 256 * 1024;
/// How many copies are tried at the same time.
const AT_ONCE: usize = 16;
/// The most changes of state that are noted of one copy.
const MAX_NOTES: usize = 20;

/// A spool: where sessions put copies, and where its worker takes them from.
#[derive(Debug)]
pub(super) struct Spool {
    room: Arc<Semaphore>,
    copies: mpsc::UnboundedSender<Held>,
}

/// A copy that waits.
#[derive(Debug)]
pub(super) struct Held {
    copy: Copy,
    envelope: Envelope,
    message: Vec<u8>,
    _flight: Flight,
    _room: OwnedSemaphorePermit,
}

impl Spool {
    /// An empty spool and the end of it that [`work_off`] takes.
    pub(super) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<Held>) {
        let (copies, waiting) = mpsc::unbounded_channel();
        (Arc::new(Self { room: Arc::new(Semaphore::new(SPOOL)), copies }), waiting)
    }
}

/// The policy of one session.
pub(super) struct Hold {
    pub(super) host: Arc<Host>,
    pub(super) spool: Arc<Spool>,
}

impl Policy for Hold {
    async fn message(&mut self, envelope: &Envelope, message: Message) -> Answer {
        self.take(envelope, message)
    }
}

impl Hold {
    /// Puts a copy into the spool.
    pub(super) fn take(&self, envelope: &Envelope, message: Message) -> Answer {
        let full = || Answer::Say(Reply::new(452, "4.3.1 the spool is full"));
        let kibibytes = u32::try_from(message.bytes.len() / 1024 + 1).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.spool.room).try_acquire_many_owned(kibibytes) else { return full() };
        let flight = self.host.take_off();
        let copy = self.host.receive(envelope, &message.bytes);
        let message = self.host.traced(envelope, &copy, &message.bytes);
        let id = copy.id.clone();
        count(&self.host.tally.taken);
        self.host.note(&copy, Handling::Took, &Next::default(), &Host::queued(&copy));
        let held = Held { copy, envelope: envelope.clone(), message, _flight: flight, _room: room };
        // It fails only while the lab goes down.
        if self.spool.copies.send(held).is_err() { full() } else { Answer::Queued(id) }
    }
}

/// Tries every copy of the spool until a next hop takes it, each `retry` after its last try.
pub(super) async fn work_off(
    host: Arc<Host>,
    onward: Onward,
    retry: Duration,
    mut waiting: mpsc::UnboundedReceiver<Held>,
) {
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let onward = Arc::new(onward);
    let mut copies = JoinSet::new();
    while let Some(held) = waiting.recv().await {
        while copies.try_join_next().is_some() {}
        let (host, onward, at_once) = (Arc::clone(&host), Arc::clone(&onward), Arc::clone(&at_once));
        copies.spawn(async move { deliver(&host, &onward, retry, &at_once, &held).await });
    }
}

async fn deliver(host: &Host, onward: &Onward, retry: Duration, at_once: &Semaphore, held: &Held) {
    let mut noted: Vec<String> = vec![];
    for round in 1.. {
        if let Some((handling, next, address, reply)) = round_of(host, onward, at_once, held, round, &mut noted).await {
            host.note(&held.copy, handling, &Next { host: Some(&next), address: Some(address) }, &reply);
            count(if handling == Handling::Relayed { &host.tally.relayed } else { &host.tally.bounced });
            return;
        }
        tokio::time::sleep(retry).await;
    }
}

/// Tries every next hop once, until one takes the copy or refuses it for good.
async fn round_of(
    host: &Host,
    onward: &Onward,
    at_once: &Semaphore,
    held: &Held,
    round: u64,
    noted: &mut Vec<String>,
) -> Option<(Handling, String, SocketAddr, Reply)> {
    let _turn = at_once.acquire().await;
    let hops = match onward.hops(host, held.copy.tags.first(), &held.envelope, round).await {
        Ok(hops) => hops,
        Err(why) => {
            defer(host, held, &Next::default(), &Reply::new(451, format!("4.4.3 {why}")), noted);
            return None;
        }
    };
    for next in hops {
        let handed = hop::hand_over(host, &next, held.copy.tags.first(), &held.envelope, &held.message).await;
        let (address, reply) = match handed {
            Handed::Took(address, reply) => return Some((Handling::Relayed, next, address, reply)),
            Handed::Refused(address, reply) if reply.severity() == Severity::Permanent => {
                return Some((Handling::Bounced, next, address, reply));
            }
            Handed::Refused(address, reply) => (Some(address), reply),
            Handed::Unreachable(why) => (None, Reply::new(451, format!("4.4.1 {why}"))),
        };
        defer(host, held, &Next { host: Some(&next), address }, &reply, noted);
    }
    None
}

/// Notes that a next hop did not take the copy for now: only what changed, or a spool that waits
/// for hours fills the journal.
fn defer(host: &Host, held: &Held, next: &Next<'_>, reply: &Reply, noted: &mut Vec<String>) {
    let state = format!("{} {reply}", next.host.unwrap_or_default());
    if !noted.contains(&state) && noted.len() < MAX_NOTES {
        host.note(&held.copy, Handling::Deferred, next, reply);
        noted.push(state);
    }
}

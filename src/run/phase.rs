//! One phase: faults on, probes sent, evidence gathered until settled, faults off.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::RunError;
use super::rig::Rig;
use super::wait::{Patience, Watcher};
use crate::plan::PlannedPhase;
use crate::record::{Event, SentState};
use crate::send::{BETWEEN_LOOKS, Outgoing, RelayMta};

/// Senders begin a little later than their phase: for so long they may yet say that they give up.
const LAST_WORD: Duration = Duration::from_millis(300);

/// Plays phase `index` of the scenario.
///
/// # Errors
/// Where a fault cannot be raised on this system.
pub(super) async fn play(rig: &Rig, index: usize) -> Result<(), RunError> {
    let phase = &rig.plan.phases[index];
    rig.journal.note(Event::PhaseStarted { phase: index });
    let relays = rig.relays(index);
    if index > 0 && !phase.probes.is_empty() {
        for relay in &relays {
            relay.forget().await;
        }
    }
    rig.publish(index)?;
    rig.raise(index).await?;
    let enough = CancellationToken::new();
    let mut senders = send(rig, phase, &enough);
    let mut watcher = Watcher::new(&rig.plan, index, &rig.journal);
    let patience = patience(rig, phase);
    let settled = async {
        tokio::select! {
            () = watcher.until_settled(&patience) => {}
            () = all(&mut senders) => watcher.until_settled(&patience).await,
        }
    };
    tokio::select! {
        () = settled => {}
        () = look_into_queues(&relays) => {}
    }
    enough.cancel();
    all(&mut senders).await;
    for relay in &relays {
        relay.look().await;
    }
    rig.look().await;
    rig.lift(index).await;
    rig.journal.note(Event::PhaseEnded { phase: index });
    Ok(())
}

/// Looks into the queues of the MTAs under test, again and again; never ends.
async fn look_into_queues(relays: &[RelayMta]) {
    let mut again = tokio::time::interval(BETWEEN_LOOKS);
    again.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        again.tick().await;
        for relay in relays {
            relay.look().await;
        }
    }
}

async fn all(senders: &mut JoinSet<SentState>) {
    while senders.join_next().await.is_some() {}
}

/// How long the phase waits. Probes leave one after another where there is a pace, so the last
/// one's deadline is what counts.
fn patience(rig: &Rig, phase: &PlannedPhase) -> Patience {
    let pace = interval(rig, phase) * phase.probes.len() as u32;
    let rounds = rounds(phase.probes.len(), width(rig, phase));
    let deadline = Instant::now() + pace + phase.within * rounds + LAST_WORD;
    Patience { deadline, watch: phase.watch, in_flight: rig.in_flight() }
}

/// The time from one probe to the next: what the phase states, else what the scenario allows.
fn interval(rig: &Rig, phase: &PlannedPhase) -> Duration {
    let scenario = &rig.plan.scenario;
    let stated = scenario.phases[phase.index].probes.as_ref().and_then(|it| it.interval);
    stated.or(scenario.limits.interval.as_ref().map(|limit| limit.value)).unwrap_or_default()
}

/// How many times `width` probes go into `probes`: where fewer may be under way than there are,
/// the last ones begin only when the first ones ended.
fn rounds(probes: usize, width: usize) -> u32 {
    u32::try_from(probes.div_ceil(width.max(1)).max(1)).unwrap_or(u32::MAX)
}

fn width(rig: &Rig, phase: &PlannedPhase) -> usize {
    let stated = rig.plan.scenario.phases[phase.index].probes.as_ref().and_then(|it| it.at_once);
    stated.map_or(rig.jobs, |at_once| rig.jobs.min(at_once as usize)).max(1)
}

/// Sends the phase's own probes, each by a task of its own: at its time where there is a pace, and
/// no more at once than may be.
fn send(rig: &Rig, phase: &PlannedPhase, enough: &CancellationToken) -> JoinSet<SentState> {
    let interval = interval(rig, phase);
    let gate = Arc::new(Semaphore::new(width(rig, phase)));
    let mut senders = JoinSet::new();
    for (position, probe) in phase.probes.iter().enumerate() {
        let Some(sender) = rig.sender(&probe.sender) else { continue };
        let start = Instant::now() + interval * position as u32;
        let (probe, maker, within, index) = (probe.clone(), rig.maker(), phase.within, phase.index);
        let (gate, enough) = (Arc::clone(&gate), enough.clone());
        senders.spawn(async move {
            tokio::time::sleep_until(start).await;
            match maker.probe(index, &probe, within) {
                Some(mail) => sender.deliver(&Outgoing { gate, enough, ..mail }).await,
                None => SentState::Bounced,
            }
        });
    }
    senders
}

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
use crate::send::Outgoing;

/// Senders begin a little later than their phase: for so long they may yet say that they give up.
const LAST_WORD: Duration = Duration::from_millis(300);

/// Plays phase `index` of the scenario.
///
/// # Errors
/// Where a fault cannot be raised on this system.
pub(super) async fn play(rig: &Rig, index: usize) -> Result<(), RunError> {
    let phase = &rig.plan.phases[index];
    rig.journal.note(Event::PhaseStarted { phase: index });
    rig.publish(index)?;
    rig.raise(index).await?;
    let enough = CancellationToken::new();
    let mut senders = send(rig, phase, &enough);
    let mut watcher = Watcher::new(&rig.plan, index, &rig.journal);
    let patience = patience(rig, phase);
    tokio::select! {
        () = watcher.until_settled(&patience) => {}
        () = all(&mut senders) => watcher.until_settled(&patience).await,
    }
    enough.cancel();
    all(&mut senders).await;
    rig.look().await;
    rig.lift(index).await;
    rig.journal.note(Event::PhaseEnded { phase: index });
    Ok(())
}

async fn all(senders: &mut JoinSet<SentState>) {
    while senders.join_next().await.is_some() {}
}

/// How long the phase waits. Probes leave one after another where there is a pace, so the last
/// one's deadline is what counts.
fn patience(rig: &Rig, phase: &PlannedPhase) -> Patience {
    let stated = rig.plan.scenario.phases[phase.index].probes.as_ref();
    let pace = stated.and_then(|it| it.interval).unwrap_or_default() * phase.probes.len() as u32;
    let rounds = rounds(phase.probes.len(), width(rig, phase));
    let deadline = Instant::now() + pace + phase.within * rounds + LAST_WORD;
    Patience { deadline, watch: phase.watch, in_flight: rig.in_flight() }
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
    let stated = rig.plan.scenario.phases[phase.index].probes.as_ref();
    let interval = stated.and_then(|it| it.interval).unwrap_or_default();
    let gate = Arc::new(Semaphore::new(width(rig, phase)));
    let mut senders = JoinSet::new();
    for (position, probe) in phase.probes.iter().enumerate() {
        let Some(sender) = rig.sender(&probe.sender) else { continue };
        let start = Instant::now() + interval * position as u32;
        let (probe, maker, within) = (probe.clone(), rig.maker(), phase.within);
        let (gate, enough) = (Arc::clone(&gate), enough.clone());
        senders.spawn(async move {
            tokio::time::sleep_until(start).await;
            match maker.outgoing(
                &probe.tag,
                u64::from(probe.number),
                &probe.reverse_path,
                &probe.recipient,
                probe.size,
                within,
            ) {
                Some(mail) => sender.deliver(&Outgoing { gate, enough, ..mail }).await,
                None => SentState::Bounced,
            }
        });
    }
    senders
}

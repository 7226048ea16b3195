//! What all connections of one proxy share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::counts::{Commands, Smuggled};
use super::live::Live;
use super::rules::{PhaseOf, Rules, Serves};
use super::{Limits, Ours, Settings, Termination};
use crate::record::{Event, Journal};
use crate::terms::Smuggling;
use crate::world::{Callers, Dice};

/// The settings, what is in force, and who is connected.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) host: Arc<str>,
    pub(super) ours: Ours,
    pub(super) callers: Callers,
    pub(super) dice: Dice,
    pub(super) journal: Journal,
    pub(super) limits: Limits,
    pub(super) phase_of: Option<PhaseOf>,
    pub(super) tls: Option<Termination>,
    pub(super) rules: watch::Sender<Arc<Rules>>,
    pub(super) live: Arc<Live>,
    pub(super) commands: Commands,
    pub(super) smuggling: Smuggling,
    pub(super) smuggled: Smuggled,
    unreachable: AtomicBool,
}

impl Shared {
    pub(super) fn new(settings: &Settings) -> Arc<Self> {
        Arc::new(Self {
            host: Arc::clone(&settings.host),
            ours: settings.ours.clone(),
            callers: settings.callers.clone(),
            dice: settings.dice,
            journal: settings.journal.clone(),
            limits: settings.limits,
            phase_of: settings.phase_of.clone(),
            tls: settings.tls.clone(),
            rules: watch::Sender::new(Arc::default()),
            live: Arc::new(Live::new(settings.limits.connections)),
            commands: Commands::default(),
            smuggling: settings.smuggling,
            smuggled: Smuggled::default(),
            unreachable: AtomicBool::new(false),
        })
    }

    pub(super) fn serves(&self) -> Serves {
        match self.ours {
            Ours::Run(_) => Serves::Run,
            Ours::AnyProbe => Serves::Anybody,
        }
    }

    /// By what others on this machine may know it.
    pub(super) fn name(&self) -> String {
        match &self.ours {
            Ours::Run(run) => run.to_string(),
            Ours::AnyProbe => format!("pid{}", std::process::id()),
        }
    }

    /// Notes what a reader should know.
    pub(super) fn warn(&self, text: &str) {
        self.journal.note(Event::Warning { text: format!("proxy before `{}`: {text}", self.host) });
    }

    /// Notes that the upstream could not be reached, once until it could be again.
    pub(super) fn unreachable(&self, text: &str) {
        if !self.unreachable.swap(true, Ordering::Relaxed) {
            self.warn(text);
        }
    }

    /// The upstream was reached.
    pub(super) fn reached(&self) {
        if self.unreachable.load(Ordering::Relaxed) {
            self.unreachable.store(false, Ordering::Relaxed);
        }
    }
}

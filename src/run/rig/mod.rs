//! What a drill needs around it: up, and down again whatever happens.
//!
//! ```text
//!   ground    who stands where: the lab's hosts, or what DNS says of the hosts that faults name
//!   names     the lab's authority, or the system's resolver
//!   fronts    a fault proxy before each host that a fault names or that is real
//!   posts     proxies that stand by themselves, which are told about faults
//!   hosts     the lab's embedded servers, at their places or behind their proxies
//!   collect   a collector for each place where mail can land
//!   senders   the ways in
//! ```
//!
//! Each part is dropped, and with it ended, where a later one cannot be set up.

mod collectors;
mod faults;
mod ground;
mod logins;
mod maker;
mod posts;
mod publish;
mod senders;

use std::sync::Arc;

use tokio::sync::watch;

use super::{Context, Kind, RunError};
use crate::classes::SenderClass;
use crate::collect::{Collecting, Since};
use crate::dns::{Authority, Lookups};
use crate::inventory::Role;
use crate::lab::{Ground, Keep, Lab, Outbound, Policies, Setting};
use crate::plan::SharedPlan;
use crate::record::{Event, Journal, RunStarted};
use crate::scenario::LabHostKind;
use crate::send;
use crate::world::{Dialer, Dice};
pub(super) use collectors::open as open_collectors;
use faults::Front;
use ground::Places;
use posts::Posts;
use senders::{Making, Senders};

/// Everything that is up.
pub(super) struct Rig {
    pub(super) plan: SharedPlan,
    pub(super) journal: Journal,
    pub(super) jobs: usize,
    senders: Senders,
    fronts: Vec<Front>,
    posts: Posts,
    collectors: Vec<Collecting>,
    lab: Option<Lab>,
    policies: Option<Policies>,
    authority: Option<Authority>,
    /// Holds the lab's addresses against other labs of this machine.
    _ground: Option<Ground>,
}

impl Rig {
    /// Brings up what the plan needs, and begins the journal.
    ///
    /// # Errors
    /// What cannot be had, where, and what to do. Everything that was up is down again.
    pub(super) async fn up(plan: &SharedPlan, context: &Context, journal: &Journal) -> Result<Self, RunError> {
        let (posts, remarks) = Posts::reach(plan, context).await?;
        let ground = match &plan.scenario.lab {
            Some(lab) => Some(Ground::plan(lab).map_err(|error| RunError::new(Kind::Harness, error))?),
            None => None,
        };
        let (authority, names) = ground::names(plan, context, ground.as_ref()).await?;
        let places = ground::places(plan, names.as_ref(), ground.as_ref()).await?;
        begin(plan, context, journal, &places);
        remarks.into_iter().for_each(|text| journal.note(Event::Warning { text }));
        let dialer = Dialer::default();
        let certificates = ground::certificates()?;
        let dice = Dice::new(plan.seed);
        let (fronts, listeners) = faults::fronts(plan, &places, &dialer, dice, &certificates, journal).await?;
        let logins = logins::of_lab(plan, context, dice).await?;
        let setting = Setting {
            run: plan.run.clone(),
            journal: journal.clone(),
            dialer: dialer.clone(),
            authority: Arc::clone(&certificates),
            platforms: ground::platforms(plan),
            addresses: places.own(),
            timeouts: plan.scenario.timeouts.clone(),
            outbound: Outbound { logins: logins.clone(), names: Some(Arc::clone(&names)), dice },
            keep: Keep::Newest,
        };
        let policies = ground::policies(plan, ground.as_ref(), &certificates, &dialer)?;
        let lab = ground::hosts(plan, setting, listeners)?;
        let collectors = collectors::open(plan, context, &names, journal, Since::Opening).await?;
        let trust = context.trust(plan.scenario.lab.is_some().then(|| certificates.certificate()));
        let class = SenderClass::default();
        let waits = plan.scenario.waits(class);
        let (journal_of, helo) = (journal.clone(), context.helo.clone());
        let settings =
            send::Settings { names, dialer, journal: journal_of, dice, class, waits, helo, trust, policies: None };
        let lab_hosts = plan.scenario.lab.iter().flat_map(|lab| lab.hosts.keys());
        let lab_places =
            lab_hosts.filter_map(|host| Some((host.clone(), places.own().get(host)?.first()?.to_string())));
        let lab_places = lab_places.collect();
        let senders = Senders::new(Making { plan, context, settings, logins: &logins, lab: lab_places }).await?;
        Ok(Self {
            plan: Arc::clone(plan),
            journal: journal.clone(),
            jobs: context.jobs,
            senders,
            fronts,
            posts,
            collectors,
            lab,
            policies,
            authority,
            _ground: ground,
        })
    }

    /// How many copies the lab still holds; none where it does not know of every copy.
    pub(super) fn in_flight(&self) -> Option<watch::Receiver<usize>> {
        let scenario = &self.plan.scenario;
        let watched = scenario.inventory.platforms.values().all(|it| it.collectors.is_empty());
        (scenario.accounts_for_every_copy() && watched).then(|| self.lab.as_ref().map(Lab::in_flight)).flatten()
    }

    /// Whether every copy in the lab is accounted for.
    pub(super) fn nothing_in_flight(&self) -> bool {
        self.in_flight().is_some_and(|copies| *copies.borrow() == 0)
    }

    /// Whether somebody looks for mail at a platform.
    pub(super) fn watches(&self, platform: &str) -> bool {
        let scenario = &self.plan.scenario;
        let Some(platform) = scenario.inventory.platforms.get(platform) else { return false };
        let stores = scenario.lab.as_ref().is_some_and(|lab| {
            platform
                .hosts
                .iter()
                .filter_map(|host| lab.hosts.get(&host.value))
                .any(|it| matches!(it.kind, LabHostKind::Store))
        });
        platform.role != Role::Transit && (stores || !platform.collectors.is_empty())
    }

    /// Has every collector look once more, so that what is there is in the journal. A collector
    /// that cannot says so there itself.
    pub(super) async fn look(&self) {
        for collector in &self.collectors {
            if let Err(error) = collector.look().await {
                tracing::warn!("{error}");
            }
        }
    }

    /// Takes everything down, faults first.
    pub(super) async fn down(self) {
        for front in &self.fronts {
            front.lift().await;
        }
        self.posts.lift(&self.plan.run, &self.journal).await;
        for front in self.fronts {
            front.down().await;
        }
        for collector in self.collectors {
            collector.close().await;
        }
        if let Some(lab) = self.lab {
            lab.down().await;
        }
        if let Some(authority) = self.authority {
            authority.down().await;
        }
    }
}

/// The first line of the journal.
fn begin(plan: &SharedPlan, context: &Context, journal: &Journal, places: &Places) {
    journal.note(Event::RunStarted(Box::new(RunStarted {
        run: plan.run.clone(),
        seed: plan.seed,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command: context.command.clone(),
        path: plan.scenario.source.name.to_string(),
        text: plan.scenario.source.text.to_string(),
        inventory: context.inventory.clone(),
        standing: places.standing(plan),
    })));
}

/// Names and the door to them.
type Names = Arc<dyn Lookups>;

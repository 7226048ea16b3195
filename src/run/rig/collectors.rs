//! Looking where mail can land.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

use super::super::{Context, Kind, RunError};
use super::Names;
use crate::collect::{self, CollectError, Collecting, Resolve, Since, Watching};
use crate::plan::Plan;
use crate::record::{Journal, RunId};

/// Opens every collector of the inventory. The lab's stores speak for themselves.
///
/// # Errors
/// Which one cannot look, why, and what to do.
pub(in super::super) async fn open(
    plan: &Plan,
    context: &Context,
    names: &Names,
    journal: &Journal,
    since: Since,
) -> Result<Vec<Collecting>, RunError> {
    let given = given(context, names, journal, &plan.run, since);
    let mut open = vec![];
    for watching in all(plan) {
        open.push(collect::open(watching, given.clone()).await.map_err(blind)?);
    }
    Ok(open)
}

/// What every collector is given.
pub(in super::super) fn given(
    context: &Context,
    names: &Names,
    journal: &Journal,
    run: &RunId,
    since: Since,
) -> collect::Context {
    collect::Context {
        run: run.clone(),
        journal: journal.clone(),
        environment: context.environment.clone(),
        roots: context.roots(),
        resolve: Arc::new(ByLookup(Arc::clone(names))),
        since,
    }
}

/// Every collector of the plan's inventory.
pub(in super::super) fn all(plan: &Plan) -> impl Iterator<Item = Watching> {
    plan.scenario.inventory.platforms.values().flat_map(|platform| {
        let only = match platform.hosts.as_slice() {
            [one] => Some(Arc::from(one.value.as_str())),
            _ => None,
        };
        platform.collectors.iter().map(move |collector| Watching {
            platform: Arc::from(platform.name.value.as_str()),
            collector: Arc::new(collector.value.clone()),
            host: only.clone(),
        })
    })
}

/// A place that cannot be looked at.
fn blind(error: CollectError) -> RunError {
    let said = RunError::new(Kind::Unreachable, &error);
    match error.help {
        Some(help) => said.help(help),
        None => said,
    }
}

/// Names of collectors through the run's door to DNS.
struct ByLookup(Names);

#[async_trait]
impl Resolve for ByLookup {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, String> {
        match self.0.addresses(host).await {
            Ok(found) if found.is_empty() => Err("it has no address".to_owned()),
            Ok(found) => Ok(found),
            Err(error) => Err(error.to_string()),
        }
    }
}

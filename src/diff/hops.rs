//! The relays on the ways of one source's mail, before and after.

use serde::Serialize;

use super::Fate;
use crate::record::{Hop, ProbeRecord, Record};

/// A host on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Relay {
    /// What became of it.
    pub fate: Fate,
    /// Its name.
    pub host: String,
    /// Its platform, where the inventory knows it.
    pub platform: Option<String>,
}

/// The hosts on the ways of one source in one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hops {
    /// The sender of the scenario.
    pub source: String,
    /// The phase.
    pub phase: String,
    /// In the order of the way; those that are gone first.
    pub relays: Vec<Relay>,
}

/// Source by source and phase by phase, in the order in which they first appear.
pub(super) fn compare(before: &[Record], after: &[Record]) -> Vec<Hops> {
    let (before, after) = (seen(before), seen(after));
    let mut keys: Vec<&(String, String)> = before.iter().map(|(key, _)| key).collect();
    for (key, _) in &after {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let hosts = |all: &[((String, String), Vec<Host>)], key: &(String, String)| -> Vec<Host> {
        all.iter().find(|(known, _)| known == key).map(|(_, hosts)| hosts.clone()).unwrap_or_default()
    };
    keys.into_iter().map(|key| hops(key, hosts(&before, key), hosts(&after, key))).collect()
}

fn hops(key: &(String, String), before: Vec<Host>, after: Vec<Host>) -> Hops {
    let holds = |hosts: &[Host], host: &Host| hosts.iter().any(|other| other.name == host.name);
    let gone = before.iter().filter(|host| !holds(&after, host)).map(|host| (Fate::Gone, host));
    let now = after.iter().map(|host| (if holds(&before, host) { Fate::Stayed } else { Fate::New }, host));
    let relay = |(fate, host): (Fate, &Host)| Relay { fate, host: host.name.clone(), platform: host.platform.clone() };
    Hops { source: key.0.clone(), phase: key.1.clone(), relays: gone.chain(now).map(relay).collect() }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    name: String,
    platform: Option<String>,
}

/// The hosts that each source's mail met, by source and phase.
fn seen(records: &[Record]) -> Vec<((String, String), Vec<Host>)> {
    let mut all: Vec<((String, String), Vec<Host>)> = vec![];
    for phase in records.iter().flat_map(|record| &record.phases) {
        for probe in &phase.probes {
            let key = (probe.sender.clone(), phase.name.clone());
            let at = match all.iter().position(|(known, _)| *known == key) {
                Some(at) => at,
                None => {
                    all.push((key, vec![]));
                    all.len() - 1
                }
            };
            add(&mut all[at].1, probe);
        }
    }
    all
}

/// The hosts that a probe passed, and those that keep a copy of it.
fn add(hosts: &mut Vec<Host>, probe: &ProbeRecord) {
    let path = probe.path.iter().map(|Hop { by, platform, .. }| (by.clone(), platform.clone()));
    let landed = probe
        .landed
        .iter()
        .map(|it| (it.host.clone().unwrap_or_else(|| it.collector.clone()), Some(it.platform.clone())));
    for (name, platform) in path.chain(landed) {
        let name = name.to_lowercase();
        match hosts.iter_mut().find(|known| known.name == name) {
            Some(known) => known.platform = known.platform.take().or(platform),
            None => hosts.push(Host { name, platform }),
        }
    }
}

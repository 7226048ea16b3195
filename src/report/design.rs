//! The design of the mail system as a run proved it: every MX and what it did in each phase, the way that
//! each source's mail took, what was seen of TLS. It is the page for the operations handbook.
//!
//! Only what was seen stands here: a host that no probe tried is not in it.

use std::collections::BTreeSet;

use super::prose::tame;
use super::story::Faults;
use crate::record::{Attempt, AttemptResult, Hop, PhaseRecord, ProbeRecord, Record, Trust};
use crate::source::{and_list, plural};

/// One MX or relay that was tried, and what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MxRow {
    /// Its preference; `implicit` or `-` where it has none.
    pub(super) preference: String,
    pub(super) host: String,
    pub(super) addresses: String,
    /// The platform, or `not in the inventory`.
    pub(super) platform: String,
    /// Phase by phase: what it did.
    pub(super) did: String,
}

/// The way that the mail of one source took in one phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WayRow {
    pub(super) source: String,
    pub(super) phase: String,
    /// What was broken.
    pub(super) broken: String,
    /// Hop by hop, with platforms.
    pub(super) way: String,
    /// How many probes took it.
    pub(super) probes: String,
    /// How well it is proven, hop by hop at its weakest.
    pub(super) proof: String,
}

/// What was seen of TLS at one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TlsRow {
    pub(super) host: String,
    pub(super) session: String,
    pub(super) certificate: String,
    pub(super) verdict: String,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Design {
    pub(super) mx: Vec<MxRow>,
    pub(super) ways: Vec<WayRow>,
    pub(super) tls: Vec<TlsRow>,
}

impl Design {
    /// What a record proves of it.
    pub(super) fn of(record: &Record) -> Self {
        Self { mx: mx(record), ways: ways(record), tls: tls(record) }
    }
}

fn attempts(record: &Record) -> impl Iterator<Item = (&PhaseRecord, &ProbeRecord, &Attempt)> {
    record.phases.iter().filter(|phase| phase.probes_of.is_none()).flat_map(|phase| {
        phase.probes.iter().flat_map(move |probe| probe.attempts.iter().map(move |attempt| (phase, probe, attempt)))
    })
}

/// Every host that was tried, by preference.
fn mx(record: &Record) -> Vec<MxRow> {
    let mut hosts: Vec<(Option<u16>, String)> = vec![];
    for (_, _, attempt) in attempts(record) {
        let key = (attempt.preference, attempt.host.clone());
        if attempt.result != AttemptResult::NoRoute && !hosts.contains(&key) {
            hosts.push(key);
        }
    }
    hosts.sort();
    hosts.into_iter().map(|(preference, host)| mx_row(record, preference, &host)).collect()
}

fn mx_row(record: &Record, preference: Option<u16>, host: &str) -> MxRow {
    let here = |attempt: &Attempt| attempt.host == host && attempt.preference == preference;
    let addresses: BTreeSet<String> = attempts(record)
        .filter(|(_, _, attempt)| here(attempt))
        .filter_map(|(_, _, attempt)| attempt.address.as_deref().map(tame))
        .collect();
    let did: Vec<String> = record
        .phases
        .iter()
        .filter_map(|phase| Some(format!("{}: {}", tame(&phase.name), did(record, phase, here)?)))
        .collect();
    MxRow {
        preference: preference.map_or("-".to_owned(), |preference| preference.to_string()),
        host: tame(host),
        addresses: addresses.into_iter().collect::<Vec<_>>().join(", "),
        platform: platform(record, host).map_or("not in the inventory".to_owned(), |name| format!("`{}`", tame(name))),
        did: did.join("; "),
    }
}

/// What a host did with the probes of a phase, if any came to it.
fn did(record: &Record, phase: &PhaseRecord, here: impl Fn(&Attempt) -> bool) -> Option<String> {
    let tried: Vec<(&PhaseRecord, &ProbeRecord, &Attempt)> =
        attempts(record).filter(|(of, _, attempt)| std::ptr::eq(*of, phase) && here(attempt)).collect();
    if tried.is_empty() {
        return None;
    }
    let probes = |accepted: bool| {
        let of = tried.iter().filter(|(_, _, attempt)| (attempt.result == AttemptResult::Accepted) == accepted);
        of.map(|(_, probe, _)| &probe.tag).collect::<BTreeSet<_>>().len()
    };
    let faults = Faults::of(record);
    let met: BTreeSet<String> = tried
        .iter()
        .flat_map(|(_, probe, attempt)| probe.fired.iter().map(move |met| (met, attempt)))
        .filter(|(met, attempt)| faults.get(met).is_some_and(|fault| fault.host.eq_ignore_ascii_case(&attempt.host)))
        .map(|(met, _)| faults.word(met))
        .collect();
    let by =
        if met.is_empty() { String::new() } else { format!(" ({})", met.into_iter().collect::<Vec<_>>().join(", ")) };
    let mut parts = vec![];
    match probes(true) {
        0 => {}
        taken => parts.push(format!("took {taken}")),
    }
    match probes(false) {
        0 => {}
        kept_off => parts.push(format!("did not take {kept_off}{by}")),
    }
    Some(parts.join(", "))
}

/// The platform of a host, as any part of the record knows it.
fn platform<'a>(record: &'a Record, host: &str) -> Option<&'a str> {
    let same = |other: &str| other.eq_ignore_ascii_case(host);
    let probes = || record.phases.iter().flat_map(|phase| &phase.probes);
    let by_control = record.controls.iter().find(|it| it.host.as_deref().is_some_and(same)).map(|it| &it.platform);
    let by_path =
        || probes().flat_map(|probe| &probe.path).filter(|hop| same(&hop.by)).find_map(|hop| hop.platform.as_ref());
    let by_landing = || {
        probes().flat_map(|probe| &probe.landed).find(|it| it.host.as_deref().is_some_and(same)).map(|it| &it.platform)
    };
    by_control.or_else(by_path).or_else(by_landing).map(String::as_str)
}

/// Every way that mail took, source by source and phase by phase.
fn ways(record: &Record) -> Vec<WayRow> {
    let mut rows: Vec<(WayRow, usize)> = vec![];
    for phase in &record.phases {
        let broken: Vec<String> = phase
            .faults
            .iter()
            .map(|it| format!("{} at {} of {}", tame(&it.action), tame(&it.at), tame(&it.host)))
            .collect();
        let broken = if broken.is_empty() { "nothing".to_owned() } else { broken.join("; ") };
        for probe in &phase.probes {
            let row = WayRow {
                source: tame(&probe.sender),
                phase: tame(&phase.name),
                broken: broken.clone(),
                way: way(probe),
                probes: String::new(),
                proof: proof(probe),
            };
            match rows.iter_mut().find(|(known, _)| *known == row) {
                Some((_, count)) => *count += 1,
                None => rows.push((row, 1)),
            }
        }
    }
    rows.into_iter().map(|(row, count)| WayRow { probes: plural(count, "probe"), ..row }).collect()
}

/// The hops of a probe and where it came to rest, or what became of it.
fn way(probe: &ProbeRecord) -> String {
    let mut hops: Vec<String> = probe.path.iter().map(hop).collect();
    if hops.is_empty() {
        let taken = probe.attempts.iter().filter(|attempt| attempt.result == AttemptResult::Accepted);
        hops.extend(taken.map(|attempt| tame(&attempt.host)));
    }
    hops.dedup();
    let rest: Vec<String> = probe.landed.iter().map(|landed| format!("`{}`", tame(&landed.platform))).collect();
    let mut seen = vec![];
    rest.into_iter().for_each(|platform| {
        if !seen.contains(&platform) {
            seen.push(platform);
        }
    });
    let places: Vec<&str> = seen.iter().map(String::as_str).collect();
    let end = match (probe.outcome, places.is_empty()) {
        (_, false) => format!("at rest on {}", and_list(&places)),
        (Some(outcome), true) => outcome.to_string(),
        (None, true) => "not sent".to_owned(),
    };
    hops.push(end);
    hops.join(" > ")
}

fn hop(hop: &Hop) -> String {
    match &hop.platform {
        Some(platform) => format!("{} (`{}`)", tame(&hop.by), tame(platform)),
        None => tame(&hop.by),
    }
}

/// The weakest link of the path.
fn proof(probe: &ProbeRecord) -> String {
    let weakest = probe.path.iter().map(|hop| hop.trust).max_by_key(|trust| match trust {
        Trust::Seen => 0,
        Trust::Proven => 1,
        Trust::Claimed => 2,
    });
    weakest.map_or("-".to_owned(), |trust| trust.word().to_owned())
}

/// What was seen of TLS, host by host; the same once.
fn tls(record: &Record) -> Vec<TlsRow> {
    let mut rows = vec![];
    for (_, _, attempt) in attempts(record) {
        let Some(tls) = &attempt.tls else { continue };
        let session: Vec<String> = [&tls.version, &tls.cipher].into_iter().flatten().map(|word| tame(word)).collect();
        let leaf = tls.certificates.first();
        let row = TlsRow {
            host: tame(&attempt.host),
            session: if session.is_empty() { "none".to_owned() } else { session.join(" ") },
            certificate: leaf.map_or("none".to_owned(), |leaf| {
                format!("{}, until {}", tame(&leaf.names.join(", ")), tame(&leaf.not_after))
            }),
            verdict: match tls.ended_by {
                Some(by) => format!("of the {by}, for a fault"),
                None => tls.verdicts.iter().map(|verdict| tame(verdict)).collect::<Vec<_>>().join(", "),
            },
        };
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

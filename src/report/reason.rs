//! Why an expectation did not hold, in the few words that stand under its carets.

use super::leg::result;
use super::prose::tame;
use crate::mail::Stage;
use crate::record::{Attempt, AttemptResult, ProbeRecord, Proof, Record, Target};
use crate::terms::{Outcome, Verdict};

/// The fact that speaks most plainly, from the probe's own evidence. `many` says that it is told
/// of several probes.
pub(super) fn of(probe: &ProbeRecord, many: Many, record: &Record) -> String {
    if probe.outcome.is_none() {
        return format!("{} never sent", many.choose("it was", "they were"));
    }
    let unwatched = unwatched(record);
    match taken_by(probe).as_slice() {
        [] => not_taken(probe),
        [..] if probe.verdict == Verdict::Inconclusive && !unwatched.is_empty() => {
            format!("nothing proves that mail at {} would be seen", unwatched.join(" and "))
        }
        [one] if probe.outcome == Some(Outcome::Lost) => {
            format!("{} took {}, then {} seen nowhere", tame(&one.host), many.choose("it", "them"), many.was())
        }
        [one] => format!("{}{}", took(one, many), elsewhere(probe, one, many)),
        hosts => {
            let hosts: Vec<String> = hosts.iter().map(|attempt| tame(&attempt.host)).collect();
            format!("{} took {} in turn", hosts.join(" and "), many.choose("it", "them"))
        }
    }
}

/// Whether one probe is spoken of or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Many {
    One,
    Several,
}

impl Many {
    pub(super) fn of(count: usize) -> Self {
        if count == 1 { Many::One } else { Many::Several }
    }

    fn choose(self, one: &'static str, several: &'static str) -> &'static str {
        if self == Many::One { one } else { several }
    }

    fn was(self) -> &'static str {
        self.choose("it was", "they were")
    }
}

fn took(attempt: &Attempt, many: Many) -> String {
    let it = many.choose("it", "them");
    match (attempt.target, attempt.preference) {
        (Target::Submission, _) => format!("{} took {it} for delivery", tame(&attempt.host)),
        (Target::Mx, Some(preference)) => format!("{} took {it} at preference {preference}", tame(&attempt.host)),
        (Target::Mx, None) => format!("{} took {it} as the implicit MX", tame(&attempt.host)),
    }
}

/// Where it came to rest, if that is not the host that took it.
fn elsewhere(probe: &ProbeRecord, taken: &Attempt, many: Many) -> String {
    let there = |host: &str| !host.eq_ignore_ascii_case(&taken.host);
    match probe.landed.iter().find(|landed| landed.host.as_deref().is_some_and(there)) {
        Some(landed) => format!(", {} came to rest on `{}`", many.choose("it", "they"), tame(&landed.platform)),
        None => String::new(),
    }
}

/// The attempts that ended with a host taking it; one a host.
fn taken_by(probe: &ProbeRecord) -> Vec<&Attempt> {
    let mut taken: Vec<&Attempt> = vec![];
    for attempt in probe.attempts.iter().filter(|attempt| took_it(attempt)) {
        if taken.iter().all(|known| known.host != attempt.host) {
            taken.push(attempt);
        }
    }
    taken
}

/// A host whose acknowledgement was lost may have kept the message all the same.
fn took_it(attempt: &Attempt) -> bool {
    attempt.result == AttemptResult::Accepted || (attempt.result == AttemptResult::Lost && attempt.stage == Stage::Eom)
}

fn not_taken(probe: &ProbeRecord) -> String {
    match probe.attempts.last() {
        Some(last) if last.result == AttemptResult::NoRoute => result(last),
        Some(last) => answered(last),
        None if !probe.landed.is_empty() => format!("it came to rest on `{}`", tame(&probe.landed[0].platform)),
        None => probe.outcome.map(|outcome| outcome.to_string()).unwrap_or_default(),
    }
}

/// The codes of a reply are enough here; its text stands in the evidence.
fn answered(attempt: &Attempt) -> String {
    let host = tame(&attempt.host);
    let code = attempt.reply.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
    match (attempt.result, code) {
        (AttemptResult::Transient | AttemptResult::Permanent, Some(code)) => {
            let status = attempt.status.map(|status| format!(" {status}")).unwrap_or_default();
            format!("{host} answered {code}{status} at {}", attempt.stage)
        }
        _ => format!("{host}: {}", result(attempt)),
    }
}

/// The platforms of which no control proved that mail would be seen there.
fn unwatched(record: &Record) -> Vec<String> {
    let mut platforms: Vec<String> = vec![];
    for control in record.controls.iter().filter(|control| control.proof == Proof::None) {
        let name = format!("`{}`", control.platform);
        if !platforms.contains(&name) {
            platforms.push(name);
        }
    }
    platforms
}

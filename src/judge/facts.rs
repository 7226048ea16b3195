//! What was seen, sorted by whom it is about.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::mail::Stage;
use crate::plan::Plan;
use crate::record::{
    Attempt, AttemptResult, BareLineEnds, Entry, Event, Landed, Looked, Met, Passed, Ran, RunStarted, Sent, Tag, TlsEnd,
};
use crate::scenario::fault::Action;

/// When a phase was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Its start; none where the run did not come so far.
    pub started: Option<Timestamp>,
    /// Its end.
    pub ended: Option<Timestamp>,
}

/// Everything that was seen of one probe or control, in order.
#[derive(Clone, Debug, Default)]
pub struct ProbeFacts {
    /// The hosts that were tried.
    pub attempts: Vec<Attempt>,
    /// Programs that were run to send it.
    pub programs: Vec<Ran>,
    /// The sender's last word.
    pub sent: Option<Sent>,
    /// Copies at rest, as many collectors as saw them.
    pub landed: Vec<Landed>,
    /// Hosts that handled it.
    pub passed: Vec<Passed>,
    /// Faults that it met.
    pub fired: Vec<Met>,
    /// When its sender first tried.
    pub first_attempt: Option<Timestamp>,
}

/// The whole journal, sorted.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The first entry.
    pub started: Option<(Timestamp, RunStarted)>,
    /// The time of the last entry.
    pub last: Option<Timestamp>,
    /// By tag.
    pub probes: BTreeMap<Tag, ProbeFacts>,
    /// By phase, as far as the run came.
    pub phases: Vec<Window>,
    /// What collectors said of themselves.
    pub looked: Vec<(Timestamp, Looked)>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// By what the run was stopped.
    pub interrupted: Option<String>,
    /// When the run ended; none where the journal was cut short.
    pub ended: Option<Timestamp>,
    /// Faults that were perhaps not in force to the end of their phase, and why.
    pub lost: BTreeMap<usize, String>,
    /// How many SYNs a rule of nftables has dropped, by fault.
    pub syns: BTreeMap<usize, u64>,
    /// CR and LF that clients of proxies sent alone.
    pub bare: Vec<BareLineEnds>,
    /// Hosts before which a proxy has ended TLS.
    pub tls_ended: BTreeSet<String>,
    /// Whose connection to which host that was, until its sender tells of it.
    secured: BTreeSet<(Tag, String)>,
    in_force: Vec<usize>,
}

impl Facts {
    /// Sorts the entries of a journal.
    pub fn of(plan: &Plan, entries: &[Entry]) -> Self {
        let mut facts = Facts::default();
        for entry in entries {
            facts.add(plan, entry);
        }
        facts
    }

    /// Takes in the next entry.
    pub fn add(&mut self, plan: &Plan, entry: &Entry) {
        self.last = Some(entry.at);
        match &entry.event {
            Event::RunStarted(started) => self.started = Some((entry.at, (**started).clone())),
            Event::PhaseStarted { phase } => self.window(*phase).started = Some(entry.at),
            Event::PhaseEnded { phase } => self.window(*phase).ended = Some(entry.at),
            Event::FaultRaised { fault } => self.in_force.push(*fault),
            Event::FaultLifted { fault } => self.in_force.retain(|it| it != fault),
            Event::SynsDropped { fault, syns } => *self.syns.entry(*fault).or_default() += syns,
            Event::FaultLost { fault, why } => {
                self.lost.entry(*fault).or_insert_with(|| why.clone());
            }
            Event::Attempt { tag, attempt } => self.attempt(plan, tag, attempt),
            Event::Fired(firing) => {
                if let Some(tag) = &firing.tag {
                    self.about(tag).fired.push(Met::new(entry.at, firing));
                }
            }
            Event::TlsEnded(ended) => {
                self.tls_ended.insert(ended.host.clone());
                self.secured.extend(ended.tag.clone().map(|tag| (tag, ended.host.clone())));
            }
            Event::Ran(ran) => {
                let about = self.about(&ran.tag);
                about.first_attempt = about.first_attempt.or(Some(ran.at));
                about.programs.push(ran.clone());
            }
            Event::BareLineEnds(seen) => self.bare.push(seen.clone()),
            Event::Sent(sent) => self.about(&sent.tag).sent = Some(sent.clone()),
            Event::Landed(landed) => self.landed(landed),
            Event::Passed(passed) => self.passed(passed),
            Event::Looked(looked) => self.looked.push((entry.at, looked.clone())),
            Event::Warning { text } => self.warnings.push(text.clone()),
            Event::Interrupted { by } => self.interrupted = Some(by.clone()),
            Event::RunEnded => self.ended = Some(entry.at),
        }
    }

    /// What was seen of a tag; nothing where nothing was.
    pub fn probe(&self, tag: &Tag) -> ProbeFacts {
        self.probes.get(tag).cloned().unwrap_or_default()
    }

    /// When a phase was.
    pub fn phase(&self, index: usize) -> Window {
        self.phases.get(index).copied().unwrap_or_default()
    }

    /// A collector that was opened again by `watch` tells anew what it told before.
    fn landed(&mut self, landed: &Landed) {
        let known = &mut self.about(&landed.tag).landed;
        let same = |it: &Landed| {
            (&it.collector, &it.detail, &it.queue_id) == (&landed.collector, &landed.detail, &landed.queue_id)
        };
        if !known.iter().any(same) {
            known.push(landed.clone());
        }
    }

    fn passed(&mut self, passed: &Passed) {
        let known = &mut self.about(&passed.tag).passed;
        if !known.iter().any(|it| it == passed) {
            known.push(passed.clone());
        }
    }

    fn about(&mut self, tag: &Tag) -> &mut ProbeFacts {
        self.probes.entry(tag.clone()).or_default()
    }

    fn window(&mut self, phase: usize) -> &mut Window {
        if self.phases.len() <= phase {
            self.phases.resize(phase + 1, Window::default());
        }
        &mut self.phases[phase]
    }

    fn attempt(&mut self, plan: &Plan, tag: &Tag, attempt: &Attempt) {
        let fired = before_accept(plan, attempt, &self.in_force);
        let mut attempt = attempt.clone();
        self.mark_tls(tag, &mut attempt);
        let at = attempt.at;
        let about = self.about(tag);
        about.first_attempt = about.first_attempt.or(Some(at));
        about.attempts.push(attempt);
        if let Some(fault) = fired {
            let stage = Stage::Connect;
            about.fired.push(Met { at, fault, connection: 0, client: None, stage, command: String::new() });
        }
    }
}

impl Facts {
    /// The sender cannot tell whose certificate it saw; the proxy has noted it before.
    fn mark_tls(&mut self, tag: &Tag, attempt: &mut Attempt) {
        let Some(seen) = &mut attempt.tls else { return };
        if self.secured.remove(&(tag.clone(), attempt.host.clone())) {
            seen.ended_by = Some(TlsEnd::Proxy);
        }
    }
}

/// The fault that acts before a connection is accepted and that this attempt met: the proxy never
/// sees such a client, its sender does.
fn before_accept(plan: &Plan, attempt: &Attempt, in_force: &[usize]) -> Option<usize> {
    let met = |action: &Action| match action {
        Action::Refuse => attempt.result == AttemptResult::Refused,
        Action::DropSyn(_) => attempt.result == AttemptResult::Timeout,
        _ => false,
    };
    if attempt.stage != Stage::Connect {
        return None;
    }
    let address = attempt.address.as_ref().and_then(|it| it.parse::<std::net::SocketAddr>().ok());
    plan.scenario
        .faults()
        .enumerate()
        .filter(|(index, _)| in_force.contains(index))
        .find(|(_, (_, fault))| {
            fault.host.value == attempt.host
                && met(&fault.action.value)
                && address.is_none_or(|address| fault.covers(address.ip()))
        })
        .map(|(index, _)| index)
}

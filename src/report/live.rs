//! What is shown while a run is under way: a state that is fed with the journal, and the lines
//! that say what is waited for and how long at most.
//!
//! ```text
//!   Fallback mail must not reach the legacy platform
//!     phase 2 of 2: primary down   2/5 landed   3.1s
//!       waiting for 3 probes: next host after mx1.new.example (connect timed out after 2s), at most 4.2s
//! ```

use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;

use super::leg::result;
use super::prose::{between, seconds, tame};
use crate::record::{AttemptResult, Entry, Event, Handling, Passed, Sent, SentState, Tag};
use crate::source::plural;

/// What a run is going to do, as far as its progress needs it.
#[derive(Clone, Debug, Default)]
pub struct LivePlan {
    /// The scenario's title.
    pub scenario: String,
    /// Its phases, in order.
    pub phases: Vec<LivePhase>,
    /// The faults of all phases in the order of the scenario, each in words, such as
    /// `drop-syn at connect of mx1.new.example`.
    pub faults: Vec<String>,
}

/// One phase of a plan.
#[derive(Clone, Debug, Default)]
pub struct LivePhase {
    /// Its name.
    pub name: String,
    /// How many probes it judges.
    pub probes: usize,
    /// How long it takes at most.
    pub longest: Duration,
    /// The earlier phase whose probes it judges again, by its index.
    pub again: Option<usize>,
}

/// The progress of one run.
#[derive(Clone, Debug)]
pub struct Live {
    plan: LivePlan,
    now: Doing,
    /// By phase: what is known of its probes.
    probes: Vec<IndexMap<Tag, Waits>>,
    controls: IndexMap<Tag, Waits>,
    in_force: Vec<usize>,
}

/// What the run is about.
#[derive(Clone, Debug, PartialEq)]
enum Doing {
    Starting,
    Controls,
    Phase(usize, Timestamp),
    Closing,
    Stopping(String),
}

/// What a probe waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Waits {
    /// This, in words.
    For(String),
    /// Nothing: a copy is at rest.
    Landed,
    /// Nothing: its sender gave it up.
    GivenUp(SentState),
}

impl Live {
    /// The progress of a run that has not begun.
    pub fn new(plan: LivePlan) -> Self {
        let probes = vec![IndexMap::new(); plan.phases.len()];
        Self { plan, now: Doing::Starting, probes, controls: IndexMap::new(), in_force: vec![] }
    }

    /// Takes note of what happened.
    pub fn feed(&mut self, entry: &Entry) {
        match &entry.event {
            Event::PhaseStarted { phase } => self.now = Doing::Phase(*phase, entry.at),
            Event::PhaseEnded { .. } | Event::RunEnded => self.now = Doing::Closing,
            Event::Interrupted { by } => self.now = Doing::Stopping(by.clone()),
            Event::FaultRaised { fault } => self.in_force.push(*fault),
            Event::FaultLifted { fault } => self.in_force.retain(|it| it != fault),
            Event::Attempt { tag, attempt } => {
                let host = tame(&attempt.host);
                let waits = match attempt.result {
                    AttemptResult::Accepted => format!("to be seen ({host} took it)"),
                    _ => format!("next host after {host} ({})", result(attempt)),
                };
                self.note(tag, Waits::For(waits));
            }
            Event::Ran(ran) => self.note(&ran.tag, Waits::For(format!("to be seen ({} ended)", tame(&ran.program)))),
            Event::Sent(sent) => self.sent(sent),
            Event::Passed(passed) => self.passed(passed),
            Event::Landed(landed) => self.note(&landed.tag, Waits::Landed),
            Event::SynsDropped { .. } => {}
            Event::RunStarted(_)
            | Event::FaultLost { .. }
            | Event::Fired(_)
            | Event::TlsEnded(_)
            | Event::BareLineEnds(_) => {}
            Event::Looked(_) | Event::Warning { .. } => {}
        }
    }

    /// What is to be shown at this moment, line by line.
    pub fn lines(&self, now: Timestamp) -> Vec<String> {
        let mut lines = vec![tame(&self.plan.scenario)];
        match &self.now {
            Doing::Starting => lines.push("  starting servers and collectors".to_owned()),
            Doing::Controls => lines.push(self.controls_line()),
            Doing::Phase(phase, started) => lines.extend(self.phase_lines(*phase, *started, now)),
            Doing::Closing => lines.push("  lifting faults".to_owned()),
            Doing::Stopping(by) => lines.push(format!("  {by}: lifting faults, stopping servers")),
        }
        lines
    }

    fn sent(&mut self, sent: &Sent) {
        match sent.state {
            SentState::Delivered => {}
            SentState::Deferred => self.note(&sent.tag, Waits::For(format!("next round ({})", tame(&sent.why)))),
            state @ (SentState::Bounced | SentState::Expired | SentState::Refused) => {
                self.note(&sent.tag, Waits::GivenUp(state))
            }
        }
    }

    fn passed(&mut self, passed: &Passed) {
        let host = passed.host.as_deref().map_or_else(|| tame(&passed.platform), tame);
        match passed.handling {
            Handling::Took | Handling::Deferred => self.note(&passed.tag, Waits::For(format!("{host} to pass it on"))),
            Handling::Relayed => self.note(&passed.tag, Waits::For(format!("to be seen ({host} passed it on)"))),
            Handling::Bounced | Handling::Refused | Handling::Discarded => {}
        }
    }

    /// A copy that landed stays landed, whatever is seen of others; and a probe belongs to the
    /// phase in which it was first seen.
    fn note(&mut self, tag: &Tag, waits: Waits) {
        if tag.short().starts_with("control") {
            if self.now == Doing::Starting {
                self.now = Doing::Controls;
            }
            update(&mut self.controls, tag, waits);
            return;
        }
        let current = match self.now {
            Doing::Phase(phase, _) => Some(self.plan.phases.get(phase).and_then(|it| it.again).unwrap_or(phase)),
            _ => None,
        };
        let known = self.probes.iter().position(|probes| probes.contains_key(tag));
        if let Some(probes) = known.or(current).and_then(|phase| self.probes.get_mut(phase)) {
            update(probes, tag, waits);
        }
    }

    fn controls_line(&self) -> String {
        let seen = self.controls.values().filter(|waits| **waits == Waits::Landed).count();
        format!("  control probes: {seen}/{} seen so far", self.controls.len())
    }

    fn phase_lines(&self, phase: usize, started: Timestamp, now: Timestamp) -> Vec<String> {
        let Some(plan) = self.plan.phases.get(phase) else { return vec![] };
        let probes = self.probes.get(plan.again.unwrap_or(phase));
        let count = |state: &Waits| probes.map_or(0, |probes| probes.values().filter(|waits| *waits == state).count());
        let passed = between(started, now).max(0);
        let longest = i64::try_from(plan.longest.as_millis()).unwrap_or(i64::MAX);
        let left = seconds(longest.saturating_sub(passed));
        let mut head = format!("  phase {} of {}: {}   ", phase + 1, self.plan.phases.len(), tame(&plan.name));
        head.push_str(&format!("{}/{} landed", count(&Waits::Landed), plan.probes));
        for state in [SentState::Bounced, SentState::Expired] {
            match count(&Waits::GivenUp(state)) {
                0 => {}
                some => head.push_str(&format!(", {some} {state}")),
            }
        }
        head.push_str(&format!("   {}", seconds(passed)));
        let waiting = self.waiting(plan, probes).into_iter();
        std::iter::once(head).chain(waiting.map(|text| format!("    {text}, at most {left}"))).collect()
    }

    /// What is waited for, with how many probes; the most frequent first.
    fn waiting(&self, plan: &LivePhase, probes: Option<&IndexMap<Tag, Waits>>) -> Vec<String> {
        let mut groups: IndexMap<String, usize> = IndexMap::new();
        let untried = plan.probes.saturating_sub(probes.map_or(0, IndexMap::len));
        if untried > 0 {
            groups.insert(format!("first attempt{}", self.faults()), untried);
        }
        for waits in probes.into_iter().flat_map(IndexMap::values) {
            if let Waits::For(text) = waits {
                *groups.entry(text.clone()).or_default() += 1;
            }
        }
        groups.sort_by(|_, one, _, other| other.cmp(one));
        match groups.is_empty() {
            true => vec!["watching for further copies".to_owned()],
            false => {
                groups.iter().map(|(what, some)| format!("waiting for {}: {what}", plural(*some, "probe"))).collect()
            }
        }
    }

    /// The faults in force, in brackets.
    fn faults(&self) -> String {
        let names: Vec<String> =
            self.in_force.iter().filter_map(|at| self.plan.faults.get(*at)).map(|fault| tame(fault)).collect();
        match names.len() {
            0 => String::new(),
            1 => format!(" (fault {})", names.concat()),
            _ => format!(" (faults {})", names.join("; ")),
        }
    }
}

fn update(probes: &mut IndexMap<Tag, Waits>, tag: &Tag, waits: Waits) {
    match probes.get_mut(tag) {
        Some(Waits::Landed) => {}
        Some(known) => *known = waits,
        None => {
            probes.insert(tag.clone(), waits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Stage;
    use crate::record::{Attempt, Landed, Placement, RunId};

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_700_000_000_000 + ms).expect("a time")
    }

    fn tag(number: u32) -> Tag {
        RunId::from_entropy(7).probe(number)
    }

    fn attempt(tag: Tag, host: &str, result: AttemptResult, reply: &str) -> Event {
        let attempt = Attempt {
            host: host.to_owned(),
            address: None,
            target: crate::record::Target::Mx,
            preference: Some(10),
            proxy: None,
            result,
            stage: Stage::Connect,
            reply: reply.to_owned(),
            status: None,
            queue_id: None,
            at: at(0),
            ms: 1,
            round: 1,
            tls: None,
            login: None,
            recipients: vec![],
            policy: None,
        };
        Event::Attempt { tag, attempt }
    }

    fn landed(tag: Tag) -> Event {
        Event::Landed(Landed {
            tag,
            platform: "new".to_owned(),
            host: None,
            collector: "store".to_owned(),
            at: at(0),
            queue_id: None,
            detail: String::new(),
            placement: Placement::Inbox,
            received: vec![],
        })
    }

    fn live() -> Live {
        let phase =
            |name: &str| LivePhase { name: name.to_owned(), probes: 3, longest: Duration::from_secs(8), again: None };
        Live::new(LivePlan {
            scenario: "Fallback".to_owned(),
            phases: vec![phase("steady"), phase("primary down")],
            faults: vec!["drop-syn at connect of mx1.new.example".to_owned()],
        })
    }

    fn feed(live: &mut Live, events: Vec<Event>) {
        events.into_iter().for_each(|event| live.feed(&Entry { at: at(0), event }));
    }

    #[test]
    fn probes_that_wait_for_the_same_are_told_together() {
        let mut live = live();
        feed(&mut live, vec![Event::PhaseStarted { phase: 1 }, Event::FaultRaised { fault: 0 }]);
        assert_eq!(
            live.lines(at(1_000))[1..],
            [
                "  phase 2 of 2: primary down   0/3 landed   1.0s",
                "    waiting for 3 probes: first attempt (fault drop-syn at connect of mx1.new.example), at most 7.0s",
            ]
        );
        feed(
            &mut live,
            vec![
                attempt(tag(1), "mx1.new.example", AttemptResult::Timeout, "connect timed out after 2s"),
                attempt(tag(1), "mx.old.example", AttemptResult::Accepted, "250 ok"),
                attempt(tag(2), "mx1.new.example", AttemptResult::Timeout, "connect timed out after 2s"),
                attempt(tag(3), "mx1.new.example", AttemptResult::Timeout, "connect timed out after 2s"),
            ],
        );
        assert_eq!(
            live.lines(at(3_100))[2..],
            [
                "    waiting for 2 probes: next host after mx1.new.example (connect timed out after 2s), at most 4.9s",
                "    waiting for 1 probe: to be seen (mx.old.example took it), at most 4.9s",
            ]
        );
    }

    #[test]
    fn landed_probes_are_counted_and_late_copies_change_nothing() {
        let mut live = live();
        feed(&mut live, vec![Event::PhaseStarted { phase: 0 }]);
        feed(&mut live, (1..=3).map(|number| landed(tag(number))).collect());
        feed(&mut live, vec![attempt(tag(2), "mx1.new.example", AttemptResult::Lost, "lost")]);
        assert_eq!(
            live.lines(at(500))[1..],
            ["  phase 1 of 2: steady   3/3 landed   0.5s", "    watching for further copies, at most 7.5s"]
        );
    }

    #[test]
    fn a_phase_may_look_at_the_probes_of_an_earlier_one() {
        let mut live = live();
        live.plan.phases[1].again = Some(0);
        feed(&mut live, vec![Event::PhaseStarted { phase: 0 }, landed(tag(1)), landed(tag(2))]);
        feed(&mut live, vec![Event::PhaseEnded { phase: 0 }, Event::PhaseStarted { phase: 1 }, landed(tag(3))]);
        assert!(live.lines(at(0))[1].starts_with("  phase 2 of 2: primary down   3/3 landed"));
    }

    #[test]
    fn controls_and_interruptions_are_shown() {
        let mut live = live();
        assert_eq!(live.lines(at(0))[1], "  starting servers and collectors");
        let control = RunId::from_entropy(7).control(1);
        feed(&mut live, vec![attempt(control.clone(), "mx", AttemptResult::Accepted, "250 ok")]);
        assert_eq!(live.lines(at(0))[1], "  control probes: 0/1 seen so far");
        feed(&mut live, vec![Event::Interrupted { by: "SIGINT".to_owned() }]);
        assert_eq!(live.lines(at(0))[1], "  SIGINT: lifting faults, stopping servers");
    }
}

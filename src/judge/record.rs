//! From a plan and a journal to the record.

use super::{Facts, Judgement, absence, compare, copies, findings, path, settle, sources};
use crate::plan::{Plan, Probe};
use crate::record::{
    Control, Entry, Event, Mark, PhaseRecord, ProbeRecord, Record, RecordedFault, RecordedScenario, RunState,
    SCHEMA_RECORD, Standing, TlsEnd,
};
use crate::scenario::Expectation;
use crate::source::Span;
use crate::terms::Verdict;

/// The record of a run, whole or cut short, from its plan and its journal.
pub fn record(plan: &Plan, entries: &[Entry]) -> Record {
    let facts = Facts::of(plan, entries);
    let controls = absence::controls(plan, &facts);
    let phases: Vec<PhaseRecord> = (0..plan.phases.len())
        .map(|index| match until(plan, entries, index) {
            None => phase(plan, &facts, &controls, index),
            Some(end) => phase(plan, &Facts::of(plan, &entries[..end]), &controls, index),
        })
        .collect();
    let verdict = phases.iter().map(|phase| phase.verdict).fold(Verdict::Pass, Verdict::worst);
    let expected = plan.scenario.verdict.as_ref().map(|it| it.value);
    let (started, first) = facts.started.clone().unzip();
    let started = started.unwrap_or_default();
    let last = facts.ended.or(facts.last).unwrap_or(started);
    let finished = facts.ended.is_some() && facts.interrupted.is_none();
    Record {
        schema: SCHEMA_RECORD.to_owned(),
        run: plan.run.clone(),
        state: if finished { RunState::Finished } else { RunState::Interrupted },
        verdict,
        expected_verdict: expected,
        run_verdict: run_verdict(verdict, expected),
        seed: plan.seed,
        started,
        finished: last,
        version: first.as_ref().map(|it| it.version.clone()).unwrap_or_default(),
        command: first.as_ref().map(|it| it.command.clone()).unwrap_or_default(),
        scenario: scenario(plan, first.as_ref().and_then(|it| it.inventory.clone())),
        standing: standing(&facts, first.map(|it| it.standing).unwrap_or_default()),
        controls,
        phases,
        findings: findings::of_run(plan, &facts),
        coverage: vec![],
    }
}

/// Up to which entry a phase is judged. What comes after its end counts as well, a late copy at the
/// wrong platform above all, unless a later phase judges the same probes again: then each phase
/// speaks of its own time.
fn until(plan: &Plan, entries: &[Entry], index: usize) -> Option<usize> {
    let again = plan.phases.iter().skip(index + 1).any(|later| later.judges == plan.phases[index].judges);
    let ended = |entry: &Entry| matches!(entry.event, Event::PhaseEnded { phase } if phase == index);
    if again { entries.iter().position(ended).map(|at| at + 1) } else { None }
}

fn run_verdict(verdict: Verdict, expected: Option<Verdict>) -> Verdict {
    match expected {
        None => verdict,
        Some(expected) if expected == verdict => Verdict::Pass,
        Some(_) if verdict == Verdict::Pass => Verdict::Fail,
        Some(_) => verdict,
    }
}

fn scenario(plan: &Plan, inventory: Option<(String, String)>) -> RecordedScenario {
    RecordedScenario {
        name: plan.scenario.name.value.clone(),
        path: plan.scenario.source.name.to_string(),
        text: plan.scenario.source.text.to_string(),
        inventory,
    }
}

/// Where hosts stood, and before whom TLS was ended.
fn standing(facts: &Facts, mut standing: Vec<Standing>) -> Vec<Standing> {
    for stands in standing.iter_mut().filter(|it| facts.tls_ended.contains(&it.host)) {
        stands.tls_ended_by = Some(TlsEnd::Proxy);
    }
    standing
}

fn phase(plan: &Plan, facts: &Facts, controls: &[Control], index: usize) -> PhaseRecord {
    let stated = &plan.scenario.phases[index];
    let window = facts.phase(index);
    let probes: Vec<ProbeRecord> =
        plan.judged(index).iter().map(|one| probe(plan, facts, controls, index, one)).collect();
    let faults = faults(plan, facts, index);
    let mut verdict = probes.iter().map(|probe| probe.verdict).fold(Verdict::Pass, Verdict::worst);
    let mut why = vec![];
    for fault in faults.iter().filter(|fault| fault.fired == 0) {
        verdict = verdict.worst(Verdict::Inconclusive);
        why.push(format!("the fault `{}` at {} of {} fired for no probe", fault.action, fault.at, fault.host));
    }
    for (_, reason) in lost(plan, facts, index) {
        verdict = verdict.worst(Verdict::Inconclusive);
        if !why.contains(reason) {
            why.push(reason.clone());
        }
    }
    if window.started.is_none() {
        verdict = verdict.worst(Verdict::Inconclusive);
        why.push("the run did not come so far".to_owned());
    }
    PhaseRecord {
        name: stated.name.value.clone(),
        verdict,
        why,
        started: window.started,
        ended: window.ended,
        probes_of: (plan.phases[index].judges != index)
            .then(|| plan.scenario.phases[plan.phases[index].judges].name.value.clone()),
        faults,
        sources: sources::sources(plan, plan.judged(index), &probes),
        probes,
    }
}

/// Faults of a phase that may not have been in force to its end.
fn lost<'a>(plan: &'a Plan, facts: &'a Facts, phase: usize) -> impl Iterator<Item = (&'a usize, &'a String)> {
    let of_phase = move |fault: usize| plan.scenario.faults().nth(fault).is_some_and(|(of, _)| of == phase);
    facts.lost.iter().filter(move |(fault, _)| of_phase(**fault))
}

fn faults(plan: &Plan, facts: &Facts, phase: usize) -> Vec<RecordedFault> {
    let all = plan.scenario.faults().enumerate();
    all.filter(|(_, (of, _))| *of == phase)
        .map(|(index, (_, fault))| RecordedFault {
            host: fault.host.value.clone(),
            at: fault.at.value.to_string(),
            action: fault.action.value.to_string(),
            fired: fired(plan, facts, index),
            syns: facts.syns.get(&index).copied(),
            span: mark(plan, fault.span),
        })
        .collect()
}

/// How often a fault took effect for probes of the run; controls do not count.
fn fired(plan: &Plan, facts: &Facts, fault: usize) -> u64 {
    let probes = facts.probes.iter().filter(|(tag, _)| plan.probe(tag).is_some());
    probes.flat_map(|(_, seen)| &seen.fired).filter(|firing| firing.fault == fault).count() as u64
}

fn probe(plan: &Plan, facts: &Facts, controls: &[Control], phase: usize, probe: &Probe) -> ProbeRecord {
    let Judgement { verdict, why, span, help } = compare::judge_probe(plan, facts, controls, phase, probe);
    let seen = facts.probe(&probe.tag);
    let absence = plan.scenario.phases[phase].expect.iter().any(Expectation::wants_absence);
    ProbeRecord {
        tag: probe.tag.clone(),
        sender: probe.sender.clone(),
        message_id: probe.tag.message_id(),
        recipient: probe.recipient.to_string(),
        outcome: settle::outcome(&seen),
        copies: copies::count(&seen.landed),
        verdict,
        why,
        span: mark(plan, span),
        help,
        watched_until: if absence { facts.phase(phase).ended } else { None },
        path: path::path(plan, &seen),
        fired: seen.fired,
        attempts: seen.attempts,
        programs: seen.programs,
        landed: seen.landed,
        passed: seen.passed,
    }
}

/// The place in the scenario; a single value is marked together with its key.
fn mark(plan: &Plan, span: Span) -> Mark {
    let source = &plan.scenario.source;
    let span = Span::new(key_before(&source.text, span.start)..span.end);
    let place = source.place(span);
    let length = source.slice(span).lines().next().map_or(1, |line| line.chars().count().max(1));
    Mark { line: place.line, column: place.column, length }
}

/// Where `key: ` begins that stands right before `start`; `start` where none does.
fn key_before(text: &str, start: usize) -> usize {
    let before = text.get(..start).unwrap_or("");
    let Some(key) = before.trim_end_matches(' ').strip_suffix(':') else { return start };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    key.len() - key.chars().rev().take_while(|c| word(*c)).count()
}

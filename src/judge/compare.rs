//! One probe against what is expected of it: the rules of a verdict, in their order.

use super::absence::{self, first_line};
use super::demands::{Missing, platform_is, positives_on};
use super::predict::{moving, predict_in};
use super::{Facts, ProbeFacts, copies, nature, path, settle};
use crate::classes::SenderClass;
use crate::plan::{Plan, Probe};
use crate::record::{Attempt, AttemptResult, Control, Handling, Hop, SentState};
use crate::scenario::{Expectation, Fault};
use crate::source::{Span, Spanned, or_list, plural};
use crate::terms::{Outcome, TlsDemand, Verdict};

/// A verdict and what decided it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub why: String,
    /// The part of the expectation that decided it.
    pub span: Span,
    /// What would mend it.
    pub help: Option<String>,
}

impl Judgement {
    fn new(verdict: Verdict, why: impl Into<String>, span: Span) -> Self {
        Self { verdict, why: why.into(), span, help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that the rules look at.
struct Case<'a> {
    plan: &'a Plan,
    facts: &'a Facts,
    controls: &'a [Control],
    phase: usize,
    sender: &'a str,
    seen: &'a ProbeFacts,
    outcome: Option<Outcome>,
    path: Vec<Hop>,
}

/// Judges one probe in one phase: the worst of the expectations that speak of its sender.
pub fn judge_probe(plan: &Plan, facts: &Facts, controls: &[Control], phase: usize, probe: &Probe) -> Judgement {
    let seen = facts.probe(&probe.tag);
    let stated = &plan.scenario.phases[phase];
    let case = Case {
        plan,
        facts,
        controls,
        phase,
        sender: &probe.sender,
        outcome: settle::outcome(&seen),
        path: path::path(plan, &seen),
        seen: &seen,
    };
    let spoken = stated.expect.iter().filter(|it| it.speaks_of(&probe.sender));
    let worst = spoken
        .map(|expectation| case.judge(expectation))
        .reduce(|worst, next| if next.verdict > worst.verdict { next } else { worst });
    worst.unwrap_or_else(|| Judgement::new(Verdict::Pass, "nothing is expected of it", stated.span))
}

impl Case<'_> {
    fn judge(&self, expected: &Expectation) -> Judgement {
        if self.outcome.is_none() {
            return Judgement::new(Verdict::Inconclusive, "it was not sent", expected.span)
                .help("run the scenario again");
        }
        let rules = [Self::must_not, Self::fault_stopped_it, Self::must, Self::unproven, Self::unverified];
        rules.iter().find_map(|rule| rule(self, expected)).unwrap_or_else(|| self.pass(expected))
    }

    /// Rule 1: observed where it must never be, or more often than allowed.
    fn must_not(&self, expected: &Expectation) -> Option<Judgement> {
        for platform in expected.never.iter().chain(&expected.not_via) {
            if let Some(host) = self.observed_at(&platform.value) {
                return Some(self.reached(platform, &host));
            }
        }
        let allowed = expected.copies.as_ref().map_or(1, |it| it.value);
        let copies = copies::count(&self.seen.landed);
        if copies > allowed {
            let span = expected.copies.as_ref().map_or(expected.span, |it| it.span);
            let why = format!(
                "{} are at rest, {} allowed",
                plural(copies as usize, "copy").replace("copys", "copies"),
                allowed
            );
            return Some(Judgement::new(Verdict::Fail, why, span));
        }
        None
    }

    fn reached(&self, platform: &Spanned<String>, host: &str) -> Judgement {
        let accepted = |it: &Attempt| it.host == host && it.result == AttemptResult::Accepted;
        let attempt = self.seen.attempts.iter().position(accepted);
        let what = if attempt.is_some_and(|at| at > 0) { "fallback mail" } else { "mail" };
        let said = Judgement::new(Verdict::Fail, format!("{what} reached `{}`", platform.value), platform.span);
        match attempt.and_then(|at| self.seen.attempts[at].preference) {
            Some(preference) => said.help(format!("remove `MX {preference} {host}.` or point it at the new platform")),
            None => said.help(format!("find what still hands mail to {host}")),
        }
    }

    /// The host by which a probe was seen at a platform or host, at rest or on its way.
    fn observed_at(&self, name: &str) -> Option<String> {
        let inventory = &self.plan.scenario.inventory;
        let is = |host: &str| host == name || platform_is(inventory, host, name);
        let accepted = self.seen.attempts.iter().filter(|it| it.result == AttemptResult::Accepted);
        if let Some(attempt) = accepted.into_iter().find(|it| is(&it.host)) {
            return Some(attempt.host.clone());
        }
        if let Some(landed) =
            self.seen.landed.iter().find(|it| it.platform == name || it.host.as_deref().is_some_and(is))
        {
            return Some(landed.host.clone().unwrap_or_else(|| landed.collector.clone()));
        }
        let kept = self.seen.passed.iter().filter(|it| it.handling != Handling::Refused);
        if let Some(passed) = kept.into_iter().find(|it| it.platform == name || it.host.as_deref().is_some_and(is)) {
            return Some(passed.host.clone().unwrap_or_else(|| passed.collector.clone()));
        }
        self.path.iter().find(|hop| is(&hop.by)).map(|hop| hop.by.clone())
    }

    /// Rule 2: a fault in force made the sender give up before it tried another host.
    fn fault_stopped_it(&self, expected: &Expectation) -> Option<Judgement> {
        let sent = self.seen.sent.as_ref()?;
        let outcome = self.outcome?;
        let stopped = sent.state != SentState::Delivered;
        let wanted = expected.outcome.iter().any(|it| it.value == outcome);
        if !stopped || wanted || self.seen.fired.is_empty() || !self.seen.landed.is_empty() {
            return None;
        }
        if sent.untried.is_empty() && !matches!(sent.state, SentState::Bounced | SentState::Refused) {
            return None;
        }
        let last = self.seen.attempts.last()?;
        let fault = self.seen.fired.last().and_then(|it| self.plan.scenario.faults().nth(it.fault));
        let what = fault.map(|(_, fault)| fault.to_string()).unwrap_or_default();
        let others = match sent.untried.as_slice() {
            [] => "there was no other host to try".to_owned(),
            hosts => format!("{} was not tried", or_list(hosts)),
        };
        let by = fault.and_then(|(_, fault)| self.rule_of_sender(fault)).map(|rule| format!("; {rule}"));
        let why = format!(
            "the sender gave up at {} because of the fault ({what}): {others}{}",
            last.host,
            by.unwrap_or_default()
        );
        let span = fault.map_or(expected.span, |(_, fault)| fault.span);
        let moving = self.class().map_or(vec![], moving);
        let help = format!("use a fault that makes this sender go on: {}; or expect the outcome", or_list(&moving));
        Some(Judgement::new(Verdict::Inconclusive, why, span).help(help))
    }

    fn class(&self) -> Option<SenderClass> {
        self.plan.scenario.senders.get(self.sender)?.kind.class()
    }

    /// The rule of the sender's class that a fault meets, in words.
    fn rule_of_sender(&self, fault: &Fault) -> Option<String> {
        let class = self.class()?;
        let said = predict_in(&self.plan.scenario, class, fault);
        Some(format!("class {class}: {} ({})", said.rule, said.source))
    }

    /// Rule 3: what must be seen was not, though every collector could look.
    fn must(&self, expected: &Expectation) -> Option<Judgement> {
        let inventory = &self.plan.scenario.inventory;
        let missing =
            positives_on(expected, self.seen, &self.path, Some(inventory)).err().or_else(|| self.late(expected))?;
        let platforms = expected.at.iter().map(|it| it.value.as_str());
        if let Some(blind) = platforms.filter_map(|platform| absence::blind(self.facts, platform)).next() {
            return Some(
                Judgement::new(Verdict::Inconclusive, blind, missing.span).help("mend the collector, then run again"),
            );
        }
        let said = Judgement::new(Verdict::Fail, self.explained(missing.why), missing.span);
        let arrived = !self.seen.landed.is_empty();
        Some(match self.seen.attempts.last().filter(|_| !arrived).and_then(nature::help) {
            Some(help) => said.help(help),
            None => said,
        })
    }

    /// A copy that came to rest after the deadline. Stores that stamp by the second get one more.
    fn late(&self, expected: &Expectation) -> Option<Missing> {
        const STAMP: jiff::SignedDuration = jiff::SignedDuration::from_secs(1);
        let within = expected.within.as_ref()?;
        let from = self.seen.first_attempt?;
        let limit = jiff::SignedDuration::try_from(within.value).ok()?;
        let took = self.seen.landed.iter().map(|landed| landed.at.duration_since(from)).max()?;
        (took > limit.saturating_add(STAMP)).then(|| Missing {
            why: format!("arrived later than {:?} after its first attempt", within.value),
            span: within.span,
        })
    }

    /// What was missed, and what became of the probe instead.
    fn explained(&self, missed: String) -> String {
        let became = match self.outcome {
            Some(Outcome::Delivered | Outcome::Filtered | Outcome::Duplicated) | None => return missed,
            Some(outcome) => outcome,
        };
        match self.seen.attempts.last() {
            Some(last) if !matches!(last.result, AttemptResult::Accepted) => {
                format!(
                    "{missed}; it is {became}: {} answered {} at {}{}",
                    last.host,
                    first_line(&last.reply),
                    last.stage,
                    nature::told(last)
                )
            }
            _ => format!("{missed}; it is {became}"),
        }
    }

    /// Rule 4: absence was expected and nothing proves it.
    fn unproven(&self, expected: &Expectation) -> Option<Judgement> {
        let since = self.facts.phase(self.phase).started;
        let named = expected.never.iter().chain(&expected.not_via);
        let platforms = named.filter(|it| self.plan.scenario.inventory.platforms.contains_key(&it.value));
        for platform in platforms {
            if let Err(why) = absence::proven(self.facts, self.controls, &platform.value, since) {
                return Some(Judgement::new(Verdict::Inconclusive, why, platform.span).help(format!(
                    "add a collector to `{}`, or close it so that it refuses `{}`",
                    platform.value, self.plan.scenario.domain.value
                )));
            }
        }
        None
    }

    /// The same of a certificate: the host's was expected, and the proxy's was seen.
    fn unverified(&self, expected: &Expectation) -> Option<Judgement> {
        let demand = expected.tls.as_ref().filter(|it| it.value == TlsDemand::Verified)?;
        let taken = self.seen.attempts.iter().find(|it| it.result == AttemptResult::Accepted)?;
        taken.tls.as_ref().and_then(|tls| tls.ended_by)?;
        let why = format!("the fault proxy ended TLS before {}: the certificate that was seen is its own", taken.host);
        Some(Judgement::new(Verdict::Inconclusive, why, demand.span).help(
            "expect `tls: verified` in a phase without faults behind STARTTLS at this host, and `encrypted` in this one",
        ))
    }

    fn pass(&self, expected: &Expectation) -> Judgement {
        let place = match (self.seen.landed.first(), self.outcome) {
            (Some(landed), Some(Outcome::Filtered)) => {
                format!("arrived at `{}`, which filtered it: it lies in the junk folder", landed.platform)
            }
            (Some(landed), _) => format!("arrived at `{}`", landed.platform),
            (None, Some(outcome)) => format!("{outcome}, as expected"),
            (None, None) => "as expected".to_owned(),
        };
        let why = match self.passed_over().or_else(|| self.natural_fallback()) {
            Some(note) => format!("{place}; {note}"),
            None => place,
        };
        Judgement::new(Verdict::Pass, why, expected.span)
    }

    /// A host that the sender left out from memory: whether it works was not tested by this probe.
    fn passed_over(&self) -> Option<String> {
        let passed = self.seen.attempts.iter().find(|it| it.result == AttemptResult::PassedOver)?;
        Some(format!("{} was not tried: {}", passed.host, first_line(&passed.reply)))
    }

    /// A fallback that no fault of ours caused, by the replies that caused it.
    fn natural_fallback(&self) -> Option<String> {
        let taken = self.seen.attempts.iter().position(|it| it.result == AttemptResult::Accepted)?;
        let natural = self.seen.attempts[..taken].iter().find(|attempt| {
            let of_host = |index: usize| {
                self.plan.scenario.faults().nth(index).is_some_and(|(_, fault)| fault.host.value == attempt.host)
            };
            attempt.result != AttemptResult::PassedOver && !self.seen.fired.iter().any(|firing| of_host(firing.fault))
        })?;
        Some(format!(
            "natural fallback, no fault in force: {} answered {}{}",
            natural.host,
            first_line(&natural.reply),
            nature::told(natural)
        ))
    }
}

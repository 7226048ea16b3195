//! What a sender of a class will do under a fault, before anybody tries.
//!
//! ```text
//!   Fault + SenderClass ── walk ──> where the session stops, and the rule that says what follows
//!                                      │
//!   classes::measured ── known ────────┴──> Prediction { outcome, seconds, basis, source }
//! ```
//!
//! The walk alone decides the outcome; what was measured says how well it is known and how long it
//! took. A prediction is of one message for one recipient, with a primary that the fault breaks and
//! a backup that works. Nothing here knows of records: what became of it is compared in `held`.

mod caution;
mod held;
mod known;
mod walk;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::classes::{Basis, Failure, SenderClass, Step};
use crate::mail::Stage;
use crate::plan::Plan;
use crate::scenario::{Fault, Scenario};
use crate::terms::{UnknownWord, words};

pub use caution::cautions;
pub(super) use held::unheld;
use walk::Course;

/// What takes a sender longer than this is called hanging: so long were senders watched.
const HANGS: f64 = 900.0;

words! {
    /// What becomes of a message whose sender meets a fault at its primary.
    Predicted {
        /// The next MX takes it, in the same attempt.
        Next = "next",
        /// The primary takes it all the same.
        Delivered = "delivered",
        /// Its sender keeps it, and no other host is tried.
        Deferred = "deferred",
        /// Its sender returns it, and no other host is tried.
        Bounced = "bounced",
        /// Nothing, for more than 15 minutes.
        Hangs = "hangs",
    }
}

/// What a sender will do under a fault. Its JSON form is a contract.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The sender's class.
    pub sender: SenderClass,
    /// The fault, as it was written.
    pub fault: String,
    /// What becomes of the message.
    pub outcome: Predicted,
    /// Whether the complete message was sent and will be sent again.
    pub duplicate_risk: bool,
    /// How long that takes, from the start of the attempt; none where nobody knows.
    pub seconds: Option<f64>,
    /// How it is known.
    pub basis: Basis,
    /// By what.
    pub source: String,
    /// How the seconds are known.
    #[serde(skip)]
    pub timing: Basis,
    /// The rule that it follows, in a sentence.
    #[serde(skip)]
    pub rule: String,
    /// What the prediction leaves out, such as a trigger that is drawn.
    #[serde(skip)]
    pub proviso: Option<&'static str>,
}

/// Predicts what a sender of `class` does under `fault` by its own timers; `text` is the fault as
/// it was written.
pub fn predict(class: SenderClass, fault: &Fault, text: &str) -> Prediction {
    let course = walk::walk(class, fault, None);
    let outcome = outcome(&course, HANGS);
    let cell = known::cell(class, fault).filter(|cell| known::says(&cell.outcome) == Some(outcome));
    let rule = course.rule();
    let (basis, source) = match &cell {
        Some(cell) => (Basis::Measured, known::told(cell)),
        None => (course.basis(), course.source()),
    };
    let watched = cell.and_then(|cell| cell.seconds);
    Prediction {
        sender: class,
        fault: text.to_owned(),
        outcome,
        duplicate_risk: course.sent_twice().is_some(),
        seconds: watched.or(course.seconds).map(rounded),
        timing: watched.map_or(Basis::Source, |_| Basis::Measured),
        basis,
        source,
        rule: rule.to_owned(),
        proviso: proviso(fault),
    }
}

/// Predicts what a sender of `class` does under a fault of a scenario, whose limits it has; in a
/// lab the timers of classes are shortened, and so is what is called hanging.
pub fn predict_in(scenario: &Scenario, class: SenderClass, fault: &Fault) -> Prediction {
    let text = scenario.source.slice(fault.span).trim().to_owned();
    let alone = predict(class, fault, &text);
    let waits = scenario.waits(class);
    let course = walk::walk(class, fault, Some(&waits.timeouts));
    let outcome = outcome(&course, HANGS / f64::from(waits.scale));
    if outcome == alone.outcome && waits.scale == 1 && scenario.lab.is_none() {
        return alone;
    }
    // What was measured took its time by the server's own timers.
    let (basis, source) = match outcome == alone.outcome {
        true => (alone.basis, alone.source),
        false => (course.basis(), course.source()),
    };
    let duplicate_risk = course.sent_twice().is_some();
    let (rule, seconds) = (course.rule().to_owned(), course.seconds.map(rounded));
    Prediction { outcome, duplicate_risk, seconds, timing: Basis::Source, basis, source, rule, ..alone }
}

/// What is foretold for the probes of some senders of one class.
#[derive(Clone, Debug, PartialEq)]
pub struct Foretold {
    /// The senders, by name.
    pub from: Vec<String>,
    /// The prediction.
    pub prediction: Prediction,
}

/// For each fault of a phase and each class among the senders of its own probes: what will happen.
pub fn of_phase(plan: &Plan, index: usize) -> Vec<Foretold> {
    let scenario = &plan.scenario;
    let mut classes: BTreeMap<SenderClass, Vec<String>> = BTreeMap::new();
    for probe in &plan.phases[index].probes {
        let class = scenario.senders.get(&probe.sender).and_then(|sender| sender.kind.class());
        let Some(class) = class else { continue };
        let names = classes.entry(class).or_default();
        if !names.contains(&probe.sender) {
            names.push(probe.sender.clone());
        }
    }
    let faults = scenario.phases[index].faults.iter();
    let each = |fault| {
        let told = |(class, from): (&SenderClass, &Vec<String>)| Foretold {
            from: from.clone(),
            prediction: predict_in(scenario, *class, fault),
        };
        classes.iter().map(told).collect::<Vec<_>>()
    };
    faults.flat_map(each).collect()
}

fn outcome(course: &Course, hangs: f64) -> Predicted {
    let slow = course.seconds.is_some_and(|seconds| seconds > hangs);
    match course.step() {
        None | Some(Step::Again | Step::GoOn) => Predicted::Delivered,
        Some(Step::Hang) => Predicted::Hangs,
        Some(_) if slow => Predicted::Hangs,
        Some(Step::Next | Step::InClear) => Predicted::Next,
        Some(Step::Defer) => Predicted::Deferred,
        Some(Step::Bounce) => Predicted::Bounced,
    }
}

/// To the millisecond.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1_000.0).round() / 1_000.0
}

/// Faults that move senders of a class to the next host, in words.
pub(super) fn moving(class: SenderClass) -> Vec<&'static str> {
    const KNOWN: &[(&str, Stage, Failure)] = &[
        ("`drop-syn`", Stage::Connect, Failure::Timeout),
        ("`refuse`", Stage::Connect, Failure::Refused),
        ("a 4yz reply", Stage::Rcpt, Failure::Transient),
    ];
    let moves = |(_, at, failure): &&(&str, Stage, Failure)| class.rule(*at, *failure).then == Step::Next;
    KNOWN.iter().filter(moves).map(|(words, ..)| *words).collect()
}

/// What the trigger of a fault leaves open.
fn proviso(fault: &Fault) -> Option<&'static str> {
    let when = &fault.when;
    let drawn = when.chance.as_ref().is_some_and(|chance| chance.value < 1.0);
    let timed = when.after.is_some() || when.lasting.is_some();
    let some = when.recipient.is_some() || when.sender.is_some() || when.client.is_some() || when.probe.is_some();
    match () {
        () if drawn => Some("where the fault is drawn: its `chance` decides for each message"),
        () if when.limit.is_some() => Some("once the limit is reached"),
        () if some => Some("for messages that the fault is for"),
        () if timed => Some("while the fault is in force"),
        () => None,
    }
}

impl Predicted {
    /// Whether a fallback happens, in a word or two.
    pub fn fallback(self) -> &'static str {
        match self {
            Predicted::Next => "fallback",
            Predicted::Delivered | Predicted::Deferred | Predicted::Bounced | Predicted::Hangs => "no fallback",
        }
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Predicted::Next => "the next MX takes it in the same attempt: a fallback happens",
            Predicted::Delivered => "the primary takes it all the same: no fallback",
            Predicted::Deferred => "its sender keeps it and comes back later: no fallback, no other host is tried",
            Predicted::Bounced => "its sender returns it: no fallback, no other host is tried",
            Predicted::Hangs => "nothing happens for more than 15 minutes: no fallback that a drill could wait for",
        }
    }
}

#[cfg(test)]
mod tests;

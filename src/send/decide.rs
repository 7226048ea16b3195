//! What an attempt means for the next host.

use crate::classes::{Failure, Rule, SenderClass, Step};
use crate::mail::Stage;

/// What the sender does after an attempt, and the rule of its class that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing more: it was taken.
    Done,
    /// Try the next address, then the next host.
    Next(&'static Rule),
    /// Keep it for the next round; no other host is tried in this one.
    Defer(&'static Rule),
    /// Return it to its sender; no other host is tried.
    Bounce(&'static Rule),
    /// Try the same address again on a new connection without TLS.
    InClear(&'static Rule),
    /// Wait for what does not come; no other host is tried.
    Hang(&'static Rule),
    /// It was taken, and is delivered to the same host once more.
    Again(&'static Rule),
}

/// Decides by the rules of a class; no failure: it was taken.
pub fn decide(class: SenderClass, ended: Option<(Stage, Failure)>) -> Decision {
    let Some((at, failure)) = ended else { return Decision::Done };
    let rule = class.rule(at, failure);
    match rule.then {
        // What lets a session go on never ends it.
        Step::Next | Step::GoOn => Decision::Next(rule),
        Step::Defer => Decision::Defer(rule),
        Step::Bounce => Decision::Bounce(rule),
        Step::InClear => Decision::InClear(rule),
        Step::Hang => Decision::Hang(rule),
        Step::Again => Decision::Again(rule),
    }
}

//! Faults that are never met: the first in file order wins, and nobody comes past some.

use super::Files;
use crate::mail::Stage;
use crate::scenario::Phase;
use crate::scenario::fault::{Action, Fault, Scope};
use crate::source::Diagnostic;

pub(super) fn check(phase: &Phase, files: &mut Files) {
    for (index, fault) in phase.faults.iter().enumerate() {
        let same = phase.faults[..index].iter().find(|other| same_place(other, fault));
        let walls = phase.faults.iter().find(|other| is_wall_before(other, fault));
        if let Some(other) = same {
            let note = "of several faults that fit, the first in the file wins";
            files.say(Diagnostic::warning(fault.span, comes_first(other)).context(other.span, "this one").note(note));
        } else if let Some(other) = walls {
            files.say(Diagnostic::warning(fault.span, nobody_passes(other)).context(other.span, "this one"));
        }
    }
}

/// Why `fault` never fires behind `other`, on a proxy that others than probes come by too.
pub(in crate::scenario) fn hides(other: &Fault, fault: &Fault) -> Option<String> {
    let when = &fault.when;
    let names_others = when.client.is_some() || when.recipient.is_some() || when.sender.is_some();
    if names_others && other.scope == Scope::Probes {
        return None;
    }
    if same_place(other, fault) {
        return Some(comes_first(other));
    }
    is_wall_before(other, fault).then(|| nobody_passes(other))
}

fn comes_first(other: &Fault) -> String {
    format!("this fault never fires: `{}` at `{}` comes first", other.action.word(), other.at.value)
}

fn nobody_passes(other: &Fault) -> String {
    format!("this fault never fires: nobody comes past `{}` at `{}`", other.action.word(), other.at.value)
}

/// Whether `other` takes every occurrence that `fault` could.
fn same_place(other: &Fault, fault: &Fault) -> bool {
    other.at.value == fault.at.value && covers(other, fault)
}

/// Whether every session that could reach `fault` ends at `other`.
fn is_wall_before(other: &Fault, fault: &Fault) -> bool {
    // Not every session comes by STARTTLS and AUTH, and QUIT follows a refusal too.
    let on_the_way = !matches!(other.at.value, Stage::Starttls | Stage::Auth);
    on_the_way && other.at.value < fault.at.value && covers(other, fault) && ends_session(other, fault.at.value)
}

fn ends_session(other: &Fault, later: Stage) -> bool {
    match &other.action.value {
        Action::Refuse | Action::DropSyn(_) | Action::Silent(_) | Action::Close | Action::Reset => true,
        Action::PrematureReply(_) => true,
        Action::Reply(reply) => reply.code >= 400 && later != Stage::Quit,
        // What is not offered is not asked for.
        Action::Hide(keyword) => keyword == "STARTTLS" && later == Stage::Starttls,
        Action::Delay(_) | Action::CloseAfter(_) | Action::ResetAfter(_) | Action::LoseReply => false,
        Action::Tarpit(_) | Action::Throttle { .. } | Action::Corrupt(_) | Action::Tls(_) => false,
    }
}

/// Whether `other` is always in force wherever and for whomever `fault` is.
fn covers(other: &Fault, fault: &Fault) -> bool {
    let always = other.when.is_only_time() && other.when.after.is_none() && other.when.lasting.is_none();
    let place = other.host == fault.host
        && (other.address.is_none() || other.address == fault.address)
        && (other.family.is_none() || other.family == fault.family);
    let whom = other.scope == Scope::All || fault.scope == Scope::Probes;
    always && place && whom
}

//! Which measured cell a fault is.

use std::sync::LazyLock;

use super::Predicted;
use crate::classes::SenderClass;
use crate::classes::measured::{self, Cell, Meaning};
use crate::scenario::Fault;
use crate::scenario::fault::Action;
use crate::scenario::standing;
use crate::source::{SourceText, Spanned};

/// The cell of a class under a fault that does the same, if that was measured; one with its time
/// before one without.
pub(super) fn cell(class: SenderClass, fault: &Fault) -> Option<&'static Cell> {
    let same = || LINES.iter().filter(|(known, _)| alike(known, fault)).map(|(_, meaning)| meaning);
    let of_class = || measured::all().cells.iter().filter(|cell| cell.class == class);
    let found = |cell: &&Cell| same().any(|meaning| meaning.covers(cell).is_some());
    of_class().find(found)
}

/// What a cell says, in the words of a prediction; none where it speaks of several messages.
pub(super) fn says(outcome: &str) -> Option<Predicted> {
    match outcome.strip_suffix("+dup_risk").unwrap_or(outcome) {
        "backup" => Some(Predicted::Next),
        "primary" | "primary_duplicate_copies" => Some(Predicted::Delivered),
        "deferred" => Some(Predicted::Deferred),
        "bounced" => Some(Predicted::Bounced),
        "no_verdict" => Some(Predicted::Hangs),
        _ => None,
    }
}

/// What notes begin with that say only why a cell stands in another file.
const NO_NEWS: &[&str] = &["The matrix has no cell. ", "The matrix has no such fault. "];

/// Where a cell comes from.
pub(super) fn told(cell: &Cell) -> String {
    let version = format!("{} {} of Debian 12", cell.class.facts().name, cell.version);
    let time = match cell.seconds {
        Some(seconds) => format!(" after {seconds} s"),
        None => String::new(),
    };
    let note = NO_NEWS.iter().fold(cell.note.as_str(), |note, said| note.strip_prefix(said).unwrap_or(note));
    let note = if note.is_empty() { String::new() } else { format!(" ({})", note.trim_end_matches('.')) };
    format!("{version} under `{}`: {}{time}{note}", cell.fault, cell.outcome)
}

/// The fault lines of what was measured, read once. A test makes sure that all of them can be.
pub(super) static LINES: LazyLock<Vec<(Fault, &'static Meaning)>> = LazyLock::new(|| {
    let lines = measured::all().meanings.iter().flat_map(|meaning| meaning.lines.iter().map(move |it| (it, meaning)));
    let read = |line: &str| standing::of_a_drill(&SourceText::new("measured", line)).ok()?.faults.pop();
    lines.filter_map(|(line, meaning)| Some((read(line)?.fault, meaning))).collect()
});

/// Whether two faults do the same to a sender.
fn alike(one: &Fault, other: &Fault) -> bool {
    let counts = |fault: &Fault| {
        let value = |count: &Option<Spanned<u64>>| count.as_ref().map(|it| it.value);
        [value(&fault.when.first), value(&fault.when.nth), value(&fault.when.every)]
    };
    one.at.value == other.at.value
        && counts(one) == counts(other)
        && match (&one.action.value, &other.action.value) {
            (Action::Reply(one), Action::Reply(other))
            | (Action::PrematureReply(one), Action::PrematureReply(other)) => one.code == other.code,
            (Action::CloseAfter(_), Action::CloseAfter(_)) | (Action::ResetAfter(_), Action::ResetAfter(_)) => true,
            (one, other) => one == other,
        }
}

//! `mxdrill predict`: whom a fault moves to the next MX.

use super::arguments::{Common, Format, Predict};
use super::{Exit, Screen};
use crate::classes::{Basis, SenderClass};
use crate::judge::predict::{Predicted, Prediction, predict as foretell};
use crate::scenario::Fault;
use crate::scenario::standing;
use crate::source::read::{Said, word};
use crate::source::yaml::{self, Node, Plainness};
use crate::source::{Remark, SourceText, Span};

/// A fault and how it was written.
struct Asked {
    text: String,
    fault: Fault,
}

pub(super) fn predict(screen: &Screen, common: &Common, wanted: &Predict) -> Exit {
    let (mut said, mut broken) = (vec![], vec![]);
    let classes = taken(wanted.senders.iter().map(|name| class(name)), &mut broken);
    let faults = taken(wanted.faults.iter().map(|line| fault(line, &mut said)), &mut broken);
    screen.remarks(&said);
    if !broken.is_empty() {
        screen.remarks(&broken);
        return Exit::Usage;
    }
    let classes = if classes.is_empty() { SenderClass::ALL.to_vec() } else { classes };
    let told: Vec<Vec<Prediction>> = faults
        .iter()
        .map(|asked| classes.iter().map(|class| foretell(*class, &asked.fault, &asked.text)).collect())
        .collect();
    screen.result(&match common.format {
        Format::Text => text(&told, screen.width),
        Format::Json => document(&told.concat()),
    });
    Exit::Clean
}

/// What could be read; the rest is in `broken`.
fn taken<T>(read: impl Iterator<Item = Result<T, Vec<Remark>>>, broken: &mut Vec<Remark>) -> Vec<T> {
    read.filter_map(|one| one.map_err(|remarks| broken.extend(remarks)).ok()).collect()
}

fn class(name: &str) -> Result<SenderClass, Vec<Remark>> {
    let source = SourceText::new("--sender", name);
    let mut said = Said::about(&source);
    let value = yaml::Value::Scalar { text: name.to_owned(), plain: Plainness::Plain };
    let node = Node { span: Span::new(0..name.len()), value };
    let read = word("a sender class", "sender classes", SenderClass::ALL, SenderClass::word);
    read(&node, &mut said).ok_or_else(|| said.into_remarks())
}

/// A fault, and what its writer should know.
fn fault(line: &str, said: &mut Vec<Remark>) -> Result<Asked, Vec<Remark>> {
    let mut read = standing::of_a_drill(&SourceText::new("--fault", line))?;
    said.append(&mut read.warnings);
    let fault = read.faults.pop().map(|it| it.fault).ok_or_else(Vec::new)?;
    Ok(Asked { text: line.to_owned(), fault })
}

/// One prediction as an object, several as an array.
fn document(told: &[Prediction]) -> String {
    let written = match told {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    // Words and finite numbers can always be written.
    written.unwrap_or_default() + "\n"
}

fn text(told: &[Vec<Prediction>], width: usize) -> String {
    let each = told.iter().map(|of_fault| match of_fault.as_slice() {
        [one] => story(one, width),
        several => table(several, width),
    });
    each.collect::<Vec<_>>().join("\n")
}

/// One prediction, with its reason.
fn story(said: &Prediction, width: usize) -> String {
    let twice = match said.duplicate_risk {
        true => "the complete message was sent and will be sent again: two copies may arrive",
        false => "none: the complete message is not sent twice",
    };
    let proviso = said.proviso.map(|proviso| format!(", {proviso}")).unwrap_or_default();
    let rows = [
        ("outcome", format!("{}: {}{proviso}", said.outcome, said.outcome.meaning())),
        ("time", time(said)),
        ("duplicates", twice.to_owned()),
        ("rule", said.rule.clone()),
        (said.basis.word(), said.source.clone()),
    ];
    let mut out = format!("{} under {}\n\n", said.sender, said.fault);
    for (head, text) in rows {
        out.push_str(&wrapped(&format!("{head:>12}  "), &text, width));
    }
    out
}

/// All classes under one fault, a line each.
fn table(all: &[Prediction], width: usize) -> String {
    let fault = all.first().map(|it| it.fault.as_str()).unwrap_or_default();
    let mut out = format!("under {fault}\n\n");
    for said in all {
        let time = said.seconds.map_or("?".to_owned(), |seconds| format!("{seconds} s"));
        let twice = if said.duplicate_risk { "twice?" } else { "" };
        let head = format!("  {:<10} {:<10} {:>9}  {:<7} {:<9} ", said.sender, said.outcome, time, twice, said.basis);
        out.push_str(&wrapped(&head, &said.rule, width));
    }
    let provisos = all.iter().filter_map(|it| it.proviso).take(1);
    provisos.for_each(|proviso| out.push_str(&format!("\n  this holds {proviso}\n")));
    out
}

fn time(said: &Prediction) -> String {
    match (said.seconds, said.timing) {
        (None, _) => "nobody knows".to_owned(),
        (Some(0.0), _) => "at once".to_owned(),
        (Some(seconds), Basis::Measured) => format!("{seconds} s"),
        (Some(seconds), _) if said.outcome == Predicted::Hangs => {
            format!("its timer runs out after {seconds} s only: {}", said.sender.facts().timers.source)
        }
        (Some(seconds), _) => format!("{seconds} s, by its default timers: {}", said.sender.facts().timers.source),
    }
}

/// A text that wraps under its own first column.
fn wrapped(head: &str, text: &str, width: usize) -> String {
    let indent = head.chars().count();
    let mut out = head.to_owned();
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > width.max(indent + 24) {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        }
        if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out.push('\n');
    out
}

//! The lab's DNS.

use crate::inventory::decode::host_name;
use crate::scenario::fault::{DnsAction, DnsFault, RecordType};
use crate::source::closest;
use crate::source::read::{Fields, Kind, Said, at_most, duration, list, number, spanned, word};
use crate::source::yaml::{Node, Value};
use crate::source::{Diagnostic, Spanned};

/// The most faults of one lab's DNS.
const MOST_FAULTS: usize = 100;

/// What a scenario says of the lab's DNS.
#[derive(Default)]
pub(super) struct Dns {
    pub(super) port: Option<Spanned<u16>>,
    pub(super) faults: Vec<DnsFault>,
}

/// The `dns` of a lab.
pub(super) fn dns(node: &Node, said: &mut Said) -> Option<Dns> {
    let mut map = Fields::of(node, "the lab's DNS", said)?;
    let port = map.optional("port", spanned(number(1..=u64::from(u16::MAX))));
    let faults = map.optional("faults", at_most(MOST_FAULTS, list(fault))).unwrap_or_default();
    map.done();
    Some(Dns { port, faults })
}

fn fault(node: &Node, said: &mut Said) -> Option<DnsFault> {
    let mut map = Fields::of(node, "a fault of the lab's DNS", said)?;
    let name = map.required("name", spanned(host_name));
    let record =
        map.optional("type", spanned(word("a type of DNS record", "types", RecordType::ALL, RecordType::word)));
    let action = map.required("do", spanned(action));
    map.done();
    Some(DnsFault { span: node.span, name: name?, record, action: action? })
}

const WORDS: &[(&str, DnsAction)] = &[
    ("nxdomain", DnsAction::Nxdomain),
    ("servfail", DnsAction::Servfail),
    ("refused", DnsAction::Refused),
    ("timeout", DnsAction::Timeout),
    ("truncate", DnsAction::Truncate),
];

const WITH_ARGUMENT: &[Kind<DnsAction>] = &[("delay", |node, said| duration(node, said).map(DnsAction::Delay))];

fn action(node: &Node, said: &mut Said) -> Option<DnsAction> {
    let Value::Scalar { text, .. } = &node.value else {
        let mut map = Fields::of(node, "the `do` of a DNS fault", said)?;
        let action = map.kind(WITH_ARGUMENT);
        map.done();
        return action;
    };
    said.note_words("the `do` of a DNS fault", WORDS.iter().map(|(word, _)| *word));
    if let Some((_, action)) = WORDS.iter().find(|(word, _)| word == text) {
        return Some(*action);
    }
    let mut error = Diagnostic::error(node.span, format!("`{text}` is not a fault of DNS"));
    if let Some(near) = closest(text, WORDS.iter().map(|(word, _)| *word)) {
        error = error.label(format!("did you mean `{near}`?"));
    }
    said.refuse(error.note("faults of DNS are nxdomain, servfail, refused, timeout, truncate, and `{ delay: TIME }`"))
}

//! MTA-STS in a lab: policies, what is wrong with them, and what a sender has cached.

use std::time::Duration;

use indexmap::IndexMap;

use super::lab::zone;
use super::value::key_name;
use crate::scenario::{CachedPolicy, LabPolicy, PolicyAction, PolicyCertificate, PolicyFault, Publish};
use crate::source::read::{Fields, Kind, Said, at_most, duration, entries, list, number, scalar, spanned, text, word};
use crate::source::yaml::{Node, Value};
use crate::source::{Diagnostic, Spanned, closest};
use crate::terms::StsMode;

/// The most patterns of a policy.
const MOST_PATTERNS: usize = 100;
/// The most policies, and faults of one.
const MOST_POLICIES: usize = 100;
/// The most addresses of a policy host in one family.
const MOST_ADDRESSES: u64 = 8;
/// `max_age` where nothing is said: a week.
const USUAL_MAX_AGE: u64 = 604_800;

/// The `policies` of a lab or of a `publish`.
pub(super) fn policies(node: &Node, said: &mut Said) -> Option<IndexMap<String, LabPolicy>> {
    let all = at_most(MOST_POLICIES, entries(policy))(node, said)?;
    Some(all.into_iter().map(|it| (it.domain.value.clone(), it)).collect())
}

fn policy(key: &Spanned<String>, node: &Node, said: &mut Said) -> Option<LabPolicy> {
    let domain = key_name(key, said)?;
    let mut map = Fields::of(node, "a policy of a lab", said)?;
    let mode = map.optional("mode", mode);
    let mx = map.optional("mx", at_most(MOST_PATTERNS, list(pattern))).unwrap_or_default();
    let max_age = map.optional("max_age", number(0..=9_999_999_999)).unwrap_or(USUAL_MAX_AGE);
    let whole = map.optional("text", text);
    let id = map.optional("id", plain);
    let addresses = map.optional("addresses", number(1..=MOST_ADDRESSES)).unwrap_or(1);
    let faults = map.optional("faults", at_most(MOST_POLICIES, list(fault))).unwrap_or_default();
    if whole.is_none() && mode.is_none() && !map.has("mode") && !map.has("text") {
        let said = Diagnostic::error(map.span(), "a policy of a lab has neither `mode` nor `text`");
        map.say(said.help("add `mode`, `mx`, `max_age` and `id`, or the whole policy as `text`"));
    }
    map.done();
    let text = whole.unwrap_or_else(|| written(mode.unwrap_or(StsMode::None), &mx, max_age));
    Some(LabPolicy { domain, text, id, addresses, faults })
}

/// A policy as RFC 8461 3.2 writes it.
fn written(mode: StsMode, mx: &[String], max_age: u64) -> String {
    let mx: String = mx.iter().map(|pattern| format!("mx: {pattern}\n")).collect();
    format!("version: STSv1\nmode: {mode}\n{mx}max_age: {max_age}\n")
}

fn mode(node: &Node, said: &mut Said) -> Option<StsMode> {
    word("a mode of MTA-STS", "modes", StsMode::ALL, StsMode::word)(node, said)
}

/// A pattern: it may be wrong on purpose, but has no line end.
fn pattern(node: &Node, said: &mut Said) -> Option<String> {
    plain(node, said)
}

/// Text of one line, of which a drill may have a reason to be wrong.
fn plain(node: &Node, said: &mut Said) -> Option<String> {
    let text = scalar(node, "text of one line", said)?;
    if !text.chars().any(char::is_control) && !text.contains(['"', '\\']) {
        return Some(text.to_owned());
    }
    let title = format!("`{}` has characters that cannot stand in `{}`", text.escape_debug(), said.key());
    said.refuse(
        Diagnostic::error(node.span, title).help("use letters, digits and marks of one line, without `\"` and `\\`"),
    )
}

const WORDS: &[(&str, PolicyAction)] = &[
    ("expired", PolicyAction::Certificate(PolicyCertificate::Expired)),
    ("not-yet-valid", PolicyAction::Certificate(PolicyCertificate::NotYetValid)),
    ("self-signed", PolicyAction::Certificate(PolicyCertificate::SelfSigned)),
    ("unknown-ca", PolicyAction::Certificate(PolicyCertificate::UnknownCa)),
    ("wrong-name", PolicyAction::Certificate(PolicyCertificate::WrongName)),
    ("huge", PolicyAction::Huge),
];

const WITH_ARGUMENT: &[Kind<PolicyAction>] = &[
    ("status", |node, said| number(200..=599)(node, said).map(PolicyAction::Status)),
    ("redirect", |node, said| plain(node, said).map(PolicyAction::Redirect)),
    ("delay", |node, said| duration(node, said).map(PolicyAction::Delay)),
    ("content-type", |node, said| plain(node, said).map(PolicyAction::ContentType)),
    ("text", |node, said| text(node, said).map(PolicyAction::Text)),
];

const FAULT: &str = "the `do` of a fault of a policy host";

fn fault(node: &Node, said: &mut Said) -> Option<PolicyFault> {
    let mut map = Fields::of(node, "a fault of a policy host", said)?;
    let address = map.optional("address", spanned(number(1..=2 * MOST_ADDRESSES)));
    let action = map.required("do", action);
    map.done();
    Some(PolicyFault { address, action: action? })
}

fn action(node: &Node, said: &mut Said) -> Option<PolicyAction> {
    let Value::Scalar { text, .. } = &node.value else {
        let mut map = Fields::of(node, FAULT, said)?;
        let action = map.kind(WITH_ARGUMENT);
        map.done();
        return action;
    };
    said.note_words(FAULT, WORDS.iter().map(|(word, _)| *word));
    if let Some((_, action)) = WORDS.iter().find(|(word, _)| word == text) {
        return Some(action.clone());
    }
    let words = WORDS.iter().map(|(word, _)| *word);
    let mut error = Diagnostic::error(node.span, format!("`{text}` is not a fault of a policy host"));
    if let Some(near) = closest(text, words) {
        error = error.label(format!("did you mean `{near}`?"));
    }
    said.refuse(error.note(
        "faults are expired, not-yet-valid, self-signed, unknown-ca, wrong-name, huge, `{ status: CODE }`, \
         `{ redirect: URL }`, `{ delay: TIME }`, `{ content-type: TYPE }`, and `{ text: POLICY }`",
    ))
}

/// What changes when a phase begins.
pub(super) fn publish(node: &Node, said: &mut Said) -> Option<Publish> {
    let mut map = Fields::of(node, "what a phase publishes", said)?;
    let zones = map.optional("zones", at_most(MOST_POLICIES, entries(zone))).unwrap_or_default();
    let policies = map.optional("policies", policies).unwrap_or_default();
    map.done();
    let zones = zones.into_iter().map(|(origin, text)| (origin.value, text)).collect();
    Some(Publish { span: node.span, zones, policies })
}

/// The `cache` of an `mx` sender.
pub(super) fn cache(node: &Node, said: &mut Said) -> Option<CachedPolicy> {
    let mut map = Fields::of(node, "a cached policy", said)?;
    let mode = map.required("mode", mode);
    let mx = map.optional("mx", at_most(MOST_PATTERNS, list(pattern))).unwrap_or_default();
    let max_age = map.optional("max_age", number(0..=9_999_999_999)).unwrap_or(USUAL_MAX_AGE);
    let id = map.required("id", plain);
    let age = map.optional("age", duration).unwrap_or(Duration::ZERO);
    map.done();
    Some(CachedPolicy { mode: mode?, mx, max_age: Duration::from_secs(max_age), id: id?, age })
}

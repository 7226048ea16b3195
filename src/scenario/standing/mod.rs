//! Faults of a proxy that stands by itself: no phase, no lab, and mail of others that must pass.
//!
//! ```text
//!   at=rcpt first=2 do=reply:"451 4.7.1 later"      a line ── line ──┐
//!   { at: rcpt, when: { first: 2 }, do: ... }       YAML, JSON ──────┴──> Node ──> Standing, checked
//! ```
//!
//! The same decoder and the same checks as in a scenario, but for what needs a scenario around it;
//! and a `lease`, after which a fault lifts itself.

mod json;
mod line;

use std::ops::RangeInclusive;
use std::time::Duration;

use super::fault::{Count, Fault, Scope};
use super::{check, decode};
use crate::inventory::decode::host_name;
use crate::source::read::{Fields, Said, Spelling, at_most, choice, lasting, list, number, scalar, spanned};
use crate::source::yaml::{self, Node, Value};
use crate::source::{Diagnostic, Level, Remark, SourceText, Spanned, closest};

/// How long a fault may stay without being renewed.
pub const LEASES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 86_400);
/// The most faults that one text may hold.
pub const MOST_FAULTS: usize = 1_000;
/// How long the faults of a run stay without being renewed, where the run says nothing else.
pub const RUN_LEASE: Duration = Duration::from_secs(30);

pub use json::written as as_json;

/// One fault of a standing proxy.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What it is.
    pub fault: Fault,
    /// After how long it lifts itself, where it says so.
    pub lease: Option<Duration>,
    /// As it was written.
    pub text: String,
}

/// The faults of one phase of a run, for a proxy that stands by itself.
#[derive(Clone, Debug)]
pub struct OfARun {
    /// In the scenario's order.
    pub faults: Faults,
    /// Each fault's number in the run, from 0: with the seed it decides what `chance` draws.
    pub numbers: Vec<usize>,
    /// The run's seed.
    pub seed: u64,
    /// After how long they lift themselves.
    pub lease: Duration,
}

/// Reads the faults of a run: `{ seed: 7, lease: 30s, faults: [ { number: 0, fault: { ... } } ] }`.
///
/// # Errors
/// Every mistake in it.
pub fn of_a_run(source: &SourceText, hosts: &[String]) -> Result<OfARun, Vec<Remark>> {
    let mut said = Said::about(source);
    let read = match yaml::parse(source) {
        Ok(node) => faults_of_a_run(&node, hosts, &mut said),
        Err(mistakes) => {
            mistakes.into_iter().for_each(|mistake| said.say(mistake));
            None
        }
    };
    let broken = said.has_errors();
    let remarks = said.into_remarks();
    match read {
        Some(mut read) if !broken => {
            read.faults.warnings = remarks;
            Ok(read)
        }
        _ => Err(remarks),
    }
}

fn faults_of_a_run(node: &Node, hosts: &[String], said: &mut Said) -> Option<OfARun> {
    let mut map = Fields::of(node, "the faults of a run", said)?;
    let seed = map.required("seed", number(0..=u64::MAX));
    let lease = map.optional("lease", lasting(LEASES)).unwrap_or(RUN_LEASE);
    let one = |node: &Node, said: &mut Said| numbered(node, hosts, said);
    let faults = map.required("faults", at_most(MOST_FAULTS, list(one)));
    map.done();
    let (numbers, faults) = faults?.into_iter().unzip();
    Some(OfARun { faults: Faults { faults, warnings: vec![] }, numbers, seed: seed?, lease })
}

fn numbered(node: &Node, hosts: &[String], said: &mut Said) -> Option<(usize, Standing)> {
    let mut map = Fields::of(node, "a numbered fault", said)?;
    let at = map.required("number", number(0..=u64::from(u32::MAX)));
    let read = |node: &Node, said: &mut Said| {
        let count = counts_are_given(node);
        let mut standing = fault(node, hosts, said)?;
        if !count {
            // A run's probes are counted each by itself, whoever else is touched.
            standing.fault.when.count = Count::Probe;
        }
        Some(standing)
    };
    let fault = map.required("fault", read);
    map.done();
    let at: u64 = at?;
    Some((usize::try_from(at).ok()?, fault?))
}

/// Faults that can be, and what their writer should know.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// In the order of the text.
    pub faults: Vec<Standing>,
    /// Warnings, in the order of the text.
    pub warnings: Vec<Remark>,
}

/// Reads one fault that is written as `key=value` words; `hosts` are those that the proxy stands
/// before.
///
/// # Errors
/// Every mistake in it.
pub fn from_line(source: &SourceText, hosts: &[String]) -> Result<Faults, Vec<Remark>> {
    let mut said = Said::about_spelt(source, Spelling::Words);
    let node = line::parse(source, &mut said);
    let faults = node.and_then(|node| fault(&node, hosts, &mut said)).into_iter().collect();
    finish(faults, said)
}

/// The host of a line that names none, where any will do.
const PRIMARY: &str = "primary";

/// Reads one fault that is written as `key=value` words and that only a drill's own sender will
/// meet: it may stand before MAIL without a word on whom it is for, and at any host.
///
/// # Errors
/// Every mistake in it.
pub fn of_a_drill(source: &SourceText) -> Result<Faults, Vec<Remark>> {
    let mut said = Said::about_spelt(source, Spelling::Words);
    let node = line::parse(source, &mut said);
    let faults = node.and_then(|node| at_any_host(&node, &mut said)).into_iter().collect();
    finish(faults, said)
}

fn at_any_host(node: &Node, said: &mut Said) -> Option<Standing> {
    let before = said.count();
    let mut map = Fields::of(node, "a fault", said)?;
    let any = Spanned::new(PRIMARY.to_owned(), map.span());
    let given = map.optional("host", spanned(host_name));
    let host = if map.has("host") { given } else { Some(any) };
    let lease = map.optional("lease", lasting(LEASES));
    let fault = decode::on_host(host, &mut map);
    map.done();
    let fault = fault?;
    if said.count() == before {
        check::of_a_drill(&fault).for_each(|wrong| said.say(wrong));
    }
    let text = said.source().slice(node.span).trim().to_owned();
    Some(Standing { fault, lease, text })
}

/// Reads one fault, or a list of them, written as in a scenario; JSON will do.
///
/// # Errors
/// Every mistake of all of them.
pub fn from_text(source: &SourceText, hosts: &[String]) -> Result<Faults, Vec<Remark>> {
    let mut said = Said::about(source);
    let node = match yaml::parse(source) {
        Ok(node) => node,
        Err(mistakes) => {
            mistakes.into_iter().for_each(|mistake| said.say(mistake));
            return Err(said.into_remarks());
        }
    };
    let faults = match &node.value {
        Value::Map(_) => fault(&node, hosts, &mut said).into_iter().collect(),
        Value::List(_) => several(&node, hosts, &mut said),
        kind => {
            let title = format!("a fault is a map, or several of them in a list, not {}", kind.kind());
            said.say(Diagnostic::error(node.span, title));
            vec![]
        }
    };
    finish(faults, said)
}

fn finish(faults: Vec<Standing>, said: Said) -> Result<Faults, Vec<Remark>> {
    let broken = said.has_errors();
    let remarks = said.into_remarks();
    if broken { Err(remarks) } else { Ok(Faults { faults, warnings: remarks }) }
}

/// Reads a list of faults.
pub fn several(node: &Node, hosts: &[String], said: &mut Said) -> Vec<Standing> {
    let Value::List(items) = &node.value else {
        return said.wrong_kind(node, "a list").unwrap_or_default();
    };
    if items.len() > MOST_FAULTS {
        said.say(Diagnostic::error(node.span, format!("these are more than {MOST_FAULTS} faults")));
        return vec![];
    }
    let faults: Vec<Standing> = items.iter().filter_map(|item| fault(item, hosts, said)).collect();
    for (index, later) in faults.iter().enumerate() {
        let hidden = |first: &&Standing| check::hides(&first.fault, &later.fault).is_some();
        if let Some(first) = faults[..index].iter().find(hidden)
            && let Some(title) = check::hides(&first.fault, &later.fault)
        {
            said.say(Diagnostic::warning(later.fault.span, title).context(first.fault.span, "this one"));
        }
    }
    faults
}

/// Why `fault` never fires behind `first`, if so.
pub fn hides(first: &Fault, fault: &Fault) -> Option<String> {
    check::hides(first, fault)
}

/// Reads one fault and says what is wrong with it.
fn fault(node: &Node, hosts: &[String], said: &mut Said) -> Option<Standing> {
    let before = said.count();
    let mut map = Fields::of(node, "a fault", said)?;
    let host = match map.optional("host", spanned(|node: &Node, said: &mut Said| host(node, hosts, said))) {
        None if !map.has("host") => only_host(&mut map, hosts),
        given => given,
    };
    let lease = map.optional("lease", lasting(LEASES));
    let fault = decode::on_host(host, &mut map);
    map.done();
    let mut fault = fault?;
    if fault.scope == Scope::All && fault.when.counts() && !counts_are_given(node) {
        // Whose mail it is cannot be told: in order of arrival.
        fault.when.count = Count::All;
    }
    if said.count() == before {
        say_what_is_wrong(&fault, said);
    }
    let text = said.source().slice(node.span).trim().to_owned();
    Some(Standing { fault, lease, text })
}

/// Warnings only where the fault can be.
fn say_what_is_wrong(fault: &Fault, said: &mut Said) {
    let wrong: Vec<Diagnostic> = check::standing_alone(fault, said.spelling()).collect();
    let broken = wrong.iter().any(|it| it.level == Level::Error);
    wrong.into_iter().filter(|it| !broken || it.level == Level::Error).for_each(|it| said.say(it));
}

fn counts_are_given(node: &Node) -> bool {
    let value = |node: &Node, key: &str| match &node.value {
        Value::Map(entries) => entries.iter().find(|(known, _)| known.value == key).map(|(_, node)| node.clone()),
        _ => None,
    };
    value(node, "when").is_some_and(|when| value(&when, "count").is_some())
}

/// The host of a fault that names none.
fn only_host(map: &mut Fields<'_>, hosts: &[String]) -> Option<Spanned<String>> {
    if let [only] = hosts {
        return Some(Spanned::new(only.clone(), map.span()));
    }
    let known: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let said = Diagnostic::error(map.span(), "the fault does not say which host it breaks");
    map.say(said.note(choice("hosts of this proxy", &known)).help("add `host`"));
    None
}

/// One of the hosts that the proxy stands before.
fn host(node: &Node, hosts: &[String], said: &mut Said) -> Option<String> {
    let text = scalar(node, "a host of this proxy", said)?;
    let name = text.strip_suffix('.').unwrap_or(text).to_lowercase();
    if hosts.contains(&name) {
        return Some(name);
    }
    let known: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let error = Diagnostic::error(node.span, format!("this proxy does not stand before `{text}`"));
    let error = match closest(&name, known.iter().copied()) {
        Some(near) => error.label(format!("did you mean `{near}`?")),
        None => error,
    };
    said.refuse(error.note(choice("hosts of this proxy", &known)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Stage;

    fn hosts() -> Vec<String> {
        vec!["mx.test".to_owned()]
    }

    fn line(text: &str) -> Result<Faults, Vec<Remark>> {
        from_line(&SourceText::new("--fault", text), &hosts())
    }

    fn yaml(text: &str) -> Result<Faults, Vec<Remark>> {
        from_text(&SourceText::new("body", text), &hosts())
    }

    #[test]
    fn a_line_a_map_and_json_say_the_same() {
        let forms = [
            line(r#"at=rcpt first=2 do=reply:"451 4.7.1 later" recipient=*@x.example lease=5m"#),
            yaml(
                "{ at: rcpt, when: { first: 2, recipient: '*@x.example' }, do: { reply: 451 4.7.1 later }, lease: 5m }",
            ),
            yaml(
                r#"{"at":"rcpt","when":{"first":2,"recipient":"*@x.example"},"do":{"reply":"451 4.7.1 later"},"lease":"5m"}"#,
            ),
        ];
        for form in forms {
            let one = form.expect("a fault").faults.remove(0);
            assert_eq!(one.fault.to_string(), "reply \"451 4.7.1 later\" at rcpt");
            assert_eq!(one.fault.when.first.expect("a trigger").value, 2);
            assert_eq!(one.fault.host.value, "mx.test");
            assert_eq!(one.lease, Some(Duration::from_secs(300)));
        }
    }

    #[test]
    fn everybodys_mail_is_counted_in_order_of_arrival() {
        let count = |text: &str| line(text).expect("a fault").faults[0].fault.when.count;
        assert_eq!(count("at=rcpt first=2 do=close scope=all"), Count::All);
        assert_eq!(count("at=rcpt first=2 do=close scope=all count=probe"), Count::Probe);
        assert_eq!(count("at=rcpt first=2 do=close"), Count::Probe);
    }

    #[test]
    fn structures_stand_in_braces() {
        let one =
            line("at=body do=throttle:{rate: 4KiB/s, stall: 10s} limit={messages: 10, per: 1m}").expect("a fault");
        assert_eq!(one.faults[0].fault.to_string(), "throttle 4096 bytes/s after a stall of 10s at body");
        let one = line("at=connect do=close client=2001:db8::/32 limit=connections:5").expect("a fault");
        assert_eq!(one.faults[0].fault.at.value, Stage::Connect);
    }

    #[test]
    fn an_outage_for_everybody_is_said() {
        let read = line("at=connect do=refuse scope=all").expect("a fault");
        assert_eq!(read.warnings[0].said.title, "`refuse` is an outage for everybody who sends through this proxy");
        assert!(line("at=connect do=refuse").is_err());
    }

    #[test]
    fn a_hidden_fault_is_said() {
        let read = yaml("[{ at: rcpt, do: close }, { at: rcpt, do: reset }]").expect("faults");
        assert_eq!(read.warnings.len(), 1);
        let read = yaml("[{ at: rcpt, do: close }, { at: rcpt, do: reset, when: { client: 192.0.2.1 } }]");
        assert!(read.expect("faults").warnings.is_empty(), "the first one meets probes only");
    }
}

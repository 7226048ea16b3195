//! `main.cf` (postconf(5)): parameters, their expansion, and the tables that they name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use super::{POSTFIX, beside, lists_local_domains, role, tables};
use crate::scan::product::Source;
use crate::scan::setting::{Also, Definition, Reading, Role, Setting, State, Used};
use crate::scan::tree::Tree;

/// How deep `$name` is filled in; Postfix stops at a loop too.
const MAX_DEPTH: usize = 20;

/// The longest value after expansion, in bytes.
const MAX_VALUE: usize = 64 << 10;

/// One assignment.
#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    /// With its continuation lines joined.
    pub(super) raw: String,
    pub(super) span: Range<usize>,
}

/// The assignments of a `main.cf`, and what is commented out. A line that begins with white space goes on
/// with the one before, comments and empty lines between them or not.
pub(super) fn parameters(text: &str) -> (Vec<Parameter>, Vec<Range<usize>>) {
    let mut parameters: Vec<Parameter> = vec![];
    let mut comments = vec![];
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let range = start..start + line.trim_end().len();
        start += line.len();
        let body = line.trim();
        if body.starts_with('#') {
            comments.push(range);
        } else if body.is_empty() {
        } else if line.starts_with([' ', '\t']) {
            if let Some(last) = parameters.last_mut() {
                last.raw.push(' ');
                last.raw.push_str(body);
                last.span.end = range.end;
            }
        } else if let Some((name, value)) = body.split_once('=') {
            let from = range.end - value.trim_start().len();
            parameters.push(Parameter {
                name: name.trim().to_owned(),
                raw: value.trim().to_owned(),
                span: from..range.end,
            });
        }
    }
    (parameters, comments)
}

/// The names that a text assigns.
pub(super) fn names(text: &str) -> Vec<String> {
    parameters(text).0.into_iter().map(|it| it.name).collect()
}

pub(super) fn read(source: &Source<'_>, tree: &Tree) -> Reading {
    let (parameters, comments) = parameters(source.text.as_str());
    let values = Values::of(&parameters, tree.text(&beside(source.name, "main.cf")).as_deref());
    let mut reading = Reading { comments, ..Reading::default() };
    for parameter in &parameters {
        let (value, used) = values.expand(&parameter.raw);
        let mut setting = Setting::new(&parameter.name, value, parameter.span.clone());
        setting.role = role(&parameter.name).or(lists_local_domains(&parameter.name));
        setting.also = used.iter().filter_map(|name| definition(name, &parameters)).collect();
        reading.settings.push(setting);
    }
    reading.last_wins();
    relayhost_without_effect(&mut reading);
    reading.definitions = definitions(&parameters, &values, &reading);
    for (index, setting) in reading.settings.iter().enumerate() {
        if setting.state == State::Active {
            let named = tables::named(&setting.value);
            let from = (source.name.to_owned(), parameters[index].span.start);
            let found = tables::follow(&setting.key, &named, &from, tree);
            reading.follows.extend(found.follows);
            reading.elsewhere.extend(found.elsewhere);
        }
    }
    // Where the way of mail is in a table, the parameter only names the table.
    for setting in &mut reading.settings {
        if setting.role == Some(Role::Credential) && setting.state == State::Active {
            setting.state = State::Credential;
        }
    }
    reading
}

fn definition(name: &str, parameters: &[Parameter]) -> Option<Also> {
    let defined = parameters.iter().rev().find(|it| it.name == name)?;
    Some(Also { file: None, at: Some(defined.span.start), what: format!("`${name}` is set here") })
}

/// Parameters of the administrator's own that others fill in.
fn definitions(parameters: &[Parameter], values: &Values<'_>, reading: &Reading) -> Vec<Definition> {
    let counting = reading.settings.iter().zip(parameters).filter(|(setting, _)| setting.state != State::Shadowed);
    let used: BTreeSet<String> =
        counting.filter(|(setting, _)| setting.role.is_some()).flat_map(|(_, it)| values.expand(&it.raw).1).collect();
    let own = parameters.iter().filter(|it| role(&it.name).is_none() && lists_local_domains(&it.name).is_none());
    own.map(|it| Definition {
        name: it.name.clone(),
        span: it.span.clone(),
        used: if used.contains(&it.name) { Used::Yes } else { Used::No },
    })
    .collect()
}

/// A `default_transport` with a next hop takes the place of `relayhost` (transport(5), resolve).
fn relayhost_without_effect(reading: &mut Reading) {
    let counts = |it: &&Setting| it.state == State::Active && it.key == "default_transport";
    let hop = reading.settings.iter().find(counts).and_then(|it| it.value.split_once(':')).map(|(_, hop)| hop.trim());
    if hop.is_none_or(str::is_empty) {
        return;
    }
    for setting in reading.settings.iter_mut().filter(|it| it.key == "relayhost" && it.state == State::Active) {
        setting.state = State::Shadowed;
        setting.note = Some("`default_transport` names a next hop, which takes its place".to_owned());
    }
}

/// What each name stands for.
pub(super) struct Values<'a> {
    values: HashMap<String, &'a str>,
    /// Of the `main.cf` that this file overrides.
    below: BTreeMap<String, String>,
}

impl<'a> Values<'a> {
    pub(super) fn of(parameters: &'a [Parameter], below: Option<&str>) -> Self {
        let values = parameters.iter().map(|it| (it.name.clone(), it.raw.as_str())).collect();
        let below = below.map(self::parameters).unwrap_or_default().0;
        Self { values, below: below.into_iter().map(|it| (it.name, it.raw)).collect() }
    }

    /// The value with every `$name`, `${name}`, `$(name)`, `${name?text}` and `${name:text}` filled in,
    /// and the names that were used.
    pub(super) fn expand(&self, raw: &str) -> (String, BTreeSet<String>) {
        let mut used = BTreeSet::new();
        let mut out = String::new();
        self.fill(raw, 0, &mut out, &mut used);
        (out, used)
    }

    fn fill(&self, raw: &str, depth: usize, out: &mut String, used: &mut BTreeSet<String>) {
        let mut rest = raw;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if out.len() > MAX_VALUE || depth > MAX_DEPTH {
                return;
            }
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let close = match rest.chars().next() {
                Some('{') => Some('}'),
                Some('(') => Some(')'),
                _ => None,
            };
            match close.and_then(|close| matching(rest, close)) {
                Some(end) => {
                    self.braced(&rest[1..end], depth, out, used);
                    rest = &rest[end + 1..];
                }
                None => {
                    let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
                    self.value(&rest[..length], depth, out, used);
                    rest = &rest[length..];
                }
            }
        }
        out.push_str(rest);
    }

    fn braced(&self, inner: &str, depth: usize, out: &mut String, used: &mut BTreeSet<String>) {
        let Some(at) = inner.find(['?', ':']) else { return self.value(inner.trim(), depth, out, used) };
        let name = inner[..at].trim();
        let text = inner[at + 1..].trim().trim_start_matches('{').trim_end_matches('}').trim();
        let set = self.get(name).is_some_and(|value| !value.is_empty());
        let wanted = inner.as_bytes()[at] == b'?';
        if set == wanted {
            used.insert(name.to_owned());
            self.fill(text, depth + 1, out, used);
        }
    }

    fn value(&self, name: &str, depth: usize, out: &mut String, used: &mut BTreeSet<String>) {
        if let Some(value) = self.get(name) {
            used.insert(name.to_owned());
            self.fill(value, depth + 1, out, used);
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).copied().or_else(|| self.below.get(name).map(String::as_str))
    }
}

/// Where the bracket closes that `text` begins with.
fn matching(text: &str, close: char) -> Option<usize> {
    let open = text.chars().next()?;
    let mut depth = 0;
    text.char_indices().find_map(|(at, c)| {
        depth += i32::from(c == open) - i32::from(c == close);
        (depth == 0).then_some(at)
    })
}

/// The product, for whoever follows what is named here.
pub(super) const PRODUCT: &str = POSTFIX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in() {
        let (parameters, comments) = parameters(
            "old = mx.old.example\n# c\nrelayhost =\n  # in between\n\n  [$old]:25\nx = ${old?[${old}]}${none:n}$$ $(old)\nl = $l\n",
        );
        let values = Values::of(&parameters, None);
        let told: Vec<String> = parameters.iter().map(|it| values.expand(&it.raw).0.trim().to_owned()).collect();
        assert_eq!(told[..3], ["mx.old.example", "[mx.old.example]:25", "[mx.old.example]n$ mx.old.example"]);
        assert_eq!(comments.len(), 2);
    }
}

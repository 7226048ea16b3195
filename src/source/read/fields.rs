//! A map with a closed set of keys.

use super::{Read, Said};
use crate::source::yaml::{Node, Value};
use crate::source::{Diagnostic, Span, Spanned, and_list, closest, or_list};

/// The entries of one map, asked for key by key.
#[must_use = "`done` says which keys nobody asked for"]
pub struct Fields<'a> {
    what: &'static str,
    span: Span,
    entries: &'a [(Spanned<String>, Node)],
    /// Keys that belong here.
    asked: Vec<&'static str>,
    /// Keys of which something better was said than that they are unknown.
    spoken_of: Vec<&'static str>,
    said: &'a mut Said,
}

/// One of the kinds that a map may be of: the key, and how its value is read.
pub type Kind<T> = (&'static str, fn(&Node, &mut Said) -> Option<T>);

impl<'a> Fields<'a> {
    /// The entries of `node`, which is `what`, such as "a phase".
    pub fn of(node: &'a Node, what: &'static str, said: &'a mut Said) -> Option<Self> {
        match &node.value {
            Value::Map(entries) => {
                Some(Self { what, span: node.span, entries, asked: vec![], spoken_of: vec![], said })
            }
            _ => said.wrong_kind(node, "a map"),
        }
    }

    /// The value of a key that must be there.
    pub fn required<T>(&mut self, key: &'static str, read: impl Read<T>) -> Option<T> {
        self.asked.push(key);
        if self.node(key).is_none() {
            let title = format!("{} has no `{key}`", self.what);
            self.said.say(
                Diagnostic::error(self.span, title).help(format!("add `{key}{}` here", self.said.spelling().between())),
            );
        }
        self.read(key, read)
    }

    /// The value of a key that may be missing.
    pub fn optional<T>(&mut self, key: &'static str, read: impl Read<T>) -> Option<T> {
        self.asked.push(key);
        self.read(key, read)
    }

    /// The items of a list; none where the key is missing.
    pub fn list<T>(&mut self, key: &'static str, read: impl Read<T>) -> Vec<T> {
        self.optional(key, super::list(read)).unwrap_or_default()
    }

    /// The items of a list, or the only one; none where the key is missing. An empty list is a
    /// mistake.
    pub fn several<T>(&mut self, key: &'static str, read: impl Read<T>) -> Vec<T> {
        self.optional(key, super::filled(super::one_or_list(read))).unwrap_or_default()
    }

    /// The only one of several keys that says what kind of thing the map is. Ask for the keys that
    /// may stand beside it first.
    pub fn kind<T>(&mut self, kinds: &[Kind<T>]) -> Option<T> {
        self.asked.extend(kinds.iter().map(|(key, _)| *key));
        let entries = self.entries;
        let mut found = entries.iter().filter_map(|(key, _)| kinds.iter().find(|(kind, _)| *kind == key.value));
        let Some((key, read)) = found.next() else {
            self.no_kind(kinds);
            return None;
        };
        if let Some((second, _)) = found.next() {
            let title = format!("{} cannot be both `{key}` and `{second}`", self.what);
            let said = Diagnostic::error(self.key_span(second), title).context(self.key_span(key), "first here");
            self.said.say(said);
        }
        self.read(key, read)
    }

    /// Whether the key is there, right or wrong.
    pub fn has(&self, key: &str) -> bool {
        self.node(key).is_some()
    }

    /// Where a key stands, or the whole map where it does not.
    pub fn key_span(&self, key: &str) -> Span {
        self.entries.iter().find(|(known, _)| known.value == key).map_or(self.span, |(known, _)| known.span)
    }

    /// The place of the whole map.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Says something about the map.
    pub fn say(&mut self, said: Diagnostic) {
        self.said.say(said);
    }

    /// Says something about a key that does not belong here, better than that it is unknown.
    pub fn instead_of(&mut self, key: &'static str, about: impl FnOnce(Diagnostic) -> Diagnostic) {
        self.spoken_of.push(key);
        if let Some((known, _)) = self.entries.iter().find(|(known, _)| known.value == key) {
            self.said.say(about(Diagnostic::error(known.span, "")));
        }
    }

    /// Says which keys nobody asked for.
    pub fn done(self) {
        let Self { what, entries, asked, spoken_of, said, .. } = self;
        let known = |key: &str| asked.contains(&key) || spoken_of.contains(&key);
        for (key, _) in entries.iter().filter(|(key, _)| !known(key)) {
            said.say(unknown(key, what, &asked));
        }
        said.asked.keys.entry(what).or_default().extend(asked);
    }

    fn node(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(known, _)| known.value == key).map(|(_, node)| node)
    }

    fn read<T>(&mut self, key: &'static str, read: impl Read<T>) -> Option<T> {
        let node = self.node(key)?;
        self.said.under(key, node, read)
    }

    /// Nothing is said where an unknown key stands in the map: that one was meant, and `done`
    /// speaks of it.
    fn no_kind<T>(&mut self, kinds: &[Kind<T>]) {
        let known = |key: &str| self.asked.contains(&key);
        if self.entries.iter().all(|(key, _)| known(key)) {
            let keys: Vec<String> = kinds.iter().map(|(key, _)| format!("`{key}`")).collect();
            let title = format!("{} needs one of {}", self.what, or_list(&keys));
            self.said.say(Diagnostic::error(self.span, title));
        }
    }
}

fn unknown(key: &Spanned<String>, what: &str, asked: &[&'static str]) -> Diagnostic {
    let said = Diagnostic::error(key.span, format!("`{}` is not a key of {what}", key.value));
    let said = match closest(key, asked.iter().copied()) {
        Some(near) => said.label(format!("did you mean `{near}`?")),
        None => said,
    };
    said.note(match asked {
        [] => format!("{what} has no keys"),
        [only] => format!("the only key of {what} is {only}"),
        keys => format!("the keys of {what} are {}", and_list(keys)),
    })
}

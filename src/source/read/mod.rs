//! From a YAML tree to values, saying everything that is wrong on the way.
//!
//! ```text
//!   let mut map = Fields::of(node, "a phase", said)?;
//!   let name = map.required("name", spanned(text));
//!   let faults = map.list("faults", fault);
//!   map.done();                                   // says which keys nobody asked for
//!   Some(Phase { name: name?, faults })
//! ```
//!
//! A reader is a function from a [`Node`] to an `Option`: where it gives `None`, it has said why.
//! Readers go on after a mistake, so that one reading of a file finds all of them.

mod fields;
mod quantity;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::yaml::{Node, Value};
use super::{Diagnostic, Remark, SourceText, Span, Spanned};

pub use fields::{Fields, Kind};
pub use quantity::{bytes_rate, duration, lasting, rate, size};
pub use value::{choice, fraction, grouped, number, path, scalar, text, word};

/// Reads one value of type `T`. `None` means that the reason has been said.
pub trait Read<T>: Fn(&Node, &mut Said) -> Option<T> {}
impl<T, F: Fn(&Node, &mut Said) -> Option<T>> Read<T> for F {}

/// One reading of one file: what was said of it so far, and what was asked of it.
#[derive(Debug)]
pub struct Said {
    source: SourceText,
    remarks: Vec<Remark>,
    key: String,
    asked: Asked,
}

/// The keys and words that readers asked for, by what they belong to. A schema can be compared
/// with it, so that it cannot drift away from the readers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Keys, by the map that they stand in.
    pub keys: BTreeMap<&'static str, BTreeSet<&'static str>>,
    /// Words of closed sets, by the set.
    pub words: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

impl Said {
    /// Nothing yet, about this text.
    pub fn about(source: &SourceText) -> Self {
        Self { source: source.clone(), remarks: vec![], key: String::new(), asked: Asked::default() }
    }

    /// Says something about the text.
    pub fn say(&mut self, said: Diagnostic) {
        self.remarks.push(Remark::new(&self.source, said));
    }

    /// Says something and gives `None`, as a reader does that found no value.
    pub fn refuse<T>(&mut self, said: Diagnostic) -> Option<T> {
        self.say(said);
        None
    }

    /// Says that another kind of value belongs here.
    pub fn wrong_kind<T>(&mut self, node: &Node, what: &str) -> Option<T> {
        let Self { key, .. } = self;
        let said = match (&node.value, key.as_str()) {
            (Value::Null, "") => Diagnostic::error(node.span, "the file is empty"),
            (kind, "") => Diagnostic::error(node.span, format!("the file must hold {what}, not {}", kind.kind())),
            (Value::Null, key) => Diagnostic::error(node.span, format!("`{key}` has no value"))
                .help(format!("write {what} behind it, or remove the key")),
            (kind, key) => Diagnostic::error(node.span, format!("`{key}` must be {what}, not {}", kind.kind())),
        };
        self.refuse(said)
    }

    /// Whether anything was said that makes the file unusable.
    pub fn has_errors(&self) -> bool {
        self.remarks.iter().any(Remark::is_error)
    }

    /// The key whose value is being read.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The text that is being read.
    pub fn source(&self) -> &SourceText {
        &self.source
    }

    /// A path as the file means it: relative to the file's own folder.
    pub fn beside(&self, path: &str) -> PathBuf {
        Path::new(&*self.source.name).parent().unwrap_or(Path::new("")).join(path)
    }

    /// Hides what stands here from every drawing: a secret that should not be in the file.
    pub fn mask(&mut self, span: Span) {
        let mut bytes = self.source.text.as_bytes().to_vec();
        let range = span.start.min(bytes.len())..span.end.min(bytes.len());
        bytes[range].fill(b'*');
        self.source.text = String::from_utf8_lossy(&bytes).into();
    }

    /// Notes the words of a closed set that a reader asked for.
    pub fn note_words(&mut self, what: &'static str, words: impl IntoIterator<Item = &'static str>) {
        self.asked.words.entry(what).or_default().extend(words);
    }

    /// What readers asked for so far.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Everything that was said, in the order of the file.
    pub fn into_remarks(mut self) -> Vec<Remark> {
        for remark in &mut self.remarks {
            remark.source = self.source.clone();
        }
        self.remarks.sort_by_key(|remark| remark.said.mark.as_ref().map_or(0, |(span, _)| span.start));
        self.remarks
    }

    /// Reads a value as that of `key`, which messages then name.
    fn under<T>(&mut self, key: &str, node: &Node, read: impl FnOnce(&Node, &mut Said) -> Option<T>) -> Option<T> {
        let outer = std::mem::replace(&mut self.key, key.to_owned());
        let value = read(node, self);
        self.key = outer;
        value
    }
}

/// The same value with its place.
pub fn spanned<T>(read: impl Read<T>) -> impl Read<Spanned<T>> {
    move |node: &Node, said: &mut Said| read(node, said).map(|value| Spanned::new(value, node.span))
}

/// A list or map that holds something.
pub fn filled<T>(read: impl Read<T>) -> impl Read<T> {
    move |node: &Node, said: &mut Said| match &node.value {
        Value::List(items) if items.is_empty() => nothing_in(node, said),
        Value::Map(entries) if entries.is_empty() => nothing_in(node, said),
        _ => read(node, said),
    }
}

fn nothing_in<T>(node: &Node, said: &mut Said) -> Option<T> {
    let title = format!("`{}` is empty", said.key());
    said.refuse(Diagnostic::error(node.span, title).help("name at least one"))
}

/// A list; items with mistakes are left out.
pub fn list<T>(read: impl Read<T>) -> impl Read<Vec<T>> {
    move |node: &Node, said: &mut Said| match &node.value {
        Value::List(items) => Some(items.iter().filter_map(|item| read(item, said)).collect()),
        _ => said.wrong_kind(node, "a list"),
    }
}

/// A list, or one item alone.
pub fn one_or_list<T>(read: impl Read<T>) -> impl Read<Vec<T>> {
    move |node: &Node, said: &mut Said| match &node.value {
        Value::List(items) => Some(items.iter().filter_map(|item| read(item, said)).collect()),
        _ => read(node, said).map(|one| vec![one]),
    }
}

/// A map whose keys are names that the writer chose; entries with mistakes are left out.
pub fn entries<T>(read: impl Fn(&Spanned<String>, &Node, &mut Said) -> Option<T>) -> impl Read<Vec<T>> {
    move |node: &Node, said: &mut Said| match &node.value {
        Value::Map(entries) => Some(
            entries
                .iter()
                .filter_map(|(key, node)| said.under(key, node, |node, said| read(key, node, said)))
                .collect(),
        ),
        _ => said.wrong_kind(node, "a map"),
    }
}

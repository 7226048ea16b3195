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
use super::{Diagnostic, Level, Remark, SourceText, Span, Spanned, plural};

pub use fields::{Fields, Kind};
pub use quantity::{bytes_rate, duration, lasting, rate, size};
pub use value::{choice, fraction, grouped, number, path, scalar, text, word};

/// The most remarks about one file that are shown.
pub const MOST_REMARKS: usize = 100;

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
    spelling: Spelling,
}

/// How the text is written: what messages tell its writer to write is spelt so as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spelling {
    /// `key: value` and `key: { word: argument }`.
    #[default]
    Yaml,
    /// `key=value` and `key=word:argument`, all in one line.
    Words,
}

impl Spelling {
    /// A key and its value.
    pub fn pair(self, key: &str, value: &str) -> String {
        match self {
            Spelling::Yaml => format!("{key}: {value}"),
            Spelling::Words if value.contains(' ') && !value.starts_with('{') => format!("{key}=\"{value}\""),
            Spelling::Words => format!("{key}={value}"),
        }
    }

    /// A key and one of its kinds, with the argument of that.
    pub fn kind(self, key: &str, word: &str, argument: &str) -> String {
        match self {
            Spelling::Yaml => format!("{key}: {{ {word}: {argument} }}"),
            Spelling::Words => format!("{key}={word}:{argument}"),
        }
    }

    /// What stands between a key and its value.
    pub fn between(self) -> char {
        match self {
            Spelling::Yaml => ':',
            Spelling::Words => '=',
        }
    }
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
        Self {
            source: source.clone(),
            remarks: vec![],
            key: String::new(),
            asked: Asked::default(),
            spelling: Spelling::default(),
        }
    }

    /// Nothing yet, about a text that is spelt so.
    pub fn about_spelt(source: &SourceText, spelling: Spelling) -> Self {
        Self { spelling, ..Self::about(source) }
    }

    /// How the text is spelt.
    pub fn spelling(&self) -> Spelling {
        self.spelling
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

    /// How much was said so far.
    pub fn count(&self) -> usize {
        self.remarks.len()
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

    /// Everything that was said, in the order of the file; only the first [`MOST_REMARKS`], and how
    /// many more there are.
    pub fn into_remarks(self) -> Vec<Remark> {
        let Self { source, mut remarks, .. } = self;
        for remark in &mut remarks {
            remark.source = source.clone();
        }
        remarks.sort_by_key(|remark| remark.said.mark.as_ref().map_or(0, |(span, _)| span.start));
        if remarks.len() > MOST_REMARKS {
            let rest = remarks.split_off(MOST_REMARKS);
            let level = if rest.iter().any(Remark::is_error) { Level::Error } else { Level::Warning };
            let title = format!("`{}` has {} that are not shown", source.name, plural(rest.len(), "more mistake"));
            remarks.push(Remark { source, said: Diagnostic::new(level, title) });
        }
        remarks
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

/// A list or map of at most this many entries: nobody reads, or waits for, more.
pub fn at_most<T>(most: usize, read: impl Read<T>) -> impl Read<T> {
    move |node: &Node, said: &mut Said| {
        let count = match &node.value {
            Value::List(items) => items.len(),
            Value::Map(entries) => entries.len(),
            Value::Null | Value::Scalar { .. } => 0,
        };
        if count <= most {
            return read(node, said);
        }
        let title = format!("`{}` has {} entries", said.key(), grouped(count as u64));
        said.refuse(Diagnostic::error(node.span, title).note(format!("there can be {}", grouped(most as u64))))
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::yaml;

    /// What is said about a text that `read` reads.
    fn said<T>(text: &str, read: impl Read<T>) -> Vec<String> {
        let source = SourceText::new("t.yaml", text);
        let node = yaml::parse(&source).expect("it is YAML");
        let mut said = Said::about(&source);
        said.under("key", &node, read);
        said.into_remarks().into_iter().map(|remark| remark.said.title).collect()
    }

    #[test]
    fn a_list_has_its_limits() {
        assert_eq!(said("[]", filled(list(text))), ["`key` is empty"]);
        assert_eq!(said("[a, b, c]", at_most(2, list(text))), ["`key` has 3 entries"]);
        assert_eq!(said("[a, b]", at_most(2, filled(list(text)))), Vec::<String>::new());
    }

    #[test]
    fn a_flood_of_mistakes_is_cut_short() {
        let many = format!("[{}]", "x, ".repeat(MOST_REMARKS + 5));
        let titles = said(&many, list(number::<u32>(1..=2)));
        assert_eq!(titles.len(), MOST_REMARKS + 1);
        assert_eq!(titles[MOST_REMARKS], "`t.yaml` has 5 more mistakes that are not shown");
    }

    #[test]
    fn a_reading_goes_on_after_a_mistake() {
        let read = |node: &Node, said: &mut Said| {
            let mut map = Fields::of(node, "a thing", said)?;
            let (a, b) = (map.required("a", number::<u32>(1..=9)), map.optional("b", text));
            map.done();
            Some((a?, b?))
        };
        let titles = said("{ b: [], c: 1, a: x }", read);
        assert_eq!(
            titles,
            ["`b` must be text, not a list", "`c` is not a key of a thing", "`x` is not a whole number"]
        );
    }
}

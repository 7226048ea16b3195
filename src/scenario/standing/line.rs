//! A fault as a line of `key=value` words, as the tree that its YAML form would be.
//!
//! ```text
//!   at=rcpt first=2 do=reply:"451 4.7.1 later"
//!      ^^^^       ^    ^^^^^  ^^^^^^^^^^^^^^^      every part keeps its place in the line
//!   { at: rcpt, when: { first: 2 }, do: { reply: 451 4.7.1 later } }
//! ```
//!
//! Which keys there are, and which of them are triggers, is asked of the decoder: a new action or
//! trigger needs nothing here.

use super::fault;
use crate::source::read::{Said, choice};
use crate::source::yaml::{self, Node, Plainness, Value};
use crate::source::{Diagnostic, SourceText, Span, Spanned, closest};

/// The longest line that is read, in bytes.
const MAX_LINE: usize = 4096;
/// Keys whose value may be a word and its argument: `do=delay:2s`.
const WITH_ARGUMENT: &[&str] = &["do", "limit"];

/// Reads the line as far as it can be read.
pub(super) fn parse(source: &SourceText, said: &mut Said) -> Option<Node> {
    let whole = Span::new(0..source.text.len());
    if source.text.len() > MAX_LINE {
        return said.refuse(Diagnostic::error(Span::default(), format!("the fault has more than {MAX_LINE} bytes")));
    }
    let mut words = Words { text: &source.text, at: 0 };
    let (mut own, mut triggers) = (vec![], vec![]);
    let keys = Keys::of_a_fault();
    while let Some(word) = words.next(said) {
        let (key, value) = word?;
        if let Some((first, _)) = own.iter().chain(&triggers).find(|(known, _): &&Entry| known.value == key.value) {
            let twice = Diagnostic::error(key.span, format!("`{}` is given twice", key.value));
            said.say(twice.label("a second time here").context(first.span, "first here"));
        } else if keys.own.contains(&key.value.as_str()) {
            own.push((key, value));
        } else if keys.triggers.contains(&key.value.as_str()) {
            triggers.push((key, value));
        } else {
            said.say(keys.unknown(&key));
        }
    }
    if own.is_empty() && triggers.is_empty() {
        let error = Diagnostic::error(whole, "the line holds no fault");
        return if said.has_errors() {
            None
        } else {
            said.refuse(error.help("write such as `at=rcpt do=reply:\"451 4.7.1 later\"`"))
        };
    }
    if let (Some((first, _)), Some((_, last))) = (triggers.first(), triggers.last()) {
        let span = first.span.to(last.span);
        own.push((Spanned::new("when".to_owned(), span), Node { span, value: Value::Map(triggers) }));
    }
    Some(Node { span: whole, value: Value::Map(own) })
}

type Entry = (Spanned<String>, Node);

/// The keys of a fault: its own, and those of its `when`.
struct Keys {
    own: Vec<&'static str>,
    triggers: Vec<&'static str>,
}

impl Keys {
    /// As the decoder asks for them.
    fn of_a_fault() -> Self {
        let source = SourceText::new("", "");
        let empty = |entries| Node { span: Span::default(), value: Value::Map(entries) };
        let when = Spanned::new("when".to_owned(), Span::default());
        let mut asking = Said::about(&source);
        // What is said about a fault of nothing is of no interest, only what was looked for.
        let _ = fault(&empty(vec![(when, empty(vec![]))]), &[], &mut asking);
        let of = |map: &str| asking.asked().keys.get(map).into_iter().flatten().copied().collect::<Vec<_>>();
        let own = of("a fault").into_iter().filter(|key| *key != "when").collect();
        Self { own, triggers: of("a fault's `when`") }
    }

    fn unknown(&self, key: &Spanned<String>) -> Diagnostic {
        let all: Vec<&str> = self.own.iter().chain(&self.triggers).copied().collect();
        let error = Diagnostic::error(key.span, format!("`{}` is not a key of a fault", key.value));
        let error = match closest(key, all.iter().copied()) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error,
        };
        error.note(choice("keys", &all))
    }
}

/// The words of a line, from front to back.
struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    /// The next word; `Some(None)` where it cannot be read, so that nothing behind it can.
    fn next(&mut self, said: &mut Said) -> Option<Option<Entry>> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        let rest = self.rest();
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        if rest.is_empty() {
            return None;
        }
        let key = Spanned::new(rest[..end].to_owned(), Span::new(self.at..self.at + end));
        if end == 0 || !rest[end..].starts_with('=') {
            let word = Span::new(self.at..self.at + end.max(1));
            let error = Diagnostic::error(word, format!("`{}` is no `key=value`", &rest[..end.max(1)]));
            return Some(
                said.refuse(error.help("put a value that holds spaces into quotes: do=reply:\"451 4.7.1 later\"")),
            );
        }
        self.at += end + 1;
        let node = self.value(WITH_ARGUMENT.contains(&key.value.as_str()), said);
        Some(node.map(|node| (key, node)))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// A value: text, a word with its argument, or a structure in braces.
    fn value(&mut self, with_argument: bool, said: &mut Said) -> Option<Node> {
        if self.rest().starts_with('{') {
            return self.braces(said);
        }
        let start = self.at;
        let word = if with_argument { word_before_colon(self.rest()) } else { None };
        if let Some(length) = word {
            let key = Spanned::new(self.rest()[..length].to_owned(), Span::new(start..start + length));
            self.at += length + 1;
            let argument = if self.rest().starts_with('{') { self.braces(said)? } else { self.scalar(said)? };
            let span = key.span.to(argument.span);
            return Some(Node { span, value: Value::Map(vec![(key, argument)]) });
        }
        let whole = self.scalar(said)?;
        Some(if with_argument { split(whole) } else { whole })
    }

    /// Text up to the next space outside of quotes.
    fn scalar(&mut self, said: &mut Said) -> Option<Node> {
        let start = self.at;
        let mut text = String::new();
        let mut quote: Option<(char, usize)> = None;
        let mut chars = self.rest().char_indices();
        let mut end = self.text.len();
        while let Some((offset, c)) = chars.next() {
            match quote {
                Some((open, _)) if c == open => quote = None,
                Some(('"', _)) if c == '\\' => text.extend(chars.next().map(|(_, next)| unescaped(next))),
                Some(_) => text.push(c),
                None if matches!(c, '"' | '\'') => quote = Some((c, start + offset)),
                None if c.is_whitespace() => {
                    end = start + offset;
                    break;
                }
                None => text.push(c),
            }
        }
        self.at = end;
        if let Some((_, open)) = quote {
            return said.refuse(Diagnostic::error(Span::new(open..open + 1), "the quote is not closed"));
        }
        // Something to put carets under where nothing stands.
        let span = Span::new(if start < end { start..end } else { start - 1..end });
        Some(Node { span, value: Value::Scalar { text, plain: Plainness::Plain } })
    }

    /// A structure as YAML has it, up to the brace that closes it.
    fn braces(&mut self, said: &mut Said) -> Option<Node> {
        let (start, rest) = (self.at, self.rest());
        let Some(length) = balanced(rest) else {
            self.at = self.text.len();
            return said.refuse(Diagnostic::error(Span::new(start..start + 1), "the brace is not closed"));
        };
        self.at += length;
        match yaml::parse(&SourceText::new("", &rest[..length])) {
            Ok(node) => Some(moved(node, start)),
            Err(mistakes) => {
                for mut mistake in mistakes {
                    mistake.mark = mistake.mark.map(|(span, label)| (shifted(span, start), label));
                    mistake.context.iter_mut().for_each(|(span, _)| *span = shifted(*span, start));
                    said.say(mistake);
                }
                None
            }
        }
    }
}

/// The length of the word that a colon follows, if the text begins so.
fn word_before_colon(text: &str) -> Option<usize> {
    let length = text.bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'-').count();
    (length > 0 && text[length..].starts_with(':')).then_some(length)
}

/// `"reply:451 4.7.1 later"`, quoted as a whole.
fn split(node: Node) -> Node {
    let Value::Scalar { text, plain } = &node.value else { return node };
    let Some(length) = word_before_colon(text) else { return node };
    let key = Spanned::new(text[..length].to_owned(), node.span);
    let argument = Value::Scalar { text: text[length + 1..].to_owned(), plain: *plain };
    Node { span: node.span, value: Value::Map(vec![(key, Node { span: node.span, value: argument })]) }
}

/// The length of a structure with its braces; quotes may hold others.
fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some(at + c.len_utf8());
        }
    }
    None
}

fn unescaped(c: char) -> char {
    match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        other => other,
    }
}

fn shifted(span: Span, by: usize) -> Span {
    Span { start: span.start + by, end: span.end + by }
}

fn moved(node: Node, by: usize) -> Node {
    let value = match node.value {
        Value::List(items) => Value::List(items.into_iter().map(|item| moved(item, by)).collect()),
        Value::Map(entries) => {
            let entry = |(key, node): Entry| (Spanned::new(key.value, shifted(key.span, by)), moved(node, by));
            Value::Map(entries.into_iter().map(entry).collect())
        }
        single => single,
    };
    Node { span: shifted(node.span, by), value }
}

//! YAML as a tree in which every key and value knows its place.
//!
//! Decoders walk this tree and say everything that is wrong with a file at once; a typed
//! deserialiser would stop at the first mistake. Aliases are refused (a scenario needs none, and
//! they allow a small file to unfold without end), as are tags, several documents, and files of
//! more than [`MAX_BYTES`] or [`MAX_NODES`].

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};

use super::{Diagnostic, SourceText, Span, Spanned};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// The most nodes that a file may have.
pub const MAX_NODES: usize = 200_000;
/// The deepest nesting.
pub const MAX_DEPTH: usize = 64;

/// One value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Value {
    /// A plain `null`, `~`, or nothing at all.
    Null,
    /// A scalar as text; `quoted` says that it was written in quotes or as a block.
    Scalar {
        /// The text after escapes and folding.
        text: String,
        /// Whether it was written plainly, so that `true` and `3` may be more than text.
        plain: Plainness,
    },
    /// A list.
    List(Vec<Node>),
    /// A map in file order; keys are unique.
    Map(Vec<(Spanned<String>, Node)>),
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plainness {
    /// Without quotes.
    Plain,
    /// In quotes or as a block: always text.
    Quoted,
}

impl Value {
    /// What a reader would call this value.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Reads one document.
///
/// # Errors
/// What is wrong with the YAML itself; duplicate keys are reported all at once, a syntax error
/// ends the reading.
pub fn parse(source: &SourceText) -> Result<Node, Vec<Diagnostic>> {
    if source.text.len() > MAX_BYTES {
        let title = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        return Err(vec![Diagnostic::error(Span::default(), title)]);
    }
    let mut reader = Reader { events: Parser::new_from_str(&source.text), source, said: vec![], nodes: 0 };
    let read = reader.document();
    match read {
        Ok(node) if reader.said.is_empty() => Ok(node),
        Ok(_) => Err(reader.said),
        Err(stop) => {
            reader.said.push(stop);
            Err(reader.said)
        }
    }
}

struct Reader<'a> {
    events: Parser<'a, granit_parser::StrInput<'a>>,
    source: &'a SourceText,
    said: Vec<Diagnostic>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Diagnostic> {
        let Some(next) = self.events.next_event() else {
            return Ok((Event::StreamEnd, Span::default()));
        };
        match next {
            Ok((event, span)) => Ok((event, span.byte_range().map(Span::new).unwrap_or_default())),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0).min(self.source.text.len());
                let title = format!("this is not YAML: {}", error.info());
                Err(Diagnostic::error(Span::new(at..at + 1), title)
                    .note("indentation is by spaces; text with `: `, `#` or quotes in it belongs in quotes"))
            }
        }
    }

    fn document(&mut self) -> Result<Node, Diagnostic> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(..) if root.is_some() => {
                    return Err(Diagnostic::error(span, "the file holds a second document")
                        .help("put each scenario into a file of its own"));
                }
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                other => root = Some(self.node(other, span, 0)?),
            }
        }
        Ok(root.unwrap_or(Node { span: Span::default(), value: Value::Null }))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Diagnostic> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(Diagnostic::error(span, format!("the file holds more than {MAX_NODES} values")));
        }
        if depth > MAX_DEPTH {
            return Err(Diagnostic::error(span, format!("values are nested more than {MAX_DEPTH} deep")));
        }
        if let Some(tag) = event.tag() {
            let title = format!("the YAML tag `{}` has no meaning here", tag.original());
            return Err(Diagnostic::error(span, title).help("remove the tag"));
        }
        match event {
            Event::Scalar(text, style, ..) => Ok(scalar(text.into_owned(), style, span)),
            Event::SequenceStart(..) => self.list(span, depth),
            Event::MappingStart(..) => self.map(span, depth),
            Event::Alias(..) => Err(Diagnostic::error(span, "YAML aliases are not read")
                .help("write the value out, or put shared platforms into an inventory file")),
            other => Err(Diagnostic::error(span, format!("this is not YAML: {other:?} stands where a value belongs"))),
        }
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Node, Diagnostic> {
        let mut items = vec![];
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Node { span: start.to(span), value: Value::List(items) });
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Node, Diagnostic> {
        let mut entries: Vec<(Spanned<String>, Node)> = vec![];
        let mut places: HashMap<String, Span> = HashMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Node { span: start.to(span), value: Value::Map(entries) });
            }
            let key = self.node(event, span, depth + 1)?;
            let Value::Scalar { text, .. } = key.value else {
                return Err(Diagnostic::error(key.span, format!("a key must be a word, not {}", key.value.kind())));
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            match places.get(&text) {
                Some(first) => self.said.push(
                    Diagnostic::error(key.span, format!("`{text}` is given twice"))
                        .label("a second time here")
                        .context(*first, "first here"),
                ),
                None => {
                    places.insert(text.clone(), key.span);
                    entries.push((Spanned::new(text, key.span), value));
                }
            }
        }
    }
}

fn scalar(text: String, style: ScalarStyle, span: Span) -> Node {
    let plain = if style == ScalarStyle::Plain { Plainness::Plain } else { Plainness::Quoted };
    let null = plain == Plainness::Plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
    let value = if null { Value::Null } else { Value::Scalar { text, plain } };
    Node { span, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, Vec<Diagnostic>> {
        parse(&SourceText::new("t.yaml", text))
    }

    #[test]
    fn every_key_and_value_knows_its_place() {
        let text = "a: 1\nb:\n  - { c: \"x y\" }\n";
        let Value::Map(entries) = read(text).expect("it is YAML").value else { panic!("a map") };
        let Value::List(items) = &entries[1].1.value else { panic!("a list") };
        let Value::Map(inner) = &items[0].value else { panic!("a map") };
        assert_eq!(&text[inner[0].0.span.range()], "c");
        assert_eq!(&text[inner[0].1.span.range()], "\"x y\"");
    }

    #[test]
    fn duplicate_keys_are_all_reported() {
        let said = read("a: 1\na: 2\nb: { c: 1, c: 2 }\n").expect_err("twice");
        let titles: Vec<&str> = said.iter().map(|one| one.title.as_str()).collect();
        assert_eq!(titles, ["`a` is given twice", "`c` is given twice"]);
    }

    #[test]
    fn aliases_and_tags_are_refused() {
        assert!(read("a: &x 1\nb: *x\n").is_err());
        assert!(read("a: !!int 1\n").is_err());
    }

    #[test]
    fn nothing_is_null() {
        assert!(matches!(read("").expect("empty").value, Value::Null));
    }
}

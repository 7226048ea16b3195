//! One thing said about one place in a text, and how it is drawn.

use annotate_snippets::{AnnotationKind, Group, Level as Tint, Padding, Renderer, Snippet};

use super::{SourceText, Span};

/// How grave it is; the word that the drawing begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The file cannot be used.
    Error,
    /// An expectation did not hold.
    Fail,
    /// An expectation could not be decided.
    Inconclusive,
    /// It can be used, but not as its writer may think.
    Warning,
    /// It is worth knowing.
    Info,
}

impl Level {
    fn tint(self) -> Tint<'static> {
        match self {
            Level::Error => Tint::ERROR,
            Level::Fail => Tint::ERROR.with_name("fail"),
            Level::Inconclusive => Tint::WARNING.with_name("inconclusive"),
            Level::Warning => Tint::WARNING,
            Level::Info => Tint::INFO,
        }
    }
}

/// One statement about a text: what is wrong, where, and what to do.
///
/// The title is in the user's words, lower case, with names in back-ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// How grave.
    pub level: Level,
    /// What is wrong, in one line.
    pub title: String,
    /// The token that is meant, and what stands under its carets (may be empty).
    pub mark: Option<(Span, String)>,
    /// Another place that matters, such as the first of two duplicates.
    pub context: Vec<(Span, String)>,
    /// What would be right, or what was seen; each may have several lines.
    pub notes: Vec<String>,
    /// One action that mends it.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A statement without a place.
    pub fn new(level: Level, title: impl Into<String>) -> Self {
        Self { level, title: title.into(), mark: None, context: vec![], notes: vec![], help: vec![] }
    }

    /// An error at a place.
    pub fn error(span: Span, title: impl Into<String>) -> Self {
        Self::new(Level::Error, title).mark(span, "")
    }

    /// A warning at a place.
    pub fn warning(span: Span, title: impl Into<String>) -> Self {
        Self::new(Level::Warning, title).mark(span, "")
    }

    /// Puts carets under `span`, with `label` behind them.
    pub fn mark(mut self, span: Span, label: impl Into<String>) -> Self {
        self.mark = Some((span, label.into()));
        self
    }

    /// Changes what stands behind the carets.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some((_, text)) = &mut self.mark {
            *text = label.into();
        }
        self
    }

    /// Shows another place too.
    pub fn context(mut self, span: Span, label: impl Into<String>) -> Self {
        self.context.push((span, label.into()));
        self
    }

    /// Adds a note.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds the action that mends it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    fn start(&self) -> usize {
        self.mark.as_ref().map_or(0, |(span, _)| span.start)
    }
}

/// Whether drawings carry terminal colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paint {
    /// Plain ASCII.
    #[default]
    Plain,
    /// ANSI colours.
    Colour,
}

/// Draws one statement about `source`, ending in a newline.
pub fn draw(source: &SourceText, said: &Diagnostic, paint: Paint) -> String {
    let mut group: Group<'_> = match &said.mark {
        Some(_) => said.level.tint().primary_title(&said.title).element(snippet(source, said)),
        None => Group::with_title(said.level.tint().primary_title(&said.title)),
    };
    if said.mark.is_some() && !(said.notes.is_empty() && said.help.is_empty()) {
        group = group.element(Padding);
    }
    for note in &said.notes {
        group = group.element(Tint::NOTE.message(note));
    }
    for help in &said.help {
        group = group.element(Tint::HELP.message(help));
    }
    let renderer = match paint {
        Paint::Plain => Renderer::plain(),
        Paint::Colour => Renderer::styled(),
    };
    let mut drawn = renderer.render(&[group]).to_string();
    drawn.push('\n');
    drawn
}

/// Draws all statements in the order of the file, a blank line between them.
pub fn draw_all(source: &SourceText, said: &[Diagnostic], paint: Paint) -> String {
    let mut ordered: Vec<&Diagnostic> = said.iter().collect();
    ordered.sort_by_key(|one| one.start());
    let drawn: Vec<String> = ordered.iter().map(|one| draw(source, one, paint)).collect();
    drawn.join("\n")
}

fn snippet<'a>(source: &'a SourceText, said: &'a Diagnostic) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let mut snippet = Snippet::source(&*source.text).path(&*source.name).fold(true);
    if let Some((span, label)) = &said.mark {
        let mut mark = AnnotationKind::Primary.span(within(source, *span));
        if !label.is_empty() {
            mark = mark.label(label);
        }
        snippet = snippet.annotation(mark);
    }
    for (span, label) in &said.context {
        snippet = snippet.annotation(AnnotationKind::Context.span(within(source, *span)).label(label));
    }
    snippet
}

/// The span cut to its first line, to the text and to whole characters: carets under a whole block
/// help nobody.
fn within(source: &SourceText, span: Span) -> std::ops::Range<usize> {
    let start = source.text.floor_char_boundary(span.start);
    let end = source.text.ceil_char_boundary(span.end.max(start));
    match source.text.get(start..end).and_then(|text| text.find('\n')) {
        Some(newline) => start..start + newline,
        None => start..end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_drawn_with_its_line_and_carets() {
        let source = SourceText::new("s.yaml", "faults:\n  - at: rcptto\n");
        let said = Diagnostic::error(Span::new(16..22), "`rcptto` is not a stage of an SMTP session")
            .label("did you mean `rcpt`?")
            .note("stages are connect and banner");
        assert_eq!(
            draw(&source, &said, Paint::Plain),
            "error: `rcptto` is not a stage of an SMTP session\n \
             --> s.yaml:2:9\n  |\n\
             2 |   - at: rcptto\n  |         ^^^^^^ did you mean `rcpt`?\n  |\n  \
             = note: stages are connect and banner\n"
        );
    }
}

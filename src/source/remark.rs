//! A statement together with the text that it speaks of, where several texts are in play.

use super::{Diagnostic, Level, Paint, SourceText, draw};

/// What was said, and about which text.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    /// The text.
    pub source: SourceText,
    /// The statement.
    pub said: Diagnostic,
}

impl Remark {
    /// A statement about this text.
    pub fn new(source: &SourceText, said: Diagnostic) -> Self {
        Self { source: source.clone(), said }
    }

    /// Whether the text cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.said.level == Level::Error
    }

    /// Draws it, ending in a newline.
    pub fn draw(&self, paint: Paint) -> String {
        draw(&self.source, &self.said, paint)
    }
}

/// Draws all of them in the order given, a blank line between them.
pub fn draw_remarks(remarks: &[Remark], paint: Paint) -> String {
    let drawn: Vec<String> = remarks.iter().map(|remark| remark.draw(paint)).collect();
    drawn.join("\n")
}

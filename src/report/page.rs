//! Lines of a fixed width: a head that is never broken, and a text that wraps under itself.

use crate::source::Paint;

/// How wide the margin is, in which verdicts stand: as wide as the longest of them.
pub(super) const MARGIN: usize = 12;
/// A text that would have fewer columns than this begins on a line of its own.
const NARROWEST: usize = 24;

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tint {
    Plain,
    Strong,
    Faint,
    Pass,
    Inconclusive,
    Fail,
    Fault,
    /// The frame of a drawing.
    Frame,
}

impl Tint {
    /// The parameters of its SGR sequence (ECMA-48 8.3.117).
    fn sgr(self) -> Option<&'static str> {
        match self {
            Tint::Plain => None,
            Tint::Strong => Some("1"),
            Tint::Faint => Some("2"),
            Tint::Pass => Some("1;32"),
            Tint::Inconclusive => Some("1;33"),
            Tint::Fail => Some("1;31"),
            Tint::Fault => Some("35"),
            Tint::Frame => Some("1;94"),
        }
    }
}

/// Some text of one colour. A no-break space in it is a blank at which no line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    text: String,
    tint: Tint,
}

impl Piece {
    pub(super) fn new(text: impl Into<String>, tint: Tint) -> Self {
        Self { text: text.into(), tint }
    }

    /// A word of the margin, right-aligned, and the blanks behind it.
    pub(super) fn margin(word: &str, tint: Tint) -> [Piece; 2] {
        let gap = MARGIN.saturating_sub(width(word));
        [Piece::new(" ".repeat(gap), Tint::Plain), Piece::new(format!("{word}  "), tint)]
    }
}

impl<T: Into<String>> From<T> for Piece {
    fn from(text: T) -> Self {
        Piece::new(text, Tint::Plain)
    }
}

/// A text that grows line by line.
#[derive(Debug)]
pub(super) struct Page {
    out: String,
    width: usize,
    paint: Paint,
}

impl Page {
    pub(super) fn new(width: usize, paint: Paint) -> Self {
        Self { out: String::new(), width, paint }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn paint(&self) -> Paint {
        self.paint
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// An empty line, if there is anything above it and that is no empty line.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A line across the page.
    pub(super) fn rule(&mut self) {
        let line = Piece::new("-".repeat(self.width), Tint::Faint);
        self.put(&[line]);
    }

    /// Lines that are drawn already.
    pub(super) fn drawn(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// A text behind a word of the margin.
    pub(super) fn entry(&mut self, margin: (&str, Tint), text: &[Piece]) {
        self.row(&Piece::margin(margin.0, margin.1), text);
    }

    /// A text under the last one, `indent` columns further right.
    pub(super) fn under(&mut self, indent: usize, text: &[Piece]) {
        self.row(&[Piece::from(" ".repeat(MARGIN + 2 + indent))], text);
    }

    /// A head that stays whole, and a text behind it that wraps under its own first column.
    pub(super) fn row(&mut self, head: &[Piece], text: &[Piece]) {
        let head_width: usize = head.iter().map(|piece| width(&piece.text)).sum();
        let mut hang = head_width;
        let mut line: Vec<Piece> = head.to_vec();
        if self.width < hang + NARROWEST && !text.is_empty() && !blank(head) {
            self.put(&line);
            hang = leading_blanks(head) + 4;
            line = vec![Piece::from(" ".repeat(hang))];
        }
        let mut column = hang;
        for (word, tint, glued) in words(text) {
            let space = usize::from(column > hang && !glued);
            if column > hang && !glued && column + space + width(word) > self.width {
                self.put(&line);
                line = vec![Piece::from(" ".repeat(hang))];
                column = hang;
            } else if space == 1 {
                let same = line.last().is_some_and(|last| last.tint == tint);
                line.push(Piece::new(" ", if same { tint } else { Tint::Plain }));
                column += 1;
            }
            line.push(Piece::new(word, tint));
            column += width(word);
        }
        self.put(&line);
    }

    /// Writes one line; blanks at its end are left out.
    fn put(&mut self, line: &[Piece]) {
        let end = line.iter().rposition(|piece| !piece.text.trim_end().is_empty()).map_or(0, |last| last + 1);
        for same in line[..end].chunk_by(|one, next| one.tint == next.tint) {
            let text: String = same.iter().map(|piece| piece.text.replace('\u{a0}', " ")).collect();
            let text = if std::ptr::eq(same.as_ptr_range().end, line[..end].as_ptr_range().end) {
                text.trim_end()
            } else {
                &text
            };
            match same[0].tint.sgr().filter(|_| self.paint == Paint::Colour && !text.trim().is_empty()) {
                Some(sgr) => self.out.push_str(&format!("\x1b[{sgr}m{text}\x1b[0m")),
                None => self.out.push_str(text),
            }
        }
        self.out.push('\n');
    }
}

/// How many columns a text takes; wide characters are rare in mail logs and count as one.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// The words of a text with their colours; a word is glued where no blank stands before it.
fn words(text: &[Piece]) -> impl Iterator<Item = (&str, Tint, bool)> {
    let mut after_blank = true;
    text.iter().flat_map(move |piece| {
        let starts_blank = piece.text.starts_with(' ');
        let mut glued = !after_blank && !starts_blank;
        if !piece.text.is_empty() {
            after_blank = piece.text.ends_with(' ');
        }
        piece
            .text
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(move |word| (word, piece.tint, std::mem::replace(&mut glued, false)))
    })
}

fn blank(head: &[Piece]) -> bool {
    head.iter().all(|piece| piece.text.trim().is_empty())
}

fn leading_blanks(head: &[Piece]) -> usize {
    let text: String = head.iter().map(|piece| piece.text.as_str()).collect();
    width(&text) - width(text.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: usize, paint: Paint, head: &[Piece], text: &[Piece]) -> String {
        let mut page = Page::new(width, paint);
        page.row(head, text);
        page.finish()
    }

    #[test]
    fn a_text_wraps_under_itself() {
        let drawn = page(34, Paint::Plain, &["  head  ".into()], &["one two three four five six seven".into()]);
        assert_eq!(drawn, "  head  one two three four five\n        six seven\n");
    }

    #[test]
    fn a_head_that_leaves_no_room_stands_alone() {
        let drawn = page(30, Paint::Plain, &["  a long head there  ".into()], &["one two three four".into()]);
        assert_eq!(drawn, "  a long head there\n      one two three four\n");
    }

    #[test]
    fn pieces_without_a_blank_between_them_stay_together() {
        let pieces = [Piece::from("it "), Piece::new("failed", Tint::Fail), Piece::from(", twice")];
        assert_eq!(page(80, Paint::Plain, &[], &pieces), "it failed, twice\n");
        assert_eq!(page(80, Paint::Colour, &[], &pieces), "it \x1b[1;31mfailed\x1b[0m, twice\n");
    }
}

//! `version; name=value; …`: the form that the records of MTA-STS (RFC 8461 3.1) and TLSRPT
//! (RFC 8460 3) share.

use super::problem::{Code, Problem, Severity};
use crate::source::Span;

/// White space of the RFCs' grammar.
pub(super) const WSP: [char; 2] = [' ', '\t'];

/// The longest name of a field.
const MAX_FIELD_NAME: usize = 32;

/// One `name=value` and its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) span: Span,
    pub(super) value_span: Span,
    pub(super) whole: &'a str,
}

/// What a record is made of.
pub(super) struct Tags<'a> {
    /// The fields behind the version, extensions among them; empty ones left out.
    pub(super) fields: Vec<Tag<'a>>,
    pub(super) problems: Vec<Problem>,
}

/// Of which kind a record is: what differs between the two.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// `v=STSv1` or `v=TLSRPTv1`.
    pub(super) version: &'static str,
    pub(super) rfc: &'static str,
    /// A record without any problem, which specimens are made from.
    pub(super) sound: &'static str,
}

impl Kind {
    /// The sound record and `field` behind it.
    pub(super) fn with(self, field: &str) -> String {
        format!("{}; {field}", self.sound)
    }
}

/// Takes a record apart. What only this form demands is said here.
pub(super) fn read(text: &str, kind: Kind) -> Tags<'_> {
    let mut tags = Tags { fields: vec![], problems: vec![] };
    let end = text.trim_end_matches(WSP).len();
    let delimited = text[..end].ends_with(';');
    if end < text.len() && !delimited {
        let said = "the record ends in white space, which only a `;` may have behind it";
        tags.problems.push(
            Problem::broken(Code::TrailingSpace, Span::new(end..text.len()), kind.rfc, said)
                .milder(Severity::Warning)
                .help("remove it")
                .shown_by(format!("{} ", kind.sound)),
        );
    }
    let mut pieces = pieces(&text[..end]);
    version(pieces[0], text, kind, &mut tags.problems);
    // A field that stands in the version's place is read all the same, so that it is not missed.
    if pieces[0].1.starts_with('v') || pieces[0].1.is_empty() {
        pieces.remove(0);
    }
    let last = pieces.len();
    for (index, (span, piece)) in pieces.into_iter().enumerate() {
        let empty_end = piece.is_empty() && index + 1 == last;
        if !empty_end {
            field(piece, span, kind, &mut tags);
        }
    }
    tags
}

/// The parts between `;`, trimmed, and where they are; at least one.
fn pieces(text: &str) -> Vec<(Span, &str)> {
    let mut found = vec![];
    let mut at = 0;
    for piece in text.split(';') {
        let trimmed = piece.trim_matches(WSP);
        let start = at + (piece.len() - piece.trim_start_matches(WSP).len());
        found.push((Span::new(start..start + trimmed.len()), trimmed));
        at += piece.len() + 1;
    }
    found
}

fn version((span, found): (Span, &str), text: &str, kind: Kind, problems: &mut Vec<Problem>) {
    if found == kind.version && span.start == 0 {
        return;
    }
    let said = if text.is_empty() {
        "the record is empty".to_owned()
    } else if found == kind.version {
        "there is white space before the version".to_owned()
    } else if found.eq_ignore_ascii_case(kind.version) {
        format!("`{}` is written in another case", shown(found))
    } else {
        format!("the record does not begin with `{};`", kind.version)
    };
    problems.push(
        Problem::broken(Code::BadVersion, span, kind.rfc, said)
            .note("the version comes first, is spelt exactly so, and has no space in it")
            .help(format!("begin the record with `{};`", kind.version))
            .shown_by(text),
    );
}

fn field<'a>(piece: &'a str, span: Span, kind: Kind, tags: &mut Tags<'a>) {
    let Some((name, value)) = piece.split_once('=') else {
        let said = format!("`{}` is not `NAME=VALUE`", shown(piece));
        tags.problems.push(Problem::broken(Code::BadFieldName, span, kind.rfc, said).shown_by(kind.with(piece)));
        return;
    };
    let value_span = Span::new(span.start + name.len() + 1..span.end);
    let tag = Tag { name, value, span, value_span, whole: piece };
    if name.ends_with(WSP) || value.starts_with(WSP) {
        let said = format!("there is white space around the `=` of `{}`", shown(piece));
        tags.problems.push(
            Problem::broken(Code::BadFieldName, span, kind.rfc, said)
                .help(format!("write `{}={}`", shown(name.trim_end_matches(WSP)), shown(value.trim_start_matches(WSP))))
                .shown_by(specimen(&tag, kind)),
        );
        // It is read on as it was meant, so that nothing is said twice.
        let name = name.trim_end_matches(WSP);
        tags.fields.push(Tag { name, value: value.trim_start_matches(WSP), ..tag });
        return;
    }
    tags.fields.push(tag);
}

/// The smallest record with this field: in the place of the sound one of its name.
pub(super) fn specimen(tag: &Tag<'_>, kind: Kind) -> String {
    let name = tag.name.trim_matches(WSP);
    if kind.sound.contains(&format!("; {name}=")) {
        format!("{}; {}", kind.version, tag.whole)
    } else {
        kind.with(tag.whole)
    }
}

/// Says what an extension cannot be: its name is 1 to 32 letters, digits, `_`, `-` and `.`, its
/// value visible ASCII without `=` and `;`.
pub(super) fn extension(tag: &Tag<'_>, kind: Kind) -> Option<Problem> {
    let of = |code, span, said: String| {
        Problem::broken(code, span, kind.rfc, said).milder(Severity::Warning).shown_by(specimen(tag, kind))
    };
    if !is_extension_name(tag.name) {
        let said = format!("`{}` cannot be the name of a field", shown(tag.name));
        return Some(
            of(Code::BadFieldName, tag.span, said)
                .note("a name begins with a letter or digit and has at most 32 of letters, digits, `_`, `-` and `.`"),
        );
    }
    let odd = |it: char| !it.is_ascii_graphic() || it == '=';
    if tag.value.is_empty() || tag.value.contains(odd) {
        let said = format!("`{}` cannot be the value of a field", shown(tag.value));
        return Some(
            of(Code::BadFieldValue, tag.value_span, said)
                .note("a value is visible ASCII without `=`, `;` and spaces, at least one character"),
        );
    }
    None
}

/// `sts-ext-name`, `sts-policy-ext-name` and `tlsrpt-ext-name` are the same.
pub(super) fn is_extension_name(name: &str) -> bool {
    name.len() <= MAX_FIELD_NAME
        && name.starts_with(|it: char| it.is_ascii_alphanumeric())
        && name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.'))
}

/// A piece of somebody's text as a message may quote it: short, and without control characters.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().count() > LONGEST {
        short.push('…');
    }
    short.replace('`', "'")
}

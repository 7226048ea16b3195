//! Single values: text, numbers, words of a closed set.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::{Read, Said};
use crate::source::yaml::{Node, Plainness, Value};
use crate::source::{Diagnostic, and_list, closest};

/// The text of a single value, of which messages speak as `what`.
pub fn scalar<'a>(node: &'a Node, what: &str, said: &mut Said) -> Option<&'a str> {
    match &node.value {
        Value::Scalar { text, .. } if !text.trim().is_empty() => Some(text),
        Value::Scalar { .. } => {
            let title = format!("`{}` is empty", said.key());
            said.refuse(Diagnostic::error(node.span, title).note(format!("`{}` is {what}", said.key())))
        }
        _ => said.wrong_kind(node, what),
    }
}

/// Any text but none.
pub fn text(node: &Node, said: &mut Said) -> Option<String> {
    scalar(node, "text", said).map(str::to_owned)
}

/// A path, relative to the folder of the file in which it stands.
pub fn path(node: &Node, said: &mut Said) -> Option<PathBuf> {
    scalar(node, "the path of a file or folder", said).map(|path| said.beside(path))
}

/// A whole number.
pub fn number<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Read<T> {
    move |node: &Node, said: &mut Said| {
        let text = scalar(node, "a whole number", said)?;
        let plain = matches!(node.value, Value::Scalar { plain: Plainness::Plain, .. });
        let digits = text.strip_prefix('-').unwrap_or(text);
        let title = if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("`{text}` is not a whole number")
        } else if !plain {
            format!("`{text}` is in quotes, which make it text instead of a number")
        } else {
            match text.parse::<u64>().ok().filter(|it| range.contains(it)).and_then(|it| T::try_from(it).ok()) {
                Some(number) => return Some(number),
                None => format!("`{}` cannot be {text}", said.key()),
            }
        };
        let (low, high) = (grouped(*range.start()), grouped(*range.end()));
        let note = format!("`{}` is a whole number from {low} to {high}", said.key());
        said.refuse(Diagnostic::error(node.span, title).note(note))
    }
}

/// A fraction from 0 to 1.
pub fn fraction(node: &Node, said: &mut Said) -> Option<f64> {
    let text = scalar(node, "a number from 0 to 1", said)?;
    let title = match text.parse::<f64>() {
        Ok(number) if (0.0..=1.0).contains(&number) => return Some(number),
        Ok(_) => format!("`{}` cannot be {text}", said.key()),
        Err(_) => format!("`{text}` is not a number"),
    };
    let note = format!("`{}` is a number from 0 to 1, such as 0.25 for one in four", said.key());
    said.refuse(Diagnostic::error(node.span, title).note(note))
}

/// A word of a closed set: `what` is such as "a stage of an SMTP session", `plural` such as
/// "stages".
pub fn word<T: Copy + 'static>(
    what: &'static str,
    plural: &'static str,
    all: &'static [T],
    spell: fn(T) -> &'static str,
) -> impl Read<T> {
    move |node: &Node, said: &mut Said| {
        let words: Vec<&'static str> = all.iter().copied().map(spell).collect();
        said.note_words(what, words.iter().copied());
        let text = scalar(node, what, said)?;
        if let Some(found) = all.iter().copied().find(|it| spell(*it) == text) {
            return Some(found);
        }
        let error = Diagnostic::error(node.span, format!("`{text}` is not {what}"));
        let error = match closest(text, words.iter().copied()) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error,
        };
        said.refuse(error.note(choice(plural, &words)))
    }
}

/// The closed set that something must be of: `stages are connect and banner`.
pub fn choice(plural: &str, words: &[&str]) -> String {
    match words {
        [only] => format!("the only one of the {plural} is {only}"),
        words => format!("{plural} are {}", and_list(words)),
    }
}

/// A number with commas between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

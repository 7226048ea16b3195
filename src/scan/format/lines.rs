//! Files of lines, a setting each: `key = value`, with or without sections.

use std::ops::Range;

use crate::scan::setting::{Reading, Setting};
use crate::scan::text::Text;

/// How lines are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lines {
    /// What begins a comment, at the start of a line.
    pub(crate) comments: &'static [&'static str],
    /// What stands between key and value; a space stands for any white space.
    pub(crate) separators: &'static [char],
    /// Whether a value ends at ` #` or ` ;`.
    pub(crate) trailing: Trailing,
    /// Words before a key that mean nothing, such as `export` and `set`.
    pub(crate) skipped: &'static [&'static str],
}

/// What comments may do behind a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trailing {
    /// They are part of the value.
    Kept,
    /// They are not, where white space stands before the mark.
    Comment,
}

/// `key = value` with `#` and `;`.
pub(crate) const INI: Lines =
    Lines { comments: &["#", ";"], separators: &['=', ':'], trailing: Trailing::Comment, skipped: &[] };

/// Shell assignments, as in `.env` files.
pub(crate) const ENV: Lines =
    Lines { comments: &["#"], separators: &['='], trailing: Trailing::Comment, skipped: &["export "] };

/// `key value`.
pub(crate) const WORDS: Lines =
    Lines { comments: &["#"], separators: &['=', ' '], trailing: Trailing::Comment, skipped: &["set "] };

/// Java properties.
pub(crate) const PROPERTIES: Lines =
    Lines { comments: &["#", "!"], separators: &['=', ':', ' '], trailing: Trailing::Kept, skipped: &[] };

/// Reads a file of lines. A line that ends in a backslash goes on; `[section]` begins a section.
pub(crate) fn read(text: &Text, how: &Lines) -> Reading {
    let mut reading = Reading::default();
    let mut section = String::new();
    for range in logical(text) {
        let line = &text.as_str()[range.clone()];
        let body = line.trim_start();
        let start = range.start + line.len() - body.len();
        if body.is_empty() {
            continue;
        }
        if how.comments.iter().any(|mark| body.starts_with(mark)) {
            reading.comments.push(range);
            continue;
        }
        if let Some(name) = body.strip_prefix('[').and_then(|it| it.split_once(']')).map(|(name, _)| name)
            && !how.separators.contains(&' ')
        {
            section = name.trim().replace('"', "").replace(' ', ".");
            continue;
        }
        let skipped = how.skipped.iter().find_map(|word| body.strip_prefix(word)).unwrap_or(body);
        let start = start + body.len() - skipped.len();
        if let Some((key, value, span)) = split(skipped, start, how) {
            let code_end = span.end;
            if code_end < range.end && how.trailing == Trailing::Comment {
                reading.comments.push(code_end..range.end);
            }
            let key = if section.is_empty() { key } else { format!("{section}.{key}") };
            reading.settings.push(Setting::new(key, value, span));
        }
    }
    reading
}

/// Lines, those joined that end in a backslash.
fn logical(text: &Text) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = vec![];
    let mut open = false;
    for range in text.lines() {
        let goes_on = text.as_str()[range.clone()].ends_with('\\');
        match (open, all.last_mut()) {
            (true, Some(last)) => last.end = range.end,
            _ => all.push(range),
        }
        open = goes_on;
    }
    all
}

/// Key, value without quotes, and where the value stands.
fn split(line: &str, start: usize, how: &Lines) -> Option<(String, String, Range<usize>)> {
    let separates = |c: char| how.separators.contains(&c) || (c.is_whitespace() && how.separators.contains(&' '));
    let at = line.find(separates)?;
    let key = line[..at].trim().trim_matches(['"', '\'']);
    if key.is_empty() {
        return None;
    }
    let rest = &line[at..];
    let value = rest.trim_start_matches(|c: char| c.is_whitespace());
    let value = value.strip_prefix("=>").unwrap_or_else(|| {
        let mark = value.chars().next().filter(|c| how.separators.contains(c));
        mark.map_or(value, |c| &value[c.len_utf8()..])
    });
    let value = value.trim_start();
    let from = start + line.len() - value.len();
    let (inner, offset, length) = unquote(value, how.trailing);
    let span = from + offset..from + offset + length;
    Some((key.to_owned(), inner, span))
}

/// A value without its quotes and without the comment behind it: the value, where it begins, and how
/// long it is written.
pub(crate) fn unquote(value: &str, trailing: Trailing) -> (String, usize, usize) {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote)
            && let Some(end) = closing(rest, quote)
        {
            return (rest[..end].to_owned(), 1, end);
        }
    }
    let end = match trailing {
        Trailing::Kept => value.len(),
        Trailing::Comment => {
            [" #", "\t#", " ;", "\t;"].iter().filter_map(|mark| value.find(mark)).min().unwrap_or(value.len())
        }
    };
    let inner = value[..end].trim_end();
    (inner.replace("\\\n", " "), 0, inner.len())
}

fn closing(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    rest.char_indices().find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str, how: &Lines) -> Vec<(String, String, String)> {
        let text = Text::new(text.to_owned());
        let all = read(&text, how).settings;
        all.into_iter().map(|it| (it.key, it.value, text.as_str()[it.span].to_owned())).collect()
    }

    #[test]
    fn sections_quotes_and_comments() {
        let read = settings("; c\n[mailer]\nHOST = \"a:25\" ; x\n[b]\nk=v # y\n", &INI);
        let told: Vec<(&str, &str, &str)> = read.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
        assert_eq!(told, [("mailer.HOST", "a:25", "a:25"), ("b.k", "v", "v")]);
    }

    #[test]
    fn words_and_shell() {
        assert_eq!(settings("set mta=smtp://a\n", &WORDS)[0].1, "smtp://a");
        assert_eq!(settings("host\t mx\n", &WORDS)[0].1, "mx");
        assert_eq!(settings("export MAIL_HOST='x'\n", &ENV)[0].0, "MAIL_HOST");
    }
}

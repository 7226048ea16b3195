//! Tables that another file refers to, as text and compiled.

use std::ops::Range;

use crate::scan::product::Source;
use crate::scan::setting::{Also, Follow, Reading, Role, Setting, Shape};
use crate::scan::text::Text;

/// Reads a table in the way in which `follow` says that it is written.
pub(crate) fn followed(source: &Source<'_>, follow: &Follow) -> Reading {
    let mut reading = Reading::default();
    for (key, value, span) in entries(source.text, follow.shape, &mut reading.comments) {
        let mut setting = Setting::new(key, value.clone(), span);
        let role = follow.role.or_else(|| action(&value));
        if let Some(role) = role {
            setting = setting.role(role);
        }
        // Whoever logs in is known by its key, as the value is a secret; a list of domains has no values.
        if matches!(role, Some(Role::Credential | Role::LocalDomain)) {
            setting.value = setting.key.clone();
            let line = source.text.line_around(setting.span.start);
            setting.span = line.start..line.start + setting.key.len().min(line.len());
        }
        setting.also.push(Also {
            file: Some(follow.from.0.clone()).filter(|file| !file.is_empty()),
            at: Some(follow.from.1),
            what: format!("`{}` refers to it", follow.key),
        });
        reading.settings.push(setting);
    }
    reading
}

/// What an entry of a table of actions (access(5), header_checks(5)) does with mail.
fn action(value: &str) -> Option<Role> {
    match value.split_whitespace().next() {
        Some("FILTER") => Some(Role::NextHop),
        Some("REDIRECT" | "BCC") => Some(Role::Address),
        _ => None,
    }
}

/// Key, value and place of each entry. Lines that begin with white space go on with the one before.
fn entries(text: &Text, shape: Shape, comments: &mut Vec<Range<usize>>) -> Vec<(String, String, Range<usize>)> {
    let mut entries: Vec<(String, String, Range<usize>)> = vec![];
    for range in text.lines() {
        let line = &text.as_str()[range.clone()];
        let body = line.trim();
        if body.starts_with('#') {
            comments.push(range);
            continue;
        }
        if body.is_empty() {
            continue;
        }
        if line.starts_with([' ', '\t']) && shape != Shape::List {
            if let Some((_, value, span)) = entries.last_mut() {
                value.push(' ');
                value.push_str(body);
                span.end = range.start + line.trim_end().len();
            }
            continue;
        }
        let start = range.start + line.len() - line.trim_start().len();
        let at = match shape {
            Shape::Colon => body.find(':').map(|at| at + 1),
            Shape::List => None,
            _ => key_end(body),
        };
        let (key, value) = body.split_at(at.unwrap_or(if shape == Shape::List { 0 } else { body.len() }));
        let value = value.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
        let from = start + body.len() - value.len();
        let key = if shape == Shape::List { body } else { key.trim().trim_end_matches(':') };
        entries.push((key.to_owned(), value.to_owned(), from..start + body.len()));
    }
    entries
}

/// Where a key ends: at white space, and of a pattern in slashes behind the last one.
fn key_end(body: &str) -> Option<usize> {
    let pattern = body.strip_prefix('/').and_then(|rest| rest.rfind('/')).map(|at| at + 1);
    let from = pattern.unwrap_or(0);
    body[from..].find(char::is_whitespace).map(|at| from + at)
}

/// The bytes of a compiled table as a text of the same length, in which only what could be written is left.
pub(crate) fn compiled(bytes: &[u8]) -> Text {
    let written = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '\u{1}' };
    Text::new(bytes.iter().map(written).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_a_table() {
        let text = Text::new("# c\n*   smtp:[a]:25\nx.example\n   smtp:b\n/^To: x y/  FILTER smtp:c\n".to_owned());
        let mut comments = vec![];
        let told: Vec<String> = entries(&text, Shape::Table, &mut comments)
            .into_iter()
            .map(|(key, value, _)| format!("{key}|{value}"))
            .collect();
        assert_eq!(told, ["*|smtp:[a]:25", "x.example| smtp:b", "/^To: x y/|FILTER smtp:c"]);
        assert_eq!(comments.len(), 1);
    }
}

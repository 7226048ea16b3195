//! Files of nested blocks: `name { key value; key = value }`, as many daemons have them.

use std::ops::Range;

use super::lines::{Trailing, unquote};
use crate::scan::setting::{Reading, Setting};
use crate::scan::text::Text;

/// Reads nested blocks. A key is followed by a value on its line, with or without `=` and `;`.
pub(crate) fn read(text: &Text) -> Reading {
    let mut reading = Reading::default();
    let mut path: Vec<String> = vec![];
    let mut in_comment = false;
    for range in text.lines() {
        let line = &text.as_str()[range.clone()];
        let body = line.trim_start();
        let block_comment = in_comment || body.starts_with("/*");
        in_comment = block_comment && !body.contains("*/");
        if block_comment || body.starts_with('#') || body.starts_with("//") {
            reading.comments.push(range);
            continue;
        }
        let code = body.find(" #").map_or(body, |at| {
            reading.comments.push(range.end - (body.len() - at)..range.end);
            &body[..at]
        });
        statements(code, range.end - body.len(), &mut path, &mut reading);
    }
    reading
}

/// The statements of one line, between braces and semicolons.
fn statements(code: &str, start: usize, path: &mut Vec<String>, reading: &mut Reading) {
    let mut from = 0;
    let mut quote = None;
    for (at, c) in code.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') => {
                path.push(code[from..at].split_whitespace().collect::<Vec<_>>().join(" "));
                from = at + 1;
            }
            (None, '}') => {
                setting(code, start, from..at, path, reading);
                path.pop();
                from = at + 1;
            }
            (None, ';') => {
                setting(code, start, from..at, path, reading);
                from = at + 1;
            }
            _ => {}
        }
    }
    setting(code, start, from..code.len(), path, reading);
}

fn setting(code: &str, start: usize, range: Range<usize>, path: &[String], reading: &mut Reading) {
    let statement = code[range.clone()].trim();
    let Some((key, rest)) = statement.split_once(|c: char| c.is_whitespace() || c == '=') else { return };
    let value = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '=' || c == ':');
    if value.is_empty() {
        return;
    }
    let (inner, offset, length) = unquote(value, Trailing::Kept);
    let from = start + (value.as_ptr() as usize - code.as_ptr() as usize) + offset;
    let mut parts = path.to_vec();
    parts.push(key.trim_end_matches(':').to_owned());
    reading.settings.push(Setting::new(parts.join("."), inner, from..from + length));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_blocks() {
        let text = Text::new(
            "target.smtp out {\n  targets tcp://a:25 # why\n}\nmailer { url smtp://b; };\nx = \"c\"\n".to_owned(),
        );
        let read = read(&text);
        let told: Vec<(&str, &str)> =
            read.settings.iter().map(|it| (it.key.as_str(), &text.as_str()[it.span.clone()])).collect();
        assert_eq!(told, [("target.smtp out.targets", "tcp://a:25"), ("mailer.url", "smtp://b"), ("x", "c")]);
        assert_eq!(read.comments.len(), 1);
    }
}

//! YAML as operations people write it: several documents, anchors, tags and templates.

use granit_parser::{Event, Parser, ScalarStyle};

use super::lines::{self, INI};
use crate::scan::setting::{Reading, Setting};
use crate::scan::text::Text;

/// The deepest nesting that is followed.
const MAX_DEPTH: usize = 64;

/// What the next event belongs to.
enum Level {
    /// A list, and which entry is next.
    List(usize),
    /// A map, and the key whose value is next.
    Map(Option<String>),
}

/// Reads YAML. What is a template, and so no YAML, is read line by line.
pub(crate) fn read(text: &Text) -> Reading {
    let mut reading = documents(text).unwrap_or_else(|| {
        let mut reading = lines::read(text, &INI);
        // `- KEY=value` and `key: value` are understood; nesting is not.
        reading.settings.iter_mut().for_each(|it| it.key = it.key.trim_start_matches("- ").to_owned());
        reading
    });
    reading.comments.extend(comments(text, &reading));
    reading
}

fn documents(text: &Text) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut levels: Vec<Level> = vec![];
    let mut events = Parser::new_from_str(text.as_str());
    while let Some(event) = events.next_event() {
        let (event, span) = event.ok()?;
        match event {
            Event::SequenceStart(..) => {
                levels.push(Level::List(0));
            }
            Event::MappingStart(..) => levels.push(Level::Map(None)),
            Event::SequenceEnd | Event::MappingEnd => {
                levels.pop();
                done(&mut levels);
            }
            Event::Alias(..) => done(&mut levels),
            Event::Scalar(value, style, ..) => {
                let range = span.byte_range()?;
                if let Some(Level::Map(key @ None)) = levels.last_mut() {
                    *key = Some(value.into_owned());
                    continue;
                }
                let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
                let inner =
                    if quoted { range.start + 1..range.end.saturating_sub(1).max(range.start + 1) } else { range };
                reading.settings.push(Setting::new(path(&levels), value, inner));
                done(&mut levels);
            }
            _ => {}
        }
        if levels.len() > MAX_DEPTH {
            return None;
        }
    }
    Some(reading)
}

/// The value of a key, or one entry of a list, is complete.
fn done(levels: &mut [Level]) {
    match levels.last_mut() {
        Some(Level::List(index)) => *index += 1,
        Some(Level::Map(key)) => *key = None,
        None => {}
    }
}

fn path(levels: &[Level]) -> String {
    let parts = levels.iter().filter_map(|level| match level {
        Level::List(index) => Some(index.to_string()),
        Level::Map(key) => key.clone(),
    });
    parts.collect::<Vec<_>>().join(".")
}

/// `#` at the start of a line or behind white space, outside of values.
fn comments(text: &Text, reading: &Reading) -> Vec<std::ops::Range<usize>> {
    let inside = |at: usize| {
        let before = reading.settings.partition_point(|it| it.span.start <= at);
        before.checked_sub(1).is_some_and(|it| reading.settings[it].span.contains(&at))
    };
    let starts = |line: &std::ops::Range<usize>| {
        let body = &text.as_str()[line.clone()];
        let marks = body.char_indices().filter(|(at, c)| *c == '#' && (*at == 0 || body[..*at].ends_with([' ', '\t'])));
        let found = marks.map(|(at, _)| line.start + at).find(|at| !inside(*at));
        found.map(|start| start..line.end)
    };
    text.lines().filter_map(|line| starts(&line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let text = Text::new(text.to_owned());
        let all = read(&text).settings;
        all.into_iter().map(|it| format!("{}={} @{}", it.key, it.value, &text.as_str()[it.span])).collect()
    }

    #[test]
    fn nested_values_of_several_documents() {
        assert_eq!(told("a:\n  - { b: \"x\" }\n  - c\n---\nd: !t y # z\n"), ["a.0.b=x @x", "a.1=c @c", "d=y @y"]);
    }

    #[test]
    fn a_template_is_read_by_lines() {
        assert_eq!(
            told("{{ if x }}\nsmtp: {{ .host }}\n  host: mx\n{{ end }}\n").last().map(String::as_str),
            Some("host=mx @mx")
        );
    }

    #[test]
    fn comments_are_not_in_values() {
        let text = Text::new("# a\nb: 'x # y' # z\nc: |\n  # no\n".to_owned());
        let read = read(&text);
        let told: Vec<&str> = read.comments.iter().map(|it| &text.as_str()[it.clone()]).collect();
        assert_eq!(told, ["# a", "# z"]);
    }
}

//! Pieces of text that all formats for people share.

use jiff::Timestamp;

use crate::record::{Record, Tag};

/// The longest text of a server that is shown, in characters; the record holds all of it.
const LONGEST: usize = 500;

/// A time in the unit that fits: `0.4s`, `12.0s`, `2m05s`, `1h02m`.
pub(super) fn seconds(ms: i64) -> String {
    match ms.max(0) {
        ms @ 0..100_000 => format!("{}.{}s", ms / 1000, ms % 1000 / 100),
        ms @ 100_000..3_600_000 => format!("{}m{:02}s", ms / 60_000, ms % 60_000 / 1000),
        ms => format!("{}h{:02}m", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// How much later than `start` something was. A time in whole seconds, such as most logs have, is
/// shown so, and never lies before the start on that account.
pub(super) fn since(start: Timestamp, at: Timestamp) -> String {
    let ms = between(start, at);
    match at.subsec_nanosecond() {
        0 if at != start && ms < 100_000 => format!("{}s", ms.max(0) / 1000),
        _ => seconds(ms),
    }
}

/// Milliseconds from one time to another.
pub(super) fn between(start: Timestamp, end: Timestamp) -> i64 {
    end.as_millisecond().saturating_sub(start.as_millisecond())
}

/// A time of day to the second, in UTC.
pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A text of somebody else on one line, with nothing in it that a terminal would obey or that
/// would show it in another order than it has.
pub(super) fn tame(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    let mut chars = text.trim().chars();
    for c in chars.by_ref().take(LONGEST) {
        match c {
            '\n' => tamed.push_str(" | "),
            '\r' => {}
            '\t' => tamed.push(' '),
            c if c.is_control() || reorders(c) => tamed.extend(c.escape_default()),
            c => tamed.push(c),
        }
    }
    let left = chars.count();
    if left > 0 {
        tamed.push_str(&format!("... ({left} more characters in the record)"));
    }
    tamed
}

/// Whether it is a mark for bidirectional text (Unicode 9.2 of UAX 9).
fn reorders(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `probe 4`, or `probes 1-3, 7 (4)`.
pub(super) fn probes<'a>(tags: impl IntoIterator<Item = &'a Tag>) -> String {
    let names: Vec<String> = tags.into_iter().map(Tag::short).collect();
    match names.as_slice() {
        [one] => format!("probe {one}"),
        many => format!("probes {} ({})", runs(many), many.len()),
    }
}

/// Neighbouring numbers drawn together: `1-3, 7`.
fn runs(names: &[String]) -> String {
    let mut runs: Vec<(&str, &str)> = vec![];
    for name in names {
        match runs.last_mut() {
            Some((_, last)) if follows(last, name) => *last = name,
            _ => runs.push((name, name)),
        }
    }
    let drawn = runs.iter().map(|(first, last)| match first == last {
        true => (*first).to_owned(),
        false => format!("{first}-{last}"),
    });
    drawn.collect::<Vec<_>>().join(", ")
}

fn follows(last: &str, next: &str) -> bool {
    matches!((last.parse::<u32>(), next.parse::<u32>()), (Ok(last), Ok(next)) if last.checked_add(1) == Some(next))
}

/// `never`, `once`, `5 times`.
pub(super) fn times(count: u64) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        many => format!("{many} times"),
    }
}

/// The command line that does the run again.
pub(super) fn repeat(record: &Record) -> String {
    let mut command = format!("mxdrill run {} --seed {}", shell_word(&record.scenario.path), record.seed);
    if let Some((path, _)) = &record.scenario.inventory {
        command.push_str(&format!(" --inventory {}", shell_word(path)));
    }
    if record.command.iter().any(|word| word == "--live") {
        command.push_str(" --live");
    }
    command
}

fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", tame(word).replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (ms, text) in
            [(0, "0.0s"), (-3, "0.0s"), (5_049, "5.0s"), (99_999, "99.9s"), (125_000, "2m05s"), (3_720_000, "1h02m")]
        {
            assert_eq!(seconds(ms), text);
        }
    }

    #[test]
    fn a_log_with_whole_seconds_is_not_said_to_know_tenths() {
        let start: Timestamp = "2026-11-21T06:40:00.4Z".parse().expect("a time");
        let in_log: Timestamp = "2026-11-21T06:40:00Z".parse().expect("a time");
        let seen: Timestamp = "2026-11-21T06:40:05.5Z".parse().expect("a time");
        assert_eq!((since(start, in_log), since(start, seen)), ("0s".to_owned(), "5.1s".to_owned()));
    }

    #[test]
    fn a_server_cannot_paint_the_terminal() {
        assert_eq!(tame("550 \x1b[2Jgone\u{202e}\r\n550 really"), "550 \\u{1b}[2Jgone\\u{202e} | 550 really");
        assert!(tame(&"x".repeat(700)).ends_with("x... (200 more characters in the record)"));
    }

    #[test]
    fn neighbours_are_drawn_together() {
        let run = crate::record::RunId::from_entropy(7);
        let tags: Vec<Tag> = [1, 2, 3, 7].map(|number| run.probe(number)).into();
        assert_eq!(probes(&tags), "probes 1-3, 7 (4)");
        assert_eq!(probes(&tags[3..]), "probe 7");
    }

    #[test]
    fn odd_paths_are_quoted_for_a_shell() {
        assert_eq!(shell_word("scenarios/01-a.yaml"), "scenarios/01-a.yaml");
        assert_eq!(shell_word("my drill's.yaml"), "'my drill'\\''s.yaml'");
    }
}

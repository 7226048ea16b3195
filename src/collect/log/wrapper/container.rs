//! What containers, and the journal's export, put around a line.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use super::super::super::stamp::{self, Stamp};
use super::frame::unframe;
use super::{Entry, Peeled};

/// The most of a line in parts that is kept, in bytes; what comes behind it is left out.
const MAX_JOINED: usize = 1 << 20;

/// The parts of lines that were seen so far, of each stream.
#[derive(Debug, Default)]
pub(in super::super) struct Parts {
    stdout: String,
    stderr: String,
}

/// Which stream of a container.
#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

/// Whether more of the line follows.
enum Whole {
    Complete,
    Continued,
}

impl Parts {
    /// Takes the wrappers off a line, and joins it to its earlier parts.
    pub(in super::super) fn peel<'a>(&mut self, line: &'a str) -> Peeled<'a> {
        let line = without_compose(line.trim_start_matches(['\0', '\u{feff}']));
        if line.starts_with('{') {
            return match json(line) {
                Some(Wrapped::Journal(entry)) => Peeled::Entry(entry),
                Some(Wrapped::Container(stream, at, text)) => {
                    let (text, whole) = match text.strip_suffix('\n') {
                        Some(text) => (text, Whole::Complete),
                        None => (text.as_str(), Whole::Continued),
                    };
                    self.join(stream, at, text, &whole)
                }
                None => Peeled::Entry(unframe(line)),
            };
        }
        match cri(line) {
            // Most lines are of one part.
            Some((stream, at, text, Whole::Complete)) if self.of(stream).is_empty() => inner(text, Some(at)),
            Some((stream, at, text, whole)) => self.join(stream, Some(at), text, &whole),
            None => Peeled::Entry(unframe(line)),
        }
    }

    fn of(&mut self, stream: Stream) -> &mut String {
        match stream {
            Stream::Out => &mut self.stdout,
            Stream::Err => &mut self.stderr,
        }
    }

    fn join<'a>(&mut self, stream: Stream, at: Option<Stamp>, text: &str, whole: &Whole) -> Peeled<'a> {
        let parts = self.of(stream);
        let room = MAX_JOINED.saturating_sub(parts.len()).min(text.len());
        let room = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        parts.push_str(&text[..room]);
        match whole {
            Whole::Continued => Peeled::Part,
            Whole::Complete => {
                let text = std::mem::take(parts);
                match inner(&text, at) {
                    Peeled::Entry(entry) => Peeled::Entry(entry.into_owned()),
                    Peeled::Part => Peeled::Part,
                }
            }
        }
    }
}

/// What a container wrote; its own stamp counts, where it has one.
fn inner(text: &str, at: Option<Stamp>) -> Peeled<'_> {
    let entry = unframe(text);
    Peeled::Entry(Entry { stamp: entry.stamp.or(at), ..entry })
}

/// `name-1  | text` of `docker compose logs`.
fn without_compose(line: &str) -> &str {
    let Some((name, text)) = line.split_once(" | ") else { return line };
    let name = name.trim_end();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if plain && (1..=128).contains(&name.len()) { text } else { line }
}

/// `2026-11-21T05:42:24.1Z stdout F text`.
fn cri(line: &str) -> Option<(Stream, Stamp, &str, Whole)> {
    let (at, rest) = line.split_once(' ')?;
    let (stream, rest) = match rest.split_once(' ')? {
        ("stdout", rest) => (Stream::Out, rest),
        ("stderr", rest) => (Stream::Err, rest),
        _ => return None,
    };
    let (mark, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let whole = match mark.split(':').next() {
        Some("F") => Whole::Complete,
        Some("P") => Whole::Continued,
        _ => return None,
    };
    Some((stream, stamp::leading(at)?.0, text, whole))
}

enum Wrapped {
    Journal(Entry<'static>),
    Container(Stream, Option<Stamp>, String),
}

/// An object of the journal or of Docker; `None` for any other object.
fn json(line: &str) -> Option<Wrapped> {
    // Whole documents of other formats are not read twice.
    let docker = line.contains("\"log\"") && line.contains("\"stream\"");
    if !docker && !line.contains("\"__REALTIME_TIMESTAMP\"") {
        return None;
    }
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    if let Some(log) = text("log") {
        let stream = if text("stream")? == "stderr" { Stream::Err } else { Stream::Out };
        return Some(Wrapped::Container(stream, text("time").and_then(exact), log.to_owned()));
    }
    let micros: i64 = text("__REALTIME_TIMESTAMP")?.parse().ok()?;
    let program = text("SYSLOG_IDENTIFIER").or_else(|| text("_COMM"));
    Some(Wrapped::Journal(Entry {
        stamp: Timestamp::from_microsecond(micros).ok().map(Stamp::Exact),
        host: text("_HOSTNAME").map(|it| Cow::Owned(it.to_owned())),
        program: program.map(|it| Cow::Owned(it.to_owned())),
        pid: text("SYSLOG_PID").or_else(|| text("_PID")).map(|it| Cow::Owned(it.to_owned())),
        text: Cow::Owned(message(value.get("MESSAGE")?)),
        whole: None,
    }))
}

fn exact(text: &str) -> Option<Stamp> {
    stamp::leading(text).map(|(stamp, _)| stamp)
}

/// Text; an array of byte numbers where it is no UTF-8; an array of texts where it is repeated.
fn message(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let bytes: Option<Vec<u8>> = items.iter().map(|it| u8::try_from(it.as_u64()?).ok()).collect();
            match bytes {
                Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                None => items.first().map(message).unwrap_or_default(),
            }
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Program and text of each complete line.
    fn lines(wrapped: &[&str]) -> Vec<(String, String)> {
        let mut parts = Parts::default();
        let entries = wrapped.iter().filter_map(|line| match parts.peel(line) {
            Peeled::Entry(entry) => Some(entry.into_owned()),
            Peeled::Part => None,
        });
        entries.map(|it| (it.program.unwrap_or_default().into_owned(), it.text.into_owned())).collect()
    }

    fn told(program: &str, text: &str) -> Vec<(String, String)> {
        vec![(program.to_owned(), text.to_owned())]
    }

    #[test]
    fn records_of_the_journal_are_read() {
        let told = told("postfix/smtp", "7EE668039: removed");
        let text = r#"{"__REALTIME_TIMESTAMP":"1795239744004932","_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"postfix/smtp","MESSAGE":"7EE668039: removed"}"#;
        assert_eq!(lines(&[text]), told);
        let bytes: Vec<String> = b"7EE668039: removed".iter().map(u8::to_string).collect();
        let numbers = text.replace("\"7EE668039: removed\"", &format!("[{}]", bytes.join(",")));
        assert_eq!(lines(&[&numbers]), told);
        let entry = super::super::peel(text).expect("a stamp");
        assert_eq!(entry.stamp, exact("2026-11-21T05:42:24.004932Z"));
        assert_eq!(entry.host.as_deref(), Some("mx1"));
    }

    #[test]
    fn long_lines_of_containers_are_joined_per_stream() {
        let docker = [
            r#"{"log":"Nov 21 05:42:24 mx1 postfix/smtp[1]: 7EE6","stream":"stdout","time":"2026-11-21T05:42:24.1Z"}"#,
            r#"{"log":"other\n","stream":"stderr","time":"2026-11-21T05:42:24.1Z"}"#,
            r#"{"log":"68039: removed\n","stream":"stdout","time":"2026-11-21T05:42:24.2Z"}"#,
        ];
        assert_eq!(lines(&docker), [told("", "other"), told("postfix/smtp", "7EE668039: removed")].concat());
        let cri = [
            "2026-11-21T05:42:24.1Z stdout P Nov 21 05:42:24 mx1 postfix/smtp[1]: 7EE6",
            "2026-11-21T05:42:24.1Z stdout F 68039: removed",
            "2026-11-21T05:42:24.2Z stderr F 1xUdrk-00004T-18 Completed",
        ];
        let both = [told("postfix/smtp", "7EE668039: removed"), told("", "1xUdrk-00004T-18 Completed")].concat();
        assert_eq!(lines(&cri), both);
    }

    #[test]
    fn what_compose_prints_is_a_line_of_a_container() {
        let line = "mx1-1  | 2026-11-21T05:42:24Z mx1 postfix/smtp[1]: 7EE668039: removed";
        assert_eq!(lines(&[line]), told("postfix/smtp", "7EE668039: removed"));
    }

    #[test]
    fn a_line_that_never_ends_is_kept_up_to_a_limit() {
        let mut parts = Parts::default();
        let part = format!("2026-11-21T05:42:24.1Z stdout P {}", "é".repeat(100_000));
        for _ in 0..20 {
            assert_eq!(parts.peel(&part), Peeled::Part);
        }
        assert!(parts.stdout.len() <= MAX_JOINED);
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_peeled(
            line in "\\PC{0,60}",
            start in "(<22>1? ?|[0-9]{1,3} <22>1 |\\{\"log\":|x-1 +\\| |@4000|2026-11-21T05:42:24Z (stdout|mx1) )",
            rest in "[-PF\\[\\]\"\\\\= :a-z\\{\\}é]{0,40}",
        ) {
            let mut parts = Parts::default();
            let _ = (parts.peel(&line), parts.peel(&format!("{start}{rest}")), super::super::counted(&line));
        }
    }
}

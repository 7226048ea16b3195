//! The frame of one log record: priority, stamp, host and program.

use std::borrow::Cow;

use super::super::super::stamp::{self, Stamp};
use super::Entry;

/// Longer host names and programs are none.
const MAX_WORD: usize = 255;

/// The first of the frames that octet counting (RFC 6587 3.4.1) put into one line, and what
/// follows it; the whole line where it is not counted.
pub(in super::super) fn counted(line: &str) -> (&str, &str) {
    let length = line.bytes().take_while(u8::is_ascii_digit).count();
    let frame = line.get(length..).and_then(|rest| rest.strip_prefix(' ')).filter(|rest| rest.starts_with('<'));
    match (frame, line[..length].parse::<usize>()) {
        (Some(frame), Ok(count)) if (1..=7).contains(&length) => {
            // The line end may be counted too.
            let end = count.min(frame.len());
            let end = (0..=end).rev().find(|at| frame.is_char_boundary(*at)).unwrap_or_default();
            (frame[..end].trim_end(), &frame[end..])
        }
        _ => (line, ""),
    }
}

/// Takes the frame off. Where there is none the whole line is the text.
pub(super) fn unframe(line: &str) -> Entry<'_> {
    let (line, _) = counted(line);
    if let Some(entry) = rfc5424(line) {
        return entry;
    }
    let bare = || Entry { stamp: None, host: None, program: None, pid: None, text: line.into(), whole: None };
    let Some((stamp, rest)) = stamp::leading(without_priority(line)) else { return bare() };
    match syslog(rest) {
        Some((host, program, pid, text)) => Entry {
            stamp: Some(stamp),
            host: Some(host.into()),
            program: Some(program.into()),
            pid: pid.map(Into::into),
            text: once(text).into(),
            whole: None,
        },
        None => Entry {
            stamp: Some(stamp),
            host: None,
            program: None,
            pid: None,
            text: without_pid(rest).into(),
            whole: Some(line),
        },
    }
}

/// Host, program and text of a line with a stamp in the form of RFC 3164 that stands by itself.
pub(in crate::collect) fn classic(line: &str) -> Option<Classic<'_>> {
    let (_, rest) = stamp::leading(without_priority(line))?;
    Some(match syslog(rest) {
        Some((host, program, _, text)) => Classic { host: Some(host), program: Some(program), text },
        None => Classic { host: None, program: None, text: without_pid(rest) },
    })
}

/// A line in the form of RFC 3164, by reference.
pub(in crate::collect) struct Classic<'a> {
    pub(in crate::collect) host: Option<&'a str>,
    pub(in crate::collect) program: Option<&'a str>,
    pub(in crate::collect) text: &'a str,
}

fn without_priority(line: &str) -> &str {
    after_priority(line).unwrap_or(line)
}

fn after_priority(line: &str) -> Option<&str> {
    let (number, rest) = line.strip_prefix('<')?.split_once('>')?;
    ((1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
}

/// `<22>1 2026-11-21T05:42:24.1Z host program pid msgid [structured data] text` (RFC 5424 6).
fn rfc5424(line: &str) -> Option<Entry<'_>> {
    let mut words = after_priority(line)?.strip_prefix("1 ")?.splitn(6, ' ');
    let mut word = || words.next().map(|word| Some(word).filter(|it| *it != "-"));
    let (stamp, host, program, pid, _id) = (word()?, word()?, word()?, word()?, word()?);
    let rest = words.next().unwrap_or_default();
    let stamp: Option<Stamp> = match stamp {
        None => None,
        Some(stamp) => Some(stamp::leading(stamp)?.0),
    };
    let text = structured_data(rest)?.trim_start_matches('\u{feff}');
    let of = |word: Option<&str>| word.map(|it| Cow::Owned(it.to_owned()));
    Some(Entry {
        stamp,
        host: of(host),
        program: of(program),
        pid: of(pid),
        text: Cow::Owned(text.to_owned()),
        whole: None,
    })
}

/// What follows the structured data: `-`, or elements such as `[id name="value"]` in which `"`,
/// `\` and `]` are escaped.
fn structured_data(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest.strip_prefix(' ').unwrap_or(rest));
    }
    let mut rest = text;
    while rest.starts_with('[') {
        let (mut quoted, mut escaped) = (false, false);
        let end = rest.bytes().position(|byte| {
            let ends = byte == b']' && !quoted;
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ => {}
            }
            ends
        })?;
        rest = &rest[end + 1..];
    }
    (rest.len() < text.len()).then(|| rest.strip_prefix(' ').unwrap_or(rest))
}

/// `host program[pid]: text`; the pid may be missing.
fn syslog(rest: &str) -> Option<(&str, &str, Option<&str>, &str)> {
    let (host, rest) = rest.split_once(' ')?;
    let (tag, text) = rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|tag| (tag, "")))?;
    let (program, pid) = match tag.split_once('[') {
        Some((program, pid)) => (program, Some(pid.strip_suffix(']').filter(|it| is_pid(it))?)),
        None => (tag, None),
    };
    let plain = |text: &str| {
        (1..=MAX_WORD).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./_-@".contains(&byte))
    };
    // `delivery 1: success` of qmail is no host and no program.
    let named = program.bytes().any(|byte| byte.is_ascii_alphabetic());
    (plain(host) && plain(program) && named).then_some((host, program, pid, text))
}

/// A number, or dma's queue-id, which it logs in the place of one.
fn is_pid(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|it| it.is_ascii_hexdigit() || it == b'.')
}

/// `message repeated 2 times: [ text]`, as rsyslog shortens it.
fn once(text: &str) -> &str {
    let repeated = text.strip_prefix("message repeated ").and_then(|rest| rest.split_once(" times: ["));
    match repeated {
        Some((_, inner)) => inner.trim_start().strip_suffix(']').unwrap_or(inner),
        None => text,
    }
}

/// Exim's `[1234] `, where it logs its process id.
fn without_pid(text: &str) -> &str {
    match text.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((pid, rest)) if !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => text,
    }
}

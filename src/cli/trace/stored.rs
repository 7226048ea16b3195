//! Messages that were stored: .eml files, mbox files, Maildirs.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::super::{Exit, Screen};
use crate::inventory::Inventory;
use crate::trace::chain::{TracedMessage, messages_in, trace as walk};

/// The largest mbox file that is read, in bytes.
const MAX_MBOX: u64 = 1 << 30;
/// How much of a message is read: its header, and more than enough of it.
const MAX_MESSAGE: u64 = 1 << 20;
/// The most messages of a Maildir that are read.
const MAX_MESSAGES: usize = 100_000;

/// Whether a path holds stored messages, and no log: a Maildir, an mbox file, or a file that begins with a header
/// field (RFC 5322 2.2).
pub(super) fn holds_messages(path: &Path) -> bool {
    if path.is_dir() {
        return path.join("cur").is_dir() || path.join("new").is_dir();
    }
    // A pipe or a log that is not there is for the reader of logs to name.
    let regular = fs::metadata(path).is_ok_and(|it| it.is_file());
    regular && start_of(path, 1000).is_ok_and(|start| start.starts_with(b"From ") || begins_with_a_field(&start))
}

/// `Received: …`, and not `2026-11-21T…` or `Nov 21 06:40:…`.
fn begins_with_a_field(start: &[u8]) -> bool {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let (name, rest) = line.split_at(colon);
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && matches!(rest.get(1), None | Some(b' ' | b'\t' | b'\r'))
}

/// The messages at these paths, each with its proven path.
pub(super) fn traced(screen: &Screen, paths: &[PathBuf], inventory: &Inventory) -> Result<Vec<TracedMessage>, Exit> {
    let mut messages = vec![];
    for path in paths {
        let found = of_path(path, inventory).map_err(|error| {
            let help = "name a message (.eml), an mbox file, or a Maildir";
            screen.error(&format!("`{}` cannot be traced: {error}", path.display()), &[], Some(help));
            Exit::Usage
        })?;
        messages.extend(found);
    }
    Ok(messages)
}

fn of_path(path: &Path, inventory: &Inventory) -> io::Result<Vec<TracedMessage>> {
    if path.is_dir() {
        let found = in_maildir(path)?;
        return found.iter().map(|file| of_message(file, inventory)).collect();
    }
    let start = start_of(path, MAX_MESSAGE)?;
    if !start.starts_with(b"From ") {
        return Ok(vec![of_bytes(&start, &path.display().to_string(), inventory)?]);
    }
    if fs::metadata(path)?.len() > MAX_MBOX {
        return Err(io::Error::other(format!("it is larger than {} MiB", MAX_MBOX >> 20)));
    }
    let whole = fs::read(path)?;
    let place = |line: usize| format!("{}:{line}", path.display());
    messages_in(&whole).into_iter().map(|(line, message)| of_bytes(message, &place(line), inventory)).collect()
}

fn of_message(path: &Path, inventory: &Inventory) -> io::Result<TracedMessage> {
    of_bytes(&start_of(path, MAX_MESSAGE)?, &path.display().to_string(), inventory)
}

fn of_bytes(message: &[u8], file: &str, inventory: &Inventory) -> io::Result<TracedMessage> {
    let line = message.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_field = line.contains(&b':') && !name.is_empty() && name.iter().all(|byte| byte.is_ascii_graphic());
    match is_field {
        true => Ok(walk(message, file, inventory)),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, format!("`{file}` does not begin with a header"))),
    }
}

fn start_of(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut start = vec![];
    File::open(path)?.take(most).read_to_end(&mut start)?;
    Ok(start)
}

/// The messages of a Maildir, in the order of their names, which is that of their arrival.
fn in_maildir(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![];
    for part in ["new", "cur"] {
        for entry in fs::read_dir(path.join(part)).map_err(|_| io::Error::other("it is a folder, and no Maildir"))? {
            let entry = entry?;
            if entry.file_type()?.is_file() && found.len() < MAX_MESSAGES {
                found.push(entry.path());
            }
        }
    }
    found.sort_by_key(|path| path.file_name().map(std::ffi::OsStr::to_owned));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::begins_with_a_field;

    #[test]
    fn a_log_is_no_message() {
        for message in ["Received: from a by b", "Return-Path: <a@b>\r\nx", "X-A:\n b"] {
            assert!(begins_with_a_field(message.as_bytes()), "{message}");
        }
        for log in [
            "2026-11-21T06:40:00+00:00 mx1 postfix/smtp[1]: A: to=<a@b>",
            "Nov 21 06:40:00 mx1 a: b",
            "{\"a\": 1}",
            "7 <22>1 x: y",
        ] {
            assert!(!begins_with_a_field(log.as_bytes()), "{log}");
        }
    }
}

//! `mxdrill trace`: the proven path of stored messages.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::arguments::{Common, Format, Trace};
use super::{Exit, Screen, files};
use crate::inventory::{self, Inventory};
use crate::record::Trust;
use crate::trace::chain::{TracedMessage, messages_in, render, trace as walk};

/// The largest mbox file that is read, in bytes.
const MAX_MBOX: u64 = 1 << 30;
/// How much of a message is read: its header, and more than enough of it.
const MAX_MESSAGE: u64 = 1 << 20;
/// The most messages of a Maildir that are read.
const MAX_MESSAGES: usize = 100_000;

pub(super) fn trace(screen: &Screen, common: &Common, wanted: &Trace) -> Exit {
    let inventory = match known(screen, common) {
        Ok(inventory) => inventory,
        Err(exit) => return exit,
    };
    let mut messages = vec![];
    for path in &wanted.paths {
        match of_path(path, &inventory) {
            Ok(found) => messages.extend(found),
            Err(error) => {
                let help = "name a message (.eml), an mbox file, or a Maildir";
                screen.error(&format!("`{}` cannot be traced: {error}", path.display()), &[], Some(help));
                return Exit::Usage;
            }
        }
    }
    match common.format {
        Format::Text => screen.result(&text(&messages)),
        Format::Json => {
            let document = json!({ "messages": messages, "open": 0, "odd_lines": 0 });
            screen.result(&format!("{document:#}\n"));
        }
    }
    // A path of which nothing is proven is no answer.
    let unproven = |message: &TracedMessage| message.path.iter().all(|hop| hop.trust == Trust::Claimed);
    if messages.is_empty() || messages.iter().any(unproven) { Exit::Inconclusive } else { Exit::Clean }
}

/// The inventory; without one only the services that are known by name can be trusted.
fn known(screen: &Screen, common: &Common) -> Result<Inventory, Exit> {
    let Some(path) = &common.inventory else { return Ok(Inventory::default()) };
    let source = files::read(screen, path)?;
    match inventory::load(&source) {
        Ok((inventory, warnings)) => {
            screen.remarks(&warnings);
            Ok(inventory)
        }
        Err(remarks) => {
            screen.remarks(&remarks);
            Err(Exit::Usage)
        }
    }
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

fn text(messages: &[TracedMessage]) -> String {
    messages.iter().map(render).collect::<Vec<_>>().join("\n")
}

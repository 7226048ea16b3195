//! `mxdrill trace`: the path of messages.

use super::arguments::{Common, Format, Trace};
use super::{Exit, Machine, Screen, files};
use crate::trace::{self, Selector, Wanted};

pub(super) fn trace(machine: &Machine, screen: &Screen, common: &Common, wanted: &Trace) -> Exit {
    match logs(machine, screen, common, wanted) {
        Ok(exit) | Err(exit) => exit,
    }
}

/// From the logs of hosts.
fn logs(machine: &Machine, screen: &Screen, common: &Common, wanted: &Trace) -> Result<Exit, Exit> {
    let inventory = files::inventory(screen, common.inventory.as_deref())?;
    let selectors = selectors(screen, wanted)?;
    let request = Wanted {
        files: &wanted.files,
        format: wanted.log_format,
        selectors: &selectors,
        inventory: inventory.as_ref(),
        now: machine.now,
    };
    let traced = trace::trace(&request).map_err(|error| {
        screen.error(&error.to_string(), &[], Some("check the path, and that you may read it"));
        Exit::Usage
    })?;
    match common.format {
        Format::Text => screen.result(&trace::text(&traced, screen.paint, common.quiet.into())),
        Format::Json => {
            let json = serde_json::to_string_pretty(&traced).unwrap_or_default();
            screen.result(&format!("{json}\n"));
        }
    }
    let nothing = traced.messages.is_empty() && traced.refusals.is_empty();
    if nothing && !selectors.is_empty() {
        screen.error("no log tells of such a message", &absent(wanted), None);
        return Ok(Exit::Inconclusive);
    }
    Ok(Exit::Clean)
}

fn selectors(screen: &Screen, wanted: &Trace) -> Result<Vec<Selector>, Exit> {
    let mut all: Vec<Selector> = wanted.tags.iter().cloned().map(Selector::Tag).collect();
    all.extend(wanted.message_ids.iter().cloned().map(Selector::MessageId));
    all.extend(wanted.queue_ids.iter().cloned().map(Selector::QueueId));
    if let Some(path) = &wanted.tags_from {
        let text = files::read(screen, path)?.text;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        all.extend(lines.map(|line| Selector::Tag(line.to_owned())));
    }
    Ok(all)
}

fn absent(wanted: &Trace) -> Vec<String> {
    let logs: Vec<String> = wanted.files.iter().map(|it| format!("`{}`", it.display())).collect();
    vec![
        format!("looked into {}", crate::source::and_list(&logs)),
        "a line that is missing is no proof that no mail came: logs are rotated away, and log daemons drop lines"
            .to_owned(),
    ]
}

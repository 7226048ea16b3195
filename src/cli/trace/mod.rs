//! `mxdrill trace`: the path of messages, through the logs of hosts or by their own headers.

mod stored;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::arguments::{Common, Format, Trace};
use super::{Exit, Machine, Screen, files};
use crate::inventory::Inventory;
use crate::record::Trust;
use crate::trace::chain::{TracedMessage, render};
use crate::trace::{self, Selector, Wanted};

pub(super) fn trace(machine: &Machine, screen: &Screen, common: &Common, wanted: &Trace) -> Exit {
    match traced(machine, screen, common, wanted) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn traced(machine: &Machine, screen: &Screen, common: &Common, wanted: &Trace) -> Result<Exit, Exit> {
    let inventory = files::inventory(screen, common.inventory.as_deref())?.map(|(inventory, _)| inventory);
    let (stored, logs): (Vec<PathBuf>, Vec<PathBuf>) =
        wanted.files.iter().cloned().partition(|path| stored::holds_messages(path));
    // Without an inventory only the services that are known by name can be trusted.
    let known = inventory.clone().unwrap_or_default();
    let messages = stored::traced(screen, &stored, &known)?;
    let of_messages = if stored.is_empty() { Exit::Clean } else { proven(&messages) };
    if logs.is_empty() {
        let document = json!({ "messages": messages, "open": 0, "odd_lines": 0 });
        show(screen, common, &text(&messages), document);
        return Ok(of_messages);
    }
    let of_logs = through_logs(machine, screen, common, wanted, &logs, inventory.as_ref(), &messages)?;
    Ok(if of_logs == Exit::Clean { of_messages } else { of_logs })
}

fn show(screen: &Screen, common: &Common, text: &str, document: Value) {
    match common.format {
        Format::Text => screen.result(text),
        Format::Json => screen.result(&format!("{document:#}\n")),
    }
}

/// A path of which nothing is proven is no answer.
fn proven(messages: &[TracedMessage]) -> Exit {
    let unproven = |message: &TracedMessage| message.path.iter().all(|hop| hop.trust == Trust::Claimed);
    if messages.is_empty() || messages.iter().any(unproven) { Exit::Inconclusive } else { Exit::Clean }
}

fn text(messages: &[TracedMessage]) -> String {
    messages.iter().map(render).collect::<Vec<_>>().join("\n")
}

/// The same from the logs of hosts; `stored` are shown before it.
fn through_logs(
    machine: &Machine,
    screen: &Screen,
    common: &Common,
    wanted: &Trace,
    logs: &[PathBuf],
    inventory: Option<&Inventory>,
    stored: &[TracedMessage],
) -> Result<Exit, Exit> {
    let selectors = selectors(screen, wanted)?;
    let request = Wanted { files: logs, format: wanted.log_format, selectors: &selectors, inventory, now: machine.now };
    let traced = trace::trace(&request).map_err(|error| {
        screen.error(&error.to_string(), &[], Some("check the path, and that you may read it"));
        Exit::Usage
    })?;
    let mut document = serde_json::to_value(&traced).unwrap_or_default();
    if let (Some(messages), Value::Array(before)) = (document["messages"].as_array_mut(), json!(stored)) {
        messages.splice(0..0, before);
    }
    let told = trace::text(&traced, screen.paint, common.quiet.into());
    show(screen, common, &(text(stored) + &told), document);
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

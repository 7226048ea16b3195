//! Stalwart: relays by name, and the expressions that choose one. Both may be in a file; since 0.16 they
//! are in its database, and a file is an export of it.

use super::{Source, Understood};
use crate::scan::format::code::{self, HASH, SCRIPT};
use crate::scan::setting::{Reading, Role, Setting, State};

/// Reads a configuration or an export of Stalwart.
pub(crate) fn read(source: &Source<'_>) -> Option<Understood> {
    let text = source.text.as_str();
    let export = source.name.ends_with(".json") && text.contains("\"@type\"") && text.contains("\"Relay\"");
    let toml = source.name.ends_with(".toml")
        && (text.contains("[remote.") || text.contains("queue.route") || text.contains("remote."));
    let reading = match (export, toml) {
        (true, _) => exported(source),
        (_, true) => configured(source),
        _ => return None,
    };
    Some(Understood::new("stalwart", reading))
}

/// Objects of an export: a relay's name stands before its address or behind it, in the same braces.
fn exported(source: &Source<'_>) -> Reading {
    let text = source.text.as_str();
    let mut reading = code::read(source.text, &SCRIPT);
    let chosen = text.find("MtaOutboundStrategy").map(|at| &text[at..]);
    for setting in reading.settings.iter_mut().filter(|it| it.key.ends_with("address")) {
        let start = text[..setting.span.start].rfind('{').unwrap_or(0);
        let end = text[setting.span.end..].find('}').map_or(text.len(), |at| setting.span.end + at);
        let object = &text[start..end];
        if object.contains("\"Relay\"") {
            setting.role = Some(Role::NextHop);
            let name = object.split("\"name\"").nth(1).and_then(|rest| rest.split('"').nth(1)).unwrap_or("");
            unchosen(setting, name, chosen);
        }
    }
    reading
}

fn configured(source: &Source<'_>) -> Reading {
    let mut reading = crate::scan::format::lines::read(source.text, &crate::scan::format::lines::INI);
    reading.comments = code::read(source.text, &HASH).comments;
    let choosing =
        |it: &&Setting| it.key.ends_with("next-hop") || it.key.contains("strategy") || it.key.contains("outbound");
    let expressions: Vec<String> = reading.settings.iter().filter(choosing).map(|it| it.value.clone()).collect();
    let chosen = (!expressions.is_empty()).then(|| expressions.join(" "));
    for setting in reading.settings.iter_mut().filter(|it| it.key.ends_with(".address")) {
        let path: Vec<String> = setting.key.split('.').map(str::to_owned).collect();
        let relay = path.iter().position(|part| part == "remote" || part == "route");
        if let Some(name) = relay.and_then(|at| path.get(at + 1)) {
            setting.role = Some(Role::NextHop);
            unchosen(setting, name, chosen.as_deref());
        }
    }
    reading
}

/// A relay that no expression names is not used; where no expression was given, nobody can tell.
fn unchosen(setting: &mut Setting, name: &str, chosen: Option<&str>) {
    let named = |expressions: &str| {
        let words: Vec<&str> = expressions.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).collect();
        words.contains(&name)
    };
    if chosen.is_some_and(|expressions| !named(expressions)) {
        setting.state = State::Unused;
        setting.note = Some(format!("no expression chooses the relay `{name}`"));
    }
}

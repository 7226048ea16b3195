//! Haraka: the plugins that hand mail on, as far as `config/plugins` loads them.

use super::Source;
use crate::scan::format::lines::{self, INI};
use crate::scan::setting::{Reading, Role, State};
use crate::scan::tree::{Tree, base, parent};

/// Reads the `.ini` of a plugin that hands mail on.
pub(crate) fn read(source: &Source<'_>, tree: &Tree) -> Option<Reading> {
    let plugin = match base(source.name) {
        "smtp_forward.ini" => "queue/smtp_forward",
        "smtp_proxy.ini" => "queue/smtp_proxy",
        "smtp_bridge.ini" => "smtp_bridge",
        _ => return None,
    };
    let mut reading = lines::read(source.text, &INI);
    reading.last_wins();
    let list = tree.text(&format!("{}/plugins", parent(source.name)));
    let loaded = list.as_deref().map(|list| list.lines().any(|line| line.trim() == plugin));
    for setting in &mut reading.settings {
        if !setting.key.rsplit('.').next().is_some_and(|key| key == "host" || key == "uri") {
            continue;
        }
        setting.role = Some(Role::NextHop);
        if loaded == Some(false) && setting.state == State::Active {
            setting.state = State::Unused;
            setting.note = Some(format!("`config/plugins` does not load `{plugin}`"));
        }
    }
    Some(reading)
}

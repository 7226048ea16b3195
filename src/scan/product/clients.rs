//! Mail clients that know several servers and choose one.

use std::collections::BTreeSet;

use super::Source;
use crate::scan::setting::{Reading, State};
use crate::scan::tree::{Tree, base, parent};

/// Takes servers out of force that Thunderbird does not choose.
pub(super) fn choose(source: &Source<'_>, tree: &Tree, reading: &mut Reading) {
    if !matches!(base(source.name), "prefs.js" | "user.js") {
        return;
    }
    let chosen: BTreeSet<String> = reading
        .settings
        .iter()
        .filter(|it| it.key.ends_with(".smtpServer") || it.key.ends_with("mail.smtp.defaultserver"))
        .map(|it| it.value.clone())
        .collect();
    let over =
        (base(source.name) == "prefs.js").then(|| tree.text(&format!("{}/user.js", parent(source.name)))).flatten();
    for setting in reading.settings.iter_mut().filter(|it| it.state == State::Active) {
        let Some((_, rest)) = setting.key.split_once("mail.smtpserver.") else { continue };
        let Some((server, "hostname")) = rest.split_once('.') else { continue };
        if over.as_deref().is_some_and(|text| text.contains(&format!("mail.smtpserver.{server}.hostname"))) {
            setting.state = State::Shadowed;
            setting.note = Some("`user.js` sets it again at each start".to_owned());
        } else if !chosen.is_empty() && !chosen.contains(server) {
            setting.state = State::Unused;
            setting.note = Some(format!("no identity sends through `{server}`"));
        }
    }
}

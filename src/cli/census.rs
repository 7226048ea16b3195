//! `mxdrill census`: who still hands mail to a platform.

use super::arguments::{Census, CensusFormat, Common, Format};
use super::{Exit, Machine, Screen, files};
use crate::census::{self, Wanted};

pub(super) fn census(machine: &Machine, screen: &Screen, common: &Common, wanted: &Census) -> Exit {
    match counted(machine, screen, common, wanted) {
        Ok(()) => Exit::Clean,
        Err(exit) => exit,
    }
}

fn counted(machine: &Machine, screen: &Screen, common: &Common, wanted: &Census) -> Result<(), Exit> {
    let inventory = files::inventory(screen, common.inventory.as_deref())?.map(|(inventory, _)| inventory);
    if let Some(inventory) = &inventory
        && !inventory.platforms.contains_key(&wanted.platform)
    {
        let known: Vec<String> = inventory.platforms.keys().map(|it| format!("`{it}`")).collect();
        let notes = [format!("the inventory has {}", crate::source::and_list(&known))];
        screen.error(&format!("the inventory has no platform `{}`", wanted.platform), &notes, None);
        return Err(Exit::Usage);
    }
    let request = Wanted {
        files: &wanted.files,
        format: wanted.log_format,
        platform: &wanted.platform,
        inventory: inventory.as_ref(),
        changed: wanted.changed,
        ttl: wanted.ttl,
        now: machine.now,
    };
    let census = census::census(&request).map_err(|error| {
        screen.error(&error.to_string(), &[], Some("check the path, and that you may read it"));
        Exit::Usage
    })?;
    let json = || serde_json::to_string_pretty(&census).unwrap_or_default() + "\n";
    for (format, path) in &wanted.reports {
        let text = match format {
            CensusFormat::Markdown => census::markdown(&census),
            CensusFormat::Json => json(),
        };
        files::write(screen, path, &text)?;
    }
    match common.format {
        Format::Text => screen.result(&census::text(&census)),
        Format::Json => screen.result(&json()),
    }
    Ok(())
}

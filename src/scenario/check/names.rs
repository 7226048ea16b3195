//! Names that something must have.

use crate::inventory::Inventory;
use crate::scenario::{Lab, Scenario};
use crate::source::read::choice;
use crate::source::{Diagnostic, Spanned, closest};

/// The most names that a message lists.
const MOST: usize = 12;

/// Says that a name is none of those that there are: `what` is such as "a platform of this
/// scenario", `plural` such as "platforms".
pub(super) fn unknown(name: &Spanned<String>, what: &str, plural: &str, known: &[&str]) -> Diagnostic {
    let said = Diagnostic::error(name.span, format!("`{}` is not {what}", name.value));
    let said = match closest(name, known.iter().copied()) {
        Some(near) => said.label(format!("did you mean `{near}`?")),
        None => said,
    };
    match known.len() {
        0 => said.note(format!("there are no {plural}")),
        1..=MOST => said.note(choice(plural, known)),
        more => said.note(format!("{plural} are {}, and {} more", known[..MOST].join(", "), more - MOST)),
    }
}

/// A platform that is named must be there.
pub(super) fn platform(name: &Spanned<String>, scenario: &Scenario) -> Option<Diagnostic> {
    let platforms = &scenario.inventory.platforms;
    (!platforms.contains_key(&name.value)).then(|| {
        let known: Vec<&str> = platforms.keys().map(String::as_str).collect();
        unknown(name, "a platform of this scenario", "platforms", &known)
    })
}

/// A host that is to be broken or that takes mail must be one of the lab, or of a platform.
pub(super) fn host(name: &Spanned<String>, scenario: &Scenario) -> Option<Diagnostic> {
    if let Some(lab) = &scenario.lab {
        let known: Vec<&str> = lab.hosts.keys().map(String::as_str).collect();
        return (!known.contains(&name.as_str()))
            .then(|| unknown(name, "a host of the lab", "hosts of the lab", &known));
    }
    let known = platform_hosts(&scenario.inventory);
    scenario.inventory.of_name(name).is_none().then(|| unknown(name, "a host of any platform", "hosts", &known))
}

/// A host of the lab that is named must be there.
pub(super) fn lab_host(name: &Spanned<String>, lab: &Lab) -> Option<Diagnostic> {
    (!lab.hosts.contains_key(&name.value)).then(|| {
        let known: Vec<&str> = lab.hosts.keys().map(String::as_str).collect();
        unknown(name, "a host of the lab", "hosts of the lab", &known)
    })
}

/// The host names that platforms list.
pub(super) fn platform_hosts(inventory: &Inventory) -> Vec<&str> {
    inventory.platforms.values().flat_map(|platform| &platform.hosts).map(|host| host.value.as_str()).collect()
}

/// A sender that is named must be there.
pub(super) fn sender(name: &Spanned<String>, scenario: &Scenario) -> Option<Diagnostic> {
    let known: Vec<&str> = scenario.senders.keys().map(String::as_str).collect();
    (!known.contains(&name.as_str())).then(|| unknown(name, "a sender of this scenario", "senders", &known))
}

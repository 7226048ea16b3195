//! msmtp (msmtp(1)): accounts, of which one is the default.

use std::collections::BTreeSet;

use super::Source;
use crate::scan::format::lines::{self, Trailing, WORDS};
use crate::scan::setting::{Reading, Role, State};
use crate::scan::tree::base;

/// Reads a configuration of msmtp.
pub(crate) fn read(source: &Source<'_>) -> Option<Reading> {
    let file = base(source.name);
    let named = matches!(file, "msmtprc" | ".msmtprc") || source.name.ends_with("/msmtp/config");
    if !named {
        return None;
    }
    let mut reading = lines::read(source.text, &lines::Lines { trailing: Trailing::Kept, ..WORDS });
    let mut account: Option<String> = None;
    let mut owners: Vec<Option<String>> = vec![];
    let mut parents: Vec<(String, Vec<String>)> = vec![];
    for setting in &reading.settings {
        if setting.key == "account" {
            let (name, above) = setting.value.split_once(':').unwrap_or((&setting.value, ""));
            let above = above.split(',').map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect();
            account = Some(name.trim().to_owned());
            parents.push((name.trim().to_owned(), above));
        }
        owners.push(account.clone());
    }
    let chosen = chosen(&parents);
    for (setting, owner) in reading.settings.iter_mut().zip(owners) {
        match setting.key.as_str() {
            "host" => setting.role = Some(Role::NextHop),
            "eval" => setting.note = Some("the value is what a command prints".to_owned()),
            _ => continue,
        }
        if let Some(account) = owner
            && !chosen.is_empty()
            && !chosen.contains(&account)
        {
            setting.key = format!("account {account}: {}", setting.key);
            setting.state = State::Unused;
            setting.note = Some(format!("only `msmtp -a {account}` uses it"));
        }
    }
    Some(reading)
}

/// The accounts that are used without being asked for: `default`, and those that it inherits from.
fn chosen(parents: &[(String, Vec<String>)]) -> BTreeSet<String> {
    let mut chosen: BTreeSet<String> = BTreeSet::new();
    let mut next = vec!["default".to_owned()];
    while let Some(name) = next.pop() {
        let known = parents.iter().filter(|(account, _)| *account == name);
        for (account, above) in known {
            if chosen.insert(account.clone()) {
                next.extend(above.iter().cloned());
            }
        }
    }
    chosen
}

//! Platforms: who is who must be clear, and each place is looked at for one of them.

use std::collections::HashMap;

use super::{Files, names};
use crate::inventory::{Collector, Inventory, Looks, Platform, glob_matches};
use crate::scenario::Scenario;
use crate::source::{Diagnostic, Span, Spanned};

pub(super) fn check(scenario: &Scenario, files: &mut Files) {
    let inventory = &scenario.inventory;
    hosts_of_two(inventory, files);
    places_of_two(inventory, files);
    for platform in inventory.platforms.values() {
        collector_hosts(platform, files);
    }
    if inventory.platforms.is_empty() && !files.have_errors() {
        let said = Diagnostic::error(scenario.name.span, "the scenario has no `platforms`")
            .note("a platform says which hosts belong together and where to look for mail there")
            .help("add `platforms:`, or name an inventory file that has them with `--inventory`");
        files.say(said);
    }
}

fn hosts_of_two(inventory: &Inventory, files: &mut Files) {
    let mut seen: HashMap<&str, (&Platform, Span)> = HashMap::new();
    for platform in inventory.platforms.values() {
        for host in &platform.hosts {
            match seen.get(host.as_str()) {
                Some((first, at)) => twice(platform, host, first, *at, files),
                None => {
                    seen.insert(host, (platform, host.span));
                    pattern_of_another(inventory, platform, host, files);
                }
            }
        }
    }
}

fn twice(platform: &Platform, host: &Spanned<String>, first: &Platform, at: Span, files: &mut Files) {
    let (name, other) = (&platform.name.value, &first.name.value);
    let title = match name == other {
        true => format!("`{}` is listed twice", host.value),
        false => format!("`{}` belongs to both `{other}` and `{name}`", host.value),
    };
    let mut said = Diagnostic::error(host.span, title).help("list it once, where its mailboxes are");
    if files.theirs.contains(name) == files.theirs.contains(other) {
        said = said.context(at, "first here");
    }
    files.say_of_platform(name, said);
}

/// A name is classified by the first platform that claims it, which may not be the one that lists
/// it.
fn pattern_of_another(inventory: &Inventory, platform: &Platform, host: &Spanned<String>, files: &mut Files) {
    let fits = |other: &Platform| other.names.iter().any(|pattern| glob_matches(&pattern.value, host));
    let claims = |other: &&Platform| other.name.value != platform.name.value && fits(other);
    let with_patterns = inventory.platforms.values().filter(|platform| !platform.names.is_empty());
    if let Some(other) = with_patterns.into_iter().find(claims) {
        let (name, other) = (&platform.name.value, &other.name.value);
        let title = format!("`{}` of `{name}` fits a pattern of `{other}` too", host.value);
        files.say_of_platform(
            name,
            Diagnostic::error(host.span, title).help(format!("narrow the `names` of `{other}`")),
        );
    }
}

/// One place that counts for two platforms proves nothing about either.
fn places_of_two(inventory: &Inventory, files: &mut Files) {
    let mut seen: HashMap<String, &Platform> = HashMap::new();
    for platform in inventory.platforms.values() {
        for collector in &platform.collectors {
            let place = place(collector);
            match seen.get(&place) {
                None => {
                    seen.insert(place, platform);
                }
                Some(first) => {
                    let title = format!(
                        "`{}` looks where `{}` looks too: {}",
                        platform.name.value,
                        first.name.value,
                        collector.label()
                    );
                    let said = Diagnostic::error(collector.span, title)
                        .note("mail that is seen there would count for both, or twice");
                    files.say_of_platform(&platform.name, said);
                }
            }
        }
    }
}

fn place(collector: &Collector) -> String {
    match &collector.looks {
        Looks::Imap(imap) => format!("{} {} {:?}", collector.label(), imap.user, imap.mailboxes),
        Looks::Pop3(pop3) => format!("{} {}", collector.label(), pop3.user),
        Looks::Jmap(jmap) => format!("{} {:?}", collector.label(), jmap.login),
        Looks::Catcher(catcher) => format!("{} {:?}", collector.label(), catcher.mailbox),
        _ => collector.label(),
    }
}

fn collector_hosts(platform: &Platform, files: &mut Files) {
    let known: Vec<&str> = platform.hosts.iter().map(|host| host.value.as_str()).collect();
    let named = platform.collectors.iter().filter_map(|collector| collector.host.as_ref());
    for host in named.filter(|host| !platform.has_name(host)) {
        let what = format!("a host of `{}`", platform.name.value);
        files.say_of_platform(&platform.name, names::unknown(host, &what, "hosts of the platform", &known));
    }
}

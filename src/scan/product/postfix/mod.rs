//! Postfix: `main.cf`, `master.cf`, their tables, and what `postconf` prints of them.
//!
//! ```text
//!   main.cf ── logical lines ──> parameters ── $name ──> values
//!                 last assignment counts         │
//!   master.cf ── -o name=value ──────────────────┤
//!                                                ├──> settings
//!   type:path ──> follow ──> tables ─────────────┘
//! ```

mod main_cf;
mod master;
mod tables;

use super::Source;
use crate::scan::setting::{Reading, Role, State};
use crate::scan::tree::{Tree, base, parent};

pub(crate) use tables::usual;

/// The name of the product.
pub(crate) const POSTFIX: &str = "postfix";

/// Reads a file of Postfix, if it is one.
pub(crate) fn read(source: &Source<'_>, tree: &Tree) -> Option<Reading> {
    let name = base(source.name);
    match name {
        "main.cf" | "postfix-main.cf" => Some(main(source, tree)),
        "extra.cf" if tree.text(&beside(source.name, "main.cf")).is_some() => Some(main(source, tree)),
        "master.cf" | "postfix-master.cf" => Some(master::read(source, &main_of(source, tree))),
        _ if name.starts_with("postconf") && looks_like_master(source) => Some(master::read(source, "")),
        _ if name.starts_with("postconf") => Some(main(source, tree)),
        _ => None,
    }
}

/// The file `name` in the folder of `of`.
fn beside(of: &str, name: &str) -> String {
    format!("{}/{name}", parent(of))
}

fn main_of(source: &Source<'_>, tree: &Tree) -> String {
    tree.text(&beside(source.name, "main.cf")).unwrap_or_default()
}

fn looks_like_master(source: &Source<'_>) -> bool {
    let lines = source.text.as_str().lines().filter(|line| !line.starts_with([' ', '\t', '#']));
    lines.take(3).any(|line| matches!(line.split_whitespace().nth(1), Some("inet" | "unix" | "fifo" | "pass")))
}

/// Parameters, with those taken out of force that `extra.cf` beside sets again.
fn main(source: &Source<'_>, tree: &Tree) -> Reading {
    let mut reading = main_cf::read(source, tree);
    let extra = beside(source.name, "extra.cf");
    if base(source.name) == "main.cf"
        && let Some(text) = tree.text(&extra)
    {
        let again: Vec<String> = main_cf::names(&text);
        for setting in &mut reading.settings {
            if setting.state == State::Active && again.contains(&setting.key) {
                setting.state = State::Shadowed;
                setting.note = Some(format!("`{extra}` takes its place"));
            }
        }
    }
    reading
}

/// What a parameter is for.
pub(crate) fn role(parameter: &str) -> Option<Role> {
    match parameter {
        "relayhost"
        | "default_transport"
        | "relay_transport"
        | "local_transport"
        | "virtual_transport"
        | "mailbox_transport"
        | "fallback_transport"
        | "content_filter"
        | "smtpd_proxy_filter"
        | "transport_maps"
        | "sender_dependent_relayhost_maps"
        | "sender_dependent_default_transport_maps"
        | "mailbox_transport_maps"
        | "fallback_transport_maps"
        | "virtual_transport_maps" => Some(Role::NextHop),
        "smtp_fallback_relay" | "fallback_relay" | "lmtp_fallback_relay" => Some(Role::Fallback),
        "smtp_sasl_password_maps" | "lmtp_sasl_password_maps" | "smtp_tls_policy_maps" | "smtp_tls_per_site" => {
            Some(Role::Credential)
        }
        "luser_relay"
        | "always_bcc"
        | "recipient_bcc_maps"
        | "sender_bcc_maps"
        | "virtual_alias_maps"
        | "alias_maps"
        | "alias_database"
        | "smtp_generic_maps"
        | "recipient_canonical_maps"
        | "canonical_maps" => Some(Role::Address),
        _ => None,
    }
}

/// Whether a parameter lists domains that the host delivers by itself.
pub(crate) fn lists_local_domains(parameter: &str) -> Option<Role> {
    let lists = ["mydestination", "virtual_mailbox_domains", "virtual_alias_domains"].contains(&parameter);
    lists.then_some(Role::LocalDomain)
}

//! The tables that parameters name (DATABASE_README): which files they are, and what is in a database.

use super::main_cf::PRODUCT;
use super::{lists_local_domains, role};
use crate::scan::setting::{Follow, Role, Shape};
use crate::scan::tree::{Tree, base};

/// A `type:path` in a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    kind: String,
    path: String,
}

/// What the tables of a parameter lead to.
#[derive(Default)]
pub(super) struct Found {
    pub(super) follows: Vec<Follow>,
    pub(super) elsewhere: Vec<String>,
}

/// Types of tables in files.
const FILES: &[&str] =
    &["hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash", "cidr", "regexp", "pcre", "randmap", "environ"];

/// Types of tables that some server holds.
const SERVERS: &[&str] =
    &["mysql", "pgsql", "ldap", "sqlite", "mongodb", "memcache", "tcp", "socketmap", "nis", "nisplus"];

/// Every table that a value names; `proxy:` before a type changes nothing.
pub(super) fn named(value: &str) -> Vec<Named> {
    let words = value.split([',', ' ', '\t', '{', '}']).filter(|word| !word.is_empty());
    let named = words.filter_map(|word| {
        let word = word.strip_prefix("proxy:").unwrap_or(word);
        let (kind, path) = word.split_once(':')?;
        let known = FILES.contains(&kind) || SERVERS.contains(&kind);
        known.then(|| Named { kind: kind.to_owned(), path: path.to_owned() })
    });
    named.collect()
}

/// The files that the tables of `parameter` are, and what is kept elsewhere.
pub(super) fn follow(parameter: &str, named: &[Named], from: &(String, usize), tree: &Tree) -> Found {
    let mut found = Found::default();
    let role = role(parameter).or(lists_local_domains(parameter));
    for table in named {
        if SERVERS.contains(&table.kind.as_str()) {
            if matches!(role, Some(Role::NextHop | Role::Address | Role::LocalDomain)) {
                found.elsewhere.push(format!(
                    "`{parameter}` is kept in `{}:{}`, whose contents were not given",
                    table.kind, table.path
                ));
            }
            continue;
        }
        let mut add = |path: &str, shape| {
            let file = tree.resolve(&from.0, path);
            found.follows.extend(file.map(|file| Follow {
                file,
                product: PRODUCT,
                shape,
                role,
                key: parameter.to_owned(),
                from: from.clone(),
            }));
        };
        let shape = if parameter.starts_with("alias") { Shape::Colon } else { Shape::Table };
        add(&table.path, shape);
        if let Some(extension) = compiled(&table.kind) {
            add(&format!("{}{extension}", table.path), Shape::Compiled);
        }
    }
    found
}

/// The extension of a compiled table.
fn compiled(kind: &str) -> Option<&'static str> {
    match kind {
        "hash" | "btree" => Some(".db"),
        "lmdb" => Some(".lmdb"),
        "cdb" => Some(".cdb"),
        "dbm" | "sdbm" => Some(".pag"),
        _ => None,
    }
}

/// What a table is that is known by its usual name only, without the `main.cf` that refers to it.
pub(crate) fn usual(name: &str) -> Option<(&'static str, Role)> {
    let file = base(name);
    let in_postfix = name.contains("postfix");
    let of = |words: &[&str]| words.iter().any(|word| file.starts_with(word));
    let known = if file == "postfix-sasl-password.cf" || of(&["sasl_passwd", "sasl-passwd"]) {
        Some(("smtp_sasl_password_maps", Role::Credential))
    } else if file == "postfix-relaymap.cf"
        || of(&["relayhost_map", "sender_relay", "sender_dependent_relayhost", "relayhosts"])
    {
        Some(("sender_dependent_relayhost_maps", Role::NextHop))
    } else if file == "sdd_transport_maps" || of(&["sender_transport", "sender_dependent_default_transport"]) {
        Some(("sender_dependent_default_transport_maps", Role::NextHop))
    } else if in_postfix && (file == "transport" || of(&["transport_maps", "transport."])) {
        Some(("transport_maps", Role::NextHop))
    } else if in_postfix && of(&["tls_policy"]) {
        Some(("smtp_tls_policy_maps", Role::Credential))
    } else if in_postfix && (file == "virtual" || of(&["virtual_alias"])) {
        Some(("virtual_alias_maps", Role::Address))
    } else {
        None
    };
    let source_like = ![".db", ".lmdb", ".cdb", ".pag", ".cf", ".sh"].iter().any(|end| file.ends_with(end));
    known.filter(|_| source_like || file.starts_with("postfix-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_known_by_type() {
        let told: Vec<String> =
            named("proxy:mysql:/a.cf, hash:/etc/x lmdb:/y smtp:[mx]:25 unionmap:{pcre:/z,static:q}")
                .into_iter()
                .map(|it| format!("{} {}", it.kind, it.path))
                .collect();
        assert_eq!(told, ["mysql /a.cf", "hash /etc/x", "lmdb /y", "pcre /z"]);
    }
}

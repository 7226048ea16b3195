//! Settings in databases: dumps as SQL, and SQLite files.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, MAIN_DB};

use super::{Source, Understood};
use crate::inventory::glob_matches;
use crate::scan::format::sql::{self, Field, Row};
use crate::scan::setting::{Reading, Role, Setting, State};

/// The most rows of a SQLite file that are looked at.
const MAX_ROWS: usize = 20_000_000;

/// One setting in a database.
struct Rule {
    product: &'static str,
    /// Of the table.
    table: &'static str,
    /// Of the column, or of the name that a row gives its value.
    key: &'static str,
    /// What must stand in the value before the host, in a blob that holds many.
    inside: &'static str,
    role: Role,
    /// A column, and the values of it that switch the row off.
    off: Option<(&'static str, &'static [&'static str])>,
}

const fn rule(product: &'static str, table: &'static str, key: &'static str, inside: &'static str) -> Rule {
    Rule { product, table, key, inside, role: Role::NextHop, off: None }
}

const fn unless(rule: Rule, column: &'static str, values: &'static [&'static str]) -> Rule {
    Rule { off: Some((column, values)), ..rule }
}

const NO: &[&str] = &["0", "f", "false", "n"];

const RULES: &[Rule] = &[
    rule("wordpress", "*options", "wp_mail_smtp", "host"),
    rule("wordpress", "*options", "postman_options", "host*"),
    rule("wordpress", "*options", "post_smtp*", "host*"),
    rule("wordpress", "*options", "swpsmtp_options", "host"),
    rule("wordpress", "*options", "fluentmail-settings", "host"),
    rule("wordpress", "*sitemeta", "wp_mail_smtp", "host"),
    unless(rule("mailcow", "relayhosts", "hostname", ""), "active", NO),
    unless(rule("mailcow", "transports", "nexthop", ""), "active", NO),
    rule("iredmail", "sender_relayhost", "relayhost", ""),
    rule("iredmail", "domain", "transport", ""),
    rule("iredmail", "mailbox", "transport", ""),
    rule("ispconfig", "mail_domain", "relay_host", ""),
    rule("ispconfig", "mail_transport", "transport", ""),
    unless(rule("zabbix", "media_type", "smtp_server", ""), "status", &["1"]),
    rule("keycloak", "realm_smtp_config", "host", ""),
    rule("moodle", "*config", "smtphosts", ""),
    rule("phpbb", "*config", "smtp_host", ""),
    rule("magento", "core_config_data", "system/smtp/host", ""),
    rule("magento", "core_config_data", "smtp/*host*", ""),
    rule("prestashop", "*configuration", "ps_mail_server", ""),
    unless(rule("odoo", "ir_mail_server", "smtp_host", ""), "active", NO),
    rule("gitea", "*setting", "mailer.*addr", ""),
    rule("nextcloud", "*appconfig", "mail_smtphost", ""),
    rule("airflow", "connection", "host", ""),
];

/// Reads a dump, if the name says that it is one.
pub(crate) fn dump(source: &Source<'_>) -> Option<Understood> {
    let named = [".sql", ".dump", ".pgsql", ".mysql"].iter().any(|end| source.name.ends_with(end));
    if !named {
        return None;
    }
    let mut reading = Reading::default();
    reading.comments = sql::rows(source.text, |row| settings(&row, &mut reading.settings));
    Some(Understood::new("database", reading))
}

/// Calls `each` with the settings of a SQLite file, with table and row in their keys.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn sqlite(bytes: &[u8], mut each: impl FnMut(Setting)) -> Result<(), String> {
    let said = |error: rusqlite::Error| error.to_string();
    let mut connection = Connection::open_in_memory().map_err(said)?;
    connection.deserialize_read_exact(MAIN_DB, bytes, bytes.len(), true).map_err(said)?;
    let mut listed = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").map_err(said)?;
    let tables = listed.query_map([], |row| row.get::<_, String>(0)).map_err(said)?;
    let tables: Vec<String> = tables.filter_map(Result::ok).collect();
    let mut left = MAX_ROWS;
    for table in tables {
        // A table of an extension that is not loaded cannot be read; its data are in other tables.
        let Ok(mut query) = connection.prepare(&format!("SELECT * FROM \"{}\"", table.replace('"', "\"\""))) else {
            continue;
        };
        let columns: Vec<String> = query.column_names().map(str::to_lowercase).collect();
        let mut rows = query.query([]).map_err(said)?;
        while let Some(found) = rows.next().map_err(said)? {
            left = left.checked_sub(1).ok_or("it has too many rows")?;
            let field = |(index, column): (usize, &String)| {
                let value = match found.get_ref(index) {
                    Ok(ValueRef::Text(text) | ValueRef::Blob(text)) => String::from_utf8_lossy(text).into_owned(),
                    Ok(ValueRef::Integer(number)) => number.to_string(),
                    _ => String::new(),
                };
                Field { column: column.clone(), value, span: 0..0 }
            };
            let fields = columns.iter().enumerate().map(field).collect();
            let mut settings = vec![];
            self::settings(&Row { table: table.to_lowercase(), fields }, &mut settings);
            settings.into_iter().for_each(&mut each);
        }
    }
    Ok(())
}

/// The settings of a row: each field by its column, and by the name that stands before it in the row.
fn settings(row: &Row, settings: &mut Vec<Setting>) {
    for (index, field) in row.fields.iter().enumerate() {
        if field.value.len() < 4 {
            continue;
        }
        let before = index.checked_sub(1).map(|it| row.fields[it].value.as_str());
        let named = row.fields[..index].iter().rev().map(|it| it.value.as_str()).find(|it| is_name(it));
        let names = [Some(field.column.as_str()), before, named];
        let rule = RULES.iter().find(|rule| {
            let key = |name: &str| glob_matches(rule.key, name);
            glob_matches(rule.table, &row.table) && names.iter().flatten().any(|name| key(name))
        });
        let key = match (rule, named) {
            (Some(rule), _) if rule.key == field.column => format!("{}.{}", row.table, field.column),
            (_, Some(name)) if !field.column.is_empty() && is_value(&field.column) => format!("{}.{name}", row.table),
            (Some(_), Some(name)) => format!("{}.{name}", row.table),
            _ => format!("{}.{}", row.table, field.column),
        };
        let mut setting = Setting::new(key, field.value.clone(), field.span.clone());
        if let Some(rule) = rule {
            apply(rule, row, &mut setting);
        }
        settings.push(setting);
    }
}

fn is_name(value: &str) -> bool {
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.');
    value.len() > 2 && value.len() < 80 && value.chars().all(named) && value.chars().any(|c| c.is_ascii_alphabetic())
}

fn is_value(column: &str) -> bool {
    ["option_value", "meta_value", "config_value", "value", "configvalue"].contains(&column)
}

fn apply(rule: &Rule, row: &Row, setting: &mut Setting) {
    setting.product = Some(rule.product);
    setting.role = Some(rule.role);
    let off = rule.off.and_then(|(column, values)| {
        let field = row.fields.iter().find(|field| field.column == column)?;
        values.contains(&field.value.as_str()).then(|| format!("`{column}` is `{}`", field.value))
    });
    if let Some(why) = off {
        setting.state = State::Unused;
        setting.note = Some(why);
    }
    if !rule.inside.is_empty() {
        match member(&setting.value, rule.inside) {
            Some((key, value)) => {
                setting.key = format!("{}.{key}", setting.key);
                setting.value = value;
            }
            None => setting.role = None,
        }
    }
}

/// The member of a PHP-serialised or JSON value whose name fits.
fn member(value: &str, wanted: &str) -> Option<(String, String)> {
    let texts: Vec<&str> = value.split('"').collect();
    // Names and texts are every second part; what stands between is structure.
    let members = texts.windows(3).enumerate().filter(|(index, _)| index % 2 == 1);
    let fitting = members.map(|(_, three)| three).find(|three| {
        let structure = three[1].trim_start_matches([';', ':', ' ']);
        glob_matches(wanted, three[0]) && (structure.starts_with("s:") || three[1].trim() == ":")
    })?;
    Some((fitting[0].to_owned(), fitting[2].to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::text::Text;

    fn told(dump: &str) -> Vec<String> {
        let text = Text::new(dump.to_owned());
        let read = super::dump(&Source { name: "a.sql", text: &text }).expect("a dump");
        let known = read.reading.settings.into_iter().filter(|it| it.role.is_some());
        known.map(|it| format!("{} {} {}", it.key, it.value, it.state)).collect()
    }

    #[test]
    fn rows_are_settings() {
        let wordpress = r#"INSERT INTO `wp_options` VALUES (1,'mailserver_url','mx','yes'),(2,'wp_mail_smtp','a:1:{s:4:\"smtp\";a:2:{s:4:\"host\";s:2:\"mx\";}}','yes');"#;
        assert_eq!(told(wordpress), ["wp_options.wp_mail_smtp.host mx active"]);
        let mailcow =
            "INSERT INTO `relayhosts` (`hostname`,`username`,`active`) VALUES ('mx.a','u','1'),('mx.b','u','0');";
        assert_eq!(told(mailcow), ["relayhosts.hostname mx.a active", "relayhosts.hostname mx.b unused"]);
        assert_eq!(
            told("INSERT INTO ps_configuration (id, name, value) VALUES (1,'PS_MAIL_SERVER','mx.a');"),
            ["ps_configuration.PS_MAIL_SERVER mx.a active"]
        );
    }
}

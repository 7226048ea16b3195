//! Environment variables, wherever they are set, and the keys that nearly every program calls its
//! relay by.

use super::Source;
use crate::scan::format::lines::{Trailing, unquote};
use crate::scan::setting::{Reading, Role, Setting, State};

/// Words in the path of a key that speak of sending mail.
const MAIL: &[&str] = &["smtp", "mail", "relay", "sendmail", "exim", "postfix", "msmtp"];

/// The last words of keys that hold a host.
const HOST: &[&str] = &[
    "host",
    "server",
    "addr",
    "address",
    "hostname",
    "url",
    "uri",
    "dsn",
    "relayhost",
    "smarthost",
    "relay",
    "gateway",
];

/// Words of keys that hold another kind of host or name.
const OTHER: &[&str] = &[
    "imap",
    "pop",
    "pop3",
    "incoming",
    "inbound",
    "receive",
    "lmtp",
    "ldap",
    "db",
    "database",
    "sql",
    "mysql",
    "redis",
    "helo",
    "ehlo",
    "domain",
    "from",
    "sender",
    "reply",
    "support",
    "webmail",
    "autodiscover",
    "to",
    "admin",
    "contact",
    "postmaster",
    "listen",
    "bind",
    "cert",
    "tls_cert",
    "user",
    "username",
    "subject",
    "test",
];

/// `KEY=value` inside of the values of `Environment=` lines and of YAML lists.
pub(super) fn split(reading: &mut Reading) {
    let mut split = vec![];
    for setting in std::mem::take(&mut reading.settings) {
        let environment = setting.key.to_lowercase();
        let listed =
            (environment.contains("environment") || environment.ends_with(".env")) && setting.value.contains('=');
        match listed && (!setting.value.contains("://") || starts_with_name(&setting.value)) {
            true => split.extend(assignments(&setting)),
            false => split.push(setting),
        }
    }
    reading.settings = split;
}

fn starts_with_name(value: &str) -> bool {
    let name = value.trim_start_matches(['"', '\'']).split('=').next().unwrap_or("");
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The assignments of one value; quotes hold words together, around all of it or around the value.
fn assignments(setting: &Setting) -> Vec<Setting> {
    let value = &setting.value;
    let mut found = vec![];
    let mut at = 0;
    while let Some(rest) = value.get(at..).filter(|rest| !rest.trim().is_empty()) {
        let lead = rest.len() - rest.trim_start().len();
        let word = rest.trim_start();
        let quoted = word.starts_with(['"', '\'']);
        let (inner, offset, length) = match quoted {
            true => unquote(word, Trailing::Kept),
            false => {
                let end = word.find(char::is_whitespace).unwrap_or(word.len());
                (word[..end].to_owned(), 0, end)
            }
        };
        let start = setting.span.start + at + lead + offset;
        if let Some((name, assigned)) = inner.split_once('=') {
            let assigned_at = start + name.len() + 1;
            let base = setting.key.rsplit_once('.').filter(|(_, last)| last.parse::<usize>().is_ok());
            let key = format!("{}.{name}", base.map_or(setting.key.as_str(), |(base, _)| base));
            let assigned = assigned.trim_matches(['"', '\'']);
            let end = (assigned_at + assigned.len()).min(setting.span.end.max(assigned_at));
            found.push(Setting { key, value: assigned.to_owned(), span: assigned_at..end, ..setting.clone() });
        }
        at += lead + offset + length + usize::from(quoted);
        if length == 0 {
            break;
        }
    }
    found
}

/// Gives settings a role that no row knows, by what they are called.
pub(super) fn meaning(source: &Source<'_>, reading: &mut Reading) {
    let local = reading.settings.iter().any(|it| {
        let method = it.key.to_lowercase();
        let switch = method.ends_with("smtp_delivery_method") || method.ends_with("mail_mailer");
        switch && matches!(it.value.as_str(), "sendmail" | "log" | "array" | "none")
    });
    // Code names hosts in many ways that are no configuration.
    let code =
        [".js", ".ts", ".py", ".rb", ".php", ".lua", ".xml", ".html"].iter().any(|end| source.name.ends_with(end));
    for setting in reading.settings.iter_mut().filter(|it| it.role.is_none()) {
        let Some(role) = by_name(&setting.key).filter(|_| !code) else { continue };
        setting.role = Some(role);
        if local && setting.state == State::Active {
            setting.state = State::Unused;
            setting.note = Some("mail is not sent by SMTP: the delivery method says so".to_owned());
        }
    }
}

/// What a setting is for by its name: its path speaks of mail, and it ends in a word for a host.
pub(super) fn by_name(key: &str) -> Option<Role> {
    let spread: String =
        key.chars().flat_map(|c| if c.is_uppercase() { vec!['\u{1f}', c] } else { vec![c] }).collect::<String>();
    // What a client calls itself in EHLO.
    if spread.to_lowercase().ends_with("smtp-hostname") {
        return None;
    }
    let upper = key.chars().all(|c| !c.is_lowercase());
    let spread = if upper || key.split('.').next_back().is_some_and(|last| last == last.to_uppercase()) {
        key.to_owned()
    } else {
        spread
    };
    let spread = spread.to_lowercase();
    let words: Vec<&str> =
        spread.split(['.', '_', '-', '\u{1f}', ':', ' ', '[', ']']).filter(|word| !word.is_empty()).collect();
    let joined = words.join("");
    let last = words.last().copied().unwrap_or("");
    let leaf_words = &words[words.len().saturating_sub(3)..];
    let host = HOST.contains(&last)
        || HOST
            .iter()
            .any(|it| last.len() > it.len() && last.ends_with(it) && MAIL.iter().any(|mail| last.starts_with(mail)));
    let mail = MAIL.iter().any(|word| joined.contains(word))
        && leaf_words.iter().any(|it| MAIL.iter().any(|mail| it.contains(mail)));
    let other = words.iter().any(|word| OTHER.contains(word)) || joined == "mailserverurl";
    let address = matches!(last, "address" | "addr") && !joined.contains("smtp") && !joined.contains("relay");
    (host && mail && !other && !address).then_some(Role::NextHop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_known_by_their_names() {
        for key in [
            "SMTP_HOST",
            "MAIL_SERVER",
            "MAILER_DSN",
            "services.app.environment.SMTP_HOST",
            "smtp.host",
            "global.smtp.address",
            "Smtp.Host",
            "EmailSettings.SmtpServer",
            "MailSettings.Host",
            "RELAY_HOST",
            "EMAIL_HOST",
            "GF_SMTP_HOST",
            "AIRFLOW__SMTP__SMTP_HOST",
            "smarthost.relay",
            "SMTPHOST",
        ] {
            assert_eq!(by_name(key), Some(Role::NextHop), "{key}");
        }
        for key in [
            "IMAP_HOST",
            "mail.imap.host",
            "DB_HOST",
            "MAIL_FROM_ADDRESS",
            "SMTP_DOMAIN",
            "host",
            "email.address",
            "SENTRY_MAIL_HOST_FROM",
        ] {
            assert_eq!(by_name(key), None, "{key}");
        }
    }

    #[test]
    fn assignments_are_taken_apart() {
        let setting = Setting::new("Service.Environment", "\"SMTP_HOST=mx\" A=b", 10..30);
        let told: Vec<String> =
            assignments(&setting).iter().map(|it| format!("{}={} {:?}", it.key, it.value, it.span)).collect();
        assert_eq!(told, ["Service.Environment.SMTP_HOST=mx 21..23", "Service.Environment.A=b 27..28"]);
    }
}

//! The relays that a scan found in use, and the logins that lie beside them.
//!
//! A password is read out of the configuration only to be asked with; it is in no finding.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use super::reference::Reference;
use super::setting::{Role, State};

/// A host of the old platform that something still sends through.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Its name or address.
    pub host: String,
    /// The port, where the setting names one.
    pub port: Option<u16>,
    /// The platform that it belongs to; empty where that is not known.
    pub platform: String,
    /// Where it is named: `FILE:LINE`, in the order of the findings.
    pub named: Vec<String>,
    /// Logins for it.
    pub logins: Vec<FoundLogin>,
}

/// A login that stands in a file.
#[derive(Clone, Debug)]
pub struct FoundLogin {
    /// The user.
    pub user: String,
    /// The password.
    pub secret: SecretString,
    /// Where it stands: `FILE:LINE`.
    pub named: String,
}

/// Every relay in use, each once a port, with the logins for its name.
pub(crate) fn relays(references: &[Reference]) -> Vec<Relay> {
    let mut relays: Vec<Relay> = vec![];
    let sends = |it: &&Reference| {
        it.state == State::Active && matches!(it.role, Some(Role::NextHop | Role::Fallback | Role::Client))
    };
    for reference in references.iter().filter(sends) {
        let (port, named) = (port(&reference.value, &reference.name), reference.stands());
        match relays.iter_mut().find(|it| it.host == reference.name && it.port == port) {
            Some(known) => known.named.push(named),
            None => relays.push(Relay {
                host: reference.name.clone(),
                port,
                platform: reference.platform.clone(),
                named: vec![named],
                logins: vec![],
            }),
        }
    }
    for relay in &mut relays {
        let mine = references.iter().filter(|it| it.name == relay.host && it.state != State::Commented);
        relay.logins = mine.filter_map(|it| it.login.clone()).collect();
        relay.logins.dedup_by(|a, b| a.user == b.user);
    }
    relays
}

/// The port behind a host: `[host]:587`, `host:587`, Exim's `host::587`.
fn port(value: &str, host: &str) -> Option<u16> {
    let at = value.to_lowercase().find(host)? + host.len();
    let rest = value.get(at..)?.trim_start_matches(']').strip_prefix(':')?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok().filter(|port| *port > 0)
}

/// User and password in the line in which a host is named at `at`: of a URL before it, of a Postfix table behind white
/// space, of Exim's `passwd.client` behind a colon.
pub(crate) fn login(line: &str, at: usize, product: &str) -> Option<(String, SecretString)> {
    let (before, behind) = (line.get(..at)?, line.get(at..)?);
    let in_url = before.rfind("//").and_then(|start| before[start + 2..].strip_suffix('@'));
    let (user, secret, encoded) = match (in_url, product) {
        (Some(login), _) => login.split_once(':').map(|(user, secret)| (user, secret, true))?,
        (None, "postfix") => behind
            .split_once(char::is_whitespace)
            .and_then(|(_, login)| login.trim().split_once(':'))
            .map(|(user, secret)| (user, secret, false))?,
        (None, "exim") => {
            let mut fields = behind.trim().splitn(3, ':').skip(1);
            (fields.next()?, fields.next()?, false)
        }
        _ => return None,
    };
    let decoded = |text: &str| match encoded {
        true => percent_decode_str(text).decode_utf8_lossy().into_owned(),
        false => text.to_owned(),
    };
    let whole = !user.is_empty() && !secret.is_empty() && !secret.contains(['$', '{']);
    whole.then(|| (decoded(user), SecretString::from(decoded(secret))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn read(line: &str, product: &str) -> Option<String> {
        let at = line.find("mx.old").expect("there");
        login(line, at, product).map(|(user, secret)| format!("{user} / {}", secret.expose_secret()))
    }

    #[test]
    fn logins_are_read_as_their_programs_do() {
        assert_eq!(read("[mx.old.example]:587 me:s3:cret", "postfix").as_deref(), Some("me / s3:cret"));
        assert_eq!(read("mx.old.example:me:s3cret", "exim").as_deref(), Some("me / s3cret"));
        assert_eq!(read("URL=smtp://a%40b:s%2F3@mx.old.example:25", "environment").as_deref(), Some("a@b / s/3"));
        assert_eq!(
            read("smtp://me:${PASS}@mx.old.example", "environment"),
            None,
            "what is filled in later is no password"
        );
        assert_eq!(read("relayhost = mx.old.example", "postfix"), None);
    }

    #[test]
    fn ports_are_read_as_they_are_written() {
        let read = |value| port(value, "mx.old.example");
        assert_eq!(read("[MX.old.example]:587"), Some(587));
        assert_eq!(read("mx.old.example::2525"), Some(2525));
        assert_eq!(read("smtp://***@mx.old.example:465/x"), Some(465));
        assert_eq!((read("mx.old.example"), read("mx.old.example:smtp")), (None, None));
    }
}

//! Facts in comments and in the words of `from`: addresses, names, encryption, logins.

use std::net::{IpAddr, Ipv4Addr};

use super::Received;

/// What a comment behind `from` says of the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) helo: Option<String>,
    pub(super) rdns: Option<String>,
    pub(super) address: Option<IpAddr>,
}

/// An address in any of the spellings that are seen: in square brackets, with `IPv6:`, a zone, a
/// port behind a colon or a dot.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches(|c: char| c == ',' || c == ';' || c == '"');
    let text = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => text,
    };
    let text = text.get(..5).filter(|it| it.eq_ignore_ascii_case("ipv6:")).map_or(text, |_| &text[5..]);
    let text = text.split('%').next().unwrap_or(text);
    let parsed = text.parse::<IpAddr>().ok().or_else(|| v4_with_port(text).map(IpAddr::from));
    parsed.map(|it| it.to_canonical())
}

/// `1.2.3.4:25`, or `1.2.3.4.59558` as some old programs write it.
fn v4_with_port(text: &str) -> Option<Ipv4Addr> {
    if let Some((host, port)) = text.rsplit_once(':')
        && port.parse::<u16>().is_ok()
    {
        return host.parse().ok();
    }
    let (host, port) = text.rsplit_once('.')?;
    port.parse::<u16>().ok()?;
    host.parse().ok()
}

/// Whether a word is an address in square brackets, or alone.
pub(super) fn is_address(word: &str) -> Option<IpAddr> {
    address(word)
}

/// A name that says that there is none.
pub(super) fn given(name: &str) -> Option<String> {
    let name = name.trim_matches(|c: char| "<>,;\"".contains(c)).trim_end_matches('.');
    let nothing = ["", "unknown", "unverified", "may be forged", "-"];
    (!nothing.contains(&name.to_ascii_lowercase().as_str())).then(|| name.to_owned())
}

/// What a comment behind `from` says of the client; none where it is about something else.
pub(super) fn client(comment: &str) -> Option<Client> {
    let lower = comment.to_ascii_lowercase();
    let about_others = ["using tls", "using ssl", "version=", "client cn", "client did not", "no client certificate"];
    if about_others.iter().any(|it| lower.contains(it)) {
        return None;
    }
    let mut client = Client::default();
    // What stands deeper says how much the rest is worth: `(may be forged)`, `(AS64500 Name, DE)`.
    let outer = comment.split('(').next().unwrap_or(comment);
    let forged = lower.contains("may be forged");
    let mut words = outer.split(' ').filter(|word| !word.is_empty()).peekable();
    let mut first = true;
    while let Some(word) = words.next() {
        let lower = word.to_ascii_lowercase();
        if let Some(name) = lower.strip_prefix("helo=").or_else(|| lower.strip_prefix("ehlo=")) {
            client.helo = given(&word[word.len() - name.len()..]);
        } else if matches!(lower.as_str(), "helo" | "ehlo" | "lhlo") {
            client.helo = words.next().and_then(given);
        } else if let Some(found) = address(word).or_else(|| behind_name(word)) {
            client.address = client.address.or(Some(found));
            let name =
                word.split('[').next().filter(|name| !name.is_empty() && name.contains('.') && word.contains('['));
            client.rdns = client.rdns.or(name.and_then(given));
        } else if first && is_name(word) && !forged {
            client.rdns = given(word);
        }
        first = false;
    }
    (client != Client::default()).then_some(client)
}

/// `user@1.2.3.4`, `host[1.2.3.4]`.
pub(super) fn behind_name(word: &str) -> Option<IpAddr> {
    let behind = word.rsplit_once('@').map(|(_, behind)| behind);
    behind.or_else(|| word.find('[').map(|at| &word[at..])).and_then(address)
}

fn is_name(word: &str) -> bool {
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte) || !byte.is_ascii());
    plain && (word.contains('.') || word.eq_ignore_ascii_case("localhost"))
}

/// Takes in what a comment says of encryption and logins, wherever it stands.
pub(super) fn security(comment: &str, header: &mut Received) {
    if header.tls.is_none() {
        header.tls = tls(comment);
    }
    if header.auth.is_none() {
        header.auth = auth(comment);
    }
}

fn tls(comment: &str) -> Option<String> {
    let lower = comment.to_ascii_lowercase();
    let after = |key: &str| {
        let at = lower.find(key)? + key.len();
        let end = comment[at..].find([' ', ',', ')', ';']).map_or(comment.len(), |end| at + end);
        comment.get(at..end).map(|it| it.trim_matches('"').to_owned()).filter(|it| !it.is_empty())
    };
    if let Some(version) = after("using tlsv").or_else(|| after("using ssl")) {
        return Some(format!("TLSv{version}"));
    }
    if let Some(version) = after("version=").filter(|it| it.to_ascii_uppercase().starts_with("TLS")) {
        return Some(version);
    }
    if let Some(version) = after("tls: ") {
        return Some(version);
    }
    // `TLS1.3`, `TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO`, `TLSv1_3:…`
    let first = comment.split([' ', ':']).next().unwrap_or_default();
    let is_version = |it: &str| it.get(3..).is_some_and(|rest| rest.trim_start_matches(['v', 'V']).starts_with('1'));
    (first.get(..3).is_some_and(|it| it.eq_ignore_ascii_case("tls")) && is_version(first)).then(|| first.to_owned())
}

fn auth(comment: &str) -> Option<String> {
    let lower = comment.to_ascii_lowercase();
    for key in ["authenticated sender: ", "authenticated user ", "authenticated as ", "authenticated user="] {
        if let Some(at) = lower.find(key) {
            let user = comment[at + key.len()..].split([' ', ',', ')']).next().unwrap_or_default();
            return Some(user.to_owned());
        }
    }
    if let Some(rest) = comment.strip_prefix("AUTH: ") {
        return rest.split([',', ')']).next()?.split(' ').nth(1).map(str::to_owned);
    }
    lower.contains("authenticated").then(|| "somebody".to_owned())
}

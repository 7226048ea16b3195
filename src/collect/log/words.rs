//! Pieces that several formats have in common.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// The value of the first `key=` in fields that are parted by `, `; it ends where the next field
/// begins.
pub(super) fn field<'a>(fields: &'a str, key: &str) -> Option<&'a str> {
    let mut from = 0;
    let start = loop {
        let at = from + fields.get(from..)?.find(key)?;
        let value = at + key.len() + 1;
        let begins = at == 0 || fields[..at].ends_with(", ") || fields[..at].ends_with(' ');
        if begins && fields.as_bytes().get(at + key.len()) == Some(&b'=') {
            break value;
        }
        from = at + key.len();
    };
    let value = &fields[start..];
    let end = value.match_indices(", ").find(|(at, _)| begins_field(&value[at + 2..])).map_or(value.len(), |it| it.0);
    Some(&value[..end])
}

fn begins_field(text: &str) -> bool {
    let name = text.bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_').count();
    name > 0 && text.as_bytes().get(name) == Some(&b'=')
}

/// The value of `key=` in fields that are parted by blanks, without the quotes that it may stand
/// in.
pub(super) fn value<'a>(fields: &'a str, key: &str) -> Option<&'a str> {
    values(fields).find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// Every `key=value` of a text; a value may stand in quotes or angle brackets and hold blanks then.
pub(super) fn values(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches([' ', ',']);
            let name = rest.bytes().take_while(|it| it.is_ascii_alphanumeric() || b"_-.".contains(it)).count();
            let Some(after) = rest.get(name..)?.strip_prefix('=').filter(|_| name > 0) else {
                // A word without a value.
                let end = rest.find(' ')?;
                rest = &rest[end..];
                continue;
            };
            let (key, quoted) = (&rest[..name], quoted(after));
            let (value, after) = quoted.unwrap_or_else(|| after.split_at(after.find(' ').unwrap_or(after.len())));
            rest = after;
            return Some((key, value));
        }
    })
}

/// What stands in quotes at the start of a text, as it is written, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    if let Some((inner, rest)) = super::told::angle(text) {
        return Some((inner, rest));
    }
    let inner = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some((&inner[..end], &inner[end + 1..]))
}

/// Name, address and port of `name. [ip]:port`, of which each part may be missing.
pub(super) fn peer(words: &str) -> (Option<String>, Option<IpAddr>, Option<u16>) {
    let (name, inner) = words.split_once('[').unwrap_or((words, ""));
    let (inner, after) = inner.split_once(']').unwrap_or((inner, ""));
    let name = name.trim().trim_end_matches('.');
    // Sendmail says `[127.0.0.1] [127.0.0.1]` where there is no name.
    let last = after.rsplit_once('[').and_then(|(_, rest)| rest.split(']').next());
    let address = parse_address(last.unwrap_or(inner)).or_else(|| parse_address(inner));
    let port = after.strip_prefix(':').and_then(|port| port.parse().ok());
    ((!name.is_empty()).then(|| name.to_owned()), address, port)
}

/// An address as logs write it: `IPv6:` may stand before it.
pub(super) fn parse_address(text: &str) -> Option<IpAddr> {
    text.trim().strip_prefix("IPv6:").unwrap_or(text.trim()).parse().ok()
}

/// An address and a port, as in `10.0.0.1:25` or `[2001:db8::1]:25`; the port may be missing.
pub(super) fn socket(text: &str) -> (Option<IpAddr>, Option<u16>) {
    match text.parse::<std::net::SocketAddr>() {
        Ok(socket) => (Some(socket.ip()), Some(socket.port())),
        Err(_) => (parse_address(text.trim_matches(['[', ']'])), None),
    }
}

/// What is remembered from earlier lines by their keys, the newest ones only.
#[derive(Debug)]
pub(super) struct Memory<T> {
    known: HashMap<String, T>,
    order: VecDeque<String>,
}

/// How many keys are remembered.
const MAX_KNOWN: usize = 20_000;

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self { known: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T: Default> Memory<T> {
    /// What is known of a key; it is begun where nothing is.
    pub(super) fn of(&mut self, key: &str) -> &mut T {
        if !self.known.contains_key(key) {
            self.order.push_back(key.to_owned());
            if self.order.len() > MAX_KNOWN
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
        self.known.entry(key.to_owned()).or_default()
    }

    pub(super) fn get(&self, key: &str) -> Option<&T> {
        self.known.get(key)
    }

    /// Forgets a key. Its place in the order goes with time.
    pub(super) fn take(&mut self, key: &str) -> Option<T> {
        let known = self.known.remove(key)?;
        self.order.retain(|it| it != key);
        Some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_end_where_the_next_begins() {
        let text = "from=<a>, relay=x [1.2.3.4], dsn=2.0.0, stat=Sent (a, b)";
        assert_eq!(field(text, "relay"), Some("x [1.2.3.4]"));
        assert_eq!(field(text, "stat"), Some("Sent (a, b)"));
        assert_eq!(field(text, "elay"), None);
        let text = r#"file=1 host=mx.x response="ok \"so\" it=is" mode=SMTP from=<a b@x> tail"#;
        let all: Vec<_> = values(text).collect();
        assert_eq!(
            all,
            [("file", "1"), ("host", "mx.x"), ("response", r#"ok \"so\" it=is"#), ("mode", "SMTP"), ("from", "a b@x")]
        );
    }

    #[test]
    fn peers_are_read_in_every_spelling() {
        let address = |text: &str| text.parse::<IpAddr>().ok();
        assert_eq!(peer("mx1.x. [10.99.1.1]"), (Some("mx1.x".into()), address("10.99.1.1"), None));
        assert_eq!(peer("[127.0.0.1] [127.0.0.1]"), (None, address("127.0.0.1"), None));
        assert_eq!(peer("a [IPv6:::1]:25"), (Some("a".into()), address("::1"), Some(25)));
        assert_eq!(peer("outlook.com."), (Some("outlook.com".into()), None, None));
    }

    #[test]
    fn only_the_newest_keys_are_remembered() {
        let mut memory = Memory::<u32>::default();
        for number in 0..=MAX_KNOWN {
            *memory.of(&number.to_string()) += 1;
        }
        assert_eq!((memory.get("0"), memory.get("1")), (None, Some(&1)));
        assert_eq!(memory.take("1"), Some(1));
        assert_eq!(memory.get("1"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_fields(text in "([a-z]{1,3}=[\"<>a,= é]{0,6} ?){0,6}\\PC{0,10}") {
            let _ = (field(&text, "a"), values(&text).count(), peer(&text));
        }
    }
}

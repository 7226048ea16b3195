//! Names of hosts, and the patterns of a policy that stand for them (RFC 8461 4.1).

use std::net::{IpAddr, Ipv4Addr};

/// The most octets of a name, and of one of its labels (RFC 1035 2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Why a text is no domain (RFC 5321 4.1.2), in half a sentence.
///
/// # Errors
/// The reason.
pub(super) fn domain(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if let Some(odd) = text.chars().find(|it| !it.is_ascii_alphanumeric() && !matches!(it, '-' | '.')) {
        return Err(if odd.is_ascii() {
            format!("`{}` cannot stand in the name of a host", odd.escape_default())
        } else {
            "a name with other letters than a to z is written as A-labels (`xn--…`)".to_owned()
        });
    }
    if text.len() > MAX_NAME {
        return Err(format!("it is longer than {MAX_NAME} characters"));
    }
    for label in text.split('.') {
        if label.is_empty() {
            return Err("one of its labels is empty".to_owned());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(format!("its label `{label}` begins or ends with `-`"));
        }
        if label.len() > MAX_LABEL {
            return Err(format!("one of its labels is longer than {MAX_LABEL} characters"));
        }
    }
    Ok(())
}

/// What is wrong with a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadPattern {
    /// It ends in a dot and is right without it.
    TrailingDot,
    /// It is something else than `["*."] Domain`, for this reason.
    No(String),
}

/// Whether a text is a pattern by the letter: `["*."] Domain`.
///
/// # Errors
/// Why it is not.
pub(super) fn pattern(text: &str) -> Result<(), BadPattern> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    if name.starts_with('[') {
        return Err(BadPattern::No("an address literal is no name of an MX host".to_owned()));
    }
    if name.starts_with('*') || name.contains(['*']) {
        return Err(BadPattern::No("`*` stands for the whole left-most label, and a dot follows it".to_owned()));
    }
    if name.contains([' ', '\t', ',']) {
        return Err(BadPattern::No("each pattern stands on a line of its own".to_owned()));
    }
    if let Some((host, port)) = name.rsplit_once(':')
        && !host.contains(':')
        && port.bytes().all(|it| it.is_ascii_digit())
    {
        return Err(BadPattern::No("MX hosts have no port here".to_owned()));
    }
    match name.strip_suffix('.') {
        Some(undotted) if domain(undotted).is_ok() => Err(BadPattern::TrailingDot),
        _ => domain(name).map_err(BadPattern::No),
    }
}

/// Whether a name could be taken for an IPv4 address.
pub(super) fn is_address(name: &str) -> bool {
    name.parse::<Ipv4Addr>().is_ok() || name.parse::<IpAddr>().is_ok()
}

/// Whether `pattern` covers the MX host `mx`, by the letter of RFC 8461 4.1: names are compared
/// without regard to case, and `*` stands for exactly one whole left-most label. What is no
/// pattern covers nothing.
pub fn covers(pattern: &str, mx: &str) -> bool {
    if self::pattern(pattern).is_err() {
        return false;
    }
    let mx = mx.strip_suffix('.').unwrap_or(mx);
    if is_address(pattern) || domain(mx).is_err() {
        return false;
    }
    match pattern.strip_prefix("*.") {
        Some(rest) => mx.split_once('.').is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest)),
        None => mx.eq_ignore_ascii_case(pattern),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(covers("*.example.com", "mx1.Example.com."));
        assert!(!covers("*.example.com", "a.b.example.com"));
        assert!(!covers("*.example.com", "example.com"));
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        assert_eq!(pattern("mx.example.com."), Err(BadPattern::TrailingDot));
        for (text, why) in [
            ("*example.com", "left-most label"),
            ("mx:25", "no port"),
            ("[192.0.2.1]", "literal"),
            ("a b", "line of its own"),
            ("a..b", "empty"),
            ("mä.example", "A-labels"),
            ("-a.example", "begins or ends"),
        ] {
            let Err(BadPattern::No(said)) = pattern(text) else { panic!("`{text}` was taken") };
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}

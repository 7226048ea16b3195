//! Mailbox addresses (RFC 5321 4.1.2), as far as a drill needs them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest address in bytes (RFC 5321 4.5.3.1.3, without the angle brackets).
pub const MAX_ADDRESS: usize = 254;
/// The longest local part in bytes (RFC 5321 4.5.3.1.1).
pub const MAX_LOCAL: usize = 64;

/// `local@domain`; the domain is kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    local: String,
    domain: String,
}

impl Address {
    /// The part before the last `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part behind the last `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// `postmaster@localhost`, which every host takes (RFC 5321 4.5.1).
    pub fn postmaster() -> Address {
        Address { local: "postmaster".to_owned(), domain: "localhost".to_owned() }
    }

    /// The same address with `+detail` added to its local part (RFC 5233).
    #[must_use]
    pub fn with_detail(&self, detail: &str) -> Address {
        Address { local: format!("{}+{detail}", self.local), domain: self.domain.clone() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// There is no `@`.
    #[error("an address has the form local@domain")]
    NoAt,
    /// The local part is empty, too long, or holds blanks, brackets or control characters.
    #[error("the part before `@` is 1 to 64 characters without blanks, brackets or quotes")]
    Local,
    /// The domain is no domain name.
    #[error("the part behind `@` is a domain name")]
    Domain,
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let (local, domain) = text.rsplit_once('@').ok_or(BadAddress::NoAt)?;
        let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>\"()[],;:\\@".contains(c);
        if local.is_empty() || local.len() > MAX_LOCAL || !local.chars().all(plain) || text.len() > MAX_ADDRESS {
            return Err(BadAddress::Local);
        }
        if !is_domain(domain) {
            return Err(BadAddress::Domain);
        }
        Ok(Address { local: local.to_owned(), domain: domain.to_ascii_lowercase() })
    }
}

/// Whether the text is a domain name of letters, digits, hyphens and underscores, with labels of
/// at most 63 characters, 253 in all (RFC 1035 2.3.1, RFC 2181 11); one label is enough.
pub fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte >= 0x80)
    };
    !text.is_empty() && text.len() <= 253 && text.split('.').all(label)
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let address: Address = "probe+x@Drill.Example".parse().expect("an address");
        assert_eq!((address.local(), address.domain()), ("probe+x", "drill.example"));
        assert_eq!(address.with_detail("y").to_string(), "probe+x+y@drill.example");
        for bad in ["", "a", "@b", "a@", "a b@c", "a@b..c", "a@-b", "<a@b>", "a\r\n@b"] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?}");
        }
    }
}

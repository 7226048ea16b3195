//! Enhanced status codes (RFC 3463, RFC 2034).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An enhanced status code such as `4.7.650`: class 2, 4 or 5, then subject and detail of up to
/// three digits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EnhancedStatus {
    /// 2, 4 or 5.
    pub class: u8,
    /// 0 to 999.
    pub subject: u16,
    /// 0 to 999.
    pub detail: u16,
}

impl EnhancedStatus {
    /// The code that `text` begins with, if it is followed by a blank or the end.
    pub fn at_start_of(text: &str) -> Option<Self> {
        text.split([' ', '\t', '\r', '\n']).next()?.parse().ok()
    }
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// The text is no enhanced status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an enhanced status code is a class of 2, 4 or 5 and two numbers of up to three digits, such as 4.7.1")]
pub struct NoStatus;

impl FromStr for EnhancedStatus {
    type Err = NoStatus;

    fn from_str(text: &str) -> Result<Self, NoStatus> {
        let mut parts = text.split('.');
        let (class, subject, detail) = (parts.next(), parts.next(), parts.next());
        if parts.next().is_some() {
            return Err(NoStatus);
        }
        let class = match class {
            Some("2") => 2,
            Some("4") => 4,
            Some("5") => 5,
            _ => return Err(NoStatus),
        };
        Ok(Self { class, subject: number(subject)?, detail: number(detail)? })
    }
}

fn number(digits: Option<&str>) -> Result<u16, NoStatus> {
    match digits {
        Some(text) if (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().map_err(|_| NoStatus)
        }
        _ => Err(NoStatus),
    }
}

impl Serialize for EnhancedStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EnhancedStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_kept() {
        let status = EnhancedStatus::at_start_of("4.7.650 The mail server has been temporarily rate limited");
        assert_eq!(status.map(|it| it.to_string()).as_deref(), Some("4.7.650"));
    }

    #[test]
    fn versions_and_addresses_are_no_codes() {
        for text in ["3.1.1 x", "5.1", "5.1.1.1 x", "5.1.1234", "4.a.1", "Ok", ""] {
            assert_eq!(EnhancedStatus::at_start_of(text), None, "{text}");
        }
    }
}

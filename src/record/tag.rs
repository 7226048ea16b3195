//! The mark of a probe.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The header of a probe that holds its tag.
pub const TAG_HEADER: &str = "X-Mxdrill-Tag";

const RUN_LENGTH: usize = 12;
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The identity of a run: 60 bits of entropy in twelve characters of Crockford's base 32, so that
/// no two runs share tags even with the same seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(Arc<str>);

impl RunId {
    /// The run id made of these random bits; the upper four are not used.
    pub fn from_entropy(entropy: u64) -> Self {
        let text: String =
            (0..RUN_LENGTH).map(|at| DIGITS[(entropy >> (5 * (RUN_LENGTH - 1 - at))) as usize & 31] as char).collect();
        Self(text.into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag of the run's probe of this number, from 1.
    pub fn probe(&self, number: u32) -> Tag {
        Tag { text: format!("{}-{number:05}", self.0).into() }
    }

    /// The tag of the run's control probe of this number, from 1.
    pub fn control(&self, number: u32) -> Tag {
        Tag { text: format!("{}-c{number:04}", self.0).into() }
    }
}

/// The mark of one probe: run id, hyphen and number, such as `7k3f9x2mqa01-00012`; `c0001` for
/// control probes. Eighteen characters of `[0-9a-z-]`: safe in a local part, a header, a
/// Message-ID, an IMAP search and a file name, and none is the start of another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    text: Arc<str>,
}

impl Tag {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The run that it belongs to.
    pub fn run(&self) -> &str {
        &self.text[..RUN_LENGTH]
    }

    /// The number behind the run id, as short as it can be said: `12`, or `control 1`.
    pub fn short(&self) -> String {
        let number = &self.text[RUN_LENGTH + 1..];
        match number.strip_prefix('c') {
            Some(control) => format!("control {}", control.trim_start_matches('0')),
            None => number.trim_start_matches('0').to_owned(),
        }
    }

    /// The Message-ID of the probe, with its angle brackets.
    pub fn message_id(&self) -> String {
        format!("<{}@mxdrill.invalid>", self.text)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text is no tag or run id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tag is twelve characters of base 32, a hyphen, and five digits")]
pub struct NoTag;

impl FromStr for RunId {
    type Err = NoTag;

    fn from_str(text: &str) -> Result<Self, NoTag> {
        (text.len() == RUN_LENGTH && text.bytes().all(|byte| DIGITS.contains(&byte)))
            .then(|| Self(text.into()))
            .ok_or(NoTag)
    }
}

impl FromStr for Tag {
    type Err = NoTag;

    fn from_str(text: &str) -> Result<Self, NoTag> {
        let (run, number) = text.split_once('-').ok_or(NoTag)?;
        run.parse::<RunId>()?;
        let digits = number.strip_prefix('c').unwrap_or(number);
        let right = number.len() == 5 && digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
        right.then(|| Self { text: text.into() }).ok_or(NoTag)
    }
}

/// Every tag of `run` in a text, such as an envelope or a log line, in order of appearance.
pub fn find_tags<'a>(text: &'a str, run: &'a str) -> impl Iterator<Item = Tag> + 'a {
    text.match_indices(run).filter_map(move |(at, _)| text.get(at..at + RUN_LENGTH + 6)?.parse().ok())
}

/// The first tag of any run that stands as a word of its own in the local part of an address, such
/// as `mxdrill+TAG@x`. Addresses that number customers and messages (VERP) can look alike, but have
/// digits only, or hyphens around them: a run id without any letter, one in a million, is not found.
pub fn any_tag(address: &str) -> Option<Tag> {
    let local = address.rsplit_once('@').map_or(address, |(local, _)| local);
    let apart = |neighbour: Option<char>| neighbour.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-');
    local.match_indices('-').find_map(|(hyphen, _)| {
        let start = hyphen.checked_sub(RUN_LENGTH)?;
        let end = start + RUN_LENGTH + 6;
        let tag: Tag = local.get(start..end)?.parse().ok()?;
        let lettered = tag.run().bytes().any(|byte| byte.is_ascii_lowercase());
        let alone = apart(local[..start].chars().next_back()) && apart(local[end..].chars().next());
        (lettered && alone).then_some(tag)
    })
}

macro_rules! as_text {
    ($($name:ident),+) => { $(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    )+ };
}
as_text!(RunId, Tag);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_envelopes_and_lines() {
        let run = RunId::from_entropy(0x0123_4567_89ab_cdef);
        let (probe, control) = (run.probe(12), run.control(1));
        assert_eq!(probe.as_str().len(), 18);
        assert_eq!((probe.short(), control.short()), ("12".to_owned(), "control 1".to_owned()));
        let line = format!("to=<a+{probe}@x>, from=<mxdrill+{control}@y>");
        assert_eq!(find_tags(&line, run.as_str()).collect::<Vec<_>>(), [probe, control]);
    }

    #[test]
    fn probes_of_any_run_are_told_from_numbered_addresses() {
        let tag = RunId::from_entropy(0x0123_4567_89ab_cdef).probe(12);
        for address in [
            format!("mxdrill+{tag}@sender.example"),
            format!("{tag}@drill.example"),
            format!("SRS0=HH7=T1=sender.example=mxdrill+{tag}@forwarder.example"),
        ] {
            assert_eq!(any_tag(&address).as_ref(), Some(&tag), "{address}");
        }
        for address in [
            "bounces+123456789012-12345@mail.example".to_owned(),
            format!("x{tag}@drill.example"),
            format!("{tag}9@drill.example"),
            format!("someone@{tag}.example"),
            "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}-00012@x".to_owned(),
            String::new(),
        ] {
            assert_eq!(any_tag(&address), None, "{address}");
        }
    }
}

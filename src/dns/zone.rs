//! Zone text as a scenario writes it.

use hickory_server::proto::rr::{LowerName, Name, RecordSet, RrKey};
use hickory_server::proto::serialize::txt::Parser;
use std::collections::BTreeMap;

/// The time to live of records that give none, in seconds.
const DEFAULT_TTL: u32 = 60;

/// A zone's text is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the zone `{origin}` cannot be read: {why}")]
pub struct ZoneError {
    /// The zone.
    pub origin: String,
    /// Why.
    pub why: String,
}

/// Reads the text of a zone (RFC 1035 5.1). A scenario may leave out `$TTL`, SOA and NS; they are
/// added.
///
/// # Errors
/// Where the text is no zone.
pub fn records(origin: &str, text: &str) -> Result<(Name, BTreeMap<RrKey, RecordSet>), ZoneError> {
    let wrong = |why: String| ZoneError { origin: origin.to_owned(), why };
    let name =
        Name::from_utf8(format!("{}.", origin.trim_end_matches('.'))).map_err(|error| wrong(error.to_string()))?;
    let (_, sets) =
        Parser::new(whole(text), None, Some(name.clone())).parse().map_err(|error| wrong(error.to_string()))?;
    if let Some(stray) = sets.keys().find(|key| !LowerName::from(&name).zone_of(&key.name)) {
        return Err(wrong(format!("`{}` lies outside of the zone", stray.name)));
    }
    Ok((name, sets))
}

/// The text with what every zone must have.
fn whole(text: &str) -> String {
    let has = |word: &str| text.split_whitespace().any(|it| it.eq_ignore_ascii_case(word));
    let mut zone = String::new();
    if !has("$TTL") {
        zone.push_str(&format!("$TTL {DEFAULT_TTL}\n"));
    }
    if !has("SOA") {
        zone.push_str("@ IN SOA ns.mxdrill.invalid. hostmaster.mxdrill.invalid. 1 3600 600 86400 60\n");
        zone.push_str("@ IN NS ns.mxdrill.invalid.\n");
    }
    zone + text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_may_be_as_short_as_its_mx() {
        let (_, sets) = records("drill.example", "@ MX 10 mx1.new.example.\n@ MX 20 mx.old.example.\n").unwrap();
        assert!(sets.len() >= 3, "{sets:?}");
        let (_, null) = records("none.example", "@ MX 0 .\n").unwrap();
        assert!(null.len() >= 3);
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        assert!(records("drill.example", "@ MX ten mx1.new.example.\n").is_err());
        assert!(records("drill.example", "x.other.example. A 127.0.0.1\n").is_err());
    }
}

//! The overlap calculator: how long old and new must stand side by side.
//!
//! ```text
//!   TTLs ───────────────┐
//!   max_age history ────┼─> Removal: the earliest safe time for each old thing
//!   certificates ───────┘   Preparation: what to lower before a cutover, and when
//! ```
//!
//! A thing can be removed when nobody can still have been told to use it: the last moment at which
//! it was published, and the longest time for which an answer or a policy may be kept.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// What is replaced in a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thing {
    /// An MX host that the MX records named.
    Mx(String),
    /// An address or CNAME of a host.
    Address(String),
    /// A pattern, or a whole policy, that policies held.
    Policy(String),
    /// A certificate of an old host or policy host.
    Certificate(String),
    /// A TLSA record.
    Tlsa(String),
}

/// Something old, and how long it can be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Old {
    /// What.
    pub thing: Thing,
    /// The last moment at which DNS, or the policy host, still gave it out; none: it still does.
    pub last_published: Option<Timestamp>,
    /// The longest TTL of the record that led to it, in seconds.
    pub ttl: u64,
    /// Every `max_age` that a policy which names it was served with, in seconds; empty where no
    /// policy does.
    pub max_ages: Vec<u64>,
    /// The end of its certificate, where that limits how long it can serve.
    pub not_after: Option<Timestamp>,
}

/// When something old can be removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// What.
    pub thing: Thing,
    /// The earliest safe time; none while it is still given out.
    #[serde(serialize_with = "maybe")]
    pub safe_from: Option<Timestamp>,
    /// Where the time comes from, in a sentence.
    pub why: String,
    /// What goes wrong before that time, where something does.
    pub warning: Option<String>,
}

fn maybe<S: serde::Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => to.collect_str(at),
        None => to.serialize_none(),
    }
}

/// When each old thing can be removed, in the order given. TLSA records are kept for two TTLs
/// (RFC 7671 8.1); a host that a policy names, for the longest `max_age` that was ever served too
/// (RFC 8461 8.3).
pub fn removals(all: &[Old]) -> Vec<Removal> {
    all.iter().map(removal).collect()
}

fn removal(old: &Old) -> Removal {
    let longest = old.max_ages.iter().copied().max().unwrap_or(0);
    let dns = if matches!(old.thing, Thing::Tlsa(_)) { old.ttl.saturating_mul(2) } else { old.ttl };
    let (seconds, kept) = if longest > dns {
        (longest, format!("senders may keep a policy that names it for {}", words(longest)))
    } else if matches!(old.thing, Thing::Tlsa(_)) {
        (dns, format!("resolvers may keep the record for {}, and two TTLs are waited for", words(old.ttl)))
    } else {
        (dns, format!("resolvers may keep the record for {}", words(dns)))
    };
    let Some(last) = old.last_published else {
        let why = "it is still given out: remove it from the records and the policy first".to_owned();
        return Removal { thing: old.thing.clone(), safe_from: None, why, warning: None };
    };
    let safe_from = later(last, seconds);
    let warning = old.not_after.filter(|end| *end < safe_from).map(|end| {
        format!("its certificate ends at {end}, before that time: renew it, or senders that enforce the policy wait")
    });
    let why = format!("last given out at {last}; {kept}");
    Removal { thing: old.thing.clone(), safe_from: Some(safe_from), why, warning }
}

/// What is true before a cutover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cutover {
    /// When the MX records are to change.
    pub at: Timestamp,
    /// What is published, and for how long each may be kept now, in seconds.
    pub kept: Vec<Kept>,
}

/// Something that may be kept, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What, such as `TTL of drill.example MX` or `max_age of the policy`.
    pub what: String,
    /// How long now, in seconds.
    pub now: u64,
    /// To what it should be lowered, in seconds.
    pub lower_to: u64,
}

/// One step before a cutover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preparation {
    /// What to lower.
    pub what: String,
    /// To how many seconds.
    pub lower_to: u64,
    /// The last moment at which lowering it still helps.
    #[serde(serialize_with = "text")]
    pub latest: Timestamp,
}

fn text<S: serde::Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

/// What to lower before the cutover, and until when: whoever was told the long time just before
/// must have forgotten it by then. The earliest step first; what is low already is left out.
pub fn preparations(cutover: &Cutover) -> Vec<Preparation> {
    let steps = cutover.kept.iter().filter(|it| it.now > it.lower_to);
    let mut steps: Vec<Preparation> = steps
        .map(|it| Preparation {
            what: it.what.clone(),
            lower_to: it.lower_to,
            latest: cutover.at.saturating_sub(duration(it.now)).unwrap_or(Timestamp::MIN),
        })
        .collect();
    steps.sort_by_key(|it| it.latest);
    steps
}

fn later(at: Timestamp, seconds: u64) -> Timestamp {
    at.saturating_add(duration(seconds)).unwrap_or(Timestamp::MAX)
}

/// Ten thousand years are enough, and are what the clock can show.
fn duration(seconds: u64) -> SignedDuration {
    const MOST: u64 = 10_000 * 366 * 86_400;
    SignedDuration::from_secs(i64::try_from(seconds.min(MOST)).unwrap_or(i64::MAX))
}

/// `7 days`, `5 minutes`, `90 seconds`: the largest unit that fits without a rest.
fn words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0 => (0, "second"),
        _ if seconds.is_multiple_of(86_400) => (seconds / 86_400, "day"),
        _ if seconds.is_multiple_of(3_600) => (seconds / 3_600, "hour"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    crate::source::plural(usize::try_from(count).unwrap_or(usize::MAX), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn old(thing: Thing) -> Old {
        let last_published = Some(at("2026-11-01T00:00:00Z"));
        Old { thing, last_published, ttl: 3_600, max_ages: vec![], not_after: None }
    }

    #[test]
    fn the_longest_memory_decides_when_an_old_thing_can_go() {
        let host = || Thing::Mx("mx.old.example".to_owned());
        let listed = Old { max_ages: vec![86_400, 1_209_600, 604_800], ..old(host()) };
        let expiring = Old { not_after: Some(at("2026-11-10T00:00:00Z")), ..listed.clone() };
        let found = removals(&[
            old(host()),
            listed,
            expiring,
            old(Thing::Tlsa("_25._tcp.mx.old.example".to_owned())),
            Old { last_published: None, ..old(host()) },
        ]);
        let safe: Vec<Option<String>> = found.iter().map(|it| it.safe_from.map(|at| at.to_string())).collect();
        let fortnight = Some("2026-11-15T00:00:00Z".to_owned());
        let hours = |hours: u32| Some(format!("2026-11-01T0{hours}:00:00Z"));
        assert_eq!(safe, [hours(1), fortnight.clone(), fortnight, hours(2), None]);
        assert!(found[1].why.ends_with("senders may keep a policy that names it for 14 days"), "{}", found[1].why);
        assert_eq!(found[1].warning, None);
        assert!(found[2].warning.as_ref().is_some_and(|it| it.contains("ends at 2026-11-10")), "{:?}", found[2]);
    }

    #[test]
    fn what_is_kept_longest_is_lowered_first() {
        let kept = |what: &str, now, lower_to| Kept { what: what.to_owned(), now, lower_to };
        let steps = preparations(&Cutover {
            at: at("2026-12-01T08:00:00Z"),
            kept: vec![kept("TTL of MX", 86_400, 300), kept("max_age", 604_800, 86_400), kept("TTL of TXT", 60, 300)],
        });
        let told: Vec<String> = steps.iter().map(|it| format!("{} {} {}", it.latest, it.what, it.lower_to)).collect();
        assert_eq!(told, ["2026-11-24T08:00:00Z max_age 86400", "2026-11-30T08:00:00Z TTL of MX 300"]);
    }

    #[test]
    fn no_number_is_too_large() {
        let ages = vec![u64::MAX];
        let found = removals(&[Old { max_ages: ages, ..old(Thing::Mx("x".to_owned())) }]);
        assert!(found[0].safe_from.is_some());
    }
}

//! The sender's eye: what each kind of sender does with mail for a domain, as it is published now.
//!
//! ```text
//!   cache (none, old enforce, testing, expired) x sender x primary (up, down) ──> Sight
//! ```
//!
//! A migration looks right to whoever fetches the new policy, and wrong to a sender that still has
//! the old one: both are in the matrix, and until when the old one can last.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::apply::{Applied, Cached, HostFacts, Origin, Outlook, Reachable, Step, Use, outlook, settle, step};
use super::failure::FailureType;
use super::fetch::Fetched;
use super::senders::{Profile, Refetch, STRICT, Taken, senders};
use super::{Announced, Mode, Policy, TxtAnswer, WhyNothing};
use crate::terms::{UnknownWord, words};

words! {
    /// What a sender has in its cache.
    CacheState {
        /// Nothing: it has never sent to the domain, or has forgotten.
        Empty = "none",
        /// The old policy, with `mode: enforce`.
        OldEnforce = "old enforce",
        /// The old policy, with `mode: testing`.
        OldTesting = "old testing",
        /// The old policy, which has expired.
        Expired = "expired",
    }
}

words! {
    /// Whether the host of the lowest preference can be reached.
    Primary {
        /// It can.
        Up = "up",
        /// It cannot.
        Down = "down",
    }
}

/// What is published, and what was.
#[derive(Clone, Debug)]
pub struct Published {
    /// The TXT records at `_mta-sts.DOMAIN`.
    pub records: TxtAnswer,
    /// What the policy host said; none: it could not be asked.
    pub policy: Option<Fetched>,
    /// The hosts that take mail, in the order of their preferences.
    pub hosts: Vec<HostFacts>,
    /// The policy that may be in caches.
    pub old: Option<OldPolicy>,
}

/// A policy that was published before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldPolicy {
    /// What it said. Its mode is that of the matrix's row.
    pub policy: Policy,
    /// The `id` then.
    pub id: String,
    /// The last moment at which a sender may have fetched it.
    pub last_served: Timestamp,
    /// The longest `max_age` that it was ever served with, in seconds.
    pub longest_max_age: u64,
}

/// How long what a sender does can last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// It does not come from a cache.
    Published,
    /// Until the old policy has expired in the last cache.
    At(#[serde(serialize_with = "as_text")] Timestamp),
    /// For as long as the `id` stays the same: the sender keeps the policy without fetching it.
    SameId,
}

fn as_text<S: serde::Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(at)
}

/// One cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sight {
    /// The sender; `strict` is the letter of the RFC.
    pub sender: &'static str,
    /// What it has cached.
    pub cache: CacheState,
    /// Whether the primary is up.
    pub primary: Primary,
    /// The host that takes the mail; none: it waits in the sender's queue.
    pub deliver: Option<String>,
    /// Whether the certificate is verified on the way.
    pub verified: bool,
    /// What the sender reports.
    pub report: Vec<FailureType>,
    /// Hosts that it would refuse to use if it came to them.
    pub latent: Vec<String>,
    /// How long this can last.
    pub until: Until,
}

/// The whole matrix: the letter of the RFC first, then every sender of which a profile is known;
/// of each every cache state, the primary up and then down. Rows with an old policy are left out
/// where none is known.
pub fn matrix(published: &Published) -> Vec<Sight> {
    let mut sights = vec![];
    for profile in std::iter::once(&STRICT).chain(senders()) {
        for cache in CacheState::ALL {
            if *cache != CacheState::Empty && published.old.is_none() {
                continue;
            }
            for primary in Primary::ALL {
                sights.push(sight(published, profile, *cache, *primary));
            }
        }
    }
    sights
}

/// What one sender does.
pub fn sight(published: &Published, profile: &'static Profile, cache: CacheState, primary: Primary) -> Sight {
    let cached = cached(published.old.as_ref(), cache);
    let announced = announced(&published.records, profile);
    let fetched = match step(profile, cached.as_ref(), &announced) {
        Step::Settle => None,
        Step::Fetch => Some(fetched(published, profile)),
    };
    let applied = settle(cached.as_ref(), &announced, fetched);
    let mut hosts = published.hosts.clone();
    if let (Primary::Down, Some(first)) = (primary, hosts.first_mut()) {
        first.reachable = Reachable::No;
    }
    let Outlook { deliver, report, latent } = outlook(&applied, |pattern, mx| profile.covers(pattern, mx), &hosts);
    let verified = matches!(deliver, Some((_, Use::Verified)));
    let until = until(published.old.as_ref(), profile, &announced, &applied);
    Sight { sender: profile.name, cache, primary, deliver: deliver.map(|it| it.0), verified, report, latent, until }
}

fn cached(old: Option<&OldPolicy>, state: CacheState) -> Option<Cached> {
    let old = old?;
    let (mode, left) = match state {
        CacheState::Empty => return None,
        CacheState::OldEnforce => (Mode::Enforce, old.longest_max_age),
        CacheState::OldTesting => (Mode::Testing, old.longest_max_age),
        CacheState::Expired => (Mode::Enforce, 0),
    };
    Some(Cached { policy: Policy { mode, ..old.policy.clone() }, id: old.id.clone(), left })
}

/// The records as this sender reads them.
fn announced(records: &TxtAnswer, profile: &Profile) -> Announced {
    match records {
        TxtAnswer::Records(all) => match profile.read_records(all) {
            Some(id) => Announced::Id(id),
            None => Announced::Nothing(WhyNothing::NotRight),
        },
        TxtAnswer::NoSuchName => Announced::Nothing(WhyNothing::NoRecord),
        TxtAnswer::Failed => Announced::Unknown,
    }
}

fn fetched(published: &Published, profile: &Profile) -> Result<Policy, FailureType> {
    let answer = published.policy.as_ref().ok_or(FailureType::StsPolicyFetchError)?;
    let Taken { mode, max_age, mx } = answer.taken_by(profile).map_err(|why| why.kind)?;
    Ok(Policy { mode, max_age: u64::try_from(max_age).unwrap_or(0), mx })
}

fn until(old: Option<&OldPolicy>, profile: &Profile, announced: &Announced, applied: &Applied) -> Until {
    let (Some(old), Some((_, Origin::Cache, id))) = (old, &applied.policy) else { return Until::Published };
    let same_id = matches!(announced, Announced::Id(now) if now == id);
    if same_id && profile.conduct.refetch == Refetch::NewIdOnly {
        return Until::SameId;
    }
    let longest = SignedDuration::from_secs(i64::try_from(old.longest_max_age).unwrap_or(i64::MAX));
    Until::At(old.last_served.saturating_add(longest).unwrap_or(Timestamp::MAX))
}

/// The last moment at which a sender can still act on the old policy, over the whole matrix; none
/// where no cell depends on it.
pub fn worst_case(sights: &[Sight]) -> Option<&Until> {
    let rank = |until: &Until| match until {
        Until::Published => Timestamp::MIN,
        Until::At(at) => *at,
        Until::SameId => Timestamp::MAX,
    };
    sights.iter().map(|it| &it.until).filter(|it| **it != Until::Published).max_by_key(|it| rank(it))
}

/// The matrix as text: one line for what all senders do alike, and one for each group that differs.
pub fn render(sights: &[Sight]) -> String {
    let mut text = String::new();
    for cache in CacheState::ALL {
        for primary in Primary::ALL {
            let row: Vec<&Sight> = sights.iter().filter(|it| it.cache == *cache && it.primary == *primary).collect();
            if row.is_empty() {
                continue;
            }
            text.push_str(&format!("  cache {cache}, primary {primary}\n"));
            for (does, who) in grouped(&row) {
                text.push_str(&format!("    {:<34} {does}\n", who.join(", ")));
            }
        }
    }
    match worst_case(sights) {
        Some(Until::At(at)) => text.push_str(&format!("  worst case: the old policy can be applied until {at}\n")),
        Some(Until::SameId) => {
            text.push_str("  worst case: some senders apply the old policy until the record has a new `id`\n");
        }
        _ => {}
    }
    text
}

/// What is done, and by whom; in the order in which it first occurs.
fn grouped(row: &[&Sight]) -> Vec<(String, Vec<&'static str>)> {
    let mut groups: Vec<(String, Vec<&'static str>)> = vec![];
    for sight in row {
        let does = sight.to_string();
        match groups.iter_mut().find(|(known, _)| *known == does) {
            Some((_, who)) => who.push(sight.sender),
            None => groups.push((does, vec![sight.sender])),
        }
    }
    groups
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.deliver, self.verified) {
            (Some(host), true) => write!(f, "delivers to {host}, verified")?,
            (Some(host), false) => write!(f, "delivers to {host}")?,
            (None, _) => f.write_str("defers")?,
        }
        if !self.report.is_empty() {
            let words: Vec<&str> = self.report.iter().map(|it| it.word()).collect();
            write!(f, ", reports {}", words.join(" "))?;
        }
        if !self.latent.is_empty() {
            write!(f, ", would refuse {}", self.latent.join(" "))?;
        }
        match &self.until {
            Until::Published => Ok(()),
            Until::At(at) => write!(f, " (until {at})"),
            Until::SameId => f.write_str(" (until the `id` changes)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TlsSeen;

    fn host(name: &str) -> HostFacts {
        HostFacts { name: name.to_owned(), ..HostFacts::default() }
    }

    fn world(id: &str, body: &str) -> Published {
        let tls = TlsSeen { verdicts: vec!["trusted".to_owned()], ..TlsSeen::default() };
        Published {
            records: TxtAnswer::Records(vec![vec![format!("v=STSv1; id={id};")]]),
            policy: Some(Fetched {
                tls: Some(tls),
                status: Some(200),
                content_type: Some("text/plain".to_owned()),
                bytes: body.len() as u64,
                body: body.to_owned(),
                ..Fetched::default()
            }),
            hosts: vec![host("mx1.new.example"), host("mx2.new.example")],
            old: Some(OldPolicy {
                policy: Policy { mode: Mode::Enforce, max_age: 604_800, mx: vec!["mx.old.example".to_owned()] },
                id: "1".to_owned(),
                last_served: "2026-11-01T00:00:00Z".parse().expect("a time"),
                longest_max_age: 1_209_600,
            }),
        }
    }

    const NEW: &str = "version: STSv1\nmode: enforce\nmx: mx1.new.example\nmax_age: 86400\n";

    fn cell(sights: &[Sight], sender: &str, cache: CacheState, primary: Primary) -> String {
        let found = sights.iter().find(|it| it.sender == sender && it.cache == cache && it.primary == primary);
        found.expect("a cell").to_string()
    }

    #[test]
    fn a_new_id_frees_all_but_senders_that_wait_for_expiry() {
        let sights = matrix(&world("2", NEW));
        assert_eq!(sights.len(), 7 * 4 * 2);
        let strict = |cache, primary| cell(&sights, "strict", cache, primary);
        let fresh = "delivers to mx1.new.example, verified, would refuse mx2.new.example";
        assert_eq!(strict(CacheState::Empty, Primary::Up), fresh);
        assert_eq!(strict(CacheState::OldEnforce, Primary::Up), fresh);
        assert_eq!(strict(CacheState::Empty, Primary::Down), "defers, reports validation-failure");
        assert_eq!(
            cell(&sights, "chasquid", CacheState::OldEnforce, Primary::Up),
            "defers, reports validation-failure (until 2026-11-15T00:00:00Z)"
        );
        let at = "2026-11-15T00:00:00Z".parse().expect("a time");
        assert_eq!(worst_case(&sights), Some(&Until::At(at)));
    }

    #[test]
    fn an_id_that_did_not_change_pins_the_old_policy() {
        let sights = matrix(&world("1", NEW));
        assert_eq!(
            cell(&sights, "postfix-mta-sts-resolver", CacheState::OldEnforce, Primary::Up),
            "defers, reports validation-failure (until the `id` changes)"
        );
        assert_eq!(
            cell(&sights, "mox", CacheState::OldTesting, Primary::Up),
            "delivers to mx1.new.example, reports validation-failure (until 2026-11-15T00:00:00Z)"
        );
        assert!(cell(&sights, "strict", CacheState::Expired, Primary::Up).starts_with("delivers to mx1.new.example"));
        assert_eq!(worst_case(&sights), Some(&Until::SameId));
        let text = render(&sights);
        assert!(text.contains("  cache old enforce, primary up\n"), "{text}");
        assert!(text.ends_with("until the record has a new `id`\n"), "{text}");
    }
}

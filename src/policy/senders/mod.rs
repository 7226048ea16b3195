//! How deployed senders read what a strict reader reads differently, as data.
//!
//! ```text
//!   PROFILES: one entry a project ── record    which TXT records it takes, and as which id
//!                                 ├─ document  which policies it takes, and as what
//!                                 ├─ matching  which MX hosts a pattern covers for it
//!                                 └─ conduct   what it does about fetching and caching
//! ```
//!
//! Each entry says where it is from: from running the project's own code, or from reading it. The
//! test vectors hold every entry against what the projects answered. Nothing here is a judgement:
//! a difference decides what an operator must expect, not who is right.

mod document;
mod matching;
mod profiles;
mod record;

use super::document::Mode;
pub use profiles::{CHASQUID, KUMOMTA, MADDY, MOX, POSTFIX, PROFILES, STALWART, STRICT, senders};

/// One project, and how it differs from a strict reader.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Its name in reports.
    pub name: &'static str,
    /// Which version this is true of.
    pub version: &'static str,
    /// What it is for.
    pub role: Role,
    /// How the entry came about.
    pub source: Source,
    pub(super) record: record::Rules,
    pub(super) document: document::Rules,
    pub(super) matching: matching::Rules,
    /// What it does about fetching and caching.
    pub conduct: Conduct,
}

/// What a project is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It sends mail.
    Sender,
    /// It checks domains.
    Checker,
}

/// How a profile came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The letter of the RFC.
    Rfc,
    /// The project's own code was run.
    Run,
    /// The project's code was read, not run.
    Read,
}

/// What a sender does about fetching and caching, where the RFC leaves it to senders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conduct {
    /// What it does with another media type than `text/plain`, or none.
    pub media_type: MediaType,
    /// What it does with more bytes than it wants.
    pub size: Size,
    /// How long it waits for the policy, in seconds.
    pub patience: u64,
    /// Which statuses are as good as 200.
    pub status: Status,
    /// What makes it fetch a policy again that is in its cache.
    pub refetch: Refetch,
}

/// What a sender does with another media type than `text/plain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// It throws the policy away.
    Demanded,
    /// It takes the policy.
    Ignored,
}

/// How many bytes of a policy a sender takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// It throws a larger one away.
    AtMost(u64),
    /// It reads this many and takes them for the whole.
    CutAt(u64),
    /// It has no limit.
    Any,
}

/// Which HTTP statuses carry a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Only 200.
    Only200,
    /// It is not looked at.
    Any,
}

/// When a cached policy is fetched again before it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refetch {
    /// When the `id` in DNS is another one, and from time to time.
    NewIdOrRefresh,
    /// Only when the `id` in DNS is another one. While it is the same, the cached policy is kept,
    /// and lives on: a body that changed under the same `id` is never seen.
    NewIdOnly,
    /// Only when the cached one has expired, whatever DNS says.
    Expiry,
}

/// What a sender takes a policy for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its mode.
    pub mode: Mode,
    /// How long it caches it, in seconds; some take a negative number.
    pub max_age: i64,
    /// The patterns as it keeps them.
    pub mx: Vec<String>,
}

impl Profile {
    /// The profile of this name.
    pub fn named(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// The `id` that it takes a record for; `None` where it throws the record away. A sender that
    /// makes nothing of the `id` has an empty one.
    pub fn read_record(&self, text: &str) -> Option<String> {
        record::read(self.record, text)
    }

    /// What a set of records means to it, each with its strings.
    pub fn read_records(&self, records: &[Vec<String>]) -> Option<String> {
        record::read_set(self.record, records)
    }

    /// What it takes a policy for; `None` where it throws the policy away.
    pub fn read_policy(&self, text: &str) -> Option<Taken> {
        document::read(self.document, text)
    }

    /// Whether `pattern` covers the MX host for it.
    pub fn covers(&self, pattern: &str, mx: &str) -> bool {
        matching::covers(self.matching, pattern, mx)
    }
}

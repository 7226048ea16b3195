//! Domains of a migration: where their mail belongs, and how far they have come.

use jiff::Timestamp;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::source::Spanned;
use crate::terms::{UnknownWord, words};

words! {
    /// How far a domain has come.
    DomainPhase {
        /// Its mail still goes to the legacy platform; the cutover is being prepared.
        Planned = "planned",
        /// The cutover is under way: both platforms may be named.
        Moving = "moving",
        /// It has moved: nothing may name the legacy platform.
        Moved = "moved",
    }
}

words! {
    /// Whether the design has a backup MX.
    BackupRule {
        /// There must be one.
        Required = "required",
        /// There may be one.
        Allowed = "allowed",
        /// There must be none.
        Forbidden = "none",
    }
}

words! {
    /// What a backup MX may do with mail that it takes.
    BackupDuty {
        /// Hold it until a better MX is there, and pass it on.
        Queue = "queue",
        /// Keep it: it reaches the same mailboxes.
        Deliver = "deliver",
    }
}

/// The intended backup.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Whether one is expected.
    pub rule: BackupRule,
    /// Which hosts it may be; none: any host of the domain's platform.
    pub hosts: Vec<Spanned<String>>,
    /// What it may do.
    pub may: BackupDuty,
}

impl Default for Backup {
    fn default() -> Self {
        Self { rule: BackupRule::Allowed, hosts: vec![], may: BackupDuty::Queue }
    }
}

/// A domain of the migration.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its name, in lower case.
    pub name: Spanned<String>,
    /// How far it has come.
    pub phase: DomainPhase,
    /// The platform where its mail belongs.
    pub at: Spanned<String>,
    /// Its MX hosts as designed, best first; none: any hosts of its platform.
    pub mx: Vec<Spanned<String>>,
    /// The intended backup.
    pub backup: Backup,
    /// When its MX records were, or will be, changed: what caches can still explain.
    pub changed: Option<Timestamp>,
    /// Domains that are expected to look alike.
    pub cohort: Option<String>,
    /// DKIM selectors that are looked up.
    pub selectors: Vec<Spanned<String>>,
    /// A mailbox there that takes mail, for the questions that `--smtp` asks; default `postmaster`
    /// (RFC 5321 4.5.1).
    pub recipient: Option<Spanned<String>>,
}

//! When a fault fires, and whom it may touch.

use std::time::Duration;

use ipnet::IpNet;

use crate::source::Spanned;

/// When a fault fires. Several conditions mean all of them; none means always.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// The first N occurrences, then pass.
    pub first: Option<Spanned<u64>>,
    /// Only the Nth occurrence.
    pub nth: Option<Spanned<u64>>,
    /// Every Nth occurrence.
    pub every: Option<Spanned<u64>>,
    /// With this probability, drawn from the seed once an occurrence; 0 to 1.
    pub chance: Option<Spanned<f64>>,
    /// Not before this time from the start of the phase.
    pub after: Option<Spanned<Duration>>,
    /// Not longer than this time from the start of the phase, or from `after`.
    pub lasting: Option<Spanned<Duration>>,
    /// Only for recipients that fit this pattern.
    pub recipient: Option<Spanned<String>>,
    /// Only for reverse-paths that fit this pattern.
    pub sender: Option<Spanned<String>>,
    /// Only for clients in this network.
    pub client: Option<Spanned<IpNet>>,
    /// Only for probes of this phase.
    pub probe: Option<Spanned<String>>,
    /// Only above this limit.
    pub limit: Option<Spanned<Limit>>,
    /// What the counters run over.
    pub count: Count,
}

impl When {
    /// Whether any condition counts or draws: such a one needs to know each occurrence.
    pub fn counts(&self) -> bool {
        self.first.is_some() || self.nth.is_some() || self.every.is_some() || self.chance.is_some()
    }

    /// Whether it asks for anything but time.
    pub fn is_only_time(&self) -> bool {
        !self.counts()
            && self.recipient.is_none()
            && self.sender.is_none()
            && self.client.is_none()
            && self.probe.is_none()
            && self.limit.is_none()
    }
}

/// What `first`, `nth` and `every` count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Count {
    /// The occurrences of each probe by itself: the same whatever the concurrency.
    #[default]
    Probe,
    /// All occurrences in order of arrival.
    All,
}

/// A limit that makes a host busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// This many connections at the same time.
    Connections(u32),
    /// This many messages in this time.
    Messages(u32, Duration),
}

/// Whom a fault may touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Only probes of this run.
    #[default]
    Probes,
    /// Everybody.
    All,
}

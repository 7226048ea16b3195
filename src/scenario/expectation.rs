//! What a phase expects of its probes.

use std::time::Duration;

use crate::source::{Span, Spanned};
use crate::terms::{Family, Outcome, TlsDemand};

/// One entry of `expect`. Absent keys expect nothing.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    /// The whole entry.
    pub span: Span,
    /// Only probes of this sender.
    pub from: Option<Spanned<String>>,
    /// The platforms where a probe may end.
    pub at: Vec<Spanned<String>>,
    /// The MX hosts one of which takes it from outside.
    pub host: Vec<Spanned<String>>,
    /// Platforms that it neither ends at nor passes through.
    pub never: Vec<Spanned<String>>,
    /// Hosts or platforms on its proven path.
    pub via: Vec<Spanned<String>>,
    /// Hosts or platforms not on it.
    pub not_via: Vec<Spanned<String>>,
    /// How long after its first attempt it may arrive.
    pub within: Option<Spanned<Duration>>,
    /// How long `never` and `copies` are watched.
    pub watch: Option<Spanned<Duration>>,
    /// How many copies there must be; 1 where nothing is said.
    pub copies: Option<Spanned<u32>>,
    /// The outcomes that are right.
    pub outcome: Vec<Spanned<Outcome>>,
    /// What is demanded of the connection that carried it.
    pub tls: Option<Spanned<TlsDemand>>,
    /// The address family of that connection.
    pub family: Option<Spanned<Family>>,
}

impl Expectation {
    /// Whether it is about the probes of this sender.
    pub fn speaks_of(&self, sender: &str) -> bool {
        self.from.as_ref().is_none_or(|from| from.value == sender)
    }

    /// Whether it demands that something is not seen, which takes watching.
    pub fn wants_absence(&self) -> bool {
        !self.never.is_empty() || !self.not_via.is_empty() || self.copies.is_some()
    }
}

/// Whose probes a phase judges.
#[derive(Clone, Debug)]
pub enum Judged {
    /// Its own.
    Own,
    /// Those of an earlier phase, again: `expect: { probes: PHASE }`.
    Earlier(Spanned<String>),
}

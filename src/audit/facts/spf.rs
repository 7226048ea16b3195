//! An SPF record with everything that it includes (RFC 7208).

use ipnet::IpNet;

use super::{Answer, HostFacts, Rr, Trail};

/// The SPF record of one name, expanded.
#[derive(Clone, Debug, PartialEq)]
pub struct SpfTree {
    /// The name.
    pub name: String,
    /// All TXT there, aliases followed.
    pub trail: Trail,
    /// The record, where there is exactly one.
    pub record: Option<Rr>,
    /// How many records begin with `v=spf1`.
    pub count: usize,
    /// Its terms in their order.
    pub terms: Vec<SpfTerm>,
    /// Whether expansion ended here because the name is being expanded already, or because there was
    /// too much.
    pub cut: Option<&'static str>,
}

/// One mechanism or modifier.
#[derive(Clone, Debug, PartialEq)]
pub struct SpfTerm {
    /// As it is written.
    pub text: String,
    /// `+`, `-`, `~` or `?`.
    pub qualifier: char,
    /// What it is.
    pub kind: SpfTermKind,
}

/// What a term says; names hold macros only where they cannot be expanded without a sender.
#[derive(Clone, Debug, PartialEq)]
pub enum SpfTermKind {
    /// `all`.
    All,
    /// `ip4`, `ip6`.
    Network(IpNet),
    /// `include`.
    Include(String, Option<Box<SpfTree>>),
    /// `redirect=`.
    Redirect(String, Option<Box<SpfTree>>),
    /// `a`, with the prefix lengths of IPv4 and IPv6.
    A(Box<HostFacts>, u8, u8),
    /// `mx`, with the hosts that it led to.
    Mx(String, Answer, Vec<HostFacts>, u8, u8),
    /// `ptr`.
    Ptr(String),
    /// `exists`.
    Exists(String),
    /// A modifier that decides nothing here, such as `exp=`.
    Other,
    /// It cannot be read.
    Malformed(String),
}

impl SpfTerm {
    /// Whether it costs one of the ten lookups (RFC 7208 4.6.4).
    pub fn costs(&self) -> usize {
        match self.kind {
            SpfTermKind::Include(..)
            | SpfTermKind::Redirect(..)
            | SpfTermKind::A(..)
            | SpfTermKind::Mx(..)
            | SpfTermKind::Ptr(_)
            | SpfTermKind::Exists(_) => 1,
            _ => 0,
        }
    }

    /// The tree below it.
    pub fn below(&self) -> Option<&SpfTree> {
        match &self.kind {
            SpfTermKind::Include(_, tree) | SpfTermKind::Redirect(_, tree) => tree.as_deref(),
            _ => None,
        }
    }
}

impl SpfTree {
    /// How many lookups an evaluation of all of it costs; more than ten are an error.
    pub fn lookups(&self) -> usize {
        self.terms.iter().map(|term| term.costs() + term.below().map_or(0, SpfTree::lookups)).sum()
    }

    /// How many of those find nothing; more than two are an error at most receivers.
    pub fn voids(&self) -> usize {
        let void = |answer: &Answer| matches!(answer, Answer::NoData | Answer::NoName | Answer::Circle);
        let of = |term: &SpfTerm| match &term.kind {
            SpfTermKind::A(host, ..) => usize::from(host.missing().is_some()),
            SpfTermKind::Mx(_, answer, ..) => usize::from(void(answer)),
            _ => term.below().map_or(0, |tree| usize::from(void(&tree.trail.end)) + tree.voids()),
        };
        self.terms.iter().map(of).sum()
    }
}

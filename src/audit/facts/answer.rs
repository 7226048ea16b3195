//! What came of a question.

use super::{Data, Rr};
use crate::record::Sight;

/// What came of one question for one name and one kind of record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The records, at least one.
    Found(Vec<Rr>),
    /// The name is an alias.
    Alias(Box<Rr>),
    /// The name exists and has no such records.
    NoData,
    /// There is no such name (NXDOMAIN).
    NoName,
    /// Aliases lead in a circle, or on for too long.
    Circle,
    /// It could not be learnt: SERVFAIL, REFUSED, no answer.
    Unable(String),
    /// It was not asked: the zone files do not hold it.
    Left(String),
}

impl Answer {
    /// The records; none where there are none, for whatever reason.
    pub fn records(&self) -> &[Rr] {
        match self {
            Answer::Found(records) => records,
            _ => &[],
        }
    }

    /// Whether it could be looked at, and why not.
    pub fn sight(&self) -> (Sight, Option<&str>) {
        match self {
            Answer::Unable(why) => (Sight::Unable, Some(why)),
            Answer::Left(why) => (Sight::Left, Some(why)),
            _ => (Sight::Seen, None),
        }
    }

    /// Why there is nothing, in words, where that is certain.
    pub fn absence(&self) -> Option<&'static str> {
        match self {
            Answer::NoName => Some("does not exist (NXDOMAIN)"),
            Answer::NoData => Some("has no such record"),
            Answer::Circle => Some("is an alias that leads in a circle"),
            _ => None,
        }
    }

    /// The texts of TXT records, each with its record.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &Rr)> {
        self.records().iter().filter_map(|rr| match &rr.data {
            Data::Text(text) => Some((text.as_str(), rr)),
            _ => None,
        })
    }
}

/// A question whose aliases were followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// The name that was asked for.
    pub name: String,
    /// The CNAME records on the way, in their order.
    pub aliases: Vec<Rr>,
    /// What stands at the end.
    pub end: Answer,
}

impl Trail {
    /// The name at its end.
    pub fn last_name(&self) -> &str {
        match self.aliases.last().map(|rr| &rr.data) {
            Some(Data::Alias(target)) => target,
            _ => &self.name,
        }
    }
}

//! The TXT record at `_mta-sts.DOMAIN` (RFC 8461 3.1), and what a set of them means.

use super::problem::{Code, Grammar, Problem};
use super::tags::{self, Kind, Tag};
use crate::source::Span;

const RFC: &str = "RFC 8461 3.1";
const KIND: Kind = Kind { version: "v=STSv1", rfc: RFC, sound: "v=STSv1; id=20260101T000000" };
/// The most characters of an `id`.
const MAX_ID: usize = 32;
/// What a record of several must begin with to count, to the letter.
const PREFIX: &str = "v=STSv1;";

/// A record, read strictly.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What it says; none where a strict reader throws it away.
    pub id: Option<String>,
    /// How many fields it has that the RFC does not name.
    pub extensions: usize,
    /// Everything that is wrong with it.
    pub problems: Vec<Problem>,
}

impl Record {
    /// Reads one record: the strings of its RR, joined without anything between them.
    pub fn read(text: &str) -> Self {
        let mut tags = tags::read(text, KIND);
        let mut id = None;
        let mut extensions = 0;
        for tag in &tags.fields {
            if tag.name != "id" {
                extensions += 1;
                tags.problems.extend(tags::extension(tag, KIND));
            } else if id.is_some() {
                tags.problems.push(second_id(tag));
            } else {
                id = Some(tag.value.to_owned());
                tags.problems.extend(bad_id(tag));
            }
        }
        if id.is_none() && !text.is_empty() {
            let end = Span::new(text.len()..text.len());
            tags.problems.push(
                Problem::broken(Code::MissingId, end, RFC, "the record has no `id`")
                    .note("senders that have a policy fetch it again only when the `id` is a new one")
                    .help("add `id=` and 1 to 32 letters and digits, such as `id=20260101T000000;`")
                    .shown_by("v=STSv1;"),
            );
        }
        let sound = tags.problems.iter().all(|it| it.grammar == Grammar::Kept);
        Self { id: id.filter(|_| sound), extensions, problems: tags.problems }
    }
}

fn bad_id(tag: &Tag<'_>) -> Option<Problem> {
    let odd = tag.value.chars().find(|it| !it.is_ascii_alphanumeric());
    let said = match odd {
        _ if tag.value.is_empty() => "the `id` is empty".to_owned(),
        Some(odd) => format!("the `id` holds `{}`", odd.escape_debug()),
        None if tag.value.len() > MAX_ID => format!("the `id` has {} characters", tag.value.len()),
        None => return None,
    };
    Some(
        Problem::broken(Code::BadId, tag.value_span, RFC, said)
            .note("an `id` is 1 to 32 letters and digits; it is compared, never ordered")
            .help("write one such as `20260101T000000`")
            .shown_by(tags::specimen(tag, KIND)),
    )
}

fn second_id(tag: &Tag<'_>) -> Problem {
    Problem::broken(Code::DuplicateKey, tag.span, RFC, "the record has a second `id`")
        .help("remove one of the two")
        .shown_by(KIND.with(tag.whole))
}

/// What DNS answered to the question for the TXT records at `_mta-sts.DOMAIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxtAnswer {
    /// These RRs, each with its strings; CNAMEs were followed.
    Records(Vec<Vec<String>>),
    /// There is no such name.
    NoSuchName,
    /// The server failed or did not answer: nothing is known.
    Failed,
}

/// What a set of records means to a strict sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announced {
    /// There is a policy, and this is its `id`.
    Id(String),
    /// There is none. A policy that is cached and has not expired applies all the same.
    Nothing(WhyNothing),
    /// It cannot be known now; a cached policy applies.
    Unknown,
}

/// Why a set of records announces no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNothing {
    /// There is no TXT record.
    NoRecord,
    /// None of several begins with `v=STSv1;`.
    NoneOfSeveral,
    /// More than one of them does.
    MoreThanOne,
    /// The only one is not right.
    NotRight,
}

impl Announced {
    /// Reads a set of records. Of several, those that do not begin with `v=STSv1;` do not count;
    /// then exactly one must be left, and it must be right.
    pub fn of(answer: &TxtAnswer) -> Self {
        let TxtAnswer::Records(records) = answer else {
            return match answer {
                TxtAnswer::Failed => Announced::Unknown,
                _ => Announced::Nothing(WhyNothing::NoRecord),
            };
        };
        let texts: Vec<String> = records.iter().map(|strings| strings.concat()).collect();
        let left: Vec<&String> = match texts.as_slice() {
            [] => return Announced::Nothing(WhyNothing::NoRecord),
            [only] => vec![only],
            several => several.iter().filter(|text| text.starts_with(PREFIX)).collect(),
        };
        match left.as_slice() {
            [] => Announced::Nothing(WhyNothing::NoneOfSeveral),
            [one] => Record::read(one).id.map_or(Announced::Nothing(WhyNothing::NotRight), Announced::Id),
            _ => Announced::Nothing(WhyNothing::MoreThanOne),
        }
    }
}

/// The zone of `zones` that the target of a CNAME lies in: whoever has that zone decides about the
/// `id`, and so when senders fetch the policy again (RFC 8461 8.2).
pub fn delegated_to<'a>(target: &str, zones: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let target = target.trim_end_matches('.').to_ascii_lowercase();
    zones.into_iter().find(|zone| {
        let zone = zone.trim_end_matches('.').to_ascii_lowercase();
        target == zone || target.strip_suffix(zone.as_str()).is_some_and(|rest| rest.ends_with('.'))
    })
}

//! Which TXT records a project takes.

use super::super::problem::{Code, Grammar};
use super::super::record::Record;

/// How a record is read.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Rules {
    /// By the letter, but for these problems, which it forgives.
    Strict { tolerates: &'static [Code], set: Set },
    /// A project that looks at the beginning only.
    PrefixOnly,
    /// `name=value` pairs between `;`.
    Pairs(Pairs),
}

/// Which of several records count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Set {
    /// Those that begin with `v=STSv1;`; then exactly one.
    Exactly,
    /// Those that begin with `v=STSv1`; then exactly one.
    ExactlyLoosely,
    /// All of them, as one text.
    Joined,
}

/// What a reader of pairs demands.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Pairs {
    pub(in super::super) version: Version,
    pub(in super::super) equals: Equals,
    pub(in super::super) spaces: Spaces,
    pub(in super::super) names: Names,
    pub(in super::super) id: Id,
    pub(in super::super) others: Others,
    pub(in super::super) set: Set,
}

/// Where the version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Version {
    First,
    Anywhere,
}

/// How many `=` a pair has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Equals {
    ExactlyOne,
    AtLeastOne,
}

/// White space beside the `=`, or in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Spaces {
    /// The record is thrown away.
    Refused,
    /// It is a part of name or value.
    Kept,
    /// It is removed beside the `=`.
    Trimmed,
}

/// The case of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Names {
    AsWritten,
    AnyCase,
}

/// What an `id` may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Id {
    Anything,
    NotEmpty,
    LettersAndDigits,
}

/// What becomes of a record with other fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Others {
    Ignored,
    Refused,
}

pub(super) fn read(rules: Rules, text: &str) -> Option<String> {
    match rules {
        Rules::Strict { tolerates, .. } => {
            let record = Record::read(text);
            let forgiven = record.problems.iter().all(|it| it.grammar == Grammar::Kept || tolerates.contains(&it.code));
            let id = || text.split(';').find_map(|it| it.trim().strip_prefix("id=")).map(str::to_owned);
            forgiven.then(|| record.id.or_else(id)).flatten()
        }
        Rules::PrefixOnly => text.starts_with("v=STSv1;").then(String::new),
        Rules::Pairs(rules) => pairs(rules, text),
    }
}

fn pairs(rules: Pairs, text: &str) -> Option<String> {
    if rules.version == Version::First && !text.starts_with("v=STSv1") {
        return None;
    }
    let (mut version, mut id) = (None, None);
    for piece in text.split(';').map(str::trim).filter(|it| !it.is_empty()) {
        let (name, value) = piece.split_once('=').or((rules.equals == Equals::AtLeastOne).then_some((piece, "")))?;
        if rules.equals == Equals::ExactlyOne && value.contains('=') {
            return None;
        }
        let spaced = name.contains([' ', '\t']) || value.contains([' ', '\t']);
        let (name, value) = match rules.spaces {
            Spaces::Refused if spaced => return None,
            Spaces::Trimmed => (name.trim(), value.trim()),
            _ => (name, value),
        };
        let name = if rules.names == Names::AnyCase { name.to_ascii_lowercase() } else { name.to_owned() };
        match name.as_str() {
            "v" => version = Some(value),
            "id" => id = Some(value),
            _ if rules.others == Others::Refused => return None,
            _ => {}
        }
    }
    version.filter(|it| *it == "STSv1")?;
    let right = |id: &&str| match rules.id {
        Id::Anything => true,
        Id::NotEmpty => !id.is_empty(),
        Id::LettersAndDigits => !id.is_empty() && id.chars().all(|it| it.is_ascii_alphanumeric()),
    };
    id.filter(right).map(str::to_owned)
}

pub(super) fn read_set(rules: Rules, records: &[Vec<String>]) -> Option<String> {
    let texts: Vec<String> = records.iter().map(|strings| strings.concat()).collect();
    let set = match rules {
        Rules::PrefixOnly => return texts.iter().find_map(|text| read(rules, text)),
        Rules::Strict { set, .. } => set,
        Rules::Pairs(pairs) => pairs.set,
    };
    let prefix = match set {
        Set::Joined => return read(rules, &texts.concat()),
        Set::Exactly => "v=STSv1;",
        Set::ExactlyLoosely => "v=STSv1",
    };
    match texts.as_slice() {
        [only] => read(rules, only),
        several => {
            let mut left = several.iter().filter(|text| text.starts_with(prefix));
            let one = left.next()?;
            if left.next().is_some() { None } else { read(rules, one) }
        }
    }
}

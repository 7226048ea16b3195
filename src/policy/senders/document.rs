//! Which policies a project takes, and for what.

use super::super::document::{Document, Mode};
use super::super::problem::{Code, Grammar};
use super::Taken;

/// How a policy is read.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Rules {
    /// By the letter, but for the problems that it forgives, and those that it alone minds.
    Strict { tolerates: &'static [Code], refuses: &'static [Code], spelling: Spelling },
    /// Line by line, taking what it knows.
    Lines(Lines),
}

/// What a reader of lines makes of them.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Lines {
    pub(in super::super) ends: Ends,
    pub(in super::super) without_colon: WithoutColon,
    pub(in super::super) blank: Blank,
    pub(in super::super) colons: Colons,
    pub(in super::super) keys: Keys,
    pub(in super::super) others: Others,
    pub(in super::super) repeated: Repeated,
    pub(in super::super) version: Version,
    pub(in super::super) mode: ModeNeed,
    pub(in super::super) number: Number,
    pub(in super::super) range: Range,
    pub(in super::super) mx: MxNeed,
    pub(in super::super) spelling: Spelling,
}

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Ends {
    /// LF, and a CR before it.
    Lf,
    /// Everything that Python's `splitlines` splits at.
    Python,
}

/// What becomes of a line without a colon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum WithoutColon {
    Ignored,
    Refused,
    /// It becomes the beginning of the next line's key.
    JoinsTheNext,
}

/// What becomes of an empty line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Blank {
    Ignored,
    Refused,
}

/// How many colons a line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Colons {
    ExactlyOne,
    AtLeastOne,
}

/// White space around a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Keys {
    Trimmed,
    AsWritten,
}

/// What becomes of a policy with other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Others {
    Ignored,
    Refused,
}

/// Which value of a key counts that stands twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Repeated {
    /// The last one.
    Last,
    /// The last one, and the others must be right, too.
    LastAllRight,
    /// None: the policy is thrown away.
    Refused,
}

/// What is demanded of the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Version {
    Needed,
    Optional,
    /// Optional, and its case does not matter.
    OptionalAnyCase,
}

/// What a policy without a mode is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum ModeNeed {
    Needed,
    NoneWithout,
}

/// What is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Number {
    /// Go's `Atoi`: digits with a sign.
    Go,
    /// Rust's `u64`: digits with a plus.
    Rust,
    /// Python's `int`: digits with a sign, and single underscores between them.
    Python,
}

/// What becomes of numbers out of range, and of a `max_age` that is missing or no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Range {
    /// The policy is thrown away outside of this range, or without a number.
    Within(i64, i64),
    /// The same, but a missing one is this number.
    WithinOr(i64, i64, i64),
    /// Outside of this range, or without a number, it is the third one.
    Else(i64, i64, i64),
}

/// When at least one `mx` must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum MxNeed {
    Always,
    UnlessNone,
}

/// In which case patterns are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Spelling {
    AsWritten,
    Lower,
}

impl Spelling {
    fn of(self, name: &str) -> String {
        match self {
            Spelling::AsWritten => name.to_owned(),
            Spelling::Lower => name.to_ascii_lowercase(),
        }
    }
}

pub(super) fn read(rules: Rules, text: &str) -> Option<Taken> {
    match rules {
        Rules::Strict { tolerates, refuses, spelling } => {
            let document = Document::read(text.as_bytes());
            let minded = document.problems.iter().any(|it| {
                refuses.contains(&it.code) || (it.grammar == Grammar::Broken && !tolerates.contains(&it.code))
            });
            let (mode, max_age) = document.mode.zip(document.max_age).filter(|_| !minded)?;
            let mx = document.mx.iter().map(|it| spelling.of(&it.value)).collect();
            Some(Taken { mode, max_age: i64::try_from(max_age).unwrap_or(i64::MAX), mx })
        }
        Rules::Lines(rules) => Reader { rules, ..Reader::new(rules) }.read(text),
    }
}

struct Reader<'a> {
    rules: Lines,
    version: Option<&'a str>,
    mode: Option<&'a str>,
    max_age: Option<&'a str>,
    mx: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn new(rules: Lines) -> Self {
        Self { rules, version: None, mode: None, max_age: None, mx: vec![] }
    }

    fn read(mut self, text: &'a str) -> Option<Taken> {
        let mut glued = None;
        for line in split(self.rules.ends, text) {
            if glued.is_none() && line.trim().is_empty() {
                match self.rules.blank {
                    Blank::Ignored => continue,
                    Blank::Refused => return None,
                }
            }
            match line.split_once(':') {
                // The text before belongs to the key, which so is one that nobody knows.
                Some(_) if glued.take().is_some() => {}
                Some((key, value)) => self.pair(key, value)?,
                None => match self.rules.without_colon {
                    WithoutColon::Ignored => {}
                    WithoutColon::Refused => return None,
                    WithoutColon::JoinsTheNext => glued = Some(()),
                },
            }
        }
        self.taken()
    }

    fn pair(&mut self, key: &'a str, value: &'a str) -> Option<()> {
        if self.rules.colons == Colons::ExactlyOne && value.contains(':') {
            return None;
        }
        let value = value.trim();
        let key = if self.rules.keys == Keys::Trimmed { key.trim() } else { key };
        let slot = match key {
            "version" => &mut self.version,
            "mode" => &mut self.mode,
            "max_age" => &mut self.max_age,
            "mx" => {
                self.mx.push(value);
                return Some(());
            }
            _ if self.rules.others == Others::Refused => return None,
            _ => return Some(()),
        };
        let before = slot.replace(value);
        match self.rules.repeated {
            Repeated::Refused if before.is_some() => None,
            Repeated::LastAllRight => self.right(key, value),
            _ => Some(()),
        }
    }

    /// Whether a value is right by itself.
    fn right(&self, key: &str, value: &str) -> Option<()> {
        match key {
            "version" => (value == "STSv1").then_some(()),
            "mode" => value.parse::<Mode>().ok().map(drop),
            _ => number(self.rules.number, value).map(drop),
        }
    }

    fn taken(self) -> Option<Taken> {
        let rules = self.rules;
        match (rules.version, self.version) {
            (_, Some("STSv1")) | (Version::Optional | Version::OptionalAnyCase, None) => {}
            (Version::OptionalAnyCase, Some(version)) if version.eq_ignore_ascii_case("STSv1") => {}
            _ => return None,
        }
        let mode = match (rules.mode, self.mode) {
            (_, Some(mode)) => mode.parse().ok()?,
            (ModeNeed::NoneWithout, None) => Mode::None,
            (ModeNeed::Needed, None) => return None,
        };
        let found = self.max_age.map(|text| number(rules.number, text));
        let max_age = match (rules.range, found) {
            (Range::WithinOr(_, _, missing), None) => missing,
            (Range::Within(low, high) | Range::WithinOr(low, high, _), found) => {
                found.flatten().filter(|it| (low..=high).contains(it))?
            }
            (Range::Else(low, high, other), found) => {
                found.flatten().filter(|it| (low..=high).contains(it)).unwrap_or(other)
            }
        };
        if self.mx.is_empty() && (rules.mx == MxNeed::Always || mode != Mode::None) {
            return None;
        }
        let mx = self.mx.iter().map(|it| rules.spelling.of(it)).collect();
        Some(Taken { mode, max_age, mx })
    }
}

fn split(ends: Ends, text: &str) -> Vec<&str> {
    match ends {
        Ends::Lf => text.lines().collect(),
        Ends::Python => {
            const ENDS: [char; 10] =
                ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];
            // An empty line between CR and LF is one that these readers ignore anyway.
            text.split(ENDS).collect()
        }
    }
}

fn number(kind: Number, text: &str) -> Option<i64> {
    let digits = text.strip_prefix('+').or_else(|| text.strip_prefix('-')).unwrap_or(text);
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    match kind {
        Number::Rust => text.parse::<u64>().ok().map(|it| i64::try_from(it).unwrap_or(i64::MAX)),
        Number::Go => text.parse().ok().filter(|_| plain(digits)),
        Number::Python => {
            let underscores = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
            let bare = text.replace('_', "");
            bare.parse().ok().filter(|_| !underscores && plain(&digits.replace('_', "")))
        }
    }
}

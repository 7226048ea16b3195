//! What is odd about a value of a policy, though some of it is right by the letter.

use super::document::{MAX_MAX_AGE, RFC};
use super::name;
use super::problem::{Code, Problem, Severity};
use super::tags::shown;
use crate::source::Span;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// What is wrong or odd about a `max_age`; `seconds` where it is a number.
pub(super) fn about_max_age(value: &str, seconds: Option<u64>, at: Span) -> Option<Problem> {
    let range = format!("`max_age` is a number of seconds from 0 to {MAX_MAX_AGE} (a year), without sign or unit");
    let lint = |code, severity, said: String| Some(Problem::lint(code, at, severity, RFC, said));
    match seconds {
        None => {
            let said = format!("`{}` is not a number of seconds", shown(value));
            Some(Problem::broken(Code::BadMaxAge, at, RFC, said).note(range))
        }
        Some(seconds) if seconds > MAX_MAX_AGE => {
            let said = format!("`max_age` is above {MAX_MAX_AGE}");
            Some(Problem::broken(Code::MaxAgeTooLong, at, RFC, said).note(range))
        }
        Some(0) => lint(Code::MaxAgeZero, Severity::Error, "with `max_age` 0 nothing is ever cached".to_owned())
            .map(|it| it.help("write at least 86400, a day; weeks are usual")),
        Some(seconds) if seconds <= DAY => {
            let severity = if seconds < DAY { Severity::Warning } else { Severity::Info };
            lint(Code::MaxAgeShort, severity, "a policy that is cached for a day or less protects little".to_owned())
                .map(|it| it.note("it is right before a cutover; weeks are usual otherwise"))
        }
        Some(_) => None,
    }
}

/// What is odd about a pattern that is right by the letter.
pub(super) fn about_pattern(pattern: &str, at: Span) -> Option<Problem> {
    let lint = |code, severity, said: String| Some(Problem::lint(code, at, severity, RFC, said));
    if name::is_address(pattern) {
        return lint(Code::MxIsAddress, Severity::Error, format!("`{pattern}` is an address, and no MX host is one"))
            .map(|it| it.help("write the name that stands in the MX record"));
    }
    match pattern.strip_prefix("*.") {
        Some(rest) if !rest.contains('.') => {
            let said = format!("`{pattern}` covers every host right below `{rest}`, whoever has it");
            lint(Code::WildcardTooWide, Severity::Error, said)
                .map(|it| it.help("name the hosts, or a domain that is yours"))
        }
        None if !pattern.contains('.') => {
            let said = format!("`{pattern}` is a name of one label, which hardly any MX host has");
            lint(Code::SingleLabel, Severity::Warning, said).map(|it| it.help("write the whole name"))
        }
        _ => None,
    }
}

//! A program that was run to send a probe.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tag;
use crate::terms::{UnknownWord, words};

words! {
    /// How a program ended.
    RanEnd {
        /// By itself; `code` says how it went.
        Exited = "exited",
        /// By a signal.
        Killed = "killed",
        /// It took too long, and its whole process group was killed.
        TimedOut = "timed-out",
        /// It could not be started.
        NotStarted = "not-started",
    }
}

/// A program that was run to send a probe. Secrets that it was given are hidden from its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ran {
    /// For which probe.
    pub tag: Tag,
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// When it began.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// How it ended.
    pub end: RanEnd,
    /// Its exit code; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<i32>,
    /// What that code means to mail programs (`sysexits.h`), such as `EX_TEMPFAIL`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub meaning: Option<String>,
    /// The first 16 KiB of its standard output.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub stdout: String,
    /// The same of its standard error; where it was not started, why.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub stderr: String,
}

impl Ran {
    /// Whether it did what was wanted, as far as it knows: then it exited with 0.
    pub fn succeeded(&self) -> bool {
        self.end == RanEnd::Exited && self.code == Some(0)
    }

    /// How it ended, in a few words.
    pub fn outcome(&self) -> String {
        match (self.end, self.code, &self.meaning) {
            (RanEnd::Exited, Some(code), Some(meaning)) => format!("exit code {code} ({meaning})"),
            (RanEnd::Exited, Some(code), None) => format!("exit code {code}"),
            (RanEnd::Killed, Some(signal), _) => format!("killed by signal {signal}"),
            (RanEnd::TimedOut, ..) => format!("killed after {} ms: it took too long", self.ms),
            (RanEnd::NotStarted, ..) => "it could not be started".to_owned(),
            (RanEnd::Exited | RanEnd::Killed, ..) => self.end.to_string(),
        }
    }
}

/// Exit codes of mail programs (`sysexits.h`), from 64.
const SYSEXITS: &[&str] = &[
    "EX_USAGE",
    "EX_DATAERR",
    "EX_NOINPUT",
    "EX_NOUSER",
    "EX_NOHOST",
    "EX_UNAVAILABLE",
    "EX_SOFTWARE",
    "EX_OSERR",
    "EX_OSFILE",
    "EX_CANTCREAT",
    "EX_IOERR",
    "EX_TEMPFAIL",
    "EX_PROTOCOL",
    "EX_NOPERM",
    "EX_CONFIG",
];

/// The name of an exit code of mail programs.
pub fn sysexit(code: i32) -> Option<&'static str> {
    usize::try_from(code.checked_sub(64)?).ok().and_then(|at| SYSEXITS.get(at)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_of_mail_programs_have_names() {
        assert_eq!((sysexit(64), sysexit(67), sysexit(75)), (Some("EX_USAGE"), Some("EX_NOUSER"), Some("EX_TEMPFAIL")));
        assert_eq!((sysexit(78), sysexit(79), sysexit(1)), (Some("EX_CONFIG"), None, None));
    }
}

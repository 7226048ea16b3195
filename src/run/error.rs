//! Why a run could not be carried out.

use std::fmt;

/// What kind of failure, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the scenario needs is not there, such as a secret: the user's to mend.
    Usage,
    /// Something that has to be looked at cannot be.
    Unreachable,
    /// The harness itself broke, such as a port in use.
    Harness,
}

/// A run could not be carried out. Everything that had been started is down again.
#[derive(Debug)]
pub struct RunError {
    /// What kind.
    pub kind: Kind,
    /// What is wrong, and where.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
}

impl RunError {
    pub(super) fn new(kind: Kind, what: impl fmt::Display) -> Self {
        Self { kind, what: what.to_string(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for RunError {}

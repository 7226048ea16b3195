//! What is wrong with a policy or a record, and what it is called.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::source::{Diagnostic, Level, Span};
use crate::terms::{UnknownWord, words};

/// The most problems of one text that are kept: nobody reads more.
pub const MOST_PROBLEMS: usize = 100;

words! {
    /// How grave a problem is.
    Severity {
        /// Worth knowing.
        Info = "info",
        /// Some senders, or some day, will stumble over it.
        Warning = "warning",
        /// Mail will be lost sight of, or the text is not read at all.
        Error = "error",
    }
}

words! {
    /// Problems of policies, MTA-STS records and TLSRPT records. The words are a contract.
    Code {
        /// There is nothing in it.
        Empty = "empty",
        /// It is something else, such as a web page or JSON.
        NotAPolicy = "not-a-policy",
        /// It is larger than 64 KiB.
        TooLarge = "too-large",
        /// Some bytes are not UTF-8.
        NotUtf8 = "not-utf-8",
        /// It begins with a byte order mark.
        ByteOrderMark = "byte-order-mark",
        /// A line has nothing in it, and others follow.
        BlankLine = "blank-line",
        /// There are empty lines at the end.
        BlankLineAtEnd = "blank-line-at-end",
        /// A line has no colon.
        LineWithoutColon = "line-without-colon",
        /// There is white space before a key.
        LeadingSpace = "leading-space",
        /// There is white space between a key and its colon.
        SpaceBeforeColon = "space-before-colon",
        /// A key that must be there is not.
        MissingKey = "missing-key",
        /// A key that may stand once stands twice; the first one counts.
        DuplicateKey = "duplicate-key",
        /// The same, and the second value would be no value by itself.
        BadDuplicate = "bad-duplicate",
        /// A key that the RFC does not name.
        UnknownKey = "unknown-key",
        /// A key or field that cannot even be an extension.
        BadFieldName = "bad-field-name",
        /// The value of an extension has characters that it cannot have.
        BadFieldValue = "bad-field-value",
        /// The version is missing from its place, or another one.
        BadVersion = "bad-version",
        /// The mode is none of the three.
        BadMode = "bad-mode",
        /// `max_age` is no number of 1 to 10 digits.
        BadMaxAge = "bad-max-age",
        /// `max_age` is above 31557600.
        MaxAgeTooLong = "max-age-too-long",
        /// `max_age` is 0: nothing is ever cached.
        MaxAgeZero = "max-age-zero",
        /// `max_age` is a day or less.
        MaxAgeShort = "max-age-short",
        /// `mode: none` without any `mx`.
        NoneWithoutMx = "none-without-mx",
        /// A pattern is no name of a host.
        BadMx = "bad-mx",
        /// A pattern is an address, which no MX can be.
        MxIsAddress = "mx-is-address",
        /// A pattern ends in a dot.
        MxTrailingDot = "mx-trailing-dot",
        /// A wildcard covers every domain of a top-level domain.
        WildcardTooWide = "wildcard-too-wide",
        /// A pattern is a name without any dot.
        SingleLabel = "single-label",
        /// A pattern stands twice.
        DuplicateMx = "duplicate-mx",
        /// A host that takes mail is covered by no pattern.
        MxNotCovered = "mx-not-covered",
        /// The record has no `id`.
        MissingId = "missing-id",
        /// The `id` is not 1 to 32 letters and digits.
        BadId = "bad-id",
        /// The record ends in white space.
        TrailingSpace = "trailing-space",
        /// The record has no `rua`.
        MissingRua = "missing-rua",
        /// A place to report to is neither `mailto:` nor `https:`.
        BadRua = "bad-rua",
    }
}

/// Whether a text with the problem is still one by the letter of the RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// It is.
    Kept,
    /// It is not: a strict reader throws the whole of it away.
    Broken,
}

/// One thing that is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// How grave.
    pub severity: Severity,
    /// Which.
    pub code: Code,
    /// Whether the text is still one.
    pub grammar: Grammar,
    /// Where.
    pub span: Span,
    /// What is wrong, in one line.
    pub message: String,
    /// What would be right.
    pub note: Option<String>,
    /// One action that mends it.
    pub help: Option<String>,
    /// The section that says so, such as `RFC 8461 3.2`.
    pub rfc: &'static str,
    /// The smallest text that has this problem and no other: what senders do about the problem is
    /// what they do with it.
    pub specimen: String,
}

impl Problem {
    /// A problem that a strict reader does not forgive.
    pub(super) fn broken(code: Code, span: Span, rfc: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            grammar: Grammar::Broken,
            span,
            message: message.into(),
            note: None,
            help: None,
            rfc,
            specimen: String::new(),
        }
    }

    /// A problem of a text that is right by the letter.
    pub(super) fn lint(code: Code, span: Span, severity: Severity, rfc: &'static str, message: String) -> Self {
        Self { severity, grammar: Grammar::Kept, ..Self::broken(code, span, rfc, message) }
    }

    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn shown_by(mut self, specimen: impl Into<String>) -> Self {
        self.specimen = specimen.into();
        self
    }

    pub(super) fn milder(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// As it is drawn.
    pub fn diagnostic(&self) -> Diagnostic {
        let level = match self.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Info => Level::Info,
        };
        let mut said = Diagnostic::new(level, self.message.clone()).mark(self.span, "");
        said.notes.extend(self.note.clone());
        said.notes.push(format!("see {}", self.rfc));
        said.help.extend(self.help.clone());
        said
    }
}

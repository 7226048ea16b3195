//! Where findings are written down.

use crate::audit::facts::Answer;
use crate::audit::kind::Kind;
use crate::record::{Coverage, Finding, FindingSeverity, Sight};

/// The findings on one subject, and what was looked at.
#[derive(Clone, Debug)]
pub struct Sheet {
    subject: String,
    findings: Vec<Finding>,
    coverage: Vec<Coverage>,
}

/// A sentence of the handbook behind `help:`.
fn lower(sentence: &str) -> String {
    let rest = sentence.trim_end_matches('.').get(1..).unwrap_or_default();
    sentence.chars().take(1).flat_map(char::to_lowercase).chain(rest.chars()).collect()
}

impl Sheet {
    /// An empty one.
    pub fn new(subject: &str) -> Self {
        Self { subject: subject.to_owned(), findings: vec![], coverage: vec![] }
    }

    /// A finding of this kind; `mends` of its kind is the fix until a better one is said.
    pub fn finding(&self, kind: Kind, severity: FindingSeverity, title: impl Into<String>) -> Finding {
        Finding::new(kind.id(), severity, &*self.subject, title.into()).fix(lower(kind.mends()))
    }

    /// Writes a finding down, once.
    pub fn add(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Notes what came of looking at something.
    pub fn looked(&mut self, what: impl Into<String>, answer: &Answer) {
        let (look, why) = answer.sight();
        self.note(what, look, why.map(str::to_owned));
    }

    /// Notes what came of looking at something, in words.
    pub fn note(&mut self, what: impl Into<String>, look: Sight, why: Option<String>) {
        let entry = Coverage { subject: self.subject.clone(), what: what.into(), look, why };
        if !self.coverage.contains(&entry) {
            self.coverage.push(entry);
        }
    }

    /// The findings, gravest first.
    pub fn finish(mut self) -> (Vec<Finding>, Vec<Coverage>) {
        let rank = |severity: FindingSeverity| match severity {
            FindingSeverity::Error => 0,
            FindingSeverity::Warning => 1,
            FindingSeverity::Info => 2,
        };
        self.findings.sort_by_key(|finding| rank(finding.severity));
        (self.findings, self.coverage)
    }
}

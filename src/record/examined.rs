//! The record of an examination: an audit or a scan, which sends no probes and finds things.

use jiff::Timestamp;
use schemars::JsonSchema;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Finding, FindingSeverity, Record, RecordedScenario, RunId, RunState, SCHEMA_RECORD};
use crate::terms::{UnknownWord, Verdict, words};

words! {
    /// Whether something could be looked at.
    Sight {
        /// It was.
        Seen = "seen",
        /// It was tried and could not be: an answer that never came, a closed port, a file that may
        /// not be read.
        Unable = "could-not-look",
        /// It was left out: a limit, or nobody gave it.
        Left = "not-examined",
    }
}

/// Something that an examination looked at, or could not: what is not named as seen is not clean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The audited domain, host or file.
    pub subject: String,
    /// What of it, such as `MX at ns1.drill.example` or `policy at 192.0.2.7`.
    pub what: String,
    /// Whether it could be looked at.
    pub look: Sight,
    /// Why it could not, or how much was seen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
}

/// What an examination was, and what came out.
#[derive(Clone, Debug)]
pub struct Examination {
    /// Its id, from entropy.
    pub run: RunId,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// The arguments.
    pub command: Vec<String>,
    /// In a few words, such as `audit of drill.example`.
    pub name: String,
    /// Path and text of the inventory that it was held against, where one was given.
    pub inventory: Option<(String, String)>,
    /// What was found, gravest first within a subject.
    pub findings: Vec<Finding>,
    /// What was looked at, and what could not be.
    pub coverage: Vec<Coverage>,
}

impl Examination {
    /// What it proves: a finding of severity error is a failure; where nothing failed and something
    /// could not be looked at, nothing is proven.
    pub fn verdict(&self) -> Verdict {
        if self.findings.iter().any(|finding| finding.severity == FindingSeverity::Error) {
            return Verdict::Fail;
        }
        match self.coverage.iter().any(|coverage| coverage.look == Sight::Unable) {
            true => Verdict::Inconclusive,
            false => Verdict::Pass,
        }
    }

    /// The record of it.
    pub fn into_record(self) -> Record {
        let verdict = self.verdict();
        Record {
            schema: SCHEMA_RECORD.to_owned(),
            run: self.run,
            state: RunState::Finished,
            verdict,
            expected_verdict: None,
            run_verdict: verdict,
            seed: 0,
            started: self.started,
            finished: self.finished,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: self.command,
            scenario: RecordedScenario {
                name: self.name,
                path: String::new(),
                text: String::new(),
                inventory: self.inventory,
            },
            standing: vec![],
            controls: vec![],
            phases: vec![],
            findings: self.findings,
            coverage: self.coverage,
            cleanup: vec![],
        }
    }
}

impl Record {
    /// Whether it is of an audit or a scan, which send no probes: a run has at least one phase, and the
    /// text of a scenario.
    pub fn examined(&self) -> bool {
        self.phases.is_empty() && self.scenario.text.is_empty()
    }
}

impl Finding {
    /// A finding without evidence yet.
    pub fn new(id: &str, severity: FindingSeverity, subject: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            severity,
            subject: subject.into(),
            platform: None,
            title: title.into(),
            evidence: vec![],
            fix: None,
        }
    }

    /// The platform that the offending name belongs to.
    pub fn platform(mut self, platform: Option<impl Into<String>>) -> Self {
        self.platform = platform.map(Into::into);
        self
    }

    /// Something that shows it: an object whose keys say what it is. `text`, where it has one, is
    /// how reports tell it.
    pub fn shown_by(mut self, evidence: impl Serialize) -> Self {
        // It cannot fail: evidence is made of structs and texts.
        self.evidence.extend(serde_json::to_value(evidence));
        self
    }

    /// What mends it.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examination(findings: Vec<Finding>, coverage: Vec<Coverage>) -> Examination {
        Examination {
            run: RunId::from_entropy(1),
            started: Timestamp::UNIX_EPOCH,
            finished: Timestamp::UNIX_EPOCH,
            command: vec![],
            name: "audit of drill.example".to_owned(),
            inventory: None,
            findings,
            coverage,
        }
    }

    #[test]
    fn what_could_not_be_looked_at_is_never_clean() {
        let unable = || Coverage {
            subject: "drill.example".to_owned(),
            what: "MX".to_owned(),
            look: Sight::Unable,
            why: Some("SERVFAIL".to_owned()),
        };
        let finding = |severity| Finding::new("mx-points-to-legacy", severity, "drill.example", "it does");
        assert_eq!(examination(vec![], vec![]).verdict(), Verdict::Pass);
        assert_eq!(examination(vec![finding(FindingSeverity::Warning)], vec![]).verdict(), Verdict::Pass);
        assert_eq!(examination(vec![], vec![unable()]).verdict(), Verdict::Inconclusive);
        assert_eq!(examination(vec![finding(FindingSeverity::Error)], vec![unable()]).verdict(), Verdict::Fail);
    }
}

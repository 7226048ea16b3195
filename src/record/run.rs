//! The record of one scenario's run.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attempt, Coverage, Firing, Landed, Passed, Ran, RunId, Standing, Tag};
use crate::mail::Stage;
use crate::terms::{Outcome, UnknownWord, Verdict, words};

/// The `schema` of a record.
pub const SCHEMA_RECORD: &str = "mxdrill.record/1";
/// The `schema` of a JSON report.
pub const SCHEMA_REPORT: &str = "mxdrill.report/1";

/// A JSON report: the records of one command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA_REPORT`].
    pub schema: String,
    /// The worst of the records' run verdicts.
    pub verdict: Verdict,
    /// One a scenario; one for a whole audit or scan.
    pub records: Vec<Record>,
    /// The findings of all records, so that a reader need not go through them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub findings: Vec<Finding>,
}

impl Report {
    /// The report on these records.
    pub fn new(records: Vec<Record>) -> Self {
        let verdict = records.iter().map(|record| record.run_verdict).fold(Verdict::Pass, Verdict::worst);
        let findings = records.iter().flat_map(|record| record.findings.iter().cloned()).collect();
        Self { schema: SCHEMA_REPORT.to_owned(), verdict, records, findings }
    }
}

words! {
    /// Whether a run came to its end.
    RunState {
        /// It did.
        Finished = "finished",
        /// It was stopped; what it had seen is judged.
        Interrupted = "interrupted",
    }
}

/// What happened in one run of one scenario, and what it proves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// [`SCHEMA_RECORD`].
    pub schema: String,
    /// The run's id, from entropy.
    pub run: RunId,
    /// Whether it came to its end.
    pub state: RunState,
    /// What was proved: the worst of the phases.
    pub verdict: Verdict,
    /// The verdict that the scenario says must come out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expected_verdict: Option<Verdict>,
    /// Pass where `verdict` is as expected; else `verdict`, or fail where a pass was not expected.
    pub run_verdict: Verdict,
    /// Decides everything but the run id.
    pub seed: u64,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// When it ended, or the last thing it noted.
    #[schemars(with = "String")]
    pub finished: Timestamp,
    /// Of mxdrill.
    pub version: String,
    /// The arguments.
    pub command: Vec<String>,
    /// The scenario it ran.
    pub scenario: RecordedScenario,
    /// Where the hosts stood.
    pub standing: Vec<Standing>,
    /// Whether mail is seen where it could land.
    pub controls: Vec<Control>,
    /// What happened, phase by phase.
    pub phases: Vec<PhaseRecord>,
    /// What an audit or scan found; warnings of a run.
    pub findings: Vec<Finding>,
    /// What an audit or scan looked at, and what it could not. A run has none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub coverage: Vec<Coverage>,
}

/// The scenario, quoted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedScenario {
    /// Its title.
    pub name: String,
    /// Its path as given.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// The inventory file's path and text, where one was given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inventory: Option<(String, String)>,
}

words! {
    /// Why absence at a platform can be believed.
    Proof {
        /// A control probe sent straight there was seen.
        Seen = "seen",
        /// The host refused the control, and so cannot have taken the mail.
        Refused = "refused",
        /// Its log has lines newer than the phase.
        Alive = "alive",
        /// Nothing: absence there proves nothing.
        None = "none",
    }
}

/// Whether mail is seen at a host of a platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Control {
    /// The platform.
    pub platform: String,
    /// The host that the control probe was sent to, if any could be.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// The collector that saw it; empty where none did.
    pub collector: String,
    /// What it proves.
    pub proof: Proof,
    /// In a sentence.
    pub why: String,
}

/// What happened in one phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseRecord {
    /// Its name.
    pub name: String,
    /// The worst of its probes; at best inconclusive where a fault fired for no probe.
    pub verdict: Verdict,
    /// Why it is not what its probes say; empty where it is.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub why: Vec<String>,
    /// When it began; absent where the run did not come so far.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// The phase whose probes are judged here, where they are an earlier one's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub probes_of: Option<String>,
    /// What was in force.
    pub faults: Vec<RecordedFault>,
    /// Which way each sender's probes took, where there are several senders.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sources: Vec<Source>,
    /// What became of each probe.
    pub probes: Vec<ProbeRecord>,
}

/// A fault and how often it took effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedFault {
    /// The host.
    pub host: String,
    /// The stage.
    pub at: String,
    /// The action, in words.
    #[serde(rename = "do")]
    pub action: String,
    /// How often it took effect for a probe of the run.
    pub fired: u64,
    /// How many SYNs a rule of nftables has dropped for it, of whomever; absent where none stood.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub syns: Option<u64>,
    /// Where it is written.
    pub span: Mark,
}

/// A place in the scenario's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How many characters it covers.
    pub length: usize,
}

/// What became of one probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeRecord {
    /// Its tag.
    pub tag: Tag,
    /// The way in that it took.
    pub sender: String,
    /// Its Message-ID.
    pub message_id: String,
    /// Its recipient.
    pub recipient: String,
    /// What became of it; absent where it was not sent.
    pub outcome: Option<Outcome>,
    /// How many copies are at rest.
    pub copies: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub why: String,
    /// The expectation that decided it.
    pub span: Mark,
    /// What would mend it, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
    /// Until when `never` and `copies` were watched.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<String>")]
    pub watched_until: Option<Timestamp>,
    /// The faults that it met, in order.
    pub fired: Vec<Met>,
    /// The hosts that were tried, in order.
    pub attempts: Vec<Attempt>,
    /// Programs that were run to send it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub programs: Vec<Ran>,
    /// Where its copies are.
    pub landed: Vec<Landed>,
    /// Who handled them on the way.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub passed: Vec<Passed>,
    /// Hop by hop, as proven, first hop first.
    pub path: Vec<Hop>,
}

/// A sender of a phase, and which way its probes took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Its name.
    pub sender: String,
    /// Its kind, such as `mx` or `submission`.
    pub kind: String,
    /// The worst verdict of its probes.
    pub verdict: Verdict,
    /// The ways that they took.
    pub ways: Vec<Way>,
}

/// A way that probes took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Way {
    /// The hosts on it, first one first; empty where none is known.
    pub stops: Vec<Stop>,
    /// What became of the probes.
    pub outcome: Option<Outcome>,
    /// How many went this way.
    pub probes: usize,
}

/// A host on a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stop {
    /// Its name.
    pub host: String,
    /// Its platform.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub platform: Option<String>,
}

/// A fault that a probe met: a [`Firing`] and its time, without the tag that the probe has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Met {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Which fault, counted over the faults of all phases of the record, from 0.
    pub fault: usize,
    /// The proxy's number of the connection, from 1; 0 where the fault acts before one is accepted.
    pub connection: u64,
    /// The client's address and port.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub client: Option<String>,
    /// Where in the session.
    pub stage: Stage,
    /// The command that it met, without its line end; cut to 200 characters.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub command: String,
}

impl Met {
    /// The firing that the journal noted at this time.
    pub fn new(at: Timestamp, firing: &Firing) -> Self {
        let Firing { fault, tag: _, connection, client, stage, command } = firing.clone();
        Self { at, fault, connection, client, stage, command }
    }
}

words! {
    /// How well a hop is proven.
    Trust {
        /// mxdrill saw it itself: its own sender, proxy or lab.
        Seen = "seen",
        /// Written by a host of the inventory and tied to its log or to the next hop.
        Proven = "proven",
        /// Written in a header that nothing confirms.
        Claimed = "claimed",
    }
}

/// One hop of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    /// Who handed it over.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// Who took it.
    pub by: String,
    /// The protocol, such as `ESMTPS`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub with: Option<String>,
    /// The queue-id there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// When, as the hop says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<String>,
    /// The platform of the host that took it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub platform: Option<String>,
    /// How well it is proven.
    pub trust: Trust,
}

words! {
    /// How grave a finding is.
    FindingSeverity {
        /// It breaks mail, or sends it to the wrong platform.
        Error = "error",
        /// It may.
        Warning = "warning",
        /// Good to know.
        Info = "info",
    }
}

/// What an audit or a scan found, or a run noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// A stable id of kebab-case words.
    pub id: String,
    /// How grave.
    pub severity: FindingSeverity,
    /// The audited domain or scanned product.
    pub subject: String,
    /// The platform that the offending name belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub platform: Option<String>,
    /// In a line.
    pub title: String,
    /// What shows it: objects whose keys say what it is, such as `file` and `line`, or `text`.
    pub evidence: Vec<serde_json::Value>,
    /// What mends it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fix: Option<String>,
}

//! What did happen: tags, evidence, outcomes and verdicts, as one self-contained document.
//!
//! ```text
//!   proxy  lab  send  collect ──Event──> Journal ──> journal.jsonl   (as it happens, one line each)
//!                                           │
//!                                           └──> judge ──> Record ──> record.json ──> report
//! ```
//!
//! A record knows nothing of what should have happened beyond the scenario's text, which it
//! quotes. Its field names are a contract (`mxdrill.record/1`): extend them, never rename them.
//! It holds no secret, since none ever enters a scenario or an event.

mod attempt;
mod canonical;
mod event;
mod examined;
mod journal;
mod ran;
mod run;
mod tag;

pub use attempt::{
    Attempt, AttemptResult, Certificate, LoginSeen, PolicyOrigin, PolicySeen, PolicyVerdict, RecipientReply, Target,
    TlsEnd, TlsSeen,
};
pub use canonical::canonical;
pub use event::{
    BareLineEnds, Entry, Event, Firing, Handling, Landed, Looked, LookedState, Passed, Placement, RunStarted, Sent,
    SentState, Standing, StandingProxy, TlsEnded,
};
pub use examined::{Coverage, Examination, Sight};
pub use journal::{Journal, JournalError, read as read_journal};
pub use ran::{Ran, RanEnd, sysexit};
pub use run::{
    Control, Finding, FindingSeverity, Hop, Mark, Met, PhaseRecord, ProbeRecord, Proof, Record, RecordedFault,
    RecordedScenario, Report, RunState, SCHEMA_RECORD, SCHEMA_REPORT, Source, Stop, Trust, Way,
};
pub use tag::{RunId, TAG_HEADER, Tag, any_tag, find_tags};

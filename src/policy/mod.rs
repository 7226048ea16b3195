//! MTA-STS (RFC 8461) and TLSRPT (RFC 8460): what domains publish, and what senders make of it.
//!
//! ```text
//!   TXT at _mta-sts.DOMAIN ──> Record, Announced ─┐
//!   body of the policy     ──> Document ──────────┤ problems with their places
//!   TXT at _smtp._tls      ──> TlsrptRecord ──────┘
//!   senders::PROFILES      ──> the same texts as each project reads them
//!   fetch::Getter          ──> Fetched, every address of the policy host by itself
//!   apply                  ──> which policy a sender applies, and how it uses each host
//!   eye::matrix            ──> cache state x sender x primary: who delivers where, and until when
//!   overlap                ──> when old things can go, and what to lower before a cutover
//!   TlsrptReport           ──> what senders say of their side
//!   PolicyDoor             ──> a policy host for labs, right or wrong on purpose
//! ```
//!
//! The letter of the RFCs is ours; where a deployed sender differs, its profile says so as data,
//! and test vectors hold it. This room does not know why a domain publishes what it does, nor who
//! runs a drill.

mod advice;
pub mod apply;
mod document;
pub mod eye;
mod failure;
pub mod fetch;
mod host;
mod lint;
mod name;
pub mod overlap;
mod problem;
mod record;
pub mod senders;
mod specimen;
mod tags;
mod tlsrpt;
mod tlsrpt_report;
#[cfg(test)]
mod vectors;

pub use document::{Document, MAX_MAX_AGE, MAX_POLICY, Mode, Policy};
pub use failure::{FailureType, of_verdicts};
pub use host::{Page, PolicyDoor};
pub use lint::{Lint, LintProblem, Reaction};
pub use name::covers;
pub use problem::{Code, Grammar, MOST_PROBLEMS, Problem, Severity};
pub use record::{Announced, Record, TxtAnswer, WhyNothing, delegated_to};
pub use tlsrpt::TlsrptRecord;
pub use tlsrpt_report::{BadReport, DateRange, Failure, PolicyResult, ReportedPolicy, Summary, TlsrptReport};

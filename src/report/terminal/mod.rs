//! The report for people: verdicts in the margin, what they rest on beside them.
//!
//! ```text
//!         fail  Fallback mail must not reach the legacy platform          scenario
//!               scenarios/01-backup-mx-still-legacy.yaml, seed 7, …
//!
//!         fail  phase 2 of 2: primary down, 5 probes, 5.4s                phase
//!        fault  drop-syn at connect of mx1.new.example, fired 5 times
//!         fail  probes 4-8 (5) delivered: fallback mail reached `legacy`  probes
//!               …
//! ```

mod phase;
mod scenario;
mod summary;

use super::page::{Page, Tint};
use super::{Detail, Look};
use crate::record::{PhaseRecord, Record, Report};
use crate::source::Paint;
use crate::terms::Verdict;

/// Scenario by scenario, then all of them in a line each, then the total.
pub(super) fn render(report: &Report, look: Look) -> String {
    let mut page = Page::new(look.width, look.paint);
    let several = report.records.len() > 1;
    for (at, record) in report.records.iter().enumerate() {
        if look.detail != Detail::Brief && several {
            if at > 0 {
                page.gap();
            }
            page.rule();
        }
        scenario::write(&mut page, record, look.detail);
    }
    summary::write(&mut page, report, look.detail);
    page.finish()
}

/// What happened in one phase, in plain text.
pub(super) fn phase(record: &Record, phase: &PhaseRecord, width: usize) -> String {
    let mut page = Page::new(width, Paint::Plain);
    phase::write(&mut page, record, phase, Detail::Normal);
    page.finish()
}

/// The word of a verdict and its colour, as it stands in the margin.
fn margin(verdict: Verdict) -> (&'static str, Tint) {
    let tint = match verdict {
        Verdict::Pass => Tint::Pass,
        Verdict::Inconclusive => Tint::Inconclusive,
        Verdict::Fail => Tint::Fail,
    };
    (verdict.word(), tint)
}

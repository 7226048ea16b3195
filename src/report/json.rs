//! The `mxdrill.report/1` document.

use crate::record::Report;

/// The report as indented JSON. Fields come in the order of their types, so that equal reports
/// are equal texts.
pub(super) fn render(report: &Report) -> String {
    // It cannot fail: every map of a record has texts as keys, and memory takes every byte.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
    text.push('\n');
    text
}

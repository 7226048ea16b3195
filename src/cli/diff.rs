//! `mxdrill diff`: two records side by side.

use super::arguments::{Common, Diff, Format};
use super::{Exit, Screen, report};
use crate::diff::{self, Legacy};

pub(super) fn diff(screen: &Screen, common: &Common, wanted: &Diff) -> Exit {
    let (before, after) = match (report::saved(screen, &wanted.before), report::saved(screen, &wanted.after)) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(exit), _) | (_, Err(exit)) => return exit,
    };
    let difference = diff::compare(&before, &after, &wanted.platform);
    match common.format {
        Format::Text => screen.result(&diff::render(&difference)),
        // It cannot fail: a difference is made of texts and words.
        Format::Json => screen.result(&(serde_json::to_string_pretty(&difference).unwrap_or_default() + "\n")),
    }
    match difference.legacy {
        Legacy::Gone => Exit::Clean,
        Legacy::Still => Exit::Failed,
        Legacy::Unknown => Exit::Inconclusive,
    }
}

//! What was deleted of a run's probes once it was over.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::terms::{UnknownWord, words};

words! {
    /// What became of the run's probes in one place.
    CleanedState {
        /// They are gone; or there were none.
        Deleted = "deleted",
        /// They are marked as deleted, and there still: taking them away would take others too.
        Marked = "marked",
        /// They were left alone, since nothing is ever deleted there.
        Kept = "kept",
        /// They could not be deleted, or not all of them.
        Failed = "failed",
    }
}

/// One place, and what was deleted there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cleaned {
    /// The platform of the collector.
    pub platform: String,
    /// The collector.
    pub collector: String,
    /// What became of the probes.
    pub state: CleanedState,
    /// Which messages were deleted or marked: mailbox and UID, or file.
    pub messages: Vec<String>,
    /// In a sentence.
    pub why: String,
}

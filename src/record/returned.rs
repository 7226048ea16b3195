//! What came back: a host's own word on a probe, in a delivery status notification.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tag;
use crate::mail::{EnhancedStatus, dsn};
use crate::terms::{UnknownWord, words};

words! {
    /// What a host reports that it did (RFC 3464 2.3.3).
    ReportedAction {
        /// It gave up.
        Failed = "failed",
        /// It could not deliver yet, and goes on trying.
        Delayed = "delayed",
        /// It delivered.
        Delivered = "delivered",
        /// It handed it to a host that sends no notifications.
        Relayed = "relayed",
        /// It passed it on to several others.
        Expanded = "expanded",
    }
}

impl From<dsn::Action> for ReportedAction {
    fn from(action: dsn::Action) -> Self {
        match action {
            dsn::Action::Failed => ReportedAction::Failed,
            dsn::Action::Delayed => ReportedAction::Delayed,
            dsn::Action::Delivered => ReportedAction::Delivered,
            dsn::Action::Relayed => ReportedAction::Relayed,
            dsn::Action::Expanded => ReportedAction::Expanded,
        }
    }
}

/// A delivery status notification about a probe, for one recipient. It is no copy of the probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Returned {
    /// Which probe or control.
    pub tag: Tag,
    /// The platform of the collector in whose mailbox it lies; the probe itself was not there.
    pub platform: String,
    /// That collector.
    pub collector: String,
    /// When it came to rest, as the store says; else when it was seen.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Where exactly: mailbox and UID, or file.
    pub detail: String,
    /// What is reported.
    pub action: ReportedAction,
    /// The recipient that it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recipient: Option<String>,
    /// The same as the sender wrote it, where the notification says so.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub original_recipient: Option<String>,
    /// The enhanced status code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schemars(with = "Option<String>")]
    pub status: Option<EnhancedStatus>,
    /// The host that reports.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reporting_mta: Option<String>,
    /// The host that refused or took it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remote_mta: Option<String>,
    /// What that host said; empty where nothing was quoted.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub diagnostic: String,
}

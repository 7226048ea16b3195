//! What is said of a message. The names in JSON are a contract.

use serde::Serialize;

use crate::terms::UnknownWord;
use crate::terms::words;
use jiff::Timestamp;
use serde::Deserialize;
use std::fmt;
use std::str::FromStr;

/// Everything that the logs tell.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Trace {
    /// In the order in which they are seen first.
    pub messages: Vec<Message>,
    /// Messages of those wanted that were refused before they were taken.
    pub refusals: Vec<Refused>,
    /// How many of the messages have not left the queues that they were seen in.
    pub open: usize,
    /// How many lines nobody knew.
    pub odd_lines: u64,
}

/// One message, at all hosts that wrote of it.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// The Message-ID with its angle brackets, where a log tells it.
    pub message_id: Option<String>,
    /// The mark of a probe.
    pub tag: Option<String>,
    /// The reverse-path; empty for a notification.
    pub sender: Option<String>,
    /// Who handed it over, at the first host.
    pub client: Option<String>,
    /// Each try of each host, in the order of the log, hop by hop.
    pub deliveries: Vec<Hop>,
    /// What became of it.
    pub outcome: Outcome,
}

/// One try to deliver to one recipient.
#[derive(Clone, Debug, Serialize)]
pub struct Hop {
    /// The message's queue-id at the host that tried.
    pub queue_id: String,
    /// The host that tried, as its log names it.
    pub by: Option<String>,
    /// The recipient.
    pub recipient: String,
    /// The recipient before aliases, where it differs.
    pub original_recipient: Option<String>,
    /// The next hop's name.
    pub host: Option<String>,
    /// The next hop's address.
    pub address: Option<std::net::IpAddr>,
    /// The next hop's port.
    pub port: Option<u16>,
    /// The platform of the next hop, or of the host itself where the message stayed there.
    pub platform: Option<String>,
    /// How the try ended.
    pub status: Status,
    /// The enhanced status code.
    pub code: Option<crate::mail::EnhancedStatus>,
    /// The next hop's reply, or the MTA's own words.
    pub reply: String,
    /// The queue-id that the next hop gave it.
    pub next_queue_id: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// The file that tells it.
    pub file: String,
    /// The line in the file, from 1.
    pub line: u64,
}

/// A message, or one of its recipients, that was not taken.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// The host, as its log names it.
    pub by: Option<String>,
    /// The platform of that host.
    pub platform: Option<String>,
    /// The reverse-path, where the line tells it.
    pub sender: String,
    /// The recipient; empty where the whole message was refused.
    pub recipient: String,
    /// The enhanced status code.
    pub code: Option<crate::mail::EnhancedStatus>,
    /// The reply.
    pub reply: String,
    /// When.
    pub at: Option<Timestamp>,
    /// The file that tells it.
    pub file: String,
    /// The line in the file, from 1.
    pub line: u64,
}

words! {
    /// How a try ended.
    Status {
        /// The next hop took it.
        Sent = "sent",
        /// It is to be tried again.
        Deferred = "deferred",
        /// Refused for good; its sender is told.
        Bounced = "bounced",
        /// Given up after its time in the queue.
        Expired = "expired",
        /// In a mailbox, file or program of the host.
        Local = "local",
        /// Removed without being passed on.
        Discarded = "discarded",
    }
}

words! {
    /// What became of a message: the last status of each recipient, where they agree.
    Outcome {
        /// No try was seen.
        Open = "open",
        /// The last next hop took it, and no log tells more.
        Sent = "sent",
        /// It waits in a queue.
        Deferred = "deferred",
        /// Returned to its sender.
        Bounced = "bounced",
        /// Given up after its time in the queue.
        Expired = "expired",
        /// In a mailbox.
        Local = "local",
        /// Removed without being passed on.
        Discarded = "discarded",
        /// Its recipients fared differently.
        Mixed = "mixed",
    }
}

impl From<Status> for Outcome {
    fn from(status: Status) -> Self {
        match status {
            Status::Sent => Outcome::Sent,
            Status::Deferred => Outcome::Deferred,
            Status::Bounced => Outcome::Bounced,
            Status::Expired => Outcome::Expired,
            Status::Local => Outcome::Local,
            Status::Discarded => Outcome::Discarded,
        }
    }
}

//! What a census says. The names in JSON are a contract.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::terms::{UnknownWord, words};

/// Everybody who handed mail to the platform.
#[derive(Clone, Debug, Serialize)]
pub struct Census {
    /// The platform.
    pub platform: String,
    /// When the MX records were changed, where that was said.
    pub changed: Option<Timestamp>,
    /// Until when senders with cached DNS are explained.
    pub cached_until: Option<Timestamp>,
    /// The first stamp of the logs that is of a message.
    pub first_seen: Option<Timestamp>,
    /// The last one.
    pub last_seen: Option<Timestamp>,
    /// How many messages the platform took, without notifications of its own.
    pub messages: u64,
    /// How many tries to hand one over it refused.
    pub refused: u64,
    /// A row for each client, user, recipient domain and class, the most mail first.
    pub senders: Vec<Row>,
    /// How many lines nobody knew.
    pub odd_lines: u64,
}

/// One client that hands over mail for one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// How the mail came to be here.
    pub class: Class,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The name of that address in DNS, as the log has it.
    pub ptr: Option<String>,
    /// The name that the client gave itself.
    pub helo: Option<String>,
    /// The platform that the client belongs to.
    pub client_platform: Option<String>,
    /// The user that it logged in as, or that ran a program on the host.
    pub user: Option<String>,
    /// The domain of the recipients.
    pub recipient_domain: String,
    /// How many recipients in this domain.
    pub recipients: u64,
    /// In how many messages.
    pub messages: u64,
    /// The first of them.
    pub first_seen: Option<Timestamp>,
    /// The last of them.
    pub last_seen: Option<Timestamp>,
    /// An example: file and line.
    pub example: String,
}

words! {
    /// How mail came to a platform that should get none.
    Class {
        /// Another server, after the time in which it may have known the old records: the platform
        /// is still an MX, or the sender names it itself.
        BackupMx = "backup-mx",
        /// Another server, in the time in which it may have known the old records.
        CachedDns = "cached-dns",
        /// A user or an application that logged in.
        Submission = "submission",
        /// A host without a login whose mail goes elsewhere from here: it uses the platform as its
        /// relay.
        Relay = "relay",
        /// The platform's own users and programs, who never look at MX.
        Local = "local",
    }
}

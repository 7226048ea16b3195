//! The places in an SMTP session where something can happen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A place in an SMTP session, in the order in which a session passes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The TCP connection, before any byte.
    Connect,
    /// The server's greeting.
    Banner,
    /// EHLO or HELO.
    Ehlo,
    /// STARTTLS and the handshake after it.
    Starttls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, up to its 354; or a BDAT command.
    Data,
    /// The bytes of the message.
    Body,
    /// The reply to the final dot, or to `BDAT … LAST`.
    Eom,
    /// QUIT.
    Quit,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Stage; 11] = [
        Stage::Connect,
        Stage::Banner,
        Stage::Ehlo,
        Stage::Starttls,
        Stage::Auth,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Body,
        Stage::Eom,
        Stage::Quit,
    ];

    /// The word used in scenarios and records.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Connect => "connect",
            Stage::Banner => "banner",
            Stage::Ehlo => "ehlo",
            Stage::Starttls => "starttls",
            Stage::Auth => "auth",
            Stage::Mail => "mail",
            Stage::Rcpt => "rcpt",
            Stage::Data => "data",
            Stage::Body => "body",
            Stage::Eom => "eom",
            Stage::Quit => "quit",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The word is no stage.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a stage of an SMTP session")]
pub struct NoSuchStage(pub String);

impl FromStr for Stage {
    type Err = NoSuchStage;

    fn from_str(word: &str) -> Result<Self, NoSuchStage> {
        Stage::ALL.into_iter().find(|stage| stage.word() == word).ok_or_else(|| NoSuchStage(word.to_owned()))
    }
}

//! What the messages of probes look like.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::inventory::Secret;
use crate::source::Spanned;
use crate::terms::{UnknownWord, words};

words! {
    /// The form of a message.
    #[derive(Default)]
    Form {
        /// Text in ASCII.
        #[default]
        Plain = "plain",
        /// A text and an attachment (multipart/mixed); the attachment has the size that is asked for.
        Attachment = "attachment",
        /// Text with 8-bit characters, sent as `8BITMIME` (RFC 6152).
        EightBit = "8bit",
        /// UTF-8 in the headers too, sent as `SMTPUTF8` (RFC 6531).
        Utf8 = "utf8",
    }
}

/// How the message of a probe is made.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// Its form, where no template gives one.
    pub form: Form,
    /// A message (.eml) of the user's own, in which the tag is put.
    pub template: Option<PathBuf>,
    /// How it is signed.
    pub dkim: Option<Dkim>,
    /// Which delivery status notifications are asked for (RFC 3461).
    pub dsn: Option<Dsn>,
    /// More recipients of the same transaction; the placeholder `{tag}` may stand in them.
    pub also: Vec<Spanned<String>>,
}

/// A DKIM key (RFC 6376).
#[derive(Clone, Debug)]
pub struct Dkim {
    /// Whose.
    pub domain: String,
    /// Under which selector its public half is in DNS.
    pub selector: String,
    /// The private key: PKCS#1 PEM for RSA; base64 of the 32 bytes for Ed25519.
    pub key: Secret,
    /// Its kind.
    pub algorithm: DkimAlgorithm,
}

words! {
    /// The kind of a DKIM key.
    DkimAlgorithm {
        /// RFC 6376.
        Rsa = "rsa",
        /// RFC 8463.
        Ed25519 = "ed25519",
    }
}

/// Delivery status notifications (RFC 3461).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dsn {
    /// When one is asked for (NOTIFY); empty: the server's own rule.
    pub notify: Vec<Notify>,
    /// What it is to bring back (RET).
    pub ret: Option<DsnReturn>,
}

words! {
    /// When a notification is sent (RFC 3461 4.1).
    Notify {
        /// Never; stands alone.
        Never = "never",
        /// When it was delivered.
        Success = "success",
        /// When it could not be.
        Failure = "failure",
        /// When it takes long.
        Delay = "delay",
    }
}

words! {
    /// What a notification brings back (RFC 3461 4.3).
    DsnReturn {
        /// The whole message.
        Full = "full",
        /// Its headers.
        Headers = "headers",
    }
}

impl DsnReturn {
    /// As it stands behind `RET=`.
    pub fn keyword(self) -> &'static str {
        match self {
            DsnReturn::Full => "FULL",
            DsnReturn::Headers => "HDRS",
        }
    }
}

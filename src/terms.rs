//! The words that a scenario and a record share, so that neither needs to know the other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Makes an enum of words with `ALL`, `word`, `Display` and `FromStr`.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// As it is written.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|it| it.word() == word).ok_or(UnknownWord)
            }
        }
    };
}
pub(crate) use words;

/// The text is none of the known words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an unknown word")]
pub struct UnknownWord;

words! {
    /// What a scenario, phase or probe proved, from best to worst.
    Verdict {
        /// What was expected was seen.
        Pass = "pass",
        /// It could not be decided.
        Inconclusive = "inconclusive",
        /// What was expected did not happen, or what must not happen did.
        Fail = "fail",
    }
}

impl Verdict {
    /// The worse of the two: fail, then inconclusive, then pass.
    #[must_use]
    pub fn worst(self, other: Verdict) -> Verdict {
        self.max(other)
    }
}

words! {
    /// What became of a probe.
    Outcome {
        /// At rest in a mailbox or store.
        Delivered = "delivered",
        /// At rest in a junk folder or quarantine.
        Filtered = "filtered",
        /// Taken by a relay that nobody watches any further.
        Relayed = "relayed",
        /// Waiting in a queue, the sender's or a spool's.
        Deferred = "deferred",
        /// Returned to its sender.
        Bounced = "bounced",
        /// Refused before it was taken, with no other host to try.
        Refused = "refused",
        /// Given up by its sender at the deadline.
        Expired = "expired",
        /// Taken by a host and seen nowhere though every collector could look.
        Lost = "lost",
        /// At rest more often than it was sent.
        Duplicated = "duplicated",
    }
}

words! {
    /// What an expectation demands of the connection that carried the probe.
    TlsDemand {
        /// Nothing.
        Any = "any",
        /// Encryption, with any certificate.
        Encrypted = "encrypted",
        /// Encryption, with a certificate that verifies for the host's name.
        Verified = "verified",
    }
}

words! {
    /// How a client proves to a server who it is (SASL, RFC 4954).
    AuthMechanism {
        /// RFC 4616: name and password as they are.
        Plain = "plain",
        /// The same in two steps; never standardised, and everywhere.
        Login = "login",
        /// RFC 2195: a digest of the password and the server's challenge.
        CramMd5 = "cram-md5",
        /// An access token of OAuth 2.0, as Google and Microsoft take it.
        Xoauth2 = "xoauth2",
    }
}

impl AuthMechanism {
    /// As it stands behind AUTH.
    pub fn keyword(self) -> String {
        self.word().to_ascii_uppercase()
    }
}

words! {
    /// What an MTA-STS policy demands of senders (RFC 8461 5).
    StsMode {
        /// Deliver to no host that the policy does not cover, nor without verified TLS.
        Enforce = "enforce",
        /// Deliver as usual, and report what `enforce` would have refused.
        Testing = "testing",
        /// As if there were no policy.
        None = "none",
    }
}

words! {
    /// An address family.
    Family {
        /// IPv4.
        V4 = "v4",
        /// IPv6.
        V6 = "v6",
    }
}

words! {
    /// What becomes of a CR or LF that stands alone.
    Smuggling {
        /// It passes as it is: what the servers make of it is for the drill to show.
        Pass = "pass",
        /// It is answered 521, and nothing of it becomes a message at the host.
        Refuse = "refuse",
    }
}

words! {
    /// Where in an SMTP session a CR or LF stood alone.
    BarePlace {
        /// In a command.
        Command = "command",
        /// In the bytes of a message.
        Body = "body",
    }
}

impl Family {
    /// The family of an address.
    pub fn of(address: std::net::IpAddr) -> Self {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

//! What a fault does.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::mail::{Reply, Stage};
use crate::terms::{UnknownWord, words};

/// What a fault does when it fires; byte by byte in `docs/faults.md`.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The client's SYN is answered with RST.
    Refuse,
    /// The client's SYN is not answered.
    DropSyn(Dropping),
    /// Never write again, keep reading; close after a time where one is given.
    Silent(Option<Duration>),
    /// FIN.
    Close,
    /// RST.
    Reset,
    /// Answer the stage's command without asking the upstream.
    Reply(Reply),
    /// Hold the stage's reply for a time; nothing is read meanwhile.
    Delay(Duration),
    /// FIN after this many bytes of the body.
    CloseAfter(u64),
    /// RST after this many bytes of the body.
    ResetAfter(u64),
    /// The command goes upstream, its reply is swallowed, the connection closes.
    LoseReply,
    /// The stage's reply leaves at this rate.
    Tarpit(Rate),
    /// The bytes of the body are read at this rate.
    Throttle {
        /// From 1.
        rate: Rate,
        /// Nothing is read for so long behind the 354.
        stall: Option<Duration>,
    },
    /// Answer the body before it has ended, then close.
    PrematureReply(Reply),
    /// Take this keyword out of the EHLO answer.
    Hide(String),
    /// The stage's reply is turned into what is no SMTP.
    Corrupt(Corruption),
    /// TLS behind STARTTLS goes wrong.
    Tls(TlsFault),
}

words! {
    /// Who drops a SYN.
    Dropping {
        /// The kernel, since the listener's queue is full: no privilege is needed.
        Queue = "queue",
        /// A rule of nftables: whoever may make one.
        Nft = "nft",
    }
}

words! {
    /// How TLS goes wrong. For those of a certificate the proxy ends TLS, and the session goes on
    /// with clients that take it.
    TlsFault {
        /// STARTTLS is answered 454 (RFC 3207 4), and the session goes on in clear.
        Unavailable = "unavailable",
        /// Something that is no TLS answers the client's first message, then FIN.
        Garbage = "garbage",
        /// Nothing answers it.
        Silent = "silent",
        /// FIN answers it.
        Close = "close",
        /// The certificate is no longer valid.
        Expired = "expired",
        /// The certificate is not valid yet.
        NotYetValid = "not-yet-valid",
        /// The certificate is signed with its own key.
        SelfSigned = "self-signed",
        /// The certificate is signed by an authority that nobody knows.
        UnknownCa = "unknown-ca",
        /// The certificate speaks for another name.
        WrongName = "wrong-name",
        /// The fatal alert `protocol_version` answers it, as a server does that knows nothing newer
        /// than TLS 1.1.
        OldVersion = "tls-1.1-only",
    }
}

words! {
    /// How a reply is spoilt.
    Corruption {
        /// Its lines end with LF alone.
        BareLf = "bare-lf",
        /// Its lines have no code.
        NoCode = "no-code",
        /// Its first line has 2000 bytes (RFC 5321 4.5.3.1.5 allows 512).
        LongLine = "long-line",
        /// Its first line has a code of another class than the rest.
        MixedCodes = "mixed-codes",
    }
}

/// A number of bytes in one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes/s", self.0)
    }
}

impl Action {
    /// The word in scenarios.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Refuse => "refuse",
            Action::DropSyn(_) => "drop-syn",
            Action::Silent(_) => "silent",
            Action::Close => "close",
            Action::Reset => "reset",
            Action::Reply(_) => "reply",
            Action::Delay(_) => "delay",
            Action::CloseAfter(_) => "close-after",
            Action::ResetAfter(_) => "reset-after",
            Action::LoseReply => "lose-reply",
            Action::Tarpit(_) => "tarpit",
            Action::Throttle { .. } => "throttle",
            Action::PrematureReply(_) => "premature-reply",
            Action::Hide(_) => "hide",
            Action::Corrupt(_) => "corrupt",
            Action::Tls(_) => "tls",
        }
    }

    /// The stages at which it can be.
    pub fn stages(&self) -> &'static [Stage] {
        use Stage::{Auth, Banner, Body, Connect, Data, Ehlo, Eom, Mail, Quit, Rcpt, Starttls};
        match self {
            // Before anything is accepted.
            Action::Refuse | Action::DropSyn(_) => &[Connect],
            Action::Silent(_) | Action::Close | Action::Reset => {
                &[Connect, Banner, Ehlo, Starttls, Auth, Mail, Rcpt, Data, Body, Eom, Quit]
            }
            // There is no reply to a connection but the banner. At a body it is the same as at its end:
            // all of it is read first.
            Action::Reply(_) => &[Banner, Ehlo, Starttls, Auth, Mail, Rcpt, Data, Body, Eom, Quit],
            Action::Delay(_) | Action::LoseReply | Action::Tarpit(_) | Action::Corrupt(_) => {
                &[Banner, Ehlo, Starttls, Auth, Mail, Rcpt, Data, Eom, Quit]
            }
            Action::CloseAfter(_) | Action::ResetAfter(_) | Action::Throttle { .. } | Action::PrematureReply(_) => {
                &[Body]
            }
            Action::Hide(_) => &[Ehlo],
            Action::Tls(_) => &[Starttls],
        }
    }

    /// Whether it acts before a connection is accepted, so that no client is known.
    pub fn before_accept(&self) -> bool {
        matches!(self, Action::Refuse | Action::DropSyn(_))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::DropSyn(Dropping::Nft) => f.write_str("drop-syn by nft"),
            Action::Silent(Some(time)) => write!(f, "silent for {time:?}"),
            Action::Reply(reply) => write!(f, "reply {:?}", reply.to_string()),
            Action::Delay(time) => write!(f, "delay {time:?}"),
            Action::CloseAfter(bytes) => write!(f, "close-after {bytes} bytes"),
            Action::ResetAfter(bytes) => write!(f, "reset-after {bytes} bytes"),
            Action::Tarpit(rate) => write!(f, "tarpit {rate}"),
            Action::Throttle { rate, stall: None } => write!(f, "throttle {rate}"),
            Action::Throttle { rate, stall: Some(stall) } => write!(f, "throttle {rate} after a stall of {stall:?}"),
            Action::PrematureReply(reply) => write!(f, "premature-reply {:?}", reply.to_string()),
            Action::Hide(keyword) => write!(f, "hide {keyword}"),
            Action::Corrupt(how) => write!(f, "corrupt {how}"),
            Action::Tls(how) => write!(f, "tls {how}"),
            plain => f.write_str(plain.word()),
        }
    }
}

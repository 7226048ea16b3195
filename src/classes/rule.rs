//! A rule: what a class does after one kind of failure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::mail::{Reply, Severity, Stage};
use crate::terms::{UnknownWord, words};

words! {
    /// How a host can fail a sender.
    Failure {
        /// There is no such name (NXDOMAIN).
        NoSuchName = "no-such-name",
        /// The name has no address.
        NoAddress = "no-address",
        /// DNS failed, such as with SERVFAIL.
        DnsFailed = "dns-failed",
        /// RST to the SYN.
        Refused = "refused",
        /// The network says that the address cannot be reached (ICMP).
        Unreachable = "unreachable",
        /// Nothing came.
        Timeout = "timeout",
        /// Byte after byte came, each in time, and never a whole reply.
        Trickle = "trickle",
        /// FIN where a reply was due.
        Closed = "closed",
        /// RST where a reply was due.
        Reset = "reset",
        /// 4yz, but not 421.
        Transient = "transient",
        /// 421: the host closes the connection (RFC 5321 3.8).
        Closing = "421",
        /// 5yz.
        Permanent = "permanent",
        /// What is no SMTP.
        Garbage = "garbage",
        /// A TLS handshake that fails.
        Handshake = "handshake-failed",
        /// A TLS handshake that nobody answers.
        HandshakeTimeout = "handshake-timeout",
    }
}

impl Failure {
    /// What a reply is that does not let the session go on.
    pub fn of(reply: &Reply) -> Self {
        match reply.severity() {
            Severity::Transient if reply.code == 421 => Failure::Closing,
            Severity::Transient => Failure::Transient,
            Severity::Permanent => Failure::Permanent,
            // 2yz or 3yz where another was due, such as 250 to DATA.
            Severity::Positive | Severity::Intermediate => Failure::Garbage,
        }
    }
}

words! {
    /// What a sender does after a failure.
    Step {
        /// Try the next address, then the next host, in the same attempt.
        Next = "next",
        /// Keep the message and come back later, to the best host again; no other host is tried.
        Defer = "defer",
        /// Return the message; no other host is tried.
        Bounce = "bounce",
        /// The same host again, on a new connection without TLS.
        InClear = "in-clear",
        /// Go on in the same session.
        GoOn = "go-on",
        /// Wait for what does not come.
        Hang = "hang",
        /// Deliver it once more to the same host, which has it already.
        Again = "again",
    }
}

words! {
    /// How a statement about a class is known, best first.
    Basis {
        /// A real server was watched in just this case.
        Measured = "measured",
        /// Its documentation, configuration or source code says so, or the RFC does.
        Source = "source",
        /// It follows from cases like it, or from what most senders do.
        Derived = "derived",
    }
}

/// What a class does after some failures at some stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stages.
    pub at: &'static [Stage],
    /// The failures.
    pub on: &'static [Failure],
    /// What it does.
    pub then: Step,
    /// How that is known; a single cell may be known better, see [`measured`](super::measured).
    pub basis: Basis,
    /// The rule in a sentence, without a full stop.
    pub fact: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// For a failure that a class has no rule for, which a test does not let be.
pub(super) const NO_RULE: Rule = Rule {
    at: &[],
    on: &[],
    then: Step::Next,
    basis: Basis::Derived,
    fact: "nothing is known of this class here",
    source: "RFC 5321 5.1: the next host is tried",
};

/// Stages and failures that rules name together.
pub(super) mod sets {
    use super::{Failure, Stage};

    pub(in super::super) const CONNECT: &[Stage] = &[Stage::Connect];
    pub(in super::super) const BANNER: &[Stage] = &[Stage::Banner];
    pub(in super::super) const EHLO: &[Stage] = &[Stage::Ehlo];
    pub(in super::super) const STARTTLS: &[Stage] = &[Stage::Starttls];
    pub(in super::super) const QUIT: &[Stage] = &[Stage::Quit];
    /// Up to EHLO.
    pub(in super::super) const OPENING: &[Stage] = &[Stage::Connect, Stage::Banner, Stage::Ehlo];
    /// Up to STARTTLS and AUTH.
    pub(in super::super) const BEFORE_MAIL: &[Stage] =
        &[Stage::Connect, Stage::Banner, Stage::Ehlo, Stage::Starttls, Stage::Auth];
    /// From MAIL to the end of the message.
    pub(in super::super) const TRANSACTION: &[Stage] =
        &[Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body, Stage::Eom];
    /// Before QUIT.
    pub(in super::super) const SESSION: &[Stage] = &[
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
    ];

    pub(in super::super) const ANY: &[Failure] = Failure::ALL;
    pub(in super::super) const PERMANENT: &[Failure] = &[Failure::Permanent];
    /// 4yz, 421 among them.
    pub(in super::super) const TRANSIENT: &[Failure] = &[Failure::Transient, Failure::Closing];
    /// A refusal after which the session may go on.
    pub(in super::super) const DECLINED: &[Failure] = &[Failure::Transient, Failure::Permanent];
    pub(in super::super) const HANDSHAKES: &[Failure] = &[Failure::Handshake, Failure::HandshakeTimeout];
    /// The connection ended where a reply was due.
    pub(in super::super) const LOST: &[Failure] = &[Failure::Closed, Failure::Reset];
    /// The name of the host leads nowhere.
    pub(in super::super) const NAMES: &[Failure] = &[Failure::NoSuchName, Failure::NoAddress, Failure::DnsFailed];
}

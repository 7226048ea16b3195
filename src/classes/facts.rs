//! What is known of a class besides its rules.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Failure, Rule};
use crate::mail::Stage;
use crate::terms::{UnknownWord, words};

/// A class: its rules and its other facts.
#[derive(Debug)]
pub struct Class {
    /// Its name as its makers write it.
    pub name: &'static str,
    /// Read from the first one on.
    pub rules: &'static [Rule],
    /// What it does where EHLO is refused.
    pub helo: Helo,
    /// Whether it uses STARTTLS where it is offered.
    pub starttls: Starttls,
    /// How long it waits at each step.
    pub timers: Timers,
    /// What cuts its way along the hosts short.
    pub limits: Limits,
    /// Waiting times before the attempts that follow, in seconds; the last one repeats. Empty: the
    /// scenario's `timeouts.retry`.
    pub retry: &'static [u32],
    /// What it remembers of hosts from one message to the next.
    pub memory: Memory,
}

words! {
    /// What a sender does where EHLO is refused.
    Helo {
        /// HELO after 5yz only (RFC 5321 3.2).
        AfterPermanent = "after-permanent",
        /// HELO after any refusal but 421.
        AfterRefusal = "after-refusal",
        /// It gives up.
        Never = "never",
    }
}

impl Helo {
    /// Whether HELO follows this answer to EHLO.
    pub fn follows(self, failure: Failure) -> Option<&'static str> {
        let says_it = match self {
            Helo::AfterPermanent => failure == Failure::Permanent,
            Helo::AfterRefusal => matches!(failure, Failure::Permanent | Failure::Transient),
            Helo::Never => false,
        };
        says_it.then_some("HELO")
    }
}

words! {
    /// Whether a sender uses STARTTLS where it is offered and no policy asks for it.
    Starttls {
        /// It does, and takes any certificate.
        Opportunistic = "opportunistic",
        /// As it comes it does not.
        Never = "never",
    }
}

words! {
    /// What a timer limits.
    Patience {
        /// Each read of the connection: a server that sends a byte now and then is waited for.
        EachRead = "each-read",
        /// The whole reply.
        WholeReply = "whole-reply",
    }
}

/// How long a step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// So many seconds.
    Seconds(u32),
    /// It gives up, and nobody knows when.
    Unknown,
}

impl Timer {
    /// The time, where it is known.
    pub fn time(self) -> Option<Duration> {
        match self {
            Timer::Seconds(seconds) => Some(Duration::from_secs(u64::from(seconds))),
            Timer::Unknown => None,
        }
    }
}

/// Default timers of each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// TCP handshake.
    pub connect: Timer,
    /// Greeting.
    pub banner: Timer,
    /// EHLO and HELO.
    pub ehlo: Timer,
    /// STARTTLS and the handshake.
    pub starttls: Timer,
    /// MAIL.
    pub mail: Timer,
    /// RCPT.
    pub rcpt: Timer,
    /// DATA, up to the 354.
    pub data: Timer,
    /// Sending one block of the body.
    pub body: Timer,
    /// The reply to the final dot.
    pub eom: Timer,
    /// What they limit.
    pub patience: Patience,
    /// Where they come from.
    pub source: &'static str,
}

impl Timers {
    /// The timer of a stage.
    pub fn of(&self, stage: Stage) -> Timer {
        match stage {
            Stage::Connect => self.connect,
            Stage::Banner => self.banner,
            Stage::Ehlo => self.ehlo,
            Stage::Starttls | Stage::Auth => self.starttls,
            Stage::Mail => self.mail,
            Stage::Rcpt => self.rcpt,
            Stage::Data => self.data,
            Stage::Body => self.body,
            // Nothing depends on the answer to QUIT.
            Stage::Eom | Stage::Quit => self.eom,
        }
    }
}

/// What cuts a sender's way along the hosts short, within one attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most hosts.
    pub hosts: Option<u32>,
    /// The most addresses, over all hosts.
    pub addresses: Option<u32>,
    /// The most sessions that came past EHLO.
    pub sessions: Option<u32>,
    /// Where they come from; empty where there is none.
    pub source: &'static str,
}

/// What a sender remembers of hosts. Where a message meets it, no fault is tested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// A host that failed so is left alone: the stages, the failures, and for how many seconds.
    pub avoids: &'static [(&'static [Stage], &'static [Failure], u32)],
    /// For so many seconds the connection that took a message is used for the next one. It is a
    /// preference for that host here: mxdrill opens a connection for each probe.
    pub reuses: Option<u32>,
    /// For so many seconds a host with which TLS failed is given mail in clear.
    pub in_clear: Option<u32>,
    /// In a sentence, with where it comes from; empty where nothing is remembered.
    pub fact: &'static str,
}

impl Memory {
    /// Whether there is any.
    pub fn is_any(&self) -> Option<&'static str> {
        (!self.fact.is_empty()).then_some(self.fact)
    }
}

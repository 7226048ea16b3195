//! The DragonFly Mail Agent 0.13 as Debian has it.

use super::rule::sets::*;
use super::{Basis, Class, Failure, Helo, Limits, Memory, Patience, Rule, Starttls, Step, Timer, Timers};

const MATRIX: &str = "the pattern of what was measured with dma 0.13";

pub(super) const CLASS: Class = Class {
    name: "dma",
    rules: &[
        Rule {
            at: QUIT,
            on: &[Failure::Closed],
            then: Step::Again,
            basis: Basis::Derived,
            fact: "it takes a connection that closes behind the 250 for a failure, and delivers the message once more",
            source: MATRIX,
        },
        Rule {
            at: QUIT,
            on: ANY,
            then: Step::GoOn,
            basis: Basis::Derived,
            fact: "it has its 250, what becomes of QUIT changes nothing",
            source: "as other senders do",
        },
        Rule {
            at: CONNECT,
            on: &[Failure::NoAddress],
            then: Step::Bounce,
            basis: Basis::Derived,
            fact: "a host without an address returns the message",
            source: MATRIX,
        },
        Rule {
            at: EHLO,
            on: &[Failure::Transient, Failure::Closing, Failure::Permanent],
            then: Step::Bounce,
            basis: Basis::Derived,
            fact: "any refusal of EHLO returns the message, a transient one, too; HELO is not tried",
            source: MATRIX,
        },
        Rule {
            at: SESSION,
            on: PERMANENT,
            then: Step::Bounce,
            basis: Basis::Derived,
            fact: "5yz is final at any stage, the greeting among them",
            source: MATRIX,
        },
        Rule {
            at: CONNECT,
            on: &[Failure::Refused, Failure::Unreachable, Failure::Timeout, Failure::NoSuchName, Failure::DnsFailed],
            then: Step::Next,
            basis: Basis::Derived,
            fact: "a host that cannot be connected to moves it to the next one, after a silence once the kernel has \
                   given up",
            source: MATRIX,
        },
        Rule {
            at: SESSION,
            on: &[Failure::Closed, Failure::Timeout, Failure::Trickle, Failure::HandshakeTimeout],
            then: Step::Hang,
            basis: Basis::Derived,
            fact: "it does not notice that a connection closes or falls silent: it hangs, without a line in its log",
            source: MATRIX,
        },
        Rule {
            at: SESSION,
            on: ANY,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "a 4yz reply or a reset of the connection moves it to the next host",
            source: MATRIX,
        },
    ],
    helo: Helo::Never,
    starttls: Starttls::Never,
    timers: Timers {
        connect: Timer::Seconds(134),
        banner: Timer::Unknown,
        ehlo: Timer::Unknown,
        starttls: Timer::Unknown,
        mail: Timer::Unknown,
        rcpt: Timer::Unknown,
        data: Timer::Unknown,
        body: Timer::Unknown,
        eom: Timer::Unknown,
        patience: Patience::EachRead,
        source: "the connect timer is the kernel's; of others none was seen within 15 minutes",
    },
    limits: Limits { hosts: None, addresses: None, sessions: None, source: "" },
    retry: &[600],
    memory: Memory { avoids: &[], reuses: None, in_clear: None, fact: "" },
};

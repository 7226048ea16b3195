//! Courier 1.0 as Debian has it.

use super::rule::sets::*;
use super::{Basis, Class, Helo, Limits, Memory, Patience, Rule, Starttls, Step, Timer, Timers};
use crate::mail::Stage;

const MATRIX: &str = "the pattern of what was measured with Courier 1.0.16";

pub(super) const CLASS: Class = Class {
    name: "Courier",
    rules: &[
        Rule {
            at: QUIT,
            on: ANY,
            then: Step::GoOn,
            basis: Basis::Derived,
            fact: "it has its 250, what becomes of QUIT changes nothing",
            source: MATRIX,
        },
        Rule {
            at: STARTTLS,
            on: ANY,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "where STARTTLS is offered and fails it goes on to the next host, and gives the first one its next \
                   message in clear",
            source: MATRIX,
        },
        Rule {
            at: &[
                Stage::Banner,
                Stage::Ehlo,
                Stage::Auth,
                Stage::Mail,
                Stage::Rcpt,
                Stage::Data,
                Stage::Body,
                Stage::Eom,
            ],
            on: PERMANENT,
            then: Step::Bounce,
            basis: Basis::Derived,
            fact: "5yz is final at any stage, the greeting and EHLO among them",
            source: MATRIX,
        },
        Rule {
            at: OPENING,
            on: TRANSIENT,
            then: Step::Defer,
            basis: Basis::Derived,
            fact: "4yz in the greeting or to EHLO keeps the message, and the host is tried again",
            source: MATRIX,
        },
        Rule {
            at: TRANSACTION,
            on: ANY,
            then: Step::Defer,
            basis: Basis::Derived,
            fact: "from MAIL on it keeps the message and comes back to the same host: it does not go on to the next MX",
            source: MATRIX,
        },
        Rule {
            at: SESSION,
            on: ANY,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "where no usable greeting or answer to EHLO comes it goes on to the next host",
            source: MATRIX,
        },
    ],
    helo: Helo::AfterPermanent,
    starttls: Starttls::Opportunistic,
    timers: Timers {
        connect: Timer::Seconds(60),
        banner: Timer::Seconds(300),
        ehlo: Timer::Seconds(300),
        starttls: Timer::Seconds(300),
        mail: Timer::Seconds(600),
        rcpt: Timer::Seconds(600),
        data: Timer::Seconds(300),
        body: Timer::Seconds(300),
        eom: Timer::Seconds(300),
        patience: Patience::WholeReply,
        source: "observed with 1.0.16",
    },
    limits: Limits { hosts: None, addresses: None, sessions: None, source: "" },
    retry: &[300],
    memory: Memory {
        avoids: &[],
        // How long is not known; messages that came within seconds shared the connection.
        reuses: Some(10),
        // It stands in a file and survives a restart; how long it is believed is not known.
        in_clear: Some(3600),
        fact: "it uses the connection that took a message for the next ones, and remembers hosts with which TLS \
               failed: they get mail in clear",
    },
};

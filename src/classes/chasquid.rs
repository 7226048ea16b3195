//! chasquid 1.11 as Debian has it.

use super::rule::sets::*;
use super::{Basis, Class, Helo, Limits, Memory, Patience, Rule, Starttls, Step, Timer, Timers};

const MATRIX: &str = "the pattern of what was measured with chasquid 1.11";

pub(super) const CLASS: Class = Class {
    name: "chasquid",
    rules: &[
        Rule {
            at: TRANSACTION,
            on: PERMANENT,
            then: Step::Bounce,
            basis: Basis::Derived,
            fact: "5yz from MAIL on is final",
            source: MATRIX,
        },
        Rule {
            at: STARTTLS,
            on: ANY,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "where STARTTLS is offered and fails it goes on to the next host, never in clear",
            source: MATRIX,
        },
        Rule {
            at: QUIT,
            on: ANY,
            then: Step::GoOn,
            basis: Basis::Derived,
            fact: "it has its 250, what becomes of QUIT changes nothing",
            source: MATRIX,
        },
        Rule {
            at: SESSION,
            on: ANY,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "a 4yz reply, a timeout or a lost connection at any stage, and 5yz up to EHLO and HELO, moves it to \
                   the next host; to one without TLS only if it never met TLS in this domain",
            source: MATRIX,
        },
    ],
    helo: Helo::AfterPermanent,
    starttls: Starttls::Opportunistic,
    timers: Timers {
        connect: Timer::Seconds(60),
        banner: Timer::Seconds(600),
        ehlo: Timer::Seconds(600),
        starttls: Timer::Seconds(600),
        mail: Timer::Seconds(600),
        rcpt: Timer::Seconds(600),
        data: Timer::Seconds(600),
        body: Timer::Seconds(600),
        eom: Timer::Seconds(600),
        patience: Patience::WholeReply,
        source: "observed with 1.11; they cannot be set",
    },
    limits: Limits { hosts: Some(5), addresses: None, sessions: None, source: "its source: it keeps five MXs" },
    retry: &[60, 300, 600, 1200],
    memory: Memory { avoids: &[], reuses: None, in_clear: None, fact: "" },
};

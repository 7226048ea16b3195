//! OpenSMTPD 6.8 as Debian has it.

use super::rule::sets::*;
use super::{Basis, Class, Failure, Helo, Limits, Memory, Patience, Rule, Starttls, Step, Timer, Timers};

const MATRIX: &str = "the pattern of what was measured with OpenSMTPD 6.8.0p2";

pub(super) const CLASS: Class = Class {
    name: "OpenSMTPD",
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
            at: SESSION,
            on: &[Failure::Trickle],
            then: Step::Hang,
            basis: Basis::Derived,
            fact: "its timers limit each read: a server that sends a byte now and then holds it for as long as it likes",
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
            at: STARTTLS,
            on: DECLINED,
            then: Step::GoOn,
            basis: Basis::Derived,
            fact: "where STARTTLS is declined it goes on in clear in the same session",
            source: MATRIX,
        },
        Rule {
            at: STARTTLS,
            on: &[Failure::Handshake],
            then: Step::InClear,
            basis: Basis::Derived,
            fact: "after a TLS handshake that fails it comes back to the same host in clear",
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
            at: BEFORE_MAIL,
            on: ANY,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "whatever fails up to EHLO moves it to the next host",
            source: MATRIX,
        },
    ],
    helo: Helo::AfterRefusal,
    starttls: Starttls::Opportunistic,
    timers: Timers {
        connect: Timer::Seconds(134),
        banner: Timer::Seconds(300),
        ehlo: Timer::Seconds(300),
        starttls: Timer::Seconds(300),
        mail: Timer::Seconds(300),
        rcpt: Timer::Seconds(300),
        data: Timer::Seconds(300),
        body: Timer::Seconds(300),
        eom: Timer::Seconds(300),
        patience: Patience::EachRead,
        source: "observed with 6.8.0p2; they cannot be set",
    },
    limits: Limits { hosts: None, addresses: None, sessions: None, source: "" },
    retry: &[400],
    memory: Memory {
        avoids: &[(BEFORE_MAIL, ANY, 15)],
        reuses: Some(10),
        in_clear: None,
        fact: "it leaves the route to a host that failed alone for 15 seconds, and uses the connection that took a \
               message again for ten",
    },
};

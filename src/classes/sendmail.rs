//! Sendmail 8.17 as Debian has it.

use super::rule::sets::*;
use super::{Basis, Class, Failure, Helo, Limits, Memory, Patience, Rule, Starttls, Step, Timer, Timers};

const MATRIX: &str = "the pattern of what was measured with Sendmail 8.17.1.9";

pub(super) const CLASS: Class = Class {
    name: "Sendmail",
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
            on: DECLINED,
            then: Step::GoOn,
            basis: Basis::Derived,
            fact: "where STARTTLS is declined it goes on in clear in the same session",
            source: MATRIX,
        },
        Rule {
            at: STARTTLS,
            on: HANDSHAKES,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "after a TLS handshake that fails it goes on to the next host, after garbage once two minutes are over",
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
            on: &[Failure::Trickle],
            then: Step::Hang,
            basis: Basis::Derived,
            fact: "its timers limit each read: a server that sends a byte now and then holds it for as long as it likes",
            source: MATRIX,
        },
        Rule {
            at: SESSION,
            on: ANY,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "a 4yz reply, a timeout or a lost connection at any stage, and 5yz up to EHLO and HELO, moves it to \
                   the next host in the same run, though it logs `stat=Deferred` for the first one",
            source: MATRIX,
        },
    ],
    helo: Helo::AfterPermanent,
    starttls: Starttls::Opportunistic,
    timers: Timers {
        connect: Timer::Seconds(120),
        banner: Timer::Seconds(300),
        ehlo: Timer::Seconds(300),
        starttls: Timer::Seconds(3600),
        mail: Timer::Seconds(600),
        rcpt: Timer::Seconds(3600),
        data: Timer::Seconds(300),
        body: Timer::Seconds(3600),
        eom: Timer::Seconds(3600),
        patience: Patience::EachRead,
        source: "proto.m4: Timeout.initial, .mail, .rcpt, .datablock, .datafinal; Debian's confTO_ICONNECT = 2m",
    },
    limits: Limits { hosts: None, addresses: None, sessions: None, source: "" },
    retry: &[600],
    memory: Memory { avoids: &[], reuses: None, in_clear: None, fact: "" },
};

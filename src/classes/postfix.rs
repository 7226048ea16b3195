//! Postfix 3.7 as Debian has it.

use super::rule::sets::*;
use super::{Basis, Class, Failure, Helo, Limits, Memory, Patience, Rule, Starttls, Step, Timer, Timers};

const MATRIX: &str = "the pattern of what was measured with Postfix 3.7.11";

pub(super) const CLASS: Class = Class {
    name: "Postfix",
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
            at: EHLO,
            on: PERMANENT,
            then: Step::Bounce,
            basis: Basis::Derived,
            fact: "5yz to EHLO and then to HELO returns the message",
            source: MATRIX,
        },
        Rule {
            at: BANNER,
            on: PERMANENT,
            then: Step::Next,
            basis: Basis::Source,
            fact: "5yz in the greeting moves it to the next host",
            source: "postconf(5): smtp_skip_5xx_greeting = yes",
        },
        Rule {
            at: STARTTLS,
            on: DECLINED,
            then: Step::GoOn,
            basis: Basis::Source,
            fact: "where STARTTLS is declined it goes on in clear in the same session",
            source: "TLS_README: smtp_tls_security_level = may",
        },
        Rule {
            at: STARTTLS,
            on: HANDSHAKES,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "after a TLS handshake that fails it goes on to the next host; in clear text only with mail that \
                   has waited",
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
        // smtp_helo_timeout and its like limit each read, not the reply.
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
            fact: "a 4yz reply, a timeout or a lost connection at any stage moves it to the next address, then to the \
                   next host, in the same attempt",
            source: MATRIX,
        },
    ],
    helo: Helo::AfterRefusal,
    starttls: Starttls::Opportunistic,
    timers: Timers {
        connect: Timer::Seconds(30),
        banner: Timer::Seconds(300),
        ehlo: Timer::Seconds(300),
        starttls: Timer::Seconds(300),
        mail: Timer::Seconds(300),
        rcpt: Timer::Seconds(300),
        data: Timer::Seconds(120),
        body: Timer::Seconds(180),
        eom: Timer::Seconds(600),
        patience: Patience::EachRead,
        source: "postconf -d of 3.7.11: smtp_connect_timeout, smtp_helo_timeout and so on",
    },
    limits: Limits {
        hosts: None,
        addresses: Some(5),
        sessions: Some(2),
        source: "postconf -d: smtp_mx_address_limit = 5, smtp_mx_session_limit = 2; only sessions past EHLO count",
    },
    retry: &[300, 600, 1200, 2400, 4000],
    memory: Memory { avoids: &[], reuses: None, in_clear: None, fact: "" },
};

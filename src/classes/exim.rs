//! Exim 4.96 as Debian has it.

use super::rule::sets::*;
use super::{Basis, Class, Failure, Helo, Limits, Memory, Patience, Rule, Starttls, Step, Timer, Timers};
use crate::mail::Stage;

const MATRIX: &str = "the pattern of what was measured with Exim 4.96";
/// The retry rule `F,2h,15m`.
const RETRY_RULE: u32 = 900;

pub(super) const CLASS: Class = Class {
    name: "Exim",
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
            then: Step::InClear,
            basis: Basis::Source,
            fact: "after a TLS handshake that fails it comes back to the same host in clear",
            source: "Exim specification: tls_tempfail_tryclear = true",
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
                   the next host in the same attempt",
            source: MATRIX,
        },
    ],
    helo: Helo::AfterRefusal,
    starttls: Starttls::Opportunistic,
    timers: Timers {
        // connect_timeout is 5m; the kernel gives up before.
        connect: Timer::Seconds(134),
        banner: Timer::Seconds(300),
        ehlo: Timer::Seconds(300),
        starttls: Timer::Seconds(300),
        mail: Timer::Seconds(300),
        rcpt: Timer::Seconds(300),
        data: Timer::Seconds(300),
        body: Timer::Seconds(300),
        eom: Timer::Seconds(600),
        patience: Patience::WholeReply,
        source: "exim4 -bP of 4.96: command_timeout, data_timeout, final_timeout; connect as the kernel does it",
    },
    limits: Limits { hosts: Some(5), addresses: None, sessions: None, source: "exim4 -bP: hosts_max_try = 5" },
    retry: &[1800],
    memory: Memory {
        avoids: &[
            (BEFORE_MAIL, ANY, RETRY_RULE),
            (&[Stage::Rcpt], &[Failure::Closing, Failure::Timeout], RETRY_RULE),
            (&[Stage::Body], &[Failure::Reset], RETRY_RULE),
        ],
        reuses: None,
        in_clear: None,
        fact: "it remembers in its hints database that the host failed, and leaves it alone until its retry rule \
               (15 minutes) lets it try again",
    },
};

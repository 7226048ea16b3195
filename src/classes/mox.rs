//! mox, by its source.

use super::rule::sets::*;
use super::{Basis, Class, Helo, Limits, Memory, Patience, Rule, Starttls, Step, Timer, Timers};

const SOURCE: &str = "the source of its queue";

pub(super) const CLASS: Class = Class {
    name: "mox",
    rules: &[
        Rule {
            at: QUIT,
            on: ANY,
            then: Step::GoOn,
            basis: Basis::Derived,
            fact: "the message is delivered once the final dot is answered",
            source: "as other senders do",
        },
        Rule {
            at: STARTTLS,
            on: HANDSHAKES,
            then: Step::InClear,
            basis: Basis::Derived,
            fact: "where no policy asks for TLS a handshake that fails is tried again in clear",
            source: "RFC 7435 4, as most senders do",
        },
        Rule {
            at: STARTTLS,
            on: DECLINED,
            then: Step::InClear,
            basis: Basis::Derived,
            fact: "where no policy asks for TLS, STARTTLS that is declined is tried again in clear",
            source: "RFC 7435 4, as most senders do",
        },
        Rule {
            at: EHLO,
            on: PERMANENT,
            then: Step::Bounce,
            basis: Basis::Derived,
            fact: "5yz to EHLO and HELO is final, as it is in the greeting",
            source: "as in the greeting and the transaction",
        },
        Rule {
            at: SESSION,
            on: PERMANENT,
            then: Step::Bounce,
            basis: Basis::Source,
            fact: "5yz is final at any stage, the greeting among them",
            source: SOURCE,
        },
        Rule {
            at: SESSION,
            on: ANY,
            then: Step::Next,
            basis: Basis::Source,
            fact: "a 4yz reply, a timeout or a lost connection at any stage moves it to the next host",
            source: SOURCE,
        },
    ],
    helo: Helo::AfterPermanent,
    starttls: Starttls::Opportunistic,
    timers: UNKNOWN,
    limits: Limits { hosts: None, addresses: None, sessions: None, source: "" },
    retry: &[],
    memory: Memory { avoids: &[], reuses: None, in_clear: None, fact: "" },
};

/// For classes of which nobody has measured a timer.
pub(super) const UNKNOWN: Timers = Timers {
    connect: Timer::Unknown,
    banner: Timer::Unknown,
    ehlo: Timer::Unknown,
    starttls: Timer::Unknown,
    mail: Timer::Unknown,
    rcpt: Timer::Unknown,
    data: Timer::Unknown,
    body: Timer::Unknown,
    eom: Timer::Unknown,
    patience: Patience::WholeReply,
    source: "nobody measured them; mxdrill takes those of RFC 5321 where it behaves as this class",
};

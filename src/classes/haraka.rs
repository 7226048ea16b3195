//! Haraka, by its source.

use super::mox::UNKNOWN;
use super::rule::sets::*;
use super::{Basis, Class, Helo, Limits, Memory, Rule, Starttls, Step};

const SOURCE: &str = "the source of its outbound room";

pub(super) const CLASS: Class = Class {
    name: "Haraka",
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
            on: DECLINED,
            then: Step::GoOn,
            basis: Basis::Derived,
            fact: "where no policy asks for TLS it goes on in clear",
            source: "RFC 7435 4, as most senders do",
        },
        Rule {
            at: STARTTLS,
            on: HANDSHAKES,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "a handshake that fails loses the connection, which moves it to the next host",
            source: "as a connection that is lost in the transaction",
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
            on: TRANSIENT,
            then: Step::Defer,
            basis: Basis::Source,
            fact: "a 4yz reply at any stage, the greeting among them, puts the message back into the queue: it does \
                   not go on to the next MX",
            source: SOURCE,
        },
        Rule {
            at: SESSION,
            on: LOST,
            then: Step::Next,
            basis: Basis::Source,
            fact: "a connection that is lost moves it to the next host",
            source: SOURCE,
        },
        Rule {
            at: CONNECT,
            on: NAMES,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "a host whose name leads nowhere cannot be reached, which moves it to the next one",
            source: "as a host that cannot be reached",
        },
        Rule {
            at: SESSION,
            on: ANY,
            then: Step::Next,
            basis: Basis::Source,
            fact: "a host that cannot be reached, or falls silent, moves it to the next one",
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

//! Stalwart, by its source.

use super::mox::UNKNOWN;
use super::rule::sets::*;
use super::{Basis, Class, Helo, Limits, Memory, Rule, Starttls, Step};

const SOURCE: &str = "the source of its outbound queue";

pub(super) const CLASS: Class = Class {
    name: "Stalwart",
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
            at: TRANSACTION,
            on: PERMANENT,
            then: Step::Bounce,
            basis: Basis::Source,
            fact: "5yz from MAIL on is final",
            source: SOURCE,
        },
        Rule {
            at: TRANSACTION,
            on: ANY,
            then: Step::Defer,
            basis: Basis::Source,
            fact: "a 4yz reply or a lost connection from MAIL on puts the message back into the queue: it does not go \
                   on to the next MX",
            source: SOURCE,
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
            then: Step::InClear,
            basis: Basis::Derived,
            fact: "where no policy asks for TLS a handshake that fails is tried again in clear",
            source: "RFC 7435 4, as most senders do",
        },
        Rule {
            at: EHLO,
            on: ANY,
            then: Step::Next,
            basis: Basis::Derived,
            fact: "what fails at EHLO moves it to the next host, as what fails in the greeting does",
            source: "as in the greeting",
        },
        Rule {
            at: BEFORE_MAIL,
            on: ANY,
            then: Step::Next,
            basis: Basis::Source,
            fact: "a host that cannot be reached, or whose greeting is a refusal of any kind, moves it to the next one",
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

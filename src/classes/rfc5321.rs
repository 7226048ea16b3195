//! RFC 5321 by the letter, and opportunistic TLS by RFC 7435.

use super::rule::sets::*;
use super::{Basis, Class, Failure, Helo, Limits, Memory, Patience, Rule, Starttls, Step, Timer, Timers};

const fn rule(
    at: &'static [crate::mail::Stage],
    on: &'static [Failure],
    then: Step,
    fact: &'static str,
    source: &'static str,
) -> Rule {
    Rule { at, on, then, basis: Basis::Source, fact, source }
}

pub(super) const CLASS: Class = Class {
    name: "RFC 5321",
    rules: &[
        rule(TRANSACTION, PERMANENT, Step::Bounce, "5yz from MAIL on is final", "RFC 5321 4.2.1 and 6.1"),
        rule(STARTTLS, DECLINED, Step::GoOn, "STARTTLS that is declined leaves the session as it is", "RFC 3207 4.1"),
        rule(
            STARTTLS,
            HANDSHAKES,
            Step::InClear,
            "a TLS handshake that fails is no reason not to deliver: it comes back in clear",
            "RFC 7435 4",
        ),
        rule(QUIT, ANY, Step::GoOn, "the message is delivered once the final dot is answered", "RFC 5321 4.1.1.4"),
        rule(
            SESSION,
            ANY,
            Step::Next,
            "a 4yz reply, a timeout or a lost connection at any stage, and 5yz in the banner or to both EHLO and \
             HELO, moves it to the next address, then to the next host",
            "RFC 5321 5.1 and 4.5.4.1",
        ),
    ],
    helo: Helo::AfterPermanent,
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
        patience: Patience::WholeReply,
        source: "RFC 5321 4.5.3.2; that names none for the TCP handshake, 30 s is Postfix's",
    },
    limits: Limits { hosts: None, addresses: None, sessions: None, source: "" },
    retry: &[],
    memory: Memory { avoids: &[], reuses: None, in_clear: None, fact: "" },
};

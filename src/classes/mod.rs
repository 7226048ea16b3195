//! Sender classes: what MTAs do when a host fails them, as rules.
//!
//! ```text
//!   (stage, failure) ── SenderClass::rule ──> Rule { then: next | defer | bounce | …, fact, basis }
//!        rcpt, 450          opensmtpd              defer: "from MAIL on it keeps the message …"
//!
//!   limits, timers, retries, memory ─ facts of the same class      measured ─ the cells themselves
//! ```
//!
//! One file a class, each a table that is read from its first line on, with the source of every
//! fact beside it. `send` behaves by these rules and `judge` predicts by them. What was measured
//! with real servers stands apart, in [`measured`]: no rule looks there, so that the tests can hold
//! the rules against it.
//!
//! Pure data. Nothing here knows of faults, scenarios, or what is done with a rule.

mod chasquid;
mod courier;
mod dma;
mod exim;
mod facts;
mod haraka;
pub mod measured;
mod mox;
mod opensmtpd;
mod postfix;
mod rfc5321;
mod rule;
mod sendmail;
mod stalwart;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::mail::Stage;
use crate::terms::{UnknownWord, words};

pub use facts::{Class, Helo, Limits, Memory, Patience, Starttls, Timer, Timers};
pub use rule::{Basis, Failure, Rule, Step};

words! {
    /// MTAs whose way with failing hosts is known.
    SenderClass {
        /// RFC 5321 by the letter.
        Rfc5321 = "rfc5321",
        /// Postfix.
        Postfix = "postfix",
        /// Exim.
        Exim = "exim",
        /// Sendmail.
        Sendmail = "sendmail",
        /// OpenSMTPD.
        OpenSmtpd = "opensmtpd",
        /// chasquid.
        Chasquid = "chasquid",
        /// Courier.
        Courier = "courier",
        /// The DragonFly Mail Agent.
        Dma = "dma",
        /// mox.
        Mox = "mox",
        /// Stalwart.
        Stalwart = "stalwart",
        /// Haraka.
        Haraka = "haraka",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro of words derives no default")]
impl Default for SenderClass {
    fn default() -> Self {
        SenderClass::Rfc5321
    }
}

impl SenderClass {
    /// What is known of it.
    pub fn facts(self) -> &'static Class {
        match self {
            SenderClass::Rfc5321 => &rfc5321::CLASS,
            SenderClass::Postfix => &postfix::CLASS,
            SenderClass::Exim => &exim::CLASS,
            SenderClass::Sendmail => &sendmail::CLASS,
            SenderClass::OpenSmtpd => &opensmtpd::CLASS,
            SenderClass::Chasquid => &chasquid::CLASS,
            SenderClass::Courier => &courier::CLASS,
            SenderClass::Dma => &dma::CLASS,
            SenderClass::Mox => &mox::CLASS,
            SenderClass::Stalwart => &stalwart::CLASS,
            SenderClass::Haraka => &haraka::CLASS,
        }
    }

    /// What it does after `failure` at `at`: the first rule that fits.
    pub fn rule(self, at: Stage, failure: Failure) -> &'static Rule {
        let fits = |rule: &&Rule| rule.at.contains(&at) && rule.on.contains(&failure);
        self.facts().rules.iter().find(fits).unwrap_or(&rule::NO_RULE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_answers_every_failure_at_every_stage() {
        for class in SenderClass::ALL {
            for at in Stage::ALL {
                for failure in Failure::ALL {
                    let rule = class.rule(at, *failure);
                    assert_ne!(rule, &rule::NO_RULE, "{class} has no rule for {failure} at {at}");
                }
            }
        }
    }

    #[test]
    fn every_rule_of_a_class_is_reached() {
        for class in SenderClass::ALL {
            for rule in class.facts().rules {
                let reached = rule.at.iter().any(|at| rule.on.iter().any(|on| class.rule(*at, *on) == rule));
                assert!(reached, "{class}: a rule above hides `{}`", rule.fact);
                assert!(!rule.fact.is_empty() && !rule.source.is_empty(), "{class}: a rule without its source");
            }
        }
    }

    #[test]
    fn no_class_takes_a_permanent_refusal_of_the_message_to_another_host() {
        for class in SenderClass::ALL {
            for at in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body, Stage::Eom] {
                assert_eq!(class.rule(at, Failure::Permanent).then, Step::Bounce, "{class} at {at}");
            }
        }
    }
}

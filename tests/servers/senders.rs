//! Real MTAs as senders: whom a fault at the primary moves to the next MX, whom it does not, and who sends twice.
//!
//! ```text
//!   test ──SMTP──> sender (Postfix, Exim ...) ──MX, A──> lab's DNS, 127.78.N.1:53
//!                    │                        ──SMTP──> mx1, preference 10: fault proxy, then a store
//!                    │                        ──SMTP──> mx2, preference 20: a store
//!                    └─ log                   ──SMTP──> mx of the reverse-path: a store for what bounces
//! ```
//!
//! An outcome is taken from what the stores hold and from the sender's own log; one of them alone is not believed. It is
//! compared with the matrix that was measured elsewhere.

mod field;
mod matrix;
mod mta;
mod trials;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::servers::{Network, Server};
use field::{Field, Holder, Turn};
use matrix::Expected;
use mta::{Mta, PASSWORD, Word, submit};
use trials::{TRIALS, Trial};

/// Where a sender takes mail.
const SUBMISSION: u8 = 251;
const A_MINUTE: Duration = Duration::from_secs(60);
const FIVE_MINUTES: Duration = Duration::from_secs(300);
const TEN_MINUTES: Duration = Duration::from_secs(600);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn postfix_goes_on_as_measured() {
    as_measured(Mta::Postfix, Mta::is_quick, A_MINUTE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exim_goes_on_as_measured() {
    as_measured(Mta::Exim, Mta::is_quick, A_MINUTE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opensmtpd_goes_on_as_measured() {
    as_measured(Mta::OpenSmtpd, Mta::is_quick, A_MINUTE).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes five minutes: the timers of OpenSMTPD cannot be set"]
async fn opensmtpd_waits_as_measured() {
    as_measured(Mta::OpenSmtpd, |mta, trial| !mta.is_quick(trial), FIVE_MINUTES + A_MINUTE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chasquid_goes_on_as_measured() {
    as_measured(Mta::Chasquid, Mta::is_quick, A_MINUTE).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten minutes: the timers of chasquid cannot be set"]
async fn chasquid_waits_as_measured() {
    as_measured(Mta::Chasquid, |mta, trial| !mta.is_quick(trial), TEN_MINUTES + A_MINUTE).await;
}

/// Every trial that fits, all at once: a message that meets the fault, and another one when the fault is lifted.
async fn as_measured(mta: Mta, fits: fn(Mta, &Trial) -> bool, patience: Duration) {
    let network = Network::claim();
    let trials = TRIALS.iter().copied().filter(|trial| mta.can(trial) && fits(mta, trial)).collect();
    let bench = Bench::up(mta, &network, trials).await;
    for (index, _) in bench.trials() {
        bench.submit(index, Turn::First).await;
    }
    let seen = bench.settled(patience).await;
    let expected = Expected::read();
    let wrong: Vec<String> =
        bench.trials().filter_map(|(index, _)| bench.difference(index, &seen[index], &expected)).collect();
    assert!(wrong.is_empty(), "{mta:?} does not do what was measured:\n{}", wrong.join("\n"));
}

/// A sender and everything that it meets.
struct Bench {
    mta: Mta,
    field: Field,
    sender: Server,
    submission: String,
}

/// What became of the messages of a trial.
#[derive(Debug, Default)]
struct Seen {
    first: Option<Outcome>,
    again: Option<Outcome>,
}

/// In the words of the matrix, where log and stores agree; else what does not fit.
type Outcome = Result<String, String>;

impl Bench {
    async fn up(mta: Mta, network: &Network, trials: Vec<Trial>) -> Self {
        let submission = network.address(SUBMISSION, 2525);
        let field = Field::up(&network.cidr(), trials).await;
        let dns = field.dns().to_string();
        let settings = [("SMTP", &*submission), ("DNS", &*dns), ("PASSWORD", PASSWORD)];
        let mut sender = Server::launch(mta.server(), &settings);
        sender.await_ready();
        Self { mta, field, sender, submission }
    }

    fn trials(&self) -> impl Iterator<Item = (usize, &Trial)> {
        self.field.trials().iter().enumerate()
    }

    async fn submit(&self, index: usize, turn: Turn) {
        submit(self.mta, &self.submission, &self.field.letter(index, turn)).await;
    }

    /// Looks until both messages of every trial have come to an end.
    async fn settled(&self, patience: Duration) -> Vec<Seen> {
        let deadline = Instant::now() + patience;
        let mut seen: Vec<Seen> = self.trials().map(|_| Seen::default()).collect();
        while seen.iter().any(|seen| seen.again.is_none()) {
            assert!(Instant::now() < deadline, "{:?} has not made up its mind:\n{}", self.mta, self.unsettled(&seen));
            let log = self.sender.log();
            for (index, seen) in seen.iter_mut().enumerate() {
                self.look(index, seen, &log).await;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        seen
    }

    async fn look(&self, index: usize, seen: &mut Seen, log: &str) {
        if seen.first.is_none() {
            seen.first = self.outcome(index, Turn::First, log);
            if seen.first.is_some() {
                self.field.lift(index).await;
                self.submit(index, Turn::Again).await;
            }
        } else if seen.again.is_none() {
            seen.again = self.outcome(index, Turn::Again, log);
        }
    }

    /// What became of a message, once that is settled: the fault has struck (some senders say QUIT seconds later), the
    /// sender's log tells of the end, and what bounced is back.
    fn outcome(&self, index: usize, turn: Turn, log: &str) -> Option<Outcome> {
        let (trial, letter) = (&self.field.trials()[index], self.field.letter(index, turn));
        if trial.is_seen_firing() && self.field.fired(index) == 0 {
            return None;
        }
        let (word, holders) = (self.mta.last_word(log, &letter.to)?, self.field.holders(index, &letter));
        if word == Word::Bounced && !holders.contains(&Holder::Home) {
            return None;
        }
        Some(match turn {
            Turn::First => outcome(trial, word, &holders),
            Turn::Again => outcome(&Trial { fault: None, ..*trial }, word, &holders),
        })
    }

    fn unsettled(&self, seen: &[Seen]) -> String {
        let log = self.sender.log();
        let waits = self.trials().filter(|(index, _)| seen[*index].again.is_none());
        waits.map(|(_, trial)| format!("{}\n{}", trial.name, told(&log, trial))).collect()
    }

    /// What is not as expected, with the sender's own words on it.
    fn difference(&self, index: usize, seen: &Seen, expected: &Expected) -> Option<String> {
        let trial = &self.field.trials()[index];
        let wanted = (expected.outcome(self.mta, trial).unwrap_or("not known"), expected.again(self.mta, trial));
        let right = [(&seen.first, wanted.0), (&seen.again, wanted.1)]
            .iter()
            .all(|(seen, wanted)| seen.as_ref().is_some_and(|it| it.as_deref() == Ok(wanted)));
        let log = self.sender.log();
        (!right).then(|| format!("{}: expected {wanted:?}, {seen:?}\n{}", trial.name, told(&log, trial)))
    }
}

fn outcome(trial: &Trial, word: Word, holders: &BTreeSet<Holder>) -> Outcome {
    let lost_copy = trial.leaves_a_copy().then_some(Holder::Primary);
    let rest: BTreeSet<Holder> = holders.iter().copied().filter(|holder| Some(*holder) != lost_copy).collect();
    let route = match (word, rest.into_iter().collect::<Vec<_>>().as_slice()) {
        (Word::Sent, [Holder::Primary]) => "primary",
        (Word::Sent, [Holder::Backup]) => "backup",
        (Word::Deferred, []) => "deferred",
        (Word::Bounced, [Holder::Home]) => "bounced",
        _ => return Err(format!("the log says {word:?}, copies are at {holders:?}")),
    };
    if lost_copy.is_some_and(|holder| !holders.contains(&holder)) {
        return Err(format!("{route}, but the primary has no copy"));
    }
    // The primary had the whole message, and will not be the only one.
    let risk = trial.strikes_behind_the_body() && matches!(route, "backup" | "deferred");
    Ok(format!("{route}{}", if risk { "+dup_risk" } else { "" }))
}

fn told(log: &str, trial: &Trial) -> String {
    let lines = log.lines().filter(|line| line.contains(&trial.domain()));
    lines.map(|line| format!("    {line}\n")).collect()
}

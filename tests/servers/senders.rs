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
mod page;
mod trials;

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
    bench.settle(patience).await;
    let (expected, log) = (Expected::read(), bench.sender.log());
    let wrong: Vec<String> = bench.trials().filter_map(|(index, _)| bench.difference(index, &log, &expected)).collect();
    assert!(wrong.is_empty(), "{mta:?} does not do what was measured:\n{}", wrong.join("\n"));
}

/// A sender and everything that it meets.
struct Bench {
    mta: Mta,
    field: Field,
    sender: Server,
    submission: String,
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

    /// Waits until both messages of every trial have come to an end; the second one follows when the first one has.
    async fn settle(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut waiting: Vec<(usize, Turn)> = self.trials().map(|(index, _)| (index, Turn::First)).collect();
        while !waiting.is_empty() {
            assert!(Instant::now() < deadline, "{:?} has not made up its mind:\n{}", self.mta, self.told(&waiting));
            let log = self.sender.log();
            let (ended, still) =
                waiting.into_iter().partition(|(index, turn)| self.outcome(*index, *turn, &log).is_some());
            waiting = still;
            for (index, _) in Vec::into_iter(ended).filter(|(_, turn)| *turn == Turn::First) {
                self.field.lift(index).await;
                self.submit(index, Turn::Again).await;
                waiting.push((index, Turn::Again));
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
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

    /// What is not as expected, with the sender's own words on it. Looked at when all is over: no copy came later.
    fn difference(&self, index: usize, log: &str, expected: &Expected) -> Option<String> {
        let trial = &self.field.trials()[index];
        let wanted = [expected.outcome(self.mta, trial).unwrap_or("not known"), expected.again(self.mta, trial)];
        let seen = [Turn::First, Turn::Again].map(|turn| self.outcome(index, turn, log));
        let right = seen.iter().zip(wanted).all(|(seen, wanted)| matches!(seen, Some(Ok(seen)) if seen == wanted));
        (!right).then(|| format!("{}: expected {wanted:?}, seen {seen:?}\n{}", trial.name, told(log, trial)))
    }

    fn told(&self, waiting: &[(usize, Turn)]) -> String {
        let (log, trials) = (self.sender.log(), self.field.trials());
        waiting
            .iter()
            .map(|(index, turn)| format!("{} {turn:?}\n{}", trials[*index].name, told(&log, &trials[*index])))
            .collect()
    }
}

fn outcome(trial: &Trial, word: Word, holders: &[Holder]) -> Outcome {
    let contradiction = || format!("the log says {word:?}, copies are at {holders:?}");
    let mut known = holders.to_vec();
    if trial.leaves_a_copy() {
        known.remove(known.iter().position(|holder| *holder == Holder::Primary).ok_or_else(contradiction)?);
    }
    let route = match (word, known.as_slice()) {
        (Word::Sent, [Holder::Primary]) => "primary",
        (Word::Sent, [Holder::Backup]) => "backup",
        (Word::Deferred, []) => "deferred",
        (Word::Bounced, [Holder::Home]) => "bounced",
        _ => return Err(contradiction()),
    };
    // The primary had the whole message, and will not be the only one.
    let risk = trial.strikes_behind_the_body() && matches!(route, "backup" | "deferred");
    Ok(format!("{route}{}", if risk { "+dup_risk" } else { "" }))
}

fn told(log: &str, trial: &Trial) -> String {
    let lines = log.lines().filter(|line| line.contains(&trial.domain()));
    lines.map(|line| format!("    {line}\n")).collect()
}

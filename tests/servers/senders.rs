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
use std::time::Duration;

use super::servers::{Network, PATIENCE, Server, until};
use field::{Field, Holder};
use matrix::Expected;
use mta::{Mta, Word, submit};
use trials::{TRIALS, Trial};

/// Where a sender takes mail.
const SUBMISSION: u8 = 251;
const FIVE_MINUTES: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn postfix_goes_on_as_measured() {
    as_measured(Mta::Postfix, Mta::is_quick, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exim_goes_on_as_measured() {
    as_measured(Mta::Exim, Mta::is_quick, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opensmtpd_goes_on_as_measured() {
    as_measured(Mta::OpenSmtpd, Mta::is_quick, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes five minutes: the timers of OpenSMTPD cannot be set"]
async fn opensmtpd_waits_as_measured() {
    as_measured(Mta::OpenSmtpd, |mta, trial| !mta.is_quick(trial), FIVE_MINUTES + PATIENCE).await;
}

/// Every trial that fits, all at once; each is settled in `patience`.
async fn as_measured(mta: Mta, fits: fn(Mta, &Trial) -> bool, patience: Duration) {
    let network = Network::claim();
    let submission = network.address(SUBMISSION, 2525);
    let trials = TRIALS.iter().copied().filter(|trial| mta.can(trial) && fits(mta, trial)).collect();
    let field = Field::up(&network.cidr(), trials).await;
    let dns = field.dns().to_string();
    let mut sender = Server::launch(mta.server(), &[("SMTP", &*submission), ("DNS", &*dns)]);
    sender.await_ready();
    for (index, trial) in field.trials().iter().enumerate() {
        submit(&submission, &field.tag(index), trial).await;
    }
    let settled = until(patience, || unsettled(mta, &field, &sender.log()).is_empty().then_some(()));
    let left = unsettled(mta, &field, &sender.log());
    assert!(settled.is_some(), "{mta:?} has not made up its mind after {patience:?}: {}", left.join(", "));
    let wrong = differences(mta, &field, &sender.log());
    assert!(wrong.is_empty(), "{mta:?} does not do what was measured:\n{}", wrong.join("\n"));
}

/// Trials whose fault has not struck yet (some senders say QUIT seconds later), of which the sender's log has not told
/// the end, or whose bounce is not back.
fn unsettled(mta: Mta, field: &Field, log: &str) -> Vec<&'static str> {
    let is_settled = |index, trial: &Trial| {
        let has_struck = field.fired(index) > 0 || !trial.is_seen_firing();
        has_struck
            && match mta.last_word(log, &trial.recipient()) {
                None => false,
                Some(Word::Bounced) => field.holders(index).contains(&Holder::Home),
                Some(Word::Sent | Word::Deferred) => true,
            }
    };
    let trials = field.trials().iter().enumerate();
    trials.filter(|(index, trial)| !is_settled(*index, trial)).map(|(_, trial)| trial.name).collect()
}

/// Every cell that is not as expected, with the sender's own words on it.
fn differences(mta: Mta, field: &Field, log: &str) -> Vec<String> {
    let expected = Expected::read();
    let check = |(index, trial): (usize, &Trial)| {
        let seen = outcome(trial, mta.last_word(log, &trial.recipient()), &field.holders(index));
        let wanted = expected.outcome(mta, trial).unwrap_or("not known");
        (seen.as_deref() != Ok(wanted))
            .then(|| format!("{}: {wanted} expected, seen {seen:?}\n{}", trial.name, told(log, trial)))
    };
    field.trials().iter().enumerate().filter_map(check).collect()
}

/// In the words of the matrix, where log and stores agree; else what does not fit.
fn outcome(trial: &Trial, word: Option<Word>, holders: &BTreeSet<Holder>) -> Result<String, String> {
    let lost_copy = trial.leaves_a_copy().then_some(Holder::Primary);
    let rest: BTreeSet<Holder> = holders.iter().copied().filter(|holder| Some(*holder) != lost_copy).collect();
    let route = match (word, rest.into_iter().collect::<Vec<_>>().as_slice()) {
        (Some(Word::Sent), [Holder::Primary]) => "primary",
        (Some(Word::Sent), [Holder::Backup]) => "backup",
        (Some(Word::Deferred), []) => "deferred",
        (Some(Word::Bounced), [Holder::Home]) => "bounced",
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

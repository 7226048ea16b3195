//! Secrets of the run: those of the lab's users, and those that senders log in with.

use std::collections::HashMap;

use secrecy::SecretString;

use super::super::{Context, Kind, RunError};
use crate::plan::Plan;
use crate::scenario::ways::StatedLogin;
use crate::scenario::{LabHostKind, Sender};
use crate::send::Account;
use crate::world::{Dice, SecretError};

/// The users of the lab's hosts and their secrets, by host.
pub(super) type Logins = HashMap<String, HashMap<String, SecretString>>;

/// Fetches the secrets of the lab's users, and draws those that nobody states.
///
/// # Errors
/// Where one cannot be had.
pub(super) async fn of_lab(plan: &Plan, context: &Context, dice: Dice) -> Result<Logins, RunError> {
    let mut logins = Logins::new();
    let hosts = plan.scenario.lab.iter().flat_map(|lab| &lab.hosts).enumerate();
    for (number, (name, host)) in hosts {
        let LabHostKind::Submission(stated) = &host.kind else { continue };
        let mut users = HashMap::new();
        for (at, (user, secret)) in stated.users.iter().enumerate() {
            let secret = match secret {
                Some(secret) => context.environment.secret(secret).await.map_err(|error| missing(user, &error))?,
                None => drawn(dice, number as u64, at as u64),
            };
            users.insert(user.clone(), secret);
        }
        logins.insert(name.clone(), users);
    }
    Ok(logins)
}

fn drawn(dice: Dice, host: u64, user: u64) -> SecretString {
    let half = |part: u64| dice.draw("lab-password", &[host, user, part]);
    SecretString::from(format!("{:016x}{:016x}", half(0), half(1)))
}

/// The account of a sender at the host `at`; what the lab gave its user, where nothing is stated.
///
/// # Errors
/// Where its secret cannot be had.
pub(super) async fn account(
    sender: &Sender,
    at: &str,
    stated: Option<&StatedLogin>,
    context: &Context,
    lab: &Logins,
) -> Result<Option<Account>, RunError> {
    let Some(stated) = stated else { return Ok(None) };
    let user = &stated.user.value;
    if let Some(secret) = &stated.secret {
        let account = Account::fetched(user, &context.environment, secret, stated.mechanism).await;
        return account.map(Some).map_err(|error| missing(&sender.name.value, &error));
    }
    let given = lab.get(at).and_then(|users| users.get(user));
    given.map(|secret| Some(Account::given(user, secret.clone(), stated.mechanism))).ok_or_else(|| {
        RunError::new(Kind::Usage, format!("the sender `{}` has no password for `{user}`", sender.name.value))
    })
}

/// A secret cannot be had.
pub(super) fn missing(whose: &str, error: &SecretError) -> RunError {
    RunError::new(Kind::Usage, format!("the secret of `{whose}` cannot be had: {error}"))
        .help("set it, then run again; nothing was sent")
}

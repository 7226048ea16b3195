//! What an expectation wants to see, one demand after the other.

use super::{ProbeFacts, copies, settle};
use crate::inventory::Inventory;
use crate::record::{AttemptResult, Hop};
use crate::scenario::Expectation;
use crate::source::{Span, or_list};
use crate::terms::{Family, Outcome, TlsDemand};

/// What should have been seen and was not.
pub(super) struct Missing {
    pub(super) why: String,
    pub(super) span: Span,
}

/// Whether everything that an expectation wants to see was seen, by names alone.
pub(super) fn positives(expected: &Expectation, seen: &ProbeFacts) -> Result<(), Missing> {
    positives_on(expected, seen, &[], None)
}

/// `inventory` none: `via` is not looked at, it needs the whole path.
pub(super) fn positives_on(
    expected: &Expectation,
    seen: &ProbeFacts,
    path: &[Hop],
    inventory: Option<&Inventory>,
) -> Result<(), Missing> {
    at(expected, seen)?;
    host(expected, seen)?;
    enough_copies(expected, seen)?;
    outcome(expected, seen)?;
    connection(expected, seen)?;
    match inventory {
        Some(inventory) => via(expected, path, inventory),
        None => Ok(()),
    }
}

fn at(expected: &Expectation, seen: &ProbeFacts) -> Result<(), Missing> {
    let Some(first) = expected.at.first() else { return Ok(()) };
    let wanted = || or_list(&expected.at.iter().map(|it| format!("`{}`", it.value)).collect::<Vec<_>>());
    let elsewhere = seen.landed.iter().find(|landed| !expected.at.iter().any(|it| it.value == landed.platform));
    match (seen.landed.is_empty(), elsewhere) {
        (true, _) => Err(Missing { why: format!("did not arrive at {} in time", wanted()), span: first.span }),
        (false, Some(landed)) => {
            Err(Missing { why: format!("ended at `{}`, not at {}", landed.platform, wanted()), span: first.span })
        }
        (false, None) => Ok(()),
    }
}

fn host(expected: &Expectation, seen: &ProbeFacts) -> Result<(), Missing> {
    let Some(first) = expected.host.first() else { return Ok(()) };
    let takers = settle::taker(seen);
    if takers.iter().any(|taker| expected.host.iter().any(|it| it.value == *taker)) {
        return Ok(());
    }
    let wanted = or_list(&expected.host.iter().map(|it| it.value.as_str()).collect::<Vec<_>>());
    let why = match takers.as_slice() {
        [] => format!("no host took it; expected {wanted}"),
        takers => format!("{} took it, not {wanted}", or_list(takers)),
    };
    Err(Missing { why, span: first.span })
}

fn enough_copies(expected: &Expectation, seen: &ProbeFacts) -> Result<(), Missing> {
    let Some(wanted) = &expected.copies else { return Ok(()) };
    let copies = copies::count(&seen.landed);
    if copies >= wanted.value {
        return Ok(());
    }
    let why = format!("{copies} of {} expected copies were found", wanted.value);
    Err(Missing { why, span: wanted.span })
}

fn outcome(expected: &Expectation, seen: &ProbeFacts) -> Result<(), Missing> {
    let Some(first) = expected.outcome.first() else { return Ok(()) };
    let became = settle::outcome(seen);
    if expected.outcome.iter().any(|it| Some(it.value) == became) {
        return Ok(());
    }
    let wanted = or_list(&expected.outcome.iter().map(|it| it.value.word()).collect::<Vec<_>>());
    let became = became.map_or("not sent", Outcome::word);
    Err(Missing { why: format!("it is {became}; expected {wanted}"), span: first.span })
}

fn connection(expected: &Expectation, seen: &ProbeFacts) -> Result<(), Missing> {
    let Some(attempt) = seen.attempts.iter().find(|it| it.result == AttemptResult::Accepted) else { return Ok(()) };
    if let Some(demand) = &expected.tls {
        let encrypted = attempt.tls.as_ref().is_some_and(|tls| tls.version.is_some());
        // Of a certificate that is not the host's nothing follows; it is not seen as proven either.
        let another = attempt.tls.as_ref().is_some_and(|tls| tls.ended_by.is_some());
        let trusted = attempt.tls.as_ref().is_some_and(|tls| tls.verdicts == ["trusted"]);
        let verified = encrypted && (trusted || another);
        let held = match demand.value {
            TlsDemand::Any => true,
            TlsDemand::Encrypted => encrypted,
            TlsDemand::Verified => verified,
        };
        if !held {
            let why = format!("the connection to {} was not {}", attempt.host, demand.value);
            return Err(Missing { why, span: demand.span });
        }
    }
    if let Some(family) = &expected.family {
        let address = attempt.address.as_ref().and_then(|it| it.parse::<std::net::SocketAddr>().ok());
        if address.is_some_and(|it| Family::of(it.ip()) != family.value) {
            let why = format!("it left by another address family than {}", family.value);
            return Err(Missing { why, span: family.span });
        }
    }
    Ok(())
}

fn via(expected: &Expectation, path: &[Hop], inventory: &Inventory) -> Result<(), Missing> {
    for wanted in &expected.via {
        let on_path = path.iter().any(|hop| hop.by == wanted.value || platform_is(inventory, &hop.by, &wanted.value));
        if !on_path {
            return Err(Missing { why: format!("its path does not lead via {}", wanted.value), span: wanted.span });
        }
    }
    Ok(())
}

/// Whether a host is one of a platform's.
pub(super) fn platform_is(inventory: &Inventory, host: &str, platform: &str) -> bool {
    inventory.of_name(host).is_some_and(|it| it.name.value == platform)
}

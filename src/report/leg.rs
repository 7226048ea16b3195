//! One line of a route, in words that are the same for every probe that went there.

use super::prose::tame;
use super::story::{Faults, Step};
use crate::mail::reply::queue_id;
use crate::record::{Attempt, AttemptResult, Handling, Landed, Passed, Placement, ProbeRecord, Ran, Target};

/// Stands for a queue-id that is told elsewhere.
const SOME_ID: &str = "<id>";

/// One line of a route.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    /// Where.
    pub(super) place: String,
    /// What came of it; `<id>` stands for the queue-id.
    text: String,
    /// The faults that took effect.
    pub(super) faults: Vec<String>,
    /// The queue-ids there, one a probe.
    pub(super) ids: Vec<String>,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a leg tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A try to deliver.
    Attempt,
    /// Anything else.
    Other,
}

impl PartialEq for Leg {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place && self.text == other.text && self.faults == other.faults
    }
}

impl Leg {
    /// The leg that tells of a step.
    pub(super) fn of(step: &Step<'_>, faults: &Faults<'_>, addresses: Addresses) -> Self {
        let leg = |place: String, text: String, id: &Option<String>| Leg {
            place,
            text,
            faults: vec![],
            ids: id.iter().map(|id| tame(id)).collect(),
            kind: Kind::Other,
        };
        match step {
            Step::Attempt(attempt, met) => Leg {
                kind: Kind::Attempt,
                faults: met.iter().map(|met| faults.word(met)).collect(),
                ..leg(mx(attempt, addresses), without_id(&result(attempt)), &attempt.queue_id)
            },
            Step::Ran(ran) => leg(format!("program {}", tame(&ran.program)), told(ran), &None),
            Step::Met(met) => {
                let host = faults.get(met).map(|fault| tame(&fault.host)).unwrap_or_default();
                Leg { faults: vec![faults.word(met)], ..leg(host, format!("a client was met at {}", met.stage), &None) }
            }
            Step::Passed(passed) => {
                leg(whose(passed.host.as_deref(), &passed.platform), handled(passed), &passed.queue_id)
            }
            Step::Landed(landed) => {
                leg(format!("landed on `{}`", tame(&landed.platform)), rest(landed), &landed.queue_id)
            }
        }
    }

    /// Its text; with its queue-id where it has only one.
    pub(super) fn text(&self) -> String {
        match self.ids.as_slice() {
            [one] => self.text.replace(SOME_ID, one),
            _ => self.text.clone(),
        }
    }

    /// Whether the text itself says the queue-id.
    pub(super) fn says_id(&self) -> bool {
        self.ids.len() == 1 && self.text.contains(SOME_ID)
    }
}

/// Whether the addresses of hosts are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addresses {
    /// They are.
    Told,
    /// Each host has only one.
    Plain,
}

impl Addresses {
    pub(super) fn of(probes: &[ProbeRecord]) -> Self {
        let mut known: Vec<(&str, Option<&String>)> = vec![];
        for attempt in probes.iter().flat_map(|probe| &probe.attempts) {
            let (host, address) = (attempt.host.as_str(), attempt.address.as_ref());
            match known.iter().find(|(it, _)| *it == host) {
                Some((_, other)) if *other != address => return Addresses::Told,
                Some(_) => {}
                None => known.push((host, address)),
            }
        }
        Addresses::Plain
    }
}

/// The host as its MX record names it, and the address that was tried.
fn mx(attempt: &Attempt, addresses: Addresses) -> String {
    if attempt.result == AttemptResult::NoRoute {
        return "no host to try".to_owned();
    }
    let preference = match (attempt.target, attempt.preference) {
        (Target::Submission, _) => "submission ".to_owned(),
        (Target::Mx, Some(preference)) => format!("MX {preference} "),
        (Target::Mx, None) => "implicit MX ".to_owned(),
    };
    let address = attempt.address.as_ref().filter(|_| addresses == Addresses::Told);
    let address = address.map(|address| format!(" {address}")).unwrap_or_default();
    format!("{preference}{}{address}", tame(&attempt.host))
}

/// How an attempt ended: the server's reply, or what was seen instead, with the stage where that
/// does not show.
pub(super) fn result(attempt: &Attempt) -> String {
    let said = match attempt.reply.trim() {
        "" => words(attempt.result).to_owned(),
        reply => tame(reply),
    };
    let unstaged = matches!(
        attempt.result,
        AttemptResult::Accepted | AttemptResult::NoRoute | AttemptResult::NoAddress | AttemptResult::PassedOver
    );
    if unstaged || said.starts_with(attempt.stage.word()) { said } else { format!("{}: {said}", attempt.stage) }
}

fn words(result: AttemptResult) -> &'static str {
    match result {
        AttemptResult::Accepted => "accepted",
        AttemptResult::Transient => "a transient error",
        AttemptResult::Permanent => "a permanent error",
        AttemptResult::Timeout => "timed out",
        AttemptResult::Refused => "connection refused",
        AttemptResult::Lost => "connection lost",
        AttemptResult::Garbage => "what is no SMTP",
        AttemptResult::TlsFailed => "the TLS handshake failed",
        AttemptResult::TlsPolicy => "the TLS policy of the domain forbids it",
        AttemptResult::Unreachable => "the address cannot be reached",
        AttemptResult::NoAddress => "the host has no address",
        AttemptResult::PassedOver => "not tried",
        AttemptResult::NoRoute => "there is no route to the domain",
    }
}

fn without_id(text: &str) -> String {
    match queue_id(text) {
        Some(id) if !id.is_empty() => text.replace(id, SOME_ID),
        _ => text.to_owned(),
    }
}

/// How a program ended, and what it said where it failed.
pub(super) fn told(ran: &Ran) -> String {
    let said = [&ran.stderr, &ran.stdout].into_iter().map(|it| it.trim()).find(|it| !it.is_empty());
    match said.filter(|_| !ran.succeeded()) {
        Some(said) => format!("{}: {}", ran.outcome(), tame(said)),
        None => ran.outcome(),
    }
}

/// A host and its platform, as far as they are known.
pub(super) fn whose(host: Option<&str>, platform: &str) -> String {
    match host {
        Some(host) => format!("{} (`{platform}`)", tame(host)),
        None => format!("`{platform}`"),
    }
}

/// What a host did with a copy that it did not keep.
pub(super) fn handled(passed: &Passed) -> String {
    let next = passed.next_host.as_deref().map(tame);
    let next = |word: &str| next.as_ref().map(|host| format!(" {word} {host}")).unwrap_or_default();
    let did = match passed.handling {
        Handling::Took => "took it".to_owned(),
        Handling::Relayed => format!("passed it on{}", next("to")),
        Handling::Deferred => format!("could not pass it on yet{}", next("to")),
        Handling::Bounced => "returned it to its sender".to_owned(),
        Handling::Refused => "refused it".to_owned(),
        Handling::Discarded => "discarded it".to_owned(),
    };
    match (passed.handling, passed.status) {
        (Handling::Took | Handling::Relayed, _) | (_, None) => did,
        (_, Some(status)) => format!("{did}: {status}"),
    }
}

fn rest(landed: &Landed) -> String {
    let collector = tame(&landed.collector);
    let host = landed.host.as_deref().map(tame).filter(|host| !collector.contains(host.as_str()));
    let on = host.map(|host| format!(" on {host}")).unwrap_or_default();
    match landed.placement {
        Placement::Inbox => format!("{collector}{on}"),
        Placement::Junk => format!("in junk, {collector}{on}"),
        Placement::Other => format!("in another folder, {collector}{on}"),
    }
}

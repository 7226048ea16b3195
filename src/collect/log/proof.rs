//! What a line proves of a probe, as the journal wants it.

use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

use super::super::notes::{Copy, Handled};
use super::told::{Client, Delivery, Next, Refusal, State};
use crate::record::{Handling, Placement, Tag};

/// When and where a line was written.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) at: Timestamp,
    /// The machine, by its own name.
    pub(super) host: Option<String>,
    /// File and line.
    pub(super) place: String,
}

/// What is told of a probe.
#[derive(Clone, Debug)]
pub(super) enum Happened {
    Took,
    Tried(Delivery),
    Refused(Refusal),
}

/// What that proves.
#[derive(Clone, Debug)]
pub(super) enum Proven {
    /// A copy is at rest at the host; its own name for itself.
    Landed(Copy, Option<String>),
    /// The host did something else with it.
    Passed(Handled),
}

/// What happened to the probe `tag` under `queue_id`, which `client` had handed over.
pub(super) fn prove(
    tag: &Tag,
    queue_id: Option<&str>,
    source: Source,
    what: Happened,
    client: Option<&Client>,
) -> Proven {
    let queue_id = queue_id.map(str::to_owned);
    match what {
        Happened::Tried(delivery) if delivery.state == State::Sent && delivery.next == Next::Here => {
            landed(tag, queue_id, source, &delivery)
        }
        Happened::Tried(delivery) => Proven::Passed(tried(tag, queue_id, source, delivery)),
        Happened::Took => {
            let reply = client.map(|client| format!("from client {client}")).unwrap_or_default();
            Proven::Passed(handled(tag, queue_id, source, Handling::Took, reply))
        }
        Happened::Refused(Refusal { status, reply, .. }) => {
            Proven::Passed(Handled { status, ..handled(tag, queue_id, source, Handling::Refused, reply) })
        }
    }
}

fn tried(tag: &Tag, queue_id: Option<String>, source: Source, delivery: Delivery) -> Handled {
    let handling = match delivery.state {
        State::Sent => Handling::Relayed,
        State::Deferred => Handling::Deferred,
        State::Bounced | State::Expired => Handling::Bounced,
        State::Discarded => Handling::Discarded,
    };
    let (next_host, next_address) = match delivery.next {
        Next::Host { name, address, port } => (name, address.map(|address| socket(address, port))),
        Next::Here | Next::Nowhere | Next::Unsaid => (None, None),
    };
    Handled {
        next_host,
        next_address,
        next_queue_id: delivery.next_queue_id,
        status: delivery.status,
        ..handled(tag, queue_id, source, handling, delivery.reply)
    }
}

fn landed(tag: &Tag, queue_id: Option<String>, source: Source, delivery: &Delivery) -> Proven {
    let mut detail = format!("{} by {}", source.place, delivery.via);
    if !delivery.reply.is_empty() {
        detail.push_str(&format!(" ({})", delivery.reply));
    }
    let copy = Copy {
        tag: tag.clone(),
        at: source.at,
        queue_id,
        detail,
        placement: placement(&delivery.via),
        received: vec![],
    };
    Proven::Landed(copy, source.host)
}

fn handled(tag: &Tag, queue_id: Option<String>, source: Source, handling: Handling, reply: String) -> Handled {
    Handled {
        tag: tag.clone(),
        log_host: source.host,
        at: source.at,
        queue_id,
        handling,
        next_host: None,
        next_address: None,
        next_queue_id: None,
        status: None,
        reply,
        detail: source.place,
    }
}

/// Where a copy is at rest, by the part of the platform that put it there.
fn placement(via: &str) -> Placement {
    match via {
        "junk" | "quarantine" => Placement::Junk,
        _ => Placement::Inbox,
    }
}

/// Address and port; the address alone where the log does not say the port.
fn socket(address: IpAddr, port: Option<u16>) -> String {
    match port {
        Some(port) => SocketAddr::new(address, port).to_string(),
        None => address.to_string(),
    }
}

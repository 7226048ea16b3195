//! From the newest header down, for as long as it is known who wrote what follows.

use std::net::IpAddr;

use jiff::SignedDuration;

use super::preset::{service_of_address, service_of_name};
use crate::inventory::Inventory;
use crate::mail::received::{Kind, Received};
use crate::record::Trust;

/// One header and what it is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it says.
    pub header: Received,
    /// The platform to which its writer belongs, or says that it does.
    pub platform: Option<String>,
    /// Whether it is proven who wrote it.
    pub trust: Trust,
    /// Why, in a sentence.
    pub why: String,
    /// How long after the hop before it, by the clocks of both; below zero where they disagree.
    pub delay: Option<SignedDuration>,
}

/// To whom a host belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    Platform(String),
    Service(&'static str),
}

impl Owner {
    fn spoken(&self) -> String {
        match self {
            Owner::Platform(name) => format!("`{name}`"),
            Owner::Service(name) => (*name).to_owned(),
        }
    }
}

/// Who can have written the next header.
#[derive(Clone, Debug)]
enum Next {
    /// Whoever put the message into the mailbox.
    Anyone,
    /// A host of this owner, since a trusted writer saw its address.
    HostOf { owner: Owner, seen: String, by: String, names: Vec<String> },
    /// The host itself, on which the message went round.
    Same { owner: Owner, host: String },
    /// Nobody knows, for this reason.
    Nobody(String),
}

/// Walks a chain, newest header first, and gives the steps in the same order.
pub fn walk(chain: &[Received], inventory: &Inventory) -> Vec<Step> {
    let mut next = Next::Anyone;
    let mut steps: Vec<Step> = vec![];
    for (index, header) in chain.iter().enumerate() {
        let owner = writer(header, inventory);
        let judged = judge(header, owner.as_ref(), &next);
        let (trust, why) = match judged {
            Ok((owner, why)) => {
                next = after(header, owner, inventory, &next);
                (Trust::Proven, why)
            }
            Err(why) => {
                let again = format!("it is below a header that is not proven: {why}");
                next = Next::Nobody(if let Next::Nobody(first) = &next { first.clone() } else { again });
                (Trust::Claimed, why)
            }
        };
        let delay = delay(header, chain.get(index + 1));
        let platform = owner.and_then(|owner| match owner {
            Owner::Platform(name) => Some(name),
            Owner::Service(_) => None,
        });
        steps.push(Step { header: header.clone(), platform, trust, why, delay });
    }
    steps
}

/// To whom the writer says that it belongs.
fn writer(header: &Received, inventory: &Inventory) -> Option<Owner> {
    let by = header.by.as_deref()?;
    of_name(by, inventory).or_else(|| by.parse().ok().and_then(|address| of_address(address, inventory)))
}

fn of_name(name: &str, inventory: &Inventory) -> Option<Owner> {
    let platform = inventory.of_name(name).map(|it| Owner::Platform(it.name.value.clone()));
    platform.or_else(|| service_of_name(name).map(|it| Owner::Service(it.name)))
}

fn of_address(address: IpAddr, inventory: &Inventory) -> Option<Owner> {
    let platform = inventory.of_address(address).map(|it| Owner::Platform(it.name.value.clone()));
    platform.or_else(|| service_of_address(address).map(|it| Owner::Service(it.name)))
}

/// Whose header it is and why that is sure; or why it is not.
fn judge(header: &Received, owner: Option<&Owner>, next: &Next) -> Result<(Owner, String), String> {
    if let Next::Nobody(why) = next {
        return Err(why.clone());
    }
    if header.kind == Kind::Unknown {
        return Err("nothing could be read of it".to_owned());
    }
    let by = header.by.as_deref().unwrap_or("its writer");
    match (next, owner) {
        (Next::Anyone, Some(owner)) => Ok((
            owner.clone(),
            format!("it is the newest header, written by {by} of {} as the message came to rest", owner.spoken()),
        )),
        (Next::Anyone, None) => Err(format!("it is the newest header, and {by} is in no platform of the inventory")),
        (Next::Same { owner, host }, written) => {
            let inside = header.by.is_none() || same(by, host) || same(by, "localhost") || written == Some(owner);
            match inside {
                true => Ok((owner.clone(), format!("the message went round inside of {host}, which is trusted"))),
                false => Err(format!("the message went round inside of {host}, and {by} is somebody else")),
            }
        }
        (Next::HostOf { owner, seen, by: witness, names }, written) => {
            let named = names.iter().any(|name| same(name, by));
            match written == Some(owner) || named {
                true => Ok((
                    owner.clone(),
                    format!("{witness} took the message from {seen}, which is of {}", owner.spoken()),
                )),
                false => Err(format!(
                    "{witness} took the message from {seen} of {}, and {by} is no host of that: something is missing between",
                    owner.spoken()
                )),
            }
        }
        (Next::Nobody(why), _) => Err(why.clone()),
    }
}

/// Who can have written what stands below a header that is trusted.
fn after(header: &Received, owner: Owner, inventory: &Inventory, before: &Next) -> Next {
    let by = header.by.clone().unwrap_or_else(|| match before {
        Next::Same { host, .. } => host.clone(),
        _ => "its writer".to_owned(),
    });
    if header.kind == Kind::Submission && header.from_ip.is_none_or(|address| address.is_loopback()) {
        return Next::Nobody(format!("the message was handed in at {by}: what stands below came with it"));
    }
    match header.from_ip {
        Some(address) if address.is_loopback() => Next::Same { owner, host: by },
        Some(address) => from_client(header, address, by, owner, inventory),
        // A step inside of one system, such as Gmail's own, or LMTP on the same host.
        None if header.kind == Kind::Internal || matches!(owner, Owner::Service(_)) => Next::Same { owner, host: by },
        None => Next::Nobody(format!("{by} does not say from whom it took the message")),
    }
}

fn from_client(header: &Received, address: IpAddr, by: String, own: Owner, inventory: &Inventory) -> Next {
    let names: Vec<String> = header.rdns.clone().into_iter().collect();
    let named = header.rdns.as_deref().and_then(|name| of_name(name, inventory));
    let owner = of_address(address, inventory).or(named);
    // Hosts of one service pass messages on over addresses that mean nothing outside of it.
    let inner = matches!(own, Owner::Service(_)) && is_private(address);
    match owner.or(inner.then_some(own)) {
        Some(owner) => Next::HostOf { owner, seen: seen(header, address), by, names },
        None => Next::Nobody(format!(
            "{by} took the message from {}, which is of no platform: whoever that is can write what stands below",
            seen(header, address)
        )),
    }
}

fn seen(header: &Received, address: IpAddr) -> String {
    match &header.rdns {
        Some(name) => format!("{name} [{address}]"),
        None => format!("[{address}]"),
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_unique_local(),
    }
}

fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'))
}

fn delay(header: &Received, before: Option<&Received>) -> Option<SignedDuration> {
    Some(header.time()?.duration_since(before?.time()?))
}

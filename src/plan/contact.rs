//! Every host and port that a run would contact.

use super::ControlProbe;
use crate::inventory::{Endpoint, Looks};
use crate::scenario::{LabHostKind, Scenario, SenderKind, TlsPolicy};

/// Something that a run would contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Where: host and port, or a description where DNS decides.
    pub place: String,
    /// What for.
    pub why: String,
    /// Whether it is known to be on this machine.
    pub reach: Reach,
}

/// How far away a contact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On this machine: loopback, or the lab.
    Loopback,
    /// Anywhere else, or not known without asking: needs `--live`.
    Remote,
}

/// Lists what a run would contact, each place once.
pub(super) fn contacts(scenario: &Scenario, controls: &[ControlProbe]) -> Vec<Contact> {
    let mut contacts: Vec<Contact> = vec![];
    let mut add = |place: String, why: String, reach: Reach| {
        if !contacts.iter().any(|known| known.place == place && known.why == why) {
            contacts.push(Contact { place, why, reach });
        }
    };
    for platform in scenario.inventory.platforms.values() {
        for collector in &platform.collectors {
            if let Looks::Imap(imap) = &collector.looks {
                let why = format!("look for mail of `{}` over IMAP", platform.name.value);
                add(imap.address.to_string(), why, reach(&imap.address));
            }
        }
    }
    match &scenario.lab {
        Some(lab) => {
            for host in lab.hosts.values() {
                match &host.kind {
                    LabHostKind::Real(real) => {
                        let why = format!("send to `{}` by SMTP", host.name.value);
                        add(real.address.to_string(), why, reach(&real.address));
                    }
                    _ => add(host.name.value.clone(), "send to it by SMTP, in the lab".to_owned(), Reach::Loopback),
                }
            }
        }
        None => {
            add("the DNS resolver, port 53".to_owned(), "look up MX hosts and addresses".to_owned(), Reach::Remote);
            add(
                format!("MX hosts of {}", scenario.domain.value),
                "send probes by SMTP, port 25".to_owned(),
                Reach::Remote,
            );
            if applies_mta_sts(scenario) {
                let host = Endpoint { host: format!("mta-sts.{}", scenario.domain.value), port: 443 };
                add(host.to_string(), "fetch the MTA-STS policy by HTTPS".to_owned(), Reach::Remote);
            }
            for control in controls {
                let why = format!("send a control probe for `{}` by SMTP", control.platform);
                let place = Endpoint { host: control.host.clone(), port: 25 };
                let far = reach(&place);
                add(place.to_string(), why, far);
            }
        }
    }
    contacts
}

/// Whether some sender fetches the policy of the domain.
fn applies_mta_sts(scenario: &Scenario) -> bool {
    scenario.senders.values().any(|sender| match &sender.kind {
        SenderKind::Mx(mx) => mx.tls_policy == TlsPolicy::MtaSts,
    })
}

fn reach(place: &Endpoint) -> Reach {
    if place.is_loopback() { Reach::Loopback } else { Reach::Remote }
}

//! Every host and port that a run would contact.

use super::ControlProbe;
use crate::inventory::{Endpoint, Log, LogSource, Looks};
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
            if let Some((place, how, far)) = looked_at(&collector.looks) {
                add(place, format!("look for mail of `{}` {how}", platform.name.value), far);
            }
        }
    }
    for proxy in scenario.proxies.values() {
        let place = proxy.control.split_once("://").map_or("", |(_, place)| place).trim_end_matches('/');
        let port = if proxy.control.starts_with("https:") { 443 } else { 80 };
        let place = place.parse().unwrap_or_else(|_| Endpoint { host: place.to_owned(), port });
        let why = format!("tell the standing proxy before `{}` about faults over HTTP", proxy.host.value);
        let far = reach(&place);
        add(place.to_string(), why, far);
    }
    for (name, sender) in &scenario.senders {
        if let Some(contact) = way_in(scenario, name, &sender.kind) {
            add(contact.place, contact.why, contact.reach);
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
            if scenario.senders.values().any(|sender| matches!(sender.kind, SenderKind::Mx(_))) {
                add(
                    format!("MX hosts of {}", scenario.domain.value),
                    "send probes by SMTP, port 25".to_owned(),
                    Reach::Remote,
                );
            }
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

/// What a collector contacts, how, and how far away that is; files are no contact.
fn looked_at(looks: &Looks) -> Option<(String, &'static str, Reach)> {
    match looks {
        Looks::Imap(imap) => Some((imap.address.to_string(), "over IMAP", reach(&imap.address))),
        Looks::Log(Log { from: LogSource::Command(words), .. }) => {
            let place = format!("whatever `{}` contacts", words.join(" "));
            Some((place, "in the log that it prints", reach_of_program(words)))
        }
        Looks::Syslog(syslog) => {
            // Nobody is called: whoever sends there comes to this machine.
            let place = format!("{}, where it listens", syslog.listen);
            Some((place, "in log lines that are sent here", Reach::Loopback))
        }
        Looks::Pop3(pop3) => Some((pop3.address.to_string(), "over POP3", reach(&pop3.address))),
        Looks::Jmap(jmap) => Some((jmap.url.place().to_string(), "over JMAP", reach(jmap.url.place()))),
        Looks::Catcher(catcher) => {
            let place = catcher.url.place();
            Some((place.to_string(), "over the HTTP API of a catcher", reach(place)))
        }
        Looks::Maildir(_) | Looks::Mbox(_) | Looks::Log(_) => None,
    }
}

/// Programs that only read what is on this machine.
const LOCAL_PROGRAMS: &[&str] = &["cat", "journalctl", "tail"];

fn reach_of_program(words: &[String]) -> Reach {
    let name = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    if LOCAL_PROGRAMS.contains(&name) { Reach::Loopback } else { Reach::Remote }
}

/// Whether some sender fetches the policy of the domain.
fn applies_mta_sts(scenario: &Scenario) -> bool {
    let applies = |kind: &SenderKind| matches!(kind, SenderKind::Mx(mx) if mx.tls_policy == TlsPolicy::MtaSts);
    scenario.senders.values().any(|sender| applies(&sender.kind))
}

fn reach(place: &Endpoint) -> Reach {
    if place.is_loopback() { Reach::Loopback } else { Reach::Remote }
}

/// What a sender contacts, where that is not the MX hosts. What a program does nobody knows.
fn way_in(scenario: &Scenario, name: &str, kind: &SenderKind) -> Option<Contact> {
    let runs = |program: &str| Contact {
        place: format!("the program `{program}`"),
        why: format!("send probes of `{name}`; what it contacts is its own doing"),
        reach: Reach::Remote,
    };
    match kind {
        SenderKind::Mx(_) => None,
        SenderKind::Sendmail(stated) => Some(runs(&stated.path.display().to_string())),
        SenderKind::Command(stated) => Some(runs(stated.run.first().map_or("", |word| word.as_str()))),
        SenderKind::Submission(_) | SenderKind::Relay(_) => {
            let address = &kind.server()?.address;
            let ours = scenario.lab.as_ref().is_some_and(|lab| lab.hosts.contains_key(&address.host));
            let (place, reach) =
                if ours { (address.host.clone(), Reach::Loopback) } else { (address.to_string(), reach(address)) };
            Some(Contact { place, why: format!("hand probes of `{name}` over, by SMTP"), reach })
        }
    }
}

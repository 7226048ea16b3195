//! Every host and port that a run would contact.

use super::ControlProbe;
use crate::inventory::{Endpoint, Log, LogSource, Looks};
use crate::scenario::{LabHostKind, Scenario};

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

fn reach(place: &Endpoint) -> Reach {
    if place.is_loopback() { Reach::Loopback } else { Reach::Remote }
}

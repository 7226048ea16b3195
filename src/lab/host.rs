//! What every lab host is and notes, whatever it does with mail.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use super::ledger::{Flight, InFlight, Tally, count};
use super::tags;
use super::up::Setting;
use crate::mail::Reply;
use crate::record::{Event, Handling, Landed, Passed, Placement, Tag};
use crate::smtp::server::{Answer, Envelope, received};

/// One host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) setting: Arc<Setting>,
    pub(super) tally: Tally,
    /// From 1, in the order in which hosts were started.
    pub(super) number: usize,
    pub(super) ids: Arc<AtomicU64>,
    pub(super) in_flight: InFlight,
}

/// A copy that a host has received whole.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) tags: Vec<Tag>,
}

/// What the next hop did with a copy, for the journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Next<'a> {
    pub(super) host: Option<&'a str>,
    pub(super) address: Option<SocketAddr>,
}

impl Host {
    /// The time of day.
    pub(super) fn now(&self) -> Timestamp {
        self.setting.journal.clock().now()
    }

    /// Receives a copy: its queue-id, time and tags.
    pub(super) fn receive(&self, envelope: &Envelope, message: &[u8]) -> Copy {
        Copy { id: self.queue_id(), at: self.now(), tags: tags::of(&self.setting.run, envelope, message) }
    }

    /// The message with this host's trace header on top.
    pub(super) fn traced(&self, envelope: &Envelope, copy: &Copy, message: &[u8]) -> Vec<u8> {
        let mut traced = received(envelope, &self.name, &copy.id, copy.at).into_bytes();
        traced.extend_from_slice(message);
        traced
    }

    /// Counts a copy as under way until the flight is dropped.
    pub(super) fn take_off(&self) -> Flight {
        self.in_flight.take_off()
    }

    /// Notes that a copy is at rest here.
    pub(super) fn note_landed(&self, copy: &Copy, received: &[String]) {
        for tag in &copy.tags {
            self.setting.journal.note(Event::Landed(Landed {
                tag: tag.clone(),
                platform: self.platform(),
                host: Some(self.name.clone()),
                collector: self.label(),
                at: copy.at,
                queue_id: Some(copy.id.clone()),
                detail: format!("in the store of {}", self.name),
                placement: Placement::Inbox,
                received: received.to_vec(),
            }));
        }
    }

    /// Notes what was done with a copy that is not kept.
    pub(super) fn note(&self, copy: &Copy, handling: Handling, next: &Next<'_>, reply: &Reply) {
        for tag in &copy.tags {
            self.setting.journal.note(Event::Passed(Passed {
                tag: tag.clone(),
                platform: self.platform(),
                host: Some(self.name.clone()),
                collector: self.label(),
                at: if handling == Handling::Took { copy.at } else { self.now() },
                queue_id: (!copy.id.is_empty()).then(|| copy.id.clone()),
                handling,
                next_host: next.host.map(str::to_owned),
                next_address: next.address.map(|address| address.to_string()),
                next_queue_id: reply
                    .queue_id()
                    .filter(|_| next.host.is_some() && reply.is_positive())
                    .map(str::to_owned),
                status: reply.status(),
                reply: reply.to_string(),
                detail: format!("seen by {} itself", self.name),
            }));
        }
    }

    /// Refuses a recipient: notes it, and gives the answer.
    pub(super) fn refuse(&self, envelope: &Envelope, recipient: &str, reply: Reply) -> Answer {
        let addresses = [envelope.from.clone(), recipient.to_owned()];
        let tags = tags::in_addresses(&self.setting.run, &addresses);
        count(&self.tally.refused);
        self.note(&Copy { id: String::new(), at: self.now(), tags }, Handling::Refused, &Next::default(), &reply);
        Answer::Say(reply)
    }

    /// The reply to a copy that was taken.
    pub(super) fn queued(copy: &Copy) -> Reply {
        Reply::new(250, format!("2.0.0 Ok: queued as {}", copy.id))
    }

    /// The platform that it belongs to; empty where the scenario names none.
    pub(super) fn platform(&self) -> String {
        self.setting.platforms.get(&self.name).cloned().unwrap_or_default()
    }

    /// Its name as a collector.
    pub(super) fn label(&self) -> String {
        format!("store {}", self.name)
    }

    /// Looks like a long queue-id of Postfix, and can be told from one by its first letters.
    fn queue_id(&self) -> String {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        format!("LAB{}z{}", letters(number, 7), letters(self.number as u64, 1))
    }
}

/// Postfix's digits: no vowels, so that no words come out; `z` parts the halves of an id.
const DIGITS: &[u8] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxy";

fn letters(mut number: u64, width: usize) -> String {
    let base = DIGITS.len() as u64;
    let mut text = vec![];
    while number > 0 || text.len() < width {
        text.push(DIGITS[(number % base) as usize] as char);
        number /= base;
    }
    text.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn ids_count_up_without_vowels() {
        assert_eq!(letters(0, 7), "0000000");
        assert_eq!(letters(10, 1), "B");
        assert_eq!(letters(51, 1), "10");
    }
}

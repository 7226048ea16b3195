//! A message in the queue of one host, from its arrival to its end.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::collect::log::{Client, Delivery, Event, Place, Queued, Refusal, State, What};

/// Queue-ids of fewer characters come again soon, and are told apart by their files where the log
/// names no host.
const LONG_ID: usize = 10;

/// One message under one queue-id.
#[derive(Debug)]
pub(super) struct Stay {
    pub(super) queue_id: String,
    /// The host, as the log names it.
    pub(super) host: Option<String>,
    pub(super) begun: Option<Timestamp>,
    pub(super) client: Option<Client>,
    pub(super) message_id: Option<String>,
    pub(super) sender: Option<String>,
    pub(super) recipients: Vec<String>,
    pub(super) expected: Option<usize>,
    pub(super) tries: Vec<Try>,
    /// Whether it is a notification about another message.
    pub(super) kind: Kind,
    progress: Progress,
}

/// One try, and where it is told.
#[derive(Debug)]
pub(super) struct Try {
    pub(super) delivery: Delivery,
    pub(super) at: Option<Timestamp>,
    pub(super) place: Place,
    /// Its place among all lines that were read.
    pub(super) order: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Mail,
    Notification,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    /// Only its client or its Message-ID was seen: it may never have been taken.
    #[default]
    Announced,
    Queued,
    Ended,
}

/// Whether a message is still in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Open,
    Left,
}

impl Stay {
    fn begin(queue_id: &str, event: &Event) -> Self {
        Self {
            queue_id: queue_id.to_owned(),
            host: event.host.clone(),
            begun: event.at,
            client: None,
            message_id: None,
            sender: None,
            recipients: vec![],
            expected: None,
            tries: vec![],
            kind: Kind::Mail,
            progress: Progress::Announced,
        }
    }

    /// Whether an event is of this stay, and not the first of another message with the same
    /// queue-id.
    fn goes_on_with(&self, what: &What) -> bool {
        let over = self.progress == Progress::Ended;
        match what {
            What::Begins(_) => false,
            What::Names(id) => self.message_id.as_ref().map_or(!over, |known| known == id),
            What::Queued(_) => !over,
            _ => true,
        }
    }

    fn learn(&mut self, event: Event, order: u64) {
        match event.what {
            What::Begins(client) => self.client = Some(client),
            What::Names(message_id) => self.message_id = Some(message_id),
            What::Queued(queued) => self.queued(queued),
            What::Tried(delivery) => self.tried(delivery, event.at, &event.place, order),
            What::Ends => self.progress = Progress::Ended,
            What::Refused(_) | What::Notified(_) => {}
        }
    }

    fn queued(&mut self, queued: Queued) {
        self.progress = Progress::Queued;
        self.client = queued.client.or(self.client.take());
        self.message_id = queued.message_id.or(self.message_id.take());
        self.expected = queued.expected.or(self.expected);
        if queued.sender.is_empty() {
            self.kind = Kind::Notification;
        }
        self.sender = Some(queued.sender);
        for recipient in queued.recipients {
            if !self.recipients.contains(&recipient) {
                self.recipients.push(recipient);
            }
        }
    }

    /// A try for nobody in particular is one for each recipient that is left.
    fn tried(&mut self, delivery: Delivery, at: Option<Timestamp>, place: &Place, order: u64) {
        let left = if delivery.recipient.is_empty() { self.left() } else { vec![] };
        let mut note = |delivery| self.tries.push(Try { delivery, at, place: place.clone(), order });
        if left.is_empty() {
            note(delivery);
        } else {
            left.into_iter().for_each(|recipient| note(Delivery { recipient, ..delivery.clone() }));
        }
    }

    /// The recipients that are known and have no final outcome.
    fn left(&self) -> Vec<String> {
        let mut left: Vec<String> = self.recipients.clone();
        for it in &self.tries {
            if !left.contains(&it.delivery.recipient) {
                left.push(it.delivery.recipient.clone());
            }
        }
        left.retain(|it| !it.is_empty() && !self.is_settled(it));
        left
    }

    fn is_settled(&self, recipient: &str) -> bool {
        let of = |it: &&Try| it.delivery.recipient == recipient || it.delivery.original.as_deref() == Some(recipient);
        self.tries.iter().rev().find(of).is_some_and(|it| it.delivery.state != State::Deferred)
    }

    /// Whether it is still in the queue, as far as the log goes.
    pub(super) fn presence(&self) -> Presence {
        if self.progress == Progress::Ended {
            return Presence::Left;
        }
        let mut settled: Vec<&str> = vec![];
        for it in &self.tries {
            let recipient = it.delivery.recipient.as_str();
            if !settled.contains(&recipient) && self.is_settled(recipient) {
                settled.push(recipient);
            }
        }
        let wanted = self.expected.unwrap_or(self.recipients.len()).max(1);
        if settled.len() >= wanted && self.left().is_empty() { Presence::Left } else { Presence::Open }
    }

    /// Whether it was in the queue at all.
    fn was_queued(&self) -> bool {
        self.progress == Progress::Queued || !self.tries.is_empty()
    }
}

/// A refusal, and where it is told.
#[derive(Debug)]
pub(super) struct Refusing {
    pub(super) refusal: Refusal,
    pub(super) at: Option<Timestamp>,
    pub(super) host: Option<String>,
    pub(super) place: Place,
}

/// All stays, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Stays {
    all: Vec<Stay>,
    /// The latest of each queue-id at each host.
    latest: HashMap<(Arc<str>, String), usize>,
    refusals: Vec<Refusing>,
    events: u64,
}

impl Stays {
    /// Takes an event in.
    pub(super) fn hear(&mut self, event: Event) {
        self.events += 1;
        let order = self.events;
        if let What::Refused(refusal) = event.what {
            let Event { at, host, place, .. } = event;
            return self.refusals.push(Refusing { refusal, at, host, place });
        }
        let Some(id) = event.queue_id.clone() else { return };
        if let What::Notified(notification) = &event.what {
            let notification = notification.clone();
            let at = self.of(&notification, &event);
            self.all[at].kind = Kind::Notification;
            self.all[at].sender.get_or_insert_default();
            return;
        }
        let at = self.of(&id, &event);
        self.all[at].learn(event, order);
    }

    /// The stay that an event is of.
    fn of(&mut self, id: &str, event: &Event) -> usize {
        let host: Arc<str> = match &event.host {
            Some(host) => host.as_str().into(),
            None if id.len() >= LONG_ID => "".into(),
            None => event.place.file.clone(),
        };
        let key = (host, id.to_owned());
        if let Some(at) = self.latest.get(&key)
            && self.all[*at].goes_on_with(&event.what)
        {
            return *at;
        }
        self.all.push(Stay::begin(id, event));
        self.latest.insert(key, self.all.len() - 1);
        self.all.len() - 1
    }

    /// The stays of messages that were taken, and the refusals.
    pub(super) fn finish(self) -> (Vec<Stay>, Vec<Refusing>) {
        (self.all.into_iter().filter(Stay::was_queued).collect(), self.refusals)
    }
}

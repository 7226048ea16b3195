//! Counts messages by who handed them over.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::Wanted;
use super::class::{Caches, Onward, class};
use super::row::{Census, Class, Row};
use crate::collect::log::{Client, Delivery, Event, Next, Reach, State, What};
use crate::trace::Platforms;

/// The most messages that are followed at a time; the oldest are counted as they are then.
const MAX_OPEN: usize = 100_000;

/// A message under way.
#[derive(Debug, Default)]
struct Arrival {
    begun: u64,
    at: Option<Timestamp>,
    place: String,
    client: Option<Client>,
    sender: Option<String>,
    ended: bool,
    /// Recipients by their addresses as they came, and what became of them.
    recipients: BTreeMap<String, Next>,
    /// The queue-id under which it goes on at this host: a content filter gave it back.
    inner: HashSet<String>,
}

/// What a row is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    class: Class,
    address: Option<IpAddr>,
    user: Option<String>,
    domain: String,
}

/// Messages so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    open: HashMap<(Option<String>, String), Arrival>,
    begun: u64,
    /// Complete ones.
    arrivals: Vec<(Arrival, Option<String>, String)>,
    refused: u64,
}

impl Counts {
    pub(super) fn hear(&mut self, event: Event) {
        if let What::Refused(_) = event.what {
            self.refused += 1;
            return;
        }
        let Some(id) = event.queue_id.clone() else { return };
        let key = (event.host.clone(), id);
        let again = self.open.get(&key).is_some_and(|it| it.ended || matches!(event.what, What::Begins(_)))
            && matches!(event.what, What::Begins(_) | What::Names(_) | What::Queued(_));
        if again {
            self.close(&key);
        }
        if !self.open.contains_key(&key) {
            self.begun += 1;
            let arrival =
                Arrival { begun: self.begun, at: event.at, place: event.place.to_string(), ..Arrival::default() };
            self.open.insert(key.clone(), arrival);
            if self.open.len() > MAX_OPEN {
                self.close_oldest();
            }
        }
        if let Some(arrival) = self.open.get_mut(&key) {
            arrival.learn(event.what);
        }
    }

    fn close(&mut self, key: &(Option<String>, String)) {
        if let Some(arrival) = self.open.remove(key)
            && arrival.sender.is_some()
        {
            self.arrivals.push((arrival, key.0.clone(), key.1.clone()));
        }
    }

    /// The older half, so that it is not done for each message.
    fn close_oldest(&mut self) {
        let mut begun: Vec<u64> = self.open.values().map(|it| it.begun).collect();
        begun.sort_unstable();
        let middle = begun[begun.len() / 2];
        let old: Vec<_> = self.open.iter().filter(|(_, it)| it.begun <= middle).map(|(key, _)| key.clone()).collect();
        old.iter().for_each(|key| self.close(key));
    }

    pub(super) fn finish(mut self, wanted: &Wanted<'_>, odd_lines: u64) -> Census {
        let keys: Vec<_> = self.open.keys().cloned().collect();
        keys.iter().for_each(|key| self.close(key));
        self.arrivals.sort_by_key(|(arrival, ..)| arrival.begun);
        // What a content filter or an alias made of a message that is counted already.
        let inner: HashSet<(Option<String>, String)> = self
            .arrivals
            .iter()
            .flat_map(|(arrival, host, _)| arrival.inner.iter().map(|id| (host.clone(), id.clone())))
            .collect();
        let cached_until = wanted
            .changed
            .and_then(|at| at.checked_add(SignedDuration::try_from(wanted.ttl).unwrap_or(SignedDuration::MAX)).ok());
        let mut rows = Rows { caches: Caches { until: cached_until }, all: HashMap::new(), messages: 0 };
        let platforms = Platforms::of(wanted.inventory);
        for (arrival, host, id) in self.arrivals {
            if !inner.contains(&(host, id)) {
                rows.count(&arrival, platforms);
            }
        }
        let mut senders: Vec<Row> = rows.all.into_values().collect();
        senders.sort_by(|a, b| b.messages.cmp(&a.messages).then_with(|| a.example.cmp(&b.example)));
        Census {
            platform: wanted.platform.to_owned(),
            changed: wanted.changed,
            cached_until,
            first_seen: senders.iter().filter_map(|it| it.first_seen).min(),
            last_seen: senders.iter().filter_map(|it| it.last_seen).max(),
            messages: rows.messages,
            refused: self.refused,
            senders,
            odd_lines,
        }
    }
}

impl Arrival {
    fn learn(&mut self, what: What) {
        match what {
            What::Begins(client) => self.client = Some(client),
            What::Queued(queued) => {
                self.client = queued.client.or(self.client.take());
                self.sender = Some(queued.sender);
                for recipient in queued.recipients {
                    self.recipients.entry(recipient).or_insert(Next::Nowhere);
                }
            }
            What::Tried(delivery) => self.tried(delivery),
            What::Ends => self.ended = true,
            _ => {}
        }
    }

    fn tried(&mut self, delivery: Delivery) {
        let inner = delivery.next.reach() == Reach::Here;
        if let Some(id) = delivery.next_queue_id.filter(|_| inner && delivery.state == State::Sent) {
            self.inner.insert(id);
        }
        let recipient = delivery.original.unwrap_or(delivery.recipient);
        if recipient.is_empty() {
            return;
        }
        self.recipients.insert(recipient, delivery.next);
    }
}

/// Rows so far.
struct Rows {
    caches: Caches,
    all: HashMap<Key, Row>,
    messages: u64,
}

impl Rows {
    fn count(&mut self, arrival: &Arrival, platforms: Platforms<'_>) {
        // Notifications of the platform itself are no mail that somebody sends here.
        let own = arrival.client.is_none() && arrival.sender.as_deref() == Some("");
        if own {
            return;
        }
        self.messages += 1;
        let mut counted: HashSet<Key> = HashSet::new();
        for (recipient, next) in &arrival.recipients {
            let onward = onward(next, platforms);
            let client = arrival.client.as_ref();
            let key = Key {
                class: class(client, onward, arrival.at, self.caches),
                address: client.and_then(|it| it.address),
                user: client.and_then(|it| it.user.clone().or_else(|| it.local_user.clone())),
                domain: domain(recipient),
            };
            let first = counted.insert(key.clone());
            let row = self.all.entry(key).or_insert_with_key(|key| row(key, arrival, platforms));
            row.recipients += 1;
            row.messages += u64::from(first);
            row.first_seen = [row.first_seen, arrival.at].into_iter().flatten().min();
            row.last_seen = [row.last_seen, arrival.at].into_iter().flatten().max();
        }
    }
}

/// A host of a known platform is where a backup MX hands its mail on, and no foreign place.
fn onward(next: &Next, platforms: Platforms<'_>) -> Onward {
    match next {
        Next::Host { name, address, .. }
            if next.reach() == Reach::Elsewhere && platforms.of_host(name.as_deref(), *address).is_none() =>
        {
            Onward::Elsewhere
        }
        _ => Onward::Here,
    }
}

fn row(key: &Key, arrival: &Arrival, platforms: Platforms<'_>) -> Row {
    let client = arrival.client.as_ref();
    let ptr = client.and_then(|it| it.name.clone());
    Row {
        class: key.class,
        address: key.address,
        client_platform: platforms.of_host(ptr.as_deref(), key.address).map(str::to_owned),
        ptr,
        helo: client.and_then(|it| it.helo.clone()),
        user: key.user.clone(),
        recipient_domain: key.domain.clone(),
        recipients: 0,
        messages: 0,
        first_seen: None,
        last_seen: None,
        example: arrival.place.clone(),
    }
}

fn domain(recipient: &str) -> String {
    recipient.rsplit_once('@').map_or("(local)", |(_, domain)| domain).to_ascii_lowercase()
}

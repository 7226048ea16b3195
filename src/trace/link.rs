//! From stays in queues to messages.
//!
//! Two stays are of one message where they have the same Message-ID, where one was `queued as` the
//! other, or where they bear the same tag and one of them does not tell its Message-ID. A
//! notification bears the tag of the probe that it speaks of as its recipient, and is a message of
//! its own.

use std::collections::HashMap;

use jiff::SignedDuration;

use super::message::{Hop, Message, Outcome, Refused, Status, Trace};
use super::select::{Selector, bears};
use super::stay::{Kind, Presence, Refusing, Stay, Try};
use super::{Wanted, platform::Platforms};
use crate::collect::log::{Line, Next, Place, State};
use crate::record::any_tag;

/// How far the clocks of two hosts may be apart for a queue-id to be the one that a reply named.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);

/// Puts the messages together, keeps the wanted ones, and counts.
pub(super) fn messages(stays: Vec<Stay>, refusals: Vec<Refusing>, wanted: &Wanted<'_>, odd_lines: u64) -> Trace {
    let tags: Vec<Option<String>> = stays.iter().map(|stay| tag(stay, wanted.selectors)).collect();
    let mut links = Links::of(&stays);
    links.join(&stays, &tags);
    let groups = links.groups();
    let platforms = Platforms::of(wanted.inventory);
    let mut trace = Trace { odd_lines, ..Trace::default() };
    for group in groups {
        if wanted.selectors.is_empty() || group.iter().any(|at| is_wanted(&stays[*at], &tags[*at], wanted.selectors)) {
            let open = group.iter().any(|at| stays[*at].presence() == Presence::Open);
            trace.open += usize::from(open);
            trace.messages.push(message(&group, &stays, &tags, &links, &platforms));
        }
    }
    let refusals = refusals.into_iter().filter(|it| is_refused(it, wanted.selectors));
    trace.refusals = refusals.map(|it| refused(it, &platforms)).collect();
    trace
}

/// The tag that a stay bears: a wanted one, or one of any run.
fn tag(stay: &Stay, selectors: &[Selector]) -> Option<String> {
    let own = stay.message_id.iter().chain(&stay.sender).map(String::as_str);
    let tried = stay.tries.iter().flat_map(|it| [Some(&it.delivery.recipient), it.delivery.original.as_ref()]);
    let recipients = stay.recipients.iter().chain(tried.flatten()).map(String::as_str);
    let recipients = recipients.filter(|_| stay.kind == Kind::Mail);
    let texts: Vec<&str> = own.chain(recipients).collect();
    let wanted = selectors.iter().filter_map(|it| if let Selector::Tag(tag) = it { Some(tag) } else { None });
    let mut named = wanted.filter(|tag| texts.iter().any(|text| bears(text, tag)));
    let of_any_run = || texts.iter().find_map(|text| any_tag(text.trim_start_matches('<'))).map(|it| it.to_string());
    named.next().cloned().or_else(of_any_run)
}

fn is_wanted(stay: &Stay, tag: &Option<String>, selectors: &[Selector]) -> bool {
    selectors.iter().any(|selector| match selector {
        Selector::Tag(wanted) => tag.as_ref() == Some(wanted),
        Selector::MessageId(wanted) => stay.message_id.as_deref().map(bare) == Some(wanted),
        Selector::QueueId(wanted) => stay.queue_id == *wanted,
    })
}

fn is_refused(refusing: &Refusing, selectors: &[Selector]) -> bool {
    let texts = [&refusing.refusal.sender, &refusing.refusal.recipient];
    let tagged = |it: &Selector| matches!(it, Selector::Tag(tag) if texts.iter().any(|text| bears(text, tag)));
    selectors.is_empty() || selectors.iter().any(tagged)
}

fn bare(message_id: &str) -> &str {
    message_id.trim_matches(['<', '>'])
}

/// Which stays are of one message, and which went on as which.
struct Links {
    parent: Vec<usize>,
    /// The stays under each queue-id.
    by_id: HashMap<String, Vec<usize>>,
    /// From a try (stay, number) to the stay that it became.
    followed: HashMap<(usize, usize), usize>,
    /// The stays that each stay went on as.
    onward: HashMap<usize, Vec<usize>>,
}

impl Links {
    fn of(stays: &[Stay]) -> Self {
        let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, stay) in stays.iter().enumerate() {
            by_id.entry(stay.queue_id.clone()).or_default().push(at);
        }
        Self { parent: (0..stays.len()).collect(), by_id, followed: HashMap::new(), onward: HashMap::new() }
    }

    fn join(&mut self, stays: &[Stay], tags: &[Option<String>]) {
        for (at, stay) in stays.iter().enumerate() {
            for (number, it) in stay.tries.iter().enumerate() {
                if let Some(next) = self.next(at, it, stays) {
                    self.followed.insert((at, number), next);
                    self.onward.entry(at).or_default().push(next);
                    self.unite(at, next);
                }
            }
        }
        let mut by_message_id: HashMap<&str, usize> = HashMap::new();
        let mut by_tag: HashMap<&str, usize> = HashMap::new();
        for (at, stay) in stays.iter().enumerate() {
            if let Some(id) = stay.message_id.as_deref().filter(|id| !bare(id).is_empty()) {
                let first = *by_message_id.entry(id).or_insert(at);
                self.unite(first, at);
            }
            let tag = tags[at].as_deref().filter(|_| stay.kind == Kind::Mail);
            if let Some(tag) = tag {
                let first = *by_tag.entry(tag).or_insert(at);
                if stay.message_id.is_none() || stays[first].message_id.is_none() {
                    self.unite(first, at);
                }
            }
        }
    }

    /// The stay that a try became: that of the queue-id which the reply named, nearest in time.
    fn next(&self, from: usize, it: &Try, stays: &[Stay]) -> Option<usize> {
        let id = it.delivery.next_queue_id.as_deref()?;
        let apart = |other: &usize| match (stays[*other].begun, it.at) {
            (Some(begun), Some(at)) => begun.duration_since(at).abs(),
            _ => SignedDuration::ZERO,
        };
        let others = self.by_id.get(id)?.iter().copied().filter(|other| *other != from);
        others.filter(|other| apart(other) <= WINDOW).min_by_key(apart)
    }

    fn root(&mut self, at: usize) -> usize {
        let mut root = at;
        while self.parent[root] != root {
            root = self.parent[root];
        }
        let mut at = at;
        while self.parent[at] != root {
            at = std::mem::replace(&mut self.parent[at], root);
        }
        root
    }

    fn unite(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.parent[one.max(other)] = one.min(other);
    }

    /// The stays of each message, in the order of their first ones.
    fn groups(&mut self) -> Vec<Vec<usize>> {
        let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
        for at in 0..self.parent.len() {
            let root = self.root(at);
            groups.entry(root).or_default().push(at);
        }
        let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
        groups.sort_by_key(|group| group[0]);
        groups
    }

    /// How many queues a stay comes behind in its message.
    fn depths(&self, group: &[usize]) -> HashMap<usize, usize> {
        let mut depths: HashMap<usize, usize> = group.iter().map(|at| (*at, 0)).collect();
        // As often as there are stays, at most: logs may claim circles.
        for _ in 0..group.len().min(64) {
            let links =
                group.iter().flat_map(|from| self.onward.get(from).into_iter().flatten().map(|to| (*from, *to)));
            let mut settled = true;
            for (from, to) in links {
                let deeper = depths.get(&from).copied().unwrap_or_default() + 1;
                if depths.get(&to).is_some_and(|depth| *depth < deeper) && deeper <= group.len() {
                    depths.insert(to, deeper);
                    settled = false;
                }
            }
            if settled {
                break;
            }
        }
        depths
    }
}

fn message(
    group: &[usize],
    stays: &[Stay],
    tags: &[Option<String>],
    links: &Links,
    platforms: &Platforms<'_>,
) -> Message {
    let depths = links.depths(group);
    let mut tries: Vec<(usize, usize)> =
        group.iter().flat_map(|at| (0..stays[*at].tries.len()).map(|number| (*at, number))).collect();
    tries.sort_by_key(|(at, number)| (depths[at], stays[*at].tries[*number].order));
    let mut ordered: Vec<usize> = group.to_vec();
    ordered.sort_by_key(|at| (depths[at], *at));
    let find = |what: &dyn Fn(&Stay) -> Option<String>| ordered.iter().find_map(|at| what(&stays[*at]));
    Message {
        message_id: find(&|stay| stay.message_id.clone()),
        tag: ordered.iter().find_map(|at| tags[*at].clone()),
        sender: find(&|stay| stay.sender.clone()),
        client: find(&|stay| stay.client.as_ref().map(|it| it.words.clone()).filter(|it| !it.is_empty())),
        outcome: outcome(&tries, stays, links),
        deliveries: tries.iter().map(|(at, number)| hop(&stays[*at], *number, platforms)).collect(),
    }
}

/// The last status of each recipient that did not go on elsewhere.
fn outcome(tries: &[(usize, usize)], stays: &[Stay], links: &Links) -> Outcome {
    let mut last: HashMap<(usize, &str), Status> = HashMap::new();
    for (at, number) in tries {
        let delivery = &stays[*at].tries[*number].delivery;
        let key = (*at, delivery.recipient.as_str());
        if links.followed.contains_key(&(*at, *number)) {
            last.remove(&key);
        } else {
            last.insert(key, status(delivery));
        }
    }
    let mut all: Vec<Outcome> = last.into_values().map(Outcome::from).collect();
    all.sort_unstable();
    all.dedup();
    match all.as_slice() {
        [] => Outcome::Open,
        [one] => *one,
        _ => Outcome::Mixed,
    }
}

fn status(delivery: &crate::collect::log::Delivery) -> Status {
    match (delivery.state, &delivery.next) {
        (State::Sent, Next::Here) => Status::Local,
        (State::Sent, _) => Status::Sent,
        (State::Deferred, _) => Status::Deferred,
        (State::Bounced, _) => Status::Bounced,
        (State::Expired, _) => Status::Expired,
        (State::Discarded, _) => Status::Discarded,
    }
}

fn hop(stay: &Stay, number: usize, platforms: &Platforms<'_>) -> Hop {
    let it = &stay.tries[number];
    let delivery = &it.delivery;
    let (host, address, port) = match &delivery.next {
        Next::Host { name, address, port } => (name.clone(), *address, *port),
        Next::Here | Next::Nowhere | Next::Unsaid => (None, None, None),
    };
    let platform = match &delivery.next {
        Next::Here => platforms.of_log(&it.place.file, stay.host.as_deref()),
        _ => platforms.of_host(host.as_deref(), address),
    };
    let (file, line) = place(&it.place);
    Hop {
        queue_id: stay.queue_id.clone(),
        by: stay.host.clone(),
        recipient: delivery.recipient.clone(),
        original_recipient: delivery.original.clone(),
        host,
        address,
        port,
        platform: platform.map(str::to_owned),
        status: status(delivery),
        code: delivery.status,
        reply: delivery.reply.clone(),
        next_queue_id: delivery.next_queue_id.clone(),
        at: it.at,
        file,
        line,
    }
}

fn refused(it: Refusing, platforms: &Platforms<'_>) -> Refused {
    let (file, line) = place(&it.place);
    Refused {
        platform: platforms.of_log(&it.place.file, it.host.as_deref()).map(str::to_owned),
        by: it.host,
        sender: it.refusal.sender,
        recipient: it.refusal.recipient,
        code: it.refusal.status,
        reply: it.refusal.reply,
        at: it.at,
        file,
        line,
    }
}

fn place(place: &Place) -> (String, u64) {
    let (Line::Number(line) | Line::Byte(line)) = place.line;
    (place.file.to_string(), line)
}

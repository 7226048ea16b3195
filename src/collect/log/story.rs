//! Ties the lines of a log to the probes that they speak of.
//!
//! ```text
//!   Message-ID, reverse-path, recipient ──tag──> queue-id ──> every later line of that queue-id
//! ```
//!
//! Queue-ids come again, so a story is over when its message has left the queue, and another one
//! begins when a client hands over the next. Tags in recipients prove less than the others: the
//! sender's own address holds the tag too, and a DSN goes there. So a message that is tied by its
//! recipient only is not told of before its sender is known, and never where that is nobody.

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::proof::{Happened, Proven, Source, prove};
use super::told::{Client, Delivery, Queued, Reach, Refusal, State, Told, What};
use crate::record::{RunId, Tag, find_tags};

/// The most messages that are followed at a time; older ones are forgotten.
const MAX_STORIES: usize = 20_000;
/// The most lines of a message that wait for its tag.
const MAX_WAITING: usize = 32;
/// How long it may take a content filter to answer the MTA that it has handed the message back to.
const UNCLEAR_LIMIT: SignedDuration = SignedDuration::from_secs(5);

/// The messages that are under way in one log.
#[derive(Debug)]
pub(super) struct Stories {
    run: RunId,
    open: HashMap<Key, Story>,
    /// In the order they began, to forget the oldest.
    order: VecDeque<(Key, u64)>,
    begun: u64,
    /// Those of which it is not clear yet whether they came from this host itself.
    unclear: Vec<Key>,
}

/// The host's own name and the queue-id: several hosts may write into one log.
type Key = (Option<String>, String);

#[derive(Debug, Default)]
struct Story {
    number: u64,
    tag: Option<Tag>,
    /// How sure it is that the message is the probe itself.
    tie: Tie,
    client: Option<Client>,
    message_id: Option<String>,
    sender: Option<String>,
    state: Progress,
    /// Whether it is said that the host took it.
    taken: bool,
    /// The queue-id under which it goes on at this host.
    handed_to: Option<String>,
    /// Lines from before the tag was known.
    waiting: Vec<(Source, Happened)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tie {
    /// It holds no tag so far.
    #[default]
    None,
    /// Only a recipient holds the tag, and the sender is not known.
    Recipient,
    /// It is the probe.
    Proven,
    /// It is a notification about one.
    Notification,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    #[default]
    Open,
    Over,
}

impl Stories {
    /// No messages yet; tags are those of `run`.
    pub(super) fn of(run: RunId) -> Self {
        Self { run, open: HashMap::new(), order: VecDeque::new(), begun: 0, unclear: vec![] }
    }

    /// Takes a line in; what it proves, and what earlier lines prove now.
    pub(super) fn hear(&mut self, source: Source, told: Told) -> Vec<Proven> {
        let Some(id) = told.queue_id else { return self.without_queue_id(&source, told.what) };
        let key = (source.host.clone(), id);
        self.begin_if_new(&key, &told.what);
        if let What::Notified(queue_id) = &told.what {
            let notification = (key.0, queue_id.clone());
            self.begin_if_new(&notification, &told.what);
            self.with(&notification, |story| story.tie = Tie::Notification);
            return vec![];
        }
        self.with(&key, |story| story.learn(&told.what));
        let tags = tags_in(&told.what, &self.run);
        self.with(&key, |story| story.tie_to(tags));
        let now = source.at;
        self.with(&key, |story| story.happen(source, told.what));
        let mut proven = self.tell(&key, now);
        proven.extend(self.settle(now));
        proven
    }

    /// What is clear as of `now` and was not told before.
    pub(super) fn settle(&mut self, now: Timestamp) -> Vec<Proven> {
        let unclear = std::mem::take(&mut self.unclear);
        unclear.into_iter().flat_map(|key| self.tell(&key, now)).collect()
    }

    fn with(&mut self, key: &Key, change: impl FnOnce(&mut Story)) {
        if let Some(story) = self.open.get_mut(key) {
            change(story);
        }
    }

    /// Begins a story where there is none, or where the queue-id stands for another message now.
    fn begin_if_new(&mut self, key: &Key, what: &What) {
        let same = self.open.get(key).is_some_and(|story| story.goes_on_with(what));
        if same {
            return;
        }
        self.begun += 1;
        self.open.insert(key.clone(), Story { number: self.begun, ..Story::default() });
        self.order.push_back((key.clone(), self.begun));
        while self.order.len() > MAX_STORIES {
            if let Some((oldest, number)) = self.order.pop_front()
                && self.open.get(&oldest).is_some_and(|story| story.number == number)
            {
                self.open.remove(&oldest);
            }
        }
    }

    /// A refusal before there was a queue-id.
    fn without_queue_id(&self, source: &Source, what: What) -> Vec<Proven> {
        let What::Refused(refusal) = what else { return vec![] };
        if is_nobody(&refusal.sender) {
            return vec![];
        }
        let envelope = [&refusal.sender, &refusal.recipient];
        let tag = envelope.into_iter().find_map(|text| find_tags(text, self.run.as_str()).next());
        tag.map(|tag| prove(&tag, None, source.clone(), Happened::Refused(refusal), None)).into_iter().collect()
    }

    /// What is proven of a message and was not told before, as of `now`.
    fn tell(&mut self, key: &Key, now: Timestamp) -> Vec<Proven> {
        let Some(story) = self.open.get_mut(key) else { return vec![] };
        let sure = story.tie == Tie::Proven || (story.tie == Tie::Recipient && story.state == Progress::Over);
        let Some(tag) = story.tag.clone().filter(|_| sure) else { return vec![] };
        let client = story.client.clone();
        let mut proven = vec![];
        for (source, what) in std::mem::take(&mut story.waiting) {
            match self.hop(key, &tag, &what) {
                Hop::Inner { next } => self.with(key, |story| story.handed_to = story.handed_to.take().or(next)),
                Hop::Unclear if now.duration_since(source.at) <= UNCLEAR_LIMIT => {
                    self.with(key, |story| story.waiting.push((source, what)));
                    self.unclear.push(key.clone());
                }
                _ => proven.push(prove(&tag, Some(&key.1), source, what, client.as_ref())),
            }
        }
        proven
    }

    /// Whether a line speaks of a hop inside of the host: a content filter on loopback that hands
    /// the message back, or an alias that makes a new message. The story goes on under the other
    /// queue-id, which is in the same log and tied to the same tag.
    fn hop(&self, key: &Key, tag: &Tag, what: &Happened) -> Hop {
        let mut others = self
            .open
            .iter()
            .filter(|((host, id), story)| *host == key.0 && *id != key.1 && story.tag.as_ref() == Some(tag));
        match what {
            Happened::Tried(Delivery { next, next_queue_id: Some(next_id), state: State::Sent, .. })
                if next.reach() == Reach::Here && others.any(|((_, id), _)| id == next_id) =>
            {
                Hop::Inner { next: Some(next_id.clone()) }
            }
            // A message that an alias made has no client at all.
            Happened::Took if self.open.get(key).is_some_and(|story| story.client.as_ref().is_none_or(is_here)) => {
                others.fold(Hop::Outer, |so_far, (_, other)| match (&so_far, &other.handed_to) {
                    (Hop::Inner { .. }, _) => so_far,
                    (_, Some(id)) if *id == key.1 => Hop::Inner { next: None },
                    (_, None) if other.state == Progress::Open => Hop::Unclear,
                    _ => so_far,
                })
            }
            _ => Hop::Outer,
        }
    }
}

/// Where a message came from, or went.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Hop {
    /// From or to another host, or a client.
    Outer,
    /// It stays on this host, under the queue-id `next`.
    Inner { next: Option<String> },
    /// It may be from this host itself: another message of the same probe is under way here.
    Unclear,
}

/// Whether mail from this sender is no probe: a DSN or a callout has none, and Postfix verifies
/// recipients in the name of the other.
fn is_nobody(sender: &str) -> bool {
    sender.is_empty() || sender.starts_with("double-bounce@")
}

fn is_here(client: &Client) -> bool {
    client.reach() == Reach::Here && client.local_user.is_none()
}

impl Story {
    /// Whether a line is of this message, and not the first of the next with the same queue-id.
    fn goes_on_with(&self, what: &What) -> bool {
        match what {
            What::Begins(_) => false,
            What::Names(message_id) => {
                self.state == Progress::Open && self.message_id.as_ref().is_none_or(|known| known == message_id)
            }
            What::Queued(_) => self.state == Progress::Open,
            _ => true,
        }
    }

    fn learn(&mut self, what: &What) {
        match what {
            What::Begins(client) => self.client = Some(client.clone()),
            What::Names(message_id) => self.message_id = Some(message_id.clone()),
            What::Queued(Queued { sender, client, message_id, .. }) => {
                self.client = client.clone().or(self.client.take());
                self.message_id = message_id.clone().or(self.message_id.take());
                self.sender = Some(sender.clone());
            }
            What::Ends => self.state = Progress::Over,
            _ => {}
        }
    }

    fn tie_to(&mut self, tags: Tags) {
        if self.sender.as_deref().is_some_and(is_nobody) {
            self.tie = Tie::Notification;
        }
        if self.tie == Tie::Notification {
            self.waiting.clear();
            return;
        }
        let proven = self.tie == Tie::Proven || tags.own.is_some() || self.sender.is_some();
        self.tag = self.tag.take().or(tags.own).or(tags.recipient);
        if self.tag.is_some() {
            self.tie = if proven { Tie::Proven } else { Tie::Recipient };
        }
    }

    fn happen(&mut self, source: Source, what: What) {
        let happened = match what {
            // Postfix says again that a message is active at every retry.
            What::Queued(_) if !std::mem::replace(&mut self.taken, true) => Happened::Took,
            What::Tried(delivery) => Happened::Tried(delivery),
            What::Refused(refusal) => Happened::Refused(refusal),
            _ => return,
        };
        if self.tie != Tie::Notification && self.waiting.len() < MAX_WAITING {
            self.waiting.push((source, happened));
        }
    }
}

/// The tags of a line: in what is the message's own, and in recipients.
#[derive(Debug, Default)]
struct Tags {
    own: Option<Tag>,
    recipient: Option<Tag>,
}

fn tags_in(what: &What, run: &RunId) -> Tags {
    let find = |text: &str| find_tags(text, run.as_str()).next();
    match what {
        What::Names(message_id) => Tags { own: find(message_id), recipient: None },
        What::Queued(Queued { sender, message_id, recipients, .. }) => Tags {
            own: find(sender).or_else(|| message_id.as_deref().and_then(find)),
            recipient: recipients.iter().find_map(|it| find(it)),
        },
        What::Tried(delivery) => Tags {
            own: None,
            recipient: find(&delivery.recipient).or_else(|| delivery.original.as_deref().and_then(find)),
        },
        What::Refused(Refusal { sender, recipient, .. }) => Tags { own: find(sender), recipient: find(recipient) },
        _ => Tags::default(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Piece, Reader};
    use crate::collect::testing::Bench;
    use crate::inventory::LogFormat;
    use crate::record::Handling;

    /// What a log proves, one line an event: handling or `landed`, queue-id, next queue-id.
    fn told(format: LogFormat, log: &str) -> Vec<String> {
        let bench = Bench::new();
        let tag = bench.run.probe(1);
        let mut reader = Reader::new(Path::new("log"), format, bench.notes());
        for (number, line) in (1..).zip(log.lines()) {
            let line = line.trim_start().replace("TAG", tag.as_str());
            reader.take(Piece::Line { number: Some(number), offset: 0, bytes: line.as_bytes() });
        }
        let passed = bench.passed().into_iter().map(|it| {
            let next = it.next_queue_id.map(|id| format!(" > {id}")).unwrap_or_default();
            (it.detail, format!("{} {}{next}", it.handling, it.queue_id.unwrap_or_default()))
        });
        let landed =
            bench.landed().into_iter().map(|it| (it.detail, format!("landed {}", it.queue_id.unwrap_or_default())));
        let mut all: Vec<_> = passed.chain(landed).collect();
        // Events of one line stay in their order; `log:12 by local` is of line 12.
        all.sort_by_key(|(detail, _)| {
            let line = detail.strip_prefix("log:").and_then(|it| it.split(' ').next());
            line.and_then(|it| it.parse::<usize>().ok())
        });
        all.into_iter().map(|(_, what)| what).collect()
    }

    fn postfix(log: &str) -> Vec<String> {
        let log: String = log.lines().map(|line| format!("Nov 21 05:42:24 mx1 postfix/{}\n", line.trim())).collect();
        told(LogFormat::Postfix, &log)
    }

    fn exim(log: &str) -> Vec<String> {
        let log: String = log.lines().map(|line| format!("2026-11-21 05:42:24 {}\n", line.trim())).collect();
        told(LogFormat::Exim, &log)
    }

    #[tokio::test]
    async fn a_probe_is_followed_by_its_queue_id() {
        let told = postfix(
            "smtpd[1]: 04D5B9CE948: client=unknown[10.99.0.10]
             cleanup[1]: 04D5B9CE948: message-id=<TAG@mxdrill.invalid>
             qmgr[1]: 04D5B9CE948: from=<mxdrill+TAG@s.example>, size=767, nrcpt=1 (queue active)
             smtp[1]: 04D5B9CE948: to=<a@b>, relay=x[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=4.4.2, status=deferred (no)
             qmgr[1]: 04D5B9CE948: from=<mxdrill+TAG@s.example>, size=767, nrcpt=1 (queue active)
             smtp[1]: 04D5B9CE948: to=<a@b>, relay=x[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 Ok: queued as F12DF84004)
             qmgr[1]: 04D5B9CE948: removed",
        );
        assert_eq!(told, ["took 04D5B9CE948", "deferred 04D5B9CE948", "relayed 04D5B9CE948 > F12DF84004"]);
    }

    #[tokio::test]
    async fn a_dsn_is_no_probe_although_it_goes_to_a_tagged_address() {
        let told = postfix(
            "cleanup[1]: 8DD699CE952: message-id=<TAG@mxdrill.invalid>
             qmgr[1]: 8DD699CE952: from=<mxdrill+TAG@s.example>, size=989, nrcpt=1 (queue active)
             smtp[1]: 8DD699CE952: to=<a@b>, relay=x[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=5.7.1, status=bounced (host said: 550 5.7.1 no)
             cleanup[1]: 94CA09CE956: message-id=<20261121050920.94CA09CE956@mx1>
             qmgr[1]: 94CA09CE956: from=<>, size=3194, nrcpt=1 (queue active)
             bounce[1]: 8DD699CE952: sender non-delivery notification: 94CA09CE956
             qmgr[1]: 8DD699CE952: removed
             local[1]: 94CA09CE956: to=<mxdrill+TAG@s.example>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)
             qmgr[1]: 94CA09CE956: removed",
        );
        assert_eq!(told, ["took 8DD699CE952", "bounced 8DD699CE952"]);
        let told = exim(
            "1xUdLp-00005b-1w <= <> R=1xUdLp-00005X-1W U=Debian-exim P=local S=2639
             1xUdLp-00005b-1w => mxdrill+TAG <mxdrill+TAG@s.example> R=local_user T=mail_spool
             1xUdLp-00005b-1w Completed",
        );
        assert!(told.is_empty(), "{told:?}");
    }

    #[tokio::test]
    async fn verification_of_a_recipient_is_no_probe() {
        let told = postfix(
            "cleanup[1]: 94CA09CE956: message-id=<2026.94CA09CE956@mx2>
             qmgr[1]: 94CA09CE956: from=<double-bounce@mx2>, size=200, nrcpt=1 (queue active)
             smtp[1]: 94CA09CE956: to=<probe+TAG@d.example>, relay=x[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=2.1.5, status=deliverable (250 Ok)
             smtpd[1]: NOQUEUE: reject: RCPT from mx2[1.2.3.5]: 450 4.2.0 later; from=<double-bounce@mx2> to=<probe+TAG@d.example> proto=ESMTP helo=<mx2>",
        );
        assert!(told.is_empty(), "{told:?}");
    }

    #[tokio::test]
    async fn a_queue_id_that_comes_again_is_another_message() {
        let told = postfix(
            "smtpd[1]: 04D5B9CE948: client=unknown[10.99.0.10]
             cleanup[1]: 04D5B9CE948: message-id=<TAG@mxdrill.invalid>
             qmgr[1]: 04D5B9CE948: from=<mxdrill+TAG@s.example>, size=767, nrcpt=1 (queue active)
             local[1]: 04D5B9CE948: to=<a@b>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)
             qmgr[1]: 04D5B9CE948: removed
             cleanup[1]: 04D5B9CE948: message-id=<other@x>
             qmgr[1]: 04D5B9CE948: from=<other@x>, size=767, nrcpt=1 (queue active)
             local[1]: 04D5B9CE948: to=<a@b>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)",
        );
        assert_eq!(told, ["took 04D5B9CE948", "landed 04D5B9CE948"]);
    }

    #[tokio::test]
    async fn a_content_filter_on_loopback_is_no_hop() {
        let told = postfix(
            "smtpd[1]: AAAAA9CE948: client=unknown[10.99.0.10]
             cleanup[1]: AAAAA9CE948: message-id=<TAG@mxdrill.invalid>
             qmgr[1]: AAAAA9CE948: from=<mxdrill+TAG@s.example>, size=767, nrcpt=1 (queue active)
             smtpd[2]: BBBBB9CE948: client=localhost[127.0.0.1]
             cleanup[1]: BBBBB9CE948: message-id=<TAG@mxdrill.invalid>
             qmgr[1]: BBBBB9CE948: from=<mxdrill+TAG@s.example>, size=967, nrcpt=1 (queue active)
             smtp[1]: AAAAA9CE948: to=<a@b>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as BBBBB9CE948)
             qmgr[1]: AAAAA9CE948: removed
             cleanup[1]: CCCCC9CE948: message-id=<TAG@mxdrill.invalid>
             local[1]: BBBBB9CE948: to=<a@b>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (forwarded as CCCCC9CE948)
             qmgr[1]: CCCCC9CE948: from=<mxdrill+TAG@s.example>, size=967, nrcpt=1 (queue active)
             lmtp[1]: CCCCC9CE948: to=<c@b>, relay=mx1[private/dovecot-lmtp], delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 <c@b> x75 Saved)",
        );
        assert_eq!(told, ["took AAAAA9CE948", "landed CCCCC9CE948"]);
    }

    #[tokio::test]
    async fn a_second_copy_from_loopback_is_taken_too() {
        let told = postfix(
            "smtpd[1]: AAAAA9CE948: client=localhost[127.0.0.1]
             cleanup[1]: AAAAA9CE948: message-id=<TAG@mxdrill.invalid>
             qmgr[1]: AAAAA9CE948: from=<mxdrill+TAG@s.example>, size=767, nrcpt=1 (queue active)
             smtpd[2]: BBBBB9CE948: client=localhost[127.0.0.1]
             cleanup[1]: BBBBB9CE948: message-id=<TAG@mxdrill.invalid>
             qmgr[1]: BBBBB9CE948: from=<mxdrill+TAG@s.example>, size=967, nrcpt=1 (queue active)
             local[1]: AAAAA9CE948: to=<c@b>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)
             qmgr[1]: AAAAA9CE948: removed
             local[1]: BBBBB9CE948: to=<c@b>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)",
        );
        assert_eq!(told, ["took AAAAA9CE948", "took BBBBB9CE948", "landed AAAAA9CE948", "landed BBBBB9CE948"]);
    }

    #[tokio::test]
    async fn a_message_that_is_tied_by_its_recipient_waits_for_its_sender() {
        let told = exim(
            r#"1xUdrk-00004T-18 >> probe+TAG@d.example R=r T=t H=x [1.2.3.4] C="250 OK id=10HmaY-000000005vi-0000"
             1xUdrk-00004T-18 <= mxdrill+TAG@s.example H=(h) [10.99.0.10] P=esmtp S=778 id=TAG@mxdrill.invalid
             1xUdrk-00004T-18 Completed
             1xUdrk-00004U-19 => probe+TAG@d.example R=r T=t H=x [1.2.3.4] C="250 OK"
             1xUdrk-00004U-19 Completed"#,
        );
        let expected =
            ["relayed 1xUdrk-00004T-18 > 10HmaY-000000005vi-0000", "took 1xUdrk-00004T-18", "relayed 1xUdrk-00004U-19"];
        assert_eq!(told, expected);
    }

    #[tokio::test]
    async fn refusals_are_told_without_a_queue_id() {
        let bench_line = "smtpd[1]: NOQUEUE: reject: RCPT from a[1.2.3.4]: 550 5.1.1 no; from=<mxdrill+TAG@s> to=<p@d> proto=ESMTP helo=<h>";
        assert_eq!(postfix(bench_line), [format!("{} ", Handling::Refused)]);
        let line = "H=(d) [10.99.0.10] F=<mxdrill+TAG@s> rejected RCPT <n@b>: Unrouteable address";
        assert_eq!(exim(line), [format!("{} ", Handling::Refused)]);
    }
}

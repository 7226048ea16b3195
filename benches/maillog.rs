//! Writes a Postfix log as a busy gateway has it: `maillog PATH MIB TAGS SEED`.
//!
//! Every message has its seven lines or more, of several hosts' work at the same time; one in twelve is
//! deferred for a while first. A thousand probes of one run
//! are strewn in, and their tags go to `TAGS`, one a line. The same seed writes the same bytes.

#![allow(clippy::expect_used)] // a program for measuring may stop anywhere

use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};

/// How many probes are in it.
const PROBES: u64 = 1000;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|it| it != "--bench").collect();
    let [_, path, mib, tags, seed] = arguments.as_slice() else { return };
    let size = mib.parse::<u64>().expect("a number") << 20;
    let mut dice = Dice(seed.parse().expect("a number"));
    let mut out = BufWriter::new(File::create(path).expect("created"));
    let mut tags = BufWriter::new(File::create(tags).expect("created"));
    let mut waiting: BinaryHeap<(std::cmp::Reverse<u64>, u64, String)> = BinaryHeap::new();
    // A message has about 1060 bytes of log.
    let every = (size / 1060 / PROBES).max(1);
    let (mut written, mut micros, mut message, mut probes) = (0, 0, 0_u64, 0);
    while written < size {
        micros += 1000 + dice.below(40_000);
        message += 1;
        let tag = (message % every == every / 2 && probes < PROBES).then(|| {
            probes += 1;
            format!("7k3f9x2mqa01-{probes:05}")
        });
        if let Some(tag) = &tag {
            writeln!(tags, "{tag}").expect("written");
        }
        for (number, (at, line)) in (0..).zip(lines(&mut dice, micros, tag.as_deref())) {
            waiting.push((std::cmp::Reverse(at), u64::MAX - number, line));
        }
        while waiting.peek().is_some_and(|(at, ..)| at.0 <= micros) {
            let Some((at, _, line)) = waiting.pop() else { break };
            let whole = format!("{} mx1 postfix/{line}\n", stamp(at.0));
            written += whole.len() as u64;
            out.write_all(whole.as_bytes()).expect("written");
        }
    }
    out.flush().expect("written");
}

/// From midnight of 21 November on.
fn stamp(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    let (day, hour) = (1 + seconds / 86_400, seconds / 3600 % 24);
    format!(
        "2026-11-{:02}T{hour:02}:{:02}:{:02}.{:06}+00:00",
        day.min(30),
        seconds / 60 % 60,
        seconds % 60,
        micros % 1_000_000
    )
}

fn id(dice: &mut Dice) -> String {
    format!("{:05X}{:06X}", dice.below(1 << 20), dice.below(1 << 24))
}

/// The lines of one message with their times.
fn lines(dice: &mut Dice, begun: u64, tag: Option<&str>) -> Vec<(u64, String)> {
    let (queue_id, pid) = (id(dice), 1000 + dice.below(30_000));
    let user = format!("user{:05}", dice.below(60_000));
    let (sender, message_id) = match tag {
        Some(tag) => (format!("mxdrill+{tag}@sender.example"), format!("{tag}@mxdrill.invalid")),
        None => (
            format!("{user}@client{}.example", dice.below(900)),
            format!("{:016x}.{:08x}@client.example", dice.next(), dice.below(1 << 32)),
        ),
    };
    let (a, b) = (dice.below(250), dice.below(250));
    let (recipient, host) =
        (format!("rcpt{}@domain{}.example", dice.below(9000), a), format!("mx{}.domain{a}.example", 1 + b % 2));
    let mut at = begun;
    let mut all = vec![];
    let mut say = |after: u64, line: String| {
        at += after;
        all.push((at, line));
    };
    let client = format!("mail{b}.client{a}.example[198.51.{a}.{b}]");
    say(0, format!("smtpd[{pid}]: connect from {client}"));
    say(1 + dice.below(60_000), format!("smtpd[{pid}]: {queue_id}: client={client}"));
    say(dice.below(20_000), format!("cleanup[{}]: {queue_id}: message-id=<{message_id}>", pid + 1));
    say(
        dice.below(90_000),
        format!("qmgr[711]: {queue_id}: from=<{sender}>, size={}, nrcpt=1 (queue active)", 900 + dice.below(90_000)),
    );
    say(
        dice.below(500),
        format!("smtpd[{pid}]: disconnect from {client} ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7"),
    );
    if dice.below(12) == 0 {
        say(
            dice.below(30_000_000),
            format!(
                "smtp[{}]: {queue_id}: to=<{recipient}>, relay={host}[203.0.{a}.{b}]:25, delay=1.2, delays=0.1/0/0.6/0.5, dsn=4.7.1, status=deferred (host {host}[203.0.{a}.{b}] said: 451 4.7.1 Greylisted, please try again later (in reply to RCPT TO command))",
                pid + 2
            ),
        );
        say(
            300_000_000 + dice.below(300_000_000),
            format!("qmgr[711]: {queue_id}: from=<{sender}>, size=4711, nrcpt=1 (queue active)"),
        );
    }
    let mut last = String::new();
    let _ = write!(
        last,
        "smtp[{}]: {queue_id}: to=<{recipient}>, relay={host}[203.0.{a}.{b}]:25, delay=0.{}, delays=0.05/0.01/0.12/0.2, ",
        pid + 3,
        dice.below(90)
    );
    let _ = write!(last, "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {})", id(dice));
    say(dice.below(2_000_000), last);
    say(dice.below(900), format!("qmgr[711]: {queue_id}: removed"));
    all
}

//! The logs of real servers against what the servers at the other end saw
//! (`tests/data/logs/README.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::*;
use crate::collect::testing::Bench;
use crate::record::{Handling, Passed, TAG_HEADER, Tag};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/logs").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).expect("the corpus is there")
}

/// Probe names and the tags that stand for them here.
struct Names {
    bench: Bench,
    tags: BTreeMap<String, Tag>,
}

impl Names {
    fn of(logs: &[&str]) -> Self {
        let bench = Bench::new();
        let found: BTreeSet<String> = logs.iter().flat_map(|log| message_ids(log)).collect();
        let tags = (1..).zip(found).map(|(number, name)| (name, bench.run.probe(number))).collect();
        Self { bench, tags }
    }

    /// The text with tags for names, long names first, since some begin alike.
    fn tagged(&self, text: &str) -> String {
        let mut names: Vec<_> = self.tags.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        names.iter().fold(text.to_owned(), |text, (name, tag)| text.replace(name.as_str(), tag.as_str()))
    }

    fn tag(&self, name: &str) -> Tag {
        self.tags[name].clone()
    }

    fn hear(&self, format: LogFormat, log: &str) {
        let mut reader = Reader::new(Path::new("log"), format, self.bench.notes());
        for (number, line) in (1..).zip(self.tagged(log).lines()) {
            reader.take(Piece::Line { number: Some(number), offset: 0, bytes: line.as_bytes() });
        }
    }

    fn passed(&self, handling: Handling) -> Vec<Passed> {
        self.bench.passed().into_iter().filter(|passed| passed.handling == handling).collect()
    }

    fn landed(&self) -> Vec<(Tag, String)> {
        let mut landed: Vec<_> =
            self.bench.landed().into_iter().map(|it| (it.tag, it.queue_id.unwrap_or_default())).collect();
        landed.sort();
        landed
    }
}

fn message_ids(log: &str) -> Vec<String> {
    let ids = log.split(['<', '=', ' ', '>', '\n']).filter_map(|word| word.strip_suffix("@drill"));
    ids.map(str::to_owned).collect()
}

/// What the scripted servers accepted from one sender: probe, address and queue-id.
fn accepted(sender: &str, kind: &str) -> Vec<(String, String, String)> {
    let text = text("accepted.tsv");
    let rows = text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let rows = rows.filter(|row| row[0] == sender && row[4] == kind);
    rows.map(|row| (row[1].to_owned(), row[2].to_owned(), row[3].to_owned())).collect()
}

fn relays_are_what_the_other_servers_accepted(sender: &str, format: LogFormat, log: &str) {
    let log = text(log);
    let names = Names::of(&[&log]);
    names.hear(format, &log);
    let truth: BTreeSet<_> = accepted(sender, "probe")
        .into_iter()
        .map(|(name, address, id)| (names.tag(&name), format!("{address}:25"), id))
        .collect();
    let ours: Vec<_> = names
        .passed(Handling::Relayed)
        .into_iter()
        .map(|it| (it.tag, it.next_address.unwrap_or_default(), it.next_queue_id.unwrap_or_default()))
        .filter(|(_, address, _)| address.starts_with("10.99.1.") || address.starts_with("10.99.2."))
        .collect();
    assert_eq!(ours.len(), ours.iter().collect::<BTreeSet<_>>().len(), "each exactly once");
    assert_eq!(ours.into_iter().collect::<BTreeSet<_>>(), truth);
    assert!(truth.len() > 70, "{}", truth.len());
    let bounces: Vec<String> = accepted(sender, "bounce").into_iter().map(|(_, _, id)| id).collect();
    assert!(bounces.len() > 5);
    let told = names.bench.passed();
    assert!(told.iter().all(|it| it.next_queue_id.as_ref().is_none_or(|id| !bounces.contains(id))), "no DSN is a copy");
}

#[tokio::test]
async fn postfix_relays_are_what_the_other_servers_accepted() {
    relays_are_what_the_other_servers_accepted("postfix", LogFormat::Postfix, "postfix/default.log");
    relays_are_what_the_other_servers_accepted("postfix", LogFormat::Postfix, "postfix/default.classic.log");
}

#[tokio::test]
async fn exim_relays_are_what_the_other_servers_accepted() {
    relays_are_what_the_other_servers_accepted("exim", LogFormat::Exim, "exim/default.log");
}

/// How the lines of a log look that speak of probes, to count them by other means.
struct Marks {
    format: LogFormat,
    /// The message is in the queue.
    queued: &'static [&'static str],
    /// It was delivered, or refused for good.
    ended: &'static [&'static [&'static str]],
    /// Of a line that is about a DSN.
    dsn: &'static str,
}

const POSTFIX: Marks = Marks {
    format: LogFormat::Postfix,
    queued: &["/qmgr[", ": from=<probe@", "(queue active)"],
    ended: &[&["status=sent"], &["status=bounced"]],
    dsn: "to=<probe@bounce.",
};

const EXIM: Marks = Marks {
    format: LogFormat::Exim,
    queued: &[" <= probe@"],
    ended: &[&[" => "], &[" -> "], &[" ** "]],
    dsn: "> probe@bounce.",
};

/// Every message is taken once, and each of its deliveries is told once.
fn nothing_gets_lost(marks: &Marks, log: &str) {
    let log = text(log);
    let names = Names::of(&[&log]);
    names.hear(marks.format, &log);
    let queued = log.lines().filter(|line| marks.queued.iter().all(|mark| line.contains(mark)));
    assert_eq!(names.passed(Handling::Took).len(), queued.count());
    let ends = |line: &str| marks.ended.iter().any(|all| all.iter().all(|mark| line.contains(mark)));
    let ended: Vec<&str> = log.lines().filter(|line| ends(line) && !line.contains(marks.dsn)).collect();
    let told = [Handling::Relayed, Handling::Bounced, Handling::Discarded].map(|handling| names.passed(handling).len());
    assert_eq!(told.iter().sum::<usize>() + names.landed().len(), ended.len());
    assert!(ended.len() > 15);
}

#[tokio::test]
async fn every_message_is_accounted_for() {
    nothing_gets_lost(&POSTFIX, "postfix/default.log");
    nothing_gets_lost(&POSTFIX, "postfix/default.classic.log");
    nothing_gets_lost(&POSTFIX, "postfix/receive.log");
    nothing_gets_lost(&EXIM, "exim/default.log");
    nothing_gets_lost(&EXIM, "exim/receive.log");
}

fn bounces_are_told(marks: &Marks, log: &str, bounce: &str, code: &dyn Fn(&str) -> String) {
    let log = text(log);
    let names = Names::of(&[&log]);
    names.hear(marks.format, &log);
    let bounced = names.passed(Handling::Bounced);
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(bounce)).collect();
    assert_eq!(bounced.len(), lines.len());
    assert!(bounced.len() > 5);
    for (told, line) in bounced.iter().zip(lines) {
        let status = told.status.expect("a code");
        assert_eq!(status.class, 5);
        assert!(line.contains(&code(&status.to_string())), "{line}");
    }
}

#[tokio::test]
async fn bounces_are_told_with_their_code() {
    bounces_are_told(&POSTFIX, "postfix/default.log", "status=bounced", &|code| format!("dsn={code},"));
    bounces_are_told(&EXIM, "exim/default.log", " ** ", &|code| format!(" {code} "));
}

/// The probes in a mailbox: name, and the queue-id of its newest header.
fn mailbox(names: &Names, mbox: &str) -> Vec<(Tag, String)> {
    let text = text(mbox).replace("X-Drill-Probe", TAG_HEADER);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mbox");
    std::fs::write(&path, names.tagged(&text)).expect("written");
    let bench = Bench { since: Since::Ever, ..Bench::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let looks = crate::inventory::Looks::Mbox(path);
        bench.open(looks).await.expect("it opens").close().await;
    });
    let found = bench.landed().into_iter().map(|it| (it.tag, it.queue_id.unwrap_or_default()));
    let mut found: Vec<_> = found.collect();
    found.sort();
    found
}

fn deliveries_are_in_the_mailbox(format: LogFormat, log: &str, mbox: &str, elsewhere: &[(&str, usize)]) {
    let log = text(log);
    let names = Names::of(&[&log]);
    names.hear(format, &log);
    let mut expected = mailbox(&names, mbox);
    assert_eq!(expected.len(), 7);
    let mut ours = names.landed();
    for (name, count) in elsewhere {
        for _ in 0..*count {
            let at = ours.iter().position(|(tag, _)| *tag == names.tag(name)).expect("it landed");
            ours.remove(at);
        }
    }
    expected.sort();
    assert_eq!(ours, expected);
}

#[test]
fn deliveries_of_exim_are_in_the_mailbox() {
    // It had a second recipient, `root`.
    deliveries_are_in_the_mailbox(LogFormat::Exim, "exim/receive.log", "exim/receive.mbox", &[("r39743-exim-two", 1)]);
}

#[test]
fn deliveries_of_postfix_are_in_the_mailbox_or_with_dovecot() {
    let saved = text("postfix/receive.dovecot.log");
    let saved: Vec<String> = saved.lines().filter(|line| line.contains("saved mail")).flat_map(message_ids).collect();
    assert_eq!(saved.len(), 6);
    let mut elsewhere: Vec<(&str, usize)> = saved.iter().map(|name| (name.as_str(), 1)).collect();
    elsewhere.push(("r39743-postfix-two", 1));
    deliveries_are_in_the_mailbox(LogFormat::Postfix, "postfix/receive.log", "postfix/receive.mbox", &elsewhere);
}

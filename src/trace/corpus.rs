//! The logs of real servers against what the servers at the other end saw
//! (`tests/data/logs/README.md`).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/logs").join(name)
}

fn traced(names: &[&str], format: LogFormat) -> Trace {
    let files: Vec<PathBuf> = names.iter().map(|name| file(name)).collect();
    let now = "2026-11-21T06:00:00Z".parse().expect("a time");
    let wanted = Wanted { files: &files, format, selectors: &[], inventory: None, now };
    trace(&wanted).expect("the corpus is there")
}

/// What the scripted servers accepted of a sender: address, queue-id and recipient.
fn accepted(sender: &str) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(file("accepted.tsv")).expect("the truth is there");
    let rows = text.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    let rows = rows.filter(|row| row[0] == sender);
    rows.map(|row| (row[2].to_owned(), row[3].to_owned(), row.get(5).copied().unwrap_or_default().to_owned())).collect()
}

/// Deliveries to the scripted servers that succeeded.
fn sent(trace: &Trace) -> Vec<&Hop> {
    let hops = trace.messages.iter().flat_map(|message| &message.deliveries);
    let scripted = |hop: &&Hop| {
        hop.address.is_none_or(|it| ["10.99.1.", "10.99.2."].iter().any(|net| it.to_string().starts_with(net)))
    };
    hops.filter(|hop| hop.status == Status::Sent).filter(scripted).collect()
}

fn hops_are_what_was_accepted(sender: &str, log: &str) {
    for format in [LogFormat::Auto, sender.parse().expect("a format")] {
        let trace = traced(&[log], format);
        let ours: BTreeSet<(String, String)> = sent(&trace)
            .into_iter()
            .map(|hop| {
                (
                    hop.address.map(|it| it.to_string()).unwrap_or_default(),
                    hop.next_queue_id.clone().unwrap_or_default(),
                )
            })
            .collect();
        let truth: BTreeSet<(String, String)> =
            accepted(sender).into_iter().map(|(address, id, _)| (address, id)).collect();
        assert!(truth.len() > 60, "{sender}: {}", truth.len());
        assert_eq!(ours, truth, "{sender} {format}");
    }
}

#[test]
fn the_next_hops_of_every_log_that_names_them_are_what_the_other_servers_accepted() {
    hops_are_what_was_accepted("sendmail", "sendmail/default.log");
    hops_are_what_was_accepted("opensmtpd", "opensmtpd/default.log");
    hops_are_what_was_accepted("courier", "courier/default.log");
    // Their truth has no notifications, whose names are not those of probes.
    for (sender, log) in
        [("postfix", "postfix/default.log"), ("postfix", "postfix/default.classic.log"), ("exim", "exim/default.log")]
    {
        let trace = traced(&[log], LogFormat::Auto);
        let ours: BTreeSet<&str> = sent(&trace).into_iter().filter_map(|hop| hop.next_queue_id.as_deref()).collect();
        let truth = accepted(sender);
        assert!(truth.iter().all(|(_, id, _)| ours.contains(id.as_str())), "{log}");
        assert_eq!(ours.len(), truth.len(), "{log}");
    }
}

#[test]
fn a_log_without_next_queue_ids_still_tells_the_address() {
    let ours = traced(&["dma/default.log"], LogFormat::Auto);
    let ours: BTreeSet<(String, String)> = sent(&ours)
        .into_iter()
        .map(|hop| (hop.address.map(|it| it.to_string()).unwrap_or_default(), hop.recipient.clone()))
        .collect();
    let truth: BTreeSet<(String, String)> =
        accepted("dma").into_iter().map(|(address, _, recipient)| (address, recipient)).collect();
    // A server that took the message and closed before its reply was seen took a second copy.
    let unseen: Vec<_> = truth.difference(&ours).collect();
    assert!(
        unseen.iter().all(|(_, recipient)| recipient.contains("-dot-") || recipient.contains("-drop-after-")),
        "{unseen:?}"
    );
    assert_eq!(ours.difference(&truth).filter(|(address, _)| address.starts_with("10.99.")).count(), 0);
}

#[test]
fn a_log_without_next_hops_tells_that_messages_left() {
    let trace = traced(&["chasquid/default.log"], LogFormat::Auto);
    let ours: BTreeSet<&str> = sent(&trace).into_iter().map(|hop| hop.recipient.as_str()).collect();
    let truth = accepted("chasquid");
    assert!(truth.len() > 60);
    assert!(
        truth.iter().all(|(_, _, recipient)| ours.contains(recipient.as_str()) || recipient.contains("rcpt2-")),
        "{ours:?}"
    );
    assert!(sent(&trace).iter().all(|hop| hop.host.is_none() && hop.platform.is_none()));
}

/// How many lines of a log hold all of these.
fn count(log: &str, marks: &[&str]) -> usize {
    let text = std::fs::read_to_string(file(log)).expect("the corpus is there");
    text.lines().filter(|line| marks.iter().all(|mark| line.contains(mark))).count()
}

#[test]
fn every_message_that_enters_leaves_or_is_said_to_be_open() {
    for (log, entered) in [
        ("postfix/default.log", count("postfix/default.log", &["cleanup[", "message-id="])),
        ("postfix/default.classic.log", count("postfix/default.log", &["cleanup[", "message-id="])),
        ("postfix/receive.log", count("postfix/receive.log", &["cleanup[", "message-id="])),
        ("exim/default.log", count("exim/default.log", &[" <= "])),
        ("exim/receive.log", count("exim/receive.log", &[" <= "])),
        (
            "sendmail/default.log",
            count("sendmail/default.log", &[": from=<", "msgid="]) + count("sendmail/default.log", &[": DSN: "]),
        ),
        ("opensmtpd/default.log", count("opensmtpd/default.log", &[" smtp message msgid="])),
        ("opensmtpd/receive.log", count("opensmtpd/receive.log", &[" smtp message msgid="])),
        (
            "chasquid/default.log",
            // Its notifications are not said to be queued.
            count("chasquid/default.log", &[" queued ip="]) + count("chasquid/default.log", &[" failed (permanent)"]),
        ),
        ("chasquid/receive.log", count("chasquid/receive.log", &[" queued ip="])),
        ("courier/default.log", count("courier/default.log", &["newmsg,id="])),
        ("dma/default.log", count("dma/default.log", &[" queued as "])),
    ] {
        let (stays, _) = heard(log);
        assert_eq!(stays.len(), entered, "{log}: each stay in the queue is one message that entered");
        let trace = traced(&[log], LogFormat::Auto);
        let waits = |it: &&Message| matches!(it.outcome, Outcome::Open | Outcome::Deferred);
        let waiting = trace.messages.iter().filter(waits).count();
        assert!(waiting <= trace.open, "{log}: {waiting} wait, {} are open", trace.open);
        let left = trace.messages.len() - trace.open;
        let settled = trace.messages.iter().filter(|it| !waits(it)).count();
        assert!(left <= settled, "{log}: {left} left, {settled} have an outcome");
    }
}

fn heard(log: &str) -> (Vec<stay::Stay>, Vec<stay::Refusing>) {
    let mut stays = Stays::default();
    let now = "2026-11-21T06:00:00Z".parse().expect("a time");
    events(&[file(log)], LogFormat::Auto, now, &mut |event| stays.hear(event)).expect("read");
    stays.finish()
}

#[test]
fn a_message_is_followed_into_the_store_behind_the_mta() {
    let trace = traced(&["postfix/receive.log", "postfix/receive.dovecot.log"], LogFormat::Auto);
    let message = trace.messages.iter().find(|it| it.message_id.as_deref() == Some("<r39743-postfix-to-lmtp@drill>"));
    let message = message.expect("it is there");
    let hops: Vec<(&str, Status)> = message.deliveries.iter().map(|it| (it.queue_id.as_str(), it.status)).collect();
    assert_eq!(hops, [("379D39CE952", Status::Local), ("aNGpDUIvAWuBAAAAhg/1YA", Status::Local)]);
    assert_eq!(message.outcome, Outcome::Local);
}

#[test]
fn one_message_id_that_came_twice_is_one_message_with_both_queue_ids() {
    let trace = traced(&["postfix/receive.log"], LogFormat::Auto);
    let twice = trace.messages.iter().find(|it| it.message_id.as_deref() == Some("<r39743-postfix-2@drill>"));
    let ids: BTreeSet<&str> = twice.expect("it is there").deliveries.iter().map(|it| it.queue_id.as_str()).collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn bounces_are_told_with_their_codes() {
    for (log, mark) in [
        ("postfix/default.log", "status=bounced"),
        ("exim/default.log", " ** "),
        ("opensmtpd/default.log", "result=\"PermFail\""),
        ("chasquid/default.log", "failed (permanent)"),
        ("courier/default.log", ",status: failure"),
        ("dma/default.log", "delivery failed, bouncing as"),
    ] {
        let trace = traced(&[log], LogFormat::Auto);
        let bounced = trace.messages.iter().flat_map(|it| &it.deliveries).filter(|it| it.status == Status::Bounced);
        assert_eq!(bounced.count(), count(log, &[mark]), "{log}");
    }
}

/// The corpus cut, with bytes that are no text, and with a line of 10 MB: what is whole is told.
#[test]
fn damage_costs_only_the_lines_that_it_hits() {
    let whole = std::fs::read(file("postfix/default.log")).expect("read");
    let folder = tempfile::tempdir().expect("a folder");
    let trace_of = |bytes: &[u8]| {
        let path = folder.path().join("log");
        std::fs::write(&path, bytes).expect("written");
        let files = [path];
        let now = "2026-11-21T06:00:00Z".parse().expect("a time");
        trace(&Wanted { files: &files, format: LogFormat::Auto, selectors: &[], inventory: None, now }).expect("read")
    };
    let clean = trace_of(&whole);
    let damaged = [b"\xff\xfe\x00 \xc3\n".as_slice(), &[0; 4096], &whole, &vec![b'x'; 10 << 20], b"\n"].concat();
    let after = trace_of(&damaged);
    assert_eq!(after.messages.len(), clean.messages.len());
    assert_eq!(after.odd_lines, 2, "the first line and the long one");
    for cut in [whole.len() / 3 + 1, whole.len() / 2, whole.len() - 30] {
        let part = trace_of(&whole[..cut]);
        assert!(part.messages.len() <= clean.messages.len() && part.odd_lines <= 1);
    }
}

/// What is sieved is what is read as a whole, with damage, reused queue-ids and a cut end.
#[test]
fn a_sieved_log_tells_the_same() {
    let whole = std::fs::read(file("postfix/default.log")).expect("read");
    let classic = std::fs::read(file("postfix/default.classic.log")).expect("read");
    let noise = [b"no line at all\n\n\0\0\xff\n".as_slice(), &vec![b'y'; 3 << 20], b"\n"].concat();
    let mut log = vec![];
    for round in 0..24 {
        log.extend_from_slice(&whole);
        log.extend_from_slice(if round % 5 == 3 { &noise } else { &classic });
    }
    log.truncate(log.len() - 40);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mail.log");
    std::fs::write(&path, &log).expect("written");
    let now = "2026-11-21T06:00:00Z".parse().expect("a time");
    let tag = |text: &str| Selector::Tag(text.to_owned());
    for selectors in [
        vec![tag("4febff-postfix-refused-0")],
        vec![tag("4febff-postfix-banner-421-0"), tag("4febff-postfix-rcpt2-452-0"), tag("r2e8")],
        vec![Selector::QueueId("4986D9CE952".to_owned())],
        vec![Selector::MessageId("4febff-postfix-mail-550-0@drill".to_owned()), tag("refused-0")],
    ] {
        let files = [path.clone()];
        let wanted = Wanted { files: &files, format: LogFormat::Auto, selectors: &selectors, inventory: None, now };
        let sieved = trace(&wanted).expect("read");
        let mut stays = Stays::default();
        let odd = events(&files, LogFormat::Auto, now, &mut |event| stays.hear(event)).expect("read");
        let (stays, refusals) = stays.finish();
        let read = link::messages(stays, refusals, &wanted, odd);
        assert!(!sieved.messages.is_empty(), "{selectors:?}");
        let json = |trace: &Trace| serde_json::to_value(trace).expect("JSON");
        assert_eq!(json(&sieved), json(&read), "{selectors:?}");
    }
}

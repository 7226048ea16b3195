//! The program as a user calls it: exit codes, refusals, signals, and what is left behind.

#![allow(clippy::expect_used, clippy::panic)] // this is how a test fails

mod audit;
mod documents;
mod scan;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long a program may take that should end at once.
const PATIENCE: Duration = Duration::from_secs(20);

fn mxdrill() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxdrill"));
    command.stdin(Stdio::null()).env_remove("NO_COLOR");
    command
}

fn run(arguments: &[&str]) -> Output {
    mxdrill().args(arguments).output().expect("the program starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// A scenario in a folder of its own.
fn scenario(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("drill.yaml");
    fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    (folder, path)
}

const LAB: &str = r#"
name: A drill
domain: drill.example
timeouts: { connect: 300ms, retry: 100ms }
platforms:
  new: { hosts: [mx1.new.example] }
lab:
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
  hosts:
    mx1.new.example: { store: {} }
phases:
  - name: steady
    probes: { count: 2 }
    expect: { at: new, within: 3s }
"#;

/// One in which a probe waits for a long time.
fn waiting() -> String {
    LAB.replace("expect: { at: new, within: 3s }", "expect: { at: new, within: 60s }").replace(
        "    probes: { count: 2 }",
        "    faults:\n      - { host: mx1.new.example, at: connect, do: refuse }\n    probes: { count: 2 }",
    )
}

/// One without a lab.
fn remote() -> String {
    let (start, rest) = LAB.split_once("lab:").expect("a lab");
    let (_, end) = rest.split_once("mx1.new.example: { store: {} }\n").expect("a host");
    format!("{start}sender: mxdrill@sender.example\n{end}")
}

#[test]
fn a_drill_that_passes_ends_with_0_and_one_that_fails_with_1() {
    let (_folder, path) = scenario(LAB);
    let passed = run(&["run", &path]);
    assert_eq!(code(&passed), 0, "{}", stderr(&passed));
    assert!(stdout(&passed).contains("arrived at `new`"), "{}", stdout(&passed));
    let (_folder, path) = scenario(&LAB.replace("at: new, within", "outcome: bounced, within"));
    let failed = run(&["run", &path, "--format", "json"]);
    assert_eq!(code(&failed), 1);
    let report: Value = serde_json::from_slice(&failed.stdout).expect("stdout holds the result and nothing else");
    assert_eq!((&report["schema"], &report["verdict"]), (&Value::from("mxdrill.report/1"), &Value::from("fail")));
}

#[test]
fn an_inconclusive_drill_ends_with_3() {
    let never = LAB
        .replace(
            "new: { hosts: [mx1.new.example] }",
            "new: { hosts: [mx1.new.example] }\n  legacy: { hosts: [mx.old.example] }",
        )
        .replace("at: new, within", "at: new, never: legacy, within");
    let (_folder, path) = scenario(&never);
    let output = run(&["run", &path]);
    assert_eq!(code(&output), 3, "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("legacy"), "{}", stdout(&output));
}

#[test]
fn every_mistake_is_drawn_at_once_and_nothing_is_contacted() {
    let (_folder, path) = scenario(&LAB.replace("count: 2", "cuont: 2").replace("at: new", "att: new"));
    for command in ["run", "check", "plan"] {
        let output = run(&[command, &path]);
        assert_eq!(code(&output), 2);
        let said = stderr(&output);
        assert!(said.contains("did you mean `count`?") && said.contains("did you mean `at`?"), "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_host_that_is_not_on_this_machine_needs_live() {
    let remote = remote();
    let (_folder, path) = scenario(&remote);
    let refused = run(&["run", &path]);
    assert_eq!(code(&refused), 2, "{}", stderr(&refused));
    let said = stderr(&refused);
    assert!(said.contains("MX hosts of drill.example") && said.contains("mx1.new.example:25"), "{said}");
    assert!(said.contains("--live"), "{said}");
    let planned = run(&["plan", &path]);
    assert_eq!(code(&planned), 0);
    assert!(stdout(&planned).contains("mx1.new.example:25"), "{}", stdout(&planned));
}

#[test]
fn a_resolver_that_does_not_answer_is_named() {
    let remote = remote();
    let (_folder, path) = scenario(&remote);
    // A bound socket that never answers: nothing leaves this machine.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = silent.local_addr().expect("an address").to_string();
    let output = run(&["run", &path, "--live", "--dns", &address]);
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains(&address) && said.contains("does not answer") && said.contains("--dns"), "{said}");
}

#[test]
fn a_missing_secret_and_an_unreachable_collector_say_what_to_do() {
    let imap = |password: &str| {
        LAB.replace(
            "new: { hosts: [mx1.new.example] }",
            &format!(
                "new:\n    hosts: [mx1.new.example]\n    collectors:\n      - imap: {{ address: \"127.0.0.1:1\", tls: plain, user: probe, password: {{ env: {password} }} }}"
            ),
        )
    };
    let (_folder, path) = scenario(&imap("MXDRILL_TEST_MISSING"));
    let output = run(&["run", &path]);
    assert_ne!(code(&output), 0);
    assert!(stderr(&output).contains("`MXDRILL_TEST_MISSING` is not set"), "{}", stderr(&output));
    let output = mxdrill().args(["run", &path]).env("MXDRILL_TEST_MISSING", "hunter2").output().expect("it starts");
    assert_eq!(code(&output), 3, "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("imap 127.0.0.1:1") && said.contains("platform `new`"), "{said}");
    assert!(!said.contains("hunter2"), "a secret was printed");
}

#[test]
fn a_port_in_use_is_named_with_a_remedy() {
    let taken = std::net::TcpListener::bind("127.99.7.2:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let text = LAB.replace("lab:\n", &format!("lab:\n  network: 127.99.7.0/24\n  port: {port}\n"));
    let (_folder, path) = scenario(&text);
    let output = run(&["run", &path]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("127.99.7.2:{port}")), "{}", stderr(&output));
}

#[test]
fn reports_are_written_and_saved_records_are_rendered_again() {
    let (folder, path) = scenario(LAB);
    let (junit, json) = (folder.path().join("report.xml"), folder.path().join("report.json"));
    let kept = folder.path().join("kept");
    let output = run(&[
        "run",
        &path,
        "--record",
        &kept.display().to_string(),
        "--report",
        &format!("junit={}", junit.display()),
        "--report",
        &format!("json={}", json.display()),
        "--seed",
        "7",
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(fs::read_to_string(&junit).expect("a report").contains("<testsuite"));
    let again = run(&["report", &json.display().to_string()]);
    assert_eq!((code(&again), stdout(&again)), (0, stdout(&output)));
    let run_folder = only_folder_in(&kept);
    assert_eq!(stdout(&run(&["report", &run_folder.display().to_string()])), stdout(&output));
    let journal = run_folder.join("journal.jsonl");
    assert_eq!(
        stdout(&run(&["report", &journal.display().to_string()])),
        stdout(&output),
        "the journal tells the same"
    );
}

#[test]
fn a_watch_finds_what_arrives_later_and_changes_the_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let mbox = folder.path().join("legacy.mbox");
    fs::write(&mbox, "").expect("written");
    let legacy = format!(
        "new: {{ hosts: [mx1.new.example] }}\n  legacy:\n    hosts: [mx.old.example]\n    collectors:\n      - mbox: {{ path: {} }}",
        mbox.display()
    );
    let text = LAB
        .replace("new: { hosts: [mx1.new.example] }", &legacy)
        .replace(
            "mx1.new.example: { store: {} }\n",
            "mx1.new.example: { store: {} }\n    mx.old.example: { reject: {} }\n",
        )
        .replace("at: new, within: 3s", "at: new, never: legacy, within: 3s, watch: 100ms");
    let path = folder.path().join("drill.yaml");
    fs::write(&path, text).expect("written");
    let kept = folder.path().join("kept");
    let ran = run(&["run", &path.display().to_string(), "--record", &kept.display().to_string()]);
    assert_eq!(code(&ran), 0, "{}{}", stdout(&ran), stderr(&ran));
    let run_folder = only_folder_in(&kept);
    let record = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(run_folder.join(name)).expect("a record")).expect("JSON")
    };
    let tag = record("record.json")["phases"][0]["probes"][0]["tag"].as_str().expect("a tag").to_owned();

    // A spool with an old route hands a copy to the legacy platform after all.
    let late = format!(
        "From probe@sender.example Sat Nov 21 08:00:00 2026\nReceived: from mx9.example ([192.0.2.9]) by mx.old.example with ESMTP id 4WkQ2n1z; Sat, 21 Nov 2026 08:00:00 +0000\nX-Mxdrill-Tag: {tag}\n\nbody\n\n"
    );
    fs::write(&mbox, late).expect("written");
    let watched = run(&["watch", &run_folder.display().to_string(), "--for", "1s"]);
    assert_eq!(code(&watched), 1, "{}{}", stdout(&watched), stderr(&watched));
    assert!(stdout(&watched).contains("reached `legacy`"), "{}", stdout(&watched));
    assert_eq!(record("record.json")["verdict"], "fail", "the record beside the journal is the new one");
    let again = run(&["report", &run_folder.join("journal.jsonl").display().to_string()]);
    assert_eq!(code(&again), 1, "the journal tells the same: {}", stdout(&again));
}

#[test]
fn an_interrupt_lifts_everything_and_finishes_the_journal() {
    for signal in ["INT", "TERM"] {
        let (folder, path) = scenario(&waiting());
        let kept = folder.path().join("kept");
        let mut child = start(&["run", &path, "--record", &kept.display().to_string()]);
        until_journal_says(&kept, "\"fault-raised\"");
        kill(&child, signal);
        assert_eq!(exit_code(&mut child), 130);
        let text = fs::read_to_string(only_folder_in(&kept).join("journal.jsonl")).expect("a journal");
        assert!(text.contains("\"interrupted\"") && text.ends_with("\"run-ended\"}\n"), "{text}");
        assert!(only_folder_in(&kept).join("record.json").exists());
    }
}

#[test]
fn a_killed_run_leaves_a_journal_that_can_be_judged() {
    let (folder, path) = scenario(&waiting());
    let kept = folder.path().join("kept");
    let mut child = start(&["run", &path, "--record", &kept.display().to_string()]);
    until_journal_says(&kept, "connection refused");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let output = run(&["report", &only_folder_in(&kept).join("journal.jsonl").display().to_string()]);
    assert_eq!(code(&output), 130, "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.contains("interrupted") && said.contains("connection refused"), "{said}");
}

#[test]
fn schemas_are_json() {
    for kind in ["scenario", "inventory", "record", "report"] {
        let output = run(&["schema", kind]);
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(schema.get("properties").is_some() || schema.get("$ref").is_some(), "{kind}: {schema}");
    }
}

#[test]
fn a_typo_in_the_arguments_is_a_usage_error() {
    let output = run(&["chekc"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("check"), "{}", stderr(&output));
    assert_eq!(code(&run(&["run", "nowhere.yaml"])), 2);
    assert_eq!(code(&run(&["--version"])), 0);
}

fn start(arguments: &[&str]) -> Child {
    mxdrill().args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

fn kill(child: &Child, signal: &str) {
    let done = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().expect("kill runs");
    assert!(done.success());
}

fn exit_code(child: &mut Child) -> i32 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("it can be asked") {
            return status.code().unwrap_or_else(|| panic!("ended by a signal: {status}"));
        }
        if Instant::now() > deadline {
            child.kill().expect("it runs");
            let mut said = String::new();
            child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
            panic!("it does not end: {said}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn until_journal_says(kept: &Path, word: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let told = fs::read_dir(kept).ok().and_then(|mut it| it.next()).is_some_and(|entry| {
            let path = entry.expect("an entry").path().join("journal.jsonl");
            fs::read_to_string(path).is_ok_and(|text| text.contains(word))
        });
        if told {
            return;
        }
        assert!(Instant::now() < deadline, "the journal never said {word}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn only_folder_in(kept: &Path) -> PathBuf {
    let mut entries = fs::read_dir(kept).expect("the folder").map(|entry| entry.expect("an entry").path());
    let first = entries.next().expect("a run");
    assert!(entries.next().is_none(), "one run only");
    first
}

/// A log of the corpus.
fn corpus(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/logs").join(name).display().to_string()
}

const INVENTORY: &str = "
platforms:
  new: { hosts: [mx1.new.example], networks: [10.99.1.0/24] }
  legacy: { hosts: [sender-postfix.old.example], networks: [10.99.2.0/24] }
";

#[test]
fn trace_finds_a_message_and_the_platform_that_took_it() {
    let (_folder, inventory) = scenario(INVENTORY);
    let log = corpus("postfix/default.log");
    let arguments =
        ["trace", &log, "--tag", "4febff-postfix-banner-421-0", "--inventory", &inventory, "--format", "json"];
    let found = run(&arguments);
    assert_eq!(code(&found), 0, "{}", stderr(&found));
    let trace: Value = serde_json::from_slice(&found.stdout).expect("stdout holds the result and nothing else");
    let message = &trace["messages"][0];
    assert_eq!(message["message_id"], "<4febff-postfix-banner-421-0@drill>");
    let hop = &message["deliveries"][0];
    assert_eq!((&hop["queue_id"], &hop["platform"]), (&"4986D9CE952".into(), &"legacy".into()));
    assert_eq!((&hop["address"], &hop["port"]), (&"10.99.2.9".into(), &25.into()));
    assert_eq!((&hop["status"], &hop["line"]), (&"sent".into(), &67.into()));
    assert_eq!(trace["open"], 0);
    let text = run(&["trace", &log, "--queue-id", "4986D9CE952"]);
    assert!(
        stdout(&text).contains("mx2.banner-421.drill.example [10.99.2.9:25], there 23776034513"),
        "{}",
        stdout(&text)
    );
}

#[test]
fn trace_says_where_it_looked_in_vain_and_what_cannot_be_read() {
    let log = corpus("exim/default.log");
    let vain = run(&["trace", &log, "--message-id", "<nobody@nowhere>"]);
    assert_eq!(code(&vain), 3);
    assert!(stderr(&vain).contains("no log tells of such a message") && stderr(&vain).contains("is no proof"));
    let missing = run(&["trace", "/nowhere/mail.log"]);
    assert_eq!(code(&missing), 2);
    assert!(stderr(&missing).contains("`/nowhere/mail.log` cannot be read"), "{}", stderr(&missing));
    assert_eq!(code(&run(&["trace", &log, "--tag", "a"])), 2);
}

#[test]
fn census_tells_servers_from_the_host_s_own_users() {
    let (_folder, inventory) = scenario(INVENTORY);
    let log = corpus("postfix/receive.log");
    let arguments =
        ["census", &log, "--inventory", &inventory, "--changed", "2026-11-21T05:30:00Z", "--format", "json"];
    let counted = run(&arguments);
    assert_eq!(code(&counted), 0, "{}", stderr(&counted));
    let census: Value = serde_json::from_slice(&counted.stdout).expect("JSON");
    let rows = census["senders"].as_array().expect("rows");
    let of = |class: &str| {
        let rows = rows.iter().filter(|row| row["class"] == class);
        rows.map(|row| row["messages"].as_u64().expect("a count")).sum::<u64>()
    };
    // Thirteen from other servers, five that the host's own programs handed over by loopback.
    assert_eq!((of("cached-dns"), of("local"), of("backup-mx")), (13, 5, 0));
    assert_eq!(census["messages"], 18);
    let unknown = run(&["census", &log, "--inventory", &inventory, "--platform", "lagacy"]);
    assert_eq!(code(&unknown), 2);
    assert!(stderr(&unknown).contains("no platform `lagacy`"), "{}", stderr(&unknown));
}

/// A file of this content in a folder of its own.
fn file(name: &str, content: &[u8]) -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("written");
    (folder, path.display().to_string())
}

#[test]
fn lint_says_whether_a_policy_can_be_published() {
    let (_folder, path) = file("mta-sts.txt", b"version: STSv1\nmode: enforce\nmx: mx1.new.example\nmax_age: 604800\n");
    let right = run(&["lint", "mta-sts-policy", &path, "--mx", "mx1.new.example", "--format", "json"]);
    let json: Value = serde_json::from_str(&stdout(&right)).expect("JSON");
    assert_eq!(code(&right), 0);
    assert_eq!((&json["valid"], &json["matches"]["mx1.new.example"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!((json["mode"].as_str(), json["max_age"].as_u64()), (Some("enforce"), Some(604_800)));
    let wrong = run(&["lint", "mta-sts-policy", &path, "--mx", "mx.old.example"]);
    assert_eq!(code(&wrong), 1);
    assert!(stdout(&wrong).contains("no pattern covers the MX host `mx.old.example`"), "{}", stdout(&wrong));
    let missing = run(&["lint", "mta-sts-policy", "/no/such/file"]);
    assert_eq!(code(&missing), 2);
}

#[test]
fn lint_reads_records_from_arguments_and_stdin() {
    let right = run(&["lint", "mta-sts-record", "v=STSv1; id=20260101;", "--format", "json"]);
    let json: Value = serde_json::from_str(&stdout(&right)).expect("JSON");
    assert_eq!((code(&right), json["id"].as_str(), &json["problems"]), (0, Some("20260101"), &Value::Array(vec![])));
    let wrong = run(&["lint", "mta-sts-record", "v=STSv1; id=2026-01-01;", "--format", "json"]);
    let json: Value = serde_json::from_str(&stdout(&wrong)).expect("JSON");
    let problem = &json["problems"][0];
    assert_eq!((code(&wrong), problem["code"].as_str()), (1, Some("bad-id")));
    assert_eq!((problem["line"].as_u64(), problem["column"].as_u64()), (Some(1), Some(13)));
    let says = |name: &str| problem["senders"][name].as_str();
    assert_eq!((says("mox"), says("maddy")), (Some("rejects"), Some("accepts")));
    let mut piped = mxdrill();
    piped.args(["lint", "tlsrpt-record", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.spawn().expect("it starts");
    let record = b"v=TLSRPTv1; rua=mailto:tls@new.example\n";
    std::io::Write::write_all(&mut child.stdin.take().expect("stdin"), record).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 0);
    assert_eq!(stdout(&output), "TEXT: valid, reports to mailto:tls@new.example\n");
}

const PLATFORMS: &str = "\
platforms:
  new: { hosts: [mx1.new.example] }
  spool: { hosts: [mx.spool.example], networks: [203.0.113.9] }
";

const TRACED: &[u8] = b"Received: from mx.spool.example (mx.spool.example [203.0.113.9])\r\n\tby mx1.new.example \
    (Postfix) with ESMTPS id A1;\r\n\tSat, 21 Nov 2026 05:42:30 +0000\r\n\
    Received: from x (unknown [192.0.2.200]) by mx.spool.example (Postfix) with ESMTP id S1;\r\n Sat, 21 Nov 2026 05:42:24 +0000\r\n\
    Received: from y by mx1.new.example (Postfix) with ESMTP id forged; Sat, 21 Nov 2026 05:42:20 +0000\r\n\
    Message-ID: <a@b>\r\n\r\nbody\r\n";

#[test]
fn a_trace_shows_which_hops_of_a_message_are_proven() {
    let (_folder, inventory) = file("inventory.yaml", PLATFORMS.as_bytes());
    let (_other, message) = file("message.eml", TRACED);
    let traced = run(&["trace", &message, "--inventory", &inventory, "--format", "json"]);
    assert_eq!(code(&traced), 0, "{}", stderr(&traced));
    let document: Value = serde_json::from_str(&stdout(&traced)).expect("JSON");
    let path = document["messages"][0]["path"].as_array().expect("a path");
    let told: Vec<String> =
        path.iter().map(|hop| format!("{} {} {}", hop["by"], hop["platform"], hop["trust"])).collect();
    let expected = [
        r#""mx1.new.example" "new" "claimed""#,
        r#""mx.spool.example" "spool" "proven""#,
        r#""mx1.new.example" "new" "proven""#,
    ];
    assert_eq!(told, expected);
    assert_eq!((&document["messages"][0]["message_id"], &document["open"]), (&"a@b".into(), &0.into()));
    let shown = run(&["trace", &message, "--inventory", &inventory]);
    assert!(stdout(&shown).contains("proven: mx1.new.example took the message from mx.spool.example [203.0.113.9]"));
    let alone = run(&["trace", &message]);
    assert_eq!(code(&alone), 3, "nobody is known without an inventory");
}

#[test]
fn a_trace_reads_mbox_files_and_maildirs_and_says_what_is_neither() {
    let (_folder, mbox) =
        file("mbox", &[b"From a@b Sat Nov 21 05:42:30 2026\n", TRACED, b"\nFrom a@b x\n", TRACED].concat());
    let traced = run(&["trace", &mbox, "--format", "json"]);
    let document: Value = serde_json::from_str(&stdout(&traced)).expect("JSON");
    assert_eq!(document["messages"].as_array().map(Vec::len), Some(2));
    assert!(document["messages"][1]["file"].as_str().is_some_and(|it| it.contains("mbox:")));
    let maildir = tempfile::tempdir().expect("a folder");
    for part in ["new", "cur"] {
        fs::create_dir(maildir.path().join(part)).expect("made");
        fs::write(maildir.path().join(part).join("1.x"), TRACED).expect("written");
    }
    let traced = run(&["trace", &maildir.path().display().to_string(), "--format", "json"]);
    let document: Value = serde_json::from_str(&stdout(&traced)).expect("JSON");
    assert_eq!(document["messages"].as_array().map(Vec::len), Some(2));
    let (_none, none) = file("none", b"no header\n");
    // What is no message is taken for a log, in which this line says nothing.
    let traced = run(&["trace", &none, "--format", "json"]);
    let document: Value = serde_json::from_str(&stdout(&traced)).expect("JSON");
    assert_eq!((&document["messages"], &document["odd_lines"]), (&serde_json::json!([]), &1.into()));
}

//! Scenarios on real servers: Postfix with Dovecot as the new platform, a second Postfix as its backup, Exim as legacy.
//!
//! Every test has a network and servers of its own. It renders its scenario, runs the built `mxdrill` on it, and compares
//! the record with what the servers themselves wrote into their logs.

#![allow(clippy::expect_used, clippy::panic)] // this is how a test fails

mod announce;
mod catcher;
mod live;
mod nft;
mod relay;
mod senders;
#[path = "../support/servers.rs"]
mod servers;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use servers::{Network, PATIENCE, Server, read, until};
use tempfile::TempDir;

const PASSWORD: &str = "only for this test";
const LAB_PORT: u16 = 2025;
/// The lab gives its hosts addresses in file order from .2; every scenario names mx1.new.example first.
const MX1_AS_SEEN_BY_ALL: u8 = 2;
/// Where the real servers themselves listen.
const MX1: u8 = 101;
const MX2: u8 = 102;
const LEGACY: u8 = 103;

#[test]
fn s01_the_legacy_backup_is_seen_in_exims_log_and_mailbox() {
    let stage = Stage::new().primary().legacy().ready();
    let run = stage.run("01-backup-mx-still-legacy.yaml");

    assert_eq!(run.report["records"][0]["verdict"], "fail", "the scenario says `verdict: fail`: {run}");
    assert_eq!(run.verdict_of("steady"), "pass", "{run}");
    assert_eq!(run.verdict_of("primary down"), "fail", "{run}");
    let probes = run.probes_of("primary down");
    assert_eq!(probes.len(), 3, "{run}");
    for probe in probes {
        assert_eq!(probe.landed_on(), ["legacy"], "{run}");
        assert_eq!(probe.accepted_by(), ["mx.old.example"], "{run}");
        assert!(probe.queue_ids_are_those_of("legacy", &stage) >= 1, "{run}");
    }
    assert!(run.fired("primary down") >= 3, "{run}");
}

#[test]
fn s02_the_fixed_backup_keeps_the_mail_on_the_platform() {
    let stage = Stage::new().primary().legacy().backup("new-mx2", Reaches::PrimaryItself).ready();
    let run = stage.run("02-backup-mx-on-new.yaml");

    assert_eq!(run.verdict_of("steady"), "pass", "{run}");
    assert_eq!(run.verdict_of("primary down"), "pass", "{run}");
    let probes = run.probes_of("primary down");
    assert_eq!(probes.len(), 3, "{run}");
    for probe in probes {
        assert_eq!(probe.landed_on(), ["new"], "{run}");
        assert_eq!(probe.accepted_by(), ["mx2.new.example"], "{run}");
        assert_eq!((probe.seen_by("imap "), probe.seen_by("pop3 ")), (1, 1), "one copy, seen in two ways: {run}");
        assert_eq!(probe.0["copies"], 1, "{run}");
        assert!(probe.queue_ids_are_those_of("new", &stage) >= 1, "{run}");
        assert!(!stage.legacy_log().contains(probe.message_id()), "{run}");
    }
    assert!(run.fired("primary down") >= 3, "{run}");
}

#[test]
fn s03_a_greylisted_probe_comes_back_and_is_delivered() {
    let stage = Stage::new().primary().ready();
    let run = stage.run("03-greylist-then-deliver.yaml");

    assert_eq!(run.verdict_of("greylisted"), "pass", "{run}");
    for probe in run.probes_of("greylisted") {
        assert_eq!(probe.landed_on(), ["new"], "{run}");
        assert!(probe.replies()[0].starts_with("451"), "{run}");
        assert_eq!(probe.accepted_by(), ["mx1.new.example"], "{run}");
        assert!(probe.queue_ids_are_those_of("new", &stage) >= 1, "{run}");
    }
    assert_eq!(run.fired("greylisted"), 3, "{run}");
}

#[test]
fn s04_a_lost_acknowledgement_leaves_exactly_two_copies() {
    let stage = Stage::new().primary().backup("new-mx2", Reaches::PrimaryItself).ready();
    let run = stage.run("04-acknowledgement-lost.yaml");

    assert_eq!(run.verdict_of("acknowledgement lost"), "pass", "{run}");
    for probe in run.probes_of("acknowledgement lost") {
        assert_eq!(probe.0["copies"], 2, "{run}");
        assert_eq!(probe.accepted_by(), ["mx2.new.example"], "{run}");
        assert!(probe.queue_ids_are_those_of("new", &stage) >= 2, "{run}");
        let stored = lines_with(&stage.mx1_log(), &["message-id=", probe.message_id()]);
        assert_eq!(stored.len(), 2, "the primary's own log knows {stored:?}\n{run}");
    }
    assert_eq!(run.fired("acknowledgement lost"), 2, "{run}");
}

#[test]
fn s08_the_backup_holds_the_mail_and_forwards_it_later() {
    let stage = Stage::new().primary().backup("new-mx2", Reaches::PrimaryAsAllDo).ready();
    let run = stage.run("08-backup-holds-and-forwards.yaml");

    assert_eq!(run.verdict_of("primary down"), "pass", "{run}");
    assert_eq!(run.verdict_of("primary back"), "pass", "{run}");
    for probe in run.probes_of("primary back") {
        assert_eq!(probe.landed_on(), ["new"], "{run}");
        assert!(probe.queue_ids_are_those_of("new", &stage) >= 1, "{run}");
        let held = stage.mx2_queue_id(probe.message_id());
        assert!(probe.queue_ids_at("mx2.new.example").contains(&&*held), "the backup had it as {held}\n{run}");
        assert!(!lines_with(&stage.mx2_log(), &[&held, "status=deferred"]).is_empty(), "{run}");
        assert_eq!(lines_with(&stage.mx2_log(), &[&held, "status=sent"]).len(), 1, "{run}");
    }
}

#[test]
fn s09_the_verifying_backup_refuses_while_the_primary_is_down() {
    let stage = Stage::new().primary().backup("new-mx2-verifying", Reaches::PrimaryAsAllDo).ready();
    let run = stage.run("09-verifying-backup-refuses.yaml");

    assert_eq!(run.verdict_of("steady"), "pass", "{run}");
    assert_eq!(run.verdict_of("primary down"), "pass", "{run}");
    for probe in run.probes_of("primary down") {
        assert_eq!(probe.0["outcome"], "deferred", "{run}");
        assert!(probe.accepted_by().is_empty(), "{run}");
        assert!(probe.replies().iter().any(|reply| reply.starts_with("450 4.1.1")), "{run}");
        let said = lines_with(&stage.mx2_log(), &["NOQUEUE: reject", probe.recipient(), "unverified address"]);
        assert!(!said.is_empty(), "{run}");
    }
}

/// The servers of one test and where they are.
struct Stage {
    network: Network,
    primary: Option<Server>,
    backup: Option<Server>,
    legacy: Option<Server>,
}

/// By which way a backup relays to the primary.
enum Reaches {
    /// On the inside, where no fault is.
    PrimaryItself,
    /// At its public address, through the lab's proxy.
    PrimaryAsAllDo,
}

impl Stage {
    fn new() -> Self {
        Self { network: Network::claim(), primary: None, backup: None, legacy: None }
    }

    fn primary(mut self) -> Self {
        let (smtp, imap, imaps) = (self.smtp(MX1), self.network.address(MX1, 1143), self.network.address(MX1, 1993));
        let pop3 = self.network.address(MX1, 1110);
        let settings =
            [("SMTP", &*smtp), ("IMAP", &*imap), ("IMAPS", &*imaps), ("POP3", &*pop3), ("PASSWORD", PASSWORD)];
        self.primary = Some(Server::launch("new-mx1", &settings));
        self
    }

    fn backup(mut self, name: &'static str, reaches: Reaches) -> Self {
        let next = match reaches {
            Reaches::PrimaryItself => self.smtp(MX1),
            Reaches::PrimaryAsAllDo => self.network.address(MX1_AS_SEEN_BY_ALL, LAB_PORT),
        };
        self.backup = Some(Server::launch(name, &[("SMTP", &*self.smtp(MX2)), ("NEXT", &*next)]));
        self
    }

    fn legacy(mut self) -> Self {
        self.legacy = Some(Server::launch("legacy", &[("SMTP", &*self.smtp(LEGACY))]));
        self
    }

    /// All servers were launched before the first is waited for.
    fn ready(mut self) -> Self {
        for server in [&mut self.primary, &mut self.backup, &mut self.legacy].into_iter().flatten() {
            server.await_ready();
        }
        self
    }

    /// Fills the scenario's placeholders and runs it.
    fn run(&self, scenario: &str) -> Run {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for a run");
        let file = folder.path().join(scenario);
        fs::write(&file, self.render(scenario)).expect("the rendered scenario");
        let (code, stdout, stderr) = mxdrill(&file, folder.path());
        let report = serde_json::from_str(&stdout)
            .unwrap_or_else(|error| panic!("exit code {code:?}, no JSON: {error}\n{stdout}\n{stderr}"));
        let run = Run { report, stderr };
        assert_eq!(run.report["verdict"], "pass", "{run}");
        assert_eq!(code, Some(0), "{run}");
        run
    }

    fn render(&self, scenario: &str) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/scenarios").join(scenario);
        let mut text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (key, value) in self.placeholders() {
            text = text.replace(&format!("{{{{{key}}}}}"), &value);
        }
        assert!(!text.contains("{{"), "a placeholder of {scenario} is not filled:\n{text}");
        text
    }

    fn placeholders(&self) -> Vec<(&'static str, String)> {
        let mut filled = vec![
            ("NETWORK", self.network.cidr()),
            ("PORT", LAB_PORT.to_string()),
            ("MX1", self.smtp(MX1)),
            ("MX2", self.smtp(MX2)),
            ("LEGACY", self.smtp(LEGACY)),
            ("IMAP", self.network.address(MX1, 1143)),
            ("IMAPS", self.network.address(MX1, 1993)),
            ("POP3", self.network.address(MX1, 1110)),
        ];
        let mut file = |key, server: &Option<Server>, name: &str| {
            filled.extend(server.as_ref().map(|server| (key, server.path(name).display().to_string())));
        };
        file("CA", &self.primary, "tls/ca.pem");
        file("MX1_LOG", &self.primary, "log/mail.log");
        file("MX2_LOG", &self.backup, "log/mail.log");
        file("LEGACY_LOG", &self.legacy, "log/mainlog");
        file("LEGACY_MBOX", &self.legacy, "mail/probe.mbox");
        filled
    }

    fn smtp(&self, host: u8) -> String {
        self.network.address(host, 2525)
    }

    fn mx1_log(&self) -> String {
        self.primary.as_ref().map(Server::log).unwrap_or_default()
    }

    fn mx2_log(&self) -> String {
        self.backup.as_ref().map(Server::log).unwrap_or_default()
    }

    fn legacy_log(&self) -> String {
        self.legacy.as_ref().map(Server::log).unwrap_or_default()
    }

    /// Under which queue-id the backup had a message.
    fn mx2_queue_id(&self, message_id: &str) -> String {
        let lines = lines_with(&self.mx2_log(), &["message-id=", message_id]);
        let line = lines.first().unwrap_or_else(|| panic!("the backup never had {message_id}"));
        line.split(": ").nth(1).expect("a queue-id").to_owned()
    }

    /// What Dovecot wrote: its LMTP ids stand in the topmost Received header of what IMAP shows.
    fn dovecot_log(&self) -> String {
        self.primary.as_ref().map(|server| read(&server.path("log/dovecot.log"))).unwrap_or_default()
    }

    /// Whether one line of a server of `platform` names both the queue-id and the message: Postfix in `message-id=`,
    /// Dovecot in `msgid=`, Exim in `id=`.
    fn knows(&self, platform: &str, queue_id: &str, message_id: &str) -> bool {
        let logs = match platform {
            "legacy" => vec![self.legacy_log()],
            _ => vec![self.mx1_log(), self.mx2_log(), self.dovecot_log()],
        };
        logs.iter().any(|log| !lines_with(log, &[queue_id, message_id]).is_empty())
    }
}

/// What `mxdrill run` said about one scenario.
struct Run {
    report: Value,
    stderr: String,
}

impl Run {
    fn phase(&self, name: &str) -> &Value {
        let phases = list(&self.report["records"][0]["phases"]);
        phases.iter().find(|phase| phase["name"] == name).unwrap_or_else(|| panic!("no phase {name}: {self}"))
    }

    fn verdict_of(&self, phase: &str) -> &str {
        text(&self.phase(phase)["verdict"])
    }

    fn probes_of(&self, phase: &str) -> Vec<Probe<'_>> {
        let probes: Vec<_> = list(&self.phase(phase)["probes"]).iter().map(Probe).collect();
        assert!(!probes.is_empty(), "no probe in {phase}: {self}");
        probes
    }

    fn fired(&self, phase: &str) -> u64 {
        list(&self.phase(phase)["faults"]).iter().filter_map(|fault| fault["fired"].as_u64()).sum()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:#}\n--- mxdrill said:\n{}", self.report, self.stderr)
    }
}

/// One entry of `phases[].probes[]`.
struct Probe<'a>(&'a Value);

impl Probe<'_> {
    fn message_id(&self) -> &str {
        text(&self.0["message_id"]).trim_matches(['<', '>'])
    }

    fn recipient(&self) -> &str {
        text(&self.0["recipient"])
    }

    /// The platforms on which it was seen, each once.
    fn landed_on(&self) -> Vec<&str> {
        let mut platforms: Vec<_> = list(&self.0["landed"]).iter().map(|landed| text(&landed["platform"])).collect();
        platforms.sort_unstable();
        platforms.dedup();
        platforms
    }

    /// How often collectors of this kind saw it.
    fn seen_by(&self, kind: &str) -> usize {
        list(&self.0["landed"]).iter().filter(|landed| text(&landed["collector"]).starts_with(kind)).count()
    }

    /// The hosts that took it, as far as the sender knows.
    fn accepted_by(&self) -> Vec<&str> {
        let attempts = list(&self.0["attempts"]).iter();
        attempts.filter(|attempt| attempt["result"] == "accepted").map(|attempt| text(&attempt["host"])).collect()
    }

    /// The queue-ids under which a host handled it without keeping it.
    fn queue_ids_at(&self, host: &str) -> Vec<&str> {
        let passed = list(&self.0["passed"]).iter().filter(|passed| passed["host"] == host);
        passed.filter_map(|passed| passed["queue_id"].as_str()).collect()
    }

    fn replies(&self) -> Vec<&str> {
        list(&self.0["attempts"]).iter().filter_map(|attempt| attempt["reply"].as_str()).collect()
    }

    /// How many different queue-ids of the platform the record names; each must be in that platform's own logs.
    fn queue_ids_are_those_of(&self, platform: &str, stage: &Stage) -> usize {
        let of_platform = list(&self.0["landed"]).iter().filter(|landed| landed["platform"] == platform);
        let mut ids: Vec<_> = of_platform.filter_map(|landed| landed["queue_id"].as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        for id in &ids {
            let known = stage.knows(platform, id, self.message_id());
            assert!(known, "no log of {platform} ties queue-id {id} to {}", self.message_id());
        }
        ids.len()
    }
}

/// Runs the program with a deadline; its exit code, stdout and stderr. Log lines without a zone are UTC, as in `up`.
fn mxdrill(scenario: &Path, folder: &Path) -> (Option<i32>, String, String) {
    let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_mxdrill"))
        .arg("run")
        .arg(scenario)
        .args(["--format", "json"])
        .env("MXDRILL_TEST_PASSWORD", PASSWORD)
        .env("TZ", "UTC")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(File::create(&stdout).expect("a file for stdout"))
        .stderr(File::create(&stderr).expect("a file for stderr"))
        .spawn()
        .expect("the built mxdrill");
    let ended = until(4 * PATIENCE, || child.try_wait().expect("the state of mxdrill"));
    if ended.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    (ended.and_then(|status| status.code()), read(&stdout), read(&stderr))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn lines_with(log: &str, words: &[&str]) -> Vec<String> {
    let all = |line: &&str| words.iter().all(|word| line.contains(word));
    log.lines().filter(all).map(str::to_owned).collect()
}

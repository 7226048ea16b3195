//! The second story on real servers: a clean `relayhost`, and one entry by sender that still names the old relay. The drill,
//! the trace, the scan and the comparison each tell which application takes it; after the fix all agree that none does.
//!
//! ```text
//!   server, cron ──> mail.server.example ──relayhost──> smtp.new.example ──> mx1.new.example
//!   app          ──>          └─ sender_dependent_relayhost_maps ─> smtp.old.example ──^
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use super::servers::{Network, Server};
use super::{Command, TempDir, fs, list, text};

const SCENARIO: &str = "20-one-application-still-takes-the-old-relay.yaml";
const MAIL: u8 = 101;
const OLD: u8 = 102;
const NEW: u8 = 103;
const MX1: u8 = 104;
/// Every mailbox of drill.example is one Maildir.
const MAILBOXES: &str = "virtual_mailbox_domains = drill.example
virtual_mailbox_maps = static:probe/
virtual_mailbox_base = /server/mail
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534";

#[test]
fn s20_one_application_still_takes_the_old_relay_and_everything_tells() {
    let mut story = Story::begin();
    let leftover = format!("@app.example [{}]:2525", story.host(OLD));
    let before = story.told("before", &leftover);
    assert_eq!(before.run, "fail", "{}", before.all);
    assert_eq!(before.through("app"), set(&["smtp.old.example"]), "{}", before.all);
    for source in ["server", "cron"] {
        assert_eq!(before.through(source), set(&["smtp.new.example"]), "{}", before.all);
    }
    assert_eq!(before.traced_old, 2, "the messages of the application, and no other: {}", before.all);
    assert_eq!(before.active, ["sender_relay:1 @app.example"], "{}", before.all);

    story.close_the_old_relay();
    let after = story.told("after", "");
    assert_eq!(after.run, "pass", "{}", after.all);
    for source in ["server", "cron", "app"] {
        assert_eq!(after.through(source), set(&["smtp.new.example"]), "{}", after.all);
    }
    assert_eq!((after.traced_old, after.active.len()), (0, 0), "{}", after.all);

    let (code, difference) = story.diff("before.json", "after.json");
    assert_eq!((code, text(&difference["legacy"])), (Some(0), "gone"), "{difference:#}");
    let gone = |hops: &Value| list(&hops["relays"]).iter().any(|it| it["fate"] == "gone");
    let changed: Vec<&str> =
        list(&difference["hops"]).iter().filter(|it| gone(it)).map(|it| text(&it["source"])).collect();
    assert_eq!(changed, ["app"], "{difference:#}");
    assert_eq!(story.diff("before.json", "before.json").0, Some(1), "nothing was mended yet");
}

/// The servers that stay as they are, and the folder of the records.
struct Story {
    network: Network,
    old: Option<Server>,
    _new: Server,
    mx1: Server,
    folder: TempDir,
}

/// What each command told of one state of the mail server.
struct Told {
    run: String,
    hops: Vec<(String, BTreeSet<String>)>,
    traced_old: usize,
    active: Vec<String>,
    all: String,
}

impl Told {
    /// The relays that a source's probes passed behind the mail server.
    fn through(&self, source: &str) -> BTreeSet<String> {
        self.hops.iter().filter(|(name, _)| name == source).flat_map(|(_, hops)| hops.clone()).collect()
    }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|it| (*it).to_owned()).collect()
}

impl Story {
    fn begin() -> Self {
        let network = Network::claim();
        let [mut old, mut new, mut mx1] =
            [(OLD, "smtp.old.example", ""), (NEW, "smtp.new.example", ""), (MX1, "mx1.new.example", MAILBOXES)]
                .map(|(host, name, route)| hop(&network, host, name, route, ""));
        [&mut old, &mut new, &mut mx1].into_iter().for_each(Server::await_ready);
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for a run");
        Self { network, old: Some(old), _new: new, mx1, folder }
    }

    /// The old relay takes nothing any more, which the control probe shows for sure.
    fn close_the_old_relay(&mut self) {
        self.old = None; // ends it, so that its port is free
        let mut closed = hop(&self.network, OLD, "smtp.old.example", "smtpd_client_restrictions = reject", "");
        closed.await_ready();
        self.old = Some(closed);
    }

    fn host(&self, host: u8) -> String {
        self.network.address(host, 0).trim_end_matches(":0").to_owned()
    }

    /// Runs every command on a mail server whose table of relays by sender holds `leftover`.
    fn told(&mut self, name: &str, leftover: &str) -> Told {
        let route = format!(
            "relayhost = [{}]:2525\nsender_dependent_relayhost_maps = texthash:/server/config/sender_relay",
            self.host(NEW)
        );
        let mut mail = hop(&self.network, MAIL, "mail.server.example", &route, leftover);
        mail.await_ready();
        let record = self.folder.path().join(format!("{name}.json"));
        let report = format!("json={}", record.display());
        let drill = self.write("drill.yaml", &self.rendered());
        let run = mxdrill(&["run", &shown(&drill), "--live", "--format", "json", "--report", &report]);
        let ran: Value = parsed(&run);
        let inventory = shown(&self.write("inventory.yaml", &self.inventory()));
        let maildir = shown(&self.mx1.path("mail/probe"));
        let traced: Value = parsed(&mxdrill(&["trace", &maildir, "--inventory", &inventory, "--format", "json"]));
        let config = shown(&mail.path("config"));
        let scanned: Value = parsed(&mxdrill(&["scan", &config, "--inventory", &inventory, "--format", "json"]));
        let id = text(&ran["records"][0]["run"]).to_owned();
        Told {
            run: text(&ran["verdict"]).to_owned(),
            hops: hops(&ran),
            traced_old: list(&traced["messages"]).iter().filter(|it| passed_old(it, &id)).count(),
            active: active(&scanned),
            all: format!("{ran:#}\n{traced:#}\n{scanned:#}\n{}", String::from_utf8_lossy(&run.stderr)),
        }
    }

    fn diff(&self, before: &str, after: &str) -> (Option<i32>, Value) {
        let path = |name: &str| shown(&self.folder.path().join(name));
        let output = mxdrill(&["diff", &path(before), &path(after), "--format", "json"]);
        (output.status.code(), parsed(&output))
    }

    fn inventory(&self) -> String {
        let entry = |name: &str, hosts: &str, at: u8| {
            format!("  {name}: {{ hosts: [{hosts}], networks: [{}/32] }}\n", self.host(at))
        };
        let new = format!("smtp.new.example], networks: [{}/32, {}/32] }}\n", self.host(NEW), self.host(MX1));
        let (server, legacy) = (entry("server", "mail.server.example", MAIL), entry("legacy", "smtp.old.example", OLD));
        format!("platforms:\n  new: {{ hosts: [mx1.new.example, {new}{server}{legacy}")
    }

    fn rendered(&self) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers");
        let text = fs::read_to_string(root.join("scenarios").join(SCENARIO)).expect("the scenario");
        [
            ("NETWORK", self.network.cidr()),
            ("MAIL", self.network.address(MAIL, 2525)),
            ("OLD", self.network.address(OLD, 2525)),
            ("MX1", self.network.address(MX1, 2525)),
            ("HAND", shown(&root.join("hand.py"))),
            ("OLD_LOG", shown(&self.old.as_ref().expect("it runs").log_path())),
            ("MAILDIR", shown(&self.mx1.path("mail/probe"))),
        ]
        .iter()
        .fold(text, |text, (key, value)| text.replace(&format!("{{{{{key}}}}}"), value))
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        path
    }
}

fn hop(network: &Network, host: u8, name: &str, route: &str, leftover: &str) -> Server {
    let dns = network.address(1, 53);
    let settings = [
        ("SMTP", &*network.address(host, 2525)),
        ("DNS", dns.trim_end_matches(":53")),
        ("NAME", name),
        ("ROUTE", route),
        ("LEFTOVER", leftover),
    ];
    Server::launch("hop", &settings)
}

/// By source the relays between the mail server and the mailbox.
fn hops(ran: &Value) -> Vec<(String, BTreeSet<String>)> {
    let probes = list(&ran["records"][0]["phases"][0]["probes"]).iter();
    let ends = ["mail.server.example", "mx1.new.example"];
    let passed = |probe: &Value| {
        let names = list(&probe["path"]).iter().map(|hop| text(&hop["by"]).to_owned());
        names.filter(|name| !ends.contains(&name.as_str())).collect()
    };
    probes.map(|probe| (text(&probe["sender"]).to_owned(), passed(probe))).collect()
}

/// Whether a traced message is one of the run's probes, which a control (`-c0001`) is not, and passed the old relay.
fn passed_old(message: &Value, run: &str) -> bool {
    let mine = message["message_id"].as_str().is_some_and(|id| id.contains(&format!("{run}-0")));
    mine && list(&message["path"]).iter().any(|hop| hop["platform"] == "legacy" && hop["by"] == "smtp.old.example")
}

fn active(scanned: &Value) -> Vec<String> {
    let evidence = list(&scanned["findings"]).iter().map(|it| &it["evidence"][0]).filter(|it| it["state"] == "active");
    let shown = |it: &Value| {
        let file = text(&it["file"]).rsplit('/').next().unwrap_or_default();
        format!("{file}:{} {}", it["line"], text(&it["key"]))
    };
    evidence.map(shown).collect()
}

fn mxdrill(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxdrill"));
    command.args(arguments).env("TZ", "UTC").stdin(std::process::Stdio::null()).output().expect("the program starts")
}

fn parsed(output: &Output) -> Value {
    let (said, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{:?}, no JSON: {error}\n{said}\n{why}", output.status))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Runs `postconf` of the private root on a folder in the root's `/tmp`.
fn postconf(folder: &Path, arguments: &[&str]) {
    let inside = format!("/tmp/{}", folder.file_name().expect("a name").to_string_lossy());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/exec");
    let status = Command::new(script).args(["new", "postconf", "-c", &inside]).args(arguments).status();
    assert!(status.expect("it starts").success(), "postconf {arguments:?}");
}

#[test]
fn debians_own_main_cf_changed_by_postconf_is_read_as_postfix_reads_it() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("servers/new");
    fs::create_dir_all(root.join("tmp")).expect("a folder in the root");
    let folder = TempDir::new_in(root.join("tmp")).expect("a folder for the configuration");
    for (from, to) in [("main.cf.debian", "main.cf"), ("master.cf.dist", "master.cf")] {
        fs::copy(root.join("usr/share/postfix").join(from), folder.path().join(to)).expect("Debian's default");
    }
    let states = || {
        let path = shown(folder.path());
        let scanned: Value = parsed(&mxdrill(&["scan", &path, "--name", "smtp.old.example", "--format", "json"]));
        let evidence = list(&scanned["findings"]).iter().map(|it| it["evidence"][0].clone());
        evidence.map(|it| format!("{} {}", text(&it["key"]), text(&it["state"]))).collect::<Vec<_>>()
    };
    assert!(states().is_empty(), "Debian's default names nobody: {:?}", states());
    postconf(folder.path(), &["-e", "relayhost=[smtp.old.example]:587"]);
    assert_eq!(states(), ["relayhost active"]);
    postconf(folder.path(), &["-e", "transport_maps=inline:{ { old.example = smtp:[smtp.old.example] } }"]);
    assert_eq!(states().iter().filter(|it| it.ends_with(" active")).count(), 2, "{:?}", states());
    postconf(folder.path(), &["-#", "relayhost"]);
    assert!(!states().contains(&"relayhost active".to_owned()), "{:?}", states());
    postconf(folder.path(), &["-X", "transport_maps"]);
    assert_eq!(states(), ["relayhost commented"]);
}

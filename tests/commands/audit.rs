//! Audits as a user calls them: of zone files, and of a lab's DNS and hosts on loopback.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::process::Output;
use std::sync::Arc;

use mxdrill::dns::Authority as Names;
use mxdrill::lab::{Ground, Keep, Lab, Setting};
use mxdrill::record::{Journal, RunId};
use mxdrill::scenario::{self, Defaults, Timeouts};
use mxdrill::source::SourceText;
use mxdrill::tls::Authority;
use mxdrill::world::{Clock, Dialer};
use serde_json::Value;
use tempfile::TempDir;

use super::{code, run, stderr, stdout};

const INVENTORY: &str = "\
platforms:
  new: { hosts: [mx1.new.example, mx2.new.example] }
  legacy: { hosts: [mx.old.example] }
domains:
  drill.example: { at: new, mx: [mx1.new.example], backup: { rule: required, hosts: [mx2.new.example] } }
";

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).expect("written"));
    folder
}

fn findings(output: &Output) -> BTreeSet<String> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(output)));
    let all = report["findings"].as_array().cloned().unwrap_or_default();
    let word = |it: &Value, key: &str| it[key].as_str().expect("text").to_owned();
    all.iter().map(|it| format!("{} {}", word(it, "id"), word(it, "severity"))).collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn a_zone_file_is_audited_before_it_is_published() {
    let zone = "@ MX 10 mx1.new.example.\n@ MX 20 mx.old.example.\n";
    let folder = folder(&[
        ("inventory.yaml", INVENTORY),
        ("drill.example.zone", zone),
        ("fixed", &format!("$ORIGIN drill.example.\n{}", zone.replace("mx.old", "mx2.new"))),
    ]);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (inventory, stale, fixed) = (at("inventory.yaml"), at("drill.example.zone"), at("fixed"));
    let output = run(&["audit", "--zone", &stale, "--inventory", &inventory, "--format", "json"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let finding = &report["findings"][0];
    assert_eq!((&finding["id"], &finding["severity"]), (&Value::from("mx-points-to-legacy"), &Value::from("error")));
    assert_eq!((&finding["subject"], &finding["platform"]), (&Value::from("drill.example"), &Value::from("legacy")));
    assert_eq!(finding["evidence"][0]["line"], 2);
    assert!(finding["fix"].as_str().expect("a fix").contains("MX 20 mx2.new.example."), "{finding}");
    assert_eq!(report["records"][0]["findings"][0]["id"], "mx-points-to-legacy");
    let output = run(&["audit", "--zone", &fixed, "--inventory", &inventory]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    assert!(stdout(&output).contains("left out"), "coverage is stated: {}", stdout(&output));
}

#[test]
fn what_cannot_be_audited_is_said_in_one_breath() {
    let folder = folder(&[("drill.example.zone", "@ MX ten mx1\n"), ("no origin", "@ MX 10 mx1\n")]);
    let at = |name: &str| folder.path().join(name).display().to_string();
    let output = run(&["audit", "--zone", &at("drill.example.zone"), "--zone", &at("no origin")]);
    assert_eq!(code(&output), 2);
    let said = stderr(&output);
    assert!(said.contains("drill.example.zone:1:1") && said.contains("$ORIGIN"), "{said}");
    assert_eq!(code(&run(&["audit"])), 2);
    assert_eq!(code(&run(&["audit", "not a domain"])), 2);
}

#[test]
fn the_internet_is_asked_with_live_only() {
    let output = run(&["audit", "drill.example", "--smtp"]);
    assert_eq!(code(&output), 2);
    let said = stderr(&output);
    for wanted in ["the system's DNS resolver", "the name servers of drill.example", "the MX hosts of", "--live"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}

/// A lab that stays up while the program asks it.
struct World {
    runtime: tokio::runtime::Runtime,
    names: Names,
    _lab: Lab,
    ground: Ground,
    folder: TempDir,
}

impl World {
    /// `drill.example` with these MX records, and hosts that the text of a scenario's `lab.hosts` makes.
    fn up(mx: &str, dns: &str) -> Self {
        let text = format!(
            "name: A world\ndomain: drill.example\nplatforms:\n  new: {{ hosts: [mx1.new.example, mx2.new.example] }}\n  \
             legacy: {{ hosts: [mx.old.example] }}\nlab:\n  zones: {{ drill.example: \"@ MX 10 mx1.new.example.\" }}\n  hosts:\n    mx1.new.example: {{ store: {{}} }}\n    \
             mx2.new.example: {{ reject: {{ reply: \"550 5.1.1 unknown domain\" }} }}\n    mx.old.example: {{ store: {{}} }}\n{dns}\
             phases:\n  - name: steady\n    probes: {{ count: 1 }}\n    expect: {{ at: new }}\n"
        );
        let loaded = scenario::load(SourceText::new("world.yaml", text), None).expect("a scenario");
        let plan = loaded.scenario.lab.expect("a lab");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let (names, lab, ground) = runtime.block_on(async {
            let ground = Ground::plan(&plan).expect("a ground");
            let addresses: HashMap<String, Vec<SocketAddr>> =
                ground.hosts.iter().map(|(name, site)| (name.clone(), site.addresses.clone())).collect();
            let setting = Setting {
                run: RunId::from_entropy(6),
                journal: Journal::in_memory(Clock::starting_at("2026-11-21T06:40:00Z".parse().expect("a time"))),
                dialer: Dialer::default(),
                authority: Arc::new(Authority::new().expect("keys")),
                platforms: HashMap::new(),
                addresses: addresses.clone(),
                timeouts: Timeouts::of(Defaults::Lab),
                outbound: mxdrill::lab::Outbound::default(),
                keep: Keep::Newest,
            };
            let lab = Lab::up(&plan, &ground, setting).expect("a lab");
            let hosts: Vec<(String, Vec<IpAddr>)> =
                addresses.into_iter().map(|(name, all)| (name, all.iter().map(SocketAddr::ip).collect())).collect();
            let zone = format!(
                "@ IN SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A {}\n{mx}@ TXT \"v=spf1 mx -all\"\n",
                ground.dns.ip()
            );
            let zones = [("drill.example".to_owned(), zone)];
            let names = Names::start(ground.dns, &zones, &hosts, &plan.dns_faults).await.expect("DNS");
            (names, lab, ground)
        });
        let folder = folder(&[("inventory.yaml", INVENTORY)]);
        Self { runtime, names, _lab: lab, ground, folder }
    }

    fn audit(&self, more: &[&str]) -> Output {
        let dns = self.names.address();
        let (server, ns_port) = (dns.to_string(), dns.port().to_string());
        let smtp_port = self.ground.hosts[0].addresses[0].port().to_string();
        let inventory = self.folder.path().join("inventory.yaml").display().to_string();
        let mut arguments = vec!["audit", "drill.example", "--dns", &server, "--ns-port", &ns_port];
        arguments.extend([
            "--smtp-port",
            &smtp_port,
            "--patience",
            "1ms",
            "--inventory",
            &inventory,
            "--format",
            "json",
        ]);
        arguments.extend(more);
        run(&arguments)
    }

    fn down(self) {
        self.runtime.block_on(self.names.down());
    }
}

#[test]
fn live_the_resolver_and_every_server_are_asked() {
    let world = World::up("@ MX 10 mx1.new.example.\n@ MX 20 mx.old.example.\n", "");
    let output = world.audit(&["--only", "mx"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert_eq!(findings(&output), set(&["mx-points-to-legacy error"]));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let coverage = report["records"][0]["coverage"].as_array().cloned().expect("coverage");
    let whats: Vec<&str> = coverage.iter().map(|it| it["what"].as_str().expect("text")).collect();
    assert!(whats.iter().any(|it| it.starts_with("MX from resolver 127.")), "{whats:?}");
    assert!(whats.iter().any(|it| it.starts_with("MX from ns.drill.example (127.")), "{whats:?}");
    world.down();
}

#[test]
fn over_smtp_the_old_server_is_found_that_no_mx_names() {
    let world = World::up("@ MX 10 mx1.new.example.\n@ MX 20 mx2.new.example.\n", "");
    let output = world.audit(&["--only", "mx", "--smtp"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    // A lab's stores take every recipient, and their certificates come from the lab's authority.
    let wanted = [
        "legacy-still-accepts error",
        "mx-host-refuses-domain error",
        "mx-host-accepts-anyone warning",
        "mx-certificate-flawed warning",
    ];
    assert_eq!(findings(&output), set(&wanted), "{}", stdout(&output));
    world.down();
}

#[test]
fn a_server_that_fails_makes_the_audit_inconclusive() {
    let faults = "  dns: { faults: [{ name: drill.example, type: MX, do: servfail }] }\n";
    let world = World::up("@ MX 10 mx1.new.example.\n@ MX 20 mx2.new.example.\n", faults);
    let output = world.audit(&["--only", "mx"]);
    assert_eq!(code(&output), 3, "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("SERVFAIL"), "{}", stdout(&output));
    world.down();
}

#[test]
fn a_view_that_differs_is_found() {
    let world = World::up("@ MX 10 mx1.new.example.\n@ MX 20 mx2.new.example.\n", "");
    let inside = World::up("@ MX 10 mx.old.example.\n", "");
    let view = format!("inside={}", inside.names.address());
    let output = world.audit(&["--only", "mx", "--view", &view]);
    assert_eq!(findings(&output), set(&["mx-differs-between-views error"]), "{}", stderr(&output));
    assert_eq!(code(&output), 1);
    inside.down();
    world.down();
}

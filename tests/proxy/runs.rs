//! Runs that tell a standing proxy about their faults: `mxdrill run` and `mxdrill proxy`, each a
//! process of its own, and the host behind the proxy in the run's own lab.

use std::net::TcpListener;
use std::process::{Child, Output, Stdio};

use serde_json::{Value, json};

use super::support::*;

const PORT: u16 = 2525;
/// A run that nobody carries out.
const OTHER: &str = "zzzzzzzzzzz9";

/// A /24 of loopback, a proxy in it, and a folder.
struct Stage {
    network: String,
    _claim: TcpListener,
    program: Program,
    mail: String,
    api: Api,
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        Self::with(&[])
    }

    fn with(arguments: &[&str]) -> Self {
        let free = |number: u8| {
            let claim = TcpListener::bind((format!("127.79.{number}.254"), 7825)).ok()?;
            Some((format!("127.79.{number}"), claim))
        };
        let (network, claim) = (1..=254).find_map(free).expect("a free network");
        // The lab's second host: its addresses follow from .2 in file order.
        let upstream = format!("{network}.3:{PORT}");
        let own = ["--listen", "127.0.0.1:0", "--upstream", &upstream, "--host", "mx1.new.example"];
        let mut program = Program::start(&[&own[..], &["--control", "127.0.0.1:0"], arguments].concat());
        let (mail, api) = (program.mail().to_string(), program.control());
        let folder = tempfile::tempdir().expect("a folder");
        Self { network, _claim: claim, program, mail, api, folder }
    }

    /// The scenario; `proxy` is what it says of the proxy beside its address.
    fn scenario(&self, proxy: &str, faults: &str) -> String {
        let text = format!(
            r#"
name: A standing proxy is told
domain: drill.example
timeouts: {{ rcpt: 20s }}
platforms:
  new: {{ hosts: [mx1.new.example, store.new.example, mx2.new.example] }}
lab:
  network: {network}.0/24
  port: {PORT}
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
      @ MX 20 mx2.new.example.
  hosts:
    mx1.new.example: {{ real: {{ address: "{mail}" }} }}
    store.new.example: {{ store: {{}}, tls: absent }}
    mx2.new.example: {{ store: {{}} }}
proxies:
  mx1.new.example: {{ control: "http://{control}"{proxy} }}
phases:
  - name: steady
    probes: {{ count: 1 }}
    expect: {{ at: new, host: mx1.new.example, within: 20s }}
  - name: primary broken
    faults:
      - {faults}
    probes: {{ count: 2 }}
    expect: {{ at: new, within: 20s }}
"#,
            network = self.network,
            mail = self.mail,
            control = self.api.address,
        );
        let path = self.folder.path().join("scenario.yaml");
        write(&path, &text);
        path.display().to_string()
    }

    fn run(&self, proxy: &str, faults: &str) -> Output {
        run(&["run", &self.scenario(proxy, faults), "--format", "json", "--seed", "7"])
    }

    fn spawn(&self, proxy: &str, faults: &str) -> Child {
        let mut command = mxdrill(&["run", &self.scenario(proxy, faults), "--format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the program starts")
    }

    /// Waits until the run's faults are in force and one has fired.
    fn fired(&self) {
        until("a fault fires", || self.api.get("/v1/firings")["last"] != 0);
    }
}

fn record(output: &Output) -> Value {
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    report["records"][0].clone()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const BUSY: &str = r#"{ host: mx1.new.example, at: rcpt, when: { first: 1 }, do: { reply: "451 4.7.1 later" } }"#;
const SLOW: &str = "{ host: mx1.new.example, at: rcpt, do: { delay: 15s } }";

#[test]
fn its_firings_are_the_runs_and_nothing_is_left_behind() {
    let stage = Stage::new();
    let output = stage.run("", BUSY);
    let record = record(&output);
    assert_eq!((output.status.code(), &record["verdict"]), (Some(0), &json!("pass")), "{record:#}");
    let busy = &record["phases"][1];
    assert_eq!(busy["faults"][0]["fired"], 2, "{record:#}");
    for probe in busy["probes"].as_array().expect("probes") {
        assert_eq!(
            (&probe["fired"][0]["fault"], &probe["fired"][0]["stage"]),
            (&json!(0), &json!("rcpt")),
            "{probe:#}"
        );
        assert_eq!(probe["attempts"][0]["reply"], "451 4.7.1 later");
    }
    let stands = record["standing"].as_array().expect("a list").iter().find(|it| it["host"] == "mx1.new.example");
    assert_eq!(stands.expect("it stands")["proxy"], "standing");
    assert!(stage.api.faults().is_empty());
    assert_eq!(record["findings"], json!([]));
}

#[test]
fn faults_that_others_have_put_there_are_told() {
    let stage = Stage::with(&["--fault", "at=quit do=close recipient=nobody@nowhere.example"]);
    let record = record(&stage.run("", BUSY));
    let titles: Vec<&str> =
        record["findings"].as_array().expect("a list").iter().filter_map(|it| it["title"].as_str()).collect();
    assert!(titles.iter().any(|it| it.contains("a fault that is not of this run: at=quit")), "{titles:?}");
    assert_eq!(stage.api.faults().len(), 1, "it is not the run's to lift");
}

#[test]
fn the_record_says_that_the_proxy_ended_tls() {
    let made = rcgen::generate_simple_self_signed(["mx1.new.example".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = (folder.path().join("mx.pem"), folder.path().join("mx.key"));
    write(&certificate, &made.cert.pem());
    write(&key, &made.signing_key.serialize_pem());
    let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
    let stage = Stage::with(&["--tls-cert", &certificate, "--tls-key", &key]);
    let path = stage.scenario("", BUSY);
    let text = std::fs::read_to_string(&path).expect("it is there");
    write(std::path::Path::new(&path), &text.replace(", tls: absent", ""));
    let record = record(&run(&["run", &path, "--format", "json"]));
    assert_eq!(record["phases"][1]["faults"][0]["fired"], 2, "{record:#}");
    let stands = record["standing"].as_array().expect("a list").iter().find(|it| it["host"] == "mx1.new.example");
    assert_eq!(stands.expect("it stands")["tls_ended_by"], "proxy");
}

#[test]
fn only_probes_of_the_run_are_touched() {
    let stage = Stage::new();
    let mut child = stage.spawn("", SLOW);
    stage.fired();
    let held = stage.api.get("/v1/faults")["faults"][0].clone();
    assert_eq!((&held["origin"], &held["at"]), (&json!("run"), &json!("rcpt")));
    // Another run's probe, and one of nobody: the host's own answers, at once.
    let mail = stage.mail.parse().expect("an address");
    for sender in [PROBE, STRANGER] {
        let mut client = Client::connect(mail);
        client.reply();
        client.write("HELO client.test\r\n");
        client.reply();
        client.ask(&format!("MAIL FROM:<{sender}>"));
        assert!(client.ask("RCPT TO:<mxdrill@drill.example>").starts_with("250"));
    }
    // Nobody else may put faults there meanwhile.
    let put = r#"{ "seed": 1, "faults": [{ "number": 0, "fault": { "at": "mail", "do": "close" } }] }"#;
    let refused = stage.api.ask("PUT", &format!("/v1/runs/{OTHER}"), put);
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.json()["error"].as_str().expect("text").contains("are in force at `mx1.new.example`"));

    interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(stage.api.faults().is_empty(), "an interrupted run lifts its faults");
}

fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
}

#[test]
fn a_run_that_is_killed_leaves_a_lease_that_runs_out() {
    let stage = Stage::new();
    let mut child = stage.spawn(", lease: 1s", SLOW);
    stage.fired();
    // Renewed for as long as it lives.
    let begun = std::time::Instant::now();
    until("a lease and more is over", || begun.elapsed() > std::time::Duration::from_millis(1_500));
    assert_eq!(stage.api.faults().len(), 1);
    child.kill().expect("killed");
    child.wait().expect("gone");
    until("it is lifted", || stage.api.faults().is_empty());
}

#[test]
fn faults_that_somebody_else_lifts_prove_nothing() {
    let stage = Stage::new();
    let child = stage.spawn("", SLOW);
    stage.fired();
    assert_eq!(stage.api.ask("DELETE", "/v1/faults", "").status, 200);
    let output = child.wait_with_output().expect("it ends");
    let record = record(&output);
    assert_eq!(
        (output.status.code(), &record["phases"][1]["verdict"]),
        (Some(3), &json!("inconclusive")),
        "{record:#}"
    );
    assert!(record["phases"][1]["why"].to_string().contains("has lifted faults of this run"), "{record:#}");
}

#[test]
fn a_proxy_that_is_gone_is_said() {
    let mut stage = Stage::new();
    let child = stage.spawn(", lease: 1s", SLOW);
    stage.fired();
    stage.program.signal("KILL");
    let output = child.wait_with_output().expect("it ends");
    let record = record(&output);
    assert_ne!(output.status.code(), Some(0));
    assert!(record["phases"][1]["why"].to_string().contains("cannot be reached"), "{record:#}");
    drop(stage.program.said.drain(..));
}

#[test]
fn what_would_not_work_is_said_before_anything_is_sent() {
    let stage = Stage::with(&["--token", "env:PROXY_TOKEN"]);
    let mut master = stage.api.clone();
    master.token = Some(TOKEN.to_owned());
    let refused = stage.run("", BUSY);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("does not let this run in"), "{}", said(&refused));
    let unset = stage.run(", token: { env: NOT_SET }", BUSY);
    assert_eq!(unset.status.code(), Some(2));
    assert!(said(&unset).contains("`NOT_SET` is not set"), "{}", said(&unset));

    let put = r#"{ "seed": 1, "lease": "1h", "faults": [{ "number": 0, "fault": { "at": "mail", "do": "close" } }] }"#;
    assert_eq!(master.ask("PUT", &format!("/v1/runs/{OTHER}"), put).status, 200);
    let taken = stage.run(", token: { env: PROXY_TOKEN }", BUSY);
    assert_eq!(taken.status.code(), Some(3));
    assert!(said(&taken).contains(&format!("faults of the run {OTHER} are in force")), "{}", said(&taken));
    assert_eq!(master.ask("DELETE", &format!("/v1/runs/{OTHER}"), "").status, 200);
    assert_eq!(stage.run(", token: { env: PROXY_TOKEN }", BUSY).status.code(), Some(0));
    assert!(stage.program.said.iter().all(|line| !line.to_string().contains(TOKEN)));

    let path = stage.scenario("", BUSY);
    let text = std::fs::read_to_string(&path).expect("it is there");
    write(std::path::Path::new(&path), &text.replace(&stage.api.address.to_string(), "127.0.0.1:9"));
    let unreachable = run(&["run", &path]);
    assert_eq!(unreachable.status.code(), Some(3));
    assert!(said(&unreachable).contains("http://127.0.0.1:9 cannot be reached"), "{}", said(&unreachable));
}

#[test]
fn a_proxy_before_another_host_is_not_taken() {
    let host = Host::start();
    let mut other = Program::before(&host, &[]);
    let stage = Stage::new();
    let path = stage.scenario("", BUSY);
    let text = std::fs::read_to_string(&path).expect("it is there");
    write(
        std::path::Path::new(&path),
        &text.replace(&stage.api.address.to_string(), &other.control().address.to_string()),
    );
    let refused = run(&["run", &path]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("does not stand before `mx1.new.example`"), "{}", said(&refused));
}

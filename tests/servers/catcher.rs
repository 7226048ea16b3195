//! A server that catches mail for tests, itself: Sendria, asked over its HTTP API.

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::servers::{Network, PATIENCE, read, until};

const SCENARIO: &str = r#"
name: A catcher shows what it has caught
domain: drill.example
platforms:
  new:
    hosts: [mx1.new.example]
    collectors:
      - catcher: { kind: sendria, url: "http://HTTP" }
lab:
  network: NETWORK
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
  hosts:
    mx1.new.example: { real: { address: "SMTP" } }
phases:
  - name: steady
    probes: { count: 2 }
    expect: { at: new, within: 10s }
"#;

/// It ends with this value, and with the thread of the test.
struct Sendria {
    child: Child,
    _folder: TempDir,
}

impl Sendria {
    fn start(smtp: &str, http: &str) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let said = folder.path().join("out");
        let output = File::create(&said).expect("a file");
        let (smtp_ip, smtp_port) = smtp.split_once(':').expect("an address");
        let (http_ip, http_port) = http.split_once(':').expect("an address");
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "python3"])
            .arg(installed().join("bin/sendria"))
            .args(["--foreground", "--smtp-ip", smtp_ip, "--smtp-port", smtp_port])
            .args(["--http-ip", http_ip, "--http-port", http_port, "--db"])
            .arg(folder.path().join("mail.sqlite"))
            .env("PYTHONPATH", installed())
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a second handle"))
            .stderr(output)
            .spawn()
            .expect("setpriv and python3");
        let answers = until(PATIENCE, || {
            let ended = child.try_wait().expect("the state of a child").is_some();
            let up = || TcpStream::connect(smtp).is_ok() && TcpStream::connect(http).is_ok();
            (ended || up()).then_some(!ended)
        });
        assert_eq!(answers, Some(true), "Sendria did not start (tests/servers/install brings it)\n{}", read(&said));
        Self { child, _folder: folder }
    }
}

impl Drop for Sendria {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `tests/servers/install` has put it.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("servers").join("sendria")
}

#[test]
fn sendria_shows_probes_with_their_envelope_and_time() {
    let network = Network::claim();
    let (smtp, http) = (network.address(101, 1025), network.address(101, 1080));
    let _sendria = Sendria::start(&smtp, &http);
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let (scenario, report) = (folder.path().join("drill.yaml"), folder.path().join("report.json"));
    let text = SCENARIO.replace("HTTP", &http).replace("SMTP", &smtp).replace("NETWORK", &network.cidr());
    fs::write(&scenario, text).expect("written");
    let run = Command::new(env!("CARGO_BIN_EXE_mxdrill"))
        .args(["run", "--report", &format!("json={}", report.display())])
        .arg(&scenario)
        .stdin(Stdio::null())
        .output()
        .expect("mxdrill runs");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(0), "{said}\n{}", String::from_utf8_lossy(&run.stdout));
    let record: Value = serde_json::from_str(&read(&report)).expect("JSON");
    let record = &record["records"][0];
    assert_eq!(record["controls"][0]["proof"], "seen", "{record:#}");
    for probe in record["phases"][0]["probes"].as_array().expect("probes") {
        let landed = &probe["landed"][0];
        let envelope = format!(", from <mxdrill+{}@", probe["tag"].as_str().expect("a tag"));
        assert!(
            landed["detail"].as_str().is_some_and(|it| it.starts_with("sendria ") && it.contains(&envelope)),
            "{landed:#}"
        );
        assert_eq!(probe["copies"], 1, "{probe:#}");
    }
}

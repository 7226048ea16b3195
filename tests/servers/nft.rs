//! `drop-syn` by nftables, in a network namespace of its own: each test runs itself again inside.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::PATIENCE;
use super::servers::until;

const MAIL: &str = "127.0.0.1:2525";
const CONTROL: &str = "127.0.0.1:8025";
/// Longer than a handshake on one machine ever takes.
const UNANSWERED: Duration = Duration::from_millis(300);

/// Runs the test of this name in a namespace of its own; gives whether this already is that.
fn inside(name: &str) -> Inside {
    if std::env::var_os("MXDRILL_TEST_NAMESPACE").is_some() {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("ip runs");
        assert!(up.success(), "a loopback of its own");
        return Inside::Yes;
    }
    let program = std::env::current_exe().expect("this test's program");
    let test = format!("nft::{name}");
    let output = Command::new("unshare")
        .arg("--net")
        .arg(program)
        .args(["--exact", &test, "--nocapture"])
        .env("MXDRILL_TEST_NAMESPACE", "yes")
        .output()
        .expect("unshare runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}{}", String::from_utf8_lossy(&output.stderr));
    Inside::No
}

#[derive(PartialEq, Eq)]
enum Inside {
    Yes,
    No,
}

struct Proxy(Child);

impl Proxy {
    /// Before a host that greets.
    fn start() -> Self {
        let host = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let upstream = host.local_addr().expect("an address").to_string();
        std::thread::spawn(move || {
            for mut stream in host.incoming().flatten() {
                // A client that is gone by then needs no greeting.
                let _ = stream.write_all(b"220 host.test ESMTP\r\n");
            }
        });
        let child =
            mxdrill(&["proxy", "--listen", MAIL, "--upstream", &upstream, "--host", "mx.test", "--control", CONTROL])
                .stderr(Stdio::null())
                .spawn()
                .expect("the built mxdrill");
        let proxy = Self(child);
        until(PATIENCE, || TcpStream::connect(MAIL).ok()).expect("it listens");
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn mxdrill(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mxdrill"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Asks the control API.
fn ask(method: &str, path: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(CONTROL).expect("connected");
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: {CONTROL}\r\nConnection: close\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let text = answer.split_once("\r\n\r\n").expect("a head").1;
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// The greeting; none where the SYN is not answered.
fn greeting() -> Option<String> {
    let address: SocketAddr = MAIL.parse().expect("an address");
    let stream = match TcpStream::connect_timeout(&address, UNANSWERED) {
        Ok(stream) => stream,
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "dropped, not refused");
            return None;
        }
    };
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("a greeting");
    Some(line.trim_end().to_owned())
}

fn tables() -> String {
    let output = Command::new("nft").args(["list", "tables"]).output().expect("nft runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const FAULT: &str = r#"{ "at": "connect", "do": { "drop-syn": "nft" }, "scope": "all" }"#;

#[test]
fn syns_are_dropped_counted_and_answered_again() {
    if inside("syns_are_dropped_counted_and_answered_again") == Inside::No {
        return;
    }
    let proxy = Proxy::start();
    assert_eq!(greeting().as_deref(), Some("220 host.test ESMTP"));
    let mut early = BufReader::new(TcpStream::connect(MAIL).expect("connected"));
    let id = ask("POST", "/v1/faults", FAULT)["faults"][0]["id"].clone();
    assert_eq!(id, 1);
    assert!(tables().contains(&format!("table inet mxdrill_pid{}_127_0_0_1_2525", proxy.0.id())), "{}", tables());
    assert_eq!((greeting(), greeting()), (None, None));
    // Who was there before is none of its business.
    let mut line = String::new();
    early.read_line(&mut line).expect("a greeting");
    assert_eq!(line, "220 host.test ESMTP\r\n");
    ask("DELETE", "/v1/faults", "");
    assert_eq!(tables(), "");
    assert_eq!(greeting().as_deref(), Some("220 host.test ESMTP"));
    let counted = ask("GET", "/v1/counters", "")["firings"].clone();
    assert_eq!((&counted[0]["do"], &counted[0]["count"]), (&Value::from("drop-syn"), &Value::from(2)));
}

#[test]
fn a_proxy_that_is_killed_leaves_no_table_behind() {
    if inside("a_proxy_that_is_killed_leaves_no_table_behind") == Inside::No {
        return;
    }
    let mut proxy = Proxy::start();
    ask("POST", "/v1/faults", FAULT);
    assert!(tables().contains("mxdrill_"));
    proxy.0.kill().expect("killed");
    proxy.0.wait().expect("gone");
    until(PATIENCE, || tables().is_empty().then_some(())).expect("the kernel takes it away");
}

const DRILL: &str = r#"
name: SYNs dropped by nftables
domain: drill.example
timeouts: { connect: 500ms }
platforms: { new: { hosts: [mx1.new.example, mx2.new.example] } }
lab:
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
      @ MX 20 mx2.new.example.
  hosts: { mx1.new.example: { store: {} }, mx2.new.example: { store: {} } }
phases:
  - name: primary down
    faults: [{ host: mx1.new.example, at: connect, do: { drop-syn: nft } }]
    probes: { count: 2 }
    expect: { host: mx2.new.example, within: 10s }
  - name: primary back
    probes: { count: 1 }
    expect: { host: mx1.new.example, within: 10s }
"#;

fn drill(environment: &[(&str, &str)]) -> Output {
    let folder = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let file = folder.path().join("drill.yaml");
    std::fs::write(&file, DRILL).expect("written");
    let mut command = mxdrill(&["run", &file.display().to_string(), "--format", "json"]);
    command.envs(environment.iter().copied()).output().expect("the built mxdrill")
}

#[test]
fn a_drill_counts_the_syns_and_leaves_the_primary_as_it_was() {
    if inside("a_drill_counts_the_syns_and_leaves_the_primary_as_it_was") == Inside::No {
        return;
    }
    let output = drill(&[]);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let record = &report["records"][0];
    assert_eq!(record["verdict"], "pass", "{record:#}");
    let fault = &record["phases"][0]["faults"][0];
    assert_eq!((&fault["fired"], &fault["do"]), (&Value::from(2), &Value::from("drop-syn by nft")));
    assert!(fault["syns"].as_u64().expect("a number") >= 2, "{fault:#}");
    assert_eq!(tables(), "");
}

#[test]
fn without_nft_nothing_is_sent_and_that_is_said() {
    if inside("without_nft_nothing_is_sent_and_that_is_said") == Inside::No {
        return;
    }
    let output = drill(&[("PATH", "/nowhere")]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("the program `nft` is not on this machine"), "{said}");
    assert!(output.stdout.is_empty());
}

//! `mxdrill scan --live` and `--try`: whether a relay still takes mail, and that it never gets any.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::{code, mxdrill, run, stderr, stdout};

/// NUL, `app`, NUL, `s3cret for a test` in base64.
const PLAIN: &str = "AGFwcABzM2NyZXQgZm9yIGEgdGVzdA==";
const SECRET: &str = "s3cret for a test";

/// An old relay on loopback that takes mail of those who log in.
struct Relay {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    fn up() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(vec![]));
        let log = Arc::clone(&heard);
        thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, &log)));
        Self { port, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no test panics with it").clone()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
    let mut known = "530 5.7.0 authentication required";
    stream.write_all(b"220 smtp.old.example ESMTP\r\n").expect("written");
    while let Some(Ok(line)) = lines.next() {
        log.lock().expect("no panic").push(line.clone());
        let answer = match line.split(' ').next().unwrap_or_default() {
            "EHLO" => "250-smtp.old.example\r\n250 AUTH PLAIN",
            "AUTH" if line.ends_with(PLAIN) => {
                known = "250 2.1.0 ok";
                "235 2.7.0 welcome"
            }
            "AUTH" => "535 5.7.8 not with s3cret for a test",
            "MAIL" | "RCPT" => known,
            "QUIT" => "221 2.0.0 bye",
            _ => "250 2.0.0 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).expect("written");
    }
}

/// The files of a Postfix that still sends through the relay at `port`, with `login`.
fn postfix(port: u16, login: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let etc = folder.path().join("etc/postfix");
    std::fs::create_dir_all(&etc).expect("made");
    let main = format!("relayhost = [127.0.0.1]:{port}\nsmtp_sasl_password_maps = texthash:/etc/postfix/sasl_passwd\n");
    std::fs::write(etc.join("main.cf"), main).expect("written");
    std::fs::write(etc.join("sasl_passwd"), format!("[127.0.0.1]:{port} {login}\n")).expect("written");
    folder
}

fn findings(output: &std::process::Output) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&stdout(output)).expect("JSON");
    let told = report["findings"].as_array().expect("findings").iter().map(|it| {
        let said = |key: &str| it[key].as_str().expect("a text").to_owned();
        (said("id"), said("title"))
    });
    told.filter(|(id, _)| id.starts_with("relay-")).collect()
}

const ASK: [&str; 6] = ["--recipient", "me@drill.example", "--domain", "drill.example", "--format", "json"];

#[test]
fn a_login_that_the_scan_finds_still_works() {
    let relay = Relay::up();
    let folder = postfix(relay.port, &format!("app:{SECRET}"));
    let path = folder.path().display().to_string();
    let output = run(&[&["scan", &path, "--address", "127.0.0.1", "--live"], &ASK[..]].concat());
    let found = findings(&output);
    let ids: Vec<&str> = found.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["relay-still-accepts", "relay-refuses"], "{}", stdout(&output));
    assert!(found[0].1.contains("from `app` (login in "), "{found:?}");
    assert!(found[1].1.contains("without a login"), "{found:?}");
    assert_eq!(code(&output), 1);
    let heard = relay.heard();
    let tail: Vec<&str> = heard.iter().rev().take(4).rev().map(|it| it.split(' ').next().expect("a word")).collect();
    assert_eq!(tail, ["MAIL", "RCPT", "RSET", "QUIT"], "{heard:?}");
    assert!(!heard.iter().any(|it| it.starts_with("DATA")), "{heard:?}");
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert!(!said.contains(SECRET) && !said.contains(PLAIN), "{said}");
}

#[test]
fn nobody_is_asked_without_being_told_to() {
    let relay = Relay::up();
    let folder = postfix(relay.port, "app:wrong");
    let path = folder.path().display().to_string();
    assert_eq!(code(&run(&[&["scan", &path, "--address", "127.0.0.1"], &ASK[..]].concat())), 1);
    assert!(relay.heard().is_empty(), "{:?}", relay.heard());
}

#[test]
fn a_relay_that_refuses_is_good_news() {
    let relay = Relay::up();
    let place = format!("127.0.0.1:{}", relay.port);
    let arguments = ["scan", "--name", "smtp.old.example", "--try", &place];
    let credential = ["--credential", "user=app,password=env:OLD_RELAY"];
    let output = mxdrill()
        .args([&arguments[..], &credential, &ASK].concat())
        .env("OLD_RELAY", "revoked, see s3cret for a test")
        .output()
        .expect("the program starts");
    let found = findings(&output);
    assert!(found.len() == 2 && found.iter().all(|(id, _)| id == "relay-refuses"), "{found:?}");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let unset = run(&[&arguments[..], &credential, &ASK].concat());
    assert_eq!(code(&unset), 2);
    assert!(stderr(&unset).contains("`OLD_RELAY` is not set"), "{}", stderr(&unset));
}

#[test]
fn what_cannot_be_asked_is_said() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string();
    let base = ["scan", "--name", "smtp.old.example", "--try"];
    assert_eq!(code(&run(&[&base[..], &[&closed], &ASK].concat())), 3);
    let remote = run(&[&base[..], &["smtp.old.example:25"], &ASK].concat());
    assert_eq!(code(&remote), 2);
    assert!(stderr(&remote).contains("add `--live`"), "{}", stderr(&remote));
    let nobody = run(&[&base[..], &[&closed]].concat());
    assert!(code(&nobody) == 2 && stderr(&nobody).contains("--recipient"), "{}", stderr(&nobody));
    let foreign = run(&[&base[..], &[&closed, "--recipient", "me@drill.example"]].concat());
    assert!(code(&foreign) == 2 && stderr(&foreign).contains("in no domain"), "{}", stderr(&foreign));
}

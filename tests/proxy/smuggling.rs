//! CR and LF that stand alone, through the program.

use serde_json::json;

use super::support::*;

/// A message in which another one is hidden from who takes LF for a line end.
const SMUGGLED: &str = "Subject: one\r\n\r\ntext\n.\nMAIL FROM:<admin@drill.example>\r\n.\r\n";

fn send(mail: std::net::SocketAddr) -> (Client, String) {
    let mut client = Client::greeted(mail);
    client.envelope(PROBE);
    assert_eq!(client.ask("DATA"), "354 go");
    client.write(SMUGGLED);
    let answer = client.reply();
    (client, answer)
}

#[test]
fn by_default_it_passes_and_is_told() {
    let host = Host::start();
    let mut program = Program::before(&host, &[]);
    let (mail, api) = (program.mail(), program.control());
    assert_eq!(send(mail).1, "250 2.0.0 taken");
    assert!(host.messages.lock().expect("not poisoned")[0].ends_with(SMUGGLED), "byte for byte");
    let line = program.until_says("stood alone");
    assert_eq!((&line["lf"], &line["cr"], &line["smuggling"]), (&json!(2), &json!(0), &json!("pass")));
    assert_eq!(line["tag"], "7k3f9x2mqa01-00012");
    assert_eq!(api.get("/v1/counters")["hosts"][0]["smuggling"], json!({ "pass": 1, "refuse": 0 }));
}

#[test]
fn where_it_is_refused_the_host_never_has_the_message() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--smuggling", "refuse"]);
    let (mail, api) = (program.mail(), program.control());
    let (mut client, answer) = send(mail);
    assert_eq!(answer, "521 5.5.2 bare <LF> received");
    assert_eq!(client.reply(), "", "closed behind it");
    let mut plain = Client::greeted(mail);
    plain.envelope(PROBE);
    plain.ask("DATA");
    assert_eq!(plain.ask("Subject: two\r\n\r\ntext\r\n."), "250 2.0.0 taken");
    assert_eq!(host.count(), 1);
    assert_eq!(api.get("/v1/counters")["hosts"][0]["smuggling"], json!({ "pass": 0, "refuse": 1 }));
    let metrics = api.ask("GET", "/metrics", "").text;
    let sample = "mxdrill_proxy_bare_line_ends_total{host=\"mx.test\",smuggling=\"refuse\"} 1";
    assert!(metrics.contains(sample), "{metrics}");
}

#[test]
fn the_file_says_it_too_and_what_does_not_fit_is_refused() {
    let host = Host::start();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("proxy.yaml");
    let listener = format!("{{ listen: \"127.0.0.1:0\", upstream: \"{}\", host: mx.test }}", host.address);
    write(&file, &format!("listeners: [{listener}]\nsmuggling: refuse\n"));
    let mut program = Program::start(&["--config", &file.display().to_string()]);
    assert_eq!(send(program.mail()).1, "521 5.5.2 bare <LF> received");

    write(&file, &format!("listeners: [{listener}]\nsmuggling: refused\n"));
    let output = run(&["proxy", "--config", &file.display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `refuse`?"), "{output:?}");
    let own = ["proxy", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:9"];
    let output = run(&[&own[..], &["--client", "xclient", "--smuggling", "pass"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be combined"), "{output:?}");
}

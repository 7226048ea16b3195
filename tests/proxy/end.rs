//! How a proxy ends, and how others learn of it.

use std::time::{Duration, Instant};

use super::support::*;

#[test]
fn a_message_under_way_is_never_cut() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--drain", "15s"]);
    let mail = program.mail();
    let mut idle = Client::greeted(mail);
    let mut recipient = Client::greeted(mail);
    assert_eq!(recipient.envelope(STRANGER), "250 2.1.0 ok");
    let mut body = Client::greeted(mail);
    body.envelope(STRANGER);
    assert_eq!(body.ask("DATA"), "354 go");
    body.write("Subject: half");
    program.signal("TERM");
    assert_eq!(idle.reply(), "421 4.3.2 mx.test is going down");
    assert_eq!(idle.reply(), "", "closed behind it");
    until("nobody is let in", || std::net::TcpStream::connect(mail).is_err());
    body.write(" a message\r\n\r\ntext\r\n");
    assert_eq!(body.ask("."), "250 2.0.0 taken");
    assert_eq!(body.reply(), "421 4.3.2 mx.test is going down");
    assert_eq!(recipient.ask("DATA"), "354 go");
    assert_eq!(recipient.ask("x\r\n."), "250 2.0.0 taken");
    drop((idle, recipient, body));
    assert_eq!(program.exit_code(), 0);
    assert_eq!(host.count(), 2);
}

#[test]
fn a_reply_that_a_fault_holds_back_goes_when_the_proxy_goes() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--fault", "at=rcpt do=delay:1h", "--drain", "15s"]);
    let mut client = Client::greeted(program.mail());
    client.ask("EHLO client.test");
    client.ask(&format!("MAIL FROM:<{PROBE}>"));
    client.write("RCPT TO:<someone@drill.example>\r\n");
    program.fired(1);
    program.signal("TERM");
    assert_eq!(client.reply(), "250 2.1.0 ok");
    client.ask("RSET");
    assert_eq!(client.reply(), "421 4.3.2 mx.test is going down");
    drop(client);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn who_does_not_end_in_time_is_cut() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--drain", "300ms"]);
    let mut client = Client::greeted(program.mail());
    client.envelope(STRANGER);
    assert_eq!(client.ask("DATA"), "354 go");
    let begun = Instant::now();
    program.signal("INT");
    assert_eq!(program.exit_code(), 130);
    assert!(begun.elapsed() < Duration::from_secs(5));
    program.until_says("did not end within 300ms");
    assert_eq!(host.count(), 0);
}

#[test]
fn a_container_can_ask_whether_it_is_ready() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--drain", "15s"]);
    let (mail, api) = (program.mail(), program.control());
    let url = format!("http://{}", api.address);
    assert_eq!(run(&["healthcheck", &url]).status.code(), Some(0));
    assert_eq!(run(&["healthcheck", &format!("{url}/readyz")]).status.code(), Some(0));
    let mut held = Client::greeted(mail);
    held.envelope(STRANGER);
    program.signal("TERM");
    until("it is not ready any more", || run(&["healthcheck", &url]).status.code() == Some(1));
    assert_eq!(api.ask("GET", "/healthz", "").status, 200);
    drop(held);
    assert_eq!(program.exit_code(), 0);
    let gone = run(&["healthcheck", &url]);
    assert_eq!(gone.status.code(), Some(3), "{gone:?}");
    assert_eq!(run(&["healthcheck", "nonsense"]).status.code(), Some(2));
    let no_api = run(&["healthcheck", &format!("http://{}", host.address), "--timeout", "300ms"]);
    assert_ne!(no_api.status.code(), Some(0));
}

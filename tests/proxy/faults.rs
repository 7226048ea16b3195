//! Faults from the command line and the configuration file.

use super::support::*;

#[test]
fn a_probe_meets_the_fault_and_all_other_mail_passes() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--fault", "at=rcpt first=2 do=reply:\"451 4.7.1 later\""]);
    let mail = program.mail();
    assert_eq!(rcpt(mail, STRANGER), "250 2.1.0 ok");
    assert_eq!(rcpt(mail, PROBE), "451 4.7.1 later");
    assert_eq!(rcpt(mail, PROBE), "451 4.7.1 later");
    assert_eq!(rcpt(mail, PROBE), "250 2.1.0 ok");
    assert_eq!(rcpt(mail, STRANGER), "250 2.1.0 ok");
    let fired = program.fired(2);
    assert_eq!(fired.len(), 2, "one line a firing: {fired:#?}");
    assert_eq!(fired[0]["tag"], "7k3f9x2mqa01-00012");
    assert_eq!((&fired[0]["fault"], &fired[0]["stage"]), (&1.into(), &"rcpt".into()));
    assert_eq!(fired[0]["command"], "RCPT TO:<someone@drill.example>");
}

#[test]
fn a_probe_is_known_by_its_recipient_too() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--fault", "at=rcpt do=reply:\"550 5.1.1 no\""]);
    let mut client = Client::greeted(program.mail());
    assert_eq!(client.envelope(STRANGER), "250 2.1.0 ok");
    assert_eq!(client.ask("RCPT TO:<probe+7k3f9x2mqa01-00012@drill.example>"), "550 5.1.1 no");
}

#[test]
fn who_is_named_by_a_fault_needs_no_tag() {
    let host = Host::start();
    let fault = "at=rcpt do=reply:\"550 5.1.1 no\" recipient=someone@*";
    let mut program = Program::before(&host, &["--fault", fault]);
    assert_eq!(rcpt(program.mail(), STRANGER), "550 5.1.1 no");
    let fault = "at=banner do=reply:\"421 4.3.2 busy\" client=127.0.0.0/8";
    let mut program = Program::before(&host, &["--fault", fault]);
    assert_eq!(Client::connect(program.mail()).reply(), "421 4.3.2 busy");
}

#[test]
fn with_scope_all_occurrences_are_counted_in_order_of_arrival() {
    let host = Host::start();
    let mut program = Program::before(&host, &["--fault", "at=rcpt nth=2 do=reply:\"451 4.7.1 later\" scope=all"]);
    let mail = program.mail();
    let replies: Vec<String> = [STRANGER, PROBE, STRANGER].iter().map(|sender| rcpt(mail, sender)).collect();
    assert_eq!(replies, ["250 2.1.0 ok", "451 4.7.1 later", "250 2.1.0 ok"]);
}

#[test]
fn every_wrong_fault_is_drawn_and_nothing_listens() {
    let output = run(&[
        "proxy",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        "127.0.0.1:9",
        "--fault",
        "at=rcptto do=close",
        "--fault",
        "at=rcpt do=delay",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.contains("^^^^^^ did you mean `rcpt`?"), "{said}");
    assert!(said.contains("`delay` needs an argument"), "{said}");
    assert!(!said.contains("listening"), "{said}");
}

#[test]
fn an_outage_for_everybody_must_be_meant_and_is_said() {
    let arguments =
        ["proxy", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:9", "--fault", "at=connect do=refuse"];
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("scope=all"), "{output:?}");
    let host = Host::start();
    let mut program = Program::before(&host, &["--fault", "at=connect do=refuse scope=all"]);
    let mail = program.mail();
    assert!(std::net::TcpStream::connect(mail).is_err());
    let warned = program.said.iter().any(|line| line.as_str().is_some_and(|it| it.contains("outage for everybody")));
    assert!(warned, "{:#?}", program.said);
}

#[test]
fn arguments_that_cannot_be_are_refused() {
    for (arguments, why) in [
        (&["proxy"][..], "--listen"),
        (&["proxy", "--listen", "127.0.0.1:0"], "--upstream"),
        (&["proxy", "--listen", "127.0.0.1:2599", "--upstream", "127.0.0.1:2599"], "its own upstream"),
        (&["proxy", "--listen", "127.0.0.1:0", "--upstream", "mx", "--fault", "x"], "a colon and a port"),
        (&["proxy", "--config", "nowhere.yaml"], "cannot be read"),
        (&["proxy", "--listen", "127.0.0.1:0", "--upstream", "mx:25", "--token", "secret"], "env:NAME"),
        (&["proxy", "--listen", "127.0.0.1:0", "--upstream", "mx:25", "--lease", "1ms"], "from 1s to 7d"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{arguments:?}: {output:?}");
    }
}

#[test]
fn a_configuration_has_several_listeners_and_is_read_again() {
    let (one, other) = (Host::start(), Host::start());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("proxy.yaml");
    let listeners = format!(
        "listeners:\n  - {{ listen: 127.0.0.1:0, upstream: \"{}\", host: a.test }}\n  - {{ listen: 127.0.0.1:0, upstream: \"localhost:{}\", host: b.test }}\n",
        one.address,
        other.address.port()
    );
    let fault = "faults:\n  - { host: b.test, at: rcpt, do: { reply: 451 4.7.1 later } }\n";
    write(&path, &format!("{listeners}{fault}"));
    let mut program = Program::start(&["--config", &path.display().to_string()]);
    let mail = |program: &mut Program, host: &str| {
        let line = program.until("listening", |line| line["message"] == "listening" && line["host"] == host);
        line["address"].as_str().and_then(|it| it.parse().ok()).expect("an address")
    };
    let (a, b) = (mail(&mut program, "a.test"), mail(&mut program, "b.test"));
    assert_eq!((rcpt(a, PROBE).as_str(), rcpt(b, PROBE).as_str()), ("250 2.1.0 ok", "451 4.7.1 later"));
    write(&path, &format!("{listeners}{}", fault.replace("later", "much later")));
    program.signal("HUP");
    program.until_says("the configuration was read again");
    assert_eq!(rcpt(b, PROBE), "451 4.7.1 much later");
    write(&path, &format!("{listeners}{}", fault.replace("rcpt", "rcptto")));
    program.signal("HUP");
    let said = program.until_says("the configuration is not used");
    assert!(said["message"].as_str().expect("text").contains("^^^^^^ did you mean `rcpt`?"), "{said:#}");
    assert_eq!(rcpt(b, PROBE), "451 4.7.1 much later", "as before");
}

#[test]
fn a_host_that_is_down_is_not_spoken_for() {
    let upstream = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut program = Program::start(&["--listen", "127.0.0.1:0", "--upstream", &upstream.to_string()]);
    assert_eq!(Client::connect(program.mail()).reply(), "");
    program.until_says("cannot be reached");
}

//! A real MTA as the sender of a scenario: mxdrill hands probes to Postfix, which routes them by the lab's DNS.

use std::path::Path;

use super::servers::{Network, Server};
use super::{Run, TempDir, fs, mxdrill};

const RELAY: u8 = 251;
const NAME: &str = "17-a-real-mta-as-the-sender.yaml";
/// Its queue is seen from inside of its root, with the server's folder where the server has it.
const POSTQUEUE: &str =
    r#"'mount --bind "$0" "$1/server" && exec chroot "$1" /usr/sbin/postqueue -c /server/config -j'"#;

#[test]
fn s17_a_real_postfix_falls_back_and_its_queue_says_what_waits() {
    let network = Network::claim();
    let (relay, dns) = (network.address(RELAY, 2525), network.address(1, 53));
    let dns = dns.trim_end_matches(":53");
    let mut postfix = Server::launch("sender-postfix", &[("SMTP", &*relay), ("DNS", dns)]);
    postfix.await_ready();
    let run = played(&network, &relay, &postfix);

    for phase in ["steady", "primary busy", "nobody takes it"] {
        assert_eq!(run.verdict_of(phase), "pass", "{run}");
    }
    for probe in run.probes_of("primary busy") {
        let hops: Vec<&str> =
            probe.0["path"].as_array().into_iter().flatten().filter_map(|hop| hop["by"].as_str()).collect();
        assert_eq!(hops, ["postfix.sender.example", "mx2.new.example"], "{run}");
        assert_eq!(probe.0["attempts"][0]["target"], "submission", "{run}");
        let id = probe.0["attempts"][0]["queue_id"].as_str().expect("Postfix names its queue-id");
        assert!(postfix.log().contains(&format!("{id}: removed")), "{run}");
        assert_eq!(probe.0["path"][0]["trust"], "proven", "its own reply names the id in the header: {run}");
    }
    for probe in run.probes_of("nobody takes it") {
        let passed = probe.0["passed"].as_array().expect("what the queue says");
        let waits = passed.iter().find(|it| it["collector"] == "queue postfix.sender.example");
        let reason = waits.and_then(|it| it["reply"].as_str()).unwrap_or_default();
        assert!(
            passed.iter().any(|it| it["reply"].as_str().is_some_and(|it| it.contains("450 4.2.0 busy"))),
            "{reason}\n{run}"
        );
    }
    let warnings = run.report["records"][0]["findings"].to_string();
    assert!(warnings.contains("may remember from an earlier phase which hosts failed"), "{warnings}");
}

fn played(network: &Network, relay: &str, postfix: &Server) -> Run {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/scenarios").join(NAME));
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("servers/new");
    let folder = postfix.path("").display().to_string();
    let text = [
        ("NETWORK", network.cidr()),
        ("RELAY", relay.to_owned()),
        ("POSTQUEUE", POSTQUEUE.to_owned()),
        ("FOLDER", folder.trim_end_matches('/').to_owned()),
        ("ROOT", root.display().to_string()),
    ]
    .iter()
    .fold(text.expect("the scenario"), |text, (key, value)| text.replace(&format!("{{{{{key}}}}}"), value));
    let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for a run");
    let file = place.path().join(NAME);
    fs::write(&file, text).expect("the rendered scenario");
    let (code, stdout, stderr) = mxdrill(&file, place.path());
    let report = serde_json::from_str(&stdout)
        .unwrap_or_else(|error| panic!("exit code {code:?}, no JSON: {error}\n{stdout}\n{stderr}"));
    Run { report, stderr }
}

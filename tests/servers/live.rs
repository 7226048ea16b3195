//! A drill without a lab: names from a DNS server, hosts on port 25, and the proxy where only mxdrill's own sender goes.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use mxdrill::dns::Authority;
use mxdrill::lab::{Ground, Keep, Lab, Outbound, Setting};
use mxdrill::plan::expand;
use mxdrill::record::{AttemptResult, Journal, Record, RunId, StandingProxy};
use mxdrill::run::{self, Context};
use mxdrill::scenario::{self, Scenario};
use mxdrill::source::SourceText;
use mxdrill::terms::Verdict;
use mxdrill::tls;
use mxdrill::world::{Clock, Dialer, Environment};

use super::servers::Network;

/// What the drill is about; it knows nothing of a lab.
const DRILL: &str = r#"
name: Fallback mail must not reach the legacy platform
domain: drill.example
sender: mxdrill@sender.example
timeouts: { connect: 500ms, retry: 200ms }
platforms:
  new: { hosts: [mx1.new.example] }
  legacy: { hosts: [mx.old.example] }
phases:
  - name: steady
    probes: { count: 1 }
    expect: { host: mx1.new.example, outcome: delivered, within: 5s }
  - name: primary down
    faults:
      - { host: mx1.new.example, at: connect, do: drop-syn }
    probes: { count: 2 }
    expect: { at: new, never: legacy, within: 5s, watch: 200ms }
  - name: primary busy
    faults:
      - { host: mx1.new.example, at: rcpt, do: { reply: "451 4.7.1 later" } }
    probes: { count: 1 }
    expect: { at: legacy, within: 5s }
"#;

/// The hosts of this small world, which stand on port 25 like everybody's.
fn world(network: &Network) -> Scenario {
    let text = format!(
        "name: A world\ndomain: drill.example\nplatforms: {{ new: {{ hosts: [mx1.new.example] }}, legacy: {{ hosts: [mx.old.example] }} }}\n\
         lab:\n  network: {}\n  port: 25\n  zones:\n    drill.example: |\n      @ MX 10 mx1.new.example.\n      @ MX 20 mx.old.example.\n  \
         hosts: {{ mx1.new.example: {{ store: {{}} }}, mx.old.example: {{ store: {{}} }} }}\n\
         phases: [{{ name: none, probes: {{}}, expect: {{ at: new }} }}]\n",
        network.cidr()
    );
    load("world.yaml", &text)
}

fn load(name: &str, text: &str) -> Scenario {
    match scenario::load(SourceText::new(name, text), None) {
        Ok(loaded) => loaded.scenario,
        Err(said) => panic!("{}", mxdrill::source::draw_remarks(&said, mxdrill::source::Paint::Plain)),
    }
}

async fn drill(network: &Network) -> Record {
    let run = RunId::from_entropy(0x11fe_0000_0000 | u64::from(std::process::id()));
    let journal = Journal::in_memory(Clock::starting_at(Timestamp::now()));
    let world = world(network);
    let stated = world.lab.as_ref().expect("a lab");
    let ground = Ground::plan(stated).expect("port 25 in a network of its own: this test runs as root");
    let setting = Setting {
        run: run.clone(),
        journal: journal.clone(),
        dialer: Dialer::default(),
        authority: Arc::new(tls::Authority::new().expect("keys")),
        platforms: HashMap::from([
            ("mx1.new.example".to_owned(), "new".to_owned()),
            ("mx.old.example".to_owned(), "legacy".to_owned()),
        ]),
        addresses: HashMap::new(),
        timeouts: world.timeouts.clone(),
        outbound: Outbound::default(),
        keep: Keep::Nothing,
    };
    let hosts: Vec<_> = ground
        .hosts
        .iter()
        .map(|(host, site)| (host.clone(), site.addresses.iter().map(|it| it.ip()).collect()))
        .collect();
    let zones: Vec<_> = stated.zones.iter().map(|(origin, text)| (origin.clone(), text.value.clone())).collect();
    let authority = Authority::start(ground.dns, &zones, &hosts, &[]).await.expect("a DNS server");
    let servers = Lab::up(stated, &ground, setting).expect("two hosts");

    let plan = Arc::new(expand(Arc::new(load("live.yaml", DRILL)), run, 7));
    let context = Context {
        environment: Environment::default(),
        authorities: Arc::new(vec![]),
        dns: Some(authority.address()),
        helo: "sender.example".to_owned(),
        jobs: 4,
        record: None,
        stop: tokio::sync::watch::channel(None).1,
        command: vec![],
        inventory: None,
    };
    let record = run::drill(&plan, &context, &journal).await.expect("a drill");
    servers.down().await;
    authority.down().await;
    record
}

#[test]
fn without_a_lab_the_sender_dials_the_proxy_and_nobody_else_does() {
    let network = Network::claim();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let record = runtime.block_on(drill(&network));
    let whole = serde_json::to_string_pretty(&record).expect("JSON");

    let stands = &record.standing[0];
    assert_eq!((stands.host.as_str(), stands.proxy), ("mx1.new.example", Some(StandingProxy::Dialled)), "{whole}");
    assert_eq!(stands.address, network.address(2, 25), "the host's own address, not the proxy's");
    assert_eq!(record.phases[0].verdict, Verdict::Pass, "{whole}");
    let down = &record.phases[1];
    assert_eq!((down.verdict, down.faults[0].fired), (Verdict::Fail, 2), "{whole}");
    for probe in &down.probes {
        let results: Vec<_> = probe.attempts.iter().map(|it| (it.host.as_str(), it.result)).collect();
        assert_eq!(
            results,
            [("mx1.new.example", AttemptResult::Timeout), ("mx.old.example", AttemptResult::Accepted)],
            "{whole}"
        );
        assert_eq!(probe.attempts[1].proxy, None, "no fault names it");
    }
    let busy = &record.phases[2];
    assert_eq!((busy.verdict, busy.faults[0].fired), (Verdict::Pass, 1), "{whole}");
}

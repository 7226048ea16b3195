//! Every bundled scenario, on the embedded lab, and two laws that hold after each run:
//! conservation (what was sent is accounted for) and determinism (a seed repeats itself).

#![allow(clippy::expect_used, clippy::panic)] // this is how a test fails

#[path = "lab/classes.rs"]
mod classes;
#[path = "lab/ways.rs"]
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mxdrill::plan::{Plan, expand};
use mxdrill::record::{AttemptResult, Entry, Event, Handling, Journal, Record, RunId, TlsEnd, canonical};
use mxdrill::run::{self, Context};
use mxdrill::scenario::{self, LabHostKind};
use mxdrill::source::{Paint, SourceText, draw_remarks};
use mxdrill::terms::{Outcome, Verdict};
use mxdrill::world::{Clock, Environment};

/// A finished run.
struct Ran {
    plan: Arc<Plan>,
    entries: Vec<Entry>,
    record: Record,
}

fn context(jobs: usize) -> Context {
    let (stop, stopped) = tokio::sync::watch::channel(None);
    // Nobody stops these runs; a closed channel means just that.
    drop(stop);
    Context {
        environment: Environment::default(),
        authorities: Arc::new(vec![]),
        dns: None,
        helo: "mxdrill.invalid".to_owned(),
        jobs,
        record: None,
        stop: stopped,
        command: vec![],
        inventory: None,
    }
}

fn load(source: SourceText) -> scenario::Scenario {
    match scenario::load(source, None) {
        Ok(loaded) => loaded.scenario,
        Err(said) => panic!("{}", draw_remarks(&said, Paint::Plain)),
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).expect("it is JSON")
}

fn drill(source: SourceText, seed: u64, jobs: usize) -> Ran {
    let run = RunId::from_entropy(u64::from(std::process::id()) << 20 | seed << 8 | jobs as u64);
    let plan = Arc::new(expand(Arc::new(load(source)), run, seed));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (record, entries) = runtime.block_on(async {
        let journal = Journal::in_memory(Clock::starting_at(jiff::Timestamp::now()));
        let record = run::drill(&plan, &context(jobs), &journal).await;
        (record.unwrap_or_else(|error| panic!("{}: {error}", plan.scenario.source.name)), journal.since(0))
    });
    Ran { plan, entries, record }
}

fn bundled(number: &str) -> SourceText {
    let found = scenario::bundled().find(|it| it.name.contains(&format!("/{number}-")));
    found.unwrap_or_else(|| panic!("scenario {number} is bundled"))
}

/// The verdict that the scenario itself demands, and the two laws.
fn as_it_says(number: &str) -> Ran {
    let ran = drill(bundled(number), 7, 16);
    let expected = ran.plan.scenario.verdict.as_ref().map_or(Verdict::Pass, |it| it.value);
    let whole = serde_json::to_string_pretty(&ran.record).expect("a record");
    assert_eq!(ran.record.verdict, expected, "{whole}");
    assert_eq!(ran.record.run_verdict, Verdict::Pass, "{whole}");
    conserved(&ran);
    let again = drill(bundled(number), 7, 1);
    let (many, one) = (pretty(&canonical(&ran.record)), pretty(&canonical(&again.record)));
    let differ = many.lines().zip(one.lines()).enumerate().find(|(_, (many, one))| many != one);
    assert!(many == one, "--jobs 16 and --jobs 1 differ first at {differ:?}");
    ran
}

/// What was sent is accounted for: every probe has an outcome, every copy that a host took is at
/// rest, passed on, returned or waiting, and every copy that the sender was told of is somewhere.
fn conserved(ran: &Ran) {
    for phase in &ran.record.phases {
        for probe in &phase.probes {
            assert!(probe.outcome.is_some(), "{} has no outcome", probe.tag);
            assert_ne!(probe.outcome, Some(Outcome::Lost), "{} is lost", probe.tag);
        }
    }
    let mut taken: BTreeMap<&str, i64> = BTreeMap::new();
    let mut waiting: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut at_rest: BTreeSet<(String, String)> = BTreeSet::new();
    for entry in &ran.entries {
        match &entry.event {
            Event::Passed(passed) => {
                let host = passed.host.as_deref().expect("a lab host");
                let id = passed.queue_id.as_deref().unwrap_or("");
                match passed.handling {
                    Handling::Took => {
                        *taken.entry(host).or_default() += 1;
                        waiting.insert((host, id));
                        at_rest.insert((host.to_owned(), id.to_owned()));
                    }
                    Handling::Relayed | Handling::Bounced | Handling::Discarded => {
                        *taken.entry(host).or_default() -= 1;
                        assert!(waiting.remove(&(host, id)), "{host} passed on {id}, which it never took");
                    }
                    Handling::Deferred | Handling::Refused => {}
                }
            }
            Event::Landed(landed) => {
                let host = landed.host.clone().expect("a lab host");
                let id = landed.queue_id.clone().expect("a queue-id");
                assert!(at_rest.insert((host, id.clone())), "{id} landed twice");
            }
            _ => {}
        }
    }
    assert_eq!(waiting.len() as i64, taken.values().sum::<i64>(), "{taken:?}");
    for entry in &ran.entries {
        let Event::Attempt { attempt, .. } = &entry.event else { continue };
        if attempt.result == AttemptResult::Accepted {
            let id = attempt.queue_id.clone().expect("the lab names one");
            let relayed = ran.plan.scenario.lab.as_ref().and_then(|lab| lab.hosts.get(&attempt.host));
            let relay = relayed.is_some_and(|host| matches!(host.kind, LabHostKind::Relay { .. }));
            let known = at_rest.contains(&(attempt.host.clone(), id.clone()));
            assert!(known || relay, "{} took {id}, and nobody has it", attempt.host);
        }
    }
}

#[test]
fn s01_a_legacy_backup_is_found_out() {
    let ran = as_it_says("01");
    let phase = &ran.record.phases[1];
    assert_eq!(phase.faults[0].fired, 5);
    for probe in &phase.probes {
        let last = probe.attempts.last().expect("an attempt");
        assert_eq!((last.host.as_str(), last.preference), ("mx.old.example", Some(20)));
        assert_eq!(probe.fired.len(), 1, "the fault's firing is in the record of each probe");
        assert_eq!((probe.landed[0].platform.as_str(), probe.landed.len()), ("legacy", 1));
        assert_eq!(probe.landed[0].queue_id, last.queue_id);
    }
}

#[test]
fn s02_the_same_faults_fire_and_all_is_new() {
    let ran = as_it_says("02");
    assert_eq!(ran.record.phases[1].faults[0].fired, 5);
    for probe in ran.record.phases.iter().flat_map(|phase| &phase.probes) {
        assert!(probe.landed.iter().all(|it| it.platform == "new"));
    }
}

#[test]
fn s03_greylisted_then_delivered() {
    let ran = as_it_says("03");
    for probe in &ran.record.phases[0].probes {
        assert!(probe.attempts[0].reply.starts_with("451 4.7.1"), "{}", probe.attempts[0].reply);
        assert!(probe.attempts.last().expect("an attempt").round > 1);
    }
}

#[test]
fn s04_a_lost_acknowledgement_leaves_two_copies() {
    let ran = as_it_says("04");
    for probe in &ran.record.phases[0].probes {
        assert_eq!((probe.copies, probe.outcome), (2, Some(Outcome::Duplicated)));
        let hosts: BTreeSet<_> = probe.landed.iter().filter_map(|it| it.host.as_deref()).collect();
        assert_eq!(hosts.len(), 2, "both copies are found");
    }
}

#[test]
fn s05_a_refusal_tests_no_backup() {
    let ran = as_it_says("05");
    for probe in &ran.record.phases[0].probes {
        assert_eq!((probe.outcome, probe.attempts.len()), (Some(Outcome::Bounced), 1));
    }
}

#[test]
fn s06_null_mx() {
    as_it_says("06");
}

#[test]
fn s07_equal_preferences() {
    let ran = as_it_says("07");
    let first = |probe: &mxdrill::record::ProbeRecord| probe.attempts[0].host.clone();
    let hosts: BTreeSet<String> = ran.record.phases[0].probes.iter().map(first).collect();
    assert_eq!(hosts.len(), 2, "both hosts are tried first by some probe");
}

#[test]
fn s08_held_then_forwarded() {
    as_it_says("08");
}

#[test]
fn s09_a_verifying_backup_refuses() {
    as_it_says("09");
}

#[test]
fn s10_legacy_closed_properly() {
    let ran = as_it_says("10");
    let legacy = ran.record.controls.iter().find(|it| it.platform == "legacy").expect("a control");
    assert_eq!(legacy.proof.word(), "refused");
}

#[test]
fn s11_a_busy_primary() {
    let ran = as_it_says("11");
    for probe in &ran.record.phases[1].probes {
        assert!(probe.why.contains("natural fallback"), "{}", probe.why);
    }
}

#[test]
fn s12_held_then_drained() {
    let ran = as_it_says("12");
    for probe in &ran.record.phases[1].probes {
        assert!(probe.path.iter().any(|hop| hop.by == "mx.spool.example"), "{:?}", probe.path);
    }
}

/// The policy verdicts of a probe's attempts, host by host, each once.
fn ruled(probe: &mxdrill::record::ProbeRecord) -> Vec<(String, &'static str, Option<String>)> {
    let mut all = vec![];
    for attempt in &probe.attempts {
        let seen = attempt.policy.as_ref().expect("a policy");
        let one = (attempt.host.clone(), seen.verdict.word(), seen.failure.clone());
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

fn uncovered(host: &str) -> (String, &'static str, Option<String>) {
    (host.to_owned(), "refused", Some("validation-failure".to_owned()))
}

fn held(host: &str) -> (String, &'static str, Option<String>) {
    (host.to_owned(), "held", None)
}

#[test]
fn s20_a_policy_that_lists_the_old_mx() {
    let ran = as_it_says("20");
    let [plain, enforcing] = ran.record.phases.as_slice() else { panic!("two phases") };
    assert!(plain.probes.iter().all(|probe| probe.attempts[0].policy.is_none()));
    for probe in &enforcing.probes {
        assert_eq!(ruled(probe), [uncovered("mx1.new.example"), uncovered("mx2.new.example")]);
        assert!(probe.attempts[0].reply.contains("does not cover it"), "{}", probe.attempts[0].reply);
        assert_eq!(probe.verdict, Verdict::Fail);
    }
}

#[test]
fn s21_only_the_backup_is_missing_from_the_policy() {
    let ran = as_it_says("21");
    let [steady, down] = ran.record.phases.as_slice() else { panic!("two phases") };
    assert_eq!((steady.verdict, down.verdict), (Verdict::Pass, Verdict::Fail));
    for probe in &down.probes {
        assert_eq!(ruled(probe), [held("mx1.new.example"), uncovered("mx2.new.example")]);
    }
}

#[test]
fn s22_an_id_that_did_not_change_pins_the_old_policy() {
    let ran = as_it_says("22");
    let [fresh, cached] = ran.record.phases.as_slice() else { panic!("two phases") };
    assert_eq!((fresh.verdict, cached.verdict), (Verdict::Pass, Verdict::Fail));
    for probe in &cached.probes {
        let seen = probe.attempts[0].policy.as_ref().expect("a policy");
        assert_eq!(seen.origin.map(|it| it.word()), Some("cache"));
        assert_eq!(seen.mx, ["mx.old.example"]);
    }
}

#[test]
fn s23_policy_and_id_changed_together() {
    let ran = as_it_says("23");
    for probe in &ran.record.phases[1].probes {
        assert_eq!(ruled(probe), [held("mx1.new.example"), held("mx2.new.example")]);
    }
}

#[test]
fn s24_a_migration_in_the_right_order() {
    let ran = as_it_says("24");
    let ids =
        |phase: usize| ran.record.phases[phase].probes[0].attempts[0].policy.as_ref().and_then(|it| it.id.clone());
    assert_eq!([ids(0), ids(1), ids(2), ids(3)].map(Option::unwrap_or_default), ["1", "2", "2", "3"]);
}

#[test]
fn s25_a_migration_in_the_wrong_order() {
    let ran = as_it_says("25");
    let verdicts: Vec<Verdict> = ran.record.phases.iter().map(|it| it.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail, Verdict::Pass]);
}

/// One probe by a sender that applies MTA-STS, under these lines of a policy host.
fn under(policy: &str, hosts: &str, expect: &str) -> Ran {
    let text = format!(
        "name: MTA-STS\ndomain: drill.example\ntimeouts: {{ connect: 300ms, retry: 100ms }}\nplatforms:\n  new: {{ hosts: \
         [mx1.new.example] }}\nlab:\n  zones: {{ drill.example: '@ MX 10 mx1.new.example.' }}\n  hosts: {{ \
         mx1.new.example: {{ {hosts} }} }}\n  policies: {{ drill.example: {{ {policy} }} }}\nsenders: {{ sts: {{ mx: {{ \
         tls-policy: mta-sts }} }} }}\nphases:\n  - name: one\n    probes: {{ count: 1 }}\n    expect: {{ {expect} }}\n"
    );
    let ran = drill(SourceText::new("mta-sts.yaml", text), 7, 4);
    let whole = serde_json::to_string_pretty(&ran.record).expect("a record");
    assert_eq!(ran.record.verdict, Verdict::Pass, "{whole}");
    ran
}

#[test]
fn a_policy_that_cannot_be_fetched_is_as_none_and_the_record_says_why() {
    const POLICY: &str = "mode: enforce, mx: [mx.old.example], id: '1'";
    for (fault, why) in [
        ("expired", "sts-webpki-invalid: the certificate of mta-sts.drill.example is expired"),
        ("wrong-name", "sts-webpki-invalid: the certificate of mta-sts.drill.example is wrong-name"),
        ("{ status: 404 }", "sts-policy-fetch-error: the status is 404, not 200"),
        ("{ redirect: 'https://x.example/' }", "redirects are not followed"),
        ("{ content-type: text/html }", "sts-policy-fetch-error: the media type is `text/html`"),
        ("{ delay: 1m }", "sts-policy-fetch-error: no whole answer within"),
        ("huge", "sts-policy-fetch-error: the policy is larger than 65536 bytes"),
        ("{ text: 'no policy' }", "sts-policy-invalid: "),
    ] {
        let ran = under(&format!("{POLICY}, faults: [{{ do: {fault} }}]"), "store: {}", "at: new, within: 6s");
        let seen = ran.record.phases[0].probes[0].attempts[0].policy.clone().expect("what was tried");
        let said = seen.fetch_failure.unwrap_or_default();
        assert!(said.contains(why), "{fault}: {said}");
        assert_eq!((seen.mode, seen.verdict.word()), (None, "not-demanded"));
    }
}

#[test]
fn enforce_demands_tls_and_testing_reports_its_absence() {
    let policy = |mode: &str| format!("mode: {mode}, mx: [mx1.new.example], id: '1'");
    let refused = under(&policy("enforce"), "store: {}, tls: absent", "outcome: [deferred, expired], within: 1s");
    let seen = |ran: &Ran| ran.record.phases[0].probes[0].attempts[0].policy.clone().expect("a policy");
    let first = &refused.record.phases[0].probes[0].attempts[0];
    assert_eq!((first.result, first.stage.word()), (AttemptResult::TlsPolicy, "starttls"));
    assert_eq!(seen(&refused).failure.as_deref(), Some("starttls-not-supported"));
    let reported = under(&policy("testing"), "store: {}, tls: absent", "at: new, within: 3s");
    assert_eq!((seen(&reported).verdict.word(), seen(&reported).failure.as_deref()), {
        ("reported", Some("starttls-not-supported"))
    });
    let none = under(&policy("none"), "store: {}, tls: absent", "at: new, within: 3s");
    assert_eq!((seen(&none).verdict.word(), seen(&none).failure), ("not-demanded", None));
}

#[test]
fn s13_one_falls_back_and_the_other_does_not() {
    let ran = as_it_says("13");
    for probe in &ran.record.phases[0].probes {
        let hosts: BTreeSet<&str> = probe.attempts.iter().map(|it| it.host.as_str()).collect();
        assert_eq!(hosts.len(), if probe.sender == "postfix" { 2 } else { 1 }, "{probe:?}");
    }
}

#[test]
fn s14_a_host_that_failed_is_passed_over() {
    let ran = as_it_says("14");
    let results = |phase: usize| -> Vec<AttemptResult> {
        ran.record.phases[phase].probes.iter().map(|probe| probe.attempts[0].result).collect()
    };
    assert_eq!(results(0), [AttemptResult::Refused, AttemptResult::PassedOver, AttemptResult::PassedOver]);
    assert_eq!(results(1), [AttemptResult::PassedOver]);
    let again = &ran.record.phases[1].probes[0];
    assert!(again.why.contains("exim remembers"), "{}", again.why);
}

#[test]
fn ipv6_hosts_are_told_apart_by_port() {
    let text = r#"
name: Both families
domain: drill.example
timeouts: { connect: 300ms }
platforms:
  new: { hosts: [mx1.new.example, mx2.new.example] }
lab:
  families: [v4, v6]
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
      @ MX 20 mx2.new.example.
  hosts:
    mx1.new.example: { store: {} }
    mx2.new.example: { store: {} }
phases:
  - name: IPv6 down at the primary
    faults:
      - { host: mx1.new.example, at: connect, do: refuse, family: v6 }
    probes: { count: 2 }
    expect: { at: new, host: mx1.new.example, family: v4, within: 3s }
  - name: steady
    probes: { count: 2 }
    expect: { at: new, host: mx1.new.example, family: v6, within: 3s }
"#;
    let ran = drill(SourceText::new("both-families.yaml", text), 7, 4);
    let whole = serde_json::to_string_pretty(&ran.record).expect("a record");
    assert_eq!(ran.record.verdict, Verdict::Pass, "{whole}");
    let attempts = &ran.record.phases[0].probes[0].attempts;
    assert!(attempts[0].address.as_deref().is_some_and(|it| it.starts_with("[::1]:")), "{attempts:?}");
    assert_eq!(attempts.len(), 2);
    conserved(&ran);
}

#[test]
fn a_name_that_dns_does_not_answer_moves_mail_to_the_next_host() {
    let text = r#"
name: DNS fails for the primary
domain: drill.example
platforms:
  new: { hosts: [mx1.new.example, mx2.new.example] }
lab:
  dns: { faults: [{ name: mx1.new.example, do: servfail }] }
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
      @ MX 20 mx2.new.example.
  hosts:
    mx1.new.example: { store: {} }
    mx2.new.example: { store: {} }
phases:
  - name: steady
    probes: { count: 2 }
    expect: { at: new, host: mx2.new.example, within: 3s }
"#;
    let ran = drill(SourceText::new("dns-fails.yaml", text), 7, 4);
    let probe = &ran.record.phases[0].probes[0];
    assert_eq!(probe.verdict, Verdict::Pass, "{probe:?}");
    assert_eq!(probe.attempts[0].result, AttemptResult::NoAddress);
    conserved(&ran);
}

/// One phase a fault at `starttls` of the only MX, which must take the probe all the same.
fn tls_goes_wrong(faults: &[&str]) -> Ran {
    let head = r#"
name: TLS goes wrong at the only MX
domain: drill.example
timeouts: { connect: 300ms, ehlo: 300ms }
platforms:
  new: { hosts: [mx1.new.example] }
lab:
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
  hosts:
    mx1.new.example: { store: {} }
phases:
"#;
    let phase = |fault: &&str| {
        format!(
            "  - name: {fault}\n    faults:\n      - {{ host: mx1.new.example, at: starttls, do: {{ tls: {fault} }} }}\n    \
             probes: {{ count: 1 }}\n    expect: {{ at: new, within: 5s, copies: 1 }}\n"
        )
    };
    let text = faults.iter().map(phase).fold(head.to_owned(), |text, phase| text + &phase);
    let ran = drill(SourceText::new("tls-goes-wrong.yaml", text), 7, 4);
    let whole = serde_json::to_string_pretty(&ran.record).expect("a record");
    assert_eq!(ran.record.verdict, Verdict::Pass, "{whole}");
    conserved(&ran);
    ran
}

#[test]
fn each_wrong_certificate_is_seen_for_what_it_is_and_opportunistic_mail_goes_on() {
    let flaws = ["expired", "not-yet-valid", "self-signed", "unknown-ca", "wrong-name"];
    let ran = tls_goes_wrong(&flaws);
    for (phase, flaw) in ran.record.phases.iter().zip(flaws) {
        let [attempt] = phase.probes[0].attempts.as_slice() else { panic!("one attempt of {flaw}") };
        let tls = attempt.tls.as_ref().expect("TLS");
        assert_eq!((tls.verdicts.as_slice(), tls.ended_by), ([flaw.to_owned()].as_slice(), Some(TlsEnd::Proxy)));
        assert_eq!(phase.faults[0].fired, 1);
    }
    assert!(ran.record.standing.iter().all(|stands| stands.tls_ended_by == Some(TlsEnd::Proxy)));
}

#[test]
fn without_tls_opportunistic_mail_goes_on_in_clear() {
    let faults = ["unavailable", "garbage", "silent", "close", "tls-1.1-only"];
    let ran = tls_goes_wrong(&faults);
    for (phase, fault) in ran.record.phases.iter().zip(faults) {
        let (last, failed) = phase.probes[0].attempts.split_last().expect("an attempt");
        assert_eq!((last.result, last.tls.as_ref()), (AttemptResult::Accepted, None), "{fault}");
        let results: Vec<AttemptResult> = failed.iter().map(|attempt| attempt.result).collect();
        let wanted: &[AttemptResult] = if fault == "unavailable" { &[] } else { &[AttemptResult::TlsFailed] };
        assert_eq!(results, wanted, "{fault}");
    }
    assert!(ran.record.standing.iter().all(|stands| stands.tls_ended_by.is_none()));
}

#[test]
fn a_fault_meets_a_host_without_starttls_as_well() {
    let greylisted = bundled("03");
    let in_clear = greylisted.text.replace("{ store: {} }", "{ store: {}, tls: absent }");
    assert_ne!(*in_clear, *greylisted.text);
    for (text, ended_by) in [(greylisted.text.to_string(), Some(TlsEnd::Proxy)), (in_clear, None)] {
        let ran = drill(SourceText::new("greylisted.yaml", text), 7, 4);
        assert_eq!(ran.record.verdict, Verdict::Pass);
        assert!(ran.record.standing.iter().all(|stands| stands.tls_ended_by == ended_by));
        let attempts = ran.record.phases[0].probes.iter().flat_map(|probe| &probe.attempts);
        assert!(attempts.map(|attempt| attempt.tls.as_ref().and_then(|tls| tls.ended_by)).all(|by| by == ended_by));
    }
}

#[test]
fn s15_the_old_smarthost_is_found_out() {
    let ran = as_it_says("15");
    let phase = &ran.record.phases[0];
    let way = |sender: &str| -> Vec<String> {
        let source = phase.sources.iter().find(|it| it.sender == sender).expect("a source");
        assert_eq!(source.ways.len(), 1, "{source:?}");
        source.ways[0].stops.iter().map(|stop| stop.host.clone()).collect()
    };
    assert_eq!(way("direct"), ["mx1.new.example"]);
    assert_eq!(way("cron"), ["smtp.new.example", "mx1.new.example"]);
    assert_eq!(way("app"), ["smtp.old.example", "mx1.new.example"]);
    for probe in &phase.probes {
        let wanted = if probe.sender == "app" { Verdict::Fail } else { Verdict::Pass };
        assert_eq!(probe.verdict, wanted, "{}: {}", probe.sender, probe.why);
        assert!(probe.path.iter().all(|hop| hop.trust.word() == "seen"), "{:?}", probe.path);
        let login = probe.attempts[0].login.as_ref().map(|login| (login.user.as_str(), login.mechanism.word()));
        let expected = (probe.sender != "direct").then_some((probe.sender.as_str(), "cram-md5"));
        assert_eq!(login, expected);
    }
}

#[test]
fn s16_every_source_by_the_new_smarthost() {
    let ran = as_it_says("16");
    let cron = ran.record.phases[0].probes.iter().find(|it| it.sender == "cron").expect("a probe");
    assert_eq!(cron.attempts[0].login.as_ref().map(|it| it.mechanism.word()), Some("login"));
    assert_eq!(cron.attempts[0].tls.as_ref().map(|it| it.verdicts.clone()), Some(vec!["trusted".to_owned()]));
    for probe in &ran.record.phases[1].probes {
        let moved = probe.passed.iter().any(|it| it.next_host.as_deref() == Some("mx1.new.example"));
        assert!(moved, "the primary was tried first: {:?}", probe.passed);
    }
}

//! The embedded sender behaves as each class, and as was foretold for it: both follow the same
//! rules, and neither asks the other.

use std::sync::Mutex;

use mxdrill::classes::{Failure, SenderClass, Step};
use mxdrill::judge::predict::{Predicted, Prediction, predict_in};
use mxdrill::mail::Stage;
use mxdrill::record::{AttemptResult, PhaseRecord, ProbeRecord, SentState};
use mxdrill::scenario::Fault;

use super::*;

const PRIMARY: &str = "mx1.new.example";

/// Faults of the primary; each one has a sender of its own, so that nothing is remembered.
const FAULTS: &[&str] = &[
    "at: connect, do: refuse",
    "at: connect, do: drop-syn",
    "at: connect, do: close",
    "at: connect, do: reset",
    "at: banner, do: silent",
    "at: banner, do: { reply: \"421 4.3.2 busy\" }",
    "at: banner, do: { reply: \"450 4.3.2 later\" }",
    "at: banner, do: { reply: \"554 5.3.2 no service\" }",
    "at: banner, do: { tarpit: 50/s }",
    "at: ehlo, do: { reply: \"421 4.3.2 busy\" }",
    "at: ehlo, do: { reply: \"450 4.3.2 later\" }",
    "at: ehlo, do: { reply: \"550 5.7.1 no\" }",
    "at: ehlo, when: { first: 1 }, do: { reply: \"450 4.3.2 later\" }",
    "at: ehlo, when: { first: 1 }, do: { reply: \"550 5.7.1 no\" }",
    "at: ehlo, do: close",
    "at: ehlo, do: { hide: STARTTLS }",
    "at: starttls, do: { reply: \"454 4.7.0 not now\" }",
    "at: starttls, do: close",
    "at: starttls, do: { tls: garbage }",
    "at: starttls, do: { tls: close }",
    "at: starttls, do: { tls: silent }",
    "at: starttls, do: { tls: expired }",
    "at: mail, do: { reply: \"451 4.3.0 later\" }",
    "at: mail, do: { reply: \"550 5.7.1 no\" }",
    "at: rcpt, do: { reply: \"450 4.2.0 busy\" }",
    "at: rcpt, do: { reply: \"421 4.3.2 busy\" }",
    "at: rcpt, do: { reply: \"550 5.1.1 unknown\" }",
    "at: rcpt, do: { delay: 400ms }",
    "at: data, do: reset",
    "at: data, do: { corrupt: no-code }",
    "at: body, do: { reset-after: 4KiB }",
    "at: body, do: { premature-reply: \"552 5.3.4 too large\" }",
    "at: eom, do: { reply: \"451 4.3.0 later\" }",
    "at: eom, do: { reply: \"554 5.6.0 no\" }",
    "at: eom, do: close",
    LOST,
    "at: eom, do: silent",
    "at: quit, do: close",
    UNSHORTENED,
];
/// For this one the timers of the classes count, as a lab scales them; some wait until the end.
const UNSHORTENED: &str = "at: rcpt, do: silent";
const LOST: &str = "at: eom, do: lose-reply";

/// How many faults stand in one scenario.
const AT_ONCE: usize = 8;
/// How many scenarios run at the same time: most of their time they wait.
const WORKERS: usize = 10;

/// How much time the steps of a session have.
#[derive(Clone, Copy)]
enum Haste {
    /// As little as an idle machine needs.
    Quick,
    /// So much that a busy machine cannot be mistaken for a host that fails.
    Patient,
}

impl Haste {
    /// Limits in milliseconds: connect, the other steps, and the probe as a whole.
    fn limits(self, fault: &str) -> (u32, u32, u32) {
        match self {
            Haste::Quick if fault == UNSHORTENED => (300, 400, 5_000),
            Haste::Quick => (300, 400, 2_000),
            Haste::Patient => (2_000, 3_000, 10_000),
        }
    }
}

fn scenario(class: SenderClass, faults: &[&str], haste: Haste) -> SourceText {
    let senders: String = (0..faults.len()).map(|at| format!("  s{at}: {{ mx: {{ class: {class} }} }}\n")).collect();
    let phase = |(at, fault): (usize, &&str)| {
        let (_, _, within) = haste.limits(fault);
        format!(
            "  - name: '{fault}'\n    faults: [{{ host: {PRIMARY}, {fault} }}]\n    \
             probes: {{ count: 1, from: s{at}, size: 16KiB }}\n    \
             expect: {{ outcome: [delivered, deferred, bounced, duplicated, expired], within: {within}ms }}\n"
        )
    };
    let (connect, step, _) = haste.limits("");
    let phases: String = faults.iter().enumerate().map(phase).collect();
    let text = format!(
        "name: Senders of class {class}\ndomain: drill.example\n\
         timeouts: {{ connect: {connect}ms, banner: {step}ms, ehlo: {step}ms, eom: {step}ms, retry: 300ms }}\n\
         platforms:\n  new: {{ hosts: [{PRIMARY}, mx2.new.example] }}\n\
         lab:\n  zones:\n    drill.example: |\n      @ MX 10 {PRIMARY}.\n      @ MX 20 mx2.new.example.\n  \
         hosts:\n    {PRIMARY}: {{ store: {{}} }}\n    mx2.new.example: {{ store: {{}} }}\n\
         senders:\n{senders}phases:\n{phases}"
    );
    SourceText::new(format!("{class}.yaml"), text)
}

/// What the record shows of the first round, whatever was foretold.
fn became(ran: &Ran, probe: &ProbeRecord) -> Predicted {
    let first: Vec<_> = probe.attempts.iter().filter(|attempt| attempt.round == 1).collect();
    if first.iter().any(|it| it.host == PRIMARY && it.result == AttemptResult::Accepted) {
        return Predicted::Delivered;
    }
    if first.iter().any(|it| it.host != PRIMARY) {
        return Predicted::Next;
    }
    let mut said = ran.entries.iter().filter_map(|entry| match &entry.event {
        Event::Sent(sent) if sent.tag == probe.tag => Some(sent.state),
        _ => None,
    });
    match said.next_back() {
        Some(SentState::Bounced) => Predicted::Bounced,
        _ => Predicted::Deferred,
    }
}

/// A drill cannot tell hanging from deferring; both leave the backup alone.
fn differs(ran: &Ran, class: SenderClass, phase: &PhaseRecord, fault: &Fault) -> Option<String> {
    let said: Prediction = predict_in(&ran.plan.scenario, class, fault);
    let [probe] = phase.probes.as_slice() else { panic!("one probe of {}", phase.name) };
    let became = became(ran, probe);
    let fits = said.outcome == became || (said.outcome == Predicted::Hangs && became == Predicted::Deferred);
    let fires = fault.at.value != Stage::Starttls || probe.fired.len() == 1 || class == SenderClass::Dma;
    (!fits || !fires).then(|| format!("{class}, {fault}: foretold {said:#?}, it became {became}: {probe:#?}"))
}

/// One class under some faults: those under which it does not as foretold, and what it does.
fn wrong<'a>(class: SenderClass, lines: &'a [&'a str], haste: Haste) -> Vec<(&'a str, String)> {
    let ran = drill(scenario(class, lines, haste), 7, 4);
    let faults = ran.plan.scenario.faults().map(|(_, fault)| fault);
    let failed = |probe: &ProbeRecord| {
        let told = ran.record.findings.iter().filter(|it| it.id == "prediction-failed");
        told.filter(|it| it.evidence[0].to_string().contains(probe.tag.as_str())).map(|it| it.title.clone()).next()
    };
    let one = |((phase, fault), line): ((&PhaseRecord, &Fault), &&'a str)| {
        let probe = &phase.probes[0];
        let said = differs(&ran, class, phase, fault).or_else(|| failed(probe)).or_else(|| lost(class, line, probe));
        said.map(|said| (*line, said))
    };
    ran.record.phases.iter().zip(faults).zip(lines).filter_map(one).collect()
}

/// Only the acknowledgement is lost: whoever goes on leaves two copies.
fn lost(class: SenderClass, line: &str, probe: &ProbeRecord) -> Option<String> {
    let goes_on = class.rule(Stage::Eom, Failure::Closed).then == Step::Next;
    (line == LOST && goes_on && probe.copies != 2)
        .then(|| format!("{class} leaves {} copies after a lost acknowledgement", probe.copies))
}

/// Several classes and faults, many at a time.
fn all_wrong<'a>(
    tasks: Vec<(SenderClass, &'a [&'a str])>,
    haste: Haste,
    workers: usize,
) -> Vec<(SenderClass, &'a str, String)> {
    let (tasks, found) = (Mutex::new(tasks), Mutex::new(vec![]));
    let next = || tasks.lock().expect("no worker panics with it").pop();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((class, lines)) = next() {
                    let wrong = wrong(class, lines, haste).into_iter().map(|(line, said)| (class, line, said));
                    found.lock().expect("no worker panics with it").extend(wrong);
                }
            });
        }
    });
    found.into_inner().expect("no worker panics with it")
}

/// What differs is tried again with time to spare: a rule that is wrong is so then, too.
#[test]
fn every_class_does_as_foretold_under_every_fault() {
    let all = SenderClass::ALL.iter().flat_map(|class| FAULTS.chunks(AT_ONCE).map(move |lines| (*class, lines)));
    let suspect = all_wrong(all.collect(), Haste::Quick, WORKERS);
    let again = suspect.iter().map(|(class, line, _)| (*class, std::slice::from_ref(line))).collect();
    let found = all_wrong(again, Haste::Patient, WORKERS / 2);
    let said: Vec<&str> = found.iter().map(|(_, _, said)| said.as_str()).collect();
    assert!(said.is_empty(), "{} cells:\n{}", said.len(), said.join("\n"));
}

/// Three MXs of which the first two break behind EHLO, for the limit of Postfix.
const THREE: &str = r#"
name: Two sessions and no more
domain: drill.example
platforms:
  new: { hosts: [mx1.new.example, mx2.new.example, mx3.new.example] }
lab:
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
      @ MX 20 mx2.new.example.
      @ MX 30 mx3.new.example.
  hosts:
    mx1.new.example: { store: {} }
    mx2.new.example: { store: {} }
    mx3.new.example: { store: {} }
senders:
  direct: { mx: { class: CLASS } }
phases:
  - name: two hosts are busy
    faults:
      - { host: mx1.new.example, at: STAGE, do: { reply: "450 4.2.0 busy" } }
      - { host: mx2.new.example, at: STAGE, do: { reply: "450 4.2.0 busy" } }
    probes: { count: 1 }
    expect: { outcome: [delivered, deferred], within: 2s }
"#;

#[test]
fn postfix_leaves_a_third_mx_untried_after_two_sessions() {
    let hosts = |class: &str, stage: &str| -> Vec<String> {
        let text = THREE.replace("CLASS", class).replace("STAGE", stage);
        let ran = drill(SourceText::new("three.yaml", text), 7, 1);
        let attempts = ran.record.phases[0].probes[0].attempts.clone();
        attempts.into_iter().filter(|it| it.round == 1).map(|it| it.host).collect()
    };
    let all = ["mx1.new.example", "mx2.new.example", "mx3.new.example"];
    assert_eq!(hosts("postfix", "rcpt"), all[..2]);
    assert_eq!(hosts("postfix", "banner"), all, "only sessions past EHLO count");
    assert_eq!(hosts("exim", "rcpt"), all);
}

#[test]
fn the_record_says_as_whom_a_sender_behaved_and_how_its_timers_were_scaled() {
    let ran = drill(SourceText::new("three.yaml", THREE.replace("CLASS", "exim").replace("STAGE", "rcpt")), 7, 1);
    let said = ran.record.findings.iter().find(|it| it.id == "sender-class").expect("a finding");
    assert_eq!(said.title, "the sender `direct` behaves as exim, timers of exim scaled 1/150");
}

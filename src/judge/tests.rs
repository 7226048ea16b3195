//! The rules of a verdict, each told as the story of one probe.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::record;
use crate::mail::Stage;
use crate::plan::{Plan, expand};
use crate::record::{
    Attempt, AttemptResult, Entry, Event, Firing, Handling, Landed, Looked, LookedState, Passed, Placement, Proof,
    Record, RunId, RunStarted, RunState, Sent, SentState, Tag, TlsEnd, TlsEnded, TlsSeen,
};
use crate::scenario;
use crate::source::SourceText;
use crate::terms::{Outcome, Verdict};

const SCENARIO: &str = r#"
name: A story
domain: drill.example
platforms:
  new: { hosts: [mx1.new.example] }
  legacy: { hosts: [mx.old.example] }
lab:
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
      @ MX 20 mx.old.example.
  hosts:
    mx1.new.example: { store: {} }
    mx.old.example: { store: {} }
phases:
  - name: primary down
    faults:
      - { host: mx1.new.example, at: connect, do: drop-syn }
    probes: { count: 1 }
    expect: { at: new, never: legacy, within: 5s, copies: 1 }
"#;

/// A journal that is being written.
struct Story {
    plan: Plan,
    entries: Vec<Entry>,
    now: Timestamp,
}

impl Story {
    fn of(text: &str) -> Self {
        let loaded = scenario::load(SourceText::new("story.yaml", text), None);
        let loaded = loaded.unwrap_or_else(|said| panic!("{}", crate::source::draw_remarks(&said, Default::default())));
        let plan = expand(Arc::new(loaded.scenario), RunId::from_entropy(1), 7);
        let mut story = Self { plan, entries: vec![], now: Timestamp::UNIX_EPOCH };
        let started = RunStarted {
            run: story.plan.run.clone(),
            seed: 7,
            version: "0".to_owned(),
            command: vec![],
            path: "story.yaml".to_owned(),
            text: text.to_owned(),
            inventory: None,
            standing: vec![],
        };
        story.note(Event::RunStarted(Box::new(started)));
        story
    }

    /// With controls seen everywhere, in the first phase, its faults in force.
    fn under_faults(text: &str) -> Self {
        let mut story = Self::of(text);
        for control in story.plan.controls.clone() {
            story.landed(&control.tag, &control.platform, &control.host);
        }
        story.note(Event::PhaseStarted { phase: 0 });
        for fault in 0..story.plan.scenario.phases[0].faults.len() {
            story.note(Event::FaultRaised { fault });
        }
        story
    }

    fn note(&mut self, event: Event) {
        self.now = self.now.saturating_add(SignedDuration::from_millis(10)).expect("a time");
        self.entries.push(Entry { at: self.now, event });
    }

    fn probe(&self) -> Tag {
        self.plan.phases[0].probes[0].tag.clone()
    }

    fn tried(&mut self, host: &str, preference: u16, result: AttemptResult, stage: Stage, reply: &str) {
        let attempt = Attempt {
            host: host.to_owned(),
            address: Some("127.77.0.2:2525".to_owned()),
            target: crate::record::Target::Mx,
            preference: Some(preference),
            proxy: None,
            result,
            stage,
            reply: reply.to_owned(),
            status: None,
            queue_id: None,
            at: self.now,
            ms: 1,
            round: 1,
            tls: None,
            login: None,
            recipients: vec![],
            policy: None,
        };
        let tag = self.probe();
        self.note(Event::Attempt { tag, attempt });
    }

    fn fired(&mut self, fault: usize, stage: Stage) {
        let tag = Some(self.probe());
        self.note(Event::Fired(Firing { fault, tag, connection: 1, client: None, stage, command: String::new() }));
    }

    fn sent(&mut self, state: SentState, untried: &[&str]) {
        let untried = untried.iter().map(|it| (*it).to_owned()).collect();
        let tag = self.probe();
        self.note(Event::Sent(Sent { tag, state, why: String::new(), untried }));
    }

    fn landed(&mut self, tag: &Tag, platform: &str, host: &str) {
        let id = format!("LAB{}", self.entries.len());
        self.note(Event::Landed(Landed {
            tag: tag.clone(),
            platform: platform.to_owned(),
            host: Some(host.to_owned()),
            collector: format!("store {host}"),
            at: self.now,
            queue_id: Some(id.clone()),
            detail: id.clone(),
            placement: Placement::Inbox,
            received: vec![format!("Received: from x by {host} with ESMTP id {id}; now")],
        }));
    }

    fn ended(mut self) -> Record {
        self.note(Event::PhaseEnded { phase: 0 });
        self.note(Event::RunEnded);
        record(&self.plan, &self.entries)
    }
}

fn verdict(record: &Record) -> (Verdict, Option<Outcome>, &str) {
    let probe = &record.phases[0].probes[0];
    (probe.verdict, probe.outcome, &probe.why)
}

#[test]
fn fallback_that_reaches_legacy_fails_and_names_the_host() {
    let mut story = Story::under_faults(SCENARIO);
    story.tried("mx1.new.example", 10, AttemptResult::Timeout, Stage::Connect, "no answer to SYN");
    story.tried("mx.old.example", 20, AttemptResult::Accepted, Stage::Eom, "250 2.0.0 Ok: queued as LAB1");
    story.sent(SentState::Delivered, &[]);
    story.landed(&story.probe(), "legacy", "mx.old.example");
    let record = story.ended();
    let (found, outcome, why) = verdict(&record);
    assert_eq!((found, outcome), (Verdict::Fail, Some(Outcome::Delivered)));
    assert_eq!(why, "fallback mail reached `legacy`");
    let phase = &record.phases[0];
    assert_eq!((phase.faults[0].fired, phase.verdict), (1, Verdict::Fail));
    let mark = phase.probes[0].span;
    let line = SCENARIO.lines().nth(mark.line - 1).expect("the line");
    assert_eq!(&line[mark.column - 1..mark.column - 1 + mark.length], "never: legacy");
}

#[test]
fn the_certificate_of_the_proxy_proves_nothing_about_the_hosts() {
    let scenario = SCENARIO
        .replace("at: connect, do: drop-syn", "at: rcpt, do: { delay: 1s }")
        .replace("copies: 1 }", "copies: 1, tls: verified }");
    let mut story = Story::under_faults(&scenario);
    let ended = |host: &str, tag| TlsEnded { host: host.to_owned(), tag: Some(tag), connection: 1 };
    story.note(Event::TlsEnded(ended("mx1.new.example", story.probe())));
    story.fired(0, Stage::Rcpt);
    story.tried("mx1.new.example", 10, AttemptResult::Accepted, Stage::Eom, "250 2.0.0 Ok: queued as LAB1");
    let last = story.entries.last_mut().map(|it| &mut it.event);
    let Some(Event::Attempt { attempt, .. }) = last else { panic!("it tried") };
    attempt.tls = Some(TlsSeen { version: Some("TLSv1.3".to_owned()), ..TlsSeen::default() });
    story.sent(SentState::Delivered, &[]);
    story.landed(&story.probe(), "new", "mx1.new.example");
    let record = story.ended();
    let (found, outcome, why) = verdict(&record);
    assert_eq!((found, outcome), (Verdict::Inconclusive, Some(Outcome::Delivered)));
    assert!(why.starts_with("the fault proxy ended TLS before mx1.new.example"), "{why}");
    let seen = record.phases[0].probes[0].attempts[0].tls.as_ref().expect("TLS");
    assert_eq!(seen.ended_by, Some(TlsEnd::Proxy));
}

#[test]
fn a_fault_that_fires_for_no_probe_proves_nothing() {
    let mut story = Story::under_faults(SCENARIO);
    story.tried("mx1.new.example", 10, AttemptResult::Accepted, Stage::Eom, "250 2.0.0 Ok: queued as LAB1");
    story.sent(SentState::Delivered, &[]);
    story.landed(&story.probe(), "new", "mx1.new.example");
    let record = story.ended();
    assert_eq!(verdict(&record).0, Verdict::Pass);
    assert_eq!(record.phases[0].verdict, Verdict::Inconclusive);
    assert!(record.phases[0].why[0].contains("fired for no probe"), "{:?}", record.phases[0].why);
}

#[test]
fn absence_without_proof_is_inconclusive() {
    let scenario =
        SCENARIO.replace("do: drop-syn }", "do: drop-syn }\n      - { host: mx1.new.example, at: rcpt, do: close }");
    let mut story = Story::of(&scenario);
    story.note(Event::PhaseStarted { phase: 0 });
    story.tried("mx1.new.example", 10, AttemptResult::Accepted, Stage::Eom, "250 2.0.0 Ok: queued as LAB1");
    story.sent(SentState::Delivered, &[]);
    story.landed(&story.probe(), "new", "mx1.new.example");
    let record = story.ended();
    assert_eq!(record.controls[1].proof, Proof::None);
    assert_eq!(verdict(&record).0, Verdict::Inconclusive);
    assert!(verdict(&record).2.contains("nothing proves that mail would have been seen at mx.old.example"));
}

#[test]
fn a_log_that_lives_proves_absence_only_if_it_lived_in_the_phase() {
    let looked = || {
        Event::Looked(Looked {
            platform: "legacy".to_owned(),
            host: None,
            collector: "log /var/log/mail.log".to_owned(),
            state: LookedState::Alive,
            why: String::new(),
        })
    };
    for (before, expected) in [(true, Verdict::Inconclusive), (false, Verdict::Pass)] {
        let mut story = Story::of(SCENARIO);
        if before {
            story.note(looked());
        }
        let mut with_control = story.plan.controls[0].clone();
        with_control.platform = "new".to_owned();
        story.landed(&with_control.tag, "new", "mx1.new.example");
        story.note(Event::PhaseStarted { phase: 0 });
        if !before {
            story.note(looked());
        }
        story.tried("mx1.new.example", 10, AttemptResult::Accepted, Stage::Eom, "250 2.0.0 Ok: queued as LAB1");
        story.sent(SentState::Delivered, &[]);
        story.landed(&story.probe(), "new", "mx1.new.example");
        assert_eq!(verdict(&story.ended()).0, expected, "before: {before}");
    }
}

#[test]
fn a_sender_that_bounces_under_a_fault_tested_no_backup() {
    let scenario = SCENARIO.replace("at: connect, do: drop-syn", "at: rcpt, do: { reply: \"550 5.1.1 no\" }");
    let mut story = Story::under_faults(&scenario);
    story.fired(0, Stage::Rcpt);
    story.tried("mx1.new.example", 10, AttemptResult::Permanent, Stage::Rcpt, "550 5.1.1 no");
    story.sent(SentState::Bounced, &["mx.old.example"]);
    let record = story.ended();
    assert_eq!((verdict(&record).0, verdict(&record).1), (Verdict::Inconclusive, Some(Outcome::Bounced)));
    assert!(verdict(&record).2.contains("mx.old.example was not tried"), "{}", verdict(&record).2);
}

/// The story of a sender of class OpenSMTPD whose primary is busy at RCPT.
fn opensmtpd_at_a_busy_primary() -> Story {
    let class = "senders: { direct: { mx: { class: opensmtpd } } }\nphases:";
    let busy = "at: rcpt, do: { reply: \"450 4.2.0 busy\" }";
    let scenario = SCENARIO.replace("phases:", class).replace("at: connect, do: drop-syn", busy);
    let mut story = Story::under_faults(&scenario);
    story.fired(0, Stage::Rcpt);
    story.tried("mx1.new.example", 10, AttemptResult::Transient, Stage::Rcpt, "450 4.2.0 busy");
    story
}

#[test]
fn a_sender_that_defers_by_its_class_is_told_by_its_rule_and_shown_what_would_move_it() {
    let mut story = opensmtpd_at_a_busy_primary();
    story.sent(SentState::Expired, &["mx.old.example"]);
    let record = story.ended();
    assert_eq!((verdict(&record).0, verdict(&record).1), (Verdict::Inconclusive, Some(Outcome::Expired)));
    assert!(verdict(&record).2.contains("class opensmtpd: from MAIL on it keeps"), "{}", verdict(&record).2);
    let help = record.phases[0].probes[0].help.as_deref().expect("help");
    assert_eq!(help, "use a fault that makes this sender go on: `drop-syn` or `refuse`; or expect the outcome");
    assert!(record.findings.iter().all(|it| it.id != "prediction-failed"), "it did as foretold");
}

#[test]
fn a_prediction_that_did_not_hold_is_a_warning() {
    let mut story = opensmtpd_at_a_busy_primary();
    story.tried("mx.old.example", 20, AttemptResult::Accepted, Stage::Eom, "250 2.0.0 Ok: queued as LAB1");
    story.sent(SentState::Delivered, &[]);
    story.landed(&story.probe(), "legacy", "mx.old.example");
    let record = story.ended();
    let found = record.findings.iter().find(|it| it.id == "prediction-failed").expect("a warning");
    assert_eq!(
        found.title,
        "a prediction did not hold for 1 probe: a sender of class opensmtpd under reply \"450 4.2.0 busy\" at rcpt of \
         mx1.new.example was foretold `deferred`, and it became `next`"
    );
    assert_eq!(found.evidence[0]["prediction"]["basis"], "measured");
}

#[test]
fn more_copies_than_allowed_fail_and_passing_through_counts_as_reaching() {
    let mut twice = Story::under_faults(SCENARIO);
    twice.tried("mx1.new.example", 10, AttemptResult::Timeout, Stage::Connect, "no answer to SYN");
    twice.sent(SentState::Delivered, &[]);
    twice.landed(&twice.probe(), "new", "mx1.new.example");
    twice.landed(&twice.probe(), "new", "mx1.new.example");
    let record = twice.ended();
    assert_eq!((verdict(&record).0, verdict(&record).1), (Verdict::Fail, Some(Outcome::Duplicated)));
    assert_eq!(verdict(&record).2, "2 copies are at rest, 1 allowed");

    let mut through = Story::under_faults(SCENARIO);
    through.tried("mx1.new.example", 10, AttemptResult::Timeout, Stage::Connect, "no answer to SYN");
    through.sent(SentState::Delivered, &[]);
    through.landed(&through.probe(), "new", "mx1.new.example");
    let tag = through.probe();
    through.note(Event::Passed(Passed {
        tag,
        platform: "legacy".to_owned(),
        host: Some("mx.old.example".to_owned()),
        collector: "log".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        queue_id: None,
        handling: Handling::Relayed,
        next_host: None,
        next_address: None,
        next_queue_id: None,
        status: None,
        reply: String::new(),
        detail: String::new(),
    }));
    assert_eq!(verdict(&through.ended()).0, Verdict::Fail);
}

#[test]
fn what_did_not_arrive_fails_unless_nobody_could_look() {
    let story = |blind: bool| {
        let mut story = Story::under_faults(SCENARIO);
        story.tried("mx1.new.example", 10, AttemptResult::Timeout, Stage::Connect, "no answer to SYN");
        story.sent(SentState::Expired, &[]);
        if blind {
            story.note(Event::Looked(Looked {
                platform: "new".to_owned(),
                host: None,
                collector: "imap imap.new.example:993".to_owned(),
                state: LookedState::Lost,
                why: "the server closed the connection".to_owned(),
            }));
        }
        verdict(&story.ended()).0
    };
    assert_eq!(story(false), Verdict::Fail);
    assert_eq!(story(true), Verdict::Inconclusive);
}

#[test]
fn what_a_collector_missed_for_good_is_no_absence() {
    let story = |states: &[LookedState]| {
        let mut story = Story::under_faults(SCENARIO);
        for state in states {
            story.note(Event::Looked(Looked {
                platform: "new".to_owned(),
                host: None,
                collector: "log of `ssh mx1 tail -F /var/log/mail.log`".to_owned(),
                state: *state,
                why: "`ssh` ended with exit code 255".to_owned(),
            }));
        }
        story.tried("mx1.new.example", 10, AttemptResult::Timeout, Stage::Connect, "no answer to SYN");
        story.sent(SentState::Expired, &[]);
        verdict(&story.ended()).0
    };
    assert_eq!(story(&[LookedState::Lost, LookedState::Open]), Verdict::Fail, "a mailbox loses nothing meanwhile");
    assert_eq!(story(&[LookedState::Gap, LookedState::Open]), Verdict::Inconclusive);
}

#[test]
fn a_journal_without_its_end_is_judged_as_interrupted() {
    let mut story = Story::under_faults(SCENARIO);
    story.tried("mx1.new.example", 10, AttemptResult::Timeout, Stage::Connect, "no answer to SYN");
    let record = record(&story.plan, &story.entries);
    assert_eq!(record.state, RunState::Interrupted);
    assert_eq!(record.phases[0].probes[0].attempts.len(), 1);
}

#[test]
fn a_scenario_may_expect_to_fail() {
    let mut story = Story::under_faults(&format!("verdict: fail{SCENARIO}"));
    story.tried("mx1.new.example", 10, AttemptResult::Timeout, Stage::Connect, "no answer to SYN");
    story.tried("mx.old.example", 20, AttemptResult::Accepted, Stage::Eom, "250 2.0.0 Ok: queued as LAB1");
    story.sent(SentState::Delivered, &[]);
    story.landed(&story.probe(), "legacy", "mx.old.example");
    let record = story.ended();
    assert_eq!((record.verdict, record.run_verdict), (Verdict::Fail, Verdict::Pass));
}

//! Ways in other than mxdrill itself: programs, logins that fail, and what messages look like.

use mxdrill::mail::Stage;
use mxdrill::record::{AttemptResult, RanEnd};
use mxdrill::terms::{Outcome, Verdict};

use super::{Ran, SourceText, conserved, drill};

/// A lab with an MX host, a local MTA and an old smarthost, and whatever stands behind it.
const LAB: &str = r#"
name: Ways in
domain: drill.example
timeouts: { connect: 300ms, retry: 100ms }
platforms:
  new:    { hosts: [mx1.new.example, mx2.new.example, local.new.example] }
  legacy: { hosts: [smtp.old.example] }
lab:
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
      @ MX 20 mx2.new.example.
  hosts:
    mx1.new.example:   { store: {} }
    mx2.new.example:   { reject: { reply: "550 5.1.1 unknown" } }
    local.new.example: { relay: { to: mx1.new.example } }
    smtp.old.example:  { submission: { users: { app: { command: [echo, hunter2] } } } }
"#;

fn played(senders: &str, phases: &str) -> Ran {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/sendmail");
    let text = format!("{LAB}senders:\n{senders}phases:\n{phases}").replace("SENDMAIL", script);
    drill(SourceText::new("ways.yaml", text), 7, 4)
}

fn whole(ran: &Ran) -> String {
    serde_json::to_string_pretty(&ran.record).expect("a record")
}

/// Everything that a run noted but the scenario's own text.
fn noted(ran: &Ran) -> String {
    let phases = serde_json::to_string(&ran.record.phases).expect("a record");
    format!("{phases}{:?}{:?}", ran.record.controls, ran.entries.iter().skip(1).collect::<Vec<_>>())
}

#[test]
fn sendmail_hands_mail_to_whatever_it_is_set_to() {
    let ran = played(
        "  cron: { sendmail: { path: SENDMAIL, args: [\"{lab:local.new.example}\"] } }\n",
        "  - name: steady\n    probes: { count: 2, also: [other@drill.example] }\n    expect: { at: new, via: local.new.example, not-via: legacy, within: 5s, watch: 100ms }\n",
    );
    assert_eq!(ran.record.verdict, Verdict::Pass, "{}", whole(&ran));
    for probe in &ran.record.phases[0].probes {
        let program = &probe.programs[0];
        assert_eq!((program.end, program.code), (RanEnd::Exited, Some(0)), "{program:?}");
        assert!(program.stdout.starts_with("250 2.0.0 Ok: queued as LAB"), "{program:?}");
        let hops: Vec<&str> = probe.path.iter().map(|hop| hop.by.as_str()).collect();
        assert_eq!(hops, ["local.new.example", "mx1.new.example"]);
    }
    conserved(&ran);
}

#[test]
fn a_command_that_leaves_through_the_old_relay_is_found_out_and_its_secrets_are_hidden() {
    let script = "echo key $KEY; echo tag $TAG >&2; test -s \"$1\" && exec \"$2\" \"$3\" -i -f \"$4\" -- \"$5\"";
    let sender = format!(
        "  web:\n    command:\n      run: [sh, -c, '{script}', sh, \"{{message}}\", SENDMAIL, \"{{lab:local.new.example}}\", \"{{sender}}\", \"{{recipient}}\"]\n      stdin: message\n      env: {{ KEY: {{ command: [echo, s3cr3t-k3y] }}, TAG: \"{{tag}}\" }}\n"
    );
    let ran = played(
        &sender,
        "  - name: steady\n    probes: {}\n    expect: { at: new, not-via: local.new.example, within: 5s, watch: 100ms }\n",
    );
    assert_eq!(ran.record.verdict, Verdict::Fail, "{}", whole(&ran));
    let probe = &ran.record.phases[0].probes[0];
    assert!(probe.programs[0].stdout.starts_with("key ****\n250 "), "{:?}", probe.programs);
    assert_eq!(probe.programs[0].stderr, format!("tag {}", probe.tag));
    assert!(!noted(&ran).contains("s3cr3t-k3y"));
}

#[test]
fn a_program_that_fails_leaves_nothing_and_says_why() {
    let ran = played(
        "  hangs: { command: { run: [sleep, \"1000\"], timeout: 100ms } }\n  fails: { command: { run: [sh, -c, 'echo no such user >&2; exit 67'] } }\n  missing: { sendmail: { path: /nowhere/sendmail } }\n",
        "  - name: steady\n    probes: {}\n    expect: { outcome: refused, never: legacy, within: 5s, watch: 100ms }\n",
    );
    assert_eq!(ran.record.verdict, Verdict::Pass, "{}", whole(&ran));
    let end = |sender: &str| {
        let probe = ran.record.phases[0].probes.iter().find(|it| it.sender == sender).expect("a probe");
        (probe.programs[0].end, probe.programs[0].outcome())
    };
    assert_eq!(end("hangs").0, RanEnd::TimedOut);
    assert_eq!(end("fails"), (RanEnd::Exited, "exit code 67 (EX_NOUSER)".to_owned()));
    assert_eq!(end("missing").0, RanEnd::NotStarted);
}

#[test]
fn logins_that_fail_refuse_the_probe_and_show_no_secret() {
    let ran = played(
        "  wrong: { submission: { address: \"smtp.old.example:587\", user: app, password: { command: [echo, wr0ng-s3cr3t] } } }\n  nobody: { submission: { address: \"smtp.old.example:587\" } }\n  right: { submission: { address: \"smtp.old.example:587\", user: app, password: { command: [echo, hunter2] }, auth: plain } }\n  token: { submission: { address: \"smtp.old.example:587\", user: app, token: { command: [echo, hunter2] } } }\n",
        "  - name: steady\n    probes: {}\n    expect:\n      - { from: wrong, outcome: refused, within: 5s }\n      - { from: nobody, outcome: refused, within: 5s }\n      - { from: right, at: new, via: legacy, within: 5s }\n      - { from: token, at: new, via: legacy, within: 5s }\n",
    );
    assert_eq!(ran.record.verdict, Verdict::Pass, "{}", whole(&ran));
    let last = |sender: &str| {
        let probe = ran.record.phases[0].probes.iter().find(|it| it.sender == sender).expect("a probe");
        probe.attempts.last().expect("an attempt").clone()
    };
    let wrong = last("wrong");
    assert_eq!((wrong.result, wrong.stage), (AttemptResult::Permanent, Stage::Auth));
    assert!(wrong.reply.starts_with("535 5.7.8"), "{}", wrong.reply);
    assert_eq!((last("nobody").stage, last("nobody").reply.get(..3)), (Stage::Mail, Some("530")));
    assert!(last("right").tls.is_some_and(|tls| tls.verdicts == ["trusted"]));
    for secret in ["wr0ng-s3cr3t", "hunter2", "d3IwbmctczNjcjN0", "aHVudGVyMg"] {
        assert!(!noted(&ran).contains(secret), "{secret}");
    }
}

#[test]
fn a_server_whose_certificate_is_not_its_own_learns_no_password() {
    let ran = played(
        "  app: { submission: { address: \"smtp.old.example:587\", user: app, password: { command: [echo, hunter2] } } }\n",
        "  - name: another certificate\n    faults:\n      - { host: smtp.old.example, at: starttls, do: { tls: wrong-name } }\n    probes: {}\n    expect: { outcome: refused, within: 5s }\n",
    );
    assert_eq!(ran.record.verdict, Verdict::Pass, "{}", whole(&ran));
    let attempt = &ran.record.phases[0].probes[0].attempts[0];
    assert_eq!((attempt.result, attempt.login.is_none()), (AttemptResult::TlsFailed, true));
    assert!(attempt.reply.contains("not trusted (wrong-name)"), "{}", attempt.reply);
}

#[test]
fn a_submission_server_that_is_busy_is_tried_again() {
    let ran = played(
        "  app: { submission: { address: \"smtp.old.example:587\", user: app, password: { command: [echo, hunter2] } } }\n",
        "  - name: busy\n    faults:\n      - { host: smtp.old.example, at: banner, when: { first: 1 }, do: { reply: \"421 4.3.2 busy\" } }\n    probes: {}\n    expect: { at: new, via: legacy, within: 5s }\n",
    );
    assert_eq!(ran.record.verdict, Verdict::Pass, "{}", whole(&ran));
    let rounds: Vec<u32> = ran.record.phases[0].probes[0].attempts.iter().map(|it| it.round).collect();
    assert_eq!(rounds, [1, 2]);
}

#[test]
fn every_form_arrives_and_recipients_have_their_own_fates() {
    let form = |name: &str, keys: &str| {
        format!("  - name: {name}\n    probes: {{ {keys} }}\n    expect: {{ at: new, within: 5s }}\n")
    };
    let fault = "  - name: several\n    faults:\n      - { host: mx1.new.example, at: rcpt, when: { recipient: \"gone@*\" }, do: { reply: \"550 5.1.1 gone\" } }\n    probes: { also: [gone@drill.example, there@drill.example] }\n    expect: { at: new, within: 5s }\n";
    let phases = [
        form("attachment", "form: attachment, size: 64KiB"),
        form("eight", "form: 8bit"),
        form("utf8", "form: utf8, recipient: \"prüfung+{tag}@drill.example\""),
        form("dsn", "dsn: { notify: [success, delay], return: headers }"),
        fault.to_owned(),
    ];
    let ran = played("  direct: { mx: {} }\n", &phases.concat());
    assert_eq!(ran.record.verdict, Verdict::Pass, "{}", whole(&ran));
    let several = &ran.record.phases[4].probes[0];
    let replies: Vec<(&str, &str)> =
        several.attempts[0].recipients.iter().map(|it| (it.recipient.as_str(), &it.reply[..3])).collect();
    assert_eq!(
        replies,
        [("mxdrill@drill.example", "250"), ("gone@drill.example", "550"), ("there@drill.example", "250")]
    );
    assert_eq!(several.outcome, Some(Outcome::Delivered));
    conserved(&ran);
}

//! What happened, case by case. Addresses and times are those of a lab on loopback, but for the
//! drill of a live domain.

use mxdrill::mail::Stage;
use mxdrill::record::{
    AttemptResult, Coverage, Examination, Finding, FindingSeverity, Handling, Proof, Record, RunId, Sight,
    StandingProxy, Trust,
};
use mxdrill::terms::{Outcome, Verdict};

use super::records::{Drill, Host, Probe};

const NEW: Host = ("mx1.new.example", Some(10), "127.77.0.2:2525");
const OLD: Host = ("mx.old.example", Some(20), "127.77.0.3:2525");
const BACKUP: Host = ("mx2.new.example", Some(20), "127.77.0.3:2525");

const FALLBACK: &str = "\
# The backup MX was forgotten when the mail moved: what cannot reach the primary still goes to the old server.
name: Fallback mail must not reach the legacy platform
domain: drill.example

platforms:
  new:    { hosts: [mx1.new.example, mx2.new.example] }
  legacy: { hosts: [mx.old.example] }

lab:
  zones:
    drill.example: |
      @ MX 10 mx1.new.example.
      @ MX 20 BACKUP.
  hosts:
    mx1.new.example: { store: {} }
    BACKUP: { store: {} }

phases:
  - name: steady
    probes: { count: 3 }
    expect: { at: new, within: 5s }
  - name: primary down
    faults:
      - { host: mx1.new.example, at: connect, do: drop-syn }
    probes: { count: 5 }
    expect: { at: new, never: legacy, within: 8s }
";

fn fallback(path: &str, backup: &str) -> Drill {
    let drill = Drill::of(path, &FALLBACK.replace("BACKUP", backup))
        .host("mx1.new.example", "127.77.0.2:2525", Some(StandingProxy::Dialled))
        .host(backup, "127.77.0.3:2525", None)
        .seen("new", "mx1.new.example");
    let platform = if backup.contains("old") { "legacy" } else { "new" };
    let drill = drill.seen(platform, backup).phase("steady", 150, 320);
    steady(drill, 3)
}

/// Probes that reached the primary at once.
fn steady(drill: Drill, count: i64) -> Drill {
    (0..count).fold(drill, |drill, n| {
        let (start, id) = (160 + n * 20, format!("4WkQ2n{n}a"));
        drill.probe(|it| {
            it.accepted(NEW, start, 30, &format!("250 2.0.0 Ok: queued as {id}"))
                .tls("mx1.new.example", "trusted")
                .landed("new", "mx1.new.example", start + 31, &id)
                .ends(Outcome::Delivered, Verdict::Pass, "it arrived at `new` in time", "at: new")
        })
    })
}

/// A probe whose SYN to the primary was dropped, and which the host at preference 20 took.
fn fell_back(probe: Probe, to: Host, start: i64, id: &str) -> Probe {
    probe
        .attempt(NEW, start, 2003, AttemptResult::Timeout, Stage::Connect, "connect timed out after 2s")
        .fired_before(0, start + 2004)
        .accepted(to, start + 2005, 38, &format!("250 2.0.0 Ok: queued as {id}"))
        .tls(to.0, "trusted")
}

fn reached_legacy(drill: Drill) -> Drill {
    let drill = drill.phase("primary down", 330, 2480).fault(
        "mx1.new.example",
        "connect",
        "drop-syn",
        "{ host: mx1.new.example, at: connect, do: drop-syn }",
    );
    (0..5).fold(drill, |drill, n| {
        let (start, id) = (340 + n * 20, format!("4WkR7m{n}z"));
        drill.probe(|it| {
            fell_back(it, OLD, start, &id)
                .landed("legacy", "mx.old.example", start + 2044, &id)
                .watched(2470)
                .help("remove `MX 20 mx.old.example.` or point it at the new platform")
                .ends(Outcome::Delivered, Verdict::Fail, "fallback mail reached `legacy`", "at: new, ^never: legacy")
        })
    })
}

pub(crate) fn backup_mx_still_legacy() -> Record {
    reached_legacy(fallback("scenarios/drills/backup-mx.yaml", "mx.old.example")).end(2510)
}

pub(crate) fn expected_to_fail() -> Record {
    let path = "scenarios/01-backup-mx-still-legacy.yaml";
    reached_legacy(fallback(path, "mx.old.example")).expects(Verdict::Fail).end(2510)
}

pub(crate) fn backup_mx_fixed() -> Record {
    let drill = fallback("scenarios/02-backup-mx-fixed.yaml", "mx2.new.example")
        .phase("primary down", 330, 2480)
        .fault("mx1.new.example", "connect", "drop-syn", "{ host: mx1.new.example, at: connect, do: drop-syn }");
    let drill = (0..5).fold(drill, |drill, n| {
        let (start, id) = (340 + n * 20, format!("4WkR7m{n}z"));
        drill.probe(|it| {
            fell_back(it, BACKUP, start, &id).landed("new", "mx2.new.example", start + 2044, &id).watched(2470).ends(
                Outcome::Delivered,
                Verdict::Pass,
                "it arrived at `new` in time, never at `legacy`",
                "at: new, ",
            )
        })
    });
    drill.end(2510)
}

const BOUNCE: &str = "\
# A reject drill is not a down drill: a 5xx makes the sender bounce, and nobody tries the backup.
name: The backup takes over when the primary refuses
domain: drill.example
platforms:
  new:    { hosts: [mx1.new.example, mx2.new.example] }
  legacy: { hosts: [mx.old.example] }
phases:
  - name: primary refuses
    faults:
      - { host: mx1.new.example, at: rcpt, do: { reply: \"550 5.7.1 not today\" } }
    probes: { count: 2 }
    expect: { at: new, never: legacy, host: mx2.new.example }
";

pub(crate) fn bounced_by_the_fault() -> Record {
    let drill = Drill::of("scenarios/05-primary-refuses.yaml", BOUNCE)
        .expects(Verdict::Inconclusive)
        .seen("new", "mx1.new.example")
        .seen("new", "mx2.new.example")
        .phase("primary refuses", 150, 400)
        .fault("mx1.new.example", "rcpt", "reply \"550 5.7.1 not today\"", "{ host: mx1.new.example, at: rcpt");
    let drill = (0..2_i64).fold(drill, |drill, n| {
        let start = 160 + n * 20;
        let number = (n + 1).unsigned_abs();
        drill.probe(|it| {
            it.attempt(NEW, start, 12, AttemptResult::Permanent, Stage::Rcpt, "550 5.7.1 not today")
                .met(0, start + 11, number, Stage::Rcpt, "RCPT TO:<mxdrill@drill.example>")
                .help("break the primary at `connect` to test the backup: `do: refuse` or `do: drop-syn`")
                .ends(
                    Outcome::Bounced,
                    Verdict::Inconclusive,
                    "the sender bounced because of the fault, so no other host was tried",
                    "host: mx2.new.example",
                )
        })
    });
    drill.end(420)
}

const LOST: &str = "\
name: A lost acknowledgement leaves exactly two copies
domain: drill.example
platforms:
  new: { hosts: [mx1.new.example, mx2.new.example] }
phases:
  - name: acknowledgement lost
    faults:
      - { host: mx1.new.example, at: eom, when: { first: 1 }, do: lose-reply }
    probes: { count: 1 }
    expect: { at: new, copies: COPIES }
";

fn lost(path: &str, copies: &str) -> (Drill, impl Fn(Probe) -> Probe) {
    let drill = Drill::of(path, &LOST.replace("COPIES", copies))
        .host("mx1.new.example", "127.77.0.2:2525", Some(StandingProxy::Dialled))
        .host("mx2.new.example", "127.77.0.3:2525", None)
        .tls_ended("mx1.new.example")
        .seen("new", "mx1.new.example")
        .seen("new", "mx2.new.example")
        .phase("acknowledgement lost", 150, 300)
        .fault("mx1.new.example", "eom", "lose-reply", "{ host: mx1.new.example, at: eom");
    let twice = |it: Probe| {
        it.attempt(NEW, 160, 25, AttemptResult::Lost, Stage::Eom, "the connection was closed before the reply")
            .tls_of_the_proxy("mx1.new.example")
            .met(0, 184, 3, Stage::Eom, ".")
            .landed("new", "mx1.new.example", 183, "7QhB2c1")
            .received(
                "from probe.mxdrill.invalid by mx1.new.example with ESMTPS id 7QhB2c1; Sat, 21 Nov 2026 06:40:00 +0000",
            )
            .accepted(BACKUP, 186, 30, "250 2.0.0 Ok: queued as 7QhB2d9")
            .tls("mx2.new.example", "trusted")
            .landed("new", "mx2.new.example", 217, "7QhB2d9")
            .received(
                "from probe.mxdrill.invalid by mx2.new.example with ESMTPS id 7QhB2d9; Sat, 21 Nov 2026 06:40:00 +0000",
            )
            .hop("probe.mxdrill.invalid", "mx1.new.example", "new", "7QhB2c1", Trust::Seen)
            .hop("probe.mxdrill.invalid", "mx2.new.example", "new", "7QhB2d9", Trust::Seen)
            .watched(290)
    };
    (drill, twice)
}

pub(crate) fn acknowledgement_lost() -> Record {
    let (drill, twice) = lost("scenarios/04-acknowledgement-lost.yaml", "2");
    let end = |it: Probe| it.ends(Outcome::Duplicated, Verdict::Pass, "two copies arrived at `new`", "copies: 2");
    drill.probe(|it| end(twice(it))).end(320)
}

pub(crate) fn duplicate_copies() -> Record {
    let (drill, twice) = lost("drills/no-duplicates.yaml", "1");
    let end =
        |it: Probe| it.ends(Outcome::Duplicated, Verdict::Fail, "2 copies are at rest, 1 is allowed", "copies: 1");
    drill.probe(|it| end(twice(it))).end(320)
}

pub(crate) fn interrupted() -> Record {
    let drill = fallback("scenarios/01-backup-mx-still-legacy.yaml", "mx.old.example");
    let drill = drill.phase("primary down", 330, 330).cut_off(Some(330)).fault(
        "mx1.new.example",
        "connect",
        "drop-syn",
        "{ host: mx1.new.example, at: connect, do: drop-syn }",
    );
    let pending = "the run was interrupted before it was settled";
    let drill = (0..2).fold(drill, |drill, n| {
        drill.probe(|it| {
            it.attempt(NEW, 340 + n, 2003, AttemptResult::Timeout, Stage::Connect, "connect timed out after 2s")
                .fired_before(0, 2344 + n)
                .ends(Outcome::Deferred, Verdict::Inconclusive, pending, "at: new, ^never: legacy")
        })
    });
    let drill = drill.probe(|it| it.unsent(Verdict::Inconclusive, pending, "at: new, ^never: legacy"));
    let drill = drill.phase("primary back", 0, 0).cut_off(None).inconclusive("the run was interrupted before it");
    drill.interrupted().end(2360)
}

const BUSY: &str = "\
name: A busy primary sends mail to the backup
domain: drill.example
platforms:
  new: { hosts: [mx1.new.example, mx2.new.example] }
phases:
  - name: rush hour
    probes: { count: 4 }
    expect: { at: new }
";

pub(crate) fn natural_fallback() -> Record {
    let drill = Drill::of("scenarios/11-primary-busy.yaml", BUSY)
        .seen("new", "mx1.new.example")
        .seen("new", "mx2.new.example")
        .phase("rush hour", 150, 420);
    let drill = steady(drill, 2);
    let busy = "421 4.3.2 mx1.new.example too many messages, come back later";
    let drill = (0..2).fold(drill, |drill, n| {
        let (start, id) = (200 + n * 20, format!("9PpC0x{n}"));
        drill.probe(|it| {
            it.attempt(NEW, start, 3, AttemptResult::Transient, Stage::Banner, busy)
                .accepted(BACKUP, start + 4, 30, &format!("250 2.0.0 Ok: queued as {id}"))
                .landed("new", "mx2.new.example", start + 35, &id)
                .ends(Outcome::Delivered, Verdict::Pass, "it arrived at `new` in time", "at: new")
        })
    });
    drill.end(430)
}

const NEVER_FIRED: &str = "\
name: Mail waits while the primary is full
domain: drill.example
platforms:
  new: { hosts: [mx1.new.example] }
phases:
  - name: mailbox full
    faults:
      - { host: mx1.new.example, at: rcpt, when: { recipient: full@* }, do: { reply: \"452 4.2.2 mailbox full\" } }
      - { host: mx1.new.example, at: eom, do: { delay: 100ms } }
    probes: { count: 3 }
    expect: { at: new }
";

pub(crate) fn fault_never_fired() -> Record {
    let drill = Drill::of("drills/mailbox-full.yaml", NEVER_FIRED)
        .seen("new", "mx1.new.example")
        .phase("mailbox full", 150, 520)
        .fault(
            "mx1.new.example",
            "rcpt",
            "reply \"452 4.2.2 mailbox full\"",
            "{ host: mx1.new.example, at: rcpt, when: { recipient: full@*",
        )
        .fault("mx1.new.example", "eom", "delay 100ms", "{ host: mx1.new.example, at: eom, do: { delay: 100ms } }");
    let drill = (0..3_i64).fold(drill, |drill, n| {
        let (start, id) = (160 + n * 20, format!("2BbD5t{n}"));
        drill.probe(|it| {
            it.accepted(NEW, start, 135, &format!("250 2.0.0 Ok: queued as {id}"))
                .met(1, start + 33, (n + 1).unsigned_abs(), Stage::Eom, ".")
                .landed("new", "mx1.new.example", start + 32, &id)
                .ends(Outcome::Delivered, Verdict::Pass, "it arrived at `new` in time", "at: new")
        })
    });
    drill.inconclusive("a fault of this phase fired for no probe, so the phase proves nothing about it").end(540)
}

const UNPROVEN: &str = "\
name: Nothing is left for the old server
domain: drill.example
platforms:
  new:    { hosts: [mx1.new.example] }
  legacy: { hosts: [mx.old.example] }
phases:
  - name: steady
    probes: { count: 3 }
    expect: { at: new, never: legacy }
";

pub(crate) fn absence_unproven() -> Record {
    let drill = Drill::of("drills/nothing-left.yaml", UNPROVEN)
        .seen("new", "mx1.new.example")
        .control(
            "legacy",
            Some("mx.old.example"),
            "",
            Proof::None,
            "mx.old.example took the control probe, and no collector looks there",
        )
        .phase("steady", 150, 320);
    let drill = (0..3).fold(drill, |drill, n| {
        let (start, id) = (160 + n * 20, format!("4WkQ2n{n}a"));
        drill.probe(|it| {
            it.accepted(NEW, start, 30, &format!("250 2.0.0 Ok: queued as {id}"))
                .landed("new", "mx1.new.example", start + 31, &id)
                .watched(310)
                .help("add a collector to `legacy`, such as its log: `collectors: [{ log: { ... } }]`")
                .ends(
                    Outcome::Delivered,
                    Verdict::Inconclusive,
                    "absence at `legacy` is expected, but unproven",
                    "at: new, ^never: legacy",
                )
        })
    });
    drill.end(330)
}

const HELD: &str = "\
name: The backup holds mail while the primary is down
domain: drill.example
platforms:
  new:   { hosts: [mx1.new.example] }
  spool: { hosts: [mx2.new.example], role: transit }
phases:
  - name: primary down
    faults:
      - { host: mx1.new.example, at: connect, do: refuse }
    probes: { count: 2 }
    expect: { outcome: deferred }
  - name: primary back
    expect: { probes: primary down, at: new, via: spool }
";

pub(crate) fn held_then_drained() -> Record {
    let held = |it: Probe, n: i64| {
        let (start, id) = (160 + n * 20, format!("5TtE1h{n}"));
        let it = it
            .attempt(NEW, start, 1, AttemptResult::Refused, Stage::Connect, "connection refused")
            .fired_before(0, start + 1)
            .accepted(BACKUP, start + 2, 20, &format!("250 2.0.0 Ok: queued as {id}"))
            .passed("spool", "mx2.new.example", start + 22, &id, Handling::Took, "");
        (0..3).fold(it, |it, round| {
            let when = start + 30 + round * 200;
            it.passed("spool", "mx2.new.example", when, &id, Handling::Deferred, "mx1.new.example")
        })
    };
    let drill = Drill::of("scenarios/12-held-then-drained.yaml", HELD)
        .seen("new", "mx1.new.example")
        .phase("primary down", 150, 700)
        .fault("mx1.new.example", "connect", "refuse", "{ host: mx1.new.example, at: connect, do: refuse }");
    let drill = (0..2).fold(drill, |drill, n| {
        let why = "the spool holds it, as expected";
        drill.probe(|it| held(it, n).ends(Outcome::Deferred, Verdict::Pass, why, "outcome: deferred"))
    });
    let drill = drill.phase("primary back", 700, 1010).again("primary down");
    let drained = |it: Probe, n: usize| {
        let (id, stored) = (&format!("5TtE1h{n}"), &format!("6UuF3k{n}"));
        it.passed("spool", "mx2.new.example", 950, id, Handling::Relayed, "mx1.new.example")
            .landed("new", "mx1.new.example", 960, stored)
            .hop("probe.mxdrill.invalid", "mx2.new.example", "spool", id, Trust::Seen)
            .hop("mx2.new.example", "mx1.new.example", "new", stored, Trust::Proven)
            .ends(Outcome::Delivered, Verdict::Pass, "it arrived at `new` by way of `spool`", "at: new")
    };
    drill.the_same("primary down", drained).end(1030)
}

const IN_VAIN: &str = "\
name: Mail is delivered within ten seconds
domain: drill.example
platforms:
  new: { hosts: [mx1.new.example] }
phases:
  - name: mailbox locked
    faults:
      - { host: mx1.new.example, at: rcpt, do: { reply: \"450 4.2.0 mailbox locked\" } }
    probes: { count: 2 }
    expect: { at: new, within: 6s }
";

pub(crate) fn retried_in_vain() -> Record {
    let reply = "450 4.2.0 mailbox locked";
    let drill = Drill::of("drills/ten-seconds.yaml", IN_VAIN)
        .seen("new", "mx1.new.example")
        .phase("mailbox locked", 150, 6200)
        .fault("mx1.new.example", "rcpt", "reply \"450 4.2.0 mailbox locked\"", "{ host: mx1.new.example, at: rcpt");
    let drill = (0..2_u32).fold(drill, |drill, n| {
        drill.probe(|it| {
            let it = (1..=11 + n).fold(it, |it, round| {
                let start = 160 + i64::from(round - 1) * 520 + i64::from(n) * 5;
                let connection = u64::from(n * 11 + round);
                it.round(round).attempt(NEW, start, 9, AttemptResult::Transient, Stage::Rcpt, reply).met(
                    0,
                    start + 8,
                    connection,
                    Stage::Rcpt,
                    "RCPT TO:<mxdrill@drill.example>",
                )
            });
            it.watched(6190).ends(
                Outcome::Expired,
                Verdict::Inconclusive,
                "the sender deferred because of the fault, and there is no other host",
                "at: new",
            )
        })
    });
    drill.end(6230)
}

const LIVE: &str = "\
name: Staged failover of example.net
domain: example.net
platforms:
  new:    { hosts: [mx1.example.net], collectors: [{ imap: { address: imap.example.net:993 } }] }
  legacy: { hosts: [mx.old-provider.example], collectors: [{ log: { format: postfix, path: /var/log/mail.log } }] }
phases:
  - name: primary down
    faults:
      - { host: mx1.example.net, at: banner, do: { reply: \"421 4.3.2 closing for a drill\" }, scope: all }
    probes: { count: 2 }
    expect: { at: new, never: legacy, within: 15m, tls: verified }
";

pub(crate) fn live_with_logs() -> Record {
    const NEW: Host = ("mx1.example.net", Some(10), "203.0.113.25:25");
    const OLD: Host = ("mx.old-provider.example", Some(20), "[2001:db8:77::25]:25");
    let reply = "421 4.3.2 closing for a drill";
    let drill = Drill::of("failover of example.net.yaml", LIVE)
        .live()
        .host("mx1.example.net", "203.0.113.25:25", Some(StandingProxy::Standing))
        .host("mx.old-provider.example", "[2001:db8:77::25]:25", None)
        .control(
            "new",
            Some("mx1.example.net"),
            "imap imap.example.net:993",
            Proof::Seen,
            "the control probe was found in INBOX after 2.1s",
        )
        .control(
            "legacy",
            None,
            "log /var/log/mail.log",
            Proof::Alive,
            "its last line is 0.8s younger than the start of the phase",
        )
        .phase("primary down", 3_000, 903_500)
        .fault("mx1.example.net", "banner", "reply \"421 4.3.2 closing for a drill\"", "{ host: mx1.example.net, at:");
    let drill = drill.probe(|it| {
        it.attempt(NEW, 3_100, 41, AttemptResult::Transient, Stage::Banner, reply)
            .met(0, 3_140, 17, Stage::Banner, "")
            .accepted(OLD, 3_150, 730, "250 2.0.0 Ok: queued as 4WkQ2n1z")
            .tls("mx.old-provider.example", "wrong-name")
            .landed_in("legacy", Some("mx.old-provider.example"), "log /var/log/mail.log", "/var/log/mail.log:812", 3_960, "4WkQ2n1z")
            .received("from probe.example.net (probe.example.net [198.51.100.7]) by mx.old-provider.example (Postfix) with ESMTPS id 4WkQ2n1z for <mxdrill@example.net>; Sat, 21 Nov 2026 06:40:03 +0000 (UTC)")
            .hop("probe.example.net", "mx.old-provider.example", "legacy", "4WkQ2n1z", Trust::Proven)
            .watched(903_400)
            .help("remove `MX 20 mx.old-provider.example.` or point it at the new platform")
            .ends(Outcome::Delivered, Verdict::Fail, "fallback mail reached `legacy`", "at: new, ^never: legacy")
    });
    let drill = drill.probe(|it| {
        it.attempt(NEW, 3_200, 43, AttemptResult::Transient, Stage::Banner, reply)
            .met(0, 3_243, 18, Stage::Banner, "")
            .attempt(
                OLD,
                3_250,
                180,
                AttemptResult::Transient,
                Stage::Rcpt,
                "450-4.2.0 <mxdrill@example.net>: Recipient address rejected: Greylisted,\n450 4.2.0 see https://greylisting.example/example.net",
            )
            .round(2)
            .attempt(NEW, 303_200, 42, AttemptResult::Transient, Stage::Banner, reply)
            .met(0, 303_242, 21, Stage::Banner, "")
            .accepted(OLD, 303_250, 702, "250 2.0.0 Ok: queued as 4WkX9q7b")
            .landed_in("legacy", Some("mx.old-provider.example"), "log /var/log/mail.log", "/var/log/mail.log:977", 303_960, "4WkX9q7b")
            .in_junk()
            .watched(903_400)
            .help("remove `MX 20 mx.old-provider.example.` or point it at the new platform")
            .ends(Outcome::Filtered, Verdict::Fail, "fallback mail reached `legacy`", "at: new, ^never: legacy")
    });
    drill
        .warning(
            "standing-proxy-scope",
            "the fault at `banner` of mx1.example.net was an outage for everybody, not only for this run's probes",
            "narrow it with `client:` to the address that the probes come from",
        )
        .end(904_200)
}

const MIXED: &str = "\
name: Both ways in reach the new platform
domain: drill.example
platforms:
  new:    { hosts: [mx1.new.example, mx2.new.example] }
  legacy: { hosts: [mx.old.example] }
senders:
  direct: { mx: {} }
  inside: { mx: { helo: inside.drill.example } }
phases:
  - name: primary drops some
    faults:
      - { host: mx1.new.example, at: data, when: { chance: 0.5 }, do: reset }
    probes: { count: 2 }
    expect:
      - { from: direct, at: new }
      - { from: inside, at: new, within: 2s }
";

pub(crate) fn mixed_fates() -> Record {
    let reset = |it: Probe, start: i64, connection: u64| {
        it.attempt(NEW, start, 15, AttemptResult::Lost, Stage::Data, "connection reset by peer").met(
            0,
            start + 14,
            connection,
            Stage::Data,
            "DATA",
        )
    };
    let fine = |it: Probe, host: Host, start: i64, id: &str| {
        it.accepted(host, start, 30, &format!("250 2.0.0 Ok: queued as {id}")).landed("new", host.0, start + 31, id)
    };
    let why = "it arrived at `new` in time";
    Drill::of("drills/both-ways.yaml", MIXED)
        .seen("new", "mx1.new.example")
        .seen("new", "mx2.new.example")
        .control(
            "legacy",
            Some("mx.old.example"),
            "",
            Proof::Refused,
            "mx.old.example refused the control probe at rcpt: 550 5.1.1 unknown",
        )
        .phase("primary drops some", 150, 2400)
        .fault("mx1.new.example", "data", "reset", "{ host: mx1.new.example, at: data")
        .probe(|it| fine(it, NEW, 160, "8AaG1").ends(Outcome::Delivered, Verdict::Pass, why, "direct, ^at: new"))
        .probe(|it| {
            fine(reset(it, 160, 2), BACKUP, 177, "8AaG2").ends(
                Outcome::Delivered,
                Verdict::Pass,
                why,
                "direct, ^at: new",
            )
        })
        .probe(|it| {
            fine(reset(it.from("inside"), 160, 3), BACKUP, 177, "8AaG3").ends(
                Outcome::Delivered,
                Verdict::Pass,
                why,
                "inside, ^at: new",
            )
        })
        .probe(|it| {
            reset(it.from("inside"), 160, 4).accepted(BACKUP, 177, 30, "250 2.0.0 Ok: queued as 8AaG4").ends(
                Outcome::Lost,
                Verdict::Fail,
                "it did not arrive at `new` within 2s",
                "new, ^within: 2s",
            )
        })
        .end(2420)
}

const GREYLISTED: &str = "\
name: Greylisted mail is delivered at the second try
domain: drill.example
platforms:
  new: { hosts: [mx1.new.example] }
phases:
  - name: greylisting
    faults:
      - { host: mx1.new.example, at: rcpt, when: { first: 2 }, do: { reply: \"451 4.7.1 try again later\" } }
    probes: { count: 2 }
    expect: { at: new, within: 5s }
";

pub(crate) fn greylisted() -> Record {
    let reply = "451 4.7.1 try again later";
    let drill = Drill::of("scenarios/03-greylist-then-deliver.yaml", GREYLISTED)
        .seen("new", "mx1.new.example")
        .phase("greylisting", 150, 1400)
        .fault("mx1.new.example", "rcpt", "reply \"451 4.7.1 try again later\"", "{ host: mx1.new.example, at: rcpt");
    let drill = (0..2_u32).fold(drill, |drill, n| {
        drill.probe(|it| {
            let it = (0..2_u32).fold(it, |it, round| {
                let start = 160 + i64::from(round) * 510 + i64::from(n) * 5;
                let connection = u64::from(n + 2 * round) + 1;
                it.round(round + 1).attempt(NEW, start, 6, AttemptResult::Transient, Stage::Rcpt, reply).met(
                    0,
                    start + 5,
                    connection,
                    Stage::Rcpt,
                    "RCPT TO:<mxdrill@drill.example>",
                )
            });
            let (start, id) = (1180 + i64::from(n) * 5, format!("3CcE6u{n}"));
            it.round(3)
                .accepted(NEW, start, 30, &format!("250 2.0.0 Ok: queued as {id}"))
                .landed("new", "mx1.new.example", start + 29, &id)
                .ends(Outcome::Delivered, Verdict::Pass, "it arrived at `new` in time", "at: new")
        })
    });
    drill.end(1420)
}

const NULL_MX: &str = "\
name: A domain that takes no mail gets none
domain: drill.example
platforms:
  new: { hosts: [mx1.new.example] }
phases:
  - name: null MX
    probes: { count: 1 }
    expect: { outcome: bounced }
";

pub(crate) fn null_mx() -> Record {
    let said = "drill.example does not take mail (null MX, RFC 7505)";
    Drill::of("scenarios/06-null-mx.yaml", NULL_MX)
        .seen("new", "mx1.new.example")
        .phase("null MX", 150, 170)
        .probe(|it| {
            it.attempt(("drill.example", None, ""), 155, 2, AttemptResult::NoRoute, Stage::Connect, said).ends(
                Outcome::Bounced,
                Verdict::Pass,
                "it was bounced, as expected",
                "outcome: bounced",
            )
        })
        .end(190)
}

const FAMILIES: &str = "\
name: IPv6 is enough to reach the primary
domain: drill.example
platforms:
  new: { hosts: [drill.example] }
phases:
  - name: no IPv4
    faults:
      - { host: drill.example, family: v4, at: connect, do: refuse }
    probes: { count: 2 }
    expect: { at: new, family: v6 }
";

pub(crate) fn both_families() -> Record {
    const V4: Host = ("drill.example", None, "127.77.0.2:2525");
    const V6: Host = ("drill.example", None, "[::1]:2526");
    let drill = Drill::of("drills/no-ipv4.yaml", FAMILIES)
        .seen("new", "drill.example")
        .phase("no IPv4", 150, 300)
        .fault("drill.example", "connect", "refuse", "{ host: drill.example, family: v4, at: connect, do: refuse }");
    let drill = drill.probe(|it| {
        it.attempt(V4, 160, 1, AttemptResult::Refused, Stage::Connect, "connection refused")
            .fired_before(0, 162)
            .accepted(V6, 161, 25, "250 2.0.0 Ok: queued as 9KkM3b0")
            .landed("new", "drill.example", 187, "9KkM3b0")
            .ends(Outcome::Delivered, Verdict::Pass, "it arrived at `new` over IPv6", "at: new")
    });
    let drill =
        drill.probe(|it| {
            it.accepted(V6, 161, 25, "250 2.0.0 Ok: queued as 9KkM3b1")
                .landed("new", "drill.example", 187, "9KkM3b1")
                .ends(Outcome::Delivered, Verdict::Pass, "it arrived at `new` over IPv6", "at: new")
        });
    drill.end(320)
}

const REAL: &str = "\
name: The smarthost falls back to the new backup
domain: drill.example
platforms:
  new:    { hosts: [mx1.new.example, mx2.new.example] }
  legacy: { hosts: [mx.old.example] }
phases:
  - name: primary down
    faults:
      - { host: mx1.new.example, at: banner, do: close }
    probes: { count: 1 }
    expect: { at: new, via: mx2.new.example, never: legacy }
";

/// The sender is a real server, so mxdrill saw no attempts: only the proxy, the logs and the
/// mailboxes speak.
pub(crate) fn relayed_by_a_real_server() -> Record {
    Drill::of("drills/smarthost.yaml", REAL)
        .host("mx1.new.example", "127.77.0.2:25", Some(StandingProxy::LabAddress))
        .seen("new", "mx1.new.example")
        .seen("legacy", "mx.old.example")
        .phase("primary down", 150, 1900)
        .fault("mx1.new.example", "banner", "close", "{ host: mx1.new.example, at: banner, do: close }")
        .probe(|it| {
            it.met(0, 410, 1, Stage::Banner, "")
                .passed("new", "mx2.new.example", 700, "4WkZ1", Handling::Relayed, "mx.old.example")
                .landed_in("legacy", None, "mbox /var/mail/drill", "/var/mail/drill:3", 960, "1xUd9U-00004M-1o")
                .hop("probe.mxdrill.invalid", "mx2.new.example", "new", "4WkZ1", Trust::Claimed)
                .hop("mx2.new.example", "mx.old.example", "legacy", "1xUd9U-00004M-1o", Trust::Proven)
                .help("let mx2.new.example pass mail on to the new platform: it still names mx.old.example")
                .ends(Outcome::Delivered, Verdict::Fail, "fallback mail reached `legacy`", "never: legacy")
        })
        .end(1930)
}

/// An audit that found a stale backup and could not ask one server.
pub(crate) fn audited() -> Record {
    let seen = |what: &str, look: Sight, why: Option<&str>| Coverage {
        subject: "drill.example".to_owned(),
        what: what.to_owned(),
        look,
        why: why.map(str::to_owned),
    };
    let stale = Finding::new(
        "mx-points-to-legacy",
        FindingSeverity::Error,
        "drill.example",
        "the MX record of preference 20 names `mx.old.example`, which is on `legacy`",
    );
    let slow = Finding::new("mx-ttl-too-long", FindingSeverity::Warning, "drill.example", "MX records live for 2 days");
    let started: jiff::Timestamp = "2026-11-21T08:00:00Z".parse().expect("a time");
    Examination {
        run: RunId::from_entropy(7),
        started,
        finished: started,
        command: vec!["audit".to_owned(), "drill.example".to_owned()],
        name: "audit of drill.example".to_owned(),
        inventory: None,
        findings: vec![
            stale
                .platform(Some("legacy"))
                .shown_by(serde_json::json!({ "text": "ns1.drill.example: drill.example. 3600 MX 20 mx.old.example." }))
                .shown_by(serde_json::json!({ "file": "drill.example.zone", "line": 7, "column": 3, "key": "MX" }))
                .fix("remove `drill.example. MX 20 mx.old.example.` from the zone"),
            slow,
        ],
        coverage: vec![
            seen("MX at ns1.drill.example", Sight::Seen, None),
            seen("MX at ns2.drill.example", Sight::Unable, Some("no answer within 5 s")),
            seen("MX over SMTP", Sight::Left, Some("asked with `--smtp --live`")),
        ],
    }
    .into_record()
}

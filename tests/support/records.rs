//! Records made by hand, for tests of what is said about them. They are written in the order in
//! which a drill happens, with times in milliseconds from its start.

#![allow(clippy::expect_used, clippy::panic)]

use jiff::{SignedDuration, Timestamp};
use mxdrill::mail::{EnhancedStatus, Stage, reply};
use mxdrill::record::{
    Attempt, AttemptResult, Certificate, Control, Finding, FindingSeverity, Handling, Hop, Landed, Mark, Met, Passed,
    PhaseRecord, Placement, ProbeRecord, Proof, Record, RecordedFault, RecordedScenario, RunId, RunState,
    SCHEMA_RECORD, Standing, StandingProxy, Target, TlsEnd, TlsSeen, Trust,
};
use mxdrill::terms::{Outcome, Verdict};

/// A record that grows.
pub(crate) struct Drill {
    record: Record,
    probes: u32,
}

impl Drill {
    /// A drill of this scenario; its name is read from the text.
    pub(crate) fn of(path: &str, text: &str) -> Self {
        let name = text.lines().find_map(|line| line.strip_prefix("name: ")).expect("a scenario has a name");
        let entropy = path.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(1_099_511_628_211) ^ u64::from(byte));
        let scenario =
            RecordedScenario { name: name.to_owned(), path: path.to_owned(), text: text.to_owned(), inventory: None };
        let record = Record {
            schema: SCHEMA_RECORD.to_owned(),
            run: RunId::from_entropy(entropy),
            state: RunState::Finished,
            verdict: Verdict::Pass,
            expected_verdict: None,
            run_verdict: Verdict::Pass,
            seed: 7,
            started: at(0),
            finished: at(0),
            version: "0.1.0".to_owned(),
            command: vec!["run".to_owned(), path.to_owned()],
            scenario,
            standing: vec![],
            controls: vec![],
            phases: vec![],
            findings: vec![],
            coverage: vec![],
        };
        Self { record, probes: 0 }
    }

    pub(crate) fn expects(mut self, verdict: Verdict) -> Self {
        self.record.expected_verdict = Some(verdict);
        self
    }

    /// A host of the lab, before which the sender dials a proxy where one is needed.
    pub(crate) fn host(mut self, host: &str, address: &str, proxy: Option<StandingProxy>) -> Self {
        self.record.standing.push(Standing {
            host: host.to_owned(),
            address: address.to_owned(),
            proxy,
            tls_ended_by: None,
        });
        self
    }

    /// The proxy before this host ended TLS.
    pub(crate) fn tls_ended(mut self, host: &str) -> Self {
        let stands = self.record.standing.iter_mut().find(|it| it.host == host).expect("the host stands somewhere");
        stands.tls_ended_by = Some(TlsEnd::Proxy);
        self
    }

    /// A lab's store that was proven to see mail.
    pub(crate) fn seen(self, platform: &str, host: &str) -> Self {
        let store = format!("store {host}");
        let why = format!("{store} had the control probe after 0.1s");
        self.control(platform, Some(host), &store, Proof::Seen, &why)
    }

    pub(crate) fn control(
        mut self,
        platform: &str,
        host: Option<&str>,
        collector: &str,
        proof: Proof,
        why: &str,
    ) -> Self {
        self.record.controls.push(Control {
            platform: platform.to_owned(),
            host: host.map(str::to_owned),
            collector: collector.to_owned(),
            proof,
            why: why.to_owned(),
        });
        self
    }

    pub(crate) fn phase(mut self, name: &str, started: i64, ended: i64) -> Self {
        self.record.phases.push(PhaseRecord {
            name: name.to_owned(),
            verdict: Verdict::Pass,
            why: vec![],
            started: Some(at(started)),
            ended: Some(at(ended)),
            probes_of: None,
            faults: vec![],
            sources: vec![],
            probes: vec![],
        });
        self
    }

    /// The phase was under way, or not begun, when the run was stopped.
    pub(crate) fn cut_off(mut self, started: Option<i64>) -> Self {
        let phase = self.last_phase();
        (phase.started, phase.ended) = (started.map(at), None);
        self
    }

    pub(crate) fn again(mut self, phase: &str) -> Self {
        self.last_phase().probes_of = Some(phase.to_owned());
        self
    }

    pub(crate) fn inconclusive(mut self, why: &str) -> Self {
        let phase = self.last_phase();
        phase.verdict = phase.verdict.worst(Verdict::Inconclusive);
        phase.why.push(why.to_owned());
        self
    }

    /// A fault written as `mark` in the scenario.
    pub(crate) fn fault(mut self, host: &str, stage: &str, action: &str, mark: &str) -> Self {
        let span = self.mark(mark);
        self.last_phase().faults.push(RecordedFault {
            host: host.to_owned(),
            at: stage.to_owned(),
            action: action.to_owned(),
            fired: 0,
            syns: None,
            span,
        });
        self
    }

    /// A probe; `fill` says what happened to it.
    pub(crate) fn probe(mut self, fill: impl FnOnce(Probe) -> Probe) -> Self {
        self.probes += 1;
        let tag = self.record.run.probe(self.probes);
        let record = ProbeRecord {
            message_id: tag.message_id(),
            tag,
            sender: "direct".to_owned(),
            recipient: "mxdrill@drill.example".to_owned(),
            outcome: None,
            copies: 0,
            verdict: Verdict::Pass,
            why: String::new(),
            span: Mark::default(),
            help: None,
            watched_until: None,
            fired: vec![],
            attempts: vec![],
            programs: vec![],
            landed: vec![],
            passed: vec![],
            path: vec![],
        };
        let first_fault = self.record.phases.iter().rev().skip(1).map(|phase| phase.faults.len()).sum();
        let text = self.record.scenario.text.clone();
        let Probe { record, .. } = fill(Probe { record, text, round: 1, first_fault });
        let phase = self.last_phase();
        for met in &record.fired {
            if let Some(fault) = met.fault.checked_sub(first_fault).and_then(|own| phase.faults.get_mut(own)) {
                fault.fired += 1;
            }
        }
        phase.verdict = phase.verdict.worst(record.verdict);
        phase.probes.push(record);
        self
    }

    /// The probes of an earlier phase once more, with another expectation.
    pub(crate) fn the_same(mut self, phase: &str, change: impl Fn(Probe, usize) -> Probe) -> Self {
        let earlier = self.record.phases.iter().find(|it| it.name == phase).expect("an earlier phase").probes.clone();
        for (n, record) in earlier.into_iter().enumerate() {
            let text = self.record.scenario.text.clone();
            let changed = change(Probe { record, text, round: 1, first_fault: 0 }, n);
            self.last_phase().probes.push(changed.record);
        }
        self
    }

    pub(crate) fn warning(mut self, id: &str, title: &str, fix: &str) -> Self {
        self.record.findings.push(Finding {
            id: id.to_owned(),
            severity: FindingSeverity::Warning,
            subject: "run".to_owned(),
            platform: None,
            title: title.to_owned(),
            evidence: vec![],
            fix: Some(fix.to_owned()),
        });
        self
    }

    pub(crate) fn live(mut self) -> Self {
        self.record.command.push("--live".to_owned());
        self
    }

    pub(crate) fn interrupted(mut self) -> Self {
        self.record.state = RunState::Interrupted;
        self
    }

    /// The record, after so many milliseconds.
    pub(crate) fn end(mut self, ms: i64) -> Record {
        let record = &mut self.record;
        record.finished = at(ms);
        record.verdict = record.phases.iter().map(|phase| phase.verdict).fold(Verdict::Pass, Verdict::worst);
        record.run_verdict = match record.expected_verdict {
            Some(expected) if expected == record.verdict => Verdict::Pass,
            Some(_) if record.verdict == Verdict::Pass => Verdict::Fail,
            _ => record.verdict,
        };
        self.record
    }

    fn last_phase(&mut self) -> &mut PhaseRecord {
        self.record.phases.last_mut().expect("a phase was begun")
    }

    fn mark(&self, part: &str) -> Mark {
        mark(&self.record.scenario.text, part)
    }
}

/// One probe of a drill.
pub(crate) struct Probe {
    record: ProbeRecord,
    text: String,
    round: u32,
    first_fault: usize,
}

impl Probe {
    pub(crate) fn from(mut self, sender: &str) -> Self {
        self.record.sender = sender.to_owned();
        self
    }

    pub(crate) fn round(mut self, round: u32) -> Self {
        self.round = round;
        self
    }

    /// A host took it.
    pub(crate) fn accepted(self, host: Host, start: i64, ms: u64, said: &str) -> Self {
        self.attempt(host, start, ms, AttemptResult::Accepted, Stage::Eom, said)
    }

    pub(crate) fn attempt(
        mut self,
        host: Host,
        start: i64,
        ms: u64,
        result: AttemptResult,
        stage: Stage,
        said: &str,
    ) -> Self {
        let status = said.get(4..).and_then(EnhancedStatus::at_start_of);
        let accepted = result == AttemptResult::Accepted;
        self.record.attempts.push(Attempt {
            host: host.0.to_owned(),
            address: (!host.2.is_empty()).then(|| host.2.to_owned()),
            target: Target::Mx,
            preference: host.1,
            proxy: None,
            result,
            stage,
            reply: said.to_owned(),
            status,
            queue_id: reply::queue_id(said).filter(|_| accepted).map(str::to_owned),
            at: at(start),
            ms,
            round: self.round,
            tls: None,
            login: None,
            recipients: vec![],
            policy: None,
        });
        self
    }

    /// What was seen of TLS at the last attempt.
    pub(crate) fn tls(mut self, name: &str, verdict: &str) -> Self {
        let certificate = Certificate {
            subject: format!("CN={name}"),
            issuer: "CN=mxdrill lab authority".to_owned(),
            names: vec![name.to_owned()],
            not_before: "2026-11-20T06:40:00Z".to_owned(),
            not_after: "2026-11-28T06:40:00Z".to_owned(),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        };
        let attempt = self.record.attempts.last_mut().expect("an attempt was made");
        attempt.tls = Some(TlsSeen {
            version: Some("TLSv1.3".to_owned()),
            cipher: Some("TLS13_AES_256_GCM_SHA384".to_owned()),
            certificates: vec![certificate],
            verdicts: vec![verdict.to_owned()],
            ended_by: None,
        });
        self
    }

    /// The same, and what was seen is the proxy's.
    pub(crate) fn tls_of_the_proxy(self, name: &str) -> Self {
        let mut probe = self.tls(name, "trusted");
        let attempt = probe.record.attempts.last_mut().expect("an attempt was made");
        attempt.tls.as_mut().expect("it saw TLS").ended_by = Some(TlsEnd::Proxy);
        probe
    }

    /// A fault of this phase fired before any connection was accepted.
    pub(crate) fn fired_before(self, fault: usize, when: i64) -> Self {
        self.met(fault, when, 0, Stage::Connect, "")
    }

    /// A fault of this phase fired at a command.
    pub(crate) fn met(mut self, fault: usize, when: i64, connection: u64, stage: Stage, command: &str) -> Self {
        let client = (connection > 0).then(|| format!("127.77.0.1:{}", 40_000 + connection));
        let fault = self.first_fault + fault;
        self.record.fired.push(Met { at: at(when), fault, connection, client, stage, command: command.to_owned() });
        self
    }

    pub(crate) fn landed(self, platform: &str, host: &str, when: i64, id: &str) -> Self {
        let message = self.record.landed.len() + 1;
        self.landed_in(platform, Some(host), &format!("store {host}"), &format!("message {message}"), when, id)
    }

    pub(crate) fn landed_in(
        mut self,
        platform: &str,
        host: Option<&str>,
        collector: &str,
        detail: &str,
        when: i64,
        id: &str,
    ) -> Self {
        self.record.landed.push(Landed {
            tag: self.record.tag.clone(),
            platform: platform.to_owned(),
            host: host.map(str::to_owned),
            collector: collector.to_owned(),
            at: at(when),
            queue_id: (!id.is_empty()).then(|| id.to_owned()),
            detail: detail.to_owned(),
            placement: Placement::Inbox,
            received: vec![],
        });
        self
    }

    /// The last copy lies in junk.
    pub(crate) fn in_junk(mut self) -> Self {
        self.last_landed().placement = Placement::Junk;
        self
    }

    /// A `Received:` header of the last copy.
    pub(crate) fn received(mut self, header: &str) -> Self {
        self.last_landed().received.push(header.to_owned());
        self
    }

    fn last_landed(&mut self) -> &mut Landed {
        self.record.landed.last_mut().expect("it landed")
    }

    pub(crate) fn passed(
        mut self,
        platform: &str,
        host: &str,
        when: i64,
        id: &str,
        handling: Handling,
        next: &str,
    ) -> Self {
        self.record.passed.push(Passed {
            tag: self.record.tag.clone(),
            platform: platform.to_owned(),
            host: Some(host.to_owned()),
            collector: format!("hold {host}"),
            at: at(when),
            queue_id: Some(id.to_owned()),
            handling,
            next_host: (!next.is_empty()).then(|| next.to_owned()),
            next_address: None,
            next_queue_id: None,
            status: None,
            reply: String::new(),
            detail: "spool".to_owned(),
        });
        self
    }

    pub(crate) fn hop(mut self, from: &str, by: &str, platform: &str, id: &str, trust: Trust) -> Self {
        self.record.path.push(Hop {
            from: Some(from.to_owned()),
            by: by.to_owned(),
            with: Some("ESMTPS".to_owned()),
            id: Some(id.to_owned()),
            at: None,
            platform: Some(platform.to_owned()),
            trust,
        });
        self
    }

    /// Its copies were watched until then.
    pub(crate) fn watched(mut self, until: i64) -> Self {
        self.record.watched_until = Some(at(until));
        self
    }

    pub(crate) fn help(mut self, help: &str) -> Self {
        self.record.help = Some(help.to_owned());
        self
    }

    /// What became of it, and the part of the scenario that decided on it.
    pub(crate) fn ends(mut self, outcome: Outcome, verdict: Verdict, why: &str, part: &str) -> Self {
        self.record.outcome = Some(outcome);
        self.record.copies = self.record.landed.len().try_into().expect("few copies");
        self.unsent(verdict, why, part)
    }

    pub(crate) fn unsent(mut self, verdict: Verdict, why: &str, part: &str) -> Self {
        (self.record.verdict, self.record.why) = (verdict, why.to_owned());
        self.record.span = mark(&self.text, part);
        self
    }
}

/// A host's name, preference and address.
pub(crate) type Host = (&'static str, Option<u16>, &'static str);

/// The moment that lies so many milliseconds after the start of every drill.
pub(crate) fn at(ms: i64) -> Timestamp {
    let start: Timestamp = "2026-11-21T06:40:00.040Z".parse().expect("a time");
    start + SignedDuration::from_millis(ms)
}

/// Where `part` stands in a scenario, for the first time; `^` in it cuts off what only leads there.
fn mark(text: &str, part: &str) -> Mark {
    let (lead, part) = part.split_once('^').unwrap_or(("", part));
    let found = text.find(&format!("{lead}{part}")).unwrap_or_else(|| panic!("no `{lead}{part}` in the scenario"));
    let start = found + lead.len();
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    Mark {
        line: text[..start].matches('\n').count() + 1,
        column: text[line_start..start].chars().count() + 1,
        length: part.chars().count(),
    }
}

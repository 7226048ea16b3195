//! One message on its way, step by step, until a fault and a rule end it.
//!
//! The same way as that of a session: greeting, EHLO (HELO where that is refused), STARTTLS and
//! EHLO again, MAIL, RCPT, DATA, the body, QUIT. Occurrences are counted as the proxy counts them.

use std::time::Duration;

use crate::classes::{Basis, Failure, Patience, Rule, SenderClass, Starttls, Step};
use crate::mail::{Severity, Stage};
use crate::scenario::fault::{Action, Corruption, TlsFault, When};
use crate::scenario::{Fault, Timeouts};

/// Bytes of a usual reply: some fifty.
const REPLY: f64 = 50.0;
/// Bytes of a probe where nobody says more.
const MESSAGE: f64 = 1024.0;

/// How a message went.
pub(super) struct Course {
    /// What stopped it last; none where nothing did.
    stopped: Option<Stopped>,
    /// A rule that it met on the way and went on by.
    passed: Option<&'static Rule>,
    /// How long it took; none where nobody knows.
    pub(super) seconds: Option<f64>,
    timers: &'static str,
}

#[derive(Clone, Copy)]
struct Stopped {
    at: Stage,
    rule: &'static Rule,
}

impl Course {
    /// What the sender does in the end; none where the primary took the message undisturbed.
    pub(super) fn step(&self) -> Option<Step> {
        self.stopped.map(|it| it.rule.then)
    }

    /// The rule that decides, in a sentence.
    pub(super) fn rule(&self) -> &'static str {
        self.decisive().map_or("nothing of it stops a session of this sender", |rule| rule.fact)
    }

    pub(super) fn basis(&self) -> Basis {
        self.decisive().map_or(Basis::Derived, |rule| rule.basis)
    }

    pub(super) fn source(&self) -> String {
        let waited = self.seconds.is_some_and(|seconds| seconds >= 1.0);
        match self.decisive() {
            Some(rule) if waited => format!("{}; timers: {}", rule.source, self.timers),
            Some(rule) => rule.source.to_owned(),
            None => "the session goes on by RFC 5321".to_owned(),
        }
    }

    /// Whether the complete message was sent and will be sent again.
    pub(super) fn sent_twice(&self) -> Option<Step> {
        let stopped = self.stopped?;
        let again = match stopped.rule.then {
            Step::Again => true,
            Step::Next | Step::Defer | Step::InClear | Step::Hang => stopped.at == Stage::Eom,
            Step::Bounce | Step::GoOn => false,
        };
        again.then_some(stopped.rule.then)
    }

    fn decisive(&self) -> Option<&'static Rule> {
        self.stopped.map(|it| it.rule).or(self.passed)
    }
}

/// Sends one message of `class` to a primary with `fault`; with its own timers where it is given no
/// others.
pub(super) fn walk(class: SenderClass, fault: &Fault, limits: Option<&Timeouts>) -> Course {
    let mut walk = Walk { class, fault, limits, seen: 0, waited: Some(0.0), passed: None };
    let mut tls = class.facts().starttls;
    let mut end = walk.session(tls);
    if end.as_ref().is_err_and(|stopped| stopped.rule.then == Step::InClear) {
        walk.passed = end.err().map(|stopped| stopped.rule);
        tls = Starttls::Never;
        end = walk.session(tls);
    }
    Course { stopped: end.err(), passed: walk.passed, seconds: walk.waited, timers: class.facts().timers.source }
}

struct Walk<'a> {
    class: SenderClass,
    fault: &'a Fault,
    limits: Option<&'a Timeouts>,
    /// How often the fault's stage was passed.
    seen: u64,
    waited: Option<f64>,
    passed: Option<&'static Rule>,
}

/// What a fault does to the step that it meets.
enum Effect {
    /// The step succeeds, so much later.
    Late(f64),
    /// It fails, after this time where that is known.
    Fails(Stage, Failure, Option<f64>),
}

impl Walk<'_> {
    fn session(&mut self, starttls: Starttls) -> Result<(), Stopped> {
        self.pass(Stage::Connect)?;
        self.pass(Stage::Banner)?;
        let offered = self.hello()?;
        if starttls == Starttls::Opportunistic && offered == Starttls::Opportunistic {
            let before = self.passed.map(|rule| rule.then);
            self.pass(Stage::Starttls)?;
            let declined = before.is_none() && self.passed.is_some_and(|rule| rule.then == Step::GoOn);
            if !declined {
                self.hello()?;
            }
        }
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body, Stage::Eom, Stage::Quit] {
            self.pass(stage)?;
        }
        Ok(())
    }

    /// EHLO, and HELO where the class says it; whether STARTTLS is offered then.
    fn hello(&mut self) -> Result<Starttls, Stopped> {
        let hides = matches!(&self.fault.action.value, Action::Hide(word) if word.eq_ignore_ascii_case("STARTTLS"));
        let helo = self.class.facts().helo;
        match self.meets(Stage::Ehlo) {
            Some(Effect::Fails(Stage::Ehlo, failure, _)) if helo.follows(failure).is_some() => {
                self.pass(Stage::Ehlo)?;
                Ok(Starttls::Never)
            }
            Some(_) if hides => Ok(Starttls::Never),
            effect => self.take(effect).map(|()| Starttls::Opportunistic),
        }
    }

    fn pass(&mut self, stage: Stage) -> Result<(), Stopped> {
        let effect = self.meets(stage);
        self.take(effect)
    }

    /// The effect on this occurrence of a stage, if the fault fires.
    fn meets(&mut self, stage: Stage) -> Option<Effect> {
        if self.fault.at.value != stage {
            return None;
        }
        self.seen += 1;
        fires(&self.fault.when, self.seen).map(|_| self.effect())
    }

    fn take(&mut self, effect: Option<Effect>) -> Result<(), Stopped> {
        let (at, failure, time) = match effect {
            None => return Ok(()),
            Some(Effect::Late(time)) => {
                self.waited = self.waited.map(|waited| waited + time);
                return Ok(());
            }
            Some(Effect::Fails(at, failure, time)) => (at, failure, time),
        };
        let rule = self.class.rule(at, failure);
        if at != Stage::Quit {
            self.waited = self.waited.zip(time).map(|(waited, time)| waited + time);
        }
        if rule.then == Step::GoOn {
            self.passed = Some(rule);
            return Ok(());
        }
        Err(Stopped { at, rule })
    }

    fn effect(&self) -> Effect {
        let stage = self.fault.at.value;
        // A connection that was accepted fails its greeting; a body is read to its end first.
        let at = match stage {
            Stage::Connect => Stage::Banner,
            Stage::Body => Stage::Eom,
            other => other,
        };
        let now = |at: Stage, failure: Failure| Effect::Fails(at, failure, Some(0.0));
        match &self.fault.action.value {
            Action::Refuse => now(Stage::Connect, Failure::Refused),
            Action::DropSyn(_) => self.timeout(Stage::Connect, Failure::Timeout),
            Action::Silent(Some(time)) if self.outlasts(at, *time).is_none() => {
                Effect::Fails(at, Failure::Closed, Some(time.as_secs_f64()))
            }
            Action::Silent(_) => self.timeout(at, Failure::Timeout),
            Action::Close | Action::LoseReply => now(at, Failure::Closed),
            Action::Reset => now(at, Failure::Reset),
            Action::CloseAfter(_) => now(Stage::Body, Failure::Closed),
            Action::ResetAfter(_) => now(Stage::Body, Failure::Reset),
            Action::PrematureReply(reply) => now(Stage::Body, Failure::of(reply)),
            Action::Reply(reply) => match reply.severity() {
                Severity::Positive => answered(at),
                Severity::Intermediate => Effect::Late(0.0),
                Severity::Transient | Severity::Permanent => now(at, Failure::of(reply)),
            },
            Action::Delay(time) => self.late(at, *time),
            Action::Tarpit(rate) => self.trickle(at, Duration::from_secs_f64(REPLY / rate.0.max(1) as f64)),
            Action::Throttle { rate, stall } => {
                let sending = Duration::from_secs_f64(MESSAGE / rate.0.max(1) as f64);
                self.late(Stage::Eom, sending + stall.unwrap_or_default())
            }
            Action::Hide(_) | Action::Corrupt(Corruption::LongLine) => Effect::Late(0.0),
            Action::Corrupt(_) => now(at, Failure::Garbage),
            Action::Tls(fault) => self.tls(*fault),
        }
    }

    fn tls(&self, fault: TlsFault) -> Effect {
        let at = Stage::Starttls;
        match fault {
            TlsFault::Unavailable => Effect::Fails(at, Failure::Transient, Some(0.0)),
            TlsFault::Garbage | TlsFault::Close | TlsFault::OldVersion => {
                Effect::Fails(at, Failure::Handshake, Some(0.0))
            }
            TlsFault::Silent => self.timeout(at, Failure::HandshakeTimeout),
            // Opportunistic TLS takes any certificate.
            TlsFault::Expired
            | TlsFault::NotYetValid
            | TlsFault::SelfSigned
            | TlsFault::UnknownCa
            | TlsFault::WrongName => Effect::Late(0.0),
        }
    }

    /// The sender waits until its own timer runs out.
    fn timeout(&self, at: Stage, failure: Failure) -> Effect {
        Effect::Fails(at, failure, self.timer(at).map(|time| time.as_secs_f64()))
    }

    fn late(&self, at: Stage, time: Duration) -> Effect {
        match self.outlasts(at, time) {
            Some(_) => self.timeout(at, Failure::Timeout),
            None => Effect::Late(time.as_secs_f64()),
        }
    }

    /// A whole reply that takes `time`, a byte after the other.
    fn trickle(&self, at: Stage, time: Duration) -> Effect {
        match self.class.facts().timers.patience {
            // Each byte comes within a second.
            Patience::EachRead => Effect::Late(time.as_secs_f64()),
            Patience::WholeReply => self.late(at, time),
        }
    }

    /// The timer that `time` outlasts.
    fn outlasts(&self, at: Stage, time: Duration) -> Option<Duration> {
        let hangs = self.class.rule(at, Failure::Timeout).then == Step::Hang;
        let rfc = || SenderClass::Rfc5321.facts().timers.of(at).time();
        let timer = self.timer(at).or_else(|| rfc().filter(|_| !hangs));
        timer.filter(|timer| time >= *timer)
    }

    /// The class's own timer, or the scenario's; none for a class that hangs here.
    fn timer(&self, at: Stage) -> Option<Duration> {
        let own = self.class.facts().timers.of(at).time();
        let hangs = self.class.rule(at, Failure::Timeout).then == Step::Hang;
        match self.limits {
            Some(limits) if own.is_some() || !hangs => Some(limits.of_stage(at)),
            _ => own,
        }
    }
}

/// Whether a fault fires at its `seen`th occurrence; triggers that nobody can foresee are taken to
/// hold.
fn fires(when: &When, seen: u64) -> Option<u64> {
    let first = when.first.as_ref().is_none_or(|first| seen <= first.value);
    let nth = when.nth.as_ref().is_none_or(|nth| seen == nth.value);
    let every = when.every.as_ref().is_none_or(|every| every.value > 0 && seen.is_multiple_of(every.value));
    let drawn = when.chance.as_ref().is_none_or(|chance| chance.value > 0.0);
    (first && nth && every && drawn).then_some(seen)
}

/// A command was answered well in the host's stead, which never heard of it: what depends on it is
/// out of sequence for the host (503), or no go-ahead for the message.
fn answered(at: Stage) -> Effect {
    match at {
        Stage::Mail => Effect::Fails(Stage::Rcpt, Failure::Permanent, Some(0.0)),
        Stage::Rcpt => Effect::Fails(Stage::Data, Failure::Permanent, Some(0.0)),
        Stage::Data => Effect::Fails(Stage::Data, Failure::Garbage, Some(0.0)),
        _ => Effect::Late(0.0),
    }
}

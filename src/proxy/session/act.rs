//! What a fault does to the reply of its stage, and to the connection.

use tokio::time::Instant;

use super::secure::{GARBAGE, OLD_VERSION, READY, UNAVAILABLE};
use super::slot::{Asked, Decision, Held, Slot, Source, code_of};
use super::{End, Input, Need, Outs, Session, Silent};
use crate::mail::Stage;
use crate::proxy::action::{corrupted, tarpit_piece, without_capability};
use crate::proxy::termination::flaw;
use crate::scenario::fault::{Action, TlsFault};

/// Whether the proxy answers in the upstream's stead, be it with silence.
pub(super) fn is_answer(action: &Action) -> bool {
    match action {
        Action::Reply(_) | Action::Silent(_) | Action::Close | Action::Reset => true,
        Action::Tls(how) => flaw(*how).is_none(),
        _ => false,
    }
}

/// At `body`: behind how many bytes the fault strikes; none where it lets the body pass.
pub(super) fn threshold(action: &Action) -> Option<u64> {
    match action {
        Action::CloseAfter(bytes) | Action::ResetAfter(bytes) => Some(*bytes),
        Action::Silent(_) | Action::Close | Action::Reset | Action::PrematureReply(_) => Some(1),
        _ => None,
    }
}

/// The code behind which a server closes (RFC 5321 3.8 and 4.1.1.10).
fn says_goodbye(stage: Stage, code: u16) -> bool {
    code == 421 || (stage == Stage::Quit && code == 221)
}

/// Whether the reply asks for what only the upstream could go on with: a body, a response or a
/// TLS handshake. What the client then says must never reach the upstream as commands.
fn promises(stage: Stage, code: u16) -> bool {
    match stage {
        Stage::Data | Stage::Auth => (300..400).contains(&code),
        Stage::Starttls => (200..300).contains(&code),
        _ => false,
    }
}

impl Session {
    /// Answers in the upstream's stead, once all earlier commands are answered.
    pub(super) fn answer(&mut self, decision: Box<Decision>) {
        let (reply, last) = match decision.rule.action() {
            Action::Reply(reply) => {
                let (stage, code) = (decision.stage, reply.code);
                (reply.to_wire(), says_goodbye(stage, code) || promises(stage, code))
            }
            Action::PrematureReply(reply) => (reply.to_wire(), true),
            Action::Tls(TlsFault::Unavailable) => (UNAVAILABLE.to_vec(), false),
            Action::Tls(_) => (READY.to_vec(), true),
            _ => (vec![], true),
        };
        if last {
            self.leave_input();
        }
        self.pending.push_back(Slot { asked: Asked::Other, from: Source::Own(reply), fault: Some(decision) });
    }

    /// Nothing that the client says from here on counts.
    fn leave_input(&mut self) {
        if matches!(self.input, Input::Body(_) | Input::Chunk(_)) && self.need == Need::Wanted {
            self.farewell = Need::Abort;
        }
        self.input = Input::Ignored;
    }

    /// Gives the replies of our own whose turn it is.
    pub(super) fn advance(&mut self, to_client: &mut Vec<u8>) {
        while self.held.is_none() && self.end.is_none() {
            let Some(Slot { asked, from: Source::Own(reply), fault }) =
                self.pending.pop_front_if(|slot| matches!(slot.from, Source::Own(_)))
            else {
                return;
            };
            let code = code_of(&reply);
            self.deliver(asked, fault, reply, code, to_client);
        }
    }

    /// A reply is there, and its turn has come: it goes to the client, or meets its fault.
    pub(super) fn deliver(
        &mut self,
        asked: Asked,
        fault: Option<Box<Decision>>,
        reply: Vec<u8>,
        code: u16,
        to_client: &mut Vec<u8>,
    ) {
        let reply = if asked == Asked::Capabilities && code / 100 == 2 { self.edited(reply) } else { reply };
        let Some(decision) = fault else {
            to_client.extend_from_slice(&reply);
            return self.answered(asked, code);
        };
        let reply = match decision.rule.action() {
            // What was not offered cannot be hidden: the fault has no effect.
            Action::Hide(keyword) => match without_capability(&reply, keyword) {
                Some(less) => self.met(&decision, less),
                None => reply,
            },
            Action::Corrupt(how) => self.met(&decision, corrupted(&reply, *how)),
            Action::Delay(_) | Action::Tarpit(_) => return self.hold(&decision, asked, code, reply),
            // Without TLS there is no certificate.
            Action::Tls(how) if flaw(*how).is_some() && code / 100 != 2 => reply,
            _ => self.met(&decision, reply),
        };
        match decision.rule.action() {
            Action::Silent(_) => return self.fall_silent(&decision),
            Action::Close | Action::CloseAfter(_) | Action::LoseReply => return self.leave(End::Close),
            Action::Reset | Action::ResetAfter(_) => return self.leave(End::Reset),
            _ => to_client.extend_from_slice(&reply),
        }
        match decision.rule.action() {
            Action::PrematureReply(_) => self.leave(End::Close),
            Action::Reply(_) if says_goodbye(decision.stage, code) => self.leave(End::Close),
            Action::Reply(_) if promises(decision.stage, code) => self.fall_silent(&decision),
            Action::Tls(TlsFault::Silent) => self.fall_silent(&decision),
            Action::Tls(TlsFault::Garbage) => self.answer_hello(GARBAGE.to_vec()),
            Action::Tls(TlsFault::OldVersion) => self.answer_hello(OLD_VERSION.to_vec()),
            Action::Tls(TlsFault::Close) => self.answer_hello(vec![]),
            _ => self.answered(asked, code),
        }
    }

    /// Notes the firing and gives the reply back.
    fn met(&self, decision: &Decision, reply: Vec<u8>) -> Vec<u8> {
        self.note(decision);
        reply
    }

    pub(super) fn leave(&mut self, end: End) {
        self.leave_upstream();
        self.end = Some(end);
    }

    /// Nothing more is said to the upstream or heard from it.
    pub(super) fn leave_upstream(&mut self) {
        if self.need == Need::Wanted {
            self.need = self.farewell;
        }
    }

    fn fall_silent(&mut self, decision: &Decision) {
        self.leave_upstream();
        if !self.rules.hold(&decision.rule) {
            // Lifted while earlier commands were answered: the command is lost by now.
            self.end = Some(End::Close);
            return;
        }
        let time = match decision.rule.action() {
            Action::Silent(time) => *time,
            _ => None,
        };
        let until = time.map(|time| Instant::now() + time);
        self.silent = Some(Silent { rule: decision.rule.clone(), until });
    }

    fn hold(&mut self, decision: &Decision, asked: Asked, code: u16, bytes: Vec<u8>) {
        self.note(decision);
        let now = Instant::now();
        let next = match decision.rule.action() {
            Action::Delay(time) => now + *time,
            _ => now,
        };
        self.held = Some(Held { rule: decision.rule.clone(), asked, code, bytes, next });
    }

    /// When something is due without anybody saying anything.
    pub(in crate::proxy) fn deadline(&self) -> Option<Instant> {
        let held = self.held.as_ref().map(|held| held.next);
        let silent = self.silent.as_ref().and_then(|silent| silent.until);
        let pace = self.pace.as_ref().map(|pace| pace.next());
        [held, silent, pace].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(in crate::proxy) fn time_passed(&mut self, now: Instant, out: &mut Outs<'_>) {
        if self.silent.as_ref().and_then(|silent| silent.until).is_some_and(|until| until <= now) {
            self.end = Some(End::Close);
        }
        let Some(held) = &mut self.held else { return };
        if held.next > now {
            return;
        }
        if let Action::Tarpit(rate) = held.rule.action() {
            let (piece, pause) = tarpit_piece(*rate);
            if piece < held.bytes.len() {
                out.client.extend(held.bytes.drain(..piece));
                held.next = now + pause;
                return;
            }
        }
        self.let_go(out);
    }

    /// The held reply goes, and what waited behind it.
    pub(super) fn let_go(&mut self, out: &mut Outs<'_>) {
        let Some(held) = self.held.take() else { return };
        out.client.extend_from_slice(&held.bytes);
        self.answered(held.asked, held.code);
        self.advance(out.client);
        self.hear_late(out);
    }
}

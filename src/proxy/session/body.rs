//! Message bodies: behind DATA, and in chunks (RFC 3030).

use super::client::{OUT_OF_ORDER, Said, Step, Turn};
use super::cut::Cut;
use super::envelope::{Bytes, Chunks, Envelope, Plan, Standing};
use super::guard::Whole;
use super::slot::{Asked, Decision, Slot, Source};
use super::{Input, Session, act};
use crate::mail::Stage;
use crate::mail::command::Last;
use crate::mail::framing::BodyScanner;
use crate::proxy::action::Pace;
use crate::scenario::fault::Action;
use crate::terms::BarePlace;

const GO_AHEAD: &[u8] = b"354 end data with <CR><LF>.<CR><LF>\r\n";
const RSET: &[u8] = b"RSET\r\n";
/// The length of the final dot's line, which is no part of the body.
const FINAL_DOT: u64 = 3;

/// A BDAT command.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) size: u64,
    pub(super) last: Last,
    /// The length of its line with CRLF.
    pub(super) taken: usize,
}

/// A chunk of which bytes are still to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    left: u64,
    last: Last,
    bytes: Bytes,
}

impl Session {
    /// DATA, where faults are in force.
    pub(super) fn weigh_data(&mut self, line: Said<'_>, turn: &mut Turn<'_>) -> Step {
        if self.envelope.standing == Standing::Refused {
            self.out_of_order(line, turn);
            return Step::On;
        }
        if self.must_wait() {
            return Step::Wait;
        }
        let fault = self.decide(Stage::Data, None, line.text);
        if fault.as_ref().is_some_and(|decision| act::is_answer(decision.rule.action())) {
            self.meets(Asked::Data, fault, line, turn);
            return Step::On;
        }
        self.plan_body(line.text);
        self.plan_eom(line.text);
        if self.envelope.plan.bytes == Bytes::Upstream {
            self.goes_up(Asked::Data, fault, &mut turn.cut, line.taken);
            return Step::On;
        }
        // The upstream must not learn of the body, or it would wait for its end.
        turn.cut.skip(line.taken);
        self.input = Input::Unknown;
        self.pending.push_back(Slot { asked: Asked::Data, from: Source::Own(GO_AHEAD.to_vec()), fault });
        self.advance(turn.to_client);
        Step::On
    }

    /// Whether what becomes of the body can be settled only when earlier commands are answered:
    /// where no recipient was taken, the upstream is to say so itself.
    pub(super) fn must_wait(&self) -> bool {
        self.rules.at_any(&[Stage::Body, Stage::Eom]) && !self.pending.is_empty()
    }

    fn plan_body(&mut self, line: &[u8]) {
        self.envelope.plan = Plan::default();
        if self.envelope.accepted == 0 {
            return;
        }
        match self.decide(Stage::Body, None, line) {
            // The whole body is read before it is answered, as at its end.
            Some(decision) if matches!(decision.rule.action(), Action::Reply(_)) => {
                self.envelope.plan.eom = Some(decision)
            }
            fault => self.envelope.plan.body = fault,
        }
    }

    fn plan_eom(&mut self, line: &[u8]) {
        if self.envelope.plan.eom.is_some() {
            self.envelope.plan.bytes = Bytes::Nowhere;
            return;
        }
        let cut_short = self.envelope.plan.body.as_ref().is_some_and(|it| act::threshold(it.rule.action()).is_some());
        if self.envelope.accepted == 0 || cut_short {
            return;
        }
        let fault = self.decide(Stage::Eom, None, line);
        if fault.as_ref().is_some_and(|decision| act::is_answer(decision.rule.action())) {
            self.envelope.plan.bytes = Bytes::Nowhere;
        }
        self.envelope.plan.eom = fault;
    }

    /// The upstream, or we, said 354.
    pub(super) fn body_begins(&mut self) {
        self.input = Input::Body(BodyScanner::default());
        self.set_pace();
    }

    fn set_pace(&mut self) {
        let Some(decision) = &self.envelope.plan.body else { return };
        if let Action::Throttle { rate, stall } = decision.rule.action() {
            self.pace = Some(Pace::new(*rate, *stall));
            self.note(decision);
        }
    }

    /// Bytes behind DATA.
    pub(super) fn body(&mut self, turn: &mut Turn<'_>) -> Step {
        let Input::Body(scanner) = &mut self.input else { return Step::On };
        let (rest, before) = (turn.cut.rest(), scanner.bytes());
        let end = scanner.scan(rest);
        let bare = scanner.bare();
        let count = end.unwrap_or(rest.len());
        if bare.total() > 0 && self.refuses_smuggling() {
            let Input::Body(scanner) = std::mem::replace(&mut self.input, Input::Ignored) else { return Step::On };
            self.spoils_body(scanner, count, if end.is_some() { Whole::Yes } else { Whole::No }, turn);
            return Step::On;
        }
        let content = before + count as u64 - if end.is_some() { FINAL_DOT } else { 0 };
        if let Some(allowed) = self.cut_at(before, content) {
            return self.strike(allowed, turn);
        }
        self.move_body(self.envelope.plan.bytes, count, &mut turn.cut);
        if end.is_some() {
            self.input = Input::Command;
            if bare.total() > 0 {
                self.note_bare(bare, BarePlace::Body);
            }
            self.body_ended(turn);
        }
        Step::On
    }

    fn move_body(&mut self, bytes: Bytes, count: usize, cut: &mut Cut<'_>) {
        match bytes {
            Bytes::Upstream => cut.pass(count),
            Bytes::Nowhere => cut.skip(count),
        }
        if let Some(pace) = &mut self.pace {
            pace.took(count);
        }
    }

    /// How many more bytes go upstream before a fault at `body` strikes, if it does so in what
    /// was received: `before` bytes of the body went before, `content` are there now.
    fn cut_at(&self, before: u64, content: u64) -> Option<usize> {
        let decision = self.envelope.plan.body.as_ref()?;
        let threshold = act::threshold(decision.rule.action())?;
        (content >= threshold).then(|| usize::try_from(threshold.saturating_sub(before)).unwrap_or(usize::MAX))
    }

    /// A fault at `body` takes effect behind the next `allowed` bytes.
    fn strike(&mut self, allowed: usize, turn: &mut Turn<'_>) -> Step {
        let Some(decision) = self.envelope.plan.body.take() else { return Step::On };
        turn.cut.pass(allowed);
        self.answer(decision);
        self.advance(turn.to_client);
        Step::On
    }

    /// The final dot of a body was read.
    fn body_ended(&mut self, turn: &mut Turn<'_>) {
        let plan = self.end_envelope();
        match plan.eom {
            Some(decision) if plan.bytes == Bytes::Nowhere => self.answer_for_all(decision, turn),
            fault => self.pending.push_back(Slot { asked: Asked::Other, from: Source::Upstream, fault }),
        }
    }

    /// The client takes the transaction for done, whoever has answered it.
    pub(super) fn end_envelope(&mut self) -> Plan {
        self.pace = None;
        self.shared.commands.count(Stage::Eom);
        // Its tag stays: QUIT is the probe's as well.
        let ended = std::mem::take(&mut self.envelope);
        self.envelope.tag = ended.tag;
        ended.plan
    }

    /// We answer a message that the upstream has only the envelope of.
    fn answer_for_all(&mut self, decision: Box<Decision>, turn: &mut Turn<'_>) {
        self.answer(decision);
        if !matches!(self.input, Input::Ignored) {
            // The end of the data clears the transaction (RFC 5321 4.1.1.4): so must we there.
            turn.cut.sink().extend_from_slice(RSET);
            self.pending.push_back(Slot { asked: Asked::Other, from: Source::Unseen, fault: None });
        }
        self.advance(turn.to_client);
    }

    /// BDAT, where faults are in force.
    pub(super) fn weigh_chunk(&mut self, head: Head, line: Said<'_>, turn: &mut Turn<'_>) -> Step {
        if self.envelope.standing == Standing::Refused {
            self.chunk_refused(head, &mut turn.cut);
            self.says(OUT_OF_ORDER);
            self.advance(turn.to_client);
            return Step::On;
        }
        if self.must_wait() {
            return Step::Wait;
        }
        if self.envelope.chunks == Chunks::None
            && let Some(fault) = self.first_chunk(line.text)
        {
            self.chunk_met(fault, head, turn);
            return Step::On;
        }
        if head.last == Last::Yes {
            self.plan_eom(line.text);
        }
        match self.envelope.plan.bytes {
            Bytes::Upstream => self.chunk_passes(head, None, &mut turn.cut),
            Bytes::Nowhere => {
                turn.cut.skip(head.taken);
                self.chunk_begins(Chunk { left: head.size, last: head.last, bytes: Bytes::Nowhere }, turn);
            }
        }
        Step::On
    }

    /// The first BDAT of a message is its stage `data`.
    fn first_chunk(&mut self, line: &[u8]) -> Option<Box<Decision>> {
        self.envelope.chunks = Chunks::Begun;
        let fault = self.decide(Stage::Data, None, line);
        if fault.is_none() {
            self.plan_body(line);
            self.set_pace();
        }
        fault
    }

    /// A fault at `data` meets a chunk: it is answered by us, or its reply is met.
    fn chunk_met(&mut self, fault: Box<Decision>, head: Head, turn: &mut Turn<'_>) {
        if !act::is_answer(fault.rule.action()) {
            self.chunk_passes(head, Some(fault), &mut turn.cut);
            return;
        }
        self.chunk_refused(head, &mut turn.cut);
        self.envelope.standing = Standing::Refused;
        match head.last {
            Last::Yes => {
                self.end_envelope();
                self.answer_for_all(fault, turn);
            }
            Last::No => {
                self.answer(fault);
                self.advance(turn.to_client);
            }
        }
    }

    /// A chunk of which the upstream hears nothing. Its bytes follow all the same (RFC 3030 2).
    fn chunk_refused(&mut self, head: Head, cut: &mut Cut<'_>) {
        cut.skip(head.taken);
        if head.size > 0 {
            self.input = Input::Chunk(Chunk { left: head.size, last: Last::No, bytes: Bytes::Nowhere });
        }
    }

    /// A chunk goes upstream. Its reply is due before the next command is read, since BDAT is
    /// answered behind its bytes.
    pub(super) fn chunk_passes(&mut self, head: Head, fault: Option<Box<Decision>>, cut: &mut Cut<'_>) {
        cut.pass(head.taken);
        let Head { size, last, .. } = head;
        let fault = match last {
            Last::No => fault,
            Last::Yes => fault.or_else(|| self.envelope.plan.eom.take()),
        };
        self.pending.push_back(Slot { asked: Asked::Other, from: Source::Upstream, fault });
        self.input = Input::Chunk(Chunk { left: size, last, bytes: Bytes::Upstream });
        self.chunk_is_over();
    }

    fn chunk_begins(&mut self, chunk: Chunk, turn: &mut Turn<'_>) {
        self.input = Input::Chunk(chunk);
        if chunk.left == 0 {
            self.chunk_ended(chunk, turn);
        }
    }

    /// Bytes behind BDAT.
    pub(super) fn chunk(&mut self, turn: &mut Turn<'_>) -> Step {
        let Input::Chunk(chunk) = &mut self.input else { return Step::On };
        let count = usize::try_from(chunk.left).unwrap_or(usize::MAX).min(turn.cut.rest().len());
        let before = self.envelope.bytes;
        chunk.left -= count as u64;
        let chunk = *chunk;
        if chunk.bytes == Bytes::Upstream
            && let Some(allowed) = self.cut_at(before, before + count as u64)
        {
            // Its reply is never going to come.
            self.pending.pop_back();
            return self.strike(allowed, turn);
        }
        self.envelope.bytes += count as u64;
        self.move_body(chunk.bytes, count, &mut turn.cut);
        if chunk.left == 0 {
            self.chunk_ended(chunk, turn);
        }
        Step::On
    }

    fn chunk_ended(&mut self, chunk: Chunk, turn: &mut Turn<'_>) {
        self.input = Input::Command;
        if chunk.last == Last::No {
            return;
        }
        let plan = self.end_envelope();
        if let (Bytes::Nowhere, Some(decision)) = (chunk.bytes, plan.eom) {
            self.answer_for_all(decision, turn);
        }
    }

    /// A chunk of no bytes ends with its command.
    fn chunk_is_over(&mut self) {
        if let Input::Chunk(Chunk { left: 0, last, .. }) = self.input {
            self.input = Input::Command;
            if last == Last::Yes {
                self.end_envelope();
            }
        }
    }
}

impl Envelope {
    /// How many recipients the upstream has taken, with this reply.
    pub(super) fn took(&mut self, code: u16) {
        if code / 100 == 2 {
            self.accepted += 1;
        }
    }
}

//! What the upstream says: replies, and what each one means for the session.

use super::cut::Cut;
use super::envelope::Bytes;
use super::secure::Securing;
use super::slot::{Asked, Source};
use super::{Input, Outs, Session};
use crate::mail::Stage;
use crate::mail::reply::MAX_REPLY;

impl Session {
    /// Takes bytes of the upstream. The first so many of them go to the client as they are,
    /// before what was put into `out`.
    pub(in crate::proxy) fn upstream_says(&mut self, chunk: &[u8], out: &mut Outs<'_>) -> usize {
        self.refresh(out);
        if !self.late.is_empty() {
            self.late.extend_from_slice(chunk);
            self.hear_late(out);
            return 0;
        }
        let mut cut = Cut::of_chunk(chunk, out.client);
        self.hear(&mut cut);
        self.late.extend_from_slice(cut.rest());
        let direct = cut.finish();
        // A reply may have said how to read what the client sent behind its command.
        self.resume(out);
        direct
    }

    /// Hears what came behind a reply that was held.
    pub(super) fn hear_late(&mut self, out: &mut Outs<'_>) {
        let late = std::mem::take(&mut self.late);
        let mut cut = Cut::of_backlog(&late, 0, out.client);
        self.hear(&mut cut);
        self.late = cut.rest().to_vec();
        cut.finish();
        self.resume(out);
    }

    fn hear(&mut self, cut: &mut Cut<'_>) {
        while !cut.rest().is_empty() && self.held.is_none() && self.end.is_none() && self.securing.is_none() {
            if matches!(self.input, Input::Blind) {
                return cut.pass(cut.rest().len());
            }
            let whole = self.pending.front().is_some_and(|slot| !slot.passes());
            match self.replies.scan(cut.rest()) {
                None if whole => self.collect(cut),
                None => cut.pass(cut.rest().len()),
                Some(ended) if whole => {
                    self.collected.extend_from_slice(&cut.rest()[..ended.taken]);
                    cut.skip(ended.taken);
                    self.reply_is_whole(ended.code, cut);
                }
                Some(ended) => {
                    cut.pass(ended.taken);
                    self.reply_passes(ended.code);
                }
            }
            if matches!(self.pending.front().map(|slot| &slot.from), Some(Source::Own(_))) {
                self.advance(cut.sink());
            }
        }
    }

    /// Keeps a part of a reply that a fault wants as a whole; one that is too long passes.
    fn collect(&mut self, cut: &mut Cut<'_>) {
        self.collected.extend_from_slice(cut.rest());
        cut.skip(cut.rest().len());
        if self.collected.len() > MAX_REPLY
            && let Some(slot) = self.pending.front_mut()
            && matches!(slot.from, Source::Upstream)
        {
            if slot.asked == Asked::Capabilities {
                // What is offered there cannot be told.
                self.end = Some(super::End::Close);
                return;
            }
            slot.let_pass();
            cut.sink().append(&mut self.collected);
        }
    }

    fn reply_is_whole(&mut self, code: u16, cut: &mut Cut<'_>) {
        let reply = std::mem::take(&mut self.collected);
        let Some(mut slot) = self.pending.pop_front() else { return };
        if matches!(slot.from, Source::Unseen) {
            return;
        }
        if matches!(slot.asked, Asked::Secure(_)) && !cut.rest().is_empty() {
            // Not to be taken for something said inside (RFC 3207 5): the client is to see it.
            slot.let_pass();
        }
        match slot.asked {
            Asked::Secure(_) => self.go_ahead(slot.asked, slot.fault, (reply, code), cut.sink()),
            asked => self.deliver(asked, slot.fault, reply, code, cut.sink()),
        }
    }

    fn reply_passes(&mut self, code: u16) {
        match self.pending.pop_front() {
            Some(slot) => self.answered(slot.asked, code),
            None => self.unasked(code),
        }
    }

    /// What a reply means for what follows.
    pub(super) fn answered(&mut self, asked: Asked, code: u16) {
        match (asked, code) {
            (Asked::Data, 300..400) => self.body_begins(),
            (Asked::Auth, 300..400) => self.input = Input::AuthLine,
            (Asked::StartTls, 200..300) => self.goes_dark(),
            (Asked::Goodbye, _) => self.leave(super::End::Close),
            (Asked::Secure(flaw), 200..300) => self.securing = Some(Securing::Client(flaw)),
            (Asked::Data | Asked::Auth | Asked::StartTls | Asked::Secure(_), _) => {
                self.envelope.plan.bytes = Bytes::Upstream;
                self.reads_commands();
            }
            (Asked::Rcpt, _) => self.envelope.took(code),
            _ => {}
        }
    }

    fn reads_commands(&mut self) {
        if matches!(self.input, Input::Unknown) {
            self.input = Input::Command;
        }
    }

    /// Behind STARTTLS nothing can be seen.
    fn goes_dark(&mut self) {
        self.loses_sight();
        if let Some(text) = self.rules.tell_of_tls(&self.facts(Stage::Starttls, None)) {
            self.shared.warn(&text);
        }
    }

    /// A reply to nothing. A 421 says goodbye (RFC 5321 3.8), and other refusals may come early;
    /// but where something is accepted, the upstream has read the client differently than we.
    fn unasked(&mut self, code: u16) {
        if code >= 400 || !matches!(self.input, Input::Command | Input::Body(_) | Input::Chunk(_) | Input::Unknown) {
            return;
        }
        let place = if matches!(self.input, Input::Body(_)) { "no body had ended" } else { "nothing was asked" };
        self.shared.warn(&format!(
            "the upstream answered {code} where {place}: it ended a line or a body at something else than CRLF; no \
             fault can fire on this connection any more"
        ));
        self.loses_sight();
    }
}

//! The messages.

use super::End;
use super::commands::takes;
use super::policy::{Answer, Message, Policy};
use super::session::{Expects, Fate, Next, Session, Turn};
use crate::mail::command::Last;
use crate::mail::framing::{BodyScanner, unstuff};
use crate::smtp::input::Input;

pub(super) const TOO_BIG: &[u8] = b"552 5.3.4 the message is too big\r\n";

impl<P: Policy> Session<'_, P> {
    /// A message begins.
    pub(super) fn begin(&mut self) {
        self.body.clear();
        self.size = 0;
        self.scanner = BodyScanner::default();
    }

    /// Takes what there is of a body behind DATA.
    pub(super) async fn take_body(&mut self, input: &mut Input) -> Next {
        let rest = input.rest();
        let Some(end) = self.scanner.scan(rest) else {
            self.keep(rest);
            input.advance(rest.len());
            return self.patience();
        };
        // A body that came whole is taken straight from the buffer.
        let bytes = if self.body.is_empty() && end as u64 <= self.settings.size {
            self.size = end as u64;
            unstuff(&rest[..end])
        } else {
            self.keep(&rest[..end]);
            unstuff(&std::mem::take(&mut self.body))
        };
        input.advance(end);
        self.expects = Expects::Command;
        self.complete(bytes).await
    }

    /// Takes what there is of a BDAT chunk.
    pub(super) async fn take_chunk(&mut self, input: &mut Input, left: u64, last: Last, fate: Fate) -> Next {
        let rest = input.rest();
        let here = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
        match fate {
            Fate::Kept => self.keep(&rest[..here]),
            Fate::Dropped => self.size = self.size.saturating_add(here as u64),
        }
        input.advance(here);
        let left = left - here as u64;
        if left > 0 {
            self.expects = Expects::Chunk { left, last, fate };
            return self.patience();
        }
        self.expects = Expects::Command;
        match (fate, last) {
            (Fate::Dropped, _) => self.object(b"503 5.5.1 out of order\r\n"),
            (Fate::Kept, Last::No) if self.size > self.settings.size => self.say_go(TOO_BIG),
            (Fate::Kept, Last::No) => self.say_go(b"250 2.0.0 Ok\r\n"),
            (Fate::Kept, Last::Yes) => {
                let bytes = std::mem::take(&mut self.body);
                self.complete(bytes).await
            }
        }
    }

    /// Keeps a piece of the message, as long as it is not too big.
    fn keep(&mut self, piece: &[u8]) {
        self.size = self.size.saturating_add(piece.len() as u64);
        if self.size <= self.settings.size {
            self.body.extend_from_slice(piece);
        } else {
            self.body = vec![];
        }
    }

    /// A message that is too big is read to its end before it is refused, but not for ever.
    fn patience(&mut self) -> Next {
        if self.size <= self.settings.size.saturating_mul(2) {
            return Next::Read;
        }
        self.say(TOO_BIG);
        Next::End(End::Dropped)
    }

    async fn complete(&mut self, bytes: Vec<u8>) -> Next {
        let bare = self.scanner.bare().total();
        self.tally.bare += bare;
        let answer = if self.size > self.settings.size {
            Answer::Say(crate::mail::Reply::new(552, "5.3.4 the message is too big"))
        } else {
            self.policy.message(&self.envelope, Message { bytes, bare }).await
        };
        self.tally.messages += u64::from(takes(&answer));
        self.turn = Turn::Mail;
        self.reset();
        self.answer(answer, b"250 2.0.0 Ok\r\n")
    }
}

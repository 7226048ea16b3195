//! What must not come past the proxy whatever is in force: CR and LF alone where they are refused,
//! and XCLIENT of a client where the proxy itself speaks for clients.
//!
//! ```text
//!   line, body ── CR or LF alone ──> smuggling: pass ──> counted, goes on
//!                                    smuggling: refuse ──> 521, the host is reset and keeps nothing
//!   EHLO answer ── XCLIENT, XFORWARD ──> left out     XCLIENT of a client ──> 550
//! ```
//!
//! A host that trusts the proxy takes XCLIENT from whoever reaches it through the proxy. So where the
//! proxy vouches for clients, every line is read, and nothing ever passes unread.

use super::client::{Said, Step, Turn};
use super::cut::Cut;
use super::secure::UNAVAILABLE;
use super::slot::{Asked, Slot, Source};
use super::{End, Input, Need, Session};
use crate::mail::Command;
use crate::mail::framing::{Bare, BodyScanner};
use crate::proxy::action::without_capability;
use crate::proxy::announce::Introduction;
use crate::record::{BareLineEnds, Event};
use crate::terms::{BarePlace, Smuggling};

/// As a host that authorises nobody.
const NOT_AUTHORISED: &[u8] = b"550 5.7.0 insufficient authorization\r\n";
const TOO_LONG: &[u8] = b"500 5.5.2 line too long\r\n";
const NO_CHUNKS: &[u8] = b"503 5.5.1 CHUNKING was not offered\r\n";

/// Whether a host takes BDAT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chunking {
    #[default]
    Absent,
    Offered,
}

/// What is wrong with a line that must not reach the host.
enum Wrong {
    Bare(Bare),
    TooLong,
    Chunk,
}

impl Session {
    /// Whether CR and LF alone are refused.
    pub(super) fn refuses_smuggling(&self) -> bool {
        self.shared.smuggling == Smuggling::Refuse
    }

    /// Whether the proxy tells the host by XCLIENT who its client is, so that nobody else may.
    pub(super) fn vouches(&self) -> bool {
        self.connection.introduced == Introduction::Xclient
    }

    /// Whether no byte of a command goes on before its line is whole and was read.
    pub(super) fn reads_every_line(&self) -> bool {
        self.refuses_smuggling() || self.vouches()
    }

    /// What the reply to this command means here.
    pub(super) fn asked(&self, command: &Command<'_>) -> Asked {
        match command {
            Command::Ehlo(_) if self.vouches() => Asked::Capabilities,
            command => Asked::by(command),
        }
    }

    /// A line without its end: it is waited for, unless what is there is refused already.
    pub(super) fn unfinished(&mut self, turn: &mut Turn<'_>) -> Step {
        let bare = Bare::in_unfinished(turn.cut.rest());
        if self.refuses_smuggling() && bare.total() > 0 {
            return self.turn_away(&Wrong::Bare(bare), turn);
        }
        Step::Wait
    }

    /// A line that is longer than is read: it goes on unread, where nothing else is said.
    pub(super) fn longer(&mut self, turn: &mut Turn<'_>) -> Step {
        if self.reads_every_line() {
            return self.turn_away(&Wrong::TooLong, turn);
        }
        self.too_long(&mut turn.cut)
    }

    /// Counts what stands alone in a line; refuses the line where that is wanted.
    pub(super) fn inspects(&mut self, line: &[u8], turn: &mut Turn<'_>) -> Option<Step> {
        let bare = Bare::in_line(line);
        if bare.total() == 0 {
            return None;
        }
        if self.refuses_smuggling() {
            return Some(self.turn_away(&Wrong::Bare(bare), turn));
        }
        self.bare += bare;
        None
    }

    /// What a client may not say where the proxy speaks for it.
    pub(super) fn forbids(&mut self, command: &Command<'_>, line: Said<'_>, turn: &mut Turn<'_>) -> Option<Step> {
        if !self.vouches() {
            return None;
        }
        let reply = match command {
            Command::Other if speaks_for_others(line.text) => NOT_AUTHORISED,
            // Behind TLS that passes the host would take XCLIENT from the client.
            Command::StartTls if !self.shared.tls.as_ref().is_some_and(|tls| tls.sees_inside()) => UNAVAILABLE,
            // A host without CHUNKING takes the bytes of a chunk for commands.
            Command::Bdat { .. } if self.chunking == Chunking::Absent => {
                return Some(self.turn_away(&Wrong::Chunk, turn));
            }
            _ => return None,
        };
        turn.cut.skip(line.taken);
        self.says(reply);
        self.advance(turn.to_client);
        Some(Step::On)
    }

    /// The host hears nothing of this line or of what follows; the client is told and left.
    fn turn_away(&mut self, wrong: &Wrong, turn: &mut Turn<'_>) -> Step {
        turn.cut.skip(turn.cut.rest().len());
        let reply = match wrong {
            Wrong::Bare(bare) => {
                self.note_bare(*bare, BarePlace::Command);
                refusal(*bare)
            }
            Wrong::TooLong => TOO_LONG.to_vec(),
            Wrong::Chunk => NO_CHUNKS.to_vec(),
        };
        self.input = Input::Ignored;
        self.says_last(reply);
        self.advance(turn.to_client);
        Step::On
    }

    /// A reply of our own behind which the client is left.
    fn says_last(&mut self, reply: Vec<u8>) {
        self.pending.push_back(Slot { asked: Asked::Goodbye, from: Source::Own(reply), fault: None });
    }

    /// A CR or LF stood alone in a body: the host must not have it as a message. Its client sends on,
    /// and is answered at the end, as servers do that refuse it.
    pub(super) fn spoils_body(&mut self, scanner: BodyScanner, taken: usize, whole: Whole, turn: &mut Turn<'_>) {
        turn.cut.skip(taken);
        if self.need == Need::Wanted {
            self.need = match self.envelope.plan.bytes {
                super::envelope::Bytes::Upstream => Need::Abort,
                super::envelope::Bytes::Nowhere => Need::Done,
            };
        }
        self.input = Input::Spoilt(scanner);
        if whole == Whole::Yes {
            self.spoilt_ended(turn);
        }
    }

    /// The rest of a body that is refused.
    pub(super) fn spoilt(&mut self, turn: &mut Turn<'_>) -> Step {
        let Input::Spoilt(scanner) = &mut self.input else { return Step::On };
        let rest = turn.cut.rest();
        let end = scanner.scan(rest);
        turn.cut.skip(end.unwrap_or(rest.len()));
        if end.is_some() {
            self.spoilt_ended(turn);
        }
        Step::On
    }

    fn spoilt_ended(&mut self, turn: &mut Turn<'_>) {
        let Input::Spoilt(scanner) = &self.input else { return };
        let bare = scanner.bare();
        self.note_bare(bare, BarePlace::Body);
        self.end_envelope();
        self.input = Input::Ignored;
        self.says_last(refusal(bare));
        self.advance(turn.to_client);
    }

    /// Notes CR and LF that stood alone.
    pub(super) fn note_bare(&self, bare: Bare, place: BarePlace) {
        self.shared.smuggled.count(self.shared.smuggling);
        self.shared.journal.note(Event::BareLineEnds(BareLineEnds {
            host: self.shared.host.to_string(),
            tag: self.envelope.tag.clone().or_else(|| self.connection.caller.clone()),
            connection: self.connection.number,
            client: Some(self.connection.peer.to_string()),
            place,
            cr: bare.cr,
            lf: bare.lf,
            smuggling: self.shared.smuggling,
        }));
    }

    /// The connection is over: notes what is still to be noted.
    pub(in crate::proxy) fn over(&self) {
        if self.bare.total() > 0 {
            self.note_bare(self.bare, BarePlace::Command);
        }
        if let Input::Body(scanner) | Input::Spoilt(scanner) = &self.input
            && scanner.bare().total() > 0
        {
            self.note_bare(scanner.bare(), BarePlace::Body);
        }
    }

    /// The EHLO answer as the client is to see it.
    pub(super) fn edited(&mut self, reply: Vec<u8>) -> Vec<u8> {
        let offers = |keyword| without_capability(&reply, keyword).is_some();
        self.chunking = if offers("CHUNKING") { Chunking::Offered } else { Chunking::Absent };
        let sees_inside = self.shared.tls.as_ref().is_some_and(|tls| tls.sees_inside());
        let hidden = ["XCLIENT", "XFORWARD"].into_iter().chain((!sees_inside).then_some("STARTTLS"));
        hidden.fold(reply, |reply, keyword| without_capability(&reply, keyword).unwrap_or(reply))
    }

    /// The session cannot be followed any more, and goes on unread; where the proxy vouches for its
    /// client it ends instead.
    pub(super) fn loses_sight(&mut self) {
        if self.vouches() {
            self.end = Some(End::Close);
        } else {
            self.input = Input::Blind;
        }
    }

    /// Drops the start of a line that will never be whole, where no line may pass unread.
    pub(super) fn drops_rest(&self, cut: &mut Cut<'_>) {
        cut.skip(cut.rest().len());
    }
}

/// Whether the end of a body was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    No,
}

/// XCLIENT and XFORWARD say whose mail it is.
fn speaks_for_others(line: &[u8]) -> bool {
    let verb = line.split(|byte| byte.is_ascii_whitespace()).find(|word| !word.is_empty()).unwrap_or_default();
    verb.eq_ignore_ascii_case(b"XCLIENT") || verb.eq_ignore_ascii_case(b"XFORWARD")
}

/// As Postfix words it.
fn refusal(bare: Bare) -> Vec<u8> {
    let what = if bare.lf > 0 { "<LF>" } else { "<CR>" };
    format!("521 5.5.2 bare {what} received\r\n").into_bytes()
}

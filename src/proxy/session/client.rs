//! What the client says: commands, and which of them a fault meets.

use memchr::memchr;

use super::body::Head;
use super::cut::Cut;
use super::envelope::{Envelope, Standing};
use super::slot::{Asked, Decision, Slot, Source};
use super::{Heard, Input, LastByte, Outs, Session, act};
use crate::mail::framing::{Line, LineScanner, MAX_COMMAND};
use crate::mail::{Command, Stage};

/// RFC 5321 4.2.4: what follows a refused MAIL is out of order.
pub(super) const OUT_OF_ORDER: &[u8] = b"503 5.5.1 bad sequence of commands\r\n";
const BYE: &[u8] = b"221 2.0.0 bye\r\n";

/// Whether there is more to be read in what was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    On,
    /// Not before more is received, or a reply came.
    Wait,
}

/// A walk over what the client said, and where replies of our own go.
pub(super) struct Turn<'a> {
    pub(super) cut: Cut<'a>,
    pub(super) to_client: &'a mut Vec<u8>,
}

/// A command line without its CRLF, and how many bytes it took with it.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) text: &'a [u8],
    pub(super) taken: usize,
}

impl Session {
    /// Takes bytes of the client. The first so many of them go upstream as they are, before what
    /// was put into `out`.
    pub(in crate::proxy) fn client_says(&mut self, chunk: &[u8], out: &mut Outs<'_>) -> usize {
        self.refresh(out);
        if matches!(self.input, Input::Blind) && self.backlog.is_empty() {
            return chunk.len();
        }
        if !self.backlog.is_empty() {
            self.backlog.extend_from_slice(chunk);
            self.resume(out);
            return 0;
        }
        let mut turn = Turn { cut: Cut::of_chunk(chunk, out.upstream), to_client: out.client };
        self.consume(&mut turn);
        self.keep(turn.cut)
    }

    /// Reads on in what was kept back.
    pub(super) fn resume(&mut self, out: &mut Outs<'_>) {
        if self.backlog.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.backlog);
        let cut = Cut::of_backlog(&bytes, std::mem::take(&mut self.sent), out.upstream);
        let mut turn = Turn { cut, to_client: out.client };
        self.consume(&mut turn);
        self.keep(turn.cut);
    }

    /// The client has said its last: a line that is not whole by now goes upstream as it is.
    pub(in crate::proxy) fn client_ended(&mut self, out: &mut Outs<'_>) {
        self.heard = Heard::Whole;
        self.resume(out);
    }

    /// Whether what cannot be read goes upstream all the same, since no fault can meet it.
    fn is_open(&self) -> bool {
        if self.reads_every_line() && !matches!(self.input, Input::Blind) {
            return false;
        }
        let waits = matches!(self.input, Input::Unknown) || self.must_wait();
        !self.rules.any() || (self.heard == Heard::Whole && !waits)
    }

    /// Whether what is left over is a line that its client will not end, and that may not pass unread.
    fn never_whole(&self) -> bool {
        let waits = matches!(self.input, Input::Unknown) || self.must_wait() || self.held.is_some();
        self.heard == Heard::Whole && !waits && self.reads_every_line()
    }

    /// Keeps what cannot be read yet.
    fn keep(&mut self, mut cut: Cut<'_>) -> usize {
        let rest = cut.rest();
        self.sent = cut.sent();
        if !rest.is_empty() && self.never_whole() {
            self.drops_rest(&mut cut);
        } else if !rest.is_empty() {
            self.backlog = rest.to_vec();
            if self.is_open() {
                cut.pass(rest.len());
                self.sent = rest.len();
            }
        }
        cut.finish()
    }

    fn consume(&mut self, turn: &mut Turn<'_>) {
        while !turn.cut.rest().is_empty() && self.end.is_none() && self.held.is_none() {
            let step = match &mut self.input {
                Input::Command => self.command(turn),
                Input::Refused => self.refused(turn),
                Input::Body(_) => self.body(turn),
                Input::Spoilt(_) => self.spoilt(turn),
                Input::Chunk(_) => self.chunk(turn),
                Input::AuthLine => self.auth_line(turn),
                Input::Overlong(_) => self.overlong(&mut turn.cut),
                Input::Unknown => Step::Wait,
                Input::Hello(_) => self.hello(turn),
                Input::Ignored => ignored(&mut turn.cut),
                Input::Blind => {
                    turn.cut.pass(turn.cut.rest().len());
                    Step::On
                }
            };
            if step == Step::Wait {
                break;
            }
        }
    }

    fn command(&mut self, turn: &mut Turn<'_>) -> Step {
        let line = match LineScanner::next(turn.cut.rest()) {
            Line::Incomplete => return self.unfinished(turn),
            Line::TooLong => return self.longer(turn),
            Line::Complete { text, taken } => Said { text, taken },
        };
        if let Some(step) = self.inspects(line.text, turn) {
            return step;
        }
        let command = Command::parse(line.text);
        if let Some(step) = self.forbids(&command, line, turn) {
            return step;
        }
        // A line of which a part went upstream before a fault was raised goes there as a whole.
        let step = if !(self.rules.any() || self.vouches()) || turn.cut.sent() > 0 {
            self.passes(&command, line, &mut turn.cut);
            Step::On
        } else {
            self.weigh(&command, line, turn)
        };
        if step == Step::On {
            self.count(&command);
        }
        step
    }

    /// A command that no fault meets.
    fn passes(&mut self, command: &Command<'_>, line: Said<'_>, cut: &mut Cut<'_>) {
        match command {
            // Whose probe it is, is evidence also where no fault asks for it.
            Command::Mail { path, .. } => {
                self.envelope = Envelope { tag: self.tag_in(path), ..Envelope::default() };
            }
            Command::Ehlo(_) | Command::Helo(_) | Command::Rset => self.envelope = Envelope::default(),
            Command::Bdat { size, last } => {
                return self.chunk_passes(Head { size: *size, last: *last, taken: line.taken }, None, cut);
            }
            _ => {}
        }
        self.goes_up(self.asked(command), None, cut, line.taken);
    }

    /// A command goes upstream; a fault may wait for its reply.
    pub(super) fn goes_up(&mut self, asked: Asked, fault: Option<Box<Decision>>, cut: &mut Cut<'_>, taken: usize) {
        cut.pass(taken);
        self.pending.push_back(Slot { asked, from: Source::Upstream, fault });
        if matches!(asked, Asked::Data | Asked::Auth | Asked::StartTls | Asked::Secure(_)) {
            self.input = Input::Unknown;
        }
    }

    /// A command that a fault may meet.
    fn weigh(&mut self, command: &Command<'_>, line: Said<'_>, turn: &mut Turn<'_>) -> Step {
        let fault = match command {
            Command::Data => return self.weigh_data(line, turn),
            Command::StartTls => return self.weigh_starttls(line, turn),
            Command::Bdat { size, last } => {
                let head = Head { size: *size, last: *last, taken: line.taken };
                return self.weigh_chunk(head, line, turn);
            }
            Command::Rcpt { .. } if self.envelope.standing == Standing::Refused => {
                self.out_of_order(line, turn);
                return Step::On;
            }
            Command::Rcpt { path, .. } => self.weigh_recipient(path, line.text),
            Command::Mail { path, .. } => {
                self.envelope = Envelope::begin(path, self.tag_in(path));
                self.decide(Stage::Mail, None, line.text)
            }
            Command::Ehlo(_) | Command::Helo(_) => {
                self.envelope = Envelope::default();
                self.decide(Stage::Ehlo, None, line.text)
            }
            Command::Rset => {
                self.envelope = Envelope::default();
                None
            }
            other => other.stage().and_then(|stage| self.decide(stage, None, line.text)),
        };
        self.meets(self.asked(command), fault, line, turn);
        Step::On
    }

    /// A fault counts and draws by the recipient's own tag where it has one.
    fn weigh_recipient(&mut self, path: &str, line: &[u8]) -> Option<Box<Decision>> {
        let own = self.tag_in(path);
        let of_mail = self.envelope.tag.clone();
        self.envelope.tag = own.clone().or_else(|| of_mail.clone());
        let fault = self.decide(Stage::Rcpt, Some(&[path.to_owned()]), line);
        self.envelope.tag = of_mail;
        self.envelope.add(path, own.as_ref());
        fault
    }

    /// A command and the fault that meets it, if any.
    pub(super) fn meets(&mut self, asked: Asked, fault: Option<Box<Decision>>, line: Said<'_>, turn: &mut Turn<'_>) {
        match fault {
            Some(decision) if act::is_answer(decision.rule.action()) => {
                if decision.stage == Stage::Mail {
                    self.envelope.standing = Standing::Refused;
                }
                turn.cut.skip(line.taken);
                self.answer(decision);
                self.advance(turn.to_client);
            }
            fault => self.goes_up(asked, fault, &mut turn.cut, line.taken),
        }
    }

    /// A command that the upstream never hears of, since a fault refused what it builds on.
    pub(super) fn out_of_order(&mut self, line: Said<'_>, turn: &mut Turn<'_>) {
        turn.cut.skip(line.taken);
        self.says(OUT_OF_ORDER);
        self.advance(turn.to_client);
    }

    /// A reply of our own that is no fault's.
    pub(super) fn says(&mut self, reply: &[u8]) {
        self.pending.push_back(Slot { asked: Asked::Other, from: Source::Own(reply.to_vec()), fault: None });
    }

    /// Behind a banner that refuses.
    fn refused(&mut self, turn: &mut Turn<'_>) -> Step {
        let Line::Complete { text, taken } = LineScanner::next(turn.cut.rest()) else {
            if turn.cut.rest().len() < MAX_COMMAND {
                return Step::Wait;
            }
            return ignored(&mut turn.cut);
        };
        let quits = matches!(Command::parse(text), Command::Quit);
        turn.cut.skip(taken);
        self.says(if quits { BYE } else { OUT_OF_ORDER });
        self.advance(turn.to_client);
        if quits {
            self.end.get_or_insert(super::End::Close);
        }
        Step::On
    }

    fn auth_line(&mut self, turn: &mut Turn<'_>) -> Step {
        let (text, taken) = match LineScanner::next(turn.cut.rest()) {
            Line::Incomplete => return self.unfinished(turn),
            Line::TooLong => return self.longer(turn),
            Line::Complete { text, taken } => (text, taken),
        };
        if let Some(step) = self.inspects(text, turn) {
            return step;
        }
        self.goes_up(Asked::Auth, None, &mut turn.cut, taken);
        Step::On
    }

    /// A line that is longer than any command goes upstream unread.
    pub(super) fn too_long(&mut self, cut: &mut Cut<'_>) -> Step {
        self.pending.push_back(Slot::passing(Asked::Other));
        self.input = Input::Overlong(LastByte::Other);
        self.overlong(cut)
    }

    fn overlong(&mut self, cut: &mut Cut<'_>) -> Step {
        let Input::Overlong(last) = &mut self.input else { return Step::On };
        let rest = cut.rest();
        let mut from = 0;
        while let Some(found) = memchr(b'\n', &rest[from..]) {
            let newline = from + found;
            let ended = match newline.checked_sub(1) {
                Some(before) => rest[before] == b'\r',
                None => *last == LastByte::Cr,
            };
            if ended {
                cut.pass(newline + 1);
                self.input = Input::Command;
                return Step::On;
            }
            from = newline + 1;
        }
        *last = if rest.last() == Some(&b'\r') { LastByte::Cr } else { LastByte::Other };
        cut.pass(rest.len());
        Step::On
    }

    fn count(&self, command: &Command<'_>) {
        if let Some(stage) = command.stage() {
            self.shared.commands.count(stage);
        }
    }
}

fn ignored(cut: &mut Cut<'_>) -> Step {
    cut.skip(cut.rest().len());
    Step::On
}

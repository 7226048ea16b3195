//! The commands.

use super::parameters;
use super::policy::{Answer, Channel, Greeting, Policy};
use super::session::{Expects, Fate, Next, Session, Turn};
use super::{End, content};
use crate::mail::Command;
use crate::mail::address::MAX_ADDRESS;
use crate::mail::command::Last;

pub(super) const ORDER: &[u8] = b"503 5.5.1 out of order\r\n";
const NO_RECIPIENT: &[u8] = b"554 5.5.1 no valid recipients\r\n";
const SYNTAX: &[u8] = b"501 5.5.4 the argument is missing or too long\r\n";
const UTF8: &[u8] = b"553 5.6.7 the address needs SMTPUTF8\r\n";

impl<P: Policy> Session<'_, P> {
    /// Carries out one line.
    pub(super) async fn command(&mut self, line: &[u8]) -> Next {
        let bare = memchr::memchr2_iter(b'\r', b'\n', line).count();
        if bare > 0 {
            self.tally.bare += bare as u64;
            return self.object(b"500 5.5.2 a line ends with CR and LF together\r\n");
        }
        match Command::parse(line) {
            Command::Ehlo(name) => self.hello(name, Greeting::Ehlo),
            Command::Helo(name) => self.hello(name, Greeting::Helo),
            Command::Mail { path, parameters } => self.mail(path, parameters).await,
            Command::Rcpt { path, parameters } => self.rcpt(path, parameters).await,
            Command::Data => self.data(),
            Command::Bdat { size, last } => self.bdat(size, last),
            Command::StartTls => self.starttls(),
            Command::Rset => self.rset(),
            Command::Noop => self.say_go(b"250 2.0.0 Ok\r\n"),
            Command::Quit => {
                self.say(b"221 2.0.0 Bye\r\n");
                Next::End(End::Quit)
            }
            Command::Auth(arguments) => self.auth(arguments),
            Command::Other => self.other(line),
        }
    }

    fn hello(&mut self, name: &str, greeting: Greeting) -> Next {
        if name.is_empty() || name.len() > 255 {
            return self.object(SYNTAX);
        }
        self.reset();
        name.clone_into(&mut self.envelope.helo);
        self.envelope.greeting = greeting;
        match (self.policy.hello(&self.envelope), greeting) {
            (Answer::Say(reply), _) => {
                if reply.is_positive() {
                    self.turn = Turn::Mail;
                }
                self.answer(Answer::Say(reply), b"")
            }
            (_, Greeting::Ehlo) => {
                self.turn = Turn::Mail;
                self.output.extend_from_slice(self.settings.ehlo(self.envelope.channel));
                Next::Go
            }
            (_, Greeting::Helo) => {
                self.turn = Turn::Mail;
                let reply = format!("250 {}\r\n", self.settings.name);
                self.say_go(reply.as_bytes())
            }
        }
    }

    async fn mail(&mut self, path: &str, parameters: &str) -> Next {
        if self.turn != Turn::Mail {
            return self.object(ORDER);
        }
        if path.len() > MAX_ADDRESS {
            return self.object(SYNTAX);
        }
        if self.wants_login() {
            return self.say_go(b"530 5.7.0 authentication is required\r\n");
        }
        match parameters::of_mail(parameters) {
            Err(reply) => return self.object(reply),
            Ok(Some(size)) if size > self.settings.size => return self.say_go(content::TOO_BIG),
            Ok(_) => {}
        }
        path.clone_into(&mut self.envelope.from);
        parameters.clone_into(&mut self.envelope.parameters);
        if !path.is_ascii() && !self.envelope.has_parameter("SMTPUTF8") {
            self.reset();
            return self.object(UTF8);
        }
        let answer = self.policy.mail(&self.envelope).await;
        if takes(&answer) {
            self.turn = Turn::Rcpt;
        } else {
            self.reset();
        }
        self.answer(answer, b"250 2.1.0 Ok\r\n")
    }

    async fn rcpt(&mut self, path: &str, parameters: &str) -> Next {
        if self.turn != Turn::Rcpt {
            return self.object(ORDER);
        }
        if path.is_empty() || path.len() > MAX_ADDRESS {
            return self.object(SYNTAX);
        }
        if !path.is_ascii() && !self.envelope.has_parameter("SMTPUTF8") {
            return self.object(UTF8);
        }
        if let Err(reply) = parameters::of_rcpt(parameters) {
            return self.object(reply);
        }
        if self.envelope.recipients.len() >= self.settings.recipients {
            return self.say_go(b"452 4.5.3 too many recipients\r\n");
        }
        let answer = self.policy.rcpt(&self.envelope, path).await;
        if takes(&answer) {
            self.envelope.recipients.push(path.to_owned());
        }
        self.answer(answer, b"250 2.1.5 Ok\r\n")
    }

    fn data(&mut self) -> Next {
        if self.turn != Turn::Rcpt {
            return self.object(ORDER);
        }
        if self.envelope.recipients.is_empty() {
            return self.object(NO_RECIPIENT);
        }
        if self.envelope.has_parameter("BODY=BINARYMIME") {
            // RFC 3030 3: only BDAT can carry it.
            return self.object(ORDER);
        }
        self.begin();
        self.expects = Expects::Body;
        self.say_go(b"354 end the message with <CR><LF>.<CR><LF>\r\n")
    }

    fn bdat(&mut self, size: u64, last: Last) -> Next {
        let fate = match self.turn {
            Turn::Rcpt if !self.envelope.recipients.is_empty() => {
                self.begin();
                self.turn = Turn::Chunks;
                Fate::Kept
            }
            Turn::Chunks => Fate::Kept,
            _ => Fate::Dropped,
        };
        self.expects = Expects::Chunk { left: size, last, fate };
        Next::Go
    }

    fn starttls(&mut self) -> Next {
        match (&self.settings.tls, self.envelope.channel) {
            (None, _) => self.object(b"502 5.5.1 STARTTLS is not offered\r\n"),
            (Some(_), Channel::Encrypted) => self.object(b"503 5.5.1 the session is encrypted already\r\n"),
            (Some(_), Channel::Clear) => {
                self.say(b"220 2.0.0 go on with TLS\r\n");
                Next::StartTls
            }
        }
    }

    fn rset(&mut self) -> Next {
        if self.turn != Turn::Hello {
            self.turn = Turn::Mail;
        }
        self.reset();
        self.say_go(b"250 2.0.0 Ok\r\n")
    }

    fn other(&mut self, line: &[u8]) -> Next {
        let verb: Vec<u8> = line.iter().take_while(|byte| **byte != b' ').map(u8::to_ascii_uppercase).collect();
        match verb.as_slice() {
            b"VRFY" => self.say_go(b"252 2.5.0 send some mail, it will be tried\r\n"),
            b"HELP" => self.say_go(b"214 2.0.0 a lab host of mxdrill: EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT\r\n"),
            b"EXPN" => self.object(b"502 5.5.1 EXPN is not offered\r\n"),
            b"MAIL" | b"RCPT" | b"BDAT" => self.object(b"501 5.5.4 the argument makes no sense\r\n"),
            _ => self.object(b"500 5.5.2 no such command\r\n"),
        }
    }

    /// Says the answer; `yes` is the usual one of the step.
    pub(super) fn answer(&mut self, answer: Answer, yes: &[u8]) -> Next {
        match answer {
            Answer::Yes => self.say_go(yes),
            Answer::Queued(id) => {
                self.say(b"250 2.0.0 Ok: queued as ");
                self.say(id.as_bytes());
                self.say_go(b"\r\n")
            }
            Answer::Say(reply) => {
                self.say(&reply.to_wire());
                // RFC 5321 3.8: whoever says 421 closes.
                if reply.code == 421 { Next::End(End::Dropped) } else { Next::Go }
            }
        }
    }

    /// Ends the transaction.
    pub(super) fn reset(&mut self) {
        self.envelope.reset();
        self.body.clear();
        self.size = 0;
    }
}

/// Whether an answer takes what was offered.
pub(super) fn takes(answer: &Answer) -> bool {
    match answer {
        Answer::Yes | Answer::Queued(_) => true,
        Answer::Say(reply) => reply.is_positive(),
    }
}

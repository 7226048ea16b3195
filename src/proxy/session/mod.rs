//! One SMTP session as the proxy sees it, without any input or output of its own.
//!
//! ```text
//!   client ──bytes──> client.rs ── commands, bodies ──> decide ──> upstream
//!                        │                                │
//!                        └────────── Slot queue ──────────┤  one slot a reply that is due, in order
//!                                                         v
//!   client <──────────── upstream.rs ── replies ── act.rs (what a fault does to a reply) <── upstream
//! ```
//!
//! Where nothing is in force, bytes are looked at on their way and never kept back. Where a fault
//! might meet the connection, a command is kept until its line is whole.

mod act;
mod body;
mod client;
mod cut;
mod envelope;
mod guard;
mod leave;
mod lift;
mod scan;
mod secure;
mod slot;
mod upstream;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::announce::Introduction;
use super::counts::Link;
use super::rules::{Facts, Rule, Rules};
use super::settings::Ours;
use super::shared::Shared;
use crate::mail::Stage;
use crate::mail::framing::{Bare, BodyScanner};
use crate::record::{Event, Firing, Tag};
use crate::scenario::fault::Action;
use envelope::Envelope;
use scan::ReplyScanner;
use secure::Securing;
pub(super) use secure::{Failure, Handshake};
use slot::{Asked, Decision, Held, Slot, Source};

/// How many bytes of a client are kept that cannot be read yet, at most.
const MAX_BACKLOG: usize = 64 * 1024;

/// Which connection it is.
#[derive(Debug)]
pub(super) struct Connection {
    /// From 1.
    pub(super) number: u64,
    pub(super) peer: SocketAddr,
    /// The host's address that the listener stands for.
    pub(super) front: IpAddr,
    /// The probe whose sender has announced the connection.
    pub(super) caller: Option<Tag>,
    /// How the host was told of the client.
    pub(super) introduced: Introduction,
    /// How it looks from outside.
    pub(super) link: Arc<Link>,
}

/// How the client is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// FIN, behind what was said so far.
    Close,
    /// RST.
    Reset,
}

/// What the upstream is to be to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// It is spoken to.
    Wanted,
    /// Nothing more is said to it or heard from it.
    Done,
    /// It holds a part of a message that it must never have.
    Abort,
}

/// Where outgoing bytes are put.
pub(super) struct Outs<'a> {
    pub(super) client: &'a mut Vec<u8>,
    pub(super) upstream: &'a mut Vec<u8>,
}

/// How the next bytes of the client are to be read.
#[derive(Debug)]
enum Input {
    Command,
    /// The rest of a line that is longer than is read; whether its last byte was a CR.
    Overlong(LastByte),
    /// Not known before the reply to DATA, AUTH or STARTTLS.
    Unknown,
    /// A line behind a 334 (RFC 4954).
    AuthLine,
    Body(BodyScanner),
    /// The rest of a body in which a CR or LF stood alone, which is refused.
    Spoilt(BodyScanner),
    /// What is left of a chunk (RFC 3030).
    Chunk(body::Chunk),
    /// Behind a banner that refuses: only QUIT is taken (RFC 5321 3.1).
    Refused,
    /// The first message of TLS, which is answered with these bytes instead.
    Hello(Vec<u8>),
    /// Read and thrown away.
    Ignored,
    /// TLS, or no SMTP that can be followed.
    Blind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    InPart,
    Whole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastByte {
    Cr,
    Other,
}

/// The session.
#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    connection: Connection,
    in_force: watch::Receiver<Arc<Rules>>,
    rules: Arc<Rules>,
    input: Input,
    /// Bytes of the client that cannot be read yet; the first `sent` of them went upstream.
    backlog: Vec<u8>,
    sent: usize,
    pending: VecDeque<Slot>,
    replies: ReplyScanner,
    /// The start of a reply that a fault wants as a whole.
    collected: Vec<u8>,
    /// Bytes of the upstream behind a reply that is held.
    late: Vec<u8>,
    envelope: Envelope,
    held: Option<Held>,
    silent: Option<Silent>,
    securing: Option<Securing>,
    pace: Option<crate::proxy::action::Pace>,
    /// Whether the client has said its last.
    heard: Heard,
    need: Need,
    /// How the upstream is left when a fault ends the session.
    farewell: Need,
    end: Option<End>,
    /// CR and LF that stood alone in commands.
    bare: Bare,
    /// Whether the host has offered CHUNKING.
    chunking: guard::Chunking,
}

/// Nothing is said any more.
#[derive(Debug)]
struct Silent {
    rule: Arc<Rule>,
    until: Option<Instant>,
}

impl Session {
    /// A connection that was just accepted.
    pub(super) fn accept(shared: Arc<Shared>, connection: Connection) -> Self {
        let mut in_force = shared.rules.subscribe();
        let rules = Arc::clone(&in_force.borrow_and_update());
        let mut session = Self {
            shared,
            connection,
            in_force,
            rules,
            input: Input::Command,
            backlog: vec![],
            sent: 0,
            pending: VecDeque::new(),
            replies: ReplyScanner::default(),
            collected: vec![],
            late: vec![],
            envelope: Envelope::default(),
            held: None,
            silent: None,
            securing: None,
            pace: None,
            heard: Heard::InPart,
            need: Need::Wanted,
            farewell: Need::Done,
            end: None,
            bare: Bare::default(),
            chunking: guard::Chunking::default(),
        };
        session.greet();
        session
    }

    /// Settles what becomes of the connection and its banner.
    fn greet(&mut self) {
        if let Some(decision) = self.decide(Stage::Connect, None, b"") {
            self.answer(decision);
            return;
        }
        let fault = self.decide(Stage::Banner, None, b"");
        let Some(decision) = fault else { return self.pending.push_back(Slot::passing(Asked::Other)) };
        match decision.rule.action() {
            Action::Reply(reply) if reply.code < 400 => {
                self.answer(decision);
                self.pending.push_back(Slot { asked: Asked::Other, from: Source::Unseen, fault: None });
            }
            Action::Reply(_) => {
                self.need = Need::Done;
                self.input = Input::Refused;
                self.answer(decision);
            }
            action if act::is_answer(action) => self.answer(decision),
            _ => self.pending.push_back(Slot { asked: Asked::Other, from: Source::Upstream, fault: Some(decision) }),
        }
    }

    /// Says what is due before any byte was received.
    pub(super) fn start(&mut self, out: &mut Outs<'_>) {
        self.advance(out.client);
    }

    /// Whether a fault meets this moment.
    fn decide(&self, stage: Stage, only: Option<&[String]>, line: &[u8]) -> Option<Box<Decision>> {
        if !self.rules.at_any(&[stage]) {
            return None;
        }
        let facts = self.facts(stage, only);
        let rule = self.rules.decide(&facts, self.shared.dice)?;
        Some(Box::new(Decision { rule, stage, tag: facts.tag.cloned(), command: slot::evidence(line) }))
    }

    /// What is known at this moment.
    fn facts<'a>(&'a self, stage: Stage, only: Option<&'a [String]>) -> Facts<'a> {
        Facts {
            stage,
            now: Instant::now(),
            front: self.connection.front,
            client: self.connection.peer.ip(),
            connections: self.shared.live.count(),
            tag: self.envelope.tag.as_ref().or(self.connection.caller.as_ref()),
            sender: self.envelope.sender.as_deref(),
            recipients: only.unwrap_or(&self.envelope.recipients),
            phase_of: self.shared.phase_of.as_ref(),
            serves: self.shared.serves(),
        }
    }

    /// Notes that a fault took effect.
    fn note(&self, decision: &Decision) {
        self.shared.journal.note(Event::Fired(Firing {
            fault: decision.rule.index(),
            tag: decision.tag.clone(),
            connection: self.connection.number,
            client: Some(self.connection.peer.to_string()),
            stage: decision.stage,
            command: decision.command.clone(),
        }));
    }

    /// The tag that stands in a path of the envelope.
    fn tag_in(&self, path: &str) -> Option<Tag> {
        match &self.shared.ours {
            Ours::Run(run) => crate::record::find_tags(path, run.as_str()).next(),
            Ours::AnyProbe => crate::record::any_tag(path),
        }
    }

    /// How the connection looks from outside.
    pub(super) fn link(&self) -> &Link {
        &self.connection.link
    }

    /// Whether the client is to be read.
    pub(super) fn reads_client(&self) -> bool {
        self.held.is_none()
            && self.backlog.len() < MAX_BACKLOG
            && self.pace.as_ref().is_none_or(|pace| pace.next() <= Instant::now())
    }

    /// How many bytes may be read from the client at once.
    pub(super) fn read_size(&self) -> usize {
        self.pace.as_ref().map_or(usize::MAX, |pace| pace.piece())
    }

    /// Whether the upstream is to be read.
    pub(super) fn reads_upstream(&self) -> bool {
        self.held.is_none()
    }

    /// Whether something is still to come from the session itself.
    pub(super) fn lingers(&self) -> bool {
        self.held.is_some() || self.silent.is_some()
    }

    /// What the upstream is needed for.
    pub(super) fn need(&self) -> Need {
        match (self.end, self.need) {
            (Some(_), Need::Wanted) => Need::Done,
            (_, need) => need,
        }
    }

    /// Whether bytes of the client are kept back that may still go upstream.
    pub(super) fn keeps_back(&self) -> bool {
        self.sent < self.backlog.len()
    }

    /// How the client is to be left, once it has everything that was said.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// Tells when faults in force change, where that must be known at once.
    pub(super) fn watches(&self) -> Option<watch::Receiver<Arc<Rules>>> {
        let affected = self.held.is_some()
            || self.silent.is_some()
            || self.pace.is_some()
            || self.envelope.plan.bytes == envelope::Bytes::Nowhere;
        affected.then(|| self.in_force.clone())
    }
}

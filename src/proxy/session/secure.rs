//! STARTTLS where the proxy ends TLS, since a fault needs to see inside.
//!
//! ```text
//!   STARTTLS ──> 220 of the upstream ──> handshake with it ──> 220 to the client ──> its handshake
//!                                          │ fails                                      │
//!                                          v                                            v
//!                                        220, and what came instead of TLS    EHLO, as on a new connection
//! ```

use tokio_rustls::TlsAcceptor;

use super::client::{Said, Step, Turn};
use super::envelope::Envelope;
use super::scan::ReplyScanner;
use super::slot::{Asked, Decision};
use super::{End, Input, Outs, Session};
use crate::mail::Stage;
use crate::proxy::termination::{Termination, flaw};
use crate::record::{Event, TlsEnded};
use crate::scenario::fault::Action;
use crate::tls::{AuthorityError, Flaw};
use crate::world::Clock;

/// RFC 3207 4.
pub(super) const UNAVAILABLE: &[u8] = b"454 4.7.0 TLS not available due to temporary reason\r\n";
pub(super) const READY: &[u8] = b"220 2.0.0 ready to start TLS\r\n";
/// What a server says that has forgotten that it said 220.
pub(super) const GARBAGE: &[u8] = b"500 5.5.2 what was that?\r\n";
/// `protocol_version`, from a server of TLS 1.1.
pub(super) const OLD_VERSION: &[u8] = &fatal([3, 2], 70);
const TLS_1_2: [u8; 2] = [3, 3];

/// A handshake that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proxy) enum Handshake {
    /// With the upstream, as its client.
    Upstream,
    /// With the client, as its server; with something wrong in the certificate.
    Client(Option<Flaw>),
}

/// Why a handshake with the upstream did not succeed.
#[derive(Debug)]
pub(in crate::proxy) struct Failure {
    /// In a sentence.
    pub(in crate::proxy) why: String,
    /// The alert that the upstream sent, where it sent one.
    pub(in crate::proxy) alert: Option<u8>,
}

/// How far TLS has come.
#[derive(Debug)]
pub(super) enum Securing {
    /// The upstream has said 220, which the client gets once our handshake has succeeded.
    Upstream(Box<GoAhead>),
    /// The client has its 220.
    Client(Option<Flaw>),
}

/// The upstream's 220.
#[derive(Debug)]
pub(super) struct GoAhead {
    asked: Asked,
    fault: Option<Box<Decision>>,
    reply: Vec<u8>,
    code: u16,
}

impl Session {
    /// STARTTLS, where faults are in force.
    pub(super) fn weigh_starttls(&mut self, line: Said<'_>, turn: &mut Turn<'_>) -> Step {
        let fault = self.decide(Stage::Starttls, None, line.text);
        let spoilt = fault.as_ref().and_then(|decision| match decision.rule.action() {
            Action::Tls(how) => flaw(*how),
            _ => None,
        });
        let inside = || self.rules.any_inside(&self.facts(Stage::Starttls, None));
        let ends = |tls: &Termination| spoilt.is_some() || (tls.sees_inside() && (self.vouches() || inside()));
        let ends = self.shared.tls.as_ref().is_some_and(ends);
        let asked = if ends { Asked::Secure(spoilt) } else { Asked::StartTls };
        self.meets(asked, fault, line, turn);
        Step::On
    }

    /// The reply to a STARTTLS behind which the proxy is to see. Nothing that was said in clear
    /// may count inside (RFC 3207 5).
    pub(super) fn go_ahead(
        &mut self,
        asked: Asked,
        fault: Option<Box<Decision>>,
        (reply, code): (Vec<u8>, u16),
        to_client: &mut Vec<u8>,
    ) {
        if code / 100 != 2 {
            return self.deliver(asked, fault, reply, code, to_client);
        }
        if !self.backlog.is_empty() {
            self.shared.warn("a client sent commands in clear behind STARTTLS; its connection was closed");
            self.end = Some(End::Close);
            return;
        }
        self.securing = Some(Securing::Upstream(Box::new(GoAhead { asked, fault, reply, code })));
    }

    /// Whether a handshake is due, before which nothing more is read.
    pub(in crate::proxy) fn handshake(&self) -> Option<Handshake> {
        self.securing.as_ref().map(|securing| match securing {
            Securing::Upstream(_) => Handshake::Upstream,
            Securing::Client(flaw) => Handshake::Client(*flaw),
        })
    }

    /// What the upstream is called in a handshake: by its name, or by its address where its name
    /// is none that can be asked for.
    pub(in crate::proxy) fn server_name(&self) -> String {
        let name = self.shared.host.trim_end_matches('.');
        match rustls::pki_types::ServerName::try_from(name) {
            Ok(_) => name.to_owned(),
            Err(_) => self.connection.front.to_string(),
        }
    }

    /// What accepts TLS from the client; none where the proxy cannot.
    pub(in crate::proxy) fn acceptor(&self, flaw: Option<Flaw>) -> Option<Result<TlsAcceptor, AuthorityError>> {
        self.shared.tls.as_ref().and_then(|tls| tls.acceptor(flaw))
    }

    /// The run's clock, for certificates.
    pub(in crate::proxy) fn clock(&self) -> Clock {
        self.shared.journal.clock()
    }

    /// TLS with the upstream stands: the client may begin.
    pub(in crate::proxy) fn upstream_secured(&mut self, out: &mut Outs<'_>) {
        if let Some(Securing::Upstream(go)) = self.securing.take() {
            self.deliver(go.asked, go.fault, go.reply, go.code, out.client);
        }
    }

    /// There is no TLS with the upstream. The client is told to begin and then sees what it would
    /// have seen of the upstream: its alert, or its end.
    pub(in crate::proxy) fn upstream_failed(&mut self, failure: Failure, out: &mut Outs<'_>) {
        self.shared.warn(&format!(
            "the host said 220 to STARTTLS, and the handshake with it failed: {}; so it does for clients",
            failure.why
        ));
        if let Some(Securing::Upstream(go)) = self.securing.take() {
            out.client.extend_from_slice(&go.reply);
        }
        self.answer_hello(failure.alert.map(|alert| fatal(TLS_1_2, alert).to_vec()).unwrap_or_default());
    }

    /// The client was told to begin, and sees this instead of TLS, then FIN.
    pub(super) fn answer_hello(&mut self, answer: Vec<u8>) {
        self.leave_upstream();
        self.input = Input::Hello(answer);
    }

    /// TLS with the client stands: both begin anew, with EHLO and without a banner (RFC 3207 4.2).
    pub(in crate::proxy) fn client_secured(&mut self) {
        self.shared.journal.note(Event::TlsEnded(TlsEnded {
            host: self.shared.host.to_string(),
            tag: self.connection.caller.clone(),
            connection: self.connection.number,
        }));
        self.securing = None;
        self.envelope = Envelope::default();
        self.replies = ReplyScanner::default();
        self.input = Input::Command;
    }

    /// There is no TLS with the client, which knows why.
    pub(in crate::proxy) fn client_failed(&mut self, why: &str) {
        let flawed = matches!(self.securing, Some(Securing::Client(Some(_))));
        self.securing = None;
        self.end = Some(End::Close);
        // A client that looks at certificates is expected to leave where one was spoilt.
        if !flawed {
            self.shared.warn(&format!("a client did not get through the TLS handshake with the proxy: {why}"));
        }
    }

    /// What the client says instead of SMTP is its first message of TLS: it is answered with the
    /// bytes that were laid ready, and the session is over.
    pub(super) fn hello(&mut self, turn: &mut Turn<'_>) -> Step {
        let Input::Hello(answer) = &mut self.input else { return Step::On };
        turn.to_client.append(answer);
        turn.cut.skip(turn.cut.rest().len());
        self.end = Some(End::Close);
        Step::On
    }
}

/// A record with a fatal alert (RFC 5246 6.2.1 and 7.2).
const fn fatal(version: [u8; 2], alert: u8) -> [u8; 7] {
    [21, version[0], version[1], 0, 2, 2, alert]
}

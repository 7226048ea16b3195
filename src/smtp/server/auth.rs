//! AUTH (RFC 4954): who the client is.

use secrecy::ExposeSecret;

use super::commands::ORDER;
use super::policy::{Channel, Policy};
use super::session::{Expects, Next, Session, Turn};
use crate::smtp::sasl::{Login, challenge, claimed_user, speaks_first};
use crate::terms::AuthMechanism;

const FAILED: &[u8] = b"535 5.7.8 name or secret is wrong\r\n";

/// An exchange under way.
#[derive(Debug)]
pub(super) struct Exchange {
    mechanism: AuthMechanism,
    /// What the server asked, as it stands behind 334.
    challenge: String,
    /// The user, where a mechanism names it in a step of its own.
    user: Option<String>,
}

impl<P: Policy> Session<'_, P> {
    /// Whether mail is only taken from clients that proved who they are, and this one did not.
    pub(super) fn wants_login(&self) -> bool {
        !self.settings.auth.is_empty() && self.envelope.user.is_none()
    }

    pub(super) fn auth(&mut self, arguments: &str) -> Next {
        if self.settings.auth.is_empty() {
            return self.object(b"503 5.5.1 AUTH is not offered\r\n");
        }
        if self.settings.tls.is_some() && self.envelope.channel == Channel::Clear {
            return self.object(b"538 5.7.11 AUTH needs an encrypted session: STARTTLS first\r\n");
        }
        if self.turn != Turn::Mail || self.envelope.user.is_some() {
            return self.object(ORDER);
        }
        let (name, first) = arguments.split_once(' ').unwrap_or((arguments, ""));
        let known = self.settings.auth.iter().copied().find(|it| it.word().eq_ignore_ascii_case(name));
        let Some(mechanism) = known else {
            return self.object(b"504 5.5.4 this mechanism is not offered\r\n");
        };
        let asked = self.first_challenge(mechanism);
        self.exchange = Some(Exchange { mechanism, challenge: asked.clone(), user: None });
        if !first.is_empty() && speaks_first(mechanism).is_some() {
            return self.response(first.trim().as_bytes());
        }
        self.ask(&asked)
    }

    /// What the mechanism asks first. A challenge of CRAM-MD5 need not be secret, only its own.
    fn first_challenge(&self, mechanism: AuthMechanism) -> String {
        match mechanism {
            AuthMechanism::Plain | AuthMechanism::Xoauth2 => String::new(),
            AuthMechanism::Login => challenge("Username:"),
            AuthMechanism::CramMd5 => {
                challenge(&format!("<{}.{}@{}>", self.envelope.client.port(), self.errors, self.settings.name))
            }
        }
    }

    fn ask(&mut self, challenge: &str) -> Next {
        self.expects = Expects::Response;
        self.say(b"334 ");
        self.say(challenge.as_bytes());
        self.say_go(b"\r\n")
    }

    /// Takes the answer to a challenge.
    pub(super) fn response(&mut self, line: &[u8]) -> Next {
        self.expects = Expects::Command;
        let Some(exchange) = self.exchange.take() else { return self.object(ORDER) };
        let text = std::str::from_utf8(line).unwrap_or("").trim();
        if text == "*" {
            return self.object(b"501 5.7.0 given up by the client\r\n");
        }
        match exchange {
            Exchange { mechanism: AuthMechanism::Login, user: None, .. } => {
                let Some(user) = claimed_user(AuthMechanism::Login, text) else { return self.object(FAILED) };
                let challenge = challenge("Password:");
                self.exchange =
                    Some(Exchange { mechanism: AuthMechanism::Login, challenge: challenge.clone(), user: Some(user) });
                self.ask(&challenge)
            }
            Exchange { mechanism, challenge, user } => {
                let step = usize::from(user.is_some());
                let user = user.or_else(|| claimed_user(mechanism, text));
                match user.filter(|user| self.proven(mechanism, step, &challenge, user, text)) {
                    Some(user) => {
                        self.envelope.user = Some(user);
                        self.say_go(b"235 2.7.0 welcome\r\n")
                    }
                    None => self.object(FAILED),
                }
            }
        }
    }

    /// Whether the client said what the user it claims to be would say.
    fn proven(&mut self, mechanism: AuthMechanism, step: usize, challenge: &str, user: &str, said: &str) -> bool {
        let Some(secret) = self.policy.secret(user) else { return false };
        let login = Login { user: user.to_owned(), secret };
        login.response(mechanism, step, challenge).is_ok_and(|it| it.expose_secret() == said)
    }
}

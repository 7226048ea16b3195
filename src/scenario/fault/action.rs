//! What a fault does.

use std::fmt;
use std::time::Duration;

use crate::mail::{Reply, Stage};

/// What a fault does when it fires; byte by byte in `docs/faults.md`.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The client's SYN is answered with RST.
    Refuse,
    /// The client's SYN is not answered.
    DropSyn,
    /// Never write again, keep reading; close after a time where one is given.
    Silent(Option<Duration>),
    /// FIN.
    Close,
    /// RST.
    Reset,
    /// Answer the stage's command without asking the upstream.
    Reply(Reply),
    /// Hold the stage's reply for a time; nothing is read meanwhile.
    Delay(Duration),
    /// FIN after this many bytes of the body.
    CloseAfter(u64),
    /// RST after this many bytes of the body.
    ResetAfter(u64),
    /// The command goes upstream, its reply is swallowed, the connection closes.
    LoseReply,
}

/// A number of bytes in one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub u64);

impl Action {
    /// The word in scenarios.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Refuse => "refuse",
            Action::DropSyn => "drop-syn",
            Action::Silent(_) => "silent",
            Action::Close => "close",
            Action::Reset => "reset",
            Action::Reply(_) => "reply",
            Action::Delay(_) => "delay",
            Action::CloseAfter(_) => "close-after",
            Action::ResetAfter(_) => "reset-after",
            Action::LoseReply => "lose-reply",
        }
    }

    /// The stages at which it can be.
    pub fn stages(&self) -> &'static [Stage] {
        use Stage::{Auth, Banner, Body, Connect, Data, Ehlo, Eom, Mail, Quit, Rcpt, Starttls};
        match self {
            // Before anything is accepted.
            Action::Refuse | Action::DropSyn => &[Connect],
            Action::Silent(_) | Action::Close | Action::Reset => {
                &[Connect, Banner, Ehlo, Starttls, Auth, Mail, Rcpt, Data, Body, Eom, Quit]
            }
            // There is no reply to a connection but the banner, and none to a body but that to its end.
            Action::Reply(_) | Action::Delay(_) => &[Banner, Ehlo, Starttls, Auth, Mail, Rcpt, Data, Eom, Quit],
            Action::CloseAfter(_) | Action::ResetAfter(_) => &[Body],
            Action::LoseReply => &[Banner, Ehlo, Starttls, Auth, Mail, Rcpt, Data, Eom, Quit],
        }
    }

    /// Whether it acts before a connection is accepted, so that no client is known.
    pub fn before_accept(&self) -> bool {
        matches!(self, Action::Refuse | Action::DropSyn)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::Silent(Some(time)) => write!(f, "silent for {time:?}"),
            Action::Reply(reply) => write!(f, "reply {:?}", reply.to_string()),
            Action::Delay(time) => write!(f, "delay {time:?}"),
            Action::CloseAfter(bytes) => write!(f, "close-after {bytes} bytes"),
            Action::ResetAfter(bytes) => write!(f, "reset-after {bytes} bytes"),
            plain => f.write_str(plain.word()),
        }
    }
}

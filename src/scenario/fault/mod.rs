//! A fault: `at` (stage) × `when` (trigger) × `do` (action). Small sets that combine.
//!
//! ```text
//!   { host: mx1.new.example, at: rcpt, when: { first: 2 }, do: { reply: "451 4.7.1 later" } }
//!            where            stage     trigger             action
//! ```
//!
//! `proxy/` carries faults out; which of them make sense is said here, in [`Action::stages`].

mod action;
mod dns;
mod trigger;

use std::fmt;
use std::net::IpAddr;

use crate::mail::Stage;
use crate::source::{Span, Spanned};
use crate::terms::Family;

pub use action::{Action, Corruption, Dropping, Rate, TlsFault};
pub use dns::{DnsAction, DnsFault, RecordType};
pub use trigger::{Count, Limit, Scope, When};

/// One fault of a phase.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The whole entry.
    pub span: Span,
    /// The host that it breaks.
    pub host: Spanned<String>,
    /// Only at this address of the host.
    pub address: Option<Spanned<IpAddr>>,
    /// Only at addresses of this family.
    pub family: Option<Spanned<Family>>,
    /// Where in the session.
    pub at: Spanned<Stage>,
    /// When it fires.
    pub when: When,
    /// What it does.
    pub action: Spanned<Action>,
    /// Whom it may touch.
    pub scope: Scope,
}

impl Fault {
    /// Whether it stands at this address of its host.
    pub fn covers(&self, address: IpAddr) -> bool {
        self.address.as_ref().is_none_or(|only| only.value == address)
            && self.family.as_ref().is_none_or(|only| only.value == Family::of(address))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.action.value, self.at.value)
    }
}

//! What a sender is given.

use std::sync::Arc;

use super::TlsPolicies;
use crate::classes::SenderClass;
use crate::dns::Lookups;
use crate::record::Journal;
use crate::scenario::Waits;
use crate::tls::Trust;
use crate::world::{Dialer, Dice};

/// What the sender is given.
#[derive(Clone)]
pub struct Settings {
    /// The door to DNS.
    pub names: Arc<dyn Lookups>,
    /// The door to hosts.
    pub dialer: Dialer,
    /// Where it notes what it does.
    pub journal: Journal,
    /// For the order of equal preferences.
    pub dice: Dice,
    /// The MTA that it behaves as.
    pub class: SenderClass,
    /// How long each step may take.
    pub waits: Waits,
    /// The name in EHLO.
    pub helo: String,
    /// Whose certificates are trusted when a peer's chain is judged.
    pub trust: Trust,
    /// The TLS policies that it applies; none: opportunistic TLS.
    pub policies: Option<TlsPolicies>,
}

//! What may be contacted.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Lets through what is on this machine; anything else only where that was asked for. What it turned away
/// is known afterwards, so that a refusal names every host.
#[derive(Debug)]
pub struct Gate {
    reach: Reach,
    refused: Mutex<BTreeSet<String>>,
}

/// How far an audit may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere.
    Internet,
    /// Loopback addresses.
    ThisMachine,
}

/// A host is not on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not on this machine, and `--live` was not given")]
pub struct NotLive;

impl Gate {
    /// A gate for audits that go this far.
    pub fn new(reach: Reach) -> Self {
        Self { reach, refused: Mutex::default() }
    }

    /// How far the audit may go.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Lets a contact through, or notes that it was refused.
    ///
    /// # Errors
    /// Where it is not on this machine and may not be contacted.
    pub fn admit(&self, place: &str, address: IpAddr, why: &str) -> Result<(), NotLive> {
        if self.reach == Reach::Internet || address.to_canonical().is_loopback() {
            return Ok(());
        }
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("{place:<40} {why}"));
        Err(NotLive)
    }

    /// Every contact that was refused, once.
    pub fn refused(&self) -> Vec<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

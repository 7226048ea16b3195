//! Any of the ways in.

use super::{Hander, Mx, Outgoing, RelayMta, Submitter};
use crate::record::SentState;

/// A way in, ready to send.
#[derive(Clone)]
pub enum Way {
    /// mxdrill itself as the sending MTA.
    Mx(Mx),
    /// Through a server that takes mail from its users.
    Submission(Submitter),
    /// Through a program.
    Program(Hander),
    /// Through a real MTA.
    Relay(RelayMta),
}

impl Way {
    /// Sends `mail` this way, and notes what came of it.
    pub async fn deliver(&self, mail: &Outgoing) -> SentState {
        match self {
            Way::Mx(mx) => mx.deliver(mail).await,
            Way::Submission(submitter) => submitter.deliver(mail).await,
            Way::Program(hander) => hander.deliver(mail).await,
            Way::Relay(relay) => relay.deliver(mail).await,
        }
    }
}

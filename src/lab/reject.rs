//! A host that refuses every recipient: a platform that was closed properly.

use std::sync::Arc;

use super::host::Host;
use crate::mail::Reply;
use crate::smtp::server::{Answer, Envelope, Message, Policy};

/// The policy of one session.
pub(super) struct Reject {
    pub(super) host: Arc<Host>,
    pub(super) reply: Reply,
}

impl Policy for Reject {
    async fn rcpt(&mut self, envelope: &Envelope, recipient: &str) -> Answer {
        self.host.refuse(envelope, recipient, self.reply.clone())
    }

    async fn message(&mut self, _: &Envelope, _: Message) -> Answer {
        // Never asked: without a recipient there is no message.
        Answer::Say(self.reply.clone())
    }
}

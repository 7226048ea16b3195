//! One mail transaction, as far as a fault asks about it.

use crate::record::Tag;

use super::slot::Decision;

/// How many recipients of a transaction are remembered for `recipient`.
const MAX_RECIPIENTS: usize = 1000;

/// From MAIL to the end of the body.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    /// Whose probe it is: as the reverse-path says, else the connection, else the first recipient.
    pub(super) tag: Option<Tag>,
    pub(super) sender: Option<String>,
    pub(super) recipients: Vec<String>,
    /// How many recipients the upstream has taken.
    pub(super) accepted: usize,
    pub(super) standing: Standing,
    pub(super) chunks: Chunks,
    /// Body bytes of the chunks before this one.
    pub(super) bytes: u64,
    pub(super) plan: Plan,
}

/// Whether the transaction goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    #[default]
    Open,
    /// A fault refused its MAIL or one of its chunks: the upstream hears no more of it.
    Refused,
}

/// Whether a BDAT command was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chunks {
    #[default]
    None,
    Begun,
}

/// What becomes of the body, settled when DATA or the first BDAT is met: from then on its bytes
/// either go upstream or do not.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) body: Option<Box<Decision>>,
    pub(super) eom: Option<Box<Decision>>,
    pub(super) bytes: Bytes,
}

/// Where the bytes of a body go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Bytes {
    /// Upstream.
    #[default]
    Upstream,
    /// Nowhere: the upstream is never to have the whole message.
    Nowhere,
}

impl Envelope {
    pub(super) fn begin(sender: &str, tag: Option<Tag>) -> Self {
        Self { tag, sender: Some(sender.to_owned()), ..Self::default() }
    }

    pub(super) fn add(&mut self, recipient: &str, tag: Option<&Tag>) {
        if self.recipients.len() < MAX_RECIPIENTS {
            self.recipients.push(recipient.to_owned());
        }
        if self.tag.is_none() {
            self.tag = tag.cloned();
        }
    }
}

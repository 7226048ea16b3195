//! Taking a run's probes out of a mailbox.

use super::super::super::message;
use super::{BATCH, Fault, Labels, Mailbox, Session, set_of};
use crate::record::RunId;

/// What was done in one mailbox.
#[derive(Debug, Default)]
pub(in super::super) struct Taken {
    /// The UIDs of probes that are gone, or marked where `marked` says so.
    pub(in super::super) uids: Vec<u32>,
    /// How many of them are there still.
    pub(in super::super) left: usize,
}

impl Mailbox {
    /// Takes out the probes of `run`. A message is one where its own header says so; the search only finds
    /// candidates. Without UIDPLUS they are marked alone: EXPUNGE would take what others have marked.
    pub(in super::super) async fn erase(&mut self, session: &mut Session, run: &RunId) -> Result<Taken, Fault> {
        self.first = 1;
        self.seen.clear();
        session.select(&self.name).await?;
        let found = self.search(session, run).await?;
        let mut uids = vec![];
        for batch in found.chunks(BATCH) {
            let fetched = self.headers(session, batch).await?;
            uids.extend(fetched.iter().filter(|it| message::read(&it.header, run).is_some()).map(|it| it.uid));
        }
        for batch in uids.chunks(BATCH) {
            self.take(session, &set_of(batch)).await?;
        }
        self.seen.clear();
        let left = self.search(session, run).await?;
        let left = uids.iter().filter(|uid| left.contains(uid)).count();
        Ok(Taken { uids, left })
    }

    async fn take(&self, session: &mut Session, set: &str) -> Result<(), Fault> {
        if self.labels == Labels::Told {
            // In the mailbox of all mail Gmail deletes nothing; what is put into the bin it does.
            return session.command(&format!("UID STORE {set} +X-GM-LABELS (\\Trash)"), &mut |_| {}).await;
        }
        session.command(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"), &mut |_| {}).await?;
        match session.can("UIDPLUS") || session.can("IMAP4REV2") {
            // RFC 4315 2.1: of those that are marked, only these.
            true => session.command(&format!("UID EXPUNGE {set}"), &mut |_| {}).await,
            false => Ok(()),
        }
    }
}

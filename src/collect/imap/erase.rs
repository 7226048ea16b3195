//! Taking a run's probes out of an account.

use super::super::erase::Erased;
use super::super::{Context, Trouble};
use super::{connect, mailbox};
use crate::inventory::Imap;
use crate::record::CleanedState;
use crate::source::plural;

/// Deletes the run's probes from every mailbox that the account is watched in.
pub(in super::super) async fn erase(settings: &Imap, context: &Context) -> Result<Erased, Trouble> {
    let mut session = connect::connect(settings, context).await?;
    let (mut messages, mut left, mut refused) = (vec![], 0, vec![]);
    for mut mailbox in mailbox::find(settings, &mut session).await? {
        match mailbox.erase(&mut session, &context.run).await {
            Ok(taken) => {
                messages.extend(taken.uids.iter().map(|uid| format!("{} UID {uid}", mailbox.name())));
                left += taken.left;
            }
            Err(fault) => {
                let what = format!("deleting from the mailbox `{}`", mailbox.name());
                refused.push(fault.while_trying(&what).what);
            }
        }
    }
    // The server closes the connection; how it says goodbye does not matter.
    let _ = session.command("LOGOUT", &mut |_| {}).await;
    let count = plural(messages.len(), "message");
    let (state, why) = match (refused.is_empty(), left) {
        (false, _) => (CleanedState::Failed, refused.join("; ")),
        (true, 0) => (CleanedState::Deleted, format!("{count} deleted")),
        (true, left) => {
            let why = format!(
                "{left} of {count} marked as deleted only: the server cannot take away just these (no UIDPLUS); a mail \
                 program can"
            );
            (CleanedState::Marked, why)
        }
    };
    Ok(Erased { state, messages, why })
}

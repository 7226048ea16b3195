//! Taking away what a run has left in mailboxes: exactly its own probes, each known by its own header.
//!
//! What was sent back to the probes' reverse-path, logs, and messages of other runs stay.

use super::{Context, Trouble, Watching, imap, maildir};
use crate::inventory::Looks;
use crate::record::{Cleaned, CleanedState};

/// What became of the probes in one place.
#[derive(Debug)]
pub(super) struct Erased {
    pub(super) state: CleanedState,
    pub(super) messages: Vec<String>,
    pub(super) why: String,
}

impl Erased {
    /// Nothing is deleted there, ever.
    fn never(why: &str) -> Self {
        Self { state: CleanedState::Kept, messages: vec![], why: why.to_owned() }
    }
}

/// Deletes the probes of `context.run` where `watching` looks. Nothing is told to the journal.
pub async fn erase(watching: &Watching, context: &Context) -> Cleaned {
    let erased = match &watching.collector.looks {
        Looks::Imap(settings) => imap::erase(settings, context).await,
        Looks::Maildir(path) => maildir::erase(path, watching, context).await,
        Looks::Mbox(_) => Ok(Erased::never("an mbox file is not written: a mail server may be adding to it")),
        Looks::Pop3(_) => Ok(Erased::never("a mailbox is only read over POP3: name its IMAP server instead")),
        Looks::Jmap(_) => Ok(Erased::never("a mailbox is only read over JMAP: name its IMAP server instead")),
        Looks::Catcher(_) => Ok(Erased::never("a catcher keeps what it has caught")),
        Looks::Log(_) | Looks::Syslog(_) => Ok(Erased::never("a log holds no message")),
    };
    let erased = erased.unwrap_or_else(|Trouble { what, help }| {
        let why = help.map_or_else(|| what.clone(), |help| format!("{what}; {help}"));
        Erased { state: CleanedState::Failed, messages: vec![], why }
    });
    let Erased { state, messages, why } = erased;
    let (platform, collector) = (watching.platform.to_string(), watching.collector.label());
    Cleaned { platform, collector, state, messages, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::testing::{Bench, bounce_of, message_of};
    use crate::record::RunId;

    #[tokio::test]
    async fn a_maildir_loses_this_runs_probes_and_nothing_else() {
        let (folder, bench) = (tempfile::tempdir().expect("a folder"), Bench::new());
        for part in ["new", "cur", "tmp", ".Junk/new", ".Junk/cur"] {
            std::fs::create_dir_all(folder.path().join(part)).expect("made");
        }
        let other = RunId::from_entropy(9).probe(1);
        for (name, text) in [
            ("new/1.host", message_of(&bench.run.probe(1), "A1")),
            ("cur/2.host:2,S", message_of(&bench.run.control(1), "A2")),
            (".Junk/new/3.host", message_of(&bench.run.probe(2), "A3")),
            ("new/4.host", bounce_of(&bench.run.probe(1))),
            ("new/5.host", message_of(&other, "A5")),
            ("new/6.host", format!("Subject: about {}\n\nbody\n", bench.run.probe(1))),
        ] {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        let cleaned = bench.erase(Looks::Maildir(folder.path().to_owned())).await;
        assert_eq!((cleaned.state, cleaned.messages.len()), (CleanedState::Deleted, 3), "{cleaned:?}");
        let left: Vec<bool> =
            ["new/1.host", "cur/2.host:2,S", ".Junk/new/3.host", "new/4.host", "new/5.host", "new/6.host"]
                .map(|name| folder.path().join(name).exists())
                .to_vec();
        assert_eq!(left, [false, false, false, true, true, true]);
        assert_eq!(bench.erase(Looks::Maildir(folder.path().to_owned())).await.messages, Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_is_never_deleted_is_said() {
        let cleaned = Bench::new().erase(Looks::Mbox("x".into())).await;
        assert_eq!((cleaned.state, cleaned.collector.as_str()), (CleanedState::Kept, "mbox x"));
        let gone = Bench::new().erase(Looks::Maildir("nowhere/at/all".into())).await;
        assert_eq!((gone.state, gone.messages.len()), (CleanedState::Deleted, 0), "{gone:?}");
    }
}

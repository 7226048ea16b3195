//! Taking a run's probes out of a Maildir.

use std::path::Path;
use std::{fs, io};

use super::super::erase::Erased;
use super::super::notes::Notes;
use super::super::{Context, Trouble, Watching, message};
use super::{Maildir, read_header, unreadable};
use crate::record::CleanedState;
use crate::source::plural;

/// Deletes the run's probes from the Maildir at `path` and its folders.
pub(in super::super) async fn erase(path: &Path, watching: &Watching, context: &Context) -> Result<Erased, Trouble> {
    let mut maildir = Maildir::new(path, Notes::new(watching, context));
    let erased = tokio::task::spawn_blocking(move || maildir.erase());
    erased.await.map_err(|_| Trouble::new("its reader broke down"))?
}

impl Maildir {
    fn erase(&mut self) -> Result<Erased, Trouble> {
        self.find_folders()?;
        let (mut messages, mut refused) = (vec![], vec![]);
        for folder in &self.folders {
            for (_, path) in folder.list()? {
                match remove_probe(&path, &self.notes) {
                    Ok(Found::Probe) => messages.push(path.display().to_string()),
                    Ok(Found::Other) => {}
                    Err(error) => refused.push(format!("`{}` cannot be deleted: {error}", path.display())),
                }
            }
        }
        let why = format!("{} deleted", plural(messages.len(), "message"));
        match refused.first() {
            None => Ok(Erased { state: CleanedState::Deleted, messages, why }),
            Some(first) => {
                let why = format!("{why}, {} not: {first}", refused.len());
                Ok(Erased { state: CleanedState::Failed, messages, why })
            }
        }
    }
}

/// Whether a file was a probe of the run; then it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Probe,
    Other,
}

fn remove_probe(path: &Path, notes: &Notes) -> Result<Found, io::Error> {
    let header = match read_header(path) {
        Ok((header, _)) => header,
        // A mail program moved or deleted it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Other),
        Err(error) => return Err(io::Error::other(unreadable(path, &error).what)),
    };
    if message::read(&header, notes.run()).is_none() {
        return Ok(Found::Other);
    }
    fs::remove_file(path).map(|()| Found::Probe)
}

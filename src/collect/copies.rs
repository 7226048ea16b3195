//! Which stored messages were noted already.

use std::collections::HashMap;

use super::message::Fingerprint;

/// Counts the copies of each delivery, folder by folder.
///
/// A message that is moved to another folder, or that is there again after the store numbered its
/// messages anew, is the same copy. Two messages of one fingerprint in one folder are two.
#[derive(Debug, Default)]
pub(super) struct Copies {
    there: HashMap<String, HashMap<Fingerprint, u32>>,
    noted: HashMap<Fingerprint, u32>,
}

impl Copies {
    /// Counts a message of `folder`; `Some` where it is a copy that was not noted before.
    pub(super) fn count(&mut self, folder: &str, message: Fingerprint) -> Option<()> {
        let folder = match self.there.get_mut(folder) {
            Some(folder) => folder,
            None => self.there.entry(folder.to_owned()).or_default(),
        };
        let here = folder.entry(message).or_default();
        *here += 1;
        let noted = self.noted.entry(message).or_default();
        (*here > *noted).then(|| *noted = *here)
    }

    /// The folder is going to be counted anew, from its start.
    pub(super) fn recount(&mut self, folder: &str) {
        self.there.remove(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::message;
    use crate::record::{RunId, TAG_HEADER};

    fn print(id: &str) -> Fingerprint {
        let run = RunId::from_entropy(1);
        let text = format!("Received: from a by b with ESMTP id {id};\n{TAG_HEADER}: {}\n\n", run.probe(1));
        message::read(text.as_bytes(), &run).expect("a probe").fingerprint
    }

    #[test]
    fn a_move_is_no_copy_and_a_second_delivery_is_one() {
        let mut copies = Copies::default();
        assert!(copies.count("INBOX", print("1")).is_some());
        assert!(copies.count("Junk", print("1")).is_none(), "moved");
        assert!(copies.count("INBOX", print("2")).is_some(), "delivered again");
        assert!(copies.count("INBOX", print("1")).is_some(), "twice in one folder");
    }

    #[test]
    fn a_recount_finds_the_same_copies_and_no_more() {
        let mut copies = Copies::default();
        assert!(copies.count("INBOX", print("1")).is_some());
        copies.recount("INBOX");
        assert!(copies.count("INBOX", print("1")).is_none());
        assert!(copies.count("INBOX", print("1")).is_some());
    }
}

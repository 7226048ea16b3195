//! rspamd: ties a Message-ID to the MTA's queue-id, and says nothing of where the message went.
//!
//! ```text
//!   … rspamd_task_write_log: id: <message-id>, qid: <queue-id>, ip: …, user: …, from: <…>, …   Names
//! ```

use super::told::{Told, What, angle};
use super::wrapper::Entry;

/// What a line of rspamd tells.
pub(super) fn read(entry: &Entry<'_>) -> Option<Told> {
    let (_, rest) = entry.text.split_once("id: <")?;
    let (message_id, rest) = angle(&entry.text[entry.text.len() - rest.len() - 1..])?;
    let (queue_id, _) = angle(rest.strip_prefix(", qid: ")?)?;
    (!queue_id.is_empty() && message_id != "undef").then(|| Told::of(queue_id, What::Names(format!("<{message_id}>"))))
}

#[cfg(test)]
mod tests {
    use super::super::testing::entry;
    use super::*;

    #[test]
    fn a_queue_id_gets_its_message_id() {
        let line = "2026-11-21 05:42:24 #17(normal) <a1b2c3>; task; rspamd_task_write_log: id: <a@x>, qid: <04D5B9CE948>, ip: 10.0.0.1, from: <s@x>, (default: F (no action): [0.1/15.0] [X(0.1){}]), len: 767";
        assert_eq!(read(&entry(line)), Some(Told::of("04D5B9CE948", What::Names("<a@x>".into()))));
        assert_eq!(
            read(&entry("2026-11-21 05:42:24 #17(normal) <a1b2c3>; task; id: <undef>, qid: <04D5B9CE948>")),
            None
        );
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(rest in "(id: <[a-z@]{0,4}>?)?(, qid: <)?\\PC{0,20}") {
            let _ = read(&entry(&rest));
        }
    }
}

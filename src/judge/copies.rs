//! How many copies of a probe are at rest.
//!
//! Several collectors may see one and the same copy: a mailbox shows it, and the log of the server
//! that put it there tells of it. Counting them twice would invent a duplicate, counting them as
//! one would hide it.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::Landed;

/// How many copies these sightings are, over all platforms.
pub(super) fn count(landed: &[Landed]) -> u32 {
    let mut platforms: BTreeMap<&str, Vec<&Landed>> = BTreeMap::new();
    for one in landed {
        platforms.entry(one.platform.as_str()).or_default().push(one);
    }
    platforms.values().map(|seen| at_platform(seen)).sum()
}

/// Copies at one platform: those in stores, or those that logs tell of, whichever are more. A log
/// names no more copies than there are, but a mailbox may be one that nobody watches.
fn at_platform(seen: &[&Landed]) -> u32 {
    let (logs, stores): (Vec<&Landed>, Vec<&Landed>) = seen.iter().partition(|one| one.received.is_empty());
    in_stores(&stores).max(in_logs(&logs))
}

/// Copies in mailboxes. Two collectors that see the same chain of `Received:` headers see the same
/// copy; one collector that sees a chain twice sees two.
fn in_stores(seen: &[&Landed]) -> u32 {
    let mut by_chain: BTreeMap<&[String], BTreeMap<&str, u32>> = BTreeMap::new();
    for one in seen {
        *by_chain.entry(&one.received).or_default().entry(&one.collector).or_default() += 1;
    }
    by_chain.values().filter_map(|collectors| collectors.values().max()).sum()
}

/// Copies that logs tell of: one for each queue-id of a host. Queue-ids of one host's log are
/// unique; a line without one counts by itself.
fn in_logs(seen: &[&Landed]) -> u32 {
    let mut ids: BTreeSet<(Option<&str>, &str)> = BTreeSet::new();
    for one in seen {
        let id = one.queue_id.as_deref().unwrap_or(&one.detail);
        ids.insert((one.host.as_deref(), id));
    }
    ids.len() as u32
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::record::{Placement, RunId};

    fn landed(platform: &str, collector: &str, id: &str, received: &[&str]) -> Landed {
        Landed {
            tag: RunId::from_entropy(1).probe(1),
            platform: platform.to_owned(),
            host: Some("mx1.new.example".to_owned()),
            collector: collector.to_owned(),
            at: Timestamp::UNIX_EPOCH,
            queue_id: Some(id.to_owned()),
            detail: format!("{collector} {id}"),
            placement: Placement::Inbox,
            received: received.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    #[test]
    fn a_mailbox_and_a_log_that_see_one_copy_count_it_once() {
        assert_eq!(count(&[landed("new", "imap", "A", &["by mx1 id A"]), landed("new", "log", "A", &[])]), 1);
    }

    #[test]
    fn two_chains_are_two_copies_and_so_is_one_chain_twice() {
        let two = [landed("new", "imap", "A", &["by mx1 id A"]), landed("new", "imap", "B", &["by mx1 id B"])];
        assert_eq!(count(&two), 2);
        let twice = [landed("new", "imap", "A", &["by mx1 id A"]), landed("new", "imap", "A", &["by mx1 id A"])];
        assert_eq!(count(&twice), 2);
        let seen_by_two =
            [landed("new", "imap", "A", &["by mx1 id A"]), landed("new", "maildir", "A", &["by mx1 id A"])];
        assert_eq!(count(&seen_by_two), 1);
    }

    #[test]
    fn platforms_add_up() {
        assert_eq!(count(&[landed("new", "log", "A", &[]), landed("legacy", "log", "A", &[])]), 2);
    }
}

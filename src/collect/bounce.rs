//! Notifications about a probe that came back to its reverse-path: whose they are, and what they say.
//!
//! A notification is no copy of the probe, wherever it lies; it is noted as what it is.

use crate::mail::dsn::{self, Report};
use crate::record::{RunId, TAG_HEADER, Tag, find_tags};

/// The most that is read of a message that may be a notification, in bytes.
pub(super) const MAX_BOUNCE: usize = dsn::MAX_REPORT;

/// Whether this header block is that of a notification, so that its body has to be read.
pub(super) fn may_be(header: &[u8]) -> bool {
    dsn::is_announced(header)
}

/// Reads a notification about a probe of `run`; none where it is about something else.
pub(super) fn read(message: &[u8], run: &RunId) -> Option<(Tag, Report)> {
    let report = dsn::read(message)?;
    let tag = tag(&report, run)?;
    Some((tag, report))
}

/// The tag of the probe: from its own fields, where they came back; else from the address that the
/// notification was sent to (`mxdrill+TAG@…`), or from the envelope's id.
fn tag(report: &Report, run: &RunId) -> Option<Tag> {
    let lines = || report.returned.lines().map(str::trim);
    let field = |name: &str| {
        lines().find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then(|| find_tags(value, run.as_str()).next())?
        })
    };
    let addressed = || report.addressed.iter().find_map(|to| find_tags(to, run.as_str()).next());
    let envelope = || find_tags(report.envelope_id.as_deref()?, run.as_str()).next();
    field(TAG_HEADER).or_else(|| field("message-id")).or_else(addressed).or_else(envelope)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::collect::testing::{Bench, bounce_of, message_of};
    use crate::inventory::Looks;
    use crate::record::{ReportedAction, Returned};

    fn run() -> RunId {
        "7k3f9x2mqa01".parse().expect("a run")
    }

    fn sample(name: &str) -> String {
        let path = format!("{}/tests/data/dsn/{name}.eml", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).expect("a sample")
    }

    #[test]
    fn the_probe_is_known_by_what_came_back() {
        let (tag, _) = read(sample("gmail-failed").as_bytes(), &run()).expect("ours");
        assert_eq!(tag, run().probe(12));
        assert_eq!(read(sample("gmail-failed").as_bytes(), &RunId::from_entropy(1)), None, "another run's");
    }

    #[test]
    fn the_probe_is_known_by_the_address_where_nothing_came_back() {
        let text =
            sample("postfix-failed").replace("X-Mxdrill-Tag", "X-Other").replace("Message-ID: <7k3f", "Message-ID: <x");
        assert_eq!(read(text.as_bytes(), &run()).map(|(tag, _)| tag), Some(run().probe(12)));
        let nowhere = text.replace("mxdrill+7k3f9x2mqa01-00012", "mxdrill");
        assert_eq!(read(nowhere.as_bytes(), &run()), None);
        let envelope = sample("sendmail-expanded")
            .replace("mxdrill+7k3f9x2mqa01-00012", "mxdrill")
            .replace("X-Mxdrill-Tag", "X-Other")
            .replace("Message-ID: <7k3f", "Message-ID: <x");
        assert_eq!(read(envelope.as_bytes(), &run()).map(|(tag, _)| tag), Some(run().probe(12)));
    }

    fn noted(bench: &Bench) -> Vec<(String, ReportedAction, String, String)> {
        let status = |it: &Returned| it.status.map(|it| it.to_string()).unwrap_or_default();
        bench.returned().into_iter().map(|it| (it.tag.short(), it.action, status(&it), it.detail)).collect()
    }

    #[tokio::test]
    async fn a_notification_in_a_maildir_is_no_copy() {
        let (folder, bench) = (tempfile::tempdir().expect("a folder"), Bench::new());
        for part in ["new", "cur", "tmp"] {
            std::fs::create_dir(folder.path().join(part)).expect("made");
        }
        let collecting = bench.open(Looks::Maildir(folder.path().to_owned())).await.expect("it opens");
        let path = folder.path().join("new/1.M1.host");
        std::fs::write(folder.path().join("tmp/1.M1.host"), bounce_of(&bench.run.probe(2))).expect("written");
        std::fs::rename(folder.path().join("tmp/1.M1.host"), &path).expect("delivered");
        collecting.look().await.expect("it looks");
        collecting.look().await.expect("it looks");
        collecting.close().await;
        let expected = ("2".to_owned(), ReportedAction::Failed, "5.1.1".to_owned(), path.display().to_string());
        assert_eq!(noted(&bench), [expected]);
        assert!(bench.landed().is_empty());
        let returned = bench.returned().remove(0);
        assert_eq!(returned.remote_mta.as_deref(), Some("mx1.new.example"));
        assert!(returned.diagnostic.ends_with("User unknown in virtual mailbox table"), "{}", returned.diagnostic);
    }

    #[tokio::test]
    async fn a_notification_in_an_mbox_is_read_with_its_last_line() {
        let (folder, bench) = (tempfile::tempdir().expect("a folder"), Bench::new());
        let path = folder.path().join("mbox");
        std::fs::write(&path, "").expect("made");
        let collecting = bench.open(Looks::Mbox(path.clone())).await.expect("it opens");
        let entry = |text: &str| format!("From MAILER-DAEMON  Sat Nov 21 05:16:35 2026\n{text}\n");
        let probe = message_of(&bench.run.probe(3), "A3");
        let whole = entry(&bounce_of(&bench.run.probe(2)));
        let half = whole.len() - 40;
        std::fs::write(&path, &whole[..half]).expect("written");
        collecting.look().await.expect("it looks");
        assert!(bench.returned().is_empty(), "its last part is not whole");
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(format!("{}{}", &whole[half..], entry(&probe)).as_bytes()))
            .expect("written");
        collecting.look().await.expect("it looks");
        collecting.close().await;
        let detail = format!("{}:1", path.display());
        assert_eq!(noted(&bench), [("2".to_owned(), ReportedAction::Failed, "5.1.1".to_owned(), detail)]);
        assert_eq!(bench.landed().into_iter().map(|it| it.tag.short()).collect::<Vec<_>>(), ["3"]);
    }
}

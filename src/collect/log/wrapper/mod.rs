//! What stands before an MTA's own words: wrappers of log daemons and of containers.
//!
//! ```text
//!   line ──> parts (containers: joined) ──> frame (PRI, stamp, host, program) ──> Entry
//! ```
//!
//! | shape | seen with |
//! |---|---|
//! | `Nov 21 05:42:24 mx1 postfix/smtpd[114]: …` | RFC 3164: classic syslog, Postfix's own postlogd |
//! | `2026-11-21T05:42:24.004932+00:00 mx1 postfix/smtpd[114]: …` | rsyslog of Debian 12 and later |
//! | `<22>1 2026-11-21T05:42:24Z mx1 postfix/smtpd 114 - - …` | RFC 5424 |
//! | `83 <22>1 …` | octet counting (RFC 6587) |
//! | `2026-11-21 05:42:24 …`, ` [1234]`, ` +0100` | Exim's own files |
//! | `@4000000065…` | multilog of daemontools and s6 (TAI64N) |
//! | `{"__REALTIME_TIMESTAMP":…,"MESSAGE":…}` | `journalctl -o json` |
//! | `{"log":…,"stream":…,"time":…}` | Docker's json-file, long lines in parts |
//! | `2026-11-21T05:42:24Z stdout F …` | Kubernetes (CRI), long lines in parts |
//! | `mx1-1  \| …` | `docker compose logs` |
//!
//! What is inside of a container's wrapper may be wrapped again. Nothing is looked up, and what is
//! kept between lines is bounded. Years and zones that are missing are
//! [`super::super::stamp::Zone`]'s business.

mod container;
mod frame;

use std::borrow::Cow;

use super::super::stamp::Stamp;
pub(super) use container::Parts;
pub(in crate::collect) use frame::classic;
pub(super) use frame::counted;

/// A line without its wrappers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::collect) struct Entry<'a> {
    /// The innermost stamp.
    pub(in crate::collect) stamp: Option<Stamp>,
    /// The machine that wrote it, by its own name.
    pub(in crate::collect) host: Option<Cow<'a, str>>,
    /// The program, such as `postfix/smtpd`; absent in a file that one program writes.
    pub(in crate::collect) program: Option<Cow<'a, str>>,
    /// What stands in brackets behind the program: its process id, or dma's queue-id.
    pub(in crate::collect) pid: Option<Cow<'a, str>>,
    pub(in crate::collect) text: Cow<'a, str>,
    /// The line with its stamp, where a file of one program has nothing else before the text.
    pub(in crate::collect) whole: Option<&'a str>,
}

/// A line as far as it can be told by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Peeled<'a> {
    /// Complete.
    Entry(Entry<'a>),
    /// A part of a line, of which the rest follows.
    Part,
}

/// Takes the wrappers off a line that stands by itself; `None` where there is no stamp.
pub(in crate::collect) fn peel(line: &str) -> Option<Entry<'_>> {
    match Parts::default().peel(line) {
        Peeled::Entry(entry) if entry.stamp.is_some() => Some(entry),
        _ => None,
    }
}

impl Entry<'_> {
    /// The last part of the program's name: `smtpd` of `postfix/submission/smtpd`.
    pub(super) fn program_part(&self) -> Option<&str> {
        self.program.as_deref()?.rsplit('/').next()
    }

    /// The same, without any borrowing.
    fn into_owned(self) -> Entry<'static> {
        Entry {
            stamp: self.stamp,
            host: self.host.map(|it| Cow::Owned(it.into_owned())),
            program: self.program.map(|it| Cow::Owned(it.into_owned())),
            pid: self.pid.map(|it| Cow::Owned(it.into_owned())),
            text: Cow::Owned(self.text.into_owned()),
            whole: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (Option<&str>, Option<&str>, &str) {
        let entry = Box::leak(Box::new(peel(line).expect("a line")));
        (entry.host.as_deref(), entry.program.as_deref(), &entry.text)
    }

    #[test]
    fn wrappers_are_taken_off() {
        let postfix = (Some("mx1"), Some("postfix/smtpd"), "04D5B9CE948: client=a[1.2.3.4]");
        for line in [
            "Nov 21 05:42:24 mx1 postfix/smtpd[114]: 04D5B9CE948: client=a[1.2.3.4]",
            "Nov  1 05:42:24 mx1 postfix/smtpd[114]: 04D5B9CE948: client=a[1.2.3.4]",
            "<22>Nov 21 05:42:24 mx1 postfix/smtpd[114]: 04D5B9CE948: client=a[1.2.3.4]",
            "2026-11-21T05:42:24.004932+00:00 mx1 postfix/smtpd[114]: 04D5B9CE948: client=a[1.2.3.4]",
            "2026-11-21T05:42:24+00:00 mx1 postfix/smtpd: 04D5B9CE948: client=a[1.2.3.4]",
            "<22>1 2026-11-21T05:42:24Z mx1 postfix/smtpd 114 - - 04D5B9CE948: client=a[1.2.3.4]",
            "<22>1 2026-11-21T05:42:24Z mx1 postfix/smtpd 114 x [a@1 b=\"]\\\"\"][c@2] \u{feff}04D5B9CE948: client=a[1.2.3.4]",
            "89 <22>Nov 21 05:42:24 mx1 postfix/smtpd[114]: 04D5B9CE948: client=a[1.2.3.4]",
            "\0\0\0Nov 21 05:42:24 mx1 postfix/smtpd[114]: 04D5B9CE948: client=a[1.2.3.4]",
            "Nov 21 05:42:24 mx1 postfix/smtpd[114]: message repeated 2 times: [ 04D5B9CE948: client=a[1.2.3.4]]",
        ] {
            assert_eq!(parts(line), postfix, "{line}");
        }
        let exim = (None, None, "1xUdrk-00004T-18 Completed");
        for line in [
            "2026-11-21 05:42:24 1xUdrk-00004T-18 Completed",
            "2026-11-21 05:42:24.123 +0000 [77] 1xUdrk-00004T-18 Completed",
        ] {
            assert_eq!(parts(line), exim, "{line}");
        }
        assert_eq!(
            parts("Nov 21 05:42:24 mx exim[77]: 1xUdrk-00004T-18 Completed"),
            (Some("mx"), Some("exim"), "1xUdrk-00004T-18 Completed")
        );
        assert_eq!(peel("no stamp here: x"), None);
    }

    #[test]
    fn an_exim_line_with_a_colon_has_no_host() {
        let line = "2026-11-21 05:42:25 1xUdrl-00004x-18 H=mx1 [10.99.1.49]:25: Remote host closed connection";
        assert_eq!(parts(line).0, None);
        let line = "2026-11-21 05:42:25 1xUdrl-00004x-18 Message is frozen: yes";
        assert_eq!(parts(line).0, None, "{:?}", parts(line));
    }
}

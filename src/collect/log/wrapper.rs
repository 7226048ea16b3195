//! What a log daemon puts before an MTA's own words.
//!
//! | shape | seen with |
//! |---|---|
//! | `Nov 21 05:42:24 mx1 postfix/smtpd[114]: …` | RFC 3164: classic syslog, Postfix's own postlogd |
//! | `2026-11-21T05:42:24.004932+00:00 mx1 postfix/smtpd[114]: …` | rsyslog of Debian 12 and later |
//! | `2026-11-21 05:42:24 …`, ` [1234]`, ` +0100` | Exim's own files |
//!
//! A `<PRI>` may come first. Years and zones that are missing are [`super::super::stamp::Zone`]'s
//! business.

use super::super::stamp::{self, Stamp};

/// A line without its wrapper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::collect) struct Entry<'a> {
    pub(in crate::collect) stamp: Stamp,
    /// The machine that wrote it, by its own name.
    pub(in crate::collect) host: Option<&'a str>,
    /// The program, such as `postfix/smtpd`; absent in a file that one program writes.
    pub(in crate::collect) program: Option<&'a str>,
    pub(in crate::collect) text: &'a str,
}

/// Takes the wrapper off; `None` where there is no stamp.
pub(in crate::collect) fn peel(line: &str) -> Option<Entry<'_>> {
    let (stamp, rest) = stamp::leading(without_priority(line))?;
    Some(match syslog(rest) {
        Some((host, program, text)) => Entry { stamp, host: Some(host), program: Some(program), text },
        None => Entry { stamp, host: None, program: None, text: without_pid(rest) },
    })
}

fn without_priority(line: &str) -> &str {
    match line.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((number, rest)) if number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => line,
    }
}

/// `host program[pid]: text`; the pid may be missing.
fn syslog(rest: &str) -> Option<(&str, &str, &str)> {
    let (host, rest) = rest.split_once(' ')?;
    let (tag, text) = rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|tag| (tag, "")))?;
    let program = match tag.split_once('[') {
        Some((program, pid)) if pid.strip_suffix(']').is_some_and(|pid| pid.bytes().all(|it| it.is_ascii_digit())) => {
            program
        }
        Some(_) => return None,
        None => tag,
    };
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./_-@".contains(&byte));
    (!program.is_empty() && !host.is_empty() && plain(host) && plain(program)).then_some((host, program, text))
}

/// Exim's `[1234] `, where it logs its process id.
fn without_pid(text: &str) -> &str {
    match text.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((pid, rest)) if pid.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (Option<&str>, Option<&str>, &str) {
        let entry = peel(line).expect("a line");
        (entry.host, entry.program, entry.text)
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

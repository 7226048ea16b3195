//! One syslog message as the line that `log/` reads: `STAMP HOST PROGRAM[PID]: TEXT`.
//!
//! | what comes | seen with |
//! |---|---|
//! | `<22>Nov 21 05:42:24 mx1 postfix/smtpd[7]: …` | RFC 3164: rsyslog, syslog-ng |
//! | `<22>Nov 21 05:42:24 postfix/smtpd[7]: …` | local daemons; the host is missing, so it is the peer |
//! | `<22>postfix/smtpd[7]: …` | busybox; the stamp is missing too (RFC 3164 4.3.3): now |
//! | `<22>1 2026-11-21T05:42:24Z mx1 postfix/smtpd 7 - - …` | RFC 5424 |
//! | `<30>Nov 21 05:42:24 box docker[1]: Nov 21 05:42:24 mx1 postfix/smtpd[7]: …` | a container's output: the inner line counts |

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use super::super::super::log::wrapper;
use super::super::super::stamp;
use crate::inventory::Syslog;

/// Whose lines count.
#[derive(Debug)]
pub(super) struct Writers {
    hosts: Vec<String>,
    from: Vec<IpNet>,
}

/// A message, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    /// As it was written; none where the message has none.
    stamp: Option<&'a str>,
    host: Option<&'a str>,
    /// With its process id.
    program: String,
    text: &'a str,
}

impl Writers {
    pub(super) fn of(settings: &Syslog) -> Self {
        Self { hosts: settings.hosts.clone(), from: settings.from.clone() }
    }

    /// Whether lines are taken from there.
    pub(super) fn may_send(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.from.is_empty() || self.from.iter().any(|network| network.contains(&peer))
    }

    /// The line of a message that came from `peer` at `now`; none where its writer does not count.
    pub(super) fn line(&self, message: &str, peer: IpAddr, now: Timestamp) -> Option<String> {
        if !self.may_send(peer) {
            return None;
        }
        // A line break inside of a message would begin another line.
        let message = message.replace(['\r', '\n', '\0'], " ");
        let body = without_priority(&message);
        let parts = modern(body).unwrap_or_else(|| classic(body));
        let parts = inner(&parts).unwrap_or(parts);
        let peer = peer.to_canonical().to_string();
        let host = self.named(parts.host.unwrap_or(&peer))?;
        let now = now.to_string();
        let stamp = parts.stamp.unwrap_or(&now);
        let text = parts.text;
        Some(match parts.program.is_empty() {
            true => format!("{stamp} {host} {text}"),
            false => format!("{stamp} {host} {}: {text}", parts.program),
        })
    }

    /// The host by the inventory's name, if its lines count: `mx1` stands for `mx1.new.example`.
    fn named<'a>(&'a self, host: &'a str) -> Option<&'a str> {
        let same = |known: &&String| {
            let first = known.split('.').next().unwrap_or(known);
            known.eq_ignore_ascii_case(host.trim_end_matches('.')) || first.eq_ignore_ascii_case(host)
        };
        if self.hosts.is_empty() { Some(host) } else { self.hosts.iter().find(same).map(String::as_str) }
    }
}

fn without_priority(message: &str) -> &str {
    match message.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((number, rest)) if number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => message,
    }
}

/// RFC 5424 6: `1 STAMP HOST APP PROCID MSGID DATA TEXT`, `-` for what is missing.
fn modern(body: &str) -> Option<Parts<'_>> {
    let mut rest = body.strip_prefix("1 ")?;
    let mut word = || {
        let (word, after) = rest.split_once(' ')?;
        rest = after;
        Some(word)
    };
    let (stamp, host, app, pid, _id) = (word()?, word()?, word()?, word()?, word()?);
    let text = after_data(rest)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let given = |word: &'_ str| (word != "-").then(|| word.to_owned());
    let program = match (given(app), given(pid)) {
        (Some(app), Some(pid)) if pid.bytes().all(|byte| byte.is_ascii_digit()) => format!("{app}[{pid}]"),
        (app, _) => app.unwrap_or_default(),
    };
    let stamp = (stamp != "-").then_some(stamp).filter(|stamp| stamp::leading(stamp).is_some());
    Some(Parts { stamp, host: (host != "-").then_some(host), program, text })
}

/// What follows the structured data: `-`, or `[id a="b\"]"]…`.
fn after_data(rest: &str) -> Option<&str> {
    if let Some(text) = rest.strip_prefix('-') {
        return Some(text.strip_prefix(' ').unwrap_or(text));
    }
    let (mut quoted, mut escaped, mut depth) = (false, false, 0usize);
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' if !quoted => depth += 1,
            b']' if !quoted => depth = depth.saturating_sub(1),
            b' ' if !quoted && depth == 0 => return (at > 0).then(|| &rest[at + 1..]),
            _ => {}
        }
    }
    (depth == 0 && !quoted).then_some("")
}

/// RFC 3164 4.1, of which stamp and host may be missing.
fn classic(body: &str) -> Parts<'_> {
    let (stamp, rest) = match stamp::leading(body) {
        Some((_, rest)) => (Some(body[..body.len() - rest.len()].trim_end()), rest),
        None => (None, body),
    };
    let first = rest.split(' ').next().unwrap_or_default();
    let is_program = first.ends_with(':');
    let (host, rest) = match rest.split_once(' ') {
        Some((host, rest)) if stamp.is_some() && !is_program => (Some(host), rest),
        _ => (None, rest),
    };
    match rest.split_once(": ") {
        Some((program, text)) if !program.contains(' ') => Parts { stamp, host, program: program.to_owned(), text },
        _ => Parts { stamp, host, program: String::new(), text: rest },
    }
}

/// The line inside of a message whose text is a line of a log itself. Its writer knows better than
/// whoever passed it on; where it does not name itself, the outer one does.
fn inner<'a>(outer: &Parts<'a>) -> Option<Parts<'a>> {
    let entry = wrapper::classic(outer.text)?;
    let (_, rest) = stamp::leading(outer.text)?;
    let stamp = outer.text[..outer.text.len() - rest.len()].trim_end();
    match (entry.host, entry.program) {
        (Some(host), Some(program)) => {
            Some(Parts { stamp: Some(stamp), host: Some(host), program: program.to_owned(), text: entry.text })
        }
        _ => Some(Parts { stamp: Some(stamp), host: outer.host, program: outer.program.clone(), text: entry.text }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T05:42:30Z".parse().expect("a time")
    }

    fn line(message: &str, hosts: &[&str]) -> Option<String> {
        let hosts = hosts.iter().map(ToString::to_string).collect();
        Writers { hosts, from: vec![] }.line(message, "10.0.0.7".parse().expect("an address"), now())
    }

    #[test]
    fn every_shape_becomes_a_line_of_a_log() {
        let text = "04D5B9CE948: client=a[1.2.3.4]";
        for (message, expected) in [
            ("<22>Nov 21 05:42:24 mx1 postfix/smtpd[7]: TEXT", "Nov 21 05:42:24 mx1 postfix/smtpd[7]: TEXT"),
            ("<22>Nov  1 05:42:24 postfix/smtpd[7]: TEXT", "Nov  1 05:42:24 10.0.0.7 postfix/smtpd[7]: TEXT"),
            ("<22>postfix/smtpd[7]: TEXT", "2026-11-21T05:42:30Z 10.0.0.7 postfix/smtpd[7]: TEXT"),
            (
                "<22>1 2026-11-21T05:42:24.5Z mx1 postfix/smtpd 7 - - TEXT",
                "2026-11-21T05:42:24.5Z mx1 postfix/smtpd[7]: TEXT",
            ),
            (
                "<22>1 - - postfix/smtpd - ID [a@1 b=\"x] \\\" y\"][c] \u{feff}TEXT",
                "2026-11-21T05:42:30Z 10.0.0.7 postfix/smtpd: TEXT",
            ),
            (
                "<30>Nov 21 05:42:24 box docker/c1[1]: Nov 21 05:42:23 mx1 postfix/smtpd[7]: TEXT",
                "Nov 21 05:42:23 mx1 postfix/smtpd: TEXT",
            ),
            (
                "<22>Nov 21 05:42:24 mx1 exim[7]: 2026-11-21 05:42:24 1xUdrk-00004T-18 Completed",
                "2026-11-21 05:42:24 mx1 exim[7]: 1xUdrk-00004T-18 Completed",
            ),
            (
                "2026-11-21T05:42:24+00:00 mx1 postfix/smtpd[7]: TEXT",
                "2026-11-21T05:42:24+00:00 mx1 postfix/smtpd[7]: TEXT",
            ),
        ] {
            let (message, expected) = (message.replace("TEXT", text), expected.replace("TEXT", text));
            let found = line(&message, &[]).expect("a line");
            assert_eq!(found, expected, "{message}");
            let entry = wrapper::peel(&found).expect("a line of a log");
            assert!(entry.host.is_some() && entry.program.is_some(), "{found}");
        }
    }

    #[test]
    fn a_host_is_called_by_its_name_and_others_do_not_count() {
        let hosts = ["mx1.new.example", "10.0.0.7"];
        let of =
            |message: &str| line(message, &hosts).map(|line| line.split(' ').nth(1).unwrap_or_default().to_owned());
        assert_eq!(of("<22>1 2026-11-21T05:42:24Z mx1 p - - - x").as_deref(), Some("mx1.new.example"));
        assert_eq!(of("<22>1 2026-11-21T05:42:24Z MX1.new.example. p - - - x").as_deref(), Some("mx1.new.example"));
        assert_eq!(of("<22>1 2026-11-21T05:42:24Z - p - - - x").as_deref(), Some("10.0.0.7"));
        assert_eq!(of("<22>1 2026-11-21T05:42:24Z mx2 p - - - x"), None);
    }

    #[test]
    fn a_peer_outside_of_the_networks_is_not_heard() {
        let writers = Writers { hosts: vec![], from: vec!["10.0.0.0/24".parse().expect("a network")] };
        let heard = |peer: &str| writers.line("<22>p: x", peer.parse().expect("an address"), now()).is_some();
        assert!(heard("10.0.0.9") && heard("::ffff:10.0.0.9"));
        assert!(!heard("10.0.1.9"));
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_stays_one_line(text in "(<[0-9]{1,3}>)?(1 |Nov 21 05:42:24 )?[-a-z: \\[\\]\"\\\\=\n\u{e9}]{0,60}") {
            if let Some(line) = line(&text, &[]) {
                prop_assert!(!line.contains('\n'));
            }
        }
    }
}

//! What a refusal is by its own words, where no fault of ours explains it.
//!
//! ```text
//!   450 4.2.0 … Greylisted, see …          ──> greylisting
//!   450 4.1.1 … unverified address          ──> the host asks another one about the recipient first
//!   421 4.3.2 too many connections          ──> busy
//! ```

use crate::record::{Attempt, AttemptResult};

/// Words of replies, and what a host does that speaks so: Postfix' postgrey and verify(8), Exim's
/// callouts, rspamd, milter-greylist, and the lab's own hosts.
const NATURES: &[(&[&str], &str)] = &[
    (&["greylist", "graylist", "grey-list", "gray-list", "postgrey", "greylst"], "greylisting"),
    (
        &["unverified address", "verification failed", "verify callout", "could not be asked about the recipient"],
        "it asks another host about the recipient first",
    ),
    (&["too many connections", "too many messages", "too busy", "rate limit", "throttl"], "busy"),
];

/// What a transient refusal is, if its reply tells.
pub(super) fn of(attempt: &Attempt) -> Option<&'static str> {
    if attempt.result != AttemptResult::Transient {
        return None;
    }
    let said = attempt.reply.to_lowercase();
    NATURES.iter().find(|(words, _)| words.iter().any(|word| said.contains(word))).map(|(_, nature)| *nature)
}

/// The same behind a reply that was quoted, in brackets.
pub(super) fn told(attempt: &Attempt) -> String {
    of(attempt).map(|nature| format!(" ({nature})")).unwrap_or_default()
}

/// What a probe waits for that such a refusal put off.
pub(super) fn help(attempt: &Attempt) -> Option<&'static str> {
    match of(attempt)? {
        "greylisting" => Some(
            "make `within` longer than the host's delay, or except the probes from greylisting there: each probe has \
             a reverse-path of its own, and so is new to the host",
        ),
        "busy" => Some("send more slowly: `probes: { rate: 1/m, at-once: 1 }`"),
        _ => Some("the backup cannot take mail while the host is down that it asks: let it keep a list of recipients"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Stage;

    fn answered(reply: &str) -> Attempt {
        Attempt {
            host: "mx2.new.example".to_owned(),
            address: None,
            target: crate::record::Target::Mx,
            preference: Some(20),
            proxy: None,
            result: AttemptResult::Transient,
            stage: Stage::Rcpt,
            reply: reply.to_owned(),
            status: None,
            queue_id: None,
            at: jiff::Timestamp::UNIX_EPOCH,
            ms: 1,
            round: 1,
            tls: None,
            login: None,
            recipients: vec![],
            policy: None,
        }
    }

    #[test]
    fn a_refusal_is_known_by_its_words() {
        let postgrey = "450 4.2.0 <a@b>: Recipient address rejected: Greylisted, see http://postgrey.example";
        assert_eq!(of(&answered(postgrey)), Some("greylisting"));
        let verify = "450 4.1.1 <a@b>: Recipient address rejected: unverified address: connect to mx1: timed out";
        assert_eq!(told(&answered(verify)), " (it asks another host about the recipient first)");
        assert_eq!(of(&answered("450 4.3.0 mailbox busy elsewhere")), None);
        let refused = Attempt { result: AttemptResult::Permanent, ..answered("550 greylisted forever") };
        assert_eq!(of(&refused), None, "what is final is no greylisting");
    }
}

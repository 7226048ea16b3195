//! chasquid's mail log: `ID from=sender …`.
//!
//! ```text
//!   ID from=F queued ip=ADDR to=[T T2]            Queued
//!   ID from=F to=T sent                           Tried: sent
//!   ID from=F to=T failed (temporary): error      Tried: deferred
//!   ID from=F to=T failed (permanent): error      Tried: bounced
//!   ID from=F all done                            Ends
//!   ADDR rejected from=F to=[T] - reason          Refused
//! ```
//!
//! Neither the Message-ID nor the next hop is logged: a delivery proves that the message left, or
//! that it is in a mailbox, and not where.

use super::told::{Client, Delivery, Next, Queued, Refusal, State, Told, What, quoted_status};
use super::words::socket;
use super::wrapper::Entry;

/// Whether a line looks like one of chasquid's mail log.
pub(super) fn is_one(text: &str) -> bool {
    text.split_once(' ').is_some_and(|(id, rest)| is_id(id) && rest.starts_with("from="))
        || text.split_once(" rejected from=").is_some_and(|(peer, _)| !peer.contains(' ') && socket(peer).0.is_some())
}

/// What a line of chasquid tells.
pub(super) fn read(entry: &Entry<'_>) -> Vec<Told> {
    let told = told(entry);
    // Notifications are seen for the first time when they are tried.
    let nobody = entry.text.split_once(' ').is_some_and(|(id, rest)| is_id(id) && rest.starts_with("from=<> to="));
    let id = told.as_ref().and_then(|it| it.queue_id.clone()).filter(|_| nobody);
    let notification = id.map(|id| Told::of(&id, What::Queued(Queued::default())));
    notification.into_iter().chain(told).collect()
}

fn told(entry: &Entry<'_>) -> Option<Told> {
    let (id, rest) = entry.text.split_once(' ')?;
    if let Some(refused) = rest.strip_prefix("rejected from=") {
        return refusal(refused);
    }
    let rest = rest.strip_prefix("from=").filter(|_| is_id(id))?;
    if let Some((sender, queued)) = rest.split_once(" queued ip=") {
        let (peer, recipients) = queued.split_once(" to=[")?;
        let recipients: Vec<String> =
            recipients.trim_end_matches(']').split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        let client = Client { words: peer.to_owned(), address: socket(peer).0, ..Client::default() };
        let expected = Some(recipients.len());
        let sender = bare(sender).to_owned();
        let queued = Queued { sender, client: Some(client), recipients, expected, ..Queued::default() };
        return Some(Told::of(id, What::Queued(queued)));
    }
    match rest.rsplit_once(" to=") {
        Some((_, tried)) => delivery(tried).map(|it| Told::of(id, What::Tried(it))),
        None => rest.ends_with(" all done").then(|| Told::of(id, What::Ends)),
    }
}

/// Eleven characters of base64 (64 random bits).
fn is_id(text: &str) -> bool {
    text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn bare(address: &str) -> &str {
    if address == "<>" { "" } else { address }
}

fn delivery(tried: &str) -> Option<Delivery> {
    if let Some(recipient) = tried.strip_suffix(" sent") {
        return Some(Delivery::new(recipient, State::Sent, Next::Unsaid, "queue"));
    }
    let (recipient, failed) = tried.split_once(" failed (")?;
    let (kind, error) = failed.split_once("): ")?;
    let state = match kind {
        "temporary" => State::Deferred,
        "permanent" => State::Bounced,
        _ => return None,
    };
    let code = error.match_indices(' ').find_map(|(at, _)| quoted_status(&error[at + 1..]));
    let delivery = Delivery::new(recipient, state, Next::Unsaid, "queue");
    Some(Delivery { status: code, reply: error.to_owned(), ..delivery })
}

fn refusal(rest: &str) -> Option<Told> {
    let (sender, rest) = rest.split_once(" to=[")?;
    let (recipients, reason) = rest.split_once("] - ").unwrap_or((rest, ""));
    let refusal = Refusal {
        sender: bare(sender).to_owned(),
        recipient: recipients.split(' ').next().unwrap_or_default().to_owned(),
        status: None,
        reply: reason.to_owned(),
    };
    Some(Told::unqueued(What::Refused(refusal)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, shown};
    use super::*;

    fn line(text: &str) -> String {
        format!("2026-11-21 05:09:20.147233 {text}")
    }

    #[test]
    fn outcomes_are_read() {
        assert_eq!(shown(read, &line("A4p8TU3xxW4 from=s@x to=r@y sent")), ["A4p8TU3xxW4 sent r@y somewhere"]);
        let failed = "dk7Tofnl8Hc from=s@x to=r@y failed (permanent): MAIL+RCPT 550 5.3.0 drill injected";
        assert_eq!(shown(read, &line(failed)), ["dk7Tofnl8Hc bounced r@y somewhere 5.3.0"]);
        let done = told(&entry(&line("A4p8TU3xxW4 from=s@x all done"))).expect("told");
        assert_eq!(done.what, What::Ends);
    }

    #[test]
    fn arrivals_and_refusals_are_read() {
        let told = told(&entry(&line("A4p8TU3xxW4 from=<> queued ip=127.0.0.1:52520 to=[r@y r2@y]"))).expect("told");
        let What::Queued(queued) = told.what else { panic!("{told:?}") };
        assert_eq!((queued.sender.as_str(), queued.expected), ("", Some(2)));
        let told =
            super::told(&entry(&line("10.99.0.10:56026 rejected from=s@x to=[n@y] - local user does not exist")));
        assert!(matches!(told.expect("told").what, What::Refused(it) if it.recipient == "n@y"));
        assert!(is_one("10.99.0.10:56026 rejected from=s@x to=[n@y] - local user does not exist"));
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(rest in "(from=|rejected from=)[a@ ]{0,5}( queued ip=| to=\\[?| sent| failed \\()?\\PC{0,20}") {
            let _ = read(&entry(&line(&format!("A4p8TU3xxW4 {rest}"))));
        }
    }
}

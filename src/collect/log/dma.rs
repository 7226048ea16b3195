//! dma, the DragonFly Mail Agent: the queue-id stands where other programs have their process id.
//!
//! ```text
//!   dma[QID0]  new mail from user=root uid=0 envelope_from=<…>
//!   dma[QID0]  mail to=<…> queued as QID                               Queued: a message a recipient
//!   dma[QID]   trying remote delivery to host [ip] pref 10
//!   dma[QID]   <…> delivery successful                                 Tried: sent, Ends
//!   dma[QID]   remote delivery deferred: host [ip] failed after …: reply
//!   dma[QID]   delivery failed, bouncing as QID0                       Tried: bounced, Ends
//! ```

use super::told::{Client, Delivery, Next, Queued, State, Told, What, angle};
use super::words::{Memory, peer};
use super::wrapper::Entry;

/// What is known of the messages in the queue.
#[derive(Debug, Default)]
pub(super) struct Messages {
    senders: Memory<(String, String)>,
    tries: Memory<Try>,
}

#[derive(Debug, Default)]
struct Try {
    recipient: String,
    next: Option<Next>,
    /// The last error.
    reply: String,
}

impl Messages {
    /// What a line of dma tells.
    pub(super) fn read(&mut self, entry: &Entry<'_>) -> Vec<Told> {
        let Some(id) = entry.pid.as_deref() else { return vec![] };
        let text = entry.text.as_ref();
        if let Some(rest) = text.strip_prefix("new mail from user=") {
            let (user, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let sender = rest.split_once("envelope_from=").and_then(|(_, it)| angle(it)).map_or("", |(it, _)| it);
            *self.senders.of(id) = (user.to_owned(), sender.to_owned());
            return vec![];
        }
        if let Some((recipient, rest)) = text.strip_prefix("mail to=").and_then(angle) {
            return rest
                .strip_prefix(" queued as ")
                .map(|queue_id| self.queued(id, queue_id, recipient))
                .into_iter()
                .collect();
        }
        if let Some(host) = text.strip_prefix("trying remote delivery to ") {
            let (name, address, port) = peer(host);
            self.tries.of(id).next = Some(Next::host(name.as_deref().unwrap_or_default(), address, port));
            return vec![];
        }
        self.outcome(id, text)
    }

    fn queued(&mut self, id: &str, queue_id: &str, recipient: &str) -> Told {
        self.tries.of(queue_id).recipient = recipient.to_owned();
        let (user, sender) = self.senders.get(id).cloned().unwrap_or_default();
        let client = Client { words: format!("local user {user}"), local_user: Some(user), ..Client::default() };
        let recipients = vec![recipient.to_owned()];
        let queued = Queued { sender, client: Some(client), recipients, expected: Some(1), message_id: None };
        Told::of(queue_id, What::Queued(queued))
    }

    fn outcome(&mut self, id: &str, text: &str) -> Vec<Told> {
        let ended = |delivery| vec![Told::of(id, What::Tried(delivery)), Told::of(id, What::Ends)];
        if let Some((recipient, " delivery successful")) = angle(text) {
            let next = self.tries.take(id).and_then(|it| it.next).unwrap_or(Next::Here);
            return ended(Delivery::new(recipient, State::Sent, next, "dma"));
        }
        if text.starts_with("delivery failed, bouncing as ") {
            let known = self.tries.take(id).unwrap_or_default();
            let next = known.next.unwrap_or(Next::Nowhere);
            return ended(Delivery::new(&known.recipient, State::Bounced, next, "dma").replied(&known.reply));
        }
        let error = text.strip_prefix("remote delivery ").or_else(|| text.strip_prefix("local delivery "));
        let Some(error) = error else { return vec![] };
        let known = self.tries.of(id);
        if let Some(reply) = error.strip_prefix("deferred: ") {
            let next = known.next.take().unwrap_or(Next::Nowhere);
            let delivery = Delivery::new(&known.recipient, State::Deferred, next, "dma").replied(reply);
            return vec![Told::of(id, What::Tried(delivery))];
        }
        // `remote delivery to host [ip] failed after …: reply`, `remote delivery failed: …`.
        known.reply = error.strip_prefix("to ").or_else(|| error.strip_prefix("failed: ")).unwrap_or(error).to_owned();
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, shown};
    use super::*;

    #[test]
    fn the_host_of_an_outcome_is_the_last_one_that_was_tried() {
        let mut messages = Messages::default();
        for text in [
            "dma[9d280e]: new mail from user=root uid=8 envelope_from=<s@x>",
            "dma[9d280e]: mail to=<r@y> queued as 9d280e.560d251a4f30",
            "dma[9d280e.560d251a4f30]: trying remote delivery to mx1.y [10.99.1.2] pref 10",
            "dma[9d280e.560d251a4f30]: connect to mx1.y [10.99.1.2] failed: Connection refused",
            "dma[9d280e.560d251a4f30]: trying remote delivery to mx2.y [10.99.2.2] pref 20",
        ] {
            let told = messages.read(&entry(&format!("2026-11-21T05:09:19Z h {text}")));
            assert_eq!(told.len(), usize::from(text.contains("queued as")), "{told:?}");
        }
        let line = "2026-11-21T05:09:19Z h dma[9d280e.560d251a4f30]: <r@y> delivery successful";
        assert_eq!(shown(|it| messages.read(it), line), ["9d280e.560d251a4f30 sent r@y at mx2.y 10.99.2.2 -"]);
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(rest in "(mail to=|<a> delivery|remote delivery (to|deferred: |failed: )|new mail from user=)?\\PC{0,20}") {
            let _ = Messages::default().read(&entry(&format!("2026-11-21T05:09:19Z h dma[9d280e]: {rest}")));
        }
    }
}

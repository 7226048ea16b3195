//! Courier: `key=value,…` of `courierd` and of its delivery modules.
//!
//! ```text
//!   courierd      newmsg,id=ID: dns; helo (host [ip])                        Begins
//!   courierd      started,id=ID,from=<…>,module=esmtp,host=…,addr=<…>        Queued, a recipient each
//!   courieresmtp  id=ID,from=<…>,addr=<…>: 250 2.0.0 Ok: queued as X         the reply
//!   courieresmtp  id=ID,from=<…>,addr=<…>,success: delivered: host [ip]      the next hop
//!   courieresmtp  id=ID,from=<…>,addr=<…>,status: success                    Tried
//! ```
//!
//! `completed,id=` ends a try, not the message. A notification is sent under the message's own id
//! by the module `dsn`, and is not followed.

use super::told::{Client, Delivery, Next, Queued, State, Told, What, angle};
use super::words::{Memory, peer};
use super::wrapper::Entry;

/// What is known of the tries that are under way, by message and recipient.
#[derive(Debug, Default)]
pub(super) struct Tries(Memory<Try>);

#[derive(Debug, Default)]
struct Try {
    reply: String,
    next: Option<Next>,
}

impl Tries {
    /// What a line of Courier tells.
    pub(super) fn read(&mut self, entry: &Entry<'_>) -> Vec<Told> {
        let text = entry.text.as_ref();
        let told = if let Some(rest) = text.strip_prefix("newmsg,id=") {
            begins(rest)
        } else if let Some(rest) = text.strip_prefix("started,id=") {
            queued(rest)
        } else if let Some(rest) = text.strip_prefix("id=") {
            self.tried(rest, entry.program_part().unwrap_or("courier"))
        } else {
            None
        };
        told.into_iter().collect()
    }

    fn tried(&mut self, rest: &str, program: &str) -> Option<Told> {
        let (id, rest) = rest.split_once(",from=")?;
        let (_, rest) = angle(rest)?;
        let (recipient, rest) = angle(rest.strip_prefix(",addr=")?)?;
        let key = format!("{id} {recipient}");
        if let Some(reply) = rest.strip_prefix(": ") {
            self.0.of(&key).reply = reply.to_owned();
        } else if let Some((_, delivered)) = rest.split_once("success: ") {
            self.0.of(&key).next = Some(next(delivered, program));
        } else if let Some((_, status)) = rest.split_once(",status: ") {
            let known = self.0.take(&key).unwrap_or_default();
            let (word, words) = status.split_once(' ').unwrap_or((status, ""));
            let state = match word {
                "success" => State::Sent,
                "deferred" => State::Deferred,
                "failure" => State::Bounced,
                _ => return None,
            };
            let unsaid = if state == State::Sent { Next::Unsaid } else { Next::Nowhere };
            let reply = if known.reply.is_empty() { words } else { &known.reply };
            let delivery = Delivery::new(recipient, state, known.next.unwrap_or(unsaid), program).replied(reply);
            return Some(Told::of(id, What::Tried(delivery)));
        }
        None
    }
}

/// `delivered: host [ip]`, or `Message delivered.` into a mailbox.
fn next(words: &str, program: &str) -> Next {
    match words.strip_prefix("delivered: ") {
        Some(host) => {
            let (name, address, port) = peer(host);
            Next::host(name.as_deref().unwrap_or_default(), address, port)
        }
        None if program == "courierlocal" => Next::Here,
        None => Next::Unsaid,
    }
}

fn begins(rest: &str) -> Option<Told> {
    let (id, from) = rest.split_once(": ")?;
    let words = from.strip_prefix("dns; ").unwrap_or(from);
    let (helo, inner) = words.split_once(" (").unwrap_or((words, ""));
    let (name, address, _) = peer(inner.trim_end_matches(')'));
    let client = Client { words: words.to_owned(), name, address, helo: Some(helo.to_owned()), ..Client::default() };
    Some(Told::of(id, What::Begins(client)))
}

fn queued(rest: &str) -> Option<Told> {
    let (id, rest) = rest.split_once(",from=")?;
    let (sender, rest) = angle(rest)?;
    if rest.starts_with(",module=dsn,") {
        return None;
    }
    let (_, recipient) = rest.split_once(",addr=")?;
    let recipients = vec![angle(recipient)?.0.to_owned()];
    Some(Told::of(id, What::Queued(Queued { sender: sender.to_owned(), recipients, ..Queued::default() })))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{entry, shown};
    use super::*;

    const ID: &str = "00000000009FA003.000000006B01277F.0000003A";

    fn line(text: &str) -> String {
        format!("2026-11-21T05:09:19.997462+00:00 h courieresmtp: {}", text.replace("ID", ID))
    }

    #[test]
    fn reply_and_host_are_told_with_the_status() {
        let mut tries = Tries::default();
        for text in [
            "id=ID,from=<s@x>,addr=<r@y>: 250 2.0.0 Ok: queued as 2377599974",
            "id=ID,from=<s@x>,addr=<r@y>,success: delivered: mx1.y [10.99.1.1]",
        ] {
            assert_eq!(tries.read(&entry(&line(text))), []);
        }
        let told = shown(|it| tries.read(it), &line("id=ID,from=<s@x>,addr=<r@y>,status: success"));
        assert_eq!(told, [format!("{ID} sent r@y at mx1.y 10.99.1.1 - 2.0.0 next 2377599974")]);
    }

    proptest::proptest! {
        #[test]
        fn any_line_can_be_read(rest in "(newmsg,|started,)?id=[A-F.]{0,3}(,from=<a>)?(,addr=<b>)?(,status: |: |,success: )?\\PC{0,20}") {
            let _ = Tries::default().read(&entry(&line(&rest)));
        }
    }
}

//! What the queue of an MTA says: pure readings of `postqueue -j` and `exim -bp`.

use serde::Deserialize;

use crate::scenario::ways::QueueFormat;

/// A message in a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Queued {
    /// Its queue-id.
    pub(super) id: String,
    /// Its reverse-path.
    pub(super) sender: String,
    /// The recipients that it still waits for.
    pub(super) waiting: Vec<String>,
    /// Why it waits, as far as the queue says.
    pub(super) reason: String,
    /// How sure it is that it waits.
    pub(super) waits: Waits,
}

/// Whether a message in a queue was put off. A message that is being delivered right now stands
/// there as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Waits {
    /// The queue says that it was tried, or put on hold.
    #[default]
    Surely,
    /// The queue does not tell; if it is still there at the next look, it does.
    Maybe,
    /// It is on its way.
    Not,
}

/// The messages of a queue. Lines that make no sense are left out.
pub(super) fn read(format: QueueFormat, text: &str) -> Vec<Queued> {
    match format {
        QueueFormat::Postfix => text.lines().filter_map(postfix).collect(),
        QueueFormat::Exim => exim(text),
    }
}

/// An object of `postqueue -j` (postqueue(1), "JSON OBJECT FORMAT").
#[derive(Deserialize)]
struct Object {
    queue_name: String,
    queue_id: String,
    #[serde(default)]
    sender: String,
    #[serde(default)]
    recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
struct Recipient {
    address: String,
    #[serde(default)]
    delay_reason: String,
}

fn postfix(line: &str) -> Option<Queued> {
    let object: Object = serde_json::from_str(line).ok()?;
    let said = object.recipients.iter().map(|it| it.delay_reason.trim()).find(|it| !it.is_empty());
    let put_off = said.is_some() || ["deferred", "hold", "corrupt"].contains(&object.queue_name.as_str());
    let waits = if put_off { Waits::Surely } else { Waits::Not };
    let reason = said.map_or_else(|| format!("in the {} queue", object.queue_name), str::to_owned);
    let waiting = object.recipients.into_iter().map(|it| it.address).collect();
    Some(Queued { id: object.queue_id, sender: object.sender, waiting, reason, waits })
}

/// `exim -bp`: a line with age, size, id and sender, then a line a recipient, `D` before those that
/// have it already.
fn exim(text: &str) -> Vec<Queued> {
    let mut queue: Vec<Queued> = vec![];
    for line in text.lines() {
        if let Some(queued) = exim_message(line) {
            queue.push(queued);
            continue;
        }
        let recipient = line.trim();
        let open = !recipient.is_empty() && !recipient.starts_with("D ") && !recipient.contains(' ');
        if let (true, Some(last)) = (open, queue.last_mut()) {
            last.waiting.push(recipient.to_owned());
        }
    }
    queue
}

fn exim_message(line: &str) -> Option<Queued> {
    let mut words = line.split_whitespace();
    let (age, _size, id, sender) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let timed = age.ends_with(['m', 'h', 'd']) && age.starts_with(|c: char| c.is_ascii_digit());
    let sender = sender.strip_prefix('<')?.strip_suffix('>')?;
    let frozen = line.contains("*** frozen ***");
    let reason = if frozen { "frozen" } else { "in the queue" };
    (timed && id.matches('-').count() == 2).then(|| Queued {
        id: id.to_owned(),
        sender: sender.to_owned(),
        waiting: vec![],
        reason: reason.to_owned(),
        waits: if frozen { Waits::Surely } else { Waits::Maybe },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postfix_tells_why_a_message_waits() {
        let text = concat!(
            r#"{"queue_name": "deferred", "queue_id": "4dDx5b2qYKz1", "arrival_time": 1763712000, "message_size": 1053, "#,
            r#""forced_expire": false, "sender": "mxdrill+tag@sender.example", "recipients": [{"address": "#,
            r#""mxdrill@drill.example", "delay_reason": "connect to mx1.new.example[127.77.0.2]:25: Connection refused"}]}"#,
            "\n",
            r#"{"queue_name": "active", "queue_id": "4dDx5b2qYKz2", "arrival_time": 1763712001, "message_size": 1, "#,
            r#""sender": "", "recipients": [{"address": "a@drill.example"}, {"address": "b@drill.example"}]}"#,
            "\npostqueue: warning: Mail system is down\n",
        );
        let queue = read(QueueFormat::Postfix, text);
        assert_eq!(queue.len(), 2);
        assert_eq!((queue[0].id.as_str(), queue[0].sender.as_str()), ("4dDx5b2qYKz1", "mxdrill+tag@sender.example"));
        assert!(queue[0].reason.ends_with("Connection refused"));
        assert_eq!((queue[1].waiting.len(), queue[1].reason.as_str()), (2, "in the active queue"));
        assert_eq!((queue[0].waits, queue[1].waits), (Waits::Surely, Waits::Not));
    }

    #[test]
    fn exim_lists_who_has_it_already() {
        let text = "
25m  2.9K 1vM4bA-000000005Gq-1aBc <mxdrill+tag@sender.example>
          mxdrill@drill.example
        D other@drill.example

 2d   817 0t5C6f-0000c8-00 <> *** frozen ***
          gone@sender.example
";
        let queue = read(QueueFormat::Exim, text);
        assert_eq!(queue.len(), 2);
        assert_eq!(queue[0].id, "1vM4bA-000000005Gq-1aBc");
        assert_eq!(
            (queue[0].waiting.as_slice(), queue[0].reason.as_str()),
            (["mxdrill@drill.example".to_owned()].as_slice(), "in the queue")
        );
        assert_eq!((queue[1].sender.as_str(), queue[1].reason.as_str()), ("", "frozen"));
        assert_eq!((queue[0].waits, queue[1].waits), (Waits::Maybe, Waits::Surely));
    }

    #[test]
    fn nonsense_is_an_empty_queue() {
        for format in [QueueFormat::Postfix, QueueFormat::Exim] {
            assert_eq!(read(format, "Mail queue is empty\n\n{}\n{\"queue_id\": 3}\n<html>"), vec![]);
        }
    }
}

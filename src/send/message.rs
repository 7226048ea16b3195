//! The message of a probe.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{HeaderName, HeaderValue};

use crate::mail::Address;
use crate::record::{TAG_HEADER, Tag};
use crate::world::Dice;

/// Characters in a line of filler.
const LINE: usize = 72;

/// A message could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the probe's message to `{to}` cannot be made: {why}")]
pub struct MessageError {
    to: Address,
    why: String,
}

/// The message of a probe: who sent it and why, for a person who finds it, and filler up to
/// `size` bytes. Two runs with one seed differ in the tag and the date only.
///
/// # Errors
/// Where an address cannot stand in a header.
pub fn message(
    tag: &Tag,
    from: &Address,
    to: &Address,
    size: u64,
    now: Timestamp,
    dice: Dice,
    number: u64,
) -> Result<Vec<u8>, MessageError> {
    let wrong = |why: String| MessageError { to: to.clone(), why };
    let mailbox = |address: &Address| -> Result<Mailbox, MessageError> {
        let address =
            lettre::Address::new(address.local(), address.domain()).map_err(|error| wrong(error.to_string()))?;
        Ok(Mailbox::new(None, address))
    };
    let header = |name: &'static str, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
    let message = Message::builder()
        .message_id(Some(tag.message_id()))
        .date(SystemTime::from(now))
        .from(mailbox(from)?)
        .to(mailbox(to)?)
        .subject(format!("mxdrill probe {tag}"))
        .raw_header(header(TAG_HEADER, tag.to_string()))
        // RFC 3834 5: keeps vacation notices and list servers quiet.
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        .body(text(tag))
        .map_err(|error| wrong(error.to_string()))?;
    let mut bytes = message.formatted();
    fill(&mut bytes, size, dice, number);
    Ok(bytes)
}

fn text(tag: &Tag) -> String {
    format!(
        "This is a test message of mxdrill, sent on purpose by whoever operates this mail domain\r\n\
         or its senders, to see which server receives it. It can be deleted.\r\n\
         Tag: {tag}\r\n"
    )
}

/// Adds lines until the message has `size` bytes or a few more.
fn fill(bytes: &mut Vec<u8>, size: u64, dice: Dice, number: u64) {
    let mut line = 0;
    while (bytes.len() as u64) < size {
        let mut text = String::with_capacity(LINE + 16);
        while text.len() < LINE {
            text.push_str(&format!("{:016x}", dice.draw("filler", &[number, line])));
            line += 1;
        }
        bytes.extend_from_slice(&text.as_bytes()[..LINE]);
        bytes.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunId;

    #[test]
    fn a_probe_carries_its_tag_and_has_its_size() {
        let tag = RunId::from_entropy(5).probe(3);
        let (from, to) = ("a@sender.example".parse().unwrap(), "b@drill.example".parse().unwrap());
        let make = || message(&tag, &from, &to, 4096, Timestamp::UNIX_EPOCH, Dice::new(7), 3).unwrap();
        let bytes = make();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(&format!("X-Mxdrill-Tag: {tag}\r\n")), "{text}");
        assert!(text.contains(&format!("Message-ID: {}\r\n", tag.message_id())), "{text}");
        assert!((4096..4200).contains(&bytes.len()), "{}", bytes.len());
        assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']));
        assert_eq!(bytes, make());
    }
}

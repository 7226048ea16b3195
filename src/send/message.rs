//! The message of a probe.
//!
//! ```text
//!   Wish { tag, addresses, size, form, … } ── message ──> Written { bytes, needs, subject }
//! ```
//!
//! Its tag stands in four places, since providers rewrite some of them: in the Message-ID, a header
//! of our own, the subject and the body. What says that a machine sent it stands in three, so that
//! no autoresponder and no list server answers.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::Message;
use lettre::message::dkim::DkimConfig;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MessageBuilder, MultiPart, SinglePart};

use super::Extension;
use super::template::Template;
use crate::mail::Address;
use crate::record::{TAG_HEADER, Tag};
use crate::scenario::form::Form;
use crate::world::Dice;

/// Characters in a line of filler.
const LINE: usize = 72;

/// Headers that keep vacation notices and list servers quiet: RFC 3834 5, RFC 2919, and what
/// Exchange looks for.
pub(super) const QUIET: [(&str, &str); 3] = [
    ("Auto-Submitted", "auto-generated"),
    ("List-Id", "mxdrill probes <probes.mxdrill.invalid>"),
    ("X-Auto-Response-Suppress", "All"),
];

/// A message could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the probe's message to `{to}` cannot be made: {why}")]
pub struct MessageError {
    to: Address,
    why: String,
}

/// What message is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The tag.
    pub tag: &'a Tag,
    /// Reverse-path, and From.
    pub from: &'a Address,
    /// Recipient.
    pub to: &'a Address,
    /// How many bytes it has at least; of an attachment alone, where there is one.
    pub size: u64,
    /// Its form, where there is no template.
    pub form: Form,
    /// The user's own message, in which the tag is put.
    pub template: Option<&'a Template>,
    /// How it is signed.
    pub dkim: Option<&'a DkimConfig>,
    /// When it is written.
    pub now: Timestamp,
    /// For its filler.
    pub dice: Dice,
    /// The probe's number, which its filler depends on.
    pub number: u64,
}

/// A message, and what sending it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its bytes, with CRLF line ends.
    pub bytes: Vec<u8>,
    /// Extensions without which it cannot be sent.
    pub needs: Vec<Extension>,
    /// Its subject.
    pub subject: String,
}

/// The message of a probe: who sent it and why, for a person who finds it. Two runs with one seed
/// differ in the tag, the date and a signature only.
///
/// # Errors
/// Where an address cannot stand in a header.
pub fn message(wish: &Wish<'_>) -> Result<Written, MessageError> {
    let subject = subject(wish);
    let utf8 = [wish.from, wish.to].iter().any(|it| !it.to_string().is_ascii());
    let bytes = match wish.template {
        Some(template) => template.filled(wish, &subject),
        None => built(wish, &subject)?,
    };
    let headers = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
    let mut needs = vec![];
    if !bytes[headers..].is_ascii() {
        needs.push(Extension::EightBit);
    }
    if utf8 || !bytes[..headers].is_ascii() {
        needs.push(Extension::Utf8);
    }
    Ok(Written { bytes, needs, subject })
}

fn subject(wish: &Wish<'_>) -> String {
    match wish.form {
        Form::Utf8 => format!("mxdrill probe {}: Prüfung, проверка, 検査", wish.tag),
        _ => format!("mxdrill probe {}", wish.tag),
    }
}

/// A message of our own, with filler in it until it has the wanted size.
fn built(wish: &Wish<'_>, subject: &str) -> Result<Vec<u8>, MessageError> {
    if wish.form == Form::Attachment {
        return Ok(signed(wish, multipart(wish, subject)?));
    }
    let bare = signed(wish, plain(wish, subject, 0)?);
    match wish.size.checked_sub(bare.len() as u64) {
        None | Some(0) => Ok(bare),
        Some(missing) => Ok(signed(wish, plain(wish, subject, missing)?)),
    }
}

fn signed(wish: &Wish<'_>, mut message: Message) -> Vec<u8> {
    if let Some(config) = wish.dkim {
        message.sign(config);
    }
    message.formatted()
}

fn plain(wish: &Wish<'_>, subject: &str, filler: u64) -> Result<Message, MessageError> {
    let text = format!("{}{}", text(wish), lines(wish, filler));
    let encoding = match wish.form {
        Form::EightBit | Form::Utf8 => ContentTransferEncoding::EightBit,
        Form::Plain | Form::Attachment => ContentTransferEncoding::SevenBit,
    };
    let body = Body::new_with_encoding(text, encoding);
    let body = body.map_err(|_| wrong(wish, "its text does not fit its encoding"))?;
    let part = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(body);
    head(wish, subject)?.singlepart(part).map_err(|error| wrong(wish, error))
}

fn multipart(wish: &Wish<'_>, subject: &str) -> Result<Message, MessageError> {
    // Not the library's own: its boundary is made of chance that no seed repeats.
    let boundary = format!("mxdrill-{:016x}", wish.dice.draw("boundary", &[wish.number]));
    let text = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(text(wish));
    let (size, mut bytes) = (wish.size as usize, Vec::with_capacity(wish.size as usize + 16));
    for at in 0.. {
        if bytes.len() >= size {
            break;
        }
        bytes.extend_from_slice(&wish.dice.draw("attachment", &[wish.number, at]).to_be_bytes());
    }
    bytes.truncate(size);
    let kind = ContentType::parse("application/octet-stream").map_err(|error| wrong(wish, error))?;
    let attachment = Attachment::new("mxdrill-probe.bin".to_owned()).body(bytes, kind);
    let parts = MultiPart::mixed().boundary(boundary).singlepart(text).singlepart(attachment);
    head(wish, subject)?.multipart(parts).map_err(|error| wrong(wish, error))
}

fn head(wish: &Wish<'_>, subject: &str) -> Result<MessageBuilder, MessageError> {
    let header = |name: &'static str, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
    // RFC 6532: with SMTPUTF8 headers are UTF-8 as they are, which the library would encode.
    let raw = |name: &'static str, value: String| {
        HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
    };
    let builder = Message::builder().message_id(Some(wish.tag.message_id())).date(SystemTime::from(wish.now));
    let builder = match wish.form {
        Form::Utf8 => builder
            .raw_header(raw("From", format!("mxdrill Prüfer <{}>", wish.from)))
            .raw_header(raw("To", format!("<{}>", wish.to)))
            .raw_header(raw("Subject", subject.to_owned())),
        _ => builder.from(mailbox(wish, wish.from)?).to(mailbox(wish, wish.to)?).subject(subject),
    };
    let builder = builder.envelope(envelope(wish)?).raw_header(header(TAG_HEADER, wish.tag.to_string()));
    Ok(QUIET.iter().fold(builder, |builder, (name, value)| builder.raw_header(header(name, (*value).to_owned()))))
}

fn mailbox(wish: &Wish<'_>, address: &Address) -> Result<Mailbox, MessageError> {
    Ok(Mailbox::new(None, in_header(wish, address)?))
}

/// The library asks for one where it did not write From and To itself.
fn envelope(wish: &Wish<'_>) -> Result<lettre::address::Envelope, MessageError> {
    let (from, to) = (in_header(wish, wish.from)?, in_header(wish, wish.to)?);
    lettre::address::Envelope::new(Some(from), vec![to]).map_err(|error| wrong(wish, error))
}

fn in_header(wish: &Wish<'_>, address: &Address) -> Result<lettre::Address, MessageError> {
    lettre::Address::new(address.local(), address.domain()).map_err(|error| wrong(wish, error))
}

fn wrong(wish: &Wish<'_>, why: impl ToString) -> MessageError {
    MessageError { to: wish.to.clone(), why: why.to_string() }
}

fn text(wish: &Wish<'_>) -> String {
    let more = match wish.form {
        Form::EightBit | Form::Utf8 => "Acht Bit je Zeichen: äöü ß € (8BITMIME).\r\n",
        Form::Plain | Form::Attachment => "",
    };
    format!(
        "This is a test message of mxdrill, sent on purpose by whoever operates\r\n\
         this mail domain or its senders, to see which server receives it.\r\n\
         It can be deleted.\r\n\
         {more}Tag: {}\r\n",
        wish.tag
    )
}

/// Lines of filler: this many bytes or a few more.
fn lines(wish: &Wish<'_>, bytes: u64) -> String {
    let (mut lines, mut draw) = (String::new(), 0);
    while (lines.len() as u64) < bytes {
        let mut text = String::with_capacity(LINE + 16);
        while text.len() < LINE {
            text.push_str(&format!("{:016x}", wish.dice.draw("filler", &[wish.number, draw])));
            draw += 1;
        }
        lines.push_str(&text[..LINE]);
        lines.push_str("\r\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use lettre::message::dkim::{DkimSigningAlgorithm, DkimSigningKey};

    use super::*;
    use crate::record::RunId;

    struct Case {
        tag: Tag,
        from: Address,
        to: Address,
    }

    impl Case {
        fn new() -> Self {
            let address = |text: &str| text.parse().expect("an address");
            let tag = RunId::from_entropy(5).probe(3);
            Self { tag, from: address("a@sender.example"), to: address("b@drill.example") }
        }

        fn wish(&self, form: Form, size: u64) -> Wish<'_> {
            let (now, dice) = (Timestamp::UNIX_EPOCH, Dice::new(7));
            let (tag, from, to) = (&self.tag, &self.from, &self.to);
            Wish { tag, from, to, size, form, template: None, dkim: None, now, dice, number: 3 }
        }
    }

    fn written(wish: &Wish<'_>) -> (Written, String) {
        let written = message(wish).expect("a message");
        let text = String::from_utf8(written.bytes.clone()).expect("UTF-8");
        assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
        (written, text)
    }

    #[test]
    fn a_probe_carries_its_tag_in_four_places_and_has_its_size() {
        let case = Case::new();
        let (one, text) = written(&case.wish(Form::Plain, 4096));
        for place in [
            format!("X-Mxdrill-Tag: {}\r\n", case.tag),
            format!("Message-ID: {}\r\n", case.tag.message_id()),
            format!("Subject: mxdrill probe {}\r\n", case.tag),
            format!("\r\nTag: {}\r\n", case.tag),
            "Auto-Submitted: auto-generated\r\n".to_owned(),
            "List-Id: mxdrill probes <probes.mxdrill.invalid>\r\n".to_owned(),
        ] {
            assert!(text.contains(&place), "{place}\n{text}");
        }
        assert!((4096..4200).contains(&one.bytes.len()), "{}", one.bytes.len());
        assert_eq!(one.needs, []);
        assert_eq!(one, message(&case.wish(Form::Plain, 4096)).expect("a message"));
    }

    #[test]
    fn an_attachment_has_the_size_that_was_asked_for() {
        let case = Case::new();
        let (one, _) = written(&case.wish(Form::Attachment, 100_000));
        let parsed = mail_parser::MessageParser::default().parse(&one.bytes).expect("a message");
        assert_eq!(parsed.attachment(0).map(|part| part.contents().len()), Some(100_000));
        assert!(parsed.body_text(0).expect("a text").contains(case.tag.as_str()));
        assert_eq!(one, message(&case.wish(Form::Attachment, 100_000)).expect("a message"));
    }

    #[test]
    fn eight_bits_and_utf8_need_what_they_are_called_after() {
        let case = Case::new();
        let (eight, text) = written(&case.wish(Form::EightBit, 1024));
        assert_eq!(eight.needs, [Extension::EightBit]);
        assert!(text.contains("Content-Transfer-Encoding: 8bit\r\n"), "{text}");
        let (utf8, text) = written(&case.wish(Form::Utf8, 1024));
        assert_eq!(utf8.needs, [Extension::EightBit, Extension::Utf8]);
        assert!(text.contains("Subject: mxdrill probe") && text.contains("検査\r\n"), "{text}");
        let address = Case { to: "prüfung@drill.example".parse().expect("an address"), ..Case::new() };
        assert_eq!(written(&address.wish(Form::Utf8, 0)).0.needs, [Extension::EightBit, Extension::Utf8]);
    }

    #[test]
    fn a_signature_covers_the_filler_too() {
        let case = Case::new();
        let key = DkimSigningKey::new("MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=", DkimSigningAlgorithm::Ed25519);
        let config = DkimConfig::default_config("drill".to_owned(), "sender.example".to_owned(), key.expect("a key"));
        let wish = Wish { dkim: Some(&config), ..case.wish(Form::Plain, 4096) };
        let (_, text) = written(&wish);
        let signature = text.split("DKIM-Signature: ").nth(1).expect("a signature");
        assert!(signature.contains("d=sender.example") && signature.contains("s=drill"), "{signature}");
        assert!((4096..4800).contains(&text.len()), "{}", text.len());
    }
}

//! A message of the user's own, in which the tag is put.

use std::path::Path;

use jiff::tz::TimeZone;

use super::message::{QUIET, Wish};
use crate::record::TAG_HEADER;
use crate::scenario::ways::filled_in;

/// The largest template, in bytes.
const LARGEST: u64 = 32 << 20;

/// A template: headers and body, as text with CRLF line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Each header with its continuation lines, without the last line end.
    headers: Vec<String>,
    body: String,
}

/// A template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It is larger than 32 MiB.
    #[error("it has more than 32 MiB")]
    TooLarge,
    /// It is no UTF-8.
    #[error("it is no text in UTF-8")]
    NotText,
    /// A line of its head is no header.
    #[error("line {line} is no header: `{text}`; a message begins with headers, then an empty line")]
    NotAHeader {
        /// From 1.
        line: usize,
        /// The line, cut to 60 characters.
        text: String,
    },
}

impl Template {
    /// The template in a file.
    ///
    /// # Errors
    /// Where it is no message.
    pub fn read(path: &Path) -> Result<Self, TemplateError> {
        if std::fs::metadata(path)?.len() > LARGEST {
            return Err(TemplateError::TooLarge);
        }
        let bytes = std::fs::read(path)?;
        Self::parse(&String::from_utf8(bytes).map_err(|_| TemplateError::NotText)?)
    }

    fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut headers: Vec<String> = vec![];
        let mut lines = text.lines().enumerate();
        for (at, line) in lines.by_ref() {
            if line.is_empty() {
                break;
            }
            match headers.last_mut() {
                // A line that begins with a blank goes on with the header before it (RFC 5322 2.2.3).
                Some(last) if line.starts_with([' ', '\t']) => {
                    last.push_str("\r\n");
                    last.push_str(line);
                }
                _ if is_header(line) => headers.push(line.to_owned()),
                _ => return Err(TemplateError::NotAHeader { line: at + 1, text: line.chars().take(60).collect() }),
            }
        }
        let body: String = lines.map(|(_, line)| format!("{line}\r\n")).collect();
        Ok(Self { headers, body })
    }

    /// The message: placeholders filled in, headers that a probe needs put in the place of the
    /// template's own, and the tag added to subject and body where it is not there yet.
    pub(super) fn filled(&self, wish: &Wish<'_>, subject: &str) -> Vec<u8> {
        let tag = wish.tag.as_str();
        let value = |name: &str| match name {
            "tag" => Some(tag.to_owned()),
            "recipient" => Some(wish.to.to_string()),
            "sender" => Some(wish.from.to_string()),
            "message_id" => Some(wish.tag.message_id()),
            "subject" => Some(subject.to_owned()),
            _ => None,
        };
        let date = jiff::fmt::rfc2822::to_string(&wish.now.to_zoned(TimeZone::UTC)).unwrap_or_default();
        let own = [("Message-ID", wish.tag.message_id()), ("Date", date), (TAG_HEADER, tag.to_owned())];
        let own: Vec<(&str, String)> =
            own.into_iter().chain(QUIET.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect();
        let mut out = String::new();
        for header in self.headers.iter().filter(|header| !own.iter().any(|(name, _)| is(header, name))) {
            let mut header = filled_in(header, value);
            if is(&header, "Subject") && !header.contains(tag) {
                header.push_str(&format!(" {tag}"));
            }
            out.push_str(&format!("{header}\r\n"));
        }
        let missing = [("From", wish.from.to_string()), ("To", wish.to.to_string()), ("Subject", subject.to_owned())];
        let missing = missing.into_iter().filter(|(name, _)| !self.headers.iter().any(|header| is(header, name)));
        for (name, value) in own.iter().cloned().chain(missing) {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        let body = filled_in(&self.body, value);
        out.push_str(&body);
        if !body.contains(tag) && self.is_plain_text() {
            out.push_str(&format!("Tag: {tag}\r\n"));
        }
        out.into_bytes()
    }

    /// Whether a line can be added to the body: in parts or encoded text it would be lost, or break it.
    fn is_plain_text(&self) -> bool {
        let value = |name: &str| {
            let header = self.headers.iter().find(|header| is(header, name))?;
            header.split_once(':').map(|(_, value)| value.trim().to_ascii_lowercase())
        };
        let text = value("Content-Type").is_none_or(|kind| kind.starts_with("text/plain"));
        let whole = value("Content-Transfer-Encoding").is_none_or(|it| ["7bit", "8bit"].contains(&it.as_str()));
        text && whole
    }
}

/// A name of printable characters and a colon (RFC 5322 2.2).
fn is_header(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()))
}

fn is(header: &str, name: &str) -> bool {
    header.split_once(':').is_some_and(|(own, _)| own.trim().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::record::RunId;
    use crate::scenario::form::Form;
    use crate::world::Dice;

    fn filled(text: &str) -> String {
        let (tag, now) = (RunId::from_entropy(5).probe(3), Timestamp::UNIX_EPOCH);
        let (from, to) = ("a@sender.example".parse().expect("one"), "b@drill.example".parse().expect("one"));
        let template = Template::parse(text).expect("a template");
        let (tag, from, to, dice) = (&tag, &from, &to, Dice::new(1));
        let wish = Wish {
            tag,
            from,
            to,
            size: 0,
            form: Form::Plain,
            template: Some(&template),
            dkim: None,
            now,
            dice,
            number: 1,
        };
        String::from_utf8(template.filled(&wish, "a subject")).expect("UTF-8")
    }

    #[test]
    fn the_tag_is_put_into_a_newsletter() {
        let text = "From: News <news@sender.example>\nSubject: March\n\tissue\nMessage-ID: <old@x>\nPrecedence: bulk\n\nHello {recipient}\n";
        let tag = RunId::from_entropy(5).probe(3);
        let filled = filled(text);
        assert!(filled.starts_with("From: News <news@sender.example>\r\nSubject: March\r\n\tissue "), "{filled}");
        assert!(filled.contains(&format!("issue {tag}\r\n")), "{filled}");
        assert!(filled.contains(&format!("Message-ID: {}\r\n", tag.message_id())) && !filled.contains("old@x"));
        assert!(filled.contains("To: b@drill.example\r\n") && filled.contains("Auto-Submitted: auto-generated\r\n"));
        assert!(filled.ends_with(&format!("\r\n\r\nHello b@drill.example\r\nTag: {tag}\r\n")), "{filled}");
    }

    #[test]
    fn parts_are_left_alone() {
        let text = "Content-Type: multipart/mixed; boundary=x\nSubject: s\n\n--x\n\n{tag}\n--x--\n";
        assert!(filled(text).ends_with("--x--\r\n"));
        assert!(filled(&text.replace("{tag}", "")).ends_with("--x--\r\n"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let error = Template::parse("Subject: x\n<html>\n").expect_err("no header");
        assert!(error.to_string().starts_with("line 2 is no header: `<html>`"), "{error}");
    }
}

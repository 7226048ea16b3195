//! Values that only a scenario has: addresses and replies.

use crate::inventory::decode::host_name;
use crate::mail::{Address, Reply};
use crate::source::read::{Said, scalar, spanned};
use crate::source::yaml::{Node, Plainness, Value};
use crate::source::{Diagnostic, Spanned};

/// A mailbox, such as `mxdrill@sender.example`.
pub(super) fn address(node: &Node, said: &mut Said) -> Option<Address> {
    let text = scalar(node, "a mail address", said)?;
    match text.parse() {
        Ok(address) => Some(address),
        Err(why) => {
            let title = format!("`{text}` is not a mail address");
            said.refuse(Diagnostic::error(node.span, title).note(format!("{why}")))
        }
    }
}

/// A host name that stands as a key.
pub(super) fn key_name(key: &Spanned<String>, said: &mut Said) -> Option<Spanned<String>> {
    let node = Node { span: key.span, value: Value::Scalar { text: key.value.clone(), plain: Plainness::Plain } };
    spanned(host_name)(&node, said)
}

/// What a server answers: `451 4.7.1 later`, or several such lines with one code.
pub(super) fn reply(node: &Node, said: &mut Said) -> Option<Reply> {
    let text = scalar(node, "the text of a reply", said)?;
    let error = match Reply::from_text(text) {
        Ok(reply) if reply.lines.iter().all(|line| !line.chars().any(char::is_control)) => return Some(reply),
        Ok(_) => Diagnostic::error(node.span, "the reply holds control characters"),
        Err(flaw) => Diagnostic::error(node.span, title(&flaw)),
    };
    said.refuse(error.note("each line of a reply is a code from 200 to 599 and a text, such as `451 4.7.1 later`"))
}

/// A reply of 4yz or 5yz.
pub(super) fn refusal(node: &Node, said: &mut Said) -> Option<Reply> {
    let reply = reply(node, said)?;
    if reply.code >= 400 {
        return Some(reply);
    }
    let error = Diagnostic::error(node.span, format!("{} is no refusal", reply.code));
    said.refuse(error.note("a refusal is 4yz or 5yz, such as `550 5.1.1 unknown`"))
}

fn title(flaw: &crate::mail::reply::Flaw) -> String {
    use crate::mail::reply::Flaw;
    match flaw {
        Flaw::MixedCodes(first, second) => format!("the lines of one reply have the codes {first} and {second}"),
        Flaw::NoCode(line) | Flaw::BareLf(line) => format!("`{line}` is not a reply of an SMTP server"),
        Flaw::TooLong(bytes) => format!("the reply has more than {bytes} bytes"),
    }
}

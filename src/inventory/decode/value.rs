//! Values of an inventory that a scenario has too: names, networks, endpoints, secrets.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::inventory::{Endpoint, Secret, Spki};
use crate::mail::address::is_domain;
use crate::source::Diagnostic;
use crate::source::read::{Fields, Kind, Said, list, path, scalar, text};
use crate::source::yaml::{Node, Value};

/// A host name, in lower case and without a dot at its end.
pub fn host_name(node: &Node, said: &mut Said) -> Option<String> {
    let text = scalar(node, "a host name", said)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        let title = format!("`{address}` is an address, not a host name");
        let help = "write the name as DNS has it; a platform's addresses go into its `networks`";
        return said.refuse(Diagnostic::error(node.span, title).help(help));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_lowercase();
    if is_domain(&name) {
        return Some(name);
    }
    let title = format!("`{text}` is not a host name");
    let note = "names are labels of letters, digits and hyphens between dots, such as `mx1.new.example`";
    said.refuse(Diagnostic::error(node.span, title).note(note))
}

/// A pattern of host names, such as `*.old.example`, in lower case.
pub fn pattern(node: &Node, said: &mut Said) -> Option<String> {
    let text = scalar(node, "a pattern of host names", said)?;
    let fits = |c: char| c.is_alphanumeric() || "-_.*?".contains(c);
    if text.chars().all(fits) {
        return Some(text.strip_suffix('.').unwrap_or(text).to_lowercase());
    }
    let title = format!("`{text}` is not a pattern of host names");
    let note = "in a pattern `*` stands for any characters and `?` for one, such as `*.old.example`";
    said.refuse(Diagnostic::error(node.span, title).note(note))
}

/// A network such as `203.0.113.0/24`, or one address.
pub fn network(node: &Node, said: &mut Said) -> Option<IpNet> {
    let text = scalar(node, "a network", said)?;
    let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    let error =
        match network {
            Some(network) if network.addr() == network.network() => return Some(network),
            Some(network) => Diagnostic::error(node.span, format!("`{text}` has bits behind its prefix"))
                .label(format!("did you mean `{}` or `{}`?", network.trunc(), network.addr())),
            None => Diagnostic::error(node.span, format!("`{text}` is not a network")),
        };
    said.refuse(error.note("networks are an address and a prefix, such as `203.0.113.0/24` or `2001:db8::/32`"))
}

/// A SHA-256 digest in hexadecimal, with or without colons.
pub(super) fn spki(node: &Node, said: &mut Said) -> Option<Spki> {
    let text = scalar(node, "a digest of a key", said)?;
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let plain = digits.iter().all(u8::is_ascii_hexdigit);
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    if let Some(digest) = bytes.filter(|_| plain).and_then(|bytes| bytes.try_into().ok()) {
        return Some(Spki(digest));
    }
    let title = format!("`{text}` is not a SHA-256 digest");
    let note = "it has 64 hexadecimal digits, as in a TLSA record `3 1 1` of the host";
    said.refuse(Diagnostic::error(node.span, title).note(note))
}

/// A host name or address, and a port.
pub fn endpoint(node: &Node, said: &mut Said) -> Option<Endpoint> {
    let text = scalar(node, "a host and a port", said)?;
    match text.parse() {
        Ok(endpoint) => Some(endpoint),
        Err(_) => {
            let title = match is_domain(text) || text.parse::<IpAddr>().is_ok() {
                true => format!("`{text}` has no port"),
                false => format!("`{text}` is not a host and a port"),
            };
            let note = "write a name or an address, a colon and a port, such as `imap.new.example:993` or `[::1]:143`";
            said.refuse(Diagnostic::error(node.span, title).note(note))
        }
    }
}

const SECRETS: &[Kind<Secret>] = &[
    ("env", |node, said| text(node, said).map(Secret::Env)),
    ("file", |node, said| path(node, said).map(Secret::File)),
    ("command", |node, said| command(node, said).map(Secret::Command)),
];

/// Where a secret comes from. The secret itself is refused, and hidden from every drawing.
pub fn secret(node: &Node, said: &mut Said) -> Option<Secret> {
    if matches!(node.value, Value::Scalar { .. }) {
        said.mask(node.span);
        let key = said.key().to_owned();
        let error = Diagnostic::error(node.span, format!("a `{key}` cannot stand in the file itself"))
            .note("scenarios are kept under version control, and records quote them")
            .help(format!(
                "write `{key}: {{ env: NAME }}` and set the variable NAME; or `file: PATH`, `command: [...]`"
            ));
        return said.refuse(error);
    }
    let mut map = Fields::of(node, "a secret", said)?;
    let secret = map.kind(SECRETS);
    map.done();
    secret
}

/// A program and its arguments.
pub(super) fn command(node: &Node, said: &mut Said) -> Option<Vec<String>> {
    let words = list(text)(node, said)?;
    if words.is_empty() {
        let error = Diagnostic::error(node.span, "the command is empty");
        return said.refuse(error.note("a command is a program and its arguments, such as `[pass, show, mail]`"));
    }
    Some(words)
}

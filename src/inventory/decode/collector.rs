//! Collectors: one file of readers, one reader a kind.

use std::path::PathBuf;

use super::feed::{log, syslog};
use super::value::{endpoint, host_name, secret};
use crate::inventory::{Collector, Endpoint, Imap, Looks, TlsMode};
use crate::source::read::{Fields, Kind, Said, path, spanned, text, word};
use crate::source::yaml::Node;
use crate::source::{Diagnostic, Spanned};

const KINDS: &[Kind<Collector>] =
    &[("imap", imap), ("maildir", maildir), ("mbox", mbox), ("log", log), ("syslog", syslog)];

/// `- imap: {...}`
pub(super) fn collector(node: &Node, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, "a collector", said)?;
    let collector = map.kind(KINDS);
    map.done();
    collector
}

fn imap(node: &Node, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, "an IMAP collector", said)?;
    let address = map.required("address", endpoint);
    let tls = map.optional("tls", spanned(word("a way to encrypt", "ways", TlsMode::ALL, TlsMode::word)));
    let user = map.required("user", text);
    let password = map.required("password", secret);
    let mailboxes = map.several("mailboxes", text);
    let ca = map.optional("ca", path);
    let host = map.optional("host", spanned(host_name));
    map.done();
    refuse_clear_text(address.as_ref(), tls.as_ref(), said);
    let tls = tls.map_or(TlsMode::Implicit, |tls| tls.value);
    let imap = Imap { address: address?, tls, user: user?, password: password?, mailboxes, ca };
    Some(Collector { host, looks: Looks::Imap(imap) })
}

/// A password in clear text stays on this machine.
fn refuse_clear_text(address: Option<&Endpoint>, tls: Option<&Spanned<TlsMode>>, said: &mut Said) {
    if let (Some(address), Some(tls)) = (address, tls)
        && tls.value == TlsMode::Plain
        && !address.is_loopback()
    {
        let title = format!("the password would go to `{address}` in clear text");
        said.say(
            Diagnostic::error(tls.span, title)
                .note("`plain` is for servers on loopback")
                .help("write `implicit` (port 993) or `starttls` (port 143)"),
        );
    }
}

fn maildir(node: &Node, said: &mut Said) -> Option<Collector> {
    at_path(node, "a Maildir collector", Looks::Maildir, said)
}

fn mbox(node: &Node, said: &mut Said) -> Option<Collector> {
    at_path(node, "an mbox collector", Looks::Mbox, said)
}

fn at_path(node: &Node, what: &'static str, looks: fn(PathBuf) -> Looks, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, what, said)?;
    let path = map.required("path", path);
    let host = map.optional("host", spanned(host_name));
    map.done();
    Some(Collector { host, looks: looks(path?) })
}

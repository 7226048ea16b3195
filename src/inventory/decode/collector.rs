//! Collectors: one file of readers, one reader a kind.

use std::path::PathBuf;

use super::feed::{log, syslog};
use super::store::{catcher, imap, jmap, pop3};
use super::value::host_name;
use crate::inventory::{Collector, Looks};
use crate::source::read::{Fields, Kind, Said, path, spanned};
use crate::source::yaml::Node;

const KINDS: &[Kind<Collector>] = &[
    ("imap", imap),
    ("pop3", pop3),
    ("jmap", jmap),
    ("catcher", catcher),
    ("maildir", maildir),
    ("mbox", mbox),
    ("log", log),
    ("syslog", syslog),
];

/// `- imap: {...}`
pub(super) fn collector(node: &Node, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, "a collector", said)?;
    let collector = map.kind(KINDS);
    map.done();
    collector
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

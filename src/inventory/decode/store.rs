//! Readers of mailboxes.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::value::{endpoint, host_name, secret};
use crate::inventory::{
    Catcher, CatcherKind, Collector, Endpoint, HttpLogin, HttpUrl, Imap, ImapLogin, Jmap, Looks, Pop3, Scheme, TlsMode,
};
use crate::source::read::{Fields, Said, lasting, path, scalar, spanned, text, word};
use crate::source::yaml::Node;
use crate::source::{Diagnostic, Span, Spanned};

/// How often a place may be looked at, and must be.
const POLL: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3600);

/// `imap: { address: imap.new.example:993, user: probe, password: { env: NEW_PASSWORD } }`
pub(super) fn imap(node: &Node, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, "an IMAP collector", said)?;
    let address = map.required("address", endpoint);
    let tls = map.optional("tls", spanned(word("a way to encrypt", "ways", TlsMode::ALL, TlsMode::word)));
    let user = map.required("user", text);
    let auth = word("a way to log in", "ways to log in", ImapLogin::ALL, ImapLogin::word);
    let login = map.optional("auth", auth).unwrap_or(ImapLogin::Password);
    let password = match login {
        ImapLogin::Password => map.required("password", secret),
        ImapLogin::Xoauth2 => map.required("token", secret),
    };
    other_secret(&mut map, login);
    let mailboxes = map.several("mailboxes", text);
    let ca = map.optional("ca", path);
    let host = map.optional("host", spanned(host_name));
    map.done();
    refuse_clear_text(address.as_ref(), tls.as_ref(), "`implicit` (port 993) or `starttls` (port 143)", said);
    let tls = tls.map_or(TlsMode::Implicit, |tls| tls.value);
    let imap = Imap { address: address?, tls, user: user?, login, password: password?, mailboxes, ca };
    Some(Collector { host, looks: Looks::Imap(imap) })
}

/// A secret of the other way to log in is never used.
fn other_secret(map: &mut Fields<'_>, login: ImapLogin) {
    let (other, with) = match login {
        ImapLogin::Password => ("token", ImapLogin::Xoauth2),
        ImapLogin::Xoauth2 => ("password", ImapLogin::Password),
    };
    if map.has(other) {
        let title = format!("a `{other}` does nothing with `auth: {login}`");
        map.say(Diagnostic::error(map.key_span(other), title).help(format!("write `auth: {with}`, or remove it")));
    }
    map.optional(other, secret);
}

/// `pop3: { address: pop.new.example:995, user: probe, password: { env: NEW_PASSWORD } }`
pub(super) fn pop3(node: &Node, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, "a POP3 collector", said)?;
    let address = map.required("address", endpoint);
    let tls = map.optional("tls", spanned(word("a way to encrypt", "ways", TlsMode::ALL, TlsMode::word)));
    let user = map.required("user", text);
    let password = map.required("password", secret);
    let ca = map.optional("ca", path);
    let poll = map.optional("poll", lasting(POLL));
    let host = map.optional("host", spanned(host_name));
    map.done();
    refuse_clear_text(address.as_ref(), tls.as_ref(), "`implicit` (port 995) or `starttls` (port 110)", said);
    let tls = tls.map_or(TlsMode::Implicit, |tls| tls.value);
    let pop3 = Pop3 { address: address?, tls, user: user?, password: password?, ca, poll };
    Some(Collector { host, looks: Looks::Pop3(pop3) })
}

/// `jmap: { url: "https://mail.example/.well-known/jmap", token: { env: JMAP_TOKEN } }`
pub(super) fn jmap(node: &Node, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, "a JMAP collector", said)?;
    let url = map.required("url", spanned(url));
    let login = login(&mut map);
    if login == Some(HttpLogin::Nobody) {
        let help = "add `user` and `password`, or `token`";
        map.say(Diagnostic::error(map.span(), "a JMAP collector has neither `user` nor `token`").help(help));
    }
    let ca = map.optional("ca", path);
    let poll = map.optional("poll", lasting(POLL));
    let host = map.optional("host", spanned(host_name));
    map.done();
    refuse_clear_http(url.as_ref(), login.as_ref(), said);
    let jmap = Jmap { url: url?.value, login: login?, ca, poll };
    Some(Collector { host, looks: Looks::Jmap(jmap) })
}

/// `catcher: { kind: mailpit, url: "http://127.0.0.1:8025" }`
pub(super) fn catcher(node: &Node, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, "a catcher", said)?;
    let kind = map.required("kind", word("a kind of catcher", "catchers", CatcherKind::ALL, CatcherKind::word));
    let url = map.required("url", spanned(url));
    let login = login(&mut map);
    let mailbox = map.optional("mailbox", spanned(text));
    check_mailbox(&mut map, kind, mailbox.as_ref());
    let ca = map.optional("ca", path);
    let poll = map.optional("poll", lasting(POLL));
    let host = map.optional("host", spanned(host_name));
    map.done();
    refuse_clear_http(url.as_ref(), login.as_ref(), said);
    let mailbox = mailbox.map(|it| it.value);
    let catcher = Catcher { kind: kind?, url: url?.value, login: login?, mailbox, ca, poll };
    Some(Collector { host, looks: Looks::Catcher(catcher) })
}

/// Inbucket must be told a mailbox, GreenMail may be; the others have one for all.
fn check_mailbox(map: &mut Fields<'_>, kind: Option<CatcherKind>, mailbox: Option<&Spanned<String>>) {
    match (kind, mailbox) {
        (Some(CatcherKind::Inbucket), None) => {
            let help = "add `mailbox:` with the name of the recipient's, by default what stands before the `@`";
            map.say(Diagnostic::error(map.span(), "a catcher of kind `inbucket` has no `mailbox`").help(help));
        }
        (Some(CatcherKind::Inbucket | CatcherKind::Greenmail) | None, _) | (_, None) => {}
        (Some(kind), Some(mailbox)) => {
            let title = format!("`{kind}` has one mailbox for all mail");
            map.say(Diagnostic::error(mailbox.span, title).help("remove `mailbox`"));
        }
    }
}

/// `user` with `password`, or `token`, or nothing.
fn login(map: &mut Fields<'_>) -> Option<HttpLogin> {
    let user = map.optional("user", text);
    let password = map.optional("password", secret);
    let token = map.optional("token", secret);
    let wrong = |map: &mut Fields<'_>, key: &str, title: &str, help: &str| {
        map.say(Diagnostic::error(map.key_span(key), title).help(help));
        None
    };
    match (map.has("user"), map.has("password"), map.has("token")) {
        (false, false, false) => Some(HttpLogin::Nobody),
        (true, true, false) => Some(HttpLogin::Basic(user?, password?)),
        (false, false, true) => Some(HttpLogin::Bearer(token?)),
        (_, _, true) => wrong(map, "token", "a `token` stands alone", "remove `user` and `password`, or the `token`"),
        (true, false, false) => wrong(map, "user", "a `user` needs a `password`", "add `password: { env: NAME }`"),
        (false, true, false) => wrong(map, "password", "a `password` needs a `user`", "add `user`"),
    }
}

/// The address of an HTTP server.
fn url(node: &Node, said: &mut Said) -> Option<HttpUrl> {
    let text = scalar(node, "the address of an HTTP server", said)?;
    match text.parse() {
        Ok(url) => Some(url),
        Err(_) => {
            let title = format!("`{text}` is not the address of an HTTP server");
            let note = "it is `http://` or `https://`, a host and a port, and a path where it has one, such as `http://127.0.0.1:8025`";
            said.refuse(Diagnostic::error(node.span, title).note(note))
        }
    }
}

/// A password in clear text stays on this machine.
fn refuse_clear_text(
    address: Option<&Endpoint>,
    tls: Option<&Spanned<TlsMode>>,
    instead: &'static str,
    said: &mut Said,
) {
    if let (Some(address), Some(tls)) = (address, tls)
        && tls.value == TlsMode::Plain
        && !address.is_loopback()
    {
        clear_text(tls.span, &address.to_string(), "`plain` is for servers on loopback", instead, said);
    }
}

fn refuse_clear_http(url: Option<&Spanned<HttpUrl>>, login: Option<&HttpLogin>, said: &mut Said) {
    if let (Some(url), Some(HttpLogin::Basic(..) | HttpLogin::Bearer(_))) = (url, login)
        && url.scheme() == Scheme::Http
        && !url.place().is_loopback()
    {
        clear_text(url.span, &url.place().to_string(), "`http` is for servers on loopback", "`https`", said);
    }
}

fn clear_text(span: Span, place: &str, note: &'static str, instead: &str, said: &mut Said) {
    let title = format!("the password would go to `{place}` in clear text");
    said.say(Diagnostic::error(span, title).note(note).help(format!("write {instead}")));
}

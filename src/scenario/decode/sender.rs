//! Ways in, and standing proxies.

use super::policy::cache;
use super::value::key_name;
use super::ways;
use crate::classes::SenderClass;
use crate::inventory::decode::{host_name, secret};
use crate::scenario::standing::{LEASES, RUN_LEASE};
use crate::scenario::{MxSender, Proxy, Sender, SenderKind, TlsPolicy};
use crate::source::read::{Fields, Kind, Said, lasting, scalar, spanned, word};
use crate::source::yaml::Node;
use crate::source::{Diagnostic, Span, Spanned};

const KINDS: &[Kind<SenderKind>] = &[
    ("mx", mx),
    ("submission", ways::submission),
    ("sendmail", ways::sendmail),
    ("command", ways::command),
    ("relay", ways::relay),
];

/// The sender of a scenario that names none.
pub(super) fn direct() -> Sender {
    let name = Spanned::new("direct".to_owned(), Span::default());
    Sender { name, kind: SenderKind::Mx(MxSender::default()) }
}

/// One entry of `senders`. One with mistakes stays known by its name.
pub(super) fn sender(name: &Spanned<String>, node: &Node, said: &mut Said) -> Option<Sender> {
    let kind = Fields::of(node, "a sender", said).and_then(|mut map| {
        let kind = map.kind(KINDS);
        map.done();
        kind
    });
    Some(Sender { name: name.clone(), kind: kind.unwrap_or(SenderKind::Mx(MxSender::default())) })
}

fn mx(node: &Node, said: &mut Said) -> Option<SenderKind> {
    let mut map = Fields::of(node, "an `mx` sender", said)?;
    let helo = map.optional("helo", host_name);
    let class = map.optional("class", class).unwrap_or_default();
    let tls_policy =
        map.optional("tls-policy", word("a TLS policy of senders", "TLS policies", TlsPolicy::ALL, TlsPolicy::word));
    let cache = map.optional("cache", spanned(cache));
    map.done();
    Some(SenderKind::Mx(MxSender { helo, class, tls_policy: tls_policy.unwrap_or_default(), cache }))
}

/// The MTA that an `mx` sender behaves as.
pub(in crate::scenario) fn class(node: &Node, said: &mut Said) -> Option<SenderClass> {
    word("a sender class", "sender classes", SenderClass::ALL, SenderClass::word)(node, said)
}

/// One entry of `proxies`.
pub(super) fn proxy(key: &Spanned<String>, node: &Node, said: &mut Said) -> Option<Proxy> {
    let host = key_name(key, said);
    let mut map = Fields::of(node, "a standing proxy", said)?;
    let control = map.required("control", spanned(url));
    let token = map.optional("token", secret);
    let lease = map.optional("lease", lasting(LEASES)).unwrap_or(RUN_LEASE);
    map.done();
    Some(Proxy { host: host?, control: control?, token, lease })
}

/// The address of a control API: scheme, host and port.
fn url(node: &Node, said: &mut Said) -> Option<String> {
    let text = scalar(node, "the URL of a control API", said)?;
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let rest = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    match rest {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => Some(text.to_owned()),
        _ => {
            let title = format!("`{text}` is not the URL of a control API");
            let note = "it is `http://` or `https://`, a host and a port, such as `http://127.0.0.1:8025`";
            said.refuse(Diagnostic::error(node.span, title).note(note))
        }
    }
}

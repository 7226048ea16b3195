//! Readers of where log lines come from.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::value::{command, host_name, network};
use crate::inventory::{Collector, Log, LogFormat, LogSource, Looks, Syslog, SyslogTransport};
use crate::source::Diagnostic;
use crate::source::read::{Fields, Kind, Said, path, scalar, spanned, word};
use crate::source::yaml::Node;

const SOURCES: &[Kind<LogSource>] = &[
    ("path", |node, said| path(node, said).map(LogSource::Path)),
    ("command", |node, said| command(node, said).map(LogSource::Command)),
    ("stdin", stdin),
];

/// `log: { format: postfix, path: /var/log/mail.log }`
pub(super) fn log(node: &Node, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, "a log collector", said)?;
    let format = map.required("format", word("a log format", "log formats", LogFormat::ALL, LogFormat::word));
    let host = map.optional("host", spanned(host_name));
    let from = map.kind(SOURCES);
    map.done();
    Some(Collector { host, looks: Looks::Log(Log { format: format?, from: from? }) })
}

fn stdin(node: &Node, said: &mut Said) -> Option<LogSource> {
    Fields::of(node, "a log from `stdin`", said)?.done();
    Some(LogSource::Stdin)
}

/// `syslog: { listen: 127.0.0.1:5514, transport: tcp, format: postfix }`
pub(super) fn syslog(node: &Node, said: &mut Said) -> Option<Collector> {
    let mut map = Fields::of(node, "a syslog collector", said)?;
    let listen = map.required("listen", socket);
    let format = map.required("format", word("a log format", "log formats", LogFormat::ALL, LogFormat::word));
    let transport = word("a syslog transport", "transports", SyslogTransport::ALL, SyslogTransport::word);
    let transport = map.optional("transport", transport).unwrap_or(SyslogTransport::Udp);
    let (certificate, key) = identity(&mut map, transport);
    let hosts = map.several("hosts", host_name);
    let from = map.several("from", network);
    let host = map.optional("host", spanned(host_name));
    map.done();
    let syslog = Syslog { listen: listen?, transport, format: format?, certificate, key, hosts, from };
    Some(Collector { host, looks: Looks::Syslog(syslog) })
}

/// TLS needs a certificate and its key; without it they would do nothing.
fn identity(map: &mut Fields<'_>, transport: SyslogTransport) -> (Option<PathBuf>, Option<PathBuf>) {
    let stray = ["certificate", "key"].into_iter().find(|key| map.has(key));
    if let (Some(key), true) = (stray, transport != SyslogTransport::Tls) {
        let title = format!("a `{key}` does nothing where lines come over {transport}");
        map.say(Diagnostic::error(map.key_span(key), title).help("write `transport: tls`, or remove it"));
    }
    if transport == SyslogTransport::Tls {
        return (map.required("certificate", path), map.required("key", path));
    }
    (map.optional("certificate", path), map.optional("key", path))
}

/// An address of this machine and a port; a name could be several.
fn socket(node: &Node, said: &mut Said) -> Option<SocketAddr> {
    let text = scalar(node, "an address and a port to listen on", said)?;
    match text.parse::<SocketAddr>() {
        Ok(socket) => Some(socket),
        Err(_) => {
            let title = format!("`{text}` is not an address and a port to listen on");
            let note =
                "write an address of this machine, a colon and a port, such as `127.0.0.1:5514` or `0.0.0.0:5514`";
            said.refuse(Diagnostic::error(node.span, title).note(note))
        }
    }
}

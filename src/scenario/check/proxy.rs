//! Standing proxies: before a host that is there, and told nothing secret in clear text.

use super::{Files, names};
use crate::inventory::Endpoint;
use crate::scenario::{LabHostKind, Proxy, Scenario};
use crate::source::Diagnostic;

pub(super) fn check(scenario: &Scenario, files: &mut Files) {
    for proxy in scenario.proxies.values() {
        let said = [names::host(&proxy.host, scenario), clear_token(proxy), place(scenario, proxy)];
        said.into_iter().flatten().for_each(|said| files.say(said));
    }
}

/// The lab's own hosts listen behind no proxy but the lab's.
fn place(scenario: &Scenario, proxy: &Proxy) -> Option<Diagnostic> {
    let host = scenario.lab.as_ref()?.hosts.get(&proxy.host.value)?;
    (!matches!(host.kind, LabHostKind::Real(_))).then(|| {
        let title = format!("no standing proxy can be before `{}`: the lab itself stands there", proxy.host.value);
        Diagnostic::error(proxy.host.span, title)
            .context(host.name.span, "the lab's own host")
            .help("remove it from `proxies`, or make the host `real: { address: ... }`, where the proxy listens")
    })
}

/// Whoever has the token can break a production MX.
fn clear_token(proxy: &Proxy) -> Option<Diagnostic> {
    let place = proxy.control.strip_prefix("http://")?.trim_end_matches('/');
    let place = if place.contains(':') { place.to_owned() } else { format!("{place}:80") };
    let local = place.parse::<Endpoint>().is_ok_and(|it| it.is_loopback());
    (proxy.token.is_some() && !local).then(|| {
        let title = format!("the token would go to `{place}` in clear text");
        Diagnostic::error(proxy.control.span, title)
            .note("whoever reads it can break this host's mail")
            .help("use `https://`, or reach the proxy over loopback, such as through an SSH tunnel")
    })
}

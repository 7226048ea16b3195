//! Standing proxies: before a host that is there, and told nothing secret in clear text.

use super::{Files, names};
use crate::inventory::Endpoint;
use crate::scenario::{Proxy, Scenario};
use crate::source::Diagnostic;

pub(super) fn check(scenario: &Scenario, files: &mut Files) {
    for proxy in scenario.proxies.values() {
        let said = [names::host(&proxy.host, scenario), clear_token(proxy)];
        said.into_iter().flatten().for_each(|said| files.say(said));
    }
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

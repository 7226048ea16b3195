//! The configuration file of standing proxies.
//!
//! ```yaml
//! listeners:
//!   - listen: 0.0.0.0:25
//!     upstream: mx1.new.example:25
//!     host: mx1.new.example                                         # its name in faults and logs
//!     client: proxy-v2                                              # how it is told who its client is
//!     accept-proxy: [192.0.2.0/24]                                  # load balancers in front
//! control: 127.0.0.1:8025
//! token: { env: PROXY_TOKEN }
//! smuggling: pass                                                  # or refuse
//! lease: 10m
//! drain: 3s
//! tls: { certificate: mx1.pem, key: mx1.key }                     # where faults must see inside of TLS
//! faults:
//!   - { at: rcpt, when: { first: 2 }, do: { reply: "451 4.7.1 later" } }
//! ```

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::inventory::decode::{endpoint, host_name, network, secret};
use crate::inventory::{Endpoint, Secret};
use crate::proxy::Upstream;
use crate::proxy::announce::Introduction;
use crate::scenario::read_smuggling;
use crate::scenario::standing::{Faults, LEASES, several};
use crate::source::read::{Fields, Said, at_most, lasting, list, number, one_or_list, path, scalar, spanned, word};
use crate::source::yaml::{self, Node};
use crate::source::{Diagnostic, Remark, SourceText};
use crate::terms::Smuggling;

/// The longest that a proxy waits for messages under way when it is told to end.
const LONGEST_DRAIN: Duration = Duration::from_secs(3_600);

/// The most networks of load balancers.
const MOST_NETWORKS: usize = 1_000;

/// What is said where XCLIENT is to be used and CR and LF alone are to pass.
pub const XCLIENT_NEEDS_REFUSAL: &str = "`client: xclient` cannot be combined with `smuggling: pass`";
/// Why.
pub const XCLIENT_WHY: &str =
    "a line that the host ends at a CR or LF alone could hold an XCLIENT of the client, which the host trusts";

/// One listener, its host, and where that is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where to listen; port 0: a free one.
    pub listen: SocketAddr,
    /// The host itself.
    pub upstream: Upstream,
    /// Its name in faults, logs and metrics.
    pub host: String,
    /// How the host is told who its client is.
    pub introduction: Introduction,
    /// Load balancers in front, which say for whom they call.
    pub balancers: Vec<IpNet>,
}

impl Listener {
    /// A listener before `upstream`, which is called `host`, or by its own name or address.
    pub fn new(listen: SocketAddr, upstream: &Endpoint, host: Option<String>) -> Self {
        let reached = match upstream.host.parse::<IpAddr>() {
            Ok(address) => Upstream::Address(SocketAddr::new(address, upstream.port)),
            Err(_) => Upstream::Name(upstream.to_string().into()),
        };
        let host = host.unwrap_or_else(|| upstream.host.clone());
        Self { listen, upstream: reached, host, introduction: Introduction::None, balancers: vec![] }
    }

    /// What a fault may narrow itself to by `address` or `family`: the host's address, or where it
    /// has only a name, the listener's.
    pub(super) fn own_address(&self) -> IpAddr {
        match &self.upstream {
            Upstream::Address(address) => address.ip(),
            Upstream::Name(_) => self.listen.ip(),
        }
    }
}

/// What a configuration file says.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Listeners; may be none where the command line has one.
    pub listeners: Vec<Listener>,
    /// Where the control API listens.
    pub control: Option<SocketAddr>,
    /// The bearer token of the control API.
    pub token: Option<Secret>,
    /// The lease of faults that name none.
    pub lease: Option<Duration>,
    /// How long messages under way may take when the proxy is told to end.
    pub drain: Option<Duration>,
    /// Certificate chain and private key, PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// What becomes of CR and LF that stand alone.
    pub smuggling: Option<Smuggling>,
    /// For `chance`.
    pub seed: Option<u64>,
    /// In force from the start.
    pub faults: Faults,
}

impl Config {
    /// Reads a configuration; `hosts` are those that the command line names.
    ///
    /// # Errors
    /// Every mistake in it, in the order of the file.
    pub fn read(source: &SourceText, hosts: &[String]) -> Result<Self, Vec<Remark>> {
        let mut said = Said::about(source);
        let config = match yaml::parse(source) {
            Ok(node) => config(&node, hosts, &mut said),
            Err(mistakes) => {
                mistakes.into_iter().for_each(|mistake| said.say(mistake));
                None
            }
        };
        let broken = said.has_errors();
        let remarks = said.into_remarks();
        match config {
            Some(mut config) if !broken => {
                config.faults.warnings = remarks;
                Ok(config)
            }
            _ => Err(remarks),
        }
    }
}

fn config(node: &Node, hosts: &[String], said: &mut Said) -> Option<Config> {
    let mut map = Fields::of(node, "a proxy's configuration", said)?;
    let listeners = map.optional("listeners", list(listener)).unwrap_or_default();
    let mut all: Vec<String> = hosts.to_vec();
    all.extend(listeners.iter().map(|listener| listener.host.clone()));
    all.sort();
    all.dedup();
    let control = map.optional("control", socket);
    let token = map.optional("token", secret);
    let lease = map.optional("lease", lasting(LEASES));
    let drain = map.optional("drain", lasting(Duration::from_millis(1)..=LONGEST_DRAIN));
    let tls = map.optional("tls", tls);
    let smuggling = map.optional("smuggling", spanned(read_smuggling));
    if let Some(pass) = smuggling.as_ref().filter(|it| it.value == Smuggling::Pass)
        && listeners.iter().any(|listener| listener.introduction == Introduction::Xclient)
    {
        map.say(
            Diagnostic::error(pass.span, XCLIENT_NEEDS_REFUSAL)
                .note(XCLIENT_WHY)
                .help("write `smuggling: refuse`, or leave it out"),
        );
    }
    let smuggling = smuggling.map(|it| it.value);
    let seed = map.optional("seed", number(0..=u64::MAX));
    let faults = map.optional("faults", |node: &Node, said: &mut Said| Some(several(node, &all, said)));
    map.done();
    let faults = Faults { faults: faults.unwrap_or_default(), warnings: vec![] };
    Some(Config { listeners, control, token, lease, drain, tls, smuggling, seed, faults })
}

fn tls(node: &Node, said: &mut Said) -> Option<(PathBuf, PathBuf)> {
    let mut map = Fields::of(node, "a certificate and its key", said)?;
    let certificate = map.required("certificate", path);
    let key = map.required("key", path);
    map.done();
    Some((certificate?, key?))
}

fn listener(node: &Node, said: &mut Said) -> Option<Listener> {
    let mut map = Fields::of(node, "a listener", said)?;
    let listen = map.required("listen", socket);
    let upstream = map.required("upstream", endpoint);
    let host = map.optional("host", host_name);
    let what = "a way to tell a host who its client is";
    let told = word(what, "ways", Introduction::ALL, Introduction::word);
    let introduction = map.optional("client", told).unwrap_or(Introduction::None);
    let balancers = map.optional("accept-proxy", at_most(MOST_NETWORKS, one_or_list(network))).unwrap_or_default();
    map.done();
    Some(Listener { introduction, balancers, ..Listener::new(listen?, &upstream?, host) })
}

/// An address and a port to listen on.
fn socket(node: &Node, said: &mut Said) -> Option<SocketAddr> {
    let text = scalar(node, "an address and a port", said)?;
    text.parse().ok().or_else(|| {
        let error = Diagnostic::error(node.span, format!("`{text}` is not an address and a port"));
        said.refuse(error.note("write such as `0.0.0.0:25`, `127.0.0.1:2525` or `\"[::]:25\"`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_with_its_faults() {
        let text = "listeners:\n  - { listen: 127.0.0.1:0, upstream: \"mx:25\" }\n  - { listen: 127.0.0.1:0, upstream: 192.0.2.1:25, host: b.example }\nlease: 5m\nfaults:\n  - { host: mx, at: rcpt, do: close }\n";
        let config = Config::read(&SourceText::new("proxy.yaml", text), &[]).expect("it is right");
        assert_eq!(config.listeners[0].host, "mx");
        assert_eq!(config.listeners[1].upstream, Upstream::Address("192.0.2.1:25".parse().expect("an address")));
        assert_eq!((config.lease, config.faults.faults.len()), (Some(Duration::from_secs(300)), 1));
    }

    #[test]
    fn a_listener_says_how_clients_are_announced() {
        let text = "listeners:\n  - { listen: 127.0.0.1:0, upstream: \"mx:25\", client: proxy-v2, accept-proxy: [10.0.0.0/8, 2001:db8::1] }\nsmuggling: pass\n";
        let config = Config::read(&SourceText::new("proxy.yaml", text), &[]).expect("it is right");
        let listener = &config.listeners[0];
        assert_eq!((listener.introduction, listener.balancers.len()), (Introduction::ProxyV2, 2));
        assert_eq!(config.smuggling, Some(Smuggling::Pass));
        let trusting = text.replace("proxy-v2", "xclient");
        let said = Config::read(&SourceText::new("proxy.yaml", trusting), &[]).expect_err("it is wrong");
        assert_eq!(said[0].said.title, XCLIENT_NEEDS_REFUSAL);
    }

    #[test]
    fn every_mistake_is_said_at_once() {
        let text =
            "listeners:\n  - { listen: localhost, upstream: mx }\nlaese: 5m\nfaults:\n  - { at: rcpt, do: delay }\n";
        let said = Config::read(&SourceText::new("proxy.yaml", text), &["mx".to_owned()]).expect_err("it is wrong");
        let titles: Vec<&str> = said.iter().map(|it| it.said.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "`localhost` is not an address and a port",
                "`mx` has no port",
                "`laese` is not a key of a proxy's configuration",
                "`delay` needs an argument",
            ]
        );
    }
}

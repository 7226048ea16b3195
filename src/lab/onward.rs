//! Where a host that has a queue passes mail on to.

use std::collections::HashMap;
use std::sync::Arc;

use secrecy::SecretString;

use super::host::Host;
use crate::dns::{self, Lookups};
use crate::record::Tag;
use crate::smtp::server::Envelope;
use crate::world::Dice;

/// The way on.
#[derive(Clone, Debug)]
pub(super) enum Onward {
    /// All mail goes to this host.
    To(String),
    /// By the MX set of the recipient's domain (RFC 5321 5.1), as the lab's DNS has it.
    ByMx,
}

impl Onward {
    /// The hosts to try, in order.
    ///
    /// # Errors
    /// Why there are none.
    pub(super) async fn hops(
        &self,
        host: &Host,
        tag: Option<&Tag>,
        envelope: &Envelope,
        round: u64,
    ) -> Result<Vec<String>, String> {
        let outbound = &host.setting.outbound;
        let names = match self {
            Onward::To(next) => return Ok(vec![next.clone()]),
            Onward::ByMx => outbound.names.as_ref().ok_or("nobody answers questions about MX hosts")?,
        };
        // All recipients share one fate, so the first one decides for all.
        let domain = envelope.recipients.first().and_then(|it| it.rsplit_once('@')).map_or("", |(_, domain)| domain);
        // Of the tag the number alone: two runs of one seed draw alike.
        let number = tag.and_then(|tag| tag.short().parse().ok()).unwrap_or_default();
        let draw = [u64::MAX, host.number as u64, number, round];
        let route = dns::route(names.as_ref(), domain, outbound.dice, &draw).await;
        route.map(|route| route.hosts.into_iter().map(|it| it.host).collect()).map_err(|none| none.to_string())
    }
}

/// What hosts need that take mail from users and route it by themselves.
#[derive(Clone, Default)]
pub struct Outbound {
    /// Users and their passwords or tokens, by host.
    pub logins: HashMap<String, HashMap<String, SecretString>>,
    /// The lab's DNS; none: nothing can be routed by MX.
    pub names: Option<Arc<dyn Lookups>>,
    /// For the order of equal preferences.
    pub dice: Dice,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("hosts", &self.logins.keys()).finish_non_exhaustive()
    }
}

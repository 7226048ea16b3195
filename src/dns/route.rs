//! Which hosts take mail for a domain, and in which order (RFC 5321 5.1, RFC 7505).

use super::{LookupError, Lookups};
use crate::world::Dice;

/// A host that may take the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub host: String,
    /// Its preference; none for an implicit MX.
    pub preference: Option<u16>,
}

/// The hosts in the order in which to try them; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Lowest preference first, equal preferences shuffled.
    pub hosts: Vec<Candidate>,
}

/// Why there is no host to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoute {
    /// The domain says that it takes no mail (RFC 7505): bounce with 5.1.10.
    #[error("`{0}` takes no mail: its MX is `.` (null MX, RFC 7505)")]
    NullMx(String),
    /// There is no such domain: bounce.
    #[error("the domain `{0}` does not exist (NXDOMAIN)")]
    NoSuchDomain(String),
    /// Nothing is known now: try again later (RFC 5321 5.1).
    #[error("{0}")]
    Unknown(LookupError),
}

impl NoRoute {
    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, NoRoute::Unknown(_))
    }
}

/// Finds the hosts for `domain`. MX records come first; where there are none, the domain itself
/// is the host ("implicit MX"). Equal preferences are shuffled by `dice` for this `draw`, so that
/// load spreads and a seed repeats the order.
///
/// # Errors
/// Where the domain takes no mail, does not exist, or DNS does not say.
pub async fn route(names: &dyn Lookups, domain: &str, dice: Dice, draw: &[u64]) -> Result<Route, NoRoute> {
    let set = match names.mx(domain).await {
        Ok(set) => set,
        Err(LookupError::NoSuchName(_)) => return Err(NoRoute::NoSuchDomain(domain.to_owned())),
        Err(error) => return Err(NoRoute::Unknown(error)),
    };
    if set.hosts.is_empty() {
        let host = set.canonical.unwrap_or_else(|| domain.to_owned());
        return Ok(Route { hosts: vec![Candidate { host, preference: None }] });
    }
    // RFC 7505 3: a null MX stands alone; beside other records the root is just a host that
    // cannot be reached.
    if let [(_, host)] = set.hosts.as_slice()
        && host.is_empty()
    {
        return Err(NoRoute::NullMx(domain.to_owned()));
    }
    Ok(Route { hosts: in_order(set.hosts, dice, draw) })
}

fn in_order(mut set: Vec<(u16, String)>, dice: Dice, draw: &[u64]) -> Vec<Candidate> {
    // The answer's order is the server's dice; sorted first, so that only ours count.
    set.sort();
    for group in set.chunk_by_mut(|a, b| a.0 == b.0) {
        let mut key = draw.to_vec();
        key.push(u64::from(group[0].0));
        dice.shuffle("mx-order", &key, group);
    }
    set.into_iter().map(|(preference, host)| Candidate { host, preference: Some(preference) }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    use async_trait::async_trait;

    use super::super::MxSet;
    use super::*;

    /// A whole DNS world as a literal.
    struct World {
        mx: &'static [(&'static str, u16, &'static str)],
        exists: &'static [&'static str],
        fails: &'static [&'static str],
    }

    #[async_trait]
    impl Lookups for World {
        async fn mx(&self, domain: &str) -> Result<MxSet, LookupError> {
            if self.fails.contains(&domain) {
                return Err(LookupError::Failed { name: domain.to_owned(), why: "SERVFAIL".to_owned() });
            }
            let hosts: Vec<(u16, String)> =
                self.mx.iter().filter(|it| it.0 == domain).map(|it| (it.1, it.2.to_owned())).collect();
            if hosts.is_empty() && !self.exists.contains(&domain) {
                return Err(LookupError::NoSuchName(domain.to_owned()));
            }
            Ok(MxSet { canonical: None, hosts })
        }

        async fn addresses(&self, _: &str) -> Result<Vec<IpAddr>, LookupError> {
            Ok(vec![])
        }
    }

    const WORLD: World = World {
        mx: &[
            ("drill.example", 20, "mx.old.example"),
            ("drill.example", 10, "mx1.new.example"),
            ("even.example", 10, "a.example"),
            ("even.example", 10, "b.example"),
            ("none.example", 0, ""),
        ],
        exists: &["plain.example"],
        fails: &["broken.example"],
    };

    async fn hosts(domain: &str, draw: u64) -> Result<Vec<String>, NoRoute> {
        let route = route(&WORLD, domain, Dice::new(7), &[draw]).await?;
        Ok(route.hosts.into_iter().map(|it| it.host).collect())
    }

    #[tokio::test]
    async fn lower_preference_comes_first() {
        assert_eq!(hosts("drill.example", 1).await.unwrap(), ["mx1.new.example", "mx.old.example"]);
    }

    #[tokio::test]
    async fn equal_preferences_spread_and_repeat() {
        let mut orders = BTreeSet::new();
        for probe in 0..20 {
            let order = hosts("even.example", probe).await.unwrap();
            assert_eq!(order, hosts("even.example", probe).await.unwrap());
            orders.insert(order);
        }
        assert_eq!(orders.len(), 2);
    }

    #[tokio::test]
    async fn what_is_no_mx_set_is_told_apart() {
        assert_eq!(hosts("plain.example", 1).await.unwrap(), ["plain.example"]);
        assert_eq!(hosts("none.example", 1).await, Err(NoRoute::NullMx("none.example".to_owned())));
        assert_eq!(hosts("gone.example", 1).await, Err(NoRoute::NoSuchDomain("gone.example".to_owned())));
        assert!(hosts("broken.example", 1).await.unwrap_err().is_transient());
    }
}

//! Platforms and their classification.

use std::net::{IpAddr, SocketAddr};

use indexmap::IndexMap;
use ipnet::IpNet;

use super::{Collector, Domain, Side};
use crate::source::Spanned;
use crate::terms::words;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::terms::UnknownWord;

words! {
    /// The part that a platform plays on the way of a message.
    Role {
        /// Takes mail from outside, passes it on, and stores it.
        All = "all",
        /// Takes mail from outside.
        Entry = "entry",
        /// Passes mail on: a spool or filter. It needs no collector, it is seen on paths.
        Transit = "transit",
        /// Stores mail.
        Store = "store",
    }
}

/// One mail system of a migration, such as `new` or `legacy`.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Its name in the scenario.
    pub name: Spanned<String>,
    /// Host names in lower case.
    pub hosts: Vec<Spanned<String>>,
    /// Patterns of host names, `*` for any run of characters.
    pub names: Vec<Spanned<String>>,
    /// Its networks.
    pub networks: Vec<Spanned<IpNet>>,
    /// Suffixes of its reverse names.
    pub ptr: Vec<Spanned<String>>,
    /// Its autonomous systems.
    pub asn: Vec<Spanned<u32>>,
    /// Names in its certificates.
    pub certificates: Vec<Spanned<String>>,
    /// SHA-256 digests of its keys, as certificates hold them.
    pub spki: Vec<Spanned<Spki>>,
    /// Patterns of the host names with which it greets.
    pub banners: Vec<Spanned<String>>,
    /// Its side of the migration.
    pub side: Side,
    /// Its part on the way.
    pub role: Role,
    /// Where to look for mail.
    pub collectors: Vec<Spanned<Collector>>,
}

impl Platform {
    /// Whether a host name is one of the platform's.
    pub fn has_name(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.hosts.iter().any(|host| host.value == name)
            || self.names.iter().any(|pattern| glob_matches(&pattern.value, &name))
    }

    /// Whether an address lies in one of the platform's networks.
    pub fn has_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.value.contains(&address))
    }
}

/// The SHA-256 digest of a SubjectPublicKeyInfo (RFC 5280 4.1.2.7), as in a TLSA record of selector
/// and matching type 1 (RFC 6698).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spki(pub [u8; 32]);

/// All platforms and domains, in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// By name.
    pub platforms: IndexMap<String, Platform>,
    /// By name in lower case. A scenario's `platforms` has none.
    pub domains: IndexMap<String, Domain>,
    /// Named views of DNS: the resolver of each, such as one `inside` and one `public`.
    pub views: IndexMap<String, SocketAddr>,
}

impl Inventory {
    /// The platform that a host name belongs to, the first one that claims it.
    pub fn of_name(&self, name: &str) -> Option<&Platform> {
        self.platforms.values().find(|platform| platform.has_name(name))
    }

    /// The platform that an address belongs to.
    pub fn of_address(&self, address: IpAddr) -> Option<&Platform> {
        self.platforms.values().find(|platform| platform.has_address(address))
    }
}

/// Whether `name` fits `pattern`, in which `*` stands for any run of characters and `?` for one.
/// Letters match in either case.
pub fn glob_matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on after a mismatch: behind the last `*`, one character further into the name.
    let mut back: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p + 1, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match back {
                Some((star, from)) => {
                    p = star;
                    n = from + 1;
                    back = Some((star, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::glob_matches;

    #[test]
    fn patterns() {
        assert!(glob_matches("*.old.example", "mx.old.example"));
        assert!(glob_matches("*+a?c@*", "x+abc@y"));
        assert!(!glob_matches("*.old.example", "old.example"));
        assert!(glob_matches("*", ""));
        assert!(!glob_matches("a", "b"));
    }
}

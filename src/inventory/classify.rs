//! To whom something belongs that was seen: a name, an address, a certificate, a banner.
//!
//! ```text
//!   MX mx1.drill.example ──> CNAME ──> 192.0.2.7 ──> PTR ──> certificate ──> banner
//!         │ Trait::Name        │         │ Address    │ ReverseName …
//!         v                    v         v            v
//!       claim() of each: the platform that says so, its side, and by which entry
//! ```
//!
//! Each link of such a chain is asked by itself, so that a host under a new name that lives at a
//! legacy address shows as what it is.

use std::net::IpAddr;

use super::platform::glob_matches;
use super::{Inventory, Platform};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::terms::{UnknownWord, words};

words! {
    /// On which side of the migration a platform stands.
    Side {
        /// Where mail belongs.
        New = "new",
        /// What is being left.
        Legacy = "legacy",
        /// Neither: a filter, a backup service, a provider that stays.
        ThirdParty = "third-party",
        /// No platform claims it.
        Unknown = "unknown",
    }
}

words! {
    /// By which entry of an inventory a platform claims something.
    ClaimedBy {
        /// `hosts`.
        Hosts = "hosts",
        /// `names`.
        Names = "names",
        /// `networks`.
        Networks = "networks",
        /// `ptr`.
        Ptr = "ptr",
        /// `certificates`.
        Certificates = "certificates",
        /// `spki`.
        Spki = "spki",
        /// `banners`.
        Banners = "banners",
        /// `asn`.
        Asn = "asn",
    }
}

/// Something that was seen of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trait<'a> {
    /// A host name: of an MX record, of a CNAME's target, in an EHLO.
    Name(&'a str),
    /// An address.
    Address(IpAddr),
    /// The name that an address's PTR record gives.
    ReverseName(&'a str),
    /// A DNS name in a certificate.
    Certificate(&'a str),
    /// The SHA-256 digest of a certificate's SubjectPublicKeyInfo.
    Spki(&'a [u8; 32]),
    /// The host name in a greeting (RFC 5321 4.2).
    Banner(&'a str),
    /// The number of an autonomous system.
    Asn(u32),
}

/// A platform's claim on something that was seen.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The platform.
    pub platform: &'a Platform,
    /// By which of its entries.
    pub by: ClaimedBy,
}

impl Claim<'_> {
    /// The platform's side.
    pub fn side(&self) -> Side {
        self.platform.side
    }
}

impl Inventory {
    /// The platform that claims what was seen, the first one in the file.
    pub fn claim(&self, seen: Trait<'_>) -> Option<Claim<'_>> {
        self.platforms.values().find_map(|platform| platform.claims(seen).map(|by| Claim { platform, by }))
    }

    /// The side of what was seen.
    pub fn side(&self, seen: Trait<'_>) -> Side {
        self.claim(seen).map_or(Side::Unknown, |claim| claim.side())
    }
}

impl Platform {
    /// By which entry the platform claims what was seen, if it does.
    pub fn claims(&self, seen: Trait<'_>) -> Option<ClaimedBy> {
        let fits = |patterns: &[crate::source::Spanned<String>], name: &str| {
            let name = name.trim_end_matches('.');
            patterns.iter().any(|pattern| glob_matches(&pattern.value, name))
        };
        let name = |name: &str| match name.trim_end_matches('.').to_lowercase() {
            name if self.hosts.iter().any(|host| host.value == name) => Some(ClaimedBy::Hosts),
            name if fits(&self.names, &name) => Some(ClaimedBy::Names),
            _ => None,
        };
        let when = |holds: bool, by: ClaimedBy| holds.then_some(by);
        match seen {
            Trait::Name(seen) => name(seen),
            Trait::Address(seen) => when(self.has_address(seen), ClaimedBy::Networks),
            Trait::ReverseName(seen) => when(fits(&self.ptr, seen), ClaimedBy::Ptr).or_else(|| name(seen)),
            Trait::Certificate(seen) => {
                when(fits(&self.certificates, seen), ClaimedBy::Certificates).or_else(|| name(seen))
            }
            Trait::Spki(seen) => when(self.spki.iter().any(|spki| spki.value.0 == *seen), ClaimedBy::Spki),
            Trait::Banner(seen) => when(fits(&self.banners, seen), ClaimedBy::Banners).or_else(|| name(seen)),
            Trait::Asn(seen) => when(self.asn.iter().any(|asn| asn.value == seen), ClaimedBy::Asn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::load;
    use crate::source::SourceText;

    const INVENTORY: &str = "
platforms:
  new: { hosts: [mx1.new.example], networks: [192.0.2.0/25], banners: ['*.new.example'] }
  legacy:
    names: ['*.old.example']
    networks: [192.0.2.128/25, '2001:db8:1::/48']
    ptr: ['*.isp.example']
    asn: 64500
    certificates: ['mail.old.example']
    spki: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
  filter: { hosts: [in.filter.example], side: third-party }
  spare: { hosts: [mx.spare.example] }
";

    fn inventory() -> Inventory {
        load(&SourceText::new("inventory.yaml", INVENTORY)).expect("an inventory").0
    }

    #[test]
    fn each_link_of_a_chain_has_a_side_of_its_own() {
        let inventory = inventory();
        let sides = [
            (Trait::Name("MX1.new.example."), Side::New),
            (Trait::Name("mx.old.example"), Side::Legacy),
            (Trait::Name("notmx1.new.example"), Side::Unknown),
            (Trait::Name("old.example.com"), Side::Unknown),
            (Trait::Address("192.0.2.200".parse().expect("an address")), Side::Legacy),
            (Trait::Address("::ffff:192.0.2.1".parse().expect("an address")), Side::New),
            (Trait::Address("2001:db8:2::1".parse().expect("an address")), Side::Unknown),
            (Trait::ReverseName("h7.isp.example."), Side::Legacy),
            (Trait::Certificate("mail.old.example"), Side::Legacy),
            (Trait::Banner("edge3.new.example"), Side::New),
            (Trait::Asn(64500), Side::Legacy),
            (Trait::Name("in.filter.example"), Side::ThirdParty),
            (Trait::Name("mx.spare.example"), Side::ThirdParty),
        ];
        for (seen, side) in sides {
            assert_eq!(inventory.side(seen), side, "{seen:?}");
        }
    }

    #[test]
    fn a_key_tells_the_platform_under_any_name() {
        let digest = [
            0x2c, 0xf2, 0x4d, 0xba, 0x5f, 0xb0, 0xa3, 0x0e, 0x26, 0xe8, 0x3b, 0x2a, 0xc5, 0xb9, 0xe2, 0x9e, 0x1b, 0x16,
            0x1e, 0x5c, 0x1f, 0xa7, 0x42, 0x5e, 0x73, 0x04, 0x33, 0x62, 0x93, 0x8b, 0x98, 0x24,
        ];
        let inventory = inventory();
        let claim = inventory.claim(Trait::Spki(&digest)).expect("a claim");
        assert_eq!((claim.platform.name.value.as_str(), claim.by), ("legacy", ClaimedBy::Spki));
    }
}

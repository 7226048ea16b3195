//! What is looked for: the names and the networks of a platform, and where a text names them.

use std::net::IpAddr;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use ipnet::IpNet;

use super::spelling;
use crate::inventory::{Inventory, glob_matches};

/// The shortest run of letters that a pattern may be searched by.
const SHORTEST: usize = 3;

/// One place in a text that names a wanted platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Where, in bytes.
    pub(crate) range: Range<usize>,
    /// The name or address in its usual spelling.
    pub(crate) name: String,
    /// The platform that it belongs to.
    pub(crate) platform: String,
}

/// Names and networks that are looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    names: Vec<Name>,
    networks: Vec<(IpNet, String)>,
    domains: Vec<String>,
    finder: AhoCorasick,
}

#[derive(Clone, Debug)]
struct Name {
    /// In punycode and lower case; `*` and `?` as in an inventory.
    pattern: String,
    platform: String,
}

/// What to look for besides the platforms of an inventory.
#[derive(Clone, Debug, Default)]
pub struct AdHoc {
    /// Host names or patterns.
    pub names: Vec<String>,
    /// Addresses and networks.
    pub networks: Vec<IpNet>,
    /// The platform that they are said to belong to.
    pub platform: String,
    /// Domains whose mail this machine must not deliver by itself.
    pub domains: Vec<String>,
}

/// Why nothing can be looked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwanted {
    /// The inventory has no such platform.
    #[error("`{0}` is not a platform of the inventory")]
    Platform(String),
    /// Neither names nor networks are known.
    #[error("nothing is known by which `{0}` could be recognised")]
    Nothing(String),
    /// A pattern would fit nearly everything.
    #[error("`{0}` fits nearly every name")]
    Broad(String),
}

impl Wanted {
    /// What belongs to `platforms` of the inventory, and what was given by hand.
    ///
    /// # Errors
    /// When there is nothing to look for, or a pattern fits everything.
    pub fn new(inventory: &Inventory, platforms: &[String], by_hand: &AdHoc) -> Result<Self, Unwanted> {
        let mut names: Vec<Name> = vec![];
        let mut networks = vec![];
        for wanted in platforms {
            let platform = inventory.platforms.get(wanted).ok_or_else(|| Unwanted::Platform(wanted.clone()))?;
            let known = platform.hosts.iter().chain(&platform.names).chain(&platform.ptr);
            names.extend(known.map(|it| Name::new(&it.value, wanted)));
            networks.extend(platform.networks.iter().map(|it| (it.value, wanted.clone())));
        }
        names.extend(by_hand.names.iter().map(|it| Name::new(it, &by_hand.platform)));
        networks.extend(by_hand.networks.iter().map(|it| (*it, by_hand.platform.clone())));
        let domains: Vec<String> = by_hand.domains.iter().map(|it| ascii(it)).collect();
        if names.is_empty() && networks.is_empty() && domains.is_empty() {
            let whom = platforms.first().unwrap_or(&by_hand.platform);
            return Err(Unwanted::Nothing(whom.clone()));
        }
        if let Some(broad) = names.iter().find(|it| it.core().len() < SHORTEST) {
            return Err(Unwanted::Broad(broad.pattern.clone()));
        }
        let cores: Vec<String> = names.iter().flat_map(|it| it.cores()).collect();
        let mut finder = AhoCorasick::builder();
        finder.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest);
        // Fails only for more patterns than an inventory of 4 MiB can hold.
        let finder = finder.build(cores).map_err(|_| Unwanted::Nothing("too many names".to_owned()))?;
        Ok(Self { names, networks, domains, finder })
    }

    /// The literal parts of all names, in lower case, in punycode and in letters.
    pub(crate) fn cores(&self) -> Vec<String> {
        let mut cores: Vec<String> = self.names.iter().flat_map(Name::cores).collect();
        cores.sort();
        cores.dedup();
        cores
    }

    /// All networks.
    pub(crate) fn networks(&self) -> impl Iterator<Item = &IpNet> {
        self.networks.iter().map(|(network, _)| network)
    }

    /// Domains whose mail the machine must not deliver by itself.
    pub(crate) fn domains(&self) -> &[String] {
        &self.domains
    }

    /// Every place in `text` that names the platform in plain spelling, in order.
    pub(crate) fn plain(&self, text: &str) -> Vec<Hit> {
        let mut hits = self.named(text);
        if !self.networks.is_empty() {
            hits.extend(spelling::addresses(text).filter_map(|(range, address)| self.of_address(range, address)));
            hits.sort_by_key(|hit| hit.range.start);
        }
        hits
    }

    /// Every place in `text` that names the platform, percent-encoded, escaped, or in base64 too.
    pub(crate) fn hits(&self, text: &str) -> Vec<Hit> {
        let mut hits = self.plain(text);
        for (range, decoded) in spelling::hidden(text) {
            if hits.iter().any(|hit| hit.range.start < range.end && range.start < hit.range.end) {
                continue;
            }
            hits.extend(self.plain(&decoded).into_iter().map(|hit| Hit { range: range.clone(), ..hit }));
        }
        hits.sort_by_key(|hit| hit.range.start);
        hits
    }

    /// Whether a whole word is one of the names or addresses, and whose.
    pub(crate) fn whose(&self, word: &str) -> Option<&str> {
        let name = ascii(word);
        self.names.iter().find(|it| glob_matches(&it.pattern, &name)).map(|it| it.platform.as_str())
    }

    fn named(&self, text: &str) -> Vec<Hit> {
        let mut hits = vec![];
        let mut done = 0;
        for found in self.finder.find_iter(text) {
            if found.start() < done {
                continue;
            }
            let token = spelling::host_around(text, found.range());
            let hit = spelling::readings(text, token).into_iter().find_map(|range| {
                let platform = self.whose(&text[range.clone()])?.to_owned();
                Some(Hit { name: text[range.clone()].to_lowercase(), range, platform })
            });
            if let Some(hit) = hit {
                done = hit.range.end;
                hits.push(hit);
            }
        }
        hits
    }

    fn of_address(&self, range: Range<usize>, address: IpAddr) -> Option<Hit> {
        let address = address.to_canonical();
        let (_, platform) = self.networks.iter().find(|(network, _)| network.contains(&address))?;
        Some(Hit { range, name: address.to_string(), platform: platform.clone() })
    }
}

impl Name {
    fn new(pattern: &str, platform: &str) -> Self {
        Self { pattern: ascii(pattern), platform: platform.to_owned() }
    }

    /// The longest part without `*` and `?`.
    fn core(&self) -> String {
        let parts = self.pattern.split(['*', '?']);
        parts.max_by_key(|part| part.len()).unwrap_or("").to_owned()
    }

    /// The literal part in punycode, and in letters where that differs.
    fn cores(&self) -> Vec<String> {
        let core = self.core();
        let (letters, _) = idna::domain_to_unicode(&core);
        if letters == core { vec![core] } else { vec![core, letters] }
    }
}

/// A name in lower case and punycode, without the dot at its end.
pub(crate) fn ascii(name: &str) -> String {
    let name = name.trim_end_matches('.');
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    idna::domain_to_ascii(name).unwrap_or_else(|_| name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(names: &[&str], networks: &[&str]) -> Wanted {
        let by_hand = AdHoc {
            names: names.iter().map(|it| (*it).to_owned()).collect(),
            networks: networks.iter().map(|it| it.parse().expect("a network")).collect(),
            platform: "legacy".to_owned(),
            domains: vec![],
        };
        Wanted::new(&Inventory::default(), &[], &by_hand).expect("something to look for")
    }

    fn found(wanted: &Wanted, text: &str) -> Vec<String> {
        wanted.hits(text).into_iter().map(|hit| hit.name).collect()
    }

    #[test]
    fn a_name_ends_where_its_labels_end() {
        let wanted = wanted(&["mx.old.example"], &[]);
        for named in [
            "mx.old.example",
            "[MX.Old.Example]:25",
            "smtp://u:p@mx.old.example.",
            "x%40mx.old.example%3A25",
            "a\\nmx.old.example",
        ] {
            assert_eq!(found(&wanted, named), ["mx.old.example"], "{named}");
        }
        for other in
            ["notmx.old.example", "mx.old.example.com", "mx-old.example", "a.mx.old.example", "mx.old.example-x"]
        {
            assert!(found(&wanted, other).is_empty(), "{other}");
        }
    }

    #[test]
    fn patterns_want_a_label() {
        let wanted = wanted(&["*.old.example"], &[]);
        assert_eq!(found(&wanted, "relay a.b.old.example, old.example; xold.example"), ["a.b.old.example"]);
    }

    #[test]
    fn addresses_are_known_in_every_spelling() {
        let wanted = wanted(&[], &["198.51.100.0/24", "2001:db8:77::/48"]);
        for named in [
            "198.51.100.7",
            "[198.51.100.7]:25",
            "198.51.100.7::587",
            "::ffff:198.51.100.7",
            "::ffff:c633:6407",
            "[2001:0DB8:0077::1]:25",
            "2001:db8:77:0:0:0:0:1",
            "smtp://[2001%3adb8%3A77::1]/",
        ] {
            assert_eq!(found(&wanted, named).len(), 1, "{named}");
        }
        for other in ["198.51.1007", "1198.51.100.7", "198.51.100.7.8", "2001:db8:78::1", "12:34:56"] {
            assert!(found(&wanted, other).is_empty(), "{other}");
        }
    }

    #[test]
    fn hidden_spellings_are_read() {
        let wanted = wanted(&["mx.old.example", "mx.b\u{fc}cher.example"], &[]);
        assert_eq!(found(&wanted, "host=mx%2Eold%2Eexample"), ["mx.old.example"]);
        assert_eq!(found(&wanted, "SMTP_HOST: bXgub2xkLmV4YW1wbGU="), ["mx.old.example"]);
        assert_eq!(found(&wanted, "SMTP_HOST: bXgub2xkLmV4YW1wbGUK"), ["mx.old.example"]);
        assert_eq!(found(&wanted, r#""mx\u002eold.example""#), ["mx.old.example"]);
        assert_eq!(found(&wanted, "mx.xn--bcher-kva.example"), ["mx.xn--bcher-kva.example"]);
        assert_eq!(found(&wanted, "MX.B\u{fc}cher.example"), ["mx.b\u{fc}cher.example"]);
    }

    #[test]
    fn what_fits_everything_is_refused() {
        let by_hand = AdHoc { names: vec!["*".to_owned()], platform: "legacy".to_owned(), ..AdHoc::default() };
        assert_eq!(Wanted::new(&Inventory::default(), &[], &by_hand).err(), Some(Unwanted::Broad("*".to_owned())));
    }
}

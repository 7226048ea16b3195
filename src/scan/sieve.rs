//! One pass over a file's bytes: could it name what is looked for, in any spelling?
//!
//! For each name a few short runs of bytes are looked for that every spelling of it holds. Four
//! bytes each are enough for the vectorised search, and the file that holds one is read properly.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, packed};
use base64::Engine;
use ipnet::IpNet;

use super::wanted::Wanted;

/// The length of the run of a name that is looked for, in bytes.
const RUN: usize = 4;

/// More bytes than any needle has: how far two reads of one file must overlap.
pub(crate) const OVERLAP: usize = 256;

/// Says whether bytes may hold what is looked for.
pub(crate) enum Sieve {
    /// The processor's vectors do it.
    Packed(Box<packed::Searcher>),
    /// There are too many needles for that.
    Automaton(AhoCorasick),
    /// There is nothing to look for.
    Empty,
}

impl Sieve {
    pub(crate) fn new(wanted: &Wanted) -> Self {
        let needles = needles(wanted);
        if needles.is_empty() {
            return Sieve::Empty;
        }
        let packed = packed::Config::new().heuristic_pattern_limits(false).builder().extend(&needles).build();
        match packed {
            Some(searcher) => Sieve::Packed(Box::new(searcher)),
            None => AhoCorasick::new(&needles).map_or(Sieve::Empty, Sieve::Automaton),
        }
    }

    /// Whether the bytes may name it; false for certain only.
    pub(crate) fn may_hold(&self, bytes: &[u8]) -> Chance {
        let held = match self {
            Sieve::Packed(searcher) => searcher.find(bytes).is_some(),
            Sieve::Automaton(automaton) => automaton.is_match(bytes),
            Sieve::Empty => false,
        };
        if held { Chance::Possible } else { Chance::Excluded }
    }
}

/// What the first look at a file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chance {
    /// It may name what is looked for.
    Possible,
    /// It does not.
    Excluded,
}

/// Everything that is looked for, none longer than [`OVERLAP`].
fn needles(wanted: &Wanted) -> BTreeSet<Vec<u8>> {
    let cores = wanted.cores();
    let mut needles = BTreeSet::new();
    for core in &cores {
        let run = best_run(core, &cores);
        needles.extend(cases(run));
        needles.extend(percent(run).iter().flat_map(|it| cases(it)));
        needles.extend(wide(core));
        needles.extend(base64_forms(core.as_bytes()));
    }
    for network in wanted.networks() {
        needles.extend(address_needles(network));
    }
    needles.retain(|it| !it.is_empty() && it.len() < OVERLAP);
    needles
}

/// The run of a name that is worth looking for: few spellings, shared with other names, and not in
/// the last label, which half of the internet shares.
fn best_run<'a>(core: &'a str, others: &[String]) -> &'a str {
    let last_label = core.trim_end_matches('.').rfind('.').unwrap_or(core.len());
    let runs = (0..core.len()).filter_map(|at| core.get(at..at + RUN).map(|run| (at, run)));
    let cost = |(at, run): (usize, &str)| {
        let letters = run.chars().filter(char::is_ascii_alphabetic).count() as u32;
        let shared = others.iter().filter(|other| other.contains(run)).count().max(1);
        let common = if at + RUN > last_label + 1 { 16 } else { 1 };
        (1 << letters) * common * 64 / shared
    };
    runs.min_by_key(|it| cost(*it)).map_or(core, |(_, run)| run)
}

/// Every combination of upper and lower case.
fn cases(run: &str) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec![vec![]];
    for c in run.chars() {
        let mut next = vec![];
        for one in &all {
            let mut both = vec![c.to_string()];
            both.extend([c.to_lowercase().to_string(), c.to_uppercase().to_string()]);
            both.sort();
            both.dedup();
            next.extend(both.iter().map(|it| [one.as_slice(), it.as_bytes()].concat()));
        }
        all = next;
    }
    all
}

/// The run with what a URL may encode in it; nothing where that changes nothing.
fn percent(run: &str) -> Vec<String> {
    let Some(at) = run.find(|c: char| !c.is_ascii_alphanumeric() && c != '-') else { return vec![] };
    let next = run[at..].chars().next().unwrap_or('.');
    let encoded: String = next.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect();
    let before = &run[..at];
    let after = &run[at + next.len_utf8()..];
    // Letters on one side only: fewer spellings.
    if before.len() >= after.len() { vec![format!("{before}{encoded}")] } else { vec![format!("{encoded}{after}")] }
}

/// Two characters of the name in UTF-16; the bytes are the same in both orders.
fn wide(core: &str) -> Vec<Vec<u8>> {
    let characters: Vec<char> = core.chars().collect();
    let pairs = characters.windows(3).map(|three| three.iter().collect::<String>());
    let best = pairs.min_by_key(|it| it.chars().filter(|c| c.is_alphabetic()).count());
    let forms = best.iter().flat_map(|it| cases(it)).filter_map(|form| String::from_utf8(form).ok());
    forms.map(|form| form.encode_utf16().flat_map(u16::to_le_bytes).take(5).collect()).collect()
}

/// What base64 of a text looks like that holds `bytes`, at each of the three alignments.
fn base64_forms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let forms = (0..3).filter_map(|offset| {
        let padded = [vec![0; offset], bytes.to_vec()].concat();
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&padded);
        let first = (offset * 8).div_ceil(6);
        let last = padded.len() * 8 / 6;
        encoded.get(first..last).map(|it| it.as_bytes().to_vec())
    });
    forms.filter(|it| it.len() >= RUN).collect()
}

fn address_needles(network: &IpNet) -> Vec<Vec<u8>> {
    match network {
        IpNet::V4(v4) => {
            let octets = v4.network().octets();
            let known = usize::from(v4.prefix_len() / 8);
            let prefix: String = match known {
                0 => ".".to_owned(),
                4 => v4.network().to_string(),
                _ => octets[..known].iter().map(|octet| format!("{octet}.")).collect(),
            };
            let mut needles = base64_forms(prefix.as_bytes());
            needles.push(prefix.encode_utf16().flat_map(u16::to_le_bytes).take(prefix.len() * 2 - 1).collect());
            // `::ffff:c633:6407`, and the same with zeros written out.
            let mapped = format!("ffff:{:x}", octets[0]);
            needles.extend([mapped.clone().into_bytes(), mapped.to_uppercase().into_bytes()]);
            needles.push(prefix.into_bytes());
            needles
        }
        IpNet::V6(v6) => {
            let first = v6.network().segments()[0];
            if v6.prefix_len() < 16 || first == 0 {
                return [":", "%3a", "%3A"].map(|it| it.as_bytes().to_vec()).to_vec();
            }
            let group = format!("{first:x}");
            let mut needles = cases(&format!("{group}:"));
            needles.extend(cases(&format!("{group}%3")));
            needles.extend(base64_forms(format!("{group}:").as_bytes()));
            needles.extend(cases(&group).into_iter().filter_map(|form| {
                let form = String::from_utf8(form).ok()? + ":";
                Some(form.encode_utf16().flat_map(u16::to_le_bytes).take(form.len() * 2 - 1).collect())
            }));
            needles
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Inventory;
    use crate::scan::AdHoc;

    fn sieve(names: &[&str], networks: &[&str]) -> Sieve {
        let by_hand = AdHoc {
            names: names.iter().map(|it| (*it).to_owned()).collect(),
            networks: networks.iter().map(|it| it.parse().expect("a network")).collect(),
            platform: "legacy".to_owned(),
            domains: vec![],
        };
        Sieve::new(&Wanted::new(&Inventory::default(), &[], &by_hand).expect("names"))
    }

    #[test]
    fn every_spelling_passes() {
        let sieve = sieve(&["mx.old.example", "*.alt.example"], &["198.51.100.0/24", "2001:db8::/32"]);
        let wide = |text: &str, order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        let spelled: Vec<Vec<u8>> = vec![
            b"MX.old.EXAMPLE".to_vec(),
            b"mx%2Eold%2eexample".to_vec(),
            b"bXgub2xkLmV4YW1wbGU=".to_vec(),
            b"eG14Lm9sZC5leGFtcGxl".to_vec(),
            b"eHhteC5vbGQuZXhhbXBsZQ==".to_vec(),
            wide("Mx.Old.example", u16::to_le_bytes),
            wide("mx.old.example", u16::to_be_bytes),
            b"a.ALT.example".to_vec(),
            b"[198.51.100.9]".to_vec(),
            b"::ffff:c633:6407".to_vec(),
            b"2001:0DB8::1".to_vec(),
            b"2001%3Adb8%3A%3A1".to_vec(),
        ];
        for bytes in spelled {
            let embedded = [b"xx ".as_slice(), &bytes, b" yy"].concat();
            assert_eq!(sieve.may_hold(&embedded), Chance::Possible, "{}", String::from_utf8_lossy(&bytes));
        }
        assert_eq!(sieve.may_hold(b"relayhost = mx.new.example"), Chance::Excluded);
    }
}

//! Expanding an SPF record (RFC 7208).

use std::collections::BTreeSet;
use std::net::IpAddr;

use futures_util::future::BoxFuture;
use hickory_resolver::proto::rr::RecordType;
use ipnet::IpNet;

use super::super::facts::{Answer, Data, Rr, SpfTerm, SpfTermKind, SpfTree, Trail};
use super::{Names, host, hosts, trail};

/// The most records that are read for one domain: receivers stop at ten lookups, and people want to see
/// what stands behind them.
const MOST_RECORDS: usize = 60;

/// Expands the SPF record of `domain`.
pub(super) async fn tree(names: &dyn Names, domain: &str) -> SpfTree {
    let mut walk = Walk { names, above: vec![], read: BTreeSet::new() };
    walk.expand(domain.to_owned()).await
}

struct Walk<'a> {
    names: &'a dyn Names,
    /// The names that are being expanded, outermost first.
    above: Vec<String>,
    read: BTreeSet<String>,
}

impl Walk<'_> {
    fn expand(&mut self, name: String) -> BoxFuture<'_, SpfTree> {
        Box::pin(async move {
            if let Some(why) = self.stop(&name) {
                let nothing = Trail { name: name.clone(), aliases: vec![], end: Answer::Circle };
                return SpfTree { name, trail: nothing, record: None, count: 0, terms: vec![], cut: Some(why) };
            }
            self.read.insert(name.clone());
            let trail = trail(self.names, &name, RecordType::TXT).await;
            let found: Vec<(String, Rr)> = trail
                .end
                .texts()
                .filter(|(text, _)| is_spf(text))
                .map(|(text, rr)| (text.to_owned(), rr.clone()))
                .collect();
            let mut tree = SpfTree { name, trail, record: None, count: found.len(), terms: vec![], cut: None };
            if let [(text, rr)] = found.as_slice() {
                tree.record = Some(rr.clone());
                self.above.push(tree.name.clone());
                for word in text.split_ascii_whitespace().skip(1) {
                    let term = self.term(word, &tree.name).await;
                    tree.terms.push(term);
                }
                self.above.pop();
            }
            tree
        })
    }

    fn stop(&self, name: &str) -> Option<&'static str> {
        if self.above.iter().any(|above| above == name) {
            return Some("it includes itself");
        }
        (self.read.len() >= MOST_RECORDS).then_some("there are more records than are read")
    }

    async fn term(&mut self, word: &str, domain: &str) -> SpfTerm {
        let (qualifier, rest) = match word.chars().next() {
            Some(mark @ ('+' | '-' | '~' | '?')) => (mark, &word[1..]),
            _ => ('+', word),
        };
        let kind = self.kind(rest, domain).await;
        SpfTerm { text: word.to_owned(), qualifier, kind }
    }

    async fn kind(&mut self, text: &str, domain: &str) -> SpfTermKind {
        let lower = text.to_ascii_lowercase();
        if let Some(target) = lower.strip_prefix("redirect=") {
            let target = target.trim_end_matches('.').to_owned();
            return SpfTermKind::Redirect(target.clone(), self.below(&target).await);
        }
        let (name, argument) = split(&lower);
        if name.contains('=') || lower.starts_with("exp=") {
            return SpfTermKind::Other;
        }
        let bad = || SpfTermKind::Malformed(format!("`{text}` is no mechanism of SPF"));
        match (name, argument) {
            ("all", "") => SpfTermKind::All,
            ("include", argument) => match argument.strip_prefix(':') {
                Some(target) if !target.is_empty() => {
                    let target = target.trim_end_matches('.').to_owned();
                    SpfTermKind::Include(target.clone(), self.below(&target).await)
                }
                _ => bad(),
            },
            ("ip4" | "ip6", argument) => {
                argument.strip_prefix(':').and_then(network).map_or_else(bad, SpfTermKind::Network)
            }
            ("a", argument) => {
                let (target, v4, v6) = target(argument, domain);
                SpfTermKind::A(Box::new(host(self.names, &target).await), v4, v6)
            }
            ("mx", argument) => self.mx(argument, domain).await,
            ("ptr", argument) => SpfTermKind::Ptr(target(argument, domain).0),
            ("exists", argument) if argument.len() > 1 => SpfTermKind::Exists(target(argument, domain).0),
            _ => bad(),
        }
    }

    async fn mx(&self, argument: &str, domain: &str) -> SpfTermKind {
        let (target, v4, v6) = target(argument, domain);
        let answer = trail(self.names, &target, RecordType::MX).await.end;
        let named: Vec<String> = answer
            .records()
            .iter()
            .filter_map(|rr| match &rr.data {
                Data::Mx { host, .. } => Some(host.clone()),
                _ => None,
            })
            .collect();
        SpfTermKind::Mx(target, answer, hosts(self.names, &named).await, v4, v6)
    }

    /// A macro depends on the sender, so that nothing can be read behind it.
    async fn below(&mut self, target: &str) -> Option<Box<SpfTree>> {
        if target.contains('%') {
            return None;
        }
        Some(Box::new(self.expand(target.to_owned()).await))
    }
}

/// Whether a text is an SPF record (RFC 7208 4.5): the version, then a blank or nothing.
fn is_spf(text: &str) -> bool {
    let version = text.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("v=spf1"));
    version && (text.len() == 6 || text.as_bytes()[6] == b' ')
}

/// A mechanism's name, and what stands behind it from `:` or `/` on.
fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find([':', '/']).unwrap_or(text.len()))
}

/// The name of `:NAME/24//64` and its prefix lengths; the domain itself where there is no name.
fn target(argument: &str, domain: &str) -> (String, u8, u8) {
    let argument = argument.strip_prefix(':').unwrap_or(argument);
    let (name, lengths) = argument.split_at(argument.find('/').unwrap_or(argument.len()));
    let (v4, v6) = match lengths.split_once("//") {
        Some((v4, v6)) => (v4.trim_start_matches('/').parse().ok(), v6.parse().ok()),
        None => (lengths.trim_start_matches('/').parse().ok(), None),
    };
    let name = match name.trim_end_matches('.') {
        "" => domain.to_owned(),
        // The one macro that does not depend on the message.
        name => name.replace("%{d}", domain),
    };
    (name, v4.filter(|it| *it <= 32).unwrap_or(32), v6.filter(|it| *it <= 128).unwrap_or(128))
}

fn network(text: &str) -> Option<IpNet> {
    let whole = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    Some(whole.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_lengths_stand_behind_the_name() {
        assert_eq!(target("", "drill.example"), ("drill.example".to_owned(), 32, 128));
        assert_eq!(target(":mx.old.example/24//64", "d"), ("mx.old.example".to_owned(), 24, 64));
        assert_eq!(target("//48", "d"), ("d".to_owned(), 32, 48));
        assert_eq!(target("/28", "d"), ("d".to_owned(), 28, 128));
    }

    #[test]
    fn only_the_first_word_makes_a_record_spf() {
        assert!(is_spf("v=spf1 -all") && is_spf("V=SPF1"));
        assert!(!is_spf("v=spf10 -all") && !is_spf("spf2.0/pra") && !is_spf("v=spf"));
    }
}

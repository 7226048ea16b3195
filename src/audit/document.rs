//! The hosts that a document for mail clients names: autoconfig, autodiscover, PACC.
//!
//! Documents are read for host names only, so that a slip in their form, which clients forgive, hides none.

use serde_json::Value;

use super::facts::Named;
use crate::mail::address::is_domain;

/// The most of a document that is read, in bytes.
pub(super) const MAX_DOCUMENT: usize = 256 * 1024;

/// The elements of autoconfig and autodiscover that hold a host name or a URL, in lower case.
const ELEMENTS: &[&str] =
    &["hostname", "server", "asurl", "ewsurl", "oaburl", "redirecturl", "internalurl", "externalurl"];

/// The hosts that a document names, each with what for; `None` where it is no such document at all, such as
/// the page that a web server shows for everything.
pub(super) fn named(kind: &str, text: &str) -> Option<Vec<Named>> {
    match kind {
        "pacc" => {
            let value: Value = serde_json::from_str(text).ok()?;
            let mut found = vec![];
            json(&value, "configuration", &mut found);
            Some(found)
        }
        _ => {
            let lower = text.to_ascii_lowercase();
            ["<clientconfig", "<autodiscover"].iter().any(|mark| lower.contains(mark)).then(|| xml(text))
        }
    }
}

/// Every host in an XML text: the last `type` that was seen says what for.
fn xml(text: &str) -> Vec<Named> {
    let mut found = vec![];
    let mut purpose = "a service".to_owned();
    for part in text.split('<').skip(1) {
        let Some((tag, content)) = part.split_once('>') else { continue };
        let name = tag.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default().to_ascii_lowercase();
        let content = content.trim();
        match name.as_str() {
            "incomingserver" | "outgoingserver" => purpose = attribute(tag, "type").unwrap_or(name),
            "type" if !content.is_empty() => purpose = content.to_ascii_lowercase(),
            element if ELEMENTS.contains(&element) => {
                if let Some(host) = host(content) {
                    found.push(Named { purpose: purpose.clone(), host });
                }
            }
            _ => {}
        }
    }
    found
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}="))?;
    let quote = rest.chars().next().filter(|mark| matches!(mark, '"' | '\''))?;
    Some(rest[1..].split(quote).next()?.to_ascii_lowercase())
}

/// The host of a host name or a URL.
fn host(text: &str) -> Option<String> {
    let place = text.split_once("://").map_or(text, |(_, rest)| rest);
    let name = place.split(['/', ':', '?']).next()?.trim_end_matches('.').to_ascii_lowercase();
    (is_domain(&name) && name.contains('.')).then_some(name)
}

fn json(value: &Value, key: &str, found: &mut Vec<Named>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                // `host` says nothing of what it is for; the object around it does.
                let purpose = if matches!(name.as_str(), "host" | "url" | "server") { key } else { name };
                json(inner, purpose, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| json(item, key, found)),
        Value::String(text) => found.extend(host(text).map(|host| Named { purpose: key.to_owned(), host })),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, text: &str) -> Vec<(String, String)> {
        named(kind, text).expect("a document").into_iter().map(|one| (one.purpose, one.host)).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn autoconfig_names_its_servers() {
        let text = "<clientConfig version=\"1.1\"><emailProvider id=\"d\"><incomingServer type=\"imap\">\n\
            <hostname>imap.new.example</hostname></incomingServer><outgoingServer type=\"smtp\"> <hostname> \
            smtp.old.example. </hostname></outgoingServer></emailProvider></clientConfig>";
        assert_eq!(told("autoconfig", text), pairs(&[("imap", "imap.new.example"), ("smtp", "smtp.old.example")]));
    }

    #[test]
    fn autodiscover_names_servers_and_addresses() {
        let text = "<Autodiscover><Response><Account><Protocol><Type>SMTP</Type><Server>smtp.old.example</Server>\
            </Protocol><Protocol><Type>EXCH</Type><ASUrl>https://mail.old.example/EWS</ASUrl></Protocol></Account>";
        assert_eq!(told("autodiscover", text), pairs(&[("smtp", "smtp.old.example"), ("exch", "mail.old.example")]));
    }

    #[test]
    fn pacc_names_hosts_by_protocol() {
        let text = r#"{"protocols":{"smtp":{"host":"smtp.old.example"},"jmap":{"url":"https://jmap.new.example/s"}}}"#;
        let mut found = told("pacc", text);
        found.sort();
        assert_eq!(found, pairs(&[("jmap", "jmap.new.example"), ("smtp", "smtp.old.example")]));
    }

    #[test]
    fn a_page_for_everything_is_no_document() {
        assert_eq!(named("autoconfig", "<html><body>Hello</body></html>"), None);
        assert_eq!(named("pacc", "<html>"), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<|>|clientConfig|hostname|type=|\"|\\PC){0,80}") {
            named("autoconfig", &format!("<autodiscover>{text}"));
            named("pacc", &text);
        }
    }
}

//! The TXT record at `_smtp._tls.DOMAIN`: where senders report TLS failures to (RFC 8460 3).

use super::name;
use super::problem::{Code, Grammar, Problem};
use super::tags::{self, Kind, Tag, WSP, shown};
use crate::source::Span;

const RFC: &str = "RFC 8460 3";
const KIND: Kind = Kind { version: "v=TLSRPTv1", rfc: RFC, sound: "v=TLSRPTv1; rua=mailto:tls@example.com" };

/// A TLSRPT record, read strictly.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsrptRecord {
    /// Where reports go, in the record's order; empty where a strict reader throws it away.
    pub rua: Vec<String>,
    /// Everything that is wrong with it.
    pub problems: Vec<Problem>,
}

impl TlsrptRecord {
    /// Reads one record: the strings of its RR, joined without anything between them.
    pub fn read(text: &str) -> Self {
        let mut tags = tags::read(text, KIND);
        let mut rua: Option<Vec<String>> = None;
        for tag in &tags.fields {
            if tag.name != "rua" {
                tags.problems.extend(tags::extension(tag, KIND));
            } else if rua.is_some() {
                let said = "the record has a second `rua`";
                let said = Problem::broken(Code::DuplicateKey, tag.span, RFC, said)
                    .help("write all places behind one `rua=`, with commas between them");
                tags.problems.push(said.shown_by(KIND.with(tag.whole)));
            } else {
                rua = Some(places(tag, &mut tags.problems));
            }
        }
        if rua.is_none() && !text.is_empty() {
            let end = Span::new(text.len()..text.len());
            tags.problems.push(
                Problem::broken(Code::MissingRua, end, RFC, "the record has no `rua`")
                    .help("add `rua=mailto:` and an address that is read")
                    .shown_by("v=TLSRPTv1;"),
            );
        }
        let sound = tags.problems.iter().all(|it| it.grammar == Grammar::Kept);
        Self { rua: rua.filter(|_| sound).unwrap_or_default(), problems: tags.problems }
    }
}

fn places(tag: &Tag<'_>, problems: &mut Vec<Problem>) -> Vec<String> {
    let mut found = vec![];
    let mut at = tag.value_span.start;
    for piece in tag.value.split(',') {
        let uri = piece.trim_matches(WSP);
        if let Err(why) = place(uri) {
            let said = if uri.is_empty() {
                "a place to report to is empty".to_owned()
            } else {
                format!("`{}` is no place to report to", shown(uri))
            };
            problems.push(
                Problem::broken(Code::BadRua, Span::new(at..at + piece.len()), RFC, said)
                    .note(why)
                    .help("write `mailto:` and an address, or an `https:` URL")
                    .shown_by(format!("{}; rua={uri}", KIND.version)),
            );
        }
        found.push(uri.to_owned());
        at += piece.len() + 1;
    }
    found
}

/// Whether reports can go there.
fn place(uri: &str) -> Result<(), String> {
    let Some((scheme, rest)) = uri.split_once(':') else {
        return Err("it has no scheme; reports go by `mailto:` or `https:`".to_owned());
    };
    if let Some(odd) = rest.chars().find(|it| !it.is_ascii_graphic() || matches!(it, '!' | '"' | '<' | '>' | '`')) {
        return Err(format!("`{}` is written as `%{:02X}` in it", odd.escape_debug(), u32::from(odd)));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "mailto" => {
            let address = rest.split('?').next().unwrap_or("");
            let (local, domain) = address.rsplit_once('@').ok_or("behind `mailto:` stands an address")?;
            if local.is_empty() { Err("the address has no local part".to_owned()) } else { name::domain(domain) }
        }
        "https" => {
            let host = rest.strip_prefix("//").ok_or("behind `https:` stand two slashes and a host")?;
            let host = host.split(['/', '?', '#']).next().unwrap_or("");
            let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
            name::domain(host)
        }
        other => Err(format!("reports go by `mailto:` or `https:`, not by `{}:`", shown(other))),
    }
}

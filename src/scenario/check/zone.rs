//! The lab's zones: text that can be read, and MX records that lead somewhere.

use std::collections::BTreeMap;

use hickory_server::proto::rr::{LowerName, Name, RData, RecordSet, RecordType, RrKey};
use hickory_server::proto::serialize::txt::{LexerError, ParseError, Parser};

use super::Files;
use crate::scenario::{Lab, Scenario};
use crate::source::{Diagnostic, SourceText, Span, Spanned, closest};

/// The records of a zone.
type Records = BTreeMap<RrKey, RecordSet>;

pub(super) fn check(scenario: &Scenario, lab: &Lab, files: &mut Files) {
    let source = files.scenario.source().clone();
    let mut zones = vec![];
    let mut broken = false;
    for (name, text) in &lab.zones {
        match Zone::read(name, text, &source) {
            Ok(zone) => zones.push(zone),
            Err(said) => {
                files.say(said);
                broken = true;
            }
        }
    }
    for (name, text) in scenario.phases.iter().filter_map(|it| it.publish.as_ref()).flat_map(|it| &it.zones) {
        if let Err(said) = Zone::read(name, text, &source) {
            files.say(said);
        }
    }
    // What a broken zone would have held is not missing.
    if broken {
        return;
    }
    for zone in &zones {
        zone.dangling(lab, &zones).into_iter().for_each(|said| files.say(said));
    }
    if let Some(said) = no_way(scenario, lab, &zones) {
        files.say(said);
    }
}

struct Zone<'a> {
    origin: Name,
    text: &'a Spanned<String>,
    source: &'a SourceText,
    records: Records,
}

impl<'a> Zone<'a> {
    fn read(name: &str, text: &'a Spanned<String>, source: &'a SourceText) -> Result<Self, Diagnostic> {
        let Ok(origin) = Name::from_utf8(format!("{name}.")) else {
            return Err(Diagnostic::error(text.span, format!("`{name}` is not a domain name")));
        };
        let lines: Vec<&str> = text.lines().collect();
        if let Some(at) = lines.iter().position(|line| line.trim_start().to_uppercase().starts_with("$INCLUDE")) {
            let span = line_span(text, source, at);
            return Err(Diagnostic::error(span, "a zone cannot include files").help("write the records out"));
        }
        match records(&origin, text) {
            Ok(records) => Ok(Zone { origin, text, source, records }),
            Err(why) => {
                let span = line_span(text, source, first_bad(&origin, &lines));
                Err(Diagnostic::error(span, format!("this is not a record of the zone `{name}`"))
                    .label(why)
                    .note("records are a name, a type and data, such as `@ MX 10 mx1.new.example.`"))
            }
        }
    }

    /// MX records of hosts that the lab does not have and no zone gives an address.
    fn dangling(&self, lab: &Lab, zones: &[Zone<'_>]) -> Vec<Diagnostic> {
        let known =
            |target: &Name| lab.hosts.contains_key(&plain(target)) || zones.iter().any(|zone| zone.has_address(target));
        self.mx()
            .filter(|target| !target.is_root() && !known(target))
            .map(|target| self.dangles(&target, lab))
            .collect()
    }

    fn dangles(&self, target: &Name, lab: &Lab) -> Diagnostic {
        let name = plain(target);
        let within = format!(".{}", plain(&self.origin));
        let title = format!("the MX `{name}` is no host of the lab and has no address");
        let said = Diagnostic::warning(self.line_of(target), title);
        // The most common slip of a zone file: a name without its dot is relative to the zone.
        let meant = name.strip_suffix(&within).filter(|meant| lab.hosts.contains_key(*meant));
        match (meant, closest(&name, lab.hosts.keys().map(String::as_str))) {
            (Some(meant), _) => said.label(format!("did you mean `{meant}.`, with a dot at its end?")),
            (None, Some(near)) => said.label(format!("did you mean `{near}.`?")),
            (None, None) => said.help(format!("add `{name}` to the lab's hosts, or an A record to a zone")),
        }
    }

    fn mx(&self) -> impl Iterator<Item = Name> {
        let sets = self.records.iter().filter(|(key, _)| key.record_type == RecordType::MX);
        sets.flat_map(|(_, set)| set.records_without_rrsigs()).filter_map(|record| match &record.data {
            RData::MX(mx) => Some(mx.exchange.to_lowercase()),
            _ => None,
        })
    }

    fn has(&self, name: &Name, kind: RecordType) -> bool {
        self.records.contains_key(&RrKey::new(LowerName::new(name), kind))
    }

    fn has_address(&self, name: &Name) -> bool {
        [RecordType::A, RecordType::AAAA, RecordType::CNAME].into_iter().any(|kind| self.has(name, kind))
    }

    /// The line that names `target` last.
    fn line_of(&self, target: &Name) -> Span {
        let names = |line: &str| {
            let last = line.split(';').next().unwrap_or("").split_whitespace().last().unwrap_or("");
            Name::parse(last, Some(&self.origin)).is_ok_and(|name| name.to_lowercase() == *target)
        };
        match self.text.lines().position(names) {
            Some(at) => line_span(self.text, self.source, at),
            None => self.text.span,
        }
    }
}

/// Reads zone text (RFC 1035 5.1), which may leave out `$TTL`, SOA and NS.
fn records(origin: &Name, text: &str) -> Result<Records, String> {
    let records = parse(origin, text).map_err(|error| in_words(&error))?;
    match stray(origin, &records) {
        Some(stray) => Err(format!("`{stray}` lies outside of the zone")),
        None => Ok(records),
    }
}

fn parse(origin: &Name, text: &str) -> Result<Records, ParseError> {
    let whole = format!("$TTL 60\n{text}\n");
    Parser::new(whole, None, Some(origin.clone())).parse().map(|(_, records)| records)
}

/// A name that does not belong into the zone.
fn stray<'a>(origin: &Name, records: &'a Records) -> Option<&'a LowerName> {
    let zone = LowerName::new(origin);
    records.keys().map(|key| &key.name).find(|name| !zone.zone_of(name))
}

/// The line at which a zone goes wrong. The parser stops at the first mistake, so that whatever
/// comes before it can be read; a record that is still open counts as right so far.
fn first_bad(origin: &Name, lines: &[&str]) -> usize {
    use LexerError::{UnclosedList, UnclosedQuotedString};
    let good = |until: usize| match parse(origin, &lines[..until].join("\n")) {
        Ok(records) => stray(origin, &records).is_none(),
        Err(error) => matches!(error, ParseError::Lexer(UnclosedList | UnclosedQuotedString)),
    };
    let (mut low, mut high) = (0, lines.len());
    while low + 1 < high {
        let middle = low.midpoint(high);
        if good(middle) { low = middle } else { high = middle }
    }
    low
}

/// What the parser found, in a reader's words.
fn in_words(error: &ParseError) -> String {
    match error {
        ParseError::MissingToken(what) => format!("its {what} is missing"),
        ParseError::ParseInt(_) | ParseError::CharToInt(_) | ParseError::ParseTime(_) => {
            "one of its numbers is none".to_owned()
        }
        ParseError::AddrParse(_) => "its address is none".to_owned(),
        ParseError::Lexer(LexerError::UnclosedQuotedString) => "a quote is not closed".to_owned(),
        ParseError::Lexer(LexerError::UnclosedList) => "a parenthesis is not closed".to_owned(),
        other => match other.to_string().rsplit_once("record type string unknown: ") {
            Some((_, word)) => format!("`{word}` is not a type of record"),
            None => other.to_string(),
        },
    }
}

/// The place of a line of a block of text; the whole block where it is not written line by line.
fn line_span(text: &Spanned<String>, source: &SourceText, index: usize) -> Span {
    let wanted = text.lines().nth(index).unwrap_or("").trim();
    let mut at = text.span.start;
    let mut places = vec![];
    for line in source.slice(text.span).split_inclusive('\n') {
        places.push((at, line));
        at += line.len();
    }
    let written = |(_, line): &&(usize, &str)| line.trim() == wanted;
    // The same line may be written twice: count how many equal ones come before.
    let before = text.lines().take(index).filter(|line| line.trim() == wanted).count();
    match places.iter().filter(written).nth(before) {
        Some((at, line)) if !wanted.is_empty() => {
            let start = at + line.len() - line.trim_start().len();
            Span::new(start..start + wanted.len())
        }
        _ => text.span,
    }
}

/// Nothing in the lab says where mail for the domain goes.
fn no_way(scenario: &Scenario, lab: &Lab, zones: &[Zone<'_>]) -> Option<Diagnostic> {
    let domain = &scenario.domain;
    let name = Name::from_utf8(format!("{}.", domain.value)).ok().filter(|_| !domain.is_empty())?;
    let routed = zones.iter().any(|zone| zone.has(&name, RecordType::MX) || zone.has_address(&name));
    if routed || lab.hosts.contains_key(&domain.value) {
        return None;
    }
    if zones.iter().any(|zone| zone.origin.zone_of(&name)) {
        let title = format!("the lab's zones give `{}` neither an MX nor an address", domain.value);
        return Some(Diagnostic::warning(domain.span, title).note("every probe will be returned at once"));
    }
    let title = format!("the lab has no zone for `{}`", domain.value);
    Some(
        Diagnostic::error(domain.span, title)
            .help(format!("add `zones: {{ {}: \"@ MX 10 HOST.\" }}` to `lab`", domain.value)),
    )
}

/// A name without the dot at its end.
fn plain(name: &Name) -> String {
    name.to_lowercase().to_utf8().trim_end_matches('.').to_owned()
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_line_is_said_in_words() {
        let origin = Name::from_utf8("drill.example.").expect("a name");
        for (line, why) in [
            ("@ MXX 10 a.", "`MXX` is not a type of record"),
            ("@ MX 10", "its exchange is missing"),
            ("@ MX a. 10", "one of its numbers is none"),
            ("@ A 1.2.3", "its address is none"),
            ("@ TXT \"abc", "a quote is not closed"),
            ("@ MX 10 a. (", "a parenthesis is not closed"),
            ("x.example. A 127.0.0.1", "`x.example.` lies outside of the zone"),
        ] {
            let text = format!("@ MX 10 ( a.\n )\n{line}\n@ MX 20 b.");
            let lines: Vec<&str> = text.lines().collect();
            if !why.ends_with("not closed") {
                assert_eq!(first_bad(&origin, &lines), 2, "{line}");
            }
            assert_eq!(records(&origin, line).map(|_| ()), Err(why.to_owned()), "{line}");
        }
    }
}

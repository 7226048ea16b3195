//! Zone files, read before they are published.
//!
//! ```text
//!   file ── entries (split with their lines) ── hickory reads each record ──> Zone
//!   Zones ── ask(name, kind) ──> Answer, as the authoritative server would give it
//! ```
//!
//! What lies outside of the files is not guessed: the answer says that it was not examined.

mod entry;
mod lookup;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use hickory_resolver::proto::rr::RecordType;
use hickory_resolver::proto::serialize::txt::Parser;

use super::facts::{Data, Rr, Told};
use crate::mail::address::is_domain;
use crate::source::{Diagnostic, Remark, SourceText, Span};
use entry::{Entry, entries};

/// The kinds of records that an audit reads.
const KINDS: &[(&str, RecordType)] = &[
    ("MX", RecordType::MX),
    ("A", RecordType::A),
    ("AAAA", RecordType::AAAA),
    ("CNAME", RecordType::CNAME),
    ("TXT", RecordType::TXT),
    ("SRV", RecordType::SRV),
    ("NS", RecordType::NS),
    ("PTR", RecordType::PTR),
    ("TLSA", RecordType::TLSA),
];

/// The time to live where a file gives none, in seconds.
const DEFAULT_TTL: u32 = 3600;

/// A part of a file that was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The zone.
    pub origin: String,
    /// What of it, such as `line 4 of drill.example.zone`.
    pub what: String,
    /// Why.
    pub why: String,
}

/// The records of one zone file.
#[derive(Debug)]
struct Zone {
    /// The apex.
    apex: String,
    /// By name and kind.
    sets: BTreeMap<(String, RecordType), Vec<Rr>>,
    /// Every name that exists, empty non-terminals among them.
    names: BTreeSet<String>,
}

/// Zone files, as if they were published.
#[derive(Debug, Default)]
pub struct Zones {
    zones: Vec<Zone>,
    unread: Vec<Unread>,
}

impl Zones {
    /// Reads zone files. The origin is `$ORIGIN`, else the file's name without `.zone`.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn read(files: &[SourceText]) -> Result<Self, Vec<Remark>> {
        let mut all = Zones::default();
        let mut wrong = vec![];
        for file in files {
            match all.file(file) {
                Ok(zone) => all.add(zone, file, &mut wrong),
                Err(said) => wrong.extend(said.into_iter().map(|said| Remark::new(file, said))),
            }
        }
        if wrong.is_empty() { Ok(all) } else { Err(wrong) }
    }

    /// What of the files was not read.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// The names that an audit of all files looks at: every origin, and every other name that has an
    /// MX record of its own.
    pub fn domains(&self) -> Vec<String> {
        let mut names = vec![];
        for zone in &self.zones {
            names.push(zone.apex.clone());
            let own = zone.sets.keys().filter(|(name, kind)| *kind == RecordType::MX && !name.starts_with('*'));
            names.extend(own.map(|(name, _)| name.clone()).filter(|name| *name != zone.apex));
        }
        names.retain(|name| !name.ends_with(".arpa"));
        names
    }

    fn add(&mut self, zone: Zone, file: &SourceText, wrong: &mut Vec<Remark>) {
        if self.zones.iter().any(|other| other.apex == zone.apex) {
            let said = Diagnostic::error(Span::new(0..0), format!("the zone `{}` is given twice", zone.apex));
            wrong.push(Remark::new(file, said.help("give one file for each zone")));
            return;
        }
        self.zones.push(zone);
    }

    fn file(&mut self, file: &SourceText) -> Result<Zone, Vec<Diagnostic>> {
        let origin = origin(file).map_err(|said| vec![said])?;
        let mut wrong = vec![];
        let mut zone = Zone { apex: origin.clone(), sets: BTreeMap::new(), names: BTreeSet::new() };
        let mut apex = None;
        for entry in entries(&file.text, &origin) {
            match entry {
                Ok(Entry::Record(written)) if written.kind == "SOA" => apex = apex.or(Some(written.owner)),
                Ok(Entry::Record(written)) => match records(file, &written) {
                    Ok(records) => records.into_iter().for_each(|rr| zone.put(rr)),
                    Err(said) => wrong.push(said),
                },
                Ok(Entry::Unread { line, directive }) => self.unread.push(Unread {
                    origin: origin.clone(),
                    what: format!("line {line} of {}", file.name),
                    why: format!("`{directive}` is not followed; give that file with `--zone` as well"),
                }),
                Err(said) => wrong.push(said),
            }
        }
        zone.apex = apex.unwrap_or(origin);
        zone.exist(zone.apex.clone());
        if wrong.is_empty() { Ok(zone) } else { Err(wrong) }
    }
}

impl Zone {
    fn put(&mut self, rr: Rr) {
        let kind = match &rr.data {
            Data::Mx { .. } => RecordType::MX,
            Data::Address(address) if address.is_ipv4() => RecordType::A,
            Data::Address(_) => RecordType::AAAA,
            Data::Alias(_) => RecordType::CNAME,
            Data::Text(_) => RecordType::TXT,
            Data::Service { .. } => RecordType::SRV,
            Data::Server(_) => RecordType::NS,
            Data::Pointer(_) => RecordType::PTR,
            Data::Tlsa(_) => RecordType::TLSA,
        };
        self.exist(rr.owner.clone());
        self.sets.entry((rr.owner.clone(), kind)).or_default().push(rr);
    }

    /// A name exists, and so does every name above it.
    fn exist(&mut self, name: String) {
        let mut rest = name.as_str();
        loop {
            if !self.names.insert(rest.to_owned()) {
                return;
            }
            match rest.split_once('.') {
                Some((_, above)) => rest = above,
                None => return,
            }
        }
    }
}

/// The origin of a file: `$ORIGIN` before the first record, else the file's name.
fn origin(file: &SourceText) -> Result<String, Diagnostic> {
    if let Some(named) = entry::first_origin(&file.text) {
        return Ok(named);
    }
    let path = Path::new(&*file.name);
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = name.strip_suffix(".zone").unwrap_or(&name).trim_end_matches('.').to_owned();
    if is_domain(&name) {
        return Ok(name);
    }
    let error = Diagnostic::error(Span::new(0..0), format!("the origin of `{}` is not known", file.name));
    Err(error
        .note("the origin of a zone is its `$ORIGIN`, else the file's name without `.zone`")
        .help("begin the file with a line such as `$ORIGIN drill.example.`"))
}

/// The records of one entry; none where no audit reads its kind.
fn records(file: &SourceText, written: &entry::Written) -> Result<Vec<Rr>, Diagnostic> {
    if !KINDS.iter().any(|(word, _)| *word == written.kind) {
        return Ok(vec![]);
    }
    let text = written.alone();
    let wrong =
        |why: String| Diagnostic::error(written.span, format!("this {} record cannot be read", written.kind)).note(why);
    let (_, sets) = Parser::new(text, None, None).parse().map_err(|error| wrong(error.to_string()))?;
    let told = Told { by: Arc::clone(&file.name), line: Some(written.line), text: Some(written.shown.as_str().into()) };
    let of_sets = sets.values().flat_map(|set| set.records_without_rrsigs());
    Ok(of_sets.filter_map(|record| Rr::of(record, told.clone())).collect())
}

#[cfg(test)]
mod tests;

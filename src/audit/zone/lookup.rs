//! What an authoritative server with these zones would answer (RFC 1034 4.3.2).

use async_trait::async_trait;
use hickory_resolver::proto::rr::RecordType;

use super::super::facts::{Answer, FromSource, Rr, SourceKind};
use super::super::gather::Names;
use super::{Zone, Zones};

#[async_trait]
impl Names for Zones {
    async fn ask(&self, name: &str, kind: RecordType) -> Answer {
        self.answer(name, kind)
    }

    async fn everywhere(&self, name: &str, kind: RecordType) -> Vec<FromSource> {
        let answer = self.answer(name, kind);
        let file = answer.records().first().map(|rr| rr.told.by.to_string());
        let source = file.unwrap_or_else(|| "the zone files".to_owned());
        vec![FromSource { kind: SourceKind::Zone, source, answer }]
    }
}

impl Zones {
    fn answer(&self, name: &str, kind: RecordType) -> Answer {
        let holds = |zone: &&Zone| name == zone.apex || name.ends_with(&format!(".{}", zone.apex));
        let Some(zone) = self.zones.iter().filter(holds).max_by_key(|zone| zone.apex.len()) else {
            return Answer::Left("it is in none of the zone files".to_owned());
        };
        zone.answer(name, kind)
    }
}

impl Zone {
    fn answer(&self, name: &str, kind: RecordType) -> Answer {
        if let Some(cut) = self.cut(name) {
            return Answer::Left(format!("`{cut}` is delegated, and in none of the zone files"));
        }
        if self.names.contains(name) {
            return self.at(name, name, kind);
        }
        // The closest name that exists may have a wildcard below it (RFC 4592 3.3.1).
        let mut above = name;
        while let Some((_, rest)) = above.split_once('.') {
            above = rest;
            if self.names.contains(above) {
                let wild = format!("*.{above}");
                return if self.names.contains(&wild) { self.at(&wild, name, kind) } else { Answer::NoName };
            }
        }
        Answer::NoName
    }

    fn at(&self, owner: &str, asked: &str, kind: RecordType) -> Answer {
        let as_asked = |rr: &Rr| Rr { owner: asked.to_owned(), ..rr.clone() };
        let set = |kind: RecordType| self.sets.get(&(owner.to_owned(), kind));
        if let Some(records) = set(kind) {
            return Answer::Found(records.iter().map(as_asked).collect());
        }
        match set(RecordType::CNAME).and_then(|records| records.first()) {
            Some(alias) => Answer::Alias(Box::new(as_asked(alias))),
            None => Answer::NoData,
        }
    }

    /// The delegation that `name` lies behind.
    fn cut<'a>(&self, name: &'a str) -> Option<&'a str> {
        let mut here = name;
        let mut cut = None;
        while here != self.apex {
            if self.sets.contains_key(&(here.to_owned(), RecordType::NS)) {
                cut = Some(here);
            }
            here = here.split_once('.')?.1;
        }
        cut
    }
}

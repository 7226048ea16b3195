//! The vectors of the kinds `mx_set` and `leftover`, each as a whole world of names.

use std::collections::BTreeSet;

use async_trait::async_trait;
use hickory_resolver::proto::rr::RecordType;
use serde_json::Value;

use super::super::facts::{Answer, Data, Document, FromSource, Named, PolicySeen, Rr, SourceKind, Told};
use super::super::gather::{Names, Parts, Wanted, gather};
use super::*;
use crate::source::SourceText;

const DOMAIN: &str = "example.com";

/// What each expectation of the vectors is called here.
const IDS: &[(&str, &str)] = &[
    ("null_mx_nonzero_pref", "null-mx-preference"),
    ("null_mx_with_other", "null-mx-not-alone"),
    ("backup_mx_is_legacy", "mx-points-to-legacy"),
    ("backup_mx_in_legacy_range", "mx-address-is-legacy"),
    ("backup_mx_ptr_legacy", "mx-reverse-name-is-legacy"),
    ("mx_is_cname", "mx-target-is-alias"),
    ("mx_cname_legacy", "mx-alias-to-legacy"),
    ("mx_is_ip", "mx-target-is-address"),
    ("mx_duplicate", "mx-duplicate"),
    ("ms365_verification_mx", "mx-verification-leftover"),
    ("mx_inconsistent_between_ns", "mx-differs-between-servers"),
    ("policy_mx_not_in_dns", "sts-policy-mx-unused"),
    ("policy_with_null_mx", "sts-policy-with-null-mx"),
    ("null_mx_but_sends", "null-mx-but-sends"),
    ("spf_include_legacy", "spf-includes-legacy"),
    ("spf_ip_covers_legacy", "spf-covers-legacy"),
    ("spf_redirect_legacy", "spf-redirects-to-legacy"),
    ("spf_nested_legacy", "spf-nested-legacy"),
    ("srv_legacy", "srv-names-legacy"),
    ("srv_legacy_preferred", "srv-prefers-legacy"),
    ("autodiscover_cname_legacy", "autodiscover-at-legacy"),
    ("autodiscover_xml_smtp_legacy", "autodiscover-names-legacy"),
    ("wellknown_autoconfig_legacy", "autoconfig-names-legacy"),
];

/// The names of one vector.
struct World<'a>(&'a Value);

fn rr(owner: &str, data: Data) -> Rr {
    Rr { owner: owner.to_owned(), ttl: 300, data, told: Told::server("the vector") }
}

fn found(records: Vec<Rr>) -> Answer {
    if records.is_empty() { Answer::NoData } else { Answer::Found(records) }
}

fn mx(set: &Value) -> Answer {
    let pair = |it: &Value| {
        let host = it[1].as_str().expect("a host").trim_end_matches('.').to_owned();
        rr(DOMAIN, Data::Mx { preference: it[0].as_u64().expect("a preference") as u16, host })
    };
    found(set.as_array().expect("a set").iter().map(pair).collect())
}

impl World<'_> {
    fn text(&self, name: &str) -> Answer {
        let spf = if name == DOMAIN { self.0["spf"].as_str() } else { self.0["nested"][name].as_str() };
        found(spf.map(|text| rr(name, Data::Text(text.to_owned()))).into_iter().collect())
    }

    fn addresses(&self, name: &str, kind: RecordType) -> Answer {
        let key = if name == DOMAIN { &self.0["a"] } else { &self.0["resolve"][name] };
        let texts = key.as_array().cloned().unwrap_or_default();
        let all = texts.iter().map(|it| it.as_str().expect("text").parse::<std::net::IpAddr>().expect("an address"));
        found(all.filter(|it| it.is_ipv4() == (kind == RecordType::A)).map(|it| rr(name, Data::Address(it))).collect())
    }

    fn services(&self, name: &str) -> Answer {
        let service = name.strip_suffix(&format!(".{DOMAIN}")).unwrap_or(name);
        let rows = self.0["srv"][service].as_array().cloned().unwrap_or_default();
        let number = |it: &Value| it.as_u64().expect("a number") as u16;
        found(
            rows.iter()
                .map(|row| {
                    let target = row[3].as_str().expect("a host").trim_end_matches('.').to_owned();
                    rr(
                        name,
                        Data::Service {
                            priority: number(&row[0]),
                            weight: number(&row[1]),
                            port: number(&row[2]),
                            target,
                        },
                    )
                })
                .collect(),
        )
    }

    fn reverse(&self, name: &str) -> Answer {
        let octets: Vec<&str> = name.strip_suffix(".in-addr.arpa").unwrap_or("").split('.').rev().collect();
        let pointer = self.0["ptr"][octets.join(".")].as_str();
        found(pointer.map(|host| rr(name, Data::Pointer(host.to_owned()))).into_iter().collect())
    }
}

#[async_trait]
impl Names for World<'_> {
    async fn ask(&self, name: &str, kind: RecordType) -> Answer {
        let alias = |name: &str| {
            let short = name.strip_suffix(&format!(".{DOMAIN}")).unwrap_or(name);
            self.0["cname"].get(name).or_else(|| self.0["cname"].get(short)).and_then(Value::as_str)
        };
        if let Some(target) = alias(name) {
            return Answer::Alias(Box::new(rr(name, Data::Alias(target.to_owned()))));
        }
        match kind {
            RecordType::MX if name == DOMAIN && self.0["mx"].is_array() => mx(&self.0["mx"]),
            RecordType::TXT => self.text(name),
            RecordType::A | RecordType::AAAA if name.ends_with(".old.example") || name.ends_with("new.example") => {
                Answer::Left("the vector does not say".to_owned())
            }
            RecordType::A | RecordType::AAAA => self.addresses(name, kind),
            RecordType::SRV => self.services(name),
            RecordType::PTR => self.reverse(name),
            _ => Answer::NoData,
        }
    }

    async fn everywhere(&self, name: &str, kind: RecordType) -> Vec<FromSource> {
        match self.0["mx_by_ns"].as_object() {
            Some(servers) => servers
                .iter()
                .map(|(server, set)| FromSource {
                    kind: SourceKind::Authority,
                    source: server.clone(),
                    answer: mx(set),
                })
                .collect(),
            None => {
                let answer = self.ask(name, kind).await;
                vec![FromSource { kind: SourceKind::Resolver, source: "the vector".to_owned(), answer }]
            }
        }
    }
}

fn inventory(input: &Value) -> Inventory {
    let list = |key: &str| -> Vec<String> {
        let texts = input[key].as_array().cloned().unwrap_or_default();
        texts.iter().map(|it| it.as_str().expect("text").to_owned()).collect()
    };
    let zones = list("legacy_zones");
    let names: Vec<String> = zones.iter().flat_map(|zone| [format!("'{zone}'"), format!("'*.{zone}'")]).collect();
    let mut text = "platforms:\n  new: { names: ['*.new.example'] }\n  legacy:\n    role: all\n".to_owned();
    for (key, values) in
        [("hosts", list("legacy_hosts")), ("names", names.clone()), ("ptr", names), ("networks", list("legacy_nets"))]
    {
        if !values.is_empty() {
            text.push_str(&format!("    {key}: [{}]\n", values.join(", ")));
        }
    }
    crate::inventory::load(&SourceText::new("inventory.yaml", text)).expect("an inventory").0
}

fn documents(input: &Value) -> Vec<Document> {
    let of = |key: &str, kind: &'static str| {
        let names = input[key]
            .as_object()?
            .iter()
            .map(|(purpose, host)| Named { purpose: purpose.clone(), host: host.as_str().expect("a host").to_owned() });
        let names = Ok(Some(names.collect()));
        Some(Document { kind, url: format!("https://{kind}.{DOMAIN}/"), redirects: vec![], names })
    };
    [
        ("autodiscover_xml", "autodiscover"),
        ("autoconfig_xml", "autoconfig"),
        ("wellknown_autoconfig", "autoconfig"),
        ("pacc", "pacc"),
    ]
    .iter()
    .filter_map(|(key, kind)| of(key, kind))
    .collect()
}

async fn found_in(input: &Value) -> (Class, Vec<Finding>) {
    let inventory = inventory(input);
    let parts = Parts { mx: Wanted::Yes, mta_sts: Wanted::Yes, leftovers: Wanted::Yes };
    let mut facts = gather(&World(input), DOMAIN, &[], parts).await;
    facts.documents = documents(input);
    if let Some(policy) = input["policy"].as_object() {
        let mx = policy["mx"].as_array().expect("patterns").iter().map(|it| it.as_str().expect("text").to_owned());
        let mode = policy["mode"].as_str().expect("a mode").to_owned();
        facts.policies = vec![PolicySeen { source: "the vector".to_owned(), mode, max_age: 86_400, mx: mx.collect() }];
    }
    let class = class(&facts.mx[0].answer, &facts.itself);
    let design = Design::of(&inventory, DOMAIN);
    let (ground, now) = (Ground::Internet, Timestamp::UNIX_EPOCH);
    let case = Case { inventory: &inventory, facts: &facts, design, parts, ground, now };
    (class, judge(&case).0)
}

#[tokio::test]
async fn every_vector_is_found_as_it_is_expected() {
    let all = [
        include_str!("../../../tests/data/audit/vectors-mx-set.json"),
        include_str!("../../../tests/data/audit/vectors-leftover.json"),
    ];
    let rows: Vec<Value> =
        all.iter().flat_map(|text| serde_json::from_str::<Vec<Value>>(text).expect("JSON")).collect();
    assert!(rows.len() >= 26, "{}", rows.len());
    let mut wrong = vec![];
    for row in &rows {
        let (class, findings) = found_in(&row["input"]).await;
        let expect = &row["expect"];
        if let Some(word) = expect["class"].as_str()
            && word.replace('_', "-") != class.word()
        {
            wrong.push(format!("{}: class {class}, and not {word}", row["id"]));
        }
        let named: BTreeSet<&str> = match &expect["finding"] {
            Value::String(one) => BTreeSet::from([one.as_str()]),
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            _ => BTreeSet::new(),
        };
        let ids: BTreeSet<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
        for name in &named {
            let id = IDS.iter().find(|(word, _)| word == name).expect("a known expectation").1;
            let severity = match row["severity"].as_str() {
                Some("critical" | "error") => "error",
                Some("warn") => "warning",
                _ => "info",
            };
            match findings.iter().find(|finding| finding.id == id) {
                Some(finding) if finding.severity.word() == severity => {}
                found => wrong.push(format!("{}: {id} as {severity}, found {found:?} among {ids:?}", row["id"])),
            }
        }
        if expect["finding"].is_null() && expect["class"].is_null() && findings.iter().any(|it| it.platform.is_some()) {
            wrong.push(format!("{}: nothing, and found {ids:?}", row["id"]));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

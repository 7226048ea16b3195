//! What no vector and no zone file can say: caches, several servers, answers that did not come, sessions.

use super::super::facts::{
    AddressFacts, Answer, Asked, Data, DomainFacts, FromSource, HostFacts, Rr, Secured, SourceKind, Told, Visit,
};
use super::super::gather::Wanted;
use super::*;
use crate::mail::Reply;
use crate::record::Sight;
use crate::source::SourceText;

const INVENTORY: &str = "
platforms:
  new: { hosts: [mx1.new.example, mx2.new.example], banners: [mx1.new.example] }
  legacy: { hosts: [mx.old.example], banners: ['*.old.example'], certificates: ['*.old.example'] }
domains:
  drill.example: { at: new, changed: 2026-11-21T07:30:00Z }
";

fn set(ttl: u32, hosts: &[(u16, &str)]) -> Answer {
    let rr = |(preference, host): &(u16, &str)| Rr {
        owner: "drill.example".to_owned(),
        ttl,
        data: Data::Mx { preference: *preference, host: (*host).to_owned() },
        told: Told::server("a server"),
    };
    Answer::Found(hosts.iter().map(rr).collect())
}

fn from(kind: SourceKind, source: &str, answer: Answer) -> FromSource {
    FromSource { kind, source: source.to_owned(), answer }
}

fn judged(facts: &DomainFacts) -> (Vec<Finding>, Vec<Coverage>) {
    let (inventory, _) = crate::inventory::load(&SourceText::new("inventory.yaml", INVENTORY)).expect("an inventory");
    let parts = Parts { mx: Wanted::Yes, mta_sts: Wanted::No, leftovers: Wanted::No };
    let now = "2026-11-21T08:00:00Z".parse().expect("a time");
    let design = Design::of(&inventory, &facts.name);
    judge(&Case { inventory: &inventory, facts, design, parts, ground: Ground::Internet, now })
}

fn ids(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|it| (it.id.as_str(), it.severity.word())).collect()
}

const NEW: &[(u16, &str)] = &[(10, "mx1.new.example")];
const OLD: &[(u16, &str)] = &[(10, "mx.old.example")];

#[test]
fn a_cache_explains_an_older_set_for_as_long_as_its_ttl() {
    let sources = |left| {
        vec![
            from(SourceKind::Authority, "ns1", set(3600, NEW)),
            from(SourceKind::View, "view `inside`", set(left, OLD)),
        ]
    };
    // Changed at 07:30 with a TTL of an hour: at 08:00 half an hour may be left, and not more.
    let (findings, _) = judged(&DomainFacts::new("drill.example", sources(1200)));
    assert_eq!(ids(&findings), [("mx-old-set-cached", "info")]);
    assert!(findings[0].title.contains("until 2026-11-21T08:20:00Z"), "{}", findings[0].title);
    let (findings, _) = judged(&DomainFacts::new("drill.example", sources(3500)));
    assert_eq!(ids(&findings), [("mx-differs-between-views", "error")]);
    assert_eq!(findings[0].platform.as_deref(), Some("legacy"));
}

#[test]
fn the_server_with_the_old_zone_is_named() {
    let sources = vec![
        from(SourceKind::Resolver, "the resolver", set(60, NEW)),
        from(SourceKind::Authority, "ns1", set(60, NEW)),
        from(SourceKind::Authority, "ns2", set(60, OLD)),
        from(SourceKind::Authority, "ns3", set(60, NEW)),
    ];
    let (findings, _) = judged(&DomainFacts::new("drill.example", sources));
    assert_eq!(ids(&findings), [("mx-differs-between-servers", "error")]);
    assert!(findings[0].title.contains("`ns2`") && !findings[0].title.contains("`ns1`"), "{}", findings[0].title);
}

#[test]
fn what_did_not_answer_is_not_clean() {
    let sources = vec![
        from(SourceKind::Resolver, "the resolver", Answer::Unable("SERVFAIL".to_owned())),
        from(SourceKind::Lame, "ns2", Answer::Unable("REFUSED".to_owned())),
    ];
    let (findings, coverage) = judged(&DomainFacts::new("drill.example", sources));
    assert_eq!(ids(&findings), [("ns-not-authoritative", "warning")]);
    let unable: Vec<&str> = coverage.iter().filter(|it| it.look == Sight::Unable).map(|it| it.what.as_str()).collect();
    assert_eq!(unable, ["MX from the resolver", "MX from ns2"]);
}

fn visited(name: &str, banner: Result<Reply, String>, rcpt: (u16, &str), nobody: (u16, &str)) -> HostFacts {
    let address = "192.0.2.7".parse().expect("an address");
    let record = Rr { owner: name.to_owned(), ttl: 60, data: Data::Address(address), told: Told::server("a server") };
    let reply = |(code, text): (u16, &str)| Ok(Reply::new(code, text));
    let visit = Visit {
        socket: "192.0.2.7:25".to_owned(),
        greets_as: banner.as_ref().ok().and_then(|it| it.lines[0].split(' ').next().map(str::to_owned)),
        asked: match &banner {
            Ok(_) => vec![Asked {
                domain: "drill.example".to_owned(),
                recipient: ("postmaster@drill.example".to_owned(), reply(rcpt)),
                nobody: ("nobody-7@drill.example".to_owned(), reply(nobody)),
            }],
            Err(_) => vec![],
        },
        banner,
        hello: None,
        secured: Secured::Absent,
    };
    let found = AddressFacts { address, record: record.clone(), reverse: Answer::NoData, visit: Some(visit) };
    HostFacts { v4: Answer::Found(vec![record]), addresses: vec![found], ..HostFacts::unasked(name) }
}

fn with_hosts(mx: HostFacts, old: Vec<HostFacts>) -> DomainFacts {
    let mut facts =
        DomainFacts::new("drill.example", vec![from(SourceKind::Resolver, "r", set(60, &[(10, &mx.name)]))]);
    facts.hosts.insert(mx.name.clone(), mx);
    facts.old_hosts = old;
    facts
}

fn greets(name: &str) -> Result<Reply, String> {
    Ok(Reply::new(220, format!("{name} ESMTP")))
}

#[test]
fn a_host_that_greets_with_an_old_name_is_the_old_server() {
    let host = visited("mx1.new.example", greets("smtp7.old.example"), (250, "ok"), (550, "5.1.1 unknown"));
    let (findings, _) = judged(&with_hosts(host, vec![]));
    assert_eq!(ids(&findings), [("mx-banner-is-legacy", "error"), ("mx-without-starttls", "warning")]);
}

#[test]
fn what_a_host_says_to_rcpt_is_told_apart() {
    type Said = (u16, &'static str);
    let cases: &[(Said, Said, &[&str])] = &[
        ((250, "ok"), (550, "5.1.1 unknown user"), &[]),
        ((250, "ok"), (250, "ok"), &["mx-host-accepts-anyone"]),
        ((550, "5.7.1 relaying denied"), (550, "5.7.1 relaying denied"), &["mx-host-refuses-domain"]),
        // A blocklist speaks of who asks.
        ((554, "5.7.1 192.0.2.99 is listed"), (554, "5.7.1 192.0.2.99 is listed"), &[]),
        ((451, "4.7.1 greylisted"), (451, "4.7.1 greylisted"), &[]),
    ];
    for (rcpt, nobody, wanted) in cases {
        let host = visited("mx1.new.example", greets("mx1.new.example"), *rcpt, *nobody);
        let (findings, coverage) = judged(&with_hosts(host, vec![]));
        let found: Vec<&str> =
            findings.iter().map(|it| it.id.as_str()).filter(|it| *it != "mx-without-starttls").collect();
        assert_eq!(found, *wanted, "{rcpt:?}");
        let unable = coverage.iter().any(|it| it.look == Sight::Unable);
        assert_eq!(unable, rcpt.0 == 554 || rcpt.0 == 451, "{rcpt:?}: {coverage:?}");
    }
}

#[test]
fn an_old_host_that_still_takes_the_mail_is_found_without_any_mx() {
    let new = || visited("mx1.new.example", greets("mx1.new.example"), (250, "ok"), (550, "5.1.1 unknown"));
    let old = visited("mx.old.example", greets("mx.old.example"), (250, "ok"), (550, "5.1.1 unknown"));
    let (findings, _) = judged(&with_hosts(new(), vec![old]));
    assert_eq!(ids(&findings), [("legacy-still-accepts", "error"), ("mx-without-starttls", "warning")]);
    let closed = visited("mx.old.example", Err("no answer to SYN".to_owned()), (250, ""), (250, ""));
    let (findings, coverage) = judged(&with_hosts(new(), vec![closed]));
    assert_eq!(ids(&findings), [("mx-without-starttls", "warning")]);
    assert!(coverage.iter().any(|it| it.look == Sight::Unable), "a closed port proves nothing: {coverage:?}");
}

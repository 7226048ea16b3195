//! Zone files with the habits of people.

use super::*;
use crate::audit::facts::Answer;
use crate::audit::gather::Names;

fn zones(name: &str, text: &str) -> Zones {
    Zones::read(&[SourceText::new(name, text)]).expect("a zone")
}

async fn mx(zones: &Zones, name: &str) -> Vec<(String, u32, Option<u32>)> {
    let answer = zones.ask(name, RecordType::MX).await;
    answer.records().iter().map(|rr| (rr.data.to_string(), rr.ttl, rr.told.line)).collect()
}

#[tokio::test]
async fn each_record_keeps_its_line() {
    let text = "$TTL 1h\n@ IN SOA ns hostmaster (\n  1 ; serial\n  2h 1h 4w 5m )\n\n; mail\n@\tIN MX 10 mx1\n   300 MX 20 mx.old.example.\nmx1 A 192.0.2.1\nlong TXT ( \"v=spf1 \"\n  \"-all\" ) ; the end\n";
    let zones = zones("zones/drill.example.zone", text);
    assert_eq!(zones.domains(), ["drill.example"]);
    let set = mx(&zones, "drill.example").await;
    assert_eq!(
        set,
        [("MX 10 mx1.drill.example.".to_owned(), 3600, Some(7)), ("MX 20 mx.old.example.".to_owned(), 300, Some(8)),]
    );
    let text = zones.ask("long.drill.example", RecordType::TXT).await;
    assert_eq!(text.texts().next().expect("a text").0, "v=spf1 -all");
    assert_eq!(zones.ask("mx9.drill.example", RecordType::A).await, Answer::NoName);
    assert_eq!(zones.ask("mx1.drill.example", RecordType::AAAA).await, Answer::NoData);
    assert!(matches!(zones.ask("mx.old.example", RecordType::A).await, Answer::Left(_)));
}

#[tokio::test]
async fn origins_wildcards_and_delegations_are_as_a_server_sees_them() {
    let text =
        "$ORIGIN drill.example.\n* MX 10 mx1\n$ORIGIN sub.drill.example.\n@ MX 5 mx\ndeep NS ns.other.example.\n";
    let zones = zones("whatever.txt", text);
    assert_eq!(zones.domains(), ["drill.example", "sub.drill.example"]);
    assert_eq!(mx(&zones, "any.drill.example").await[0].0, "MX 10 mx1.drill.example.");
    assert_eq!(mx(&zones, "sub.drill.example").await[0].0, "MX 5 mx.sub.drill.example.");
    assert_eq!(zones.ask("x.sub.drill.example", RecordType::MX).await, Answer::NoName);
    assert!(matches!(zones.ask("a.deep.sub.drill.example", RecordType::MX).await, Answer::Left(_)));
}

#[test]
fn what_cannot_be_read_is_drawn_with_its_line() {
    let source = SourceText::new("drill.example.zone", "@ MX ten mx1\n@ A 192.0.2.300\n$ODD x\n");
    let said = Zones::read(std::slice::from_ref(&source)).expect_err("mistakes");
    let drawn: Vec<String> = said.iter().map(|remark| remark.draw(crate::source::Paint::Plain)).collect();
    assert_eq!(drawn.len(), 3, "{drawn:?}");
    assert!(drawn[1].contains("drill.example.zone:2:1"), "{}", drawn[1]);
    let nameless = Zones::read(&[SourceText::new("zone file", "@ A 192.0.2.1\n")]).expect_err("no origin");
    assert!(nameless[0].said.title.contains("origin"));
}

#[test]
fn what_is_not_followed_is_said() {
    let zones = zones("drill.example.zone", "$INCLUDE more.zone\n@ MX 10 mx1\n@ 300 IN RRSIG MX 8 2 300 x\n");
    assert_eq!(zones.unread().len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|[\n\t ();\"@$.\\\\]|MX|IN|TXT|A|10){0,60}") {
        let _ = Zones::read(&[SourceText::new("drill.example.zone", text.as_str())]);
    }
}

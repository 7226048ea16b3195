//! Headers of many writers, and what stands in them: `tests/data/received.json`.

use serde_json::Value;

use super::{Kind, Received, parse};

const TABLE: &str = include_str!("../../../tests/data/received.json");

fn kind(header: &Received) -> &'static str {
    match header.kind {
        Kind::Hop => "hop",
        Kind::Submission => "submission",
        Kind::Internal => "internal",
        Kind::Unknown => "unknown",
    }
}

fn found(header: &Received, key: &str) -> Option<String> {
    match key {
        "from" => header.from.clone(),
        "rdns" => header.rdns.clone(),
        "address" => header.from_ip.map(|it| it.to_string()),
        "by" => header.by.clone(),
        "by_address" => header.by_ip.map(|it| it.to_string()),
        "with" => header.with.clone(),
        "id" => header.id.clone(),
        "for" => header.recipient.clone(),
        "tls" => header.tls.clone(),
        "auth" => header.auth.clone(),
        "writer" => header.writer.clone(),
        "kind" => Some(kind(header).to_owned()),
        "at" => header.time().map(|it| it.to_string()),
        other => panic!("`{other}` is no key of the table"),
    }
}

const KEYS: &[&str] =
    &["from", "rdns", "address", "by", "by_address", "with", "id", "for", "tls", "auth", "writer", "kind", "at"];

/// What stands in a header, as the table has it.
fn all(header: &Received) -> Value {
    let fields = KEYS.iter().filter_map(|key| Some(((*key).to_owned(), Value::from(found(header, key)?))));
    Value::Object(fields.collect())
}

#[test]
fn headers_of_every_writer_are_read() {
    let table: Vec<Value> = serde_json::from_str(TABLE).expect("JSON");
    assert!(table.len() >= 120, "{}", table.len());
    let mut wrong = vec![];
    for row in &table {
        let text = row["header"].as_str().expect("a header");
        let read = all(&parse(text));
        if row["hop"] != read {
            wrong.push(format!("{text}\n  wanted {}\n  read   {read}", row["hop"]));
        }
        assert!(["shape", "recorded"].contains(&row["provenance"].as_str().unwrap_or("")), "{text}");
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

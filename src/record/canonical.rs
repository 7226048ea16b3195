//! A record without what may differ between two runs of the same seed.

use serde_json::{Map, Value};

use super::Record;

/// Keys whose values depend on the moment or the machine: times, versions, the command, and
/// whatever the lab gave (addresses, ports, queue-ids, keys and certificates), and texts that
/// quote them.
const VARYING: &[&str] = &[
    "run",
    "round",
    "started",
    "finished",
    "ended",
    "watched_until",
    "version",
    "command",
    "arguments",
    "stdout",
    "stderr",
    "at",
    "ms",
    "address",
    "next_address",
    "queue_id",
    "next_queue_id",
    "client",
    "connection",
    "certificates",
    "standing",
    "received",
    "detail",
    "proxy",
    "syns",
    "origin",
];

/// Lists in which entries repeat as often as a waiting probe happened to be tried again.
const REPEATING: &[&str] = &["attempts", "fired", "passed"];

/// The record as JSON without the run id and what holds it, times, versions, the command, what
/// the lab gave, and how often the same thing was tried again. Two runs of one scenario with one
/// seed have equal canonical records, whatever `--jobs` was.
pub fn canonical(record: &Record) -> Value {
    let mut value = serde_json::to_value(record).unwrap_or(Value::Null);
    let mut moments = vec![(record.run.to_string(), "RUN".to_owned())];
    for stands in &record.standing {
        moments.push((stands.address.clone(), format!("<{}>", stands.host)));
    }
    clean(&mut value, &moments);
    value
}

/// `moments`: texts that belong to this run only, and what stands for them.
fn clean(value: &mut Value, moments: &[(String, String)]) {
    match value {
        Value::Object(map) => clean_map(map, moments),
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, moments)),
        Value::String(text) => {
            for (moment, name) in moments.iter().filter(|(moment, _)| !moment.is_empty()) {
                if text.contains(moment.as_str()) {
                    *text = text.replace(moment.as_str(), name);
                }
            }
        }
        _ => {}
    }
}

fn clean_map(map: &mut Map<String, Value>, moments: &[(String, String)]) {
    // A fault's `at` is its stage, and stays; how often it fired depends on retries.
    let is_fault = map.contains_key("do");
    if is_fault {
        map.entry("fired").and_modify(|fired| *fired = Value::Bool(fired != &Value::from(0)));
    }
    // A finding's `id` is a name; a hop's is a queue-id.
    let is_hop = map.contains_key("trust");
    map.retain(|key, _| (is_fault && key == "at") || !(VARYING.contains(&key.as_str()) || (is_hop && key == "id")));
    for (key, value) in map.iter_mut() {
        if key == "reply" {
            *value = Value::String(without_ids(value.as_str().unwrap_or_default()));
        }
        clean(value, moments);
        if let (true, Value::Array(items)) = (REPEATING.contains(&key.as_str()), value) {
            let mut known: Vec<Value> = vec![];
            items.retain(|item| {
                // Whether a spool has tried yet when a phase ends is a matter of the moment too.
                let waits = item.get("handling").is_some_and(|it| it == "deferred");
                let fresh = !waits && !known.contains(item);
                known.push(item.clone());
                fresh
            });
        }
    }
}

/// A reply up to the queue-id that it names.
fn without_ids(reply: &str) -> String {
    match crate::mail::reply::queue_id(reply) {
        Some(id) => reply.replace(id, "ID"),
        None => reply.to_owned(),
    }
}

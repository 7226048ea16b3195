//! A record without what may differ between two runs of the same seed.

use serde_json::{Map, Value};

use super::Record;

/// Keys whose values depend on the moment or the machine: times, versions, the command, and
/// whatever the lab gave (addresses, ports, queue-ids, keys and certificates), and texts that
/// quote them.
const VARYING: &[&str] = &[
    "run",
    "started",
    "finished",
    "ended",
    "watched_until",
    "version",
    "command",
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
];

/// The record as JSON without the run id and what holds it, times, versions, the command, and
/// what the lab gave. Two runs of one scenario with one seed have equal canonical records,
/// whatever `--jobs` was.
pub fn canonical(record: &Record) -> Value {
    let mut value = serde_json::to_value(record).unwrap_or(Value::Null);
    clean(&mut value, record.run.as_str());
    value
}

fn clean(value: &mut Value, run: &str) {
    match value {
        Value::Object(map) => clean_map(map, run),
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, run)),
        Value::String(text) if text.contains(run) => *text = text.replace(run, "RUN"),
        _ => {}
    }
}

fn clean_map(map: &mut Map<String, Value>, run: &str) {
    // A fault's `at` is its stage, and stays.
    let is_fault = map.contains_key("do");
    // A finding's `id` is a name; a hop's is a queue-id.
    let is_hop = map.contains_key("trust");
    map.retain(|key, _| (is_fault && key == "at") || !(VARYING.contains(&key.as_str()) || (is_hop && key == "id")));
    for (key, value) in map.iter_mut() {
        if key == "reply" {
            *value = Value::String(without_ids(value.as_str().unwrap_or_default()));
        }
        clean(value, run);
    }
}

/// A reply up to the queue-id that it names.
fn without_ids(reply: &str) -> String {
    match crate::mail::reply::queue_id(reply) {
        Some(id) => reply.replace(id, "ID"),
        None => reply.to_owned(),
    }
}

//! JSON Schemas of scenarios and inventories, for editors.
//!
//! They are written by hand, since their descriptions are read by people; a test holds them against
//! the keys and words that the decoders really ask for.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The definitions that both schemas are made of.
const DEFINITIONS: &str = include_str!("scenario.schema.json");

/// The schema of a scenario (JSON Schema 2020-12).
pub fn scenario() -> Value {
    schema_of("scenario")
}

/// The schema of an inventory.
pub fn inventory() -> Value {
    schema_of("inventory")
}

/// The definitions that a fault of a standing proxy is made of, where references begin with
/// `place` instead of `#/$defs/`; it is `standing_fault` itself.
pub fn standing_fault(place: &str) -> serde_json::Map<String, Value> {
    let text = DEFINITIONS.replace("\"#/$defs/", &format!("\"{place}"));
    let all: Value = serde_json::from_str(DEFINITIONS).unwrap_or_default();
    let moved: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut definitions: serde_json::Map<String, Value> =
        needed(&all["$defs"], "fault").into_iter().map(|name| (name.clone(), moved["$defs"][&name].clone())).collect();
    if let Some(mut fault) = definitions.remove("fault") {
        fault["required"] = json!(["at", "do"]);
        fault["properties"]["host"]["description"] = json!("The host that it breaks. Default: the only one.");
        fault["properties"]["lease"] = json!({
            "$ref": format!("{place}duration"),
            "description": "It lifts itself after this time without being renewed. Default: the proxy's `--lease`.",
        });
        definitions.insert("standing_fault".to_owned(), fault);
    }
    definitions
}

/// A schema as indented text, ending in a newline.
pub fn text(schema: &Value) -> String {
    format!("{schema:#}\n")
}

/// The schema whose root is the definition `name`, with the definitions that it needs.
fn schema_of(name: &str) -> Value {
    let mut schema: Value = serde_json::from_str(DEFINITIONS).unwrap_or_default();
    let needed = needed(&schema["$defs"], name);
    if let Some(definitions) = schema["$defs"].as_object_mut() {
        definitions.retain(|key, _| needed.contains(key));
    }
    schema["$id"] = json!(format!("mxdrill.{name}/1"));
    schema["$ref"] = json!(reference(name));
    schema
}

fn reference(name: &str) -> String {
    format!("#/$defs/{name}")
}

/// The definitions that `name` leads to, itself among them.
fn needed(definitions: &Value, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([name.to_owned()]);
    let mut left = vec![name.to_owned()];
    while let Some(next) = left.pop() {
        for other in references(&definitions[&next]) {
            if found.insert(other.clone()) {
                left.push(other);
            }
        }
    }
    found
}

fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(map) => {
            let own = map.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix("#/$defs/"));
            own.map(str::to_owned).into_iter().chain(map.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => vec![],
    }
}

//! JSON Schemas of what mxdrill writes.

use std::fmt;
use std::str::FromStr;

use schemars::Schema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::record::{Record, Report, SCHEMA_RECORD, SCHEMA_REPORT};
use crate::terms::{UnknownWord, words};

words! {
    /// The documents of this crate that have a schema here.
    Document {
        /// The record of one scenario's run.
        Record = "record",
        /// The JSON report of a command.
        Report = "report",
    }
}

/// The schema of a document (JSON Schema 2020-12), as indented JSON ending in a newline.
pub fn text(document: Document) -> String {
    // It cannot fail: it is a JSON value already.
    let mut text = serde_json::to_string_pretty(&of(document)).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema of a document. Unknown fields are allowed: a later version may add some.
pub fn of(document: Document) -> Value {
    let mut schema = match document {
        Document::Record => schemars::schema_for!(Record),
        Document::Report => schemars::schema_for!(Report),
    };
    match document {
        Document::Record => name_it(&mut schema, SCHEMA_RECORD),
        Document::Report => {
            name_it(&mut schema, SCHEMA_REPORT);
            if let Some(record) = schema.pointer_mut("/$defs/Record/properties/schema") {
                *record = json!({ "const": SCHEMA_RECORD });
            }
        }
    }
    schema.to_value()
}

/// Lets a document be told by its `schema` field alone.
fn name_it(schema: &mut Schema, name: &str) {
    schema.insert("title".to_owned(), json!(name));
    if let Some(field) = schema.pointer_mut("/properties/schema") {
        *field = json!({ "const": name });
    }
}

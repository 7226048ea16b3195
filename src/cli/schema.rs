//! `mxdrill schema`: JSON Schemas, for editors and for those who read records.

use super::arguments::{Schema, SchemaKind};
use super::{Exit, Screen};
use crate::report::schema::{Document, text};
use crate::scenario;

pub(super) fn schema(screen: &Screen, wanted: &Schema) -> Exit {
    let text = match wanted.kind {
        SchemaKind::Scenario => scenario::schema::SCENARIO.to_owned(),
        SchemaKind::Inventory => scenario::schema::INVENTORY.to_owned(),
        SchemaKind::Record => text(Document::Record),
        SchemaKind::Report => text(Document::Report),
    };
    screen.result(&text);
    Exit::Clean
}

//! `mxdrill schema`: JSON Schemas, for editors and for those who read records.

use super::arguments::{Schema, SchemaKind};
use super::{Exit, Screen};
use crate::report::schema::{Document, text};
use crate::scenario;

pub(super) fn schema(screen: &Screen, wanted: &Schema) -> Exit {
    let text = match wanted.kind {
        SchemaKind::Scenario => scenario::schema::text(&scenario::schema::scenario()),
        SchemaKind::Inventory => scenario::schema::text(&scenario::schema::inventory()),
        SchemaKind::Record => text(Document::Record),
        SchemaKind::Report => text(Document::Report),
    };
    screen.result(&text);
    Exit::Clean
}

//! `mxdrill schema`: JSON Schemas, for editors and for those who read records.

use super::arguments::{Schema, SchemaKind};
use super::{Exit, Screen};
use crate::report::schema::{Document, text};

pub(super) fn schema(screen: &Screen, wanted: &Schema) -> Exit {
    let text = match wanted.kind {
        SchemaKind::Scenario => String::new(),
        SchemaKind::Inventory => String::new(),
        SchemaKind::Record => text(Document::Record),
        SchemaKind::Report => text(Document::Report),
    };
    screen.result(&text);
    Exit::Clean
}

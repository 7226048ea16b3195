//! CSV, by the names of its columns: `#Fields:` of Exchange, or a line of titles.

use std::collections::HashMap;

use serde_json::Value;

use super::words::parse_address;

/// The longest record over several lines, in bytes.
const MAX_RECORD: usize = 256 * 1024;
/// The most columns.
const MAX_COLUMNS: usize = 200;

/// One record: values by the names of their columns, which are reduced to lower case letters and
/// digits, so that `recipient-address`, `recipient_address` and `RecipientAddress` are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row(HashMap<String, String>);

impl Row {
    /// The record that an object holds.
    pub(super) fn of_object(object: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let pairs = object.as_object().into_iter().flatten();
        Self(pairs.filter_map(|(key, value)| Some((reduced(key), text(value)?))).collect())
    }

    /// The first of these columns that has a value.
    pub(super) fn get(&self, names: &[&str]) -> Option<&str> {
        let value = |name: &&str| self.0.get(*name).map(String::as_str);
        names.iter().filter_map(value).find(|it| !it.is_empty() && !matches!(*it, "N/A" | "null" | "-"))
    }

    pub(super) fn has(&self, name: &str) -> Has {
        if self.0.contains_key(name) { Has::Column } else { Has::No }
    }

    /// An address in a column, without a port.
    pub(super) fn address(&self, names: &[&str]) -> Option<std::net::IpAddr> {
        self.get(names).and_then(|it| super::words::socket(it).0.or_else(|| parse_address(it)))
    }
}

/// Whether a record has a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Has {
    Column,
    No,
}

fn reduced(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_lowercase()).collect()
}

/// The columns, once they are known, and a record that has not ended yet.
#[derive(Debug, Default)]
pub(super) struct Table {
    columns: Vec<String>,
    separator: u8,
    pending: String,
}

/// What a line brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It belongs to no table.
    Nothing,
    /// The names of columns, or a part of a record.
    Part,
    /// A record.
    Row(Row),
    /// It has not as many values as there are columns.
    Broken,
}

impl Table {
    /// Takes a line in. Titles are recognised by a column that each of the known tables has.
    pub(super) fn take(&mut self, line: &str) -> Taken {
        if self.pending.is_empty() {
            if let Some(fields) = line.strip_prefix("#Fields:") {
                self.begin(fields.trim(), b',');
                return Taken::Part;
            }
            if line.starts_with('#') {
                return if self.columns.is_empty() && !line.starts_with("#Software") {
                    Taken::Nothing
                } else {
                    Taken::Part
                };
            }
            if let Some(separator) = titles(line) {
                self.begin(line, separator);
                return Taken::Part;
            }
        }
        if self.columns.is_empty() {
            return Taken::Nothing;
        }
        self.pending.push_str(line);
        if quotes(&self.pending) % 2 == 1 && self.pending.len() < MAX_RECORD {
            self.pending.push('\n');
            return Taken::Part;
        }
        let whole = std::mem::take(&mut self.pending);
        match values(&whole, self.separator) {
            Some(values) if values.len() == self.columns.len() => {
                Taken::Row(Row(self.columns.iter().cloned().zip(values).collect()))
            }
            _ => Taken::Broken,
        }
    }

    /// Whether a table has begun in this file.
    pub(super) fn begun(&self) -> Has {
        if self.columns.is_empty() { Has::No } else { Has::Column }
    }

    fn begin(&mut self, titles: &str, separator: u8) {
        let columns = values(titles, separator).unwrap_or_default();
        self.columns = columns.iter().take(MAX_COLUMNS).map(|it| reduced(it)).collect();
        self.separator = separator;
    }
}

/// The separator of a line of titles.
fn titles(line: &str) -> Option<u8> {
    // A line of titles is short, and has no values with at signs.
    if line.len() > 8192 || line.contains('@') || line.starts_with('{') {
        return None;
    }
    b",\t;".iter().copied().find(|separator| {
        let columns: Vec<String> = line.split(char::from(*separator)).map(reduced).collect();
        let has = |name: &str| columns.iter().any(|it| it == name);
        has("recipientaddress") && (has("senderaddress") || has("sender") || has("messageid"))
    })
}

fn quotes(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'"').count()
}

fn values(text: &str, separator: u8) -> Option<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let record = reader.records().next()?.ok()?;
    Some(record.iter().map(|it| it.trim().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_columns() {
        let mut table = Table::default();
        assert_eq!(table.take("a,b"), Taken::Nothing);
        assert_eq!(table.take("#Software: Microsoft Exchange Server"), Taken::Part);
        assert_eq!(table.take("#Fields: date-time,message-subject,recipient-address"), Taken::Part);
        let Taken::Row(row) = table.take("2026-01-02T03:04:05Z,\"one, \"\"two\"\"\",a@x;b@x") else { panic!("a row") };
        assert_eq!(row.get(&["recipientaddress"]), Some("a@x;b@x"));
        assert_eq!(row.get(&["messagesubject"]), Some("one, \"two\""));
        assert_eq!(table.take("x,\"on two"), Taken::Part);
        assert!(matches!(table.take("lines\",a@x"), Taken::Row(_)));
        assert_eq!(table.take("cut"), Taken::Broken);
    }

    #[test]
    fn titles_are_recognised_with_any_separator() {
        for line in ["Message ID,Sender,Recipient address", "\"MessageId\"\t\"SenderAddress\"\t\"RecipientAddress\""] {
            let mut table = Table::default();
            assert_eq!(table.take(line), Taken::Part, "{line}");
            assert_eq!(table.begun(), Has::Column);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_lines_can_be_taken(lines in proptest::collection::vec("(#Fields: a,recipient-address|[a-z\",é]{0,12})", 0..8)) {
            let mut table = Table::default();
            for line in lines {
                let _ = table.take(&line);
            }
        }
    }
}

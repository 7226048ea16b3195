//! JSON: one object a line, several in one line, or a document over many lines.

use serde_json::Value;

/// The longest document that is put together, in bytes.
const MAX_DOCUMENT: usize = 8 << 20;
/// How deep arrays and `value`s are looked into.
const MAX_DEPTH: u8 = 4;

/// A document that has not ended yet.
#[derive(Debug, Default)]
pub(super) struct Document {
    pending: String,
    depth: usize,
    quoted: bool,
    escaped: bool,
}

/// What a line brought.
pub(super) enum Taken {
    /// It belongs to no document.
    Nothing,
    /// More follows.
    Part,
    /// Its objects.
    Objects(Vec<Value>),
    /// It looked like JSON and is none.
    Broken,
}

impl Document {
    /// Takes a line in; one that is not in a document and begins none is left alone.
    pub(super) fn take(&mut self, line: &str) -> Taken {
        let start = line.trim_start();
        if self.pending.is_empty() && !start.starts_with(['{', '[']) {
            return Taken::Nothing;
        }
        if self.pending.is_empty() && start.starts_with('[') && !is_array(start) {
            return Taken::Nothing;
        }
        self.measure(line);
        self.pending.push_str(line);
        self.pending.push('\n');
        if self.depth > 0 && self.pending.len() <= MAX_DOCUMENT {
            return Taken::Part;
        }
        let whole = std::mem::take(self).pending;
        let mut objects = vec![];
        for value in serde_json::Deserializer::from_str(&whole).into_iter::<Value>() {
            match value {
                Ok(value) => flatten(value, 0, &mut objects),
                Err(_) => return Taken::Broken,
            }
        }
        Taken::Objects(objects)
    }

    fn measure(&mut self, line: &str) {
        for byte in line.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.quoted => self.escaped = true,
                b'"' => self.quoted = !self.quoted,
                b'{' | b'[' if !self.quoted => self.depth += 1,
                b'}' | b']' if !self.quoted => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }
}

/// `[` alone, or with an object behind it; Haraka's lines begin with `[NOTICE]`.
fn is_array(start: &str) -> bool {
    matches!(start[1..].trim_start().as_bytes().first(), None | Some(b'{' | b']'))
}

/// Objects in arrays, in `value`, `Records` or `items`, and in the envelope of Amazon SNS, whose
/// message is an object in a text.
fn flatten(value: Value, depth: u8, objects: &mut Vec<Value>) {
    match value {
        _ if depth > MAX_DEPTH => {}
        Value::Array(items) => items.into_iter().for_each(|it| flatten(it, depth + 1, objects)),
        Value::Object(mut map) => {
            let inner =
                ["value", "Records", "items", "results"].iter().find(|key| map.get(**key).is_some_and(Value::is_array));
            if let Some(inner) = inner.and_then(|key| map.remove(*key)) {
                return flatten(inner, depth + 1, objects);
            }
            let message = map.get("Message").and_then(Value::as_str).filter(|it| it.starts_with('{'));
            if let Some(message) = message.and_then(|it| serde_json::from_str(it).ok()) {
                return flatten(message, depth + 1, objects);
            }
            if let Some(sns) = map.remove("Sns") {
                return flatten(sns, depth + 1, objects);
            }
            objects.push(Value::Object(map));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(text: &str) -> Vec<String> {
        let mut document = Document::default();
        let mut found = vec![];
        for line in text.lines() {
            if let Taken::Objects(objects) = document.take(line) {
                found.extend(objects.iter().map(Value::to_string));
            }
        }
        found
    }

    #[test]
    fn objects_are_found_however_they_are_laid_out() {
        assert_eq!(objects("{\"a\":1}\n{\"a\":2}{\"a\":3}"), [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]);
        assert_eq!(objects("{\n \"value\": [\n {\"a\": \"}\"},\n {\"a\": 2}\n ]\n}\n"), [r#"{"a":"}"}"#, r#"{"a":2}"#]);
        assert_eq!(objects(r#"{"Type":"Notification","Message":"{\"a\":1}"}"#), [r#"{"a":1}"#]);
        assert_eq!(objects("[NOTICE] [x] [y] z"), Vec::<String>::new());
    }

    #[test]
    fn a_document_without_an_end_is_given_up() {
        let mut document = Document::default();
        let line = format!("[{{\"a\": \"{}\"", "x".repeat(1 << 20));
        let ends = (0..20).any(|_| matches!(document.take(&line), Taken::Broken));
        assert!(ends && document.pending.len() <= MAX_DOCUMENT);
    }

    proptest::proptest! {
        #[test]
        fn any_lines_can_be_taken(lines in proptest::collection::vec("[\\[\\]{}\":,a-z\\\\]{0,12}", 0..8)) {
            let mut document = Document::default();
            for line in lines {
                let _ = document.take(&line);
            }
        }
    }
}

//! Rows of database dumps: `INSERT` statements of any dialect, and PostgreSQL's `COPY`.

use std::collections::HashMap;
use std::ops::Range;

use crate::scan::text::Text;

/// One row of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// The table, without schema and quotes, in lower case.
    pub(crate) table: String,
    /// Its fields: column (empty where not known), value, and where the value stands.
    pub(crate) fields: Vec<Field>,
}

/// One value of a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    /// The column, in lower case.
    pub(crate) column: String,
    /// The value as text.
    pub(crate) value: String,
    /// Where it stands in the dump.
    pub(crate) span: Range<usize>,
}

/// Calls `each` with every row of a dump; what is commented out is returned.
pub(crate) fn rows(text: &Text, mut each: impl FnMut(Row)) -> Vec<Range<usize>> {
    let mut columns: HashMap<String, Vec<String>> = HashMap::new();
    let mut comments = vec![];
    let whole = text.as_str();
    let mut done = 0;
    for line in text.lines() {
        if line.start < done {
            continue;
        }
        let body = whole[line.clone()].trim_start();
        let upper: String = body.chars().take(40).collect::<String>().to_uppercase();
        if body.starts_with("--") || body.starts_with('#') {
            comments.push(line);
        } else if upper.starts_with("CREATE TABLE") {
            let (table, named) = created(&whole[line.start..]);
            columns.insert(table, named);
        } else if upper.starts_with("INSERT") || upper.starts_with("REPLACE") {
            done = inserted(whole, line.start, &columns, &mut each);
        } else if upper.starts_with("COPY ") && body.contains("FROM stdin") {
            done = copied(whole, line.start, line.end, &mut each);
        }
    }
    comments
}

fn name(written: &str) -> String {
    let last = written.trim().rsplit('.').next().unwrap_or("");
    last.trim_matches(|c: char| matches!(c, '`' | '"' | '[' | ']' | '(' | ' ')).to_lowercase()
}

/// Table and columns of a `CREATE TABLE`.
fn created(statement: &str) -> (String, Vec<String>) {
    let end = statement.find(";\n").unwrap_or(statement.len());
    let Some((head, body)) = statement[..end].split_once('(') else { return (String::new(), vec![]) };
    let table = name(head.split_whitespace().next_back().unwrap_or(""));
    let firsts = body.lines().flat_map(|line| line.split(", ")).filter_map(|part| part.split_whitespace().next());
    let no_column = ["PRIMARY", "KEY", "UNIQUE", "CONSTRAINT", "INDEX", "FULLTEXT", ")"];
    let named = firsts.filter(|first| !no_column.contains(&first.to_uppercase().as_str())).map(name);
    (table, named.filter(|it| !it.is_empty()).collect())
}

/// The rows of an `INSERT`; where it ends.
fn inserted(whole: &str, start: usize, known: &HashMap<String, Vec<String>>, each: &mut impl FnMut(Row)) -> usize {
    let statement = &whole[start..];
    let upper = statement.get(..statement.floor_char_boundary(4096)).unwrap_or(statement).to_uppercase();
    let Some(values) = upper.find("VALUES") else { return start };
    let head = &statement[..values.min(statement.len())];
    let after = upper.find("INTO ").map_or("", |at| &head[(at + 5).min(head.len())..]);
    let (table, list) = match after.split_once('(') {
        Some((table, list)) => (name(table), Some(list.trim_end().trim_end_matches(')').to_owned())),
        None => (name(after), None),
    };
    let listed: Option<Vec<String>> = list.map(|list| list.split(',').map(name).collect());
    let columns = listed.or_else(|| known.get(&table).cloned()).unwrap_or_default();
    let mut at = start + values + "VALUES".len();
    let bytes = whole.as_bytes();
    let mut row: Option<Row> = None;
    while at < bytes.len() {
        match (bytes[at], &mut row) {
            (b'(', None) => row = Some(Row { table: table.clone(), fields: vec![] }),
            (b')', Some(_)) => each(row.take().unwrap_or_default()),
            (b';', None) => return at + 1,
            (b'\'' | b'"', Some(open)) => {
                let (value, span) = quoted(whole, at);
                at = span.end;
                let column = columns.get(open.fields.len()).cloned().unwrap_or_default();
                open.fields.push(Field { column, value, span });
            }
            (byte, Some(open)) if !matches!(byte, b',' | b' ' | b'\n' | b'\r' | b'\t' | b'(') => {
                let length = whole[at..].find([',', ')', '\n']).unwrap_or(whole.len() - at).max(1);
                let value = whole[at..at + length].trim().to_owned();
                let column = columns.get(open.fields.len()).cloned().unwrap_or_default();
                // `E'…'` and `_binary '…'` are constants with a mark before them.
                if let Some(mark) = whole[at..at + length].find('\'') {
                    at += mark;
                    continue;
                }
                open.fields.push(Field { column, value, span: at..at + length });
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// A constant from its opening quote on: its value, and where it stands inside of the quotes.
fn quoted(whole: &str, at: usize) -> (String, Range<usize>) {
    let quote = whole.as_bytes()[at];
    let bytes = whole.as_bytes();
    let mut value = vec![];
    let mut index = at + 1;
    while index < bytes.len() {
        match bytes[index] {
            b'\\' if index + 1 < bytes.len() => {
                value.push(match bytes[index + 1] {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => other,
                });
                index += 1;
            }
            byte if byte == quote && bytes.get(index + 1) == Some(&quote) => {
                value.push(quote);
                index += 1;
            }
            byte if byte == quote => break,
            byte => value.push(byte),
        }
        index += 1;
    }
    (String::from_utf8_lossy(&value).into_owned(), at + 1..index.min(bytes.len()))
}

/// The rows of a `COPY … FROM stdin`; where they end.
fn copied(whole: &str, start: usize, end: usize, each: &mut impl FnMut(Row)) -> usize {
    let head = whole[start..end].trim_start();
    let Some((table, rest)) = head["COPY ".len()..].split_once('(') else { return end };
    let list = rest.split_once(')').map_or(rest, |(list, _)| list);
    let columns: Vec<String> = list.split(',').map(name).collect();
    let mut at = end + 1;
    while let Some(rest) = whole.get(at..) {
        let length = rest.find('\n').unwrap_or(rest.len());
        let line = &rest[..length];
        if line.starts_with("\\.") || length == rest.len() {
            return at + length;
        }
        let mut row = Row { table: name(table), fields: vec![] };
        let mut from = at;
        for (index, value) in line.split('\t').enumerate() {
            let column = columns.get(index).cloned().unwrap_or_default();
            row.fields.push(Field { column, value: value.replace("\\n", "\n"), span: from..from + value.len() });
            from += value.len() + 1;
        }
        each(row);
        at += length + 1;
    }
    whole.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_dialect() {
        let text = Text::new(
            "CREATE TABLE `t` (\n  `id` int,\n  `host` text,\n  PRIMARY KEY (`id`)\n);\n\
             INSERT INTO `t` VALUES (1,'it''s'),(2,'b\\'c');\n-- INSERT INTO t VALUES ('x');\n\
             insert into public.u (a, b) values ('k', E'v');\nCOPY public.c (id, host) FROM stdin;\n1\tmx\n\\.\n"
                .to_owned(),
        );
        let mut told = vec![];
        let comments = rows(&text, |row| {
            let fields: Vec<String> = row.fields.iter().map(|it| format!("{}={}", it.column, it.value)).collect();
            told.push(format!("{}: {}", row.table, fields.join(" ")));
        });
        assert_eq!(told, ["t: id=1 host=it's", "t: id=2 host=b'c", "u: a=k b=v", "c: id=1 host=mx"]);
        assert_eq!(comments.len(), 1);
    }
}

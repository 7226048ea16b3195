//! What is shown of a value: never a password.

use std::ops::Range;

/// The longest value that is shown, in characters.
const LONGEST: usize = 160;

/// Words before a secret.
const SECRETS: &[&str] = &["password", "passwd", "pass", "pwd", "secret", "token", "apikey", "api_key"];

/// The part of `value` around `hit` that is worth showing, without user and password.
pub(crate) fn shown(value: &str, hit: &Range<usize>) -> String {
    let whole = value.len() <= LONGEST && !value.contains('\n');
    let part = if whole && !speaks_of_secrets(value) { value } else { word_around(value, hit) };
    let part = part.split('|').find(|it| it.contains(value.get(hit.clone()).unwrap_or(""))).unwrap_or(part);
    let masked = without_login(part.trim());
    masked.chars().take(LONGEST).filter(|c| !c.is_control()).collect()
}

fn speaks_of_secrets(value: &str) -> bool {
    let lower = value.to_lowercase();
    let logs_in = [" -ap ", " --user ", " -u ", " -xp ", " -p "].iter().any(|option| lower.contains(option));
    logs_in || SECRETS.iter().any(|word| lower.contains(word))
}

/// The run without white space and quotes that holds the hit; arguments of a URL are no part of it.
fn word_around<'a>(value: &'a str, hit: &Range<usize>) -> &'a str {
    let ends =
        |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '?' | '&' | '<' | '>' | '{' | '}' | '\\');
    let (Some(before), Some(after)) = (value.get(..hit.start), value.get(hit.end..)) else { return "" };
    let start = before.rfind(ends).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let end = hit.end + after.find(ends).unwrap_or(after.len());
    &value[start..end]
}

/// Every `user:password@` and `user@` behind `//` taken out. The user may hold an `@`: the last one counts.
fn without_login(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("//") {
        let (before, after) = rest.split_at(at + 2);
        out.push_str(before);
        let authority = after.find(|c: char| c == '/' || c.is_whitespace() || c == ')').unwrap_or(after.len());
        // A password may hold a slash that nobody encoded.
        let within = after.find(char::is_whitespace).unwrap_or(after.len());
        let login = after[..authority]
            .rfind('@')
            .or_else(|| after[..within].rfind('@').filter(|it| after[..*it].contains(':')));
        match login {
            Some(login) => {
                out.push_str("***");
                rest = &after[login..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::shown;

    fn show(value: &str) -> String {
        let at = value.find("mx.old").expect("there");
        shown(value, &(at..at + "mx.old.example".len()))
    }

    #[test]
    fn no_login_is_shown() {
        assert_eq!(show("[mx.old.example]:587"), "[mx.old.example]:587");
        assert_eq!(show("smtp://me:s3cret@mx.old.example:587"), "smtp://***@mx.old.example:587");
        assert_eq!(show("smtp://a%40b:s/3@mx.old.example?password=x"), "smtp://***@mx.old.example");
        assert_eq!(show("smtps://me@x.example@mx.old.example"), "smtps://***@mx.old.example");
        assert_eq!(show("mx.old.example:587|me|s3cret"), "mx.old.example:587");
        assert_eq!(show("swaks -ap s3cret --server mx.old.example --to a"), "mx.old.example");
        assert_eq!(show("{\"host\":\"mx.old.example\",\"pass\":\"s3cret\"}"), "mx.old.example");
        assert_eq!(
            show("failover(smtp://u:p@mx.new.example smtp://u:s3cret@mx.old.example)"),
            "failover(smtp://***@mx.new.example smtp://***@mx.old.example)"
        );
    }
}

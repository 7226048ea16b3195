//! A header's text as words, comments and addresses (RFC 5322 3.2).

/// A piece of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A word or a quoted string, with its quotes.
    Word(&'a str),
    /// What stands in round brackets, without the outer ones; brackets inside belong to it.
    Comment(&'a str),
    /// What stands in angle brackets, without them.
    Angle(&'a str),
    /// A semicolon outside of comments, and where the text behind it begins.
    Semicolon(usize),
}

/// Cuts a header into pieces. A bracket that is not closed reaches to the end; one that was not
/// opened ends a word.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let bytes = text.as_bytes();
    let (mut tokens, mut at) = (vec![], 0);
    while at < bytes.len() {
        at = match bytes[at] {
            b' ' | b'\t' | b')' => at + 1,
            b'(' => {
                let end = comment_end(bytes, at);
                tokens.push(Token::Comment(inside(text, at + 1, end)));
                end
            }
            b'<' => {
                let close = memchr::memchr(b'>', &bytes[at..]).map_or(bytes.len(), |close| at + close);
                tokens.push(Token::Angle(text.get(at + 1..close).unwrap_or_default()));
                (close + 1).min(bytes.len())
            }
            b';' => {
                tokens.push(Token::Semicolon(at + 1));
                at + 1
            }
            _ => {
                let end = word_end(bytes, at);
                tokens.push(Token::Word(&text[at..end]));
                end
            }
        };
    }
    tokens
}

/// The text of a comment that ends before `end`, where its closing bracket is left out.
fn inside(text: &str, from: usize, end: usize) -> &str {
    let whole = text.get(from..end).unwrap_or_default();
    whole.strip_suffix(')').unwrap_or(whole)
}

fn comment_end(bytes: &[u8], from: usize) -> usize {
    let (mut depth, mut at) = (0usize, from);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn word_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    if bytes[at] == b'"' {
        at += 1;
        while at < bytes.len() && bytes[at] != b'"' {
            at += if bytes[at] == b'\\' && bytes.get(at + 1).is_some_and(u8::is_ascii) { 2 } else { 1 };
        }
        return (at + 1).min(bytes.len());
    }
    while at < bytes.len() && !b" \t();<".contains(&bytes[at]) {
        at += 1;
    }
    at.max(from + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_told_apart() {
        let text = "from a (b [1.2.3.4] (may be forged)) by c)with X(5.0) for <d@e>; date";
        let expected = vec![
            Token::Word("from"),
            Token::Word("a"),
            Token::Comment("b [1.2.3.4] (may be forged)"),
            Token::Word("by"),
            Token::Word("c"),
            Token::Word("with"),
            Token::Word("X"),
            Token::Comment("5.0"),
            Token::Word("for"),
            Token::Angle("d@e"),
            Token::Semicolon(text.find(';').expect("there") + 1),
            Token::Word("date"),
        ];
        assert_eq!(tokens(text), expected);
        assert_eq!(tokens("(open"), [Token::Comment("open")]);
        assert_eq!(tokens("<open"), [Token::Angle("open")]);
        assert_eq!(tokens("\"a \\\" b\""), [Token::Word("\"a \\\" b\"")]);
    }
}

//! Configuration that is written as a program, or as JSON: assignments, arrays and calls with
//! constants, in any of the usual languages. Only constants are understood; nothing is computed.
//!
//! ```text
//!   $config['smtp_host'] = 'a';         config.smtp_host        a
//!   define('WPMS_SMTP_HOST', 'a');      define.WPMS_SMTP_HOST   a
//!   createTransport({ host: "a" })      createTransport.host    a
//! ```

use std::ops::Range;

use crate::scan::setting::{Reading, Setting};
use crate::scan::text::Text;

/// How a language marks comments and texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Language {
    /// What begins a comment to the end of the line.
    pub(crate) line: &'static [&'static str],
    /// What begins and ends a comment of any length.
    pub(crate) block: &'static [(&'static str, &'static str)],
    /// What code begins with, where the file may hold other text too.
    pub(crate) opens: Option<&'static str>,
}

/// PHP.
pub(crate) const PHP: Language = Language { line: &["//", "#"], block: &[("/*", "*/")], opens: Some("<?") };
/// JavaScript, TypeScript, JSON, property lists.
pub(crate) const SCRIPT: Language = Language { line: &["//"], block: &[("/*", "*/")], opens: None };
/// Python, Ruby, Perl, TOML.
pub(crate) const HASH: Language = Language { line: &["#"], block: &[("=begin", "=end")], opens: None };
/// Lua.
pub(crate) const LUA: Language = Language { line: &["--"], block: &[("--[[", "]]")], opens: None };
/// Mozilla's preferences.
pub(crate) const PREFS: Language = Language { line: &["//", "#"], block: &[("/*", "*/")], opens: None };

/// Words before a bracket that name nothing.
const KEYWORDS: &[&str] = &["return", "array", "in", "and", "or", "not", "if", "else", "echo", "new", "list"];

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A constant text: its value.
    Text(String),
    /// A name, number or bare value.
    Word(String),
    /// `=`, `:`, `=>`.
    Gives,
    /// An opening bracket.
    Open(char),
    /// A closing bracket.
    Close,
    /// `,`.
    Comma,
    /// `;` or the end of a line.
    End,
    /// `.`, `->` or `::` between names.
    Joins,
    /// Anything else.
    Other,
}

/// Reads the constants of a program.
pub(crate) fn read(text: &Text, language: &Language) -> Reading {
    let mut reading = Reading::default();
    let tokens = Lexer { text: text.as_str(), at: 0, language, comments: &mut reading.comments }.tokens();
    let mut reader = Reader { open: vec![], name: vec![], key: None, previous: None, settings: vec![] };
    for (index, (token, span)) in tokens.iter().enumerate() {
        let next = tokens[index + 1..].iter().map(|(token, _)| token).find(|it| **it != Token::End);
        reader.take(token, span, next);
    }
    reading.settings = reader.settings;
    reading
}

/// One bracket that is open.
struct Bracket {
    /// What stands before it.
    label: Option<String>,
    kind: char,
    /// Whether it picks an element, as in `config['smtp_host']`.
    subscript: Option<Vec<String>>,
    /// The first constant of a call, which often names the second.
    first: Option<String>,
}

struct Reader {
    open: Vec<Bracket>,
    /// The names before the current token that belong together.
    name: Vec<String>,
    /// What the next constant is given to.
    key: Option<String>,
    previous: Option<Token>,
    settings: Vec<Setting>,
}

impl Reader {
    fn take(&mut self, token: &Token, span: &Range<usize>, next: Option<&Token>) {
        match token {
            Token::Text(value) => self.constant(value, span, next),
            Token::Word(word) => self.word(word, span),
            Token::Gives => {
                if !self.name.is_empty() {
                    self.key = Some(self.name.join("."));
                    self.name.clear();
                }
            }
            Token::Joins => {}
            Token::Open(kind) => self.opened(*kind),
            Token::Close => self.closed(),
            Token::Comma => {
                self.key = None;
                self.name.clear();
            }
            Token::End => {
                let value_follows = matches!(self.previous, Some(Token::Gives));
                if !value_follows {
                    self.key = None;
                    self.name.clear();
                }
            }
            Token::Other => self.name.clear(),
        }
        // A line may end between a key and its value.
        if !(*token == Token::End && matches!(self.previous, Some(Token::Gives))) {
            self.previous = Some(token.clone());
        }
    }

    fn constant(&mut self, value: &str, span: &Range<usize>, next: Option<&Token>) {
        if self.open.last().is_some_and(|it| it.subscript.is_some()) || matches!(next, Some(Token::Gives)) {
            if !matches!(self.previous, Some(Token::Joins)) {
                self.name.clear();
            }
            self.name.push(value.to_owned());
            return;
        }
        let first = self.open.last().filter(|it| it.kind == '(').and_then(|it| it.first.clone());
        let key = self.key.clone().or(first);
        if self.key.is_none()
            && let Some(call) = self.open.last_mut().filter(|it| it.kind == '(' && it.first.is_none())
        {
            call.first = Some(value.to_owned());
        }
        self.emit(key, value, span);
    }

    fn word(&mut self, word: &str, span: &Range<usize>) {
        match self.previous {
            Some(Token::Gives) if self.key.is_some() => {
                let key = self.key.clone();
                self.emit(key, word, span);
                self.name = vec![word.to_owned()];
            }
            Some(Token::Joins) => self.name.push(word.to_owned()),
            Some(Token::Comma) if self.open.last().is_some_and(|it| it.kind == '(' && it.first.is_some()) => {
                let first = self.open.last().and_then(|it| it.first.clone());
                self.emit(first, word, span);
                self.name = vec![word.to_owned()];
            }
            _ => self.name = vec![word.to_owned()],
        }
    }

    fn opened(&mut self, kind: char) {
        let keyword = matches!(&self.previous, Some(Token::Word(word)) if KEYWORDS.contains(&word.as_str()));
        if keyword {
            self.name.clear();
        }
        let glued = matches!(self.previous, Some(Token::Word(_) | Token::Close));
        if kind == '[' && glued && !self.name.is_empty() {
            let subscript = Some(std::mem::take(&mut self.name));
            self.open.push(Bracket { label: None, kind, subscript, first: None });
            return;
        }
        let named = (!self.name.is_empty()).then(|| self.name.join("."));
        let parts: Vec<String> = [self.key.take(), named].into_iter().flatten().collect();
        let label = (!parts.is_empty()).then(|| parts.join("."));
        self.name.clear();
        self.open.push(Bracket { label, kind, subscript: None, first: None });
    }

    fn closed(&mut self) {
        let closed = self.open.pop();
        self.key = None;
        match closed.and_then(|it| it.subscript) {
            Some(mut before) => {
                before.append(&mut self.name);
                self.name = before;
            }
            None => self.name.clear(),
        }
    }

    fn emit(&mut self, key: Option<String>, value: &str, span: &Range<usize>) {
        let labels = self.open.iter().filter_map(|it| it.label.clone());
        let path: Vec<String> = labels.chain(key).collect();
        let path = path.join(".").replace('$', "");
        self.settings.push(Setting::new(path, value, span.clone()));
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    language: &'a Language,
    comments: &'a mut Vec<Range<usize>>,
}

impl Lexer<'_> {
    fn tokens(&mut self) -> Vec<(Token, Range<usize>)> {
        if let Some(opens) = self.language.opens {
            self.at = self.text.find(opens).unwrap_or(0);
        }
        let mut tokens = vec![];
        while let Some(c) = self.rest().chars().next() {
            let start = self.at;
            if self.comment() {
                continue;
            }
            let (token, span) = match c {
                '\n' => self.punctuation(1, Token::End),
                c if c.is_whitespace() => {
                    self.at += c.len_utf8();
                    continue;
                }
                '"' | '\'' | '`' => self.constant(c),
                ';' => self.punctuation(1, Token::End),
                ',' => self.punctuation(1, Token::Comma),
                '(' | '[' | '{' => self.punctuation(1, Token::Open(c)),
                ')' | ']' | '}' => self.punctuation(1, Token::Close),
                _ if self.rest().starts_with("=>") || self.rest().starts_with(":=") => {
                    self.punctuation(2, Token::Gives)
                }
                _ if ["->", "::", "?."].iter().any(|it| self.rest().starts_with(it)) => {
                    self.punctuation(2, Token::Joins)
                }
                _ if ["==", "!=", "<=", ">="].iter().any(|it| self.rest().starts_with(it)) => {
                    self.punctuation(2, Token::Other)
                }
                '=' | ':' => self.punctuation(1, Token::Gives),
                c if in_word(c) => {
                    let run: usize = self.rest().chars().take_while(|c| in_word(*c)).map(char::len_utf8).sum();
                    let length = self.rest()[..run].find("--").unwrap_or(run);
                    let arrow = self.rest()[..length].ends_with('-') && self.rest()[length..].starts_with('>');
                    let length = (if arrow { length - 1 } else { length }).max(1);
                    self.at += length;
                    (Token::Word(self.text[start..self.at].to_owned()), start..self.at)
                }
                c => self.punctuation(c.len_utf8(), Token::Other),
            };
            tokens.push((token, span));
        }
        tokens
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn punctuation(&mut self, length: usize, token: Token) -> (Token, Range<usize>) {
        let start = self.at;
        self.at += length;
        (token, start..self.at)
    }

    /// Skips a comment, if one begins here.
    fn comment(&mut self) -> bool {
        let start = self.at;
        let block = self.language.block.iter().find(|(opens, _)| self.rest().starts_with(opens));
        let line = self.language.line.iter().find(|mark| self.rest().starts_with(**mark));
        let end = match (block, line) {
            (Some((opens, closes)), _) => {
                let body = &self.rest()[opens.len()..];
                body.find(closes).map_or(self.rest().len(), |at| opens.len() + at + closes.len())
            }
            // PHP's attributes are no comments.
            (None, Some(_)) if !self.rest().starts_with("#[") => self.rest().find('\n').unwrap_or(self.rest().len()),
            _ => return false,
        };
        self.at += end;
        self.comments.push(start..self.at);
        true
    }

    /// A constant; a quote that does not close on its line is taken for an apostrophe, except for
    /// the long constants of Python.
    fn constant(&mut self, quote: char) -> (Token, Range<usize>) {
        let long: String = [quote; 3].iter().collect();
        if self.rest().starts_with(&long) {
            let body = &self.rest()[3..];
            let length = body.find(&long).unwrap_or(body.len());
            let span = self.at + 3..self.at + 3 + length;
            self.at = (span.end + 3).min(self.text.len());
            return (Token::Text(self.text[span.clone()].to_owned()), span);
        }
        let body = &self.rest()[1..];
        let mut escaped = false;
        let end = body.char_indices().find_map(|(at, c)| {
            let ends = c == quote && !escaped;
            let broken = c == '\n' && quote != '`' && !escaped && self.language.opens.is_none();
            escaped = c == '\\' && !escaped;
            (ends || broken).then_some((at, c))
        });
        match end {
            Some((length, c)) if c == quote => {
                let span = self.at + 1..self.at + 1 + length;
                self.at = span.end + 1;
                (Token::Text(unescaped(&self.text[span.clone()])), span)
            }
            _ => self.punctuation(1, Token::Other),
        }
    }
}

fn unescaped(inner: &str) -> String {
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let points = crate::scan::spelling::unescape_points(inner);
    points.replace("\\/", "/").replace("\\\"", "\"").replace("\\'", "'").replace("\\n", "\n")
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '@' | '.' | '-' | '%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, language: &Language) -> Vec<String> {
        let text = Text::new(text.to_owned());
        let all = read(&text, language).settings;
        all.into_iter().map(|it| format!("{}={}", it.key, it.value)).collect()
    }

    #[test]
    fn assignments_arrays_and_calls() {
        assert_eq!(told("<?php $config['smtp_host'] = 'a';", &PHP), ["config.smtp_host=a"]);
        assert_eq!(told("<?php\n$CFG->smtphosts = 'a'; # b\n", &PHP), ["CFG.smtphosts=a"]);
        assert_eq!(told("<?php\n$wgSMTP = [ 'host' => 'a', 'x' => 'b' ];", &PHP), ["wgSMTP.host=a", "wgSMTP.x=b"]);
        let wordpress = told("<?php define( 'WPMS_SMTP_HOST', 'a' );", &PHP);
        assert_eq!(wordpress, ["define=WPMS_SMTP_HOST", "define.WPMS_SMTP_HOST=a"]);
        assert_eq!(
            told("t = createTransport({\n host: \"a\", port: 25 })", &SCRIPT),
            ["t=createTransport", "t.createTransport.host=a", "t.createTransport.port=25"]
        );
        assert_eq!(told("app.config['MAIL_SERVER'] = 'a'\n", &HASH), ["app.config.MAIL_SERVER=a"]);
        assert_eq!(told("x = { address: 'a', :port => 'b' }", &HASH), ["x.address=a", "x.port=b"]);
        assert_eq!(told("{\"smtpServer\": {\"host\":\n \"a\"}}", &SCRIPT), ["smtpServer.host=a"]);
        assert_eq!(told("{ SOGoSMTPServer = 127.0.0.1; }", &SCRIPT), ["SOGoSMTPServer=127.0.0.1"]);
        assert_eq!(told("public $smtphost = 'a';", &SCRIPT), ["smtphost=a"]);
    }

    #[test]
    fn comments_are_known() {
        let text = Text::new("<?php /* $a = 'x'; */ // $a = 'y'\n $a = 'z';".to_owned());
        let read = read(&text, &PHP);
        assert_eq!((read.settings.len(), read.comments.len()), (1, 2));
    }
}

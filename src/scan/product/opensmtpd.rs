//! OpenSMTPD (smtpd.conf(5)): actions, the rules that choose them, tables and macros.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Source;
use crate::scan::setting::{Definition, Follow, Reading, Role, Setting, Shape, State, Used};
use crate::scan::tree::{Tree, base};

/// A word and where it stands, without its quotes.
type Word = (String, Range<usize>);

/// Reads a configuration of OpenSMTPD, if it is one.
pub(crate) fn read(source: &Source<'_>, tree: &Tree) -> Option<Reading> {
    if base(source.name) != "smtpd.conf" || !speaks(source.text.as_str()) {
        return None;
    }
    Some(configuration(source, tree))
}

/// Reads a file that a configuration includes.
pub(crate) fn included(source: &Source<'_>, tree: &Tree) -> Reading {
    configuration(source, tree)
}

fn configuration(source: &Source<'_>, tree: &Tree) -> Reading {
    let mut reading = Reading::default();
    let statements = statements(source, &mut reading.comments);
    let mut macros: BTreeMap<String, Word> = BTreeMap::new();
    let mut used = BTreeSet::new();
    let mut matched = BTreeSet::new();
    let mut actions = vec![];
    for words in &statements {
        let word = |at: usize| words.get(at).map_or("", |(word, _)| word.as_str());
        if word(1) == "=" && words.len() > 2 {
            macros.insert(word(0).to_owned(), words[2].clone());
            continue;
        }
        match word(0) {
            "action" => actions.push(words),
            "match" => matched.extend(after(words, "action").map(|(name, _)| name.clone())),
            "accept" => relays(words, "via", "accept", &macros, &mut used, &mut reading.settings),
            "include" => reading.follows.extend(
                tree.resolve(source.name, word(1))
                    .map(|file| Follow { key: "include".to_owned(), ..follow(file, source, words, Shape::List) }),
            ),
            "table" => table(words, source, tree, &mut reading),
            _ => {}
        }
    }
    for words in actions {
        let name = words.get(1).map_or("", |(name, _)| name.as_str());
        let from = reading.settings.len();
        relays(words, "host", &format!("action {name}"), &macros, &mut used, &mut reading.settings);
        if !matched.contains(name) {
            for setting in &mut reading.settings[from..] {
                *setting = setting.clone().but(State::Unused, format!("no `match` uses the action `{name}`"));
            }
        }
    }
    reading.definitions = macros
        .into_iter()
        .map(|(name, (_, span))| Definition {
            used: if used.contains(&name) { Used::Yes } else { Used::No },
            name,
            span,
        })
        .collect();
    reading
}

/// Another program's file may have this name.
fn speaks(text: &str) -> bool {
    let words = ["action", "match", "accept", "listen", "table"];
    text.lines().any(|line| line.split_whitespace().next().is_some_and(|first| words.contains(&first)))
}

/// The URL behind `keyword`, with macros filled in.
fn relays(
    words: &[Word],
    keyword: &str,
    key: &str,
    macros: &BTreeMap<String, Word>,
    used: &mut BTreeSet<String>,
    settings: &mut Vec<Setting>,
) {
    for (url, span) in after(words, keyword) {
        let mut value = url.clone();
        for (name, (text, _)) in macros {
            let form = format!("${name}");
            if value.contains(&form) {
                value = value.replace(&form, text);
                used.insert(name.clone());
            }
        }
        settings.push(Setting::new(format!("{key} relay {keyword}"), value, span.clone()).role(Role::NextHop));
    }
}

fn after<'a>(words: &'a [Word], keyword: &'a str) -> impl Iterator<Item = &'a Word> {
    words.windows(2).filter(move |pair| pair[0].0 == keyword).map(|pair| &pair[1])
}

fn table(words: &[Word], source: &Source<'_>, tree: &Tree, reading: &mut Reading) {
    let Some((_, (kind, _))) = words.get(1).zip(words.get(2)) else { return };
    if let Some((kind, path)) = kind.split_once(':')
        && let Some(file) = tree.resolve(source.name, path)
    {
        let shape = if kind == "db" { Shape::Compiled } else { Shape::Table };
        reading.follows.push(follow(file, source, words, shape));
    }
}

fn follow(file: String, source: &Source<'_>, words: &[Word], shape: Shape) -> Follow {
    let name = words.get(1).map_or("", |(name, _)| name.as_str());
    // What a table of that name is for, the rules say: the usual ones hold logins.
    let role = if name.contains("secret") || name.contains("cred") { Role::Credential } else { Role::NextHop };
    let at = words.first().map_or(0, |(_, span)| span.start);
    Follow {
        file,
        product: "opensmtpd",
        shape,
        role: Some(role),
        key: format!("table {name}"),
        from: (source.name.to_owned(), at),
    }
}

/// Statements as words; a backslash joins lines, `#` outside of quotes begins a comment.
fn statements(source: &Source<'_>, comments: &mut Vec<Range<usize>>) -> Vec<Vec<Word>> {
    let mut all: Vec<Vec<Word>> = vec![];
    let mut goes_on = false;
    for range in source.text.lines() {
        let line = &source.text.as_str()[range.clone()];
        let end = comment(line);
        if end < line.len() {
            comments.push(range.start + end..range.end);
        }
        let code = line[..end].trim_end();
        let words = words(code.trim_end_matches('\\'), range.start);
        match all.last_mut().filter(|_| goes_on) {
            Some(last) => last.extend(words),
            None => all.push(words),
        }
        goes_on = code.ends_with('\\');
    }
    all
}

fn comment(line: &str) -> usize {
    let mut quoted = false;
    let found = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '#' && !quoted
    });
    found.map_or(line.len(), |(at, _)| at)
}

fn words(code: &str, start: usize) -> Vec<Word> {
    let mut words = vec![];
    let mut at = 0;
    while let Some(rest) = code.get(at..) {
        let Some(skipped) = rest.find(|c: char| !c.is_whitespace() && c != ',') else { break };
        let word = &rest[skipped..];
        let from = at + skipped;
        let (inner, offset, length) = match word.strip_prefix('"').and_then(|it| it.find('"')) {
            Some(end) => (&word[1..=end], 1, end + 2),
            None if word.starts_with('=') => ("=", 0, 1),
            None => {
                let end = word.find(|c: char| c.is_whitespace() || c == '=' || c == ',').unwrap_or(word.len()).max(1);
                (&word[..end], 0, end)
            }
        };
        words.push((inner.to_owned(), start + from + offset..start + from + offset + inner.len()));
        at = from + length;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::text::Text;

    #[test]
    fn an_action_counts_that_a_rule_chooses() {
        let text = Text::new(
            "old = \"mx.old.example\"\naction \"a\" relay host smtp+tls://l@$old:587 auth <s>\n# action \"c\" relay host x\n\
             action \"b\" relay host y\nmatch from local for any \\\n  action \"a\"\naccept for any relay via smtp://z\n"
                .to_owned(),
        );
        let read = read(&Source { name: "etc/smtpd.conf", text: &text }, &Tree::default()).expect("known");
        let told: Vec<String> =
            read.settings.iter().map(|it| format!("{}: {} {}", it.key, it.value, it.state)).collect();
        assert_eq!(
            told,
            [
                "accept relay via: smtp://z active",
                "action a relay host: smtp+tls://l@mx.old.example:587 active",
                "action b relay host: y unused"
            ]
        );
    }
}

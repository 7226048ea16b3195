//! From a file to its references: who can read it, and what it is if nobody can.

use std::collections::HashMap;
use std::ops::Range;

use super::gather::File;
use super::mask::shown;
use super::product::{self, Source, Understood};
use super::reference::Reference;
use super::setting::{Follow, Reading, Role, Shape, State};
use super::text::Text;
use super::tree::{Tree, base};
use super::wanted::{Hit, Wanted};

/// The most leads of one file that are reported one by one.
const MAX_LEADS: usize = 20;

/// Ends of names that no program reads.
const COPIES: &[&str] = &[
    ".bak",
    ".old",
    ".orig",
    ".save",
    ".saved",
    ".backup",
    "~",
    ".dpkg-old",
    ".dpkg-dist",
    ".dpkg-new",
    ".ucf-old",
    ".ucf-dist",
    ".rpmsave",
    ".rpmnew",
    ".rpmorig",
    ".dist",
    ".proto",
    ".sample",
    ".example",
    ".disabled",
    ".swp",
    ".template",
];

/// What is looked for, and what is known of all files.
pub(crate) struct Examiner<'a> {
    pub(crate) wanted: &'a Wanted,
    pub(crate) tree: &'a Tree,
    /// Files that others refer to, by name.
    pub(crate) follows: &'a HashMap<String, Follow>,
}

/// What was found in a file.
#[derive(Default)]
pub(crate) struct Examined {
    pub(crate) references: Vec<Reference>,
    /// What it says is kept elsewhere.
    pub(crate) elsewhere: Vec<String>,
}

impl Examiner<'_> {
    /// What a text says.
    pub(crate) fn text(&self, name: &str, text: &Text) -> Examined {
        let hits = self.wanted.hits(text.as_str());
        let understood = self.understood(name, text);
        let (product, reading) = match understood {
            Some(Understood { product, reading }) => (product, reading),
            None => ("unknown", Reading::default()),
        };
        let mut file =
            File { examiner: self, name, text, product, hits: &hits, taken: vec![false; hits.len()], found: vec![] };
        for setting in &reading.settings {
            file.setting(setting, &reading);
        }
        file.rest(&reading);
        let mut references = file.found;
        references.sort_by_key(|it| (it.place, it.key.clone()));
        limit(&mut references);
        Examined { references, elsewhere: reading.elsewhere }
    }

    /// What readers understand: by reference from another file, by name, or as a copy.
    fn understood(&self, name: &str, text: &Text) -> Option<Understood> {
        let source = Source { name, text };
        if let Some(follow) = self.follows.get(name) {
            return Some(self.followed(&source, follow));
        }
        if let Some(understood) = product::read(&source, self.tree) {
            return Some(understood);
        }
        if let Some(mut understood) = product::usual_table(&source) {
            let configured = self.tree.resolve(name, "/etc/postfix/main.cf");
            if let Some(main) = configured.filter(|_| name.contains("etc/postfix/")) {
                retire(&mut understood.reading, State::Unused, &format!("`{main}` does not refer to it"));
            }
            return Some(understood);
        }
        let original = COPIES.iter().find_map(|end| name.strip_suffix(end))?;
        let mut understood = product::read(&Source { name: original, text }, self.tree)?;
        retire(&mut understood.reading, State::Unused, "no program reads a file of this name");
        Some(understood)
    }

    fn followed(&self, source: &Source<'_>, follow: &Follow) -> Understood {
        let mut reading = match product::included(source, follow, self.tree) {
            Some(reading) => reading,
            None => product::followed(source, follow),
        };
        if let Some((compiled, held)) = self.compiled_of(source.name) {
            for setting in reading.settings.iter_mut().filter(|it| matches!(it.state, State::Active)) {
                let missing = self.wanted.plain(&setting.value).iter().any(|hit| !held.contains(&hit.name));
                if missing {
                    setting.state = State::Unused;
                    setting.note =
                        Some(format!("`{}` does not hold it yet: `postmap` makes it count", base(&compiled)));
                }
            }
        }
        Understood { product: follow.product, reading }
    }

    /// The compiled form of a table that is read instead of it, and the names in it.
    fn compiled_of(&self, table: &str) -> Option<(String, Vec<String>)> {
        let names = [".db", ".lmdb", ".cdb", ".pag"].iter().map(|end| format!("{table}{end}"));
        let compiled =
            names.into_iter().find(|name| self.follows.get(name).is_some_and(|it| it.shape == Shape::Compiled))?;
        let text = product::compiled(&self.tree.read(&compiled)?);
        let held = self.wanted.plain(text.as_str()).into_iter().map(|hit| hit.name).collect();
        Some((compiled, held))
    }

    /// What a file says that is no text.
    pub(crate) fn binary(&self, name: &str, bytes: &[u8]) -> Result<Examined, String> {
        if bytes.starts_with(b"SQLite format 3\0") {
            return self.sqlite(name, bytes);
        }
        if name.ends_with(".mobileconfig")
            && let Some(text) = signed(bytes)
        {
            return Ok(self.text(name, &Text::new(text)));
        }
        let text = product::compiled(bytes);
        let follow = self.follows.get(name).filter(|it| it.shape == Shape::Compiled);
        let mut references: Vec<Reference> = vec![];
        for hit in self.wanted.hits(text.as_str()) {
            if references.iter().any(|it| it.name == hit.name) {
                continue;
            }
            let mut reference = self.lead(name, &text, &hit, "binary");
            if let Some(follow) = follow {
                match self.compiled(name, &hit, follow) {
                    Some((state, note)) => {
                        reference.state = state;
                        reference.note = Some(note);
                    }
                    None => continue,
                }
                reference.product = follow.product.to_owned();
                reference.key.clone_from(&follow.key);
                reference.role = follow.role;
            } else if name.ends_with(".db") || name.ends_with(".lmdb") || name.ends_with(".cdb") {
                reference.state = State::Generated;
                reference.note = Some("nothing refers to this compiled table".to_owned());
            }
            references.push(reference);
        }
        Ok(Examined { references, elsewhere: vec![] })
    }

    /// What a name in a compiled table means; nothing where its source says the same.
    fn compiled(&self, name: &str, hit: &Hit, follow: &Follow) -> Option<(State, String)> {
        let source = name.rsplit_once('.').map_or(name, |(source, _)| source);
        let text = self.tree.text(source);
        let live = |text: &String| {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
            lines.into_iter().any(|line| self.wanted.plain(line).iter().any(|it| it.name == hit.name))
        };
        if text.as_ref().is_some_and(live) {
            return None;
        }
        let state = match follow.role {
            Some(Role::Credential) => State::Credential,
            Some(_) => State::Active,
            None => State::Lead,
        };
        let older =
            self.tree.modified(name).zip(self.tree.modified(source)).is_some_and(|(made, changed)| made < changed);
        let note = match (text, older) {
            (None, _) => "its source is not there; this is what is read".to_owned(),
            (Some(_), true) => {
                format!("older than `{}`, which does not hold it any more; this is what is read", base(source))
            }
            (Some(_), false) => {
                format!("`{}` does not hold it any more; this is what is read, or a deleted entry of it", base(source))
            }
        };
        Some((state, note))
    }

    fn sqlite(&self, name: &str, bytes: &[u8]) -> Result<Examined, String> {
        let mut references = vec![];
        product::database::sqlite(bytes, |setting| {
            for hit in self.wanted.hits(&setting.value).into_iter().take(1) {
                let state = if setting.role.is_some() { setting.state } else { State::Lead };
                references.push(Reference {
                    file: name.to_owned(),
                    place: crate::source::Place { line: 1, column: 1 },
                    product: setting.product.unwrap_or("sqlite").to_owned(),
                    key: setting.key.clone(),
                    value: shown(&setting.value, &hit.range),
                    name: hit.name,
                    platform: hit.platform,
                    state,
                    role: setting.role,
                    note: setting.note.clone(),
                    also: vec![],
                });
            }
        })?;
        limit(&mut references);
        Ok(Examined { references, elsewhere: vec![] })
    }

    pub(super) fn lead(&self, name: &str, text: &Text, hit: &Hit, product: &str) -> Reference {
        let line = text.line_around(hit.range.start);
        let whole = &text.as_str()[line.clone()];
        let within = hit.range.start - line.start..(hit.range.end - line.start).min(whole.len());
        Reference {
            file: name.to_owned(),
            place: text.place(hit.range.start),
            product: product.to_owned(),
            key: key_of(whole, within.start),
            value: shown(whole.get(word(whole, &within)).unwrap_or(""), &(0..0)),
            name: hit.name.clone(),
            platform: hit.platform.clone(),
            state: State::Lead,
            role: None,
            note: None,
            also: vec![],
        }
    }
}

/// The XML in the bytes of a signed profile.
fn signed(bytes: &[u8]) -> Option<String> {
    let start = memchr::memmem::find(bytes, b"<?xml")?;
    let end = memchr::memmem::rfind(bytes, b"</plist>")? + b"</plist>".len();
    Some(String::from_utf8_lossy(bytes.get(start..end)?).into_owned())
}

/// Takes everything that counts out of force.
fn retire(reading: &mut Reading, state: State, why: &str) {
    for setting in reading.settings.iter_mut().filter(|it| matches!(it.state, State::Active | State::Credential)) {
        setting.state = state;
        setting.note = Some(why.to_owned());
    }
}

/// Of very many leads, as in a log, the first ones and how many more there are.
fn limit(references: &mut Vec<Reference>) {
    let leads = references.iter().filter(|it| it.state == State::Lead).count();
    if leads <= MAX_LEADS {
        return;
    }
    let mut seen = 0;
    references.retain(|it| {
        seen += usize::from(it.state == State::Lead);
        it.state != State::Lead || seen <= MAX_LEADS
    });
    if let Some(last) = references.iter_mut().rev().find(|it| it.state == State::Lead) {
        last.note = Some(format!("and {} more in this file", leads - MAX_LEADS));
    }
}

/// The word without white space around a hit.
fn word(line: &str, hit: &Range<usize>) -> Range<usize> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '<' | '>' | '{' | '}' | '\u{1}');
    let start = line[..hit.start].rfind(ends).map_or(0, |at| at + line[at..].chars().next().map_or(1, char::len_utf8));
    let end = hit.end + line[hit.end..].find(ends).unwrap_or(line.len() - hit.end);
    // Of `key=value` the value, without quotes and marks of comments before it.
    let start = line[start..hit.start].rfind('=').map_or(start, |at| start + at + 1);
    let marks = line[start..hit.start].find(|c| !matches!(c, '#' | '`' | ';')).unwrap_or(hit.start - start);
    start + marks..end
}

/// What a line seems to set: its first word, without the mark of a comment.
fn key_of(line: &str, before: usize) -> String {
    let body = line[..before]
        .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '#' | ';' | '/' | '*' | '-' | '!' | '<'));
    let body = body.strip_prefix("dnl ").unwrap_or(body);
    let body = body.strip_prefix("define(`").unwrap_or(body);
    let ends = |c: char| c.is_whitespace() || matches!(c, '=' | '(' | '\'' | '"' | ',' | '>' | '\u{1}');
    let first = body.split(ends).find(|it| !it.is_empty()).unwrap_or("");
    let key: String = first.trim_end_matches(':').chars().take(60).collect();
    if key.is_empty() { "text".to_owned() } else { key }
}

//! From a file to its references: what its reader understood, and every other place that names the
//! old platform, so that nothing which was seen is left out.

use std::collections::HashMap;
use std::ops::Range;

use super::mask::shown;
use super::product::{self, Source, Understood, commands};
use super::reference::Reference;
use super::setting::{Follow, Reading, Role, Setting, Shape, State, Used};
use super::text::Text;
use super::tree::{Tree, base};
use super::wanted::{Hit, Wanted, ascii};

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

    fn lead(&self, name: &str, text: &Text, hit: &Hit, product: &str) -> Reference {
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

/// One text, while its references are gathered.
struct File<'a> {
    examiner: &'a Examiner<'a>,
    name: &'a str,
    text: &'a Text,
    product: &'static str,
    hits: &'a [Hit],
    /// Which of the hits are spoken for.
    taken: Vec<bool>,
    found: Vec<Reference>,
}

impl File<'_> {
    fn setting(&mut self, setting: &Setting, reading: &Reading) {
        if setting.role == Some(Role::LocalDomain) {
            self.local_domains(setting);
        }
        let named = self.examiner.wanted.hits(&setting.value);
        let Some(first) = named.first() else { return };
        let inside: Vec<usize> = self.within(&setting.span);
        let literal = inside.first().map(|index| self.hits[*index].range.start);
        let defined = reading.definitions.iter().find(|it| it.span == setting.span);
        if setting.role.is_none() && (literal.is_none() || defined.is_some()) {
            return;
        }
        let line = self.text.line_around(setting.span.start);
        let sends = commands::sends(&self.text.as_str()[line]);
        let state = match (setting.role, sends) {
            (None, Some(_)) => setting.state,
            (None, None) => State::Lead,
            (Some(Role::LocalDomain), _) => State::Lead,
            (Some(Role::Redirect), _) => self.redirect(setting),
            (Some(_), _) => setting.state,
        };
        inside.iter().for_each(|index| self.taken[*index] = true);
        let at = literal.unwrap_or_else(|| self.written(first, &setting.span));
        let value = match setting.role {
            Some(Role::Credential) => first.name.clone(),
            _ => shown(&setting.value, &first.range),
        };
        let also = setting.also.iter().map(|also| self.beside(also)).collect();
        self.found.push(Reference {
            file: self.name.to_owned(),
            place: self.text.place(at),
            product: setting.product.unwrap_or(self.product).to_owned(),
            key: setting.key.clone(),
            value,
            name: first.name.clone(),
            platform: first.platform.clone(),
            state,
            role: setting.role,
            note: setting.note.clone(),
            also,
        });
    }

    /// A name or address that leads to the old platform under a name that is not its own; what names it
    /// by its own name is no way of mail yet.
    fn redirect(&self, setting: &Setting) -> State {
        let line = self.text.line_around(setting.span.start);
        let line = &self.text.as_str()[line];
        let mail = ["mx", "smtp", "mail", "relay", "submission"].iter().any(|word| line.to_lowercase().contains(word));
        let own = self.examiner.wanted.plain(line).iter().any(|hit| hit.name.parse::<std::net::IpAddr>().is_err());
        if mail && !own { setting.state } else { State::Lead }
    }

    fn beside(&self, also: &super::setting::Also) -> (String, Option<crate::source::Place>, String) {
        let file = also.file.clone().unwrap_or_else(|| self.name.to_owned());
        let place = match &also.file {
            None => also.at.map(|at| self.text.place(at)),
            Some(file) => also.at.and_then(|at| Some(Text::new(self.examiner.tree.text(file)?).place(at))),
        };
        (file, place, also.what.clone())
    }

    /// Hits in a span that nothing has spoken for.
    fn within(&self, span: &Range<usize>) -> Vec<usize> {
        let inside = |hit: &Hit| hit.range.start < span.end && span.start < hit.range.end;
        (0..self.hits.len()).filter(|index| !self.taken[*index] && inside(&self.hits[*index])).collect()
    }

    /// Where in a span a name is written that only its reader could tell, as in `DSmx.old.example`.
    fn written(&self, hit: &Hit, span: &Range<usize>) -> usize {
        let written = self.text.as_str().get(span.clone()).unwrap_or("").to_lowercase();
        span.start + written.find(&hit.name).unwrap_or(0)
    }

    fn local_domains(&mut self, setting: &Setting) {
        if setting.state != State::Active {
            return;
        }
        let split = |c: char| c.is_whitespace() || matches!(c, ',' | ':' | ';');
        for word in setting.value.split(split) {
            let domain = ascii(word);
            if !self.examiner.wanted.domains().contains(&domain) {
                continue;
            }
            let written = self.text.as_str()[setting.span.clone()].find(word).unwrap_or(0);
            self.found.push(Reference {
                file: self.name.to_owned(),
                place: self.text.place(setting.span.start + written),
                product: setting.product.unwrap_or(self.product).to_owned(),
                key: if self.product == "cpanel" { "localdomains".to_owned() } else { setting.key.clone() },
                value: shown(&setting.value, &(0..0)),
                name: domain,
                platform: String::new(),
                state: State::Active,
                role: Some(Role::LocalDomain),
                note: None,
                also: vec![],
            });
        }
    }

    /// Whatever no setting has spoken for: in definitions, in comments, in commands, or a lead.
    fn rest(&mut self, reading: &Reading) {
        for index in 0..self.hits.len() {
            if self.taken[index] {
                continue;
            }
            let hit = &self.hits[index];
            let mut reference = self.examiner.lead(self.name, self.text, hit, self.product);
            let line = self.text.line_around(hit.range.start);
            let whole = &self.text.as_str()[line.clone()];
            let commented = reading.comments.iter().any(|it| it.contains(&hit.range.start));
            let defined = reading.definitions.iter().find(|it| it.span.contains(&hit.range.start));
            if let Some(definition) = defined {
                let told = self.found.iter().any(|it| it.name == hit.name && it.state != State::Commented);
                reference.key.clone_from(&definition.name);
                match (definition.used, told) {
                    (Used::Yes, true) => continue,
                    (Used::Yes, false) => reference.state = State::Active,
                    (Used::No, _) if is_parameter(&definition.name) => {}
                    (Used::No, _) => {
                        reference.state = State::Unused;
                        reference.note = Some("nothing uses it".to_owned());
                    }
                }
            } else if commented || is_comment(whole, hit.range.start - line.start, self.product) {
                reference.state = State::Commented;
                if let Some(setting) = self.uncommented(whole, &hit.name) {
                    reference.key = setting.0;
                    reference.value = setting.1;
                }
            } else if let Some(command) = commands::sends(whole) {
                reference.state = State::Active;
                reference.role = Some(Role::NextHop);
                reference.key = command.to_owned();
                reference.product = runs(self.name, command).to_owned();
            }
            // One reference a line: the same name again says nothing new.
            let place = reference.place.line;
            if !self
                .found
                .iter()
                .any(|it| it.place.line == place && it.name == reference.name && it.state == reference.state)
            {
                self.found.push(reference);
            }
        }
    }
}

impl File<'_> {
    /// What a line would set if it were no comment: key, and value as it may be shown.
    fn uncommented(&self, line: &str, name: &str) -> Option<(String, String)> {
        let marks = |c: char| c.is_whitespace() || matches!(c, '#' | ';' | '/' | '*' | '-' | '!');
        let body = line.trim_start_matches(marks);
        let body = body.strip_prefix("dnl ").unwrap_or(body);
        let text = Text::new(body.to_owned());
        let read = product::read(&Source { name: self.name, text: &text }, self.examiner.tree)?;
        read.reading.settings.into_iter().find_map(|setting| {
            let hit = self.examiner.wanted.hits(&setting.value).into_iter().find(|hit| hit.name == name)?;
            (!setting.key.is_empty()).then(|| (setting.key.clone(), shown(&setting.value, &hit.range)))
        })
    }
}

/// Who runs a command of a file.
fn runs(name: &str, command: &str) -> &'static str {
    match name {
        _ if command.starts_with("redirection") => "firewall",
        _ if name.contains("cron") => "cron",
        _ => "command",
    }
}

/// Whether a name is one of Postfix's own parameters, and not of the administrator's.
fn is_parameter(name: &str) -> bool {
    let own = [
        "my",
        "smtp",
        "lmtp",
        "relay",
        "virtual",
        "local",
        "mail",
        "proxy",
        "masquerade",
        "inet",
        "address",
        "debug",
        "default",
        "parent",
        "permit",
        "authorized",
        "milter",
        "non_smtpd",
        "tls",
        "header",
        "body",
        "allow",
        "append",
    ];
    own.iter().any(|start| name.starts_with(start))
}

/// Whether a line of a file that no reader knows is a comment up to the hit.
fn is_comment(line: &str, before: usize, product: &str) -> bool {
    let start = line[..before].trim_start();
    product == "unknown"
        && (start.starts_with('#') || start.starts_with("//") || start.starts_with(';') || start.starts_with("dnl "))
}

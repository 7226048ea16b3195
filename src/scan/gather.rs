//! One text: its settings first, then every other place that names the old platform, so that nothing which was seen is
//! left out.

use std::ops::Range;

use super::examine::Examiner;
use super::mask::shown;
use super::product::{self, Source, commands};
use super::reference::Reference;
use super::setting::{Also, Reading, Role, Setting, State, Used};
use super::text::Text;
use super::wanted::{Hit, ascii};
use crate::source::Place;

/// One text, while its references are gathered.
pub(super) struct File<'a> {
    pub(super) examiner: &'a Examiner<'a>,
    pub(super) name: &'a str,
    pub(super) text: &'a Text,
    pub(super) product: &'static str,
    pub(super) hits: &'a [Hit],
    /// Which of the hits are spoken for.
    pub(super) taken: Vec<bool>,
    pub(super) found: Vec<Reference>,
}

impl File<'_> {
    pub(super) fn setting(&mut self, setting: &Setting, reading: &Reading) {
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

    fn beside(&self, also: &Also) -> (String, Option<Place>, String) {
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
    pub(super) fn rest(&mut self, reading: &Reading) {
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

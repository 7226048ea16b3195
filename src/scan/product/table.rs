//! Products whose settings are single values: which reader, which keys, and what switches them off.

use super::rows::ROWS;
use super::{Source, Understood};
use crate::inventory::glob_matches;
use crate::scan::format::lines::{self, ENV, INI, PROPERTIES, WORDS};
use crate::scan::format::{blocks, code, xml, yaml};
use crate::scan::setting::{Reading, Role, Setting, State};
use crate::scan::tree::Tree;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// `key = value` in sections.
    Ini,
    /// Shell assignments.
    Env,
    /// `key value`.
    Words,
    /// Java properties.
    Properties,
    /// Nested blocks.
    Blocks,
    /// PHP.
    Php,
    /// JavaScript, JSON, property lists.
    Script,
    /// Python, Ruby, Perl.
    Hash,
    /// Lua.
    Lua,
    /// Mozilla's preferences.
    Prefs,
    /// YAML.
    Yaml,
    /// XML.
    Xml,
}

/// Which of several settings of the same key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// The last one.
    Last,
    /// The first one.
    First,
    /// Each.
    Each,
}

/// A switch that must be on for a setting to count.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    /// Beside the setting, in the same section; with `/` before it, anywhere.
    pub(super) key: &'static str,
    /// What it may be; nothing: anything but `not`.
    pub(super) is: &'static [&'static str],
    /// What it must not be.
    pub(super) not: &'static [&'static str],
    /// What it is where it is not written.
    pub(super) default: &'static str,
}

/// One product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) product: &'static str,
    /// The ends of paths; `*` crosses folders.
    pub(super) files: &'static [&'static str],
    pub(super) reader: Reader,
    /// Patterns of keys in lower case.
    pub(super) keys: &'static [(&'static str, Role)],
    pub(super) when: &'static [When],
    pub(super) counts: Counts,
}

impl Row {
    fn knows(&self, name: &str) -> Option<&Self> {
        let fits = |pattern: &&str| glob_matches(&format!("*/{pattern}"), name);
        self.files.iter().any(fits).then_some(self)
    }

    fn role(&self, key: &str) -> Option<Role> {
        self.keys.iter().find(|(pattern, _)| glob_matches(pattern, key)).map(|(_, role)| *role)
    }
}

/// Reads a file by all rows that know it.
pub(super) fn read(source: &Source<'_>, tree: &Tree) -> Option<Understood> {
    let name = format!("/{}", source.name);
    let rows: Vec<&Row> = ROWS.iter().filter_map(|row| row.knows(&name)).collect();
    let reader = rows.first()?.reader;
    let mut reading = with(reader, source);
    let rows: Vec<&Row> = rows.into_iter().filter(|row| row.reader == reader).collect();
    super::environment::split(&mut reading);
    super::container::fill_in(source, tree, &mut reading);
    let mut product = rows[0].product;
    for index in 0..reading.settings.len() {
        let key = reading.settings[index].key.to_lowercase();
        let row = rows.iter().find_map(|row| row.role(&key).map(|role| (row, role)));
        let Some((row, role)) = row else { continue };
        product = row.product;
        let off = row.when.iter().find_map(|when| off(when, index, &reading.settings));
        let setting = &mut reading.settings[index];
        setting.product = Some(row.product);
        setting.role = Some(role);
        if role == Role::Credential {
            setting.state = State::Credential;
        }
        if let Some(why) = off {
            setting.state = State::Unused;
            setting.note = Some(why);
        }
    }
    let counts = rows.iter().map(|row| row.counts).find(|it| *it != Counts::Each).unwrap_or(Counts::Each);
    shadow(counts, &mut reading);
    super::container::meaning(source, &mut reading);
    super::environment::meaning(source, &mut reading);
    super::clients::choose(source, tree, &mut reading);
    Some(Understood::new(product, reading))
}

fn shadow(counts: Counts, reading: &mut Reading) {
    match counts {
        Counts::Each => {}
        Counts::Last => reading.last_wins(),
        Counts::First => {
            reading.settings.reverse();
            reading.last_wins();
            reading.settings.reverse();
        }
    }
}

fn with(reader: Reader, source: &Source<'_>) -> Reading {
    let text = source.text;
    match reader {
        Reader::Ini => lines::read(text, &INI),
        Reader::Env => lines::read(text, &ENV),
        Reader::Words => lines::read(text, &WORDS),
        Reader::Properties => lines::read(text, &PROPERTIES),
        Reader::Blocks => blocks::read(text),
        Reader::Php => code::read(text, &code::PHP),
        Reader::Script => code::read(text, &code::SCRIPT),
        Reader::Hash => code::read(text, &code::HASH),
        Reader::Lua => code::read(text, &code::LUA),
        Reader::Prefs => code::read(text, &code::PREFS),
        Reader::Yaml => yaml::read(text),
        Reader::Xml => xml::read(text),
    }
}

/// Why a switch takes a setting out of force, if it does.
fn off(when: &When, index: usize, settings: &[Setting]) -> Option<String> {
    let key = &settings[index].key;
    let pattern = match (when.key.strip_prefix('/'), key.rfind('.')) {
        (Some(anywhere), _) => anywhere.to_owned(),
        (None, Some(dot)) => format!("{}.{}", &key[..dot], when.key).to_lowercase(),
        (None, None) => when.key.to_owned(),
    };
    let said = settings.iter().rev().find(|it| glob_matches(&pattern, &it.key.to_lowercase()));
    let value = said.map_or(when.default, |it| it.value.trim()).to_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| glob_matches(word, &value));
    let on = if when.is.is_empty() { !is(when.not) } else { is(when.is) };
    let name = when.key.trim_start_matches(['/', '*', '.']);
    (!on).then(|| match said {
        Some(_) => format!("`{name}` is `{value}`"),
        None => format!("`{name}` is not set"),
    })
}

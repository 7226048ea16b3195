//! Sendmail: the m4 source (`sendmail.mc`) and what is made of it (`sendmail.cf`), which is what runs.

use std::ops::Range;

use super::Source;
use crate::scan::setting::{Reading, Role, Setting, State};
use crate::scan::tree::{Tree, base, parent};

/// Reads a file of Sendmail, if it is one.
pub(crate) fn read(source: &Source<'_>, tree: &Tree) -> Option<Reading> {
    let file = base(source.name);
    if file.ends_with(".mc") {
        return Some(source_of(source, tree));
    }
    let compiled = matches!(file, "sendmail.cf" | "submit.cf");
    compiled.then(|| compiled_reading(source))
}

/// `define` and `FEATURE` lines up to `dnl`.
fn source_of(source: &Source<'_>, tree: &Tree) -> Reading {
    let mut reading = Reading::default();
    for range in source.text.lines() {
        let line = &source.text.as_str()[range.clone()];
        let code = match word(line, "dnl") {
            Some(at) => {
                reading.comments.push(range.start + at..range.end);
                &line[..at]
            }
            None => line,
        };
        let Some((call, open)) = ["define(", "FEATURE("].iter().find_map(|it| Some((*it, code.find(it)?))) else {
            continue;
        };
        let arguments = quoted(&code[open..], range.start + open);
        let (Some((name, _)), Some((value, span))) = (arguments.first(), arguments.get(1)) else { continue };
        let key = if call == "FEATURE(" { format!("FEATURE {name}") } else { name.clone() };
        let mut setting = Setting::new(key, value.clone(), span.clone());
        setting.role = role(name);
        reading.settings.push(setting);
    }
    reading.last_wins();
    let cf = format!("{}/{}", parent(source.name), base(source.name).replace(".mc", ".cf"));
    if let Some(compiled) = tree.text(&cf) {
        not_compiled(&mut reading, &cf, &compiled);
    }
    reading
}

/// What the compiled file does not hold takes effect only once it is made again.
fn not_compiled(reading: &mut Reading, cf: &str, compiled: &str) {
    let live: String = compiled.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    for setting in reading.settings.iter_mut().filter(|it| it.role.is_some() && it.state == State::Active) {
        if !live.to_lowercase().contains(&setting.value.to_lowercase()) {
            setting.state = State::Unused;
            setting.note = Some(format!("`{cf}` does not hold it; the next `make` brings it back"));
        }
    }
}

/// Where `wanted` stands as a word of its own.
fn word(line: &str, wanted: &str) -> Option<usize> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(wanted)
        .map(|(at, _)| at)
        .find(|at| !line[..*at].ends_with(part) && !line[at + wanted.len()..].starts_with(part))
}

/// The arguments in m4's quotes.
fn quoted(code: &str, start: usize) -> Vec<(String, Range<usize>)> {
    let mut found = vec![];
    let mut at = 0;
    while let Some(open) = code[at..].find('`') {
        let from = at + open + 1;
        let Some(length) = code[from..].find('\'') else { break };
        found.push((code[from..from + length].to_owned(), start + from..start + from + length));
        at = from + length + 1;
    }
    found
}

fn role(name: &str) -> Option<Role> {
    match name {
        "SMART_HOST" | "MAIL_HUB" | "LOCAL_RELAY" | "BITNET_RELAY" | "UUCP_RELAY" | "FAX_RELAY" | "DECNET_RELAY"
        | "msp" | "nullclient" => Some(Role::NextHop),
        "FALLBACK_MX" | "confFALLBACK_MX" | "confFALLBACK_SMARTHOST" => Some(Role::Fallback),
        "LUSER_RELAY" => Some(Role::Address),
        _ => None,
    }
}

/// Macros and options of a `.cf`: the last one counts.
fn compiled_reading(source: &Source<'_>) -> Reading {
    let mut reading = Reading::default();
    for range in source.text.lines() {
        let line = &source.text.as_str()[range.clone()];
        let body = line.trim_start_matches('#');
        let commented = body.len() < line.len();
        if commented {
            reading.comments.push(range.clone());
        }
        let found = MACROS.iter().find_map(|(key, role)| Some((*key, *role, body.strip_prefix(key)?)));
        let Some((key, role, value)) = found else { continue };
        let value = value.trim_start_matches(['=', ' ']);
        let from = range.start + line.len() - value.len();
        let mut setting = Setting::new(key, value.trim_end(), from..from + value.trim_end().len());
        setting.role = Some(role);
        if commented {
            setting.state = State::Commented;
        }
        reading.settings.push(setting);
    }
    reading.last_wins();
    // A class is added to; no line of it takes the place of another.
    for setting in reading.settings.iter_mut().filter(|it| it.key == "Cw" && it.state == State::Shadowed) {
        setting.state = State::Active;
        setting.note = None;
    }
    reading
}

const MACROS: &[(&str, Role)] = &[
    ("DS", Role::NextHop),
    ("DH", Role::NextHop),
    ("DR", Role::NextHop),
    ("DL", Role::Address),
    ("D{MTAHost}", Role::NextHop),
    ("O FallbackMXhost", Role::Fallback),
    ("O FallbackSmartHost", Role::Fallback),
    ("Cw", Role::LocalDomain),
];

/// A `mailertable` that the compiled configuration does not look at is out of force.
pub(super) fn table_without_feature(name: &str, tree: &Tree, reading: &mut Reading) {
    let folder = parent(name);
    let cf = format!("{folder}/sendmail.cf");
    let Some(text) = tree.text(&cf) else { return };
    let looks = text.lines().any(|line| line.starts_with("Kmailertable"));
    if looks {
        return;
    }
    for setting in reading.settings.iter_mut().filter(|it| it.state == State::Active) {
        setting.state = State::Unused;
        setting.note = Some(format!("`{cf}` has no `FEATURE(mailertable)`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::text::Text;

    fn told(name: &str, text: &str) -> Vec<String> {
        let text = Text::new(text.to_owned());
        let read = read(&Source { name, text: &text }, &Tree::default()).expect("known");
        read.settings.iter().map(|it| format!("{} {} {}", it.key, &text.as_str()[it.span.clone()], it.state)).collect()
    }

    #[test]
    fn dnl_ends_a_line_and_the_last_define_counts() {
        let mc = "dnl define(`SMART_HOST', `a')\ndefine(`SMART_HOST', `b')dnl\ndefine(`SMART_HOST', `smtp:[c]')dnl `d'\nFEATURE(`msp', `[e]', `25')dnl\n";
        assert_eq!(
            told("sendmail.mc", mc),
            ["SMART_HOST b shadowed", "SMART_HOST smtp:[c] active", "FEATURE msp [e] active"]
        );
    }

    #[test]
    fn macros_of_the_compiled_file() {
        let cf = "#DSa\nDSsmtp:[b]\nDR\nO FallbackMXhost=c\n";
        assert_eq!(
            told("etc/mail/sendmail.cf", cf),
            ["DS a commented", "DS smtp:[b] active", "DR  active", "O FallbackMXhost c active"]
        );
    }
}

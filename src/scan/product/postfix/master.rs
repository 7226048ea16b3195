//! `master.cf` (master(5)): services, and the parameters that each overrides.

use std::ops::Range;

use super::main_cf::{Values, parameters};
use super::role;
use crate::scan::product::Source;
use crate::scan::setting::{Reading, Role, Setting, State};

/// The columns before a service's command and arguments.
const COLUMNS: usize = 7;

/// Reads services; `main` is the text of the `main.cf` beside.
pub(super) fn read(source: &Source<'_>, main: &str) -> Reading {
    let (main, _) = parameters(main);
    let values = Values::of(&main, None);
    let mut reading = Reading::default();
    let mut service: Vec<(String, Range<usize>)> = vec![];
    let whole = source.text.as_str();
    for range in source.text.lines() {
        let line = &whole[range.clone()];
        let body = line.trim();
        if body.starts_with('#') {
            reading.comments.push(range);
            continue;
        }
        if !line.starts_with([' ', '\t']) && !body.is_empty() {
            overrides(&service, &values, &mut reading);
            service.clear();
        }
        service
            .extend(words(line).map(|(at, word)| (word.to_owned(), range.start + at..range.start + at + word.len())));
    }
    overrides(&service, &values, &mut reading);
    reading
}

/// The words of a line; `{ name = value }` is one.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &line[at..];
        let start = at + rest.find(|c: char| !c.is_whitespace())?;
        let rest = &line[start..];
        let closing = rest.starts_with('{').then(|| rest.find('}')).flatten();
        let length = closing.map(|it| it + 1).or_else(|| rest.find(char::is_whitespace)).unwrap_or(rest.len());
        at = start + length;
        Some((start, &line[start..at]))
    })
}

fn overrides(service: &[(String, Range<usize>)], values: &Values<'_>, reading: &mut Reading) {
    let word = |at: usize| service.get(at).map_or("", |(word, _)| word.as_str());
    let (name, command) = (word(0), word(COLUMNS));
    for index in COLUMNS + 1..service.len() {
        let (option, span) = &service[index];
        let (assigned, span) = match option.as_str() {
            "-o" => match service.get(index + 1) {
                Some((word, span)) => (word.as_str(), span.clone()),
                None => continue,
            },
            glued if glued.starts_with("-o") => (&glued[2..], span.start + 2..span.end),
            _ => continue,
        };
        let inner = assigned.trim_start_matches('{').trim_end_matches('}').trim();
        let Some((parameter, raw)) = inner.split_once('=') else { continue };
        let (parameter, raw) = (parameter.trim(), raw.trim());
        let from = span.start + (raw.as_ptr() as usize - assigned.as_ptr() as usize);
        let key = format!("{name}: -o {parameter}");
        let mut setting = Setting::new(key, values.expand(raw).0, from..from + raw.len());
        setting.role = role(parameter);
        if setting.role == Some(Role::Credential) {
            setting.state = State::Credential;
        }
        if !heeds(command, parameter) {
            setting = setting.but(State::Unused, format!("`{command}` does not look at `{parameter}`"));
        }
        reading.settings.push(setting);
    }
}

/// Whether a daemon acts by a parameter: a server chooses no next hop, whatever it is told.
fn heeds(command: &str, parameter: &str) -> bool {
    let server = matches!(command, "smtpd" | "postscreen" | "qmqpd" | "tlsproxy" | "dnsblog");
    let filter = matches!(parameter, "content_filter" | "smtpd_proxy_filter" | "always_bcc" | "luser_relay");
    !server || filter
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::text::Text;

    #[test]
    fn overrides_belong_to_their_service() {
        let text = Text::new(
            "smtp inet n - y - - smtpd -o relayhost=[a]\n#old unix - - n - - smtp -o smtp_fallback_relay=b\n\
             relay unix - - n - - smtp\n  -o syslog_name=x\n  -o smtp_fallback_relay=[$h]\n  -o { content_filter = smtp:c }\n"
                .to_owned(),
        );
        let read = read(&Source { name: "master.cf", text: &text }, "h = mx.old.example");
        let told: Vec<String> =
            read.settings.iter().map(|it| format!("{} {} {}", it.key, it.value, it.state)).collect();
        assert_eq!(
            told,
            [
                "smtp: -o relayhost [a] unused",
                "relay: -o syslog_name x active",
                "relay: -o smtp_fallback_relay [mx.old.example] active",
                "relay: -o content_filter smtp:c active"
            ]
        );
    }
}

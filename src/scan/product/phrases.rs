//! Programs whose configuration reads like a sentence: a word, and the host behind it, anywhere in a
//! line.

use std::ops::Range;

use super::{Source, Understood};
use crate::scan::setting::{Reading, Role, Setting};
use crate::scan::tree::base;

/// Reads a configuration of monit or fetchmail.
pub(crate) fn read(source: &Source<'_>) -> Option<Understood> {
    let file = base(source.name);
    match file {
        "fetchmailrc" | ".fetchmailrc" => Some(Understood::new("fetchmail", words(source, &["smtphost", "smtpname"]))),
        "monitrc" | ".monitrc" => Some(Understood::new("monit", servers(source))),
        _ if source.name.contains("etc/monit/") => Some(Understood::new("monit", servers(source))),
        _ => None,
    }
}

/// Code up to ` #`, which begins a comment.
fn code<'a>(source: &Source<'a>, range: &Range<usize>, comments: &mut Vec<Range<usize>>) -> &'a str {
    let line = &source.text.as_str()[range.clone()];
    let mark = line.match_indices('#').map(|(at, _)| at).find(|at| *at == 0 || line[..*at].ends_with([' ', '\t']));
    comments.extend(mark.map(|at| range.start + at..range.end));
    &line[..mark.unwrap_or(line.len())]
}

/// The word behind each of `keys`.
fn words(source: &Source<'_>, keys: &[&str]) -> Reading {
    let mut reading = Reading::default();
    for range in source.text.lines() {
        let line = code(source, &range, &mut reading.comments);
        for key in keys {
            for (at, _) in line.match_indices(key) {
                let rest = &line[at + key.len()..];
                let value = rest.trim_start();
                let end = value.find(char::is_whitespace).unwrap_or(value.len());
                let from = range.start + line.len() - value.len();
                let whole = rest.len() > value.len() && (at == 0 || line[..at].ends_with([' ', '\t']));
                if whole {
                    reading.settings.push(Setting::new(*key, &value[..end], from..from + end).role(Role::NextHop));
                }
            }
        }
    }
    reading
}

/// The servers of `set mailserver`, over all lines that a comma joins; those behind the first are used when it
/// fails.
fn servers(source: &Source<'_>) -> Reading {
    let mut reading = Reading::default();
    let mut open = false;
    let mut first = true;
    for range in source.text.lines() {
        let line = code(source, &range, &mut reading.comments);
        let body = line.trim();
        let begins = body.strip_prefix("set mailserver");
        if let Some(list) = begins.or_else(|| open.then_some(body)).filter(|list| !list.is_empty()) {
            first = first || begins.is_some();
            for server in list.split(',').map(str::trim).filter(|it| !it.is_empty()) {
                let from = range.start + (server.as_ptr() as usize - line.as_ptr() as usize);
                let host = server.split_whitespace().next().unwrap_or(server);
                let role = if first { Role::NextHop } else { Role::Fallback };
                reading.settings.push(Setting::new("set mailserver", host, from..from + host.len()).role(role));
                first = false;
            }
            open = list.ends_with(',');
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::text::Text;

    fn told(name: &str, text: &str) -> Vec<String> {
        let text = Text::new(text.to_owned());
        let read = read(&Source { name, text: &text }).expect("known").reading;
        read.settings.iter().map(|it| format!("{} {:?}", &text.as_str()[it.span.clone()], it.role)).collect()
    }

    #[test]
    fn sentences() {
        let monit = "# set mailserver x\nset mailserver a,  # first\n   b port 25\ncheck host c\n";
        assert_eq!(told("etc/monit/monitrc", monit), ["a Some(NextHop)", "b Some(Fallback)"]);
        assert_eq!(told("etc/fetchmailrc", "poll x user u smtphost a\n# smtphost b\n"), ["a Some(NextHop)"]);
    }
}

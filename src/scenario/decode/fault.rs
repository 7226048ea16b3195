//! Faults: the table of actions is the only place that knows how each one is written.

use std::net::IpAddr;

use super::value::{refusal, reply};
use super::when::when;
use crate::inventory::decode::host_name;
use crate::mail::{Reply, Stage};
use crate::scenario::Fault;
use crate::scenario::fault::{Action, Corruption, Dropping, Rate, Scope, TlsFault};
use crate::source::read::{Fields, Kind, Said, Spelling, bytes_rate, duration, scalar, size, spanned, word};
use crate::source::yaml::{Node, Value};
use crate::source::{Diagnostic, Spanned, and_list, closest};
use crate::terms::Family;

/// The most bytes of a body after which a connection can be cut.
const MOST_BYTES: u64 = 32 << 20;

/// An action that needs no argument: its word and itself.
type Word = (&'static str, fn() -> Action);

/// Actions that are one word: `do: refuse`.
const WORDS: &[Word] = &[
    ("refuse", || Action::Refuse),
    ("drop-syn", || Action::DropSyn(Dropping::Queue)),
    ("silent", || Action::Silent(None)),
    ("close", || Action::Close),
    ("reset", || Action::Reset),
    ("lose-reply", || Action::LoseReply),
    ("premature-reply", || Action::PrematureReply(Reply::new(554, "5.6.0 refused before its end"))),
];

/// Actions with an argument: `do: { delay: 2s }`.
const WITH_ARGUMENT: &[Kind<Action>] = &[
    ("silent", |node, said| duration(node, said).map(|time| Action::Silent(Some(time)))),
    ("drop-syn", |node, said| {
        word("somebody who drops SYNs", "those who drop SYNs", Dropping::ALL, Dropping::word)(node, said)
            .map(Action::DropSyn)
    }),
    ("reply", |node, said| reply(node, said).map(Action::Reply)),
    ("delay", |node, said| duration(node, said).map(Action::Delay)),
    ("close-after", |node, said| size(1..=MOST_BYTES)(node, said).map(Action::CloseAfter)),
    ("reset-after", |node, said| size(1..=MOST_BYTES)(node, said).map(Action::ResetAfter)),
    ("tarpit", |node, said| bytes_rate(node, said).map(|rate| Action::Tarpit(Rate(rate)))),
    ("throttle", throttle),
    ("premature-reply", |node, said| refusal(node, said).map(Action::PrematureReply)),
    ("hide", |node, said| keyword(node, said).map(Action::Hide)),
    ("corrupt", |node, said| {
        word("a way to spoil a reply", "ways", Corruption::ALL, Corruption::word)(node, said).map(Action::Corrupt)
    }),
    ("tls", |node, said| {
        word("a way for TLS to go wrong", "ways", TlsFault::ALL, TlsFault::word)(node, said).map(Action::Tls)
    }),
];

/// One entry of `faults`.
pub(in crate::scenario) fn fault(node: &Node, said: &mut Said) -> Option<Fault> {
    let mut map = Fields::of(node, "a fault", said)?;
    let host = map.required("host", spanned(host_name));
    let fault = on_host(host, &mut map);
    map.done();
    fault
}

/// All of a fault but its host.
pub(in crate::scenario) fn on_host(host: Option<Spanned<String>>, map: &mut Fields<'_>) -> Option<Fault> {
    let at = map.required("at", spanned(word("a stage of an SMTP session", "stages", &Stage::ALL, Stage::word)));
    let action = map.required("do", spanned(action));
    let when = map.optional("when", when).unwrap_or_default();
    let scope = map.optional("scope", word("a scope", "scopes", &SCOPES, spell_scope)).unwrap_or_default();
    let address = map.optional("address", spanned(ip_address));
    let family = map.optional("family", spanned(word("an address family", "families", Family::ALL, Family::word)));
    Some(Fault { span: map.span(), host: host?, address, family, at: at?, when, action: action?, scope })
}

const SCOPES: [Scope; 2] = [Scope::Probes, Scope::All];

fn spell_scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Probes => "probes",
        Scope::All => "all",
    }
}

fn ip_address(node: &Node, said: &mut Said) -> Option<IpAddr> {
    let text = scalar(node, "an IP address", said)?;
    let title = format!("`{text}` is not an IP address");
    text.parse().ok().or_else(|| said.refuse(Diagnostic::error(node.span, title)))
}

fn action(node: &Node, said: &mut Said) -> Option<Action> {
    let Value::Scalar { text, .. } = &node.value else {
        let spelling = said.spelling();
        let mut map = Fields::of(node, "a fault's `do`", said)?;
        for (word, _) in WORDS.iter().filter(|(word, _)| !takes_argument(word)) {
            map.instead_of(word, |mut error| {
                error.title = format!("`{word}` takes no argument");
                error.help(format!("write `{}`", spelling.pair("do", word)))
            });
        }
        let action = map.kind(WITH_ARGUMENT);
        map.done();
        return action;
    };
    said.note_words("a fault's `do`", WORDS.iter().map(|(word, _)| *word));
    match WORDS.iter().find(|(word, _)| word == text) {
        Some((_, action)) => Some(action()),
        None => said.refuse(no_such_action(node, text, said.spelling())),
    }
}

/// `4KiB/s`, or with a stall before the first byte: `{ rate: 4KiB/s, stall: 10s }`.
fn throttle(node: &Node, said: &mut Said) -> Option<Action> {
    if let Value::Scalar { .. } = node.value {
        return bytes_rate(node, said).map(|rate| Action::Throttle { rate: Rate(rate), stall: None });
    }
    let mut map = Fields::of(node, "a throttle", said)?;
    let rate = map.required("rate", bytes_rate);
    let stall = map.optional("stall", duration);
    map.done();
    Some(Action::Throttle { rate: Rate(rate?), stall })
}

/// A keyword of the EHLO answer (RFC 5321 4.1.1.1).
fn keyword(node: &Node, said: &mut Said) -> Option<String> {
    let text = scalar(node, "a keyword of the EHLO answer", said)?;
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Some(text.to_ascii_uppercase());
    }
    let title = format!("`{text}` is not a keyword of the EHLO answer");
    said.refuse(
        Diagnostic::error(node.span, title).note("keywords are letters, digits and hyphens, such as `STARTTLS`"),
    )
}

fn takes_argument(word: &str) -> bool {
    WITH_ARGUMENT.iter().any(|(known, _)| *known == word)
}

fn no_such_action(node: &Node, text: &str, spelling: Spelling) -> Diagnostic {
    if takes_argument(text) {
        let title = format!("`{text}` needs an argument");
        let help = format!("write `{}`", spelling.kind("do", text, example(text)));
        return Diagnostic::error(node.span, title).help(help);
    }
    let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
    let others = WITH_ARGUMENT.iter().map(|(word, _)| *word).filter(|word| !words.contains(word));
    let all: Vec<&str> = words.iter().copied().chain(others).collect();
    let error = Diagnostic::error(node.span, format!("`{text}` is not something that a fault can do"));
    let error = match closest(text, all.iter().copied()) {
        Some(near) => error.label(format!("did you mean `{near}`?")),
        None => error,
    };
    error.note(format!("faults are {}", and_list(&all)))
}

fn example(action: &str) -> &'static str {
    match action {
        "reply" => "\"451 4.7.1 later\"",
        "premature-reply" => "\"554 5.7.1 no\"",
        "close-after" | "reset-after" => "4KiB",
        "tarpit" | "throttle" => "1KiB/s",
        "hide" => "STARTTLS",
        "corrupt" => "bare-lf",
        "tls" => "expired",
        _ => "2s",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceText, yaml};

    fn read(text: &str) -> Result<Action, String> {
        let source = SourceText::new("t.yaml", text);
        let node = yaml::parse(&source).expect("it is YAML");
        let mut said = Said::about(&source);
        action(&node, &mut said).ok_or_else(|| said.into_remarks()[0].said.title.clone())
    }

    #[test]
    fn each_action_is_written_with_its_own_word() {
        for (word, action) in WORDS {
            assert_eq!(action().word(), *word);
        }
        for (word, argument) in [
            ("silent", "1s"),
            ("drop-syn", "nft"),
            ("reply", "451 later"),
            ("delay", "1s"),
            ("close-after", "9"),
            ("reset-after", "9"),
            ("tarpit", "1/s"),
            ("throttle", "{ rate: 4KiB/s, stall: 1s }"),
            ("premature-reply", "554 no"),
            ("hide", "size"),
            ("corrupt", "no-code"),
            ("tls", "tls-1.1-only"),
        ] {
            assert_eq!(read(&format!("{{ {word}: {argument} }}")).map(|it| it.word()), Ok(word));
        }
    }

    #[test]
    fn an_argument_too_many_or_too_few_is_said() {
        assert_eq!(read("delay"), Err("`delay` needs an argument".to_owned()));
        assert_eq!(read("{ refuse: 1s }"), Err("`refuse` takes no argument".to_owned()));
        assert_eq!(read("resett"), Err("`resett` is not something that a fault can do".to_owned()));
    }
}

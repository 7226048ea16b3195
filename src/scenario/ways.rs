//! Ways in other than mxdrill itself: what a scenario says of them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::inventory::{Endpoint, Secret, TlsMode};
use crate::source::Spanned;
use crate::terms::{AuthMechanism, UnknownWord, words};

/// A server that takes mail from its users (RFC 6409).
#[derive(Clone, Debug)]
pub struct Submission {
    /// Where it listens.
    pub address: Spanned<Endpoint>,
    /// How the connection is encrypted. Default: implicit on port 465, else starttls.
    pub tls: TlsMode,
    /// Who logs in; none: nobody does.
    pub login: Option<StatedLogin>,
    /// A file with the certificate authority to trust instead of the usual ones, PEM.
    pub ca: Option<PathBuf>,
    /// The name in EHLO; none: this machine's, or the lab's.
    pub helo: Option<String>,
}

/// A login, its secret by name.
#[derive(Clone, Debug)]
pub struct StatedLogin {
    /// The user.
    pub user: Spanned<String>,
    /// Password or token; none: what the lab gave this user.
    pub secret: Option<Secret>,
    /// The mechanism; none: the best that the server offers.
    pub mechanism: Option<AuthMechanism>,
}

/// A program that takes mail as sendmail does.
#[derive(Clone, Debug)]
pub struct Sendmail {
    /// The program.
    pub path: PathBuf,
    /// Arguments before those that mxdrill gives: `-i -f SENDER -- RECIPIENT`. Placeholders may stand in them.
    pub args: Vec<Spanned<String>>,
    /// How long it may take; then it is killed.
    pub timeout: Duration,
}

words! {
    /// What a program finds on its standard input.
    Stdin {
        /// The whole message.
        Message = "message",
        /// Nothing.
        Nothing = "none",
    }
}

/// Any program that sends one message: a web application, a script.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program and its arguments; placeholders may stand in them.
    pub run: Vec<Spanned<String>>,
    /// What stands on its standard input. Default: nothing.
    pub stdin: Stdin,
    /// How long it may take; then it is killed.
    pub timeout: Duration,
    /// Variables of its environment, beside the few that every program needs.
    pub env: IndexMap<String, Value>,
    /// Where it runs; none: the scenario's folder.
    pub dir: Option<PathBuf>,
}

/// The value of a variable.
#[derive(Clone, Debug)]
pub enum Value {
    /// As written; placeholders may stand in it.
    Text(Spanned<String>),
    /// A secret, which no output of the program shows.
    Secret(Secret),
}

/// A real MTA that routes by itself.
#[derive(Clone, Debug)]
pub struct Relay {
    /// How mail is given to it.
    pub submission: Submission,
    /// Its name on paths; none: the host of its address.
    pub host: Option<Spanned<String>>,
    /// How to look into its queue.
    pub queue: Option<Queue>,
    /// What makes it forget failed hosts, run before each phase but the first; empty: nothing does.
    pub forget: Vec<String>,
}

impl Relay {
    /// Its name.
    pub fn name(&self) -> &str {
        self.host.as_ref().map_or(self.submission.address.host.as_str(), |host| host.as_str())
    }
}

/// A command that prints a queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Program and arguments.
    pub command: Vec<String>,
    /// What it prints.
    pub format: QueueFormat,
}

words! {
    /// How a queue is printed.
    QueueFormat {
        /// `postqueue -j`: a JSON object a line.
        Postfix = "postfix",
        /// `exim -bp`.
        Exim = "exim",
    }
}

/// What may stand in braces in arguments and variables; `lab:` is followed by a lab host's name.
pub const PLACEHOLDERS: &[&str] = &["tag", "recipient", "sender", "message", "message_id", "subject", "lab:HOST"];
/// The start of the placeholder of a lab host's address and port.
pub const LAB_PLACEHOLDER: &str = "lab:";

/// The text with each placeholder replaced by what `value` gives for it; one that `value` does not
/// know stays. A placeholder is a word in braces, so that `{ "json": 1 }` and `${SHELL}` stay text.
pub fn filled_in(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let shell = rest[..at].ends_with('$');
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match name(rest).filter(|_| !shell).and_then(|name| value(name).map(|it| (name.len() + 2, it))) {
            Some((length, value)) => {
                out.push_str(&value);
                rest = &rest[length..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The names of the placeholders in a text, in order.
pub fn placeholders(text: &str) -> Vec<String> {
    let mut names = vec![];
    filled_in(text, |name| {
        names.push(name.to_owned());
        Some(String::new())
    });
    names
}

/// The word in braces at the start of `rest`.
fn name(rest: &str) -> Option<&str> {
    let inside = rest.strip_prefix('{')?;
    let name = &inside[..inside.find('}')?];
    let word = name.strip_prefix(LAB_PLACEHOLDER).unwrap_or(name);
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let starts = word.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    (starts && word.chars().all(fits)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_in_braces_are_placeholders() {
        let value = |name: &str| (name == "tag" || name == "lab:mx.example").then(|| format!("<{name}>"));
        assert_eq!(filled_in("a {tag} {lab:mx.example}", value), "a <tag> <lab:mx.example>");
        for text in ["{ \"tag\": 1 }", "${tag}", "{1,2}", "{", "{}", "{nothing}"] {
            assert_eq!(filled_in(text, value), text);
        }
        assert_eq!(placeholders("{tag} {tga} {lab:x} ${HOME}"), ["tag", "tga", "lab:x"]);
    }
}

//! Ways in other than mxdrill itself.

use std::time::Duration;

use indexmap::IndexMap;

use crate::inventory::decode::{endpoint, host_name, secret};
use crate::inventory::{Endpoint, Secret, TlsMode};
use crate::scenario::SenderKind;
use crate::scenario::ways::{Command, Queue, QueueFormat, Relay, Sendmail, StatedLogin, Stdin, Submission, Value};
use crate::source::read::{Fields, Said, at_most, entries, filled, lasting, list, path, spanned, text, word};
use crate::source::yaml::{Node, Value as Yaml};
use crate::source::{Diagnostic, Spanned};
use crate::terms::AuthMechanism;

/// The port of submission over TLS from the first byte (RFC 8314).
const IMPLICIT_PORT: u16 = 465;
/// How long a program may take, where nothing is said.
const USUAL_LIMIT: Duration = Duration::from_secs(30);
/// The longest that it may.
const LONGEST_LIMIT: Duration = Duration::from_secs(600);
/// The most arguments, and variables, of a program.
const MOST_WORDS: usize = 200;

pub(super) fn submission(node: &Node, said: &mut Said) -> Option<SenderKind> {
    let mut map = Fields::of(node, "a `submission` sender", said)?;
    let stated = session(&mut map, usual_tls);
    map.done();
    Some(SenderKind::Submission(stated?))
}

pub(super) fn relay(node: &Node, said: &mut Said) -> Option<SenderKind> {
    let mut map = Fields::of(node, "a `relay` sender", said)?;
    // An MTA takes mail from its own network as from any other MTA.
    let submission = session(&mut map, |_| TlsMode::Plain);
    let host = map.optional("host", spanned(host_name));
    let queue = map.optional("queue", queue);
    let forget = map.optional("forget", words).unwrap_or_default();
    map.done();
    Some(SenderKind::Relay(Relay { submission: submission?, host, queue, forget }))
}

fn usual_tls(address: &Endpoint) -> TlsMode {
    if address.port == IMPLICIT_PORT { TlsMode::Implicit } else { TlsMode::Starttls }
}

/// The keys that say how a server is reached and who logs in.
fn session(map: &mut Fields<'_>, usual: fn(&Endpoint) -> TlsMode) -> Option<Submission> {
    let address = map.required("address", spanned(endpoint));
    let tls = map.optional("tls", spanned(word("a way to encrypt", "ways", TlsMode::ALL, TlsMode::word)));
    let login = login(map);
    let ca = map.optional("ca", path);
    let helo = map.optional("helo", host_name);
    let address = address?;
    let mode = tls.as_ref().map_or_else(|| usual(&address), |tls| tls.value);
    if let (Some(tls), Some(_)) = (&tls, &login) {
        refuse_clear_text(map, &address, tls);
    }
    Some(Submission { address, tls: mode, login, ca, helo })
}

/// A secret in clear text stays on this machine. A lab's hosts are on it, whatever their names:
/// `check` knows them.
fn refuse_clear_text(map: &mut Fields<'_>, address: &Endpoint, tls: &Spanned<TlsMode>) {
    let name = address.host.parse::<std::net::IpAddr>().is_err();
    if tls.value == TlsMode::Plain && !address.is_loopback() && !name {
        let title = format!("the password would go to `{address}` in clear text");
        map.say(
            Diagnostic::error(tls.span, title)
                .note("`plain` is for servers on loopback")
                .help("write `starttls` (port 587) or `implicit` (port 465)"),
        );
    }
}

fn login(map: &mut Fields<'_>) -> Option<StatedLogin> {
    let user = map.optional("user", spanned(text));
    let password = map.optional("password", secret);
    let token = map.optional("token", secret);
    let auth = map
        .optional("auth", spanned(word("a way to log in", "ways to log in", AuthMechanism::ALL, AuthMechanism::word)));
    let missing = ["password", "token", "auth"].into_iter().find(|key| map.has(key) && !map.has("user"));
    if let Some(key) = missing {
        let title = format!("`{key}` says how to log in, and there is no `user`");
        map.say(Diagnostic::error(map.key_span(key), title).help("add `user: NAME`"));
    }
    let mechanism = mechanism(map, auth.as_ref(), &token);
    let secret = token.or(password);
    // One that is there and could not be read was spoken of already.
    let unread = secret.is_none() && (map.has("password") || map.has("token"));
    (!unread).then_some(())?;
    Some(StatedLogin { user: user?, secret, mechanism })
}

/// A token goes by XOAUTH2, and XOAUTH2 with a token.
fn mechanism(
    map: &mut Fields<'_>,
    auth: Option<&Spanned<AuthMechanism>>,
    token: &Option<Secret>,
) -> Option<AuthMechanism> {
    if map.has("password") && map.has("token") {
        let said = Diagnostic::error(map.key_span("token"), "a sender logs in with a `password` or with a `token`");
        map.say(said.context(map.key_span("password"), "first here").help("remove one of the two"));
    }
    match (auth, map.has("token")) {
        (Some(auth), true) if auth.value != AuthMechanism::Xoauth2 => {
            let title = format!("`{}` takes a password, and a `token` is given", auth.value);
            map.say(
                Diagnostic::error(auth.span, title).help("write `auth: xoauth2`, or `password` instead of `token`"),
            );
        }
        (Some(auth), false) if auth.value == AuthMechanism::Xoauth2 && map.has("password") => {
            map.say(Diagnostic::error(auth.span, "`xoauth2` takes a `token`, and a password is given"));
        }
        _ => {}
    }
    auth.map(|auth| auth.value).or(token.as_ref().map(|_| AuthMechanism::Xoauth2))
}

fn queue(node: &Node, said: &mut Said) -> Option<Queue> {
    let mut map = Fields::of(node, "a queue", said)?;
    let command = map.required("command", words);
    let formats = word("a queue's format", "queue formats", QueueFormat::ALL, QueueFormat::word);
    let format = map.optional("format", formats).unwrap_or(QueueFormat::Postfix);
    map.done();
    Some(Queue { command: command?, format })
}

fn words(node: &Node, said: &mut Said) -> Option<Vec<String>> {
    at_most(MOST_WORDS, filled(list(text)))(node, said)
}

fn templates(node: &Node, said: &mut Said) -> Option<Vec<Spanned<String>>> {
    at_most(MOST_WORDS, filled(list(spanned(text))))(node, said)
}

fn limit(map: &mut Fields<'_>) -> Duration {
    map.optional("timeout", lasting(Duration::from_millis(10)..=LONGEST_LIMIT)).unwrap_or(USUAL_LIMIT)
}

pub(super) fn sendmail(node: &Node, said: &mut Said) -> Option<SenderKind> {
    let mut map = Fields::of(node, "a `sendmail` sender", said)?;
    let program = map.optional("path", path).unwrap_or_else(|| "/usr/sbin/sendmail".into());
    let args = map.optional("args", templates).unwrap_or_default();
    let timeout = limit(&mut map);
    map.done();
    Some(SenderKind::Sendmail(Sendmail { path: program, args, timeout }))
}

pub(super) fn command(node: &Node, said: &mut Said) -> Option<SenderKind> {
    let mut map = Fields::of(node, "a `command` sender", said)?;
    let run = map.required("run", templates);
    let stdin = map.optional("stdin", word("something on standard input", "things on it", Stdin::ALL, Stdin::word));
    let timeout = limit(&mut map);
    let env = map.optional("env", at_most(MOST_WORDS, entries(variable))).unwrap_or_default();
    let dir = map.optional("dir", path);
    map.done();
    let env: IndexMap<String, Value> = env.into_iter().collect();
    Some(SenderKind::Command(Command { run: run?, stdin: stdin.unwrap_or(Stdin::Nothing), timeout, env, dir }))
}

/// `NAME: text`, or `NAME: { env: OTHER }` for a secret.
fn variable(name: &Spanned<String>, node: &Node, said: &mut Said) -> Option<(String, Value)> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(fits) {
        let title = format!("`{}` is not the name of a variable", name.value);
        return said.refuse(Diagnostic::error(name.span, title).note("names are letters, digits and underscores"));
    }
    let value = match &node.value {
        Yaml::Scalar { .. } => Value::Text(spanned(text)(node, said)?),
        _ => Value::Secret(secret(node, said)?),
    };
    Some((name.value.clone(), value))
}

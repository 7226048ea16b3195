//! The senders `sendmail` and `command`: a program is given the message, and what it says is its
//! word on it.
//!
//! ```text
//!   Outgoing ── placeholders, message as a file or on stdin ──> program ──> Event::Ran
//!        exit code 0: handed over     anything else: refused, nobody has it
//! ```

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use secrecy::{ExposeSecret, SecretString};
use tempfile::NamedTempFile;

use super::Outgoing;
use super::mask::Mask;
use super::program::{KEPT, Program};
use crate::record::{Event, Journal, Ran, RanEnd, Sent, SentState};
use crate::scenario::ways::{LAB_PLACEHOLDER, Stdin, filled_in};

/// A program that sends, as the scenario states it; its secrets and places are known.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The program and its arguments, with placeholders.
    pub words: Vec<String>,
    /// Its whole environment, with placeholders.
    pub env: IndexMap<String, String>,
    /// More of its environment: values that no output shows.
    pub secrets: IndexMap<String, SecretString>,
    /// Where it runs; none: here.
    pub dir: Option<PathBuf>,
    /// What stands on its standard input.
    pub stdin: Stdin,
    /// How long it may take.
    pub limit: Duration,
    /// How it is called.
    pub manner: Manner,
    /// Address and port of each host of the lab.
    pub lab: HashMap<String, String>,
}

/// How a program is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As sendmail: envelope in the arguments, which come last.
    Sendmail,
    /// As it is written.
    AsWritten,
}

/// The sender.
#[derive(Clone, Debug)]
pub struct Hander {
    stated: Arc<Sending>,
    journal: Journal,
    mask: Mask,
}

impl Hander {
    /// A sender by this program.
    pub fn new(stated: Sending, journal: Journal) -> Self {
        let mut mask = Mask::default();
        stated.secrets.values().for_each(|secret| mask.add(secret));
        Self { stated: Arc::new(stated), journal, mask }
    }

    /// Gives `mail` to the program, once. Notes what it said, and the last word on the probe.
    pub async fn deliver(&self, mail: &Outgoing) -> SentState {
        // The gate is never closed; were it, the program would just run at once.
        let _place = mail.gate.acquire().await;
        let file = match self.file(mail) {
            Ok(file) => file,
            Err(error) => {
                return self.say(
                    mail,
                    SentState::Refused,
                    format!("the message could not be put into a file: {error}"),
                );
            }
        };
        let program = self.program(mail, file.as_ref());
        let at = self.journal.clock().now();
        let ended = program.run().await;
        let ran = Ran {
            tag: mail.tag.clone(),
            program: program.path,
            arguments: program.arguments,
            at,
            ms: u64::try_from(ended.took.as_millis()).unwrap_or(u64::MAX),
            end: ended.end,
            code: ended.code,
            meaning: ended.meaning,
            stdout: self.mask.hide(&ended.stdout),
            stderr: self.mask.hide(&ended.stderr),
        };
        let (state, why) = last_word(&ran);
        self.journal.note(Event::Ran(ran));
        self.say(mail, state, why)
    }

    /// The message in a file that only this user can read, where a placeholder asks for it.
    fn file(&self, mail: &Outgoing) -> std::io::Result<Option<NamedTempFile>> {
        let texts = self.stated.words.iter().chain(self.stated.env.values());
        if !texts.into_iter().any(|text| text.contains("{message}")) {
            return Ok(None);
        }
        let mut file = tempfile::Builder::new().prefix("mxdrill-").suffix(".eml").tempfile()?;
        file.write_all(&mail.message)?;
        file.flush()?;
        Ok(Some(file))
    }

    fn program(&self, mail: &Outgoing, file: Option<&NamedTempFile>) -> Program {
        let fill = |text: &str| filled_in(text, |name| self.value(mail, file, name));
        let mut words = self.stated.words.iter().map(|word| fill(word));
        let path = words.next().unwrap_or_default();
        let mut arguments: Vec<String> = words.collect();
        if self.stated.manner == Manner::Sendmail {
            // `-i`: a line with a lone dot does not end the message.
            let from = mail.from.to_string();
            arguments.extend(["-i", "-f", &from, "--"].map(str::to_owned));
            arguments.extend(std::iter::once(&mail.to).chain(&mail.also).map(ToString::to_string));
        }
        let plain = self.stated.env.iter().map(|(name, value)| (name.clone(), fill(value)));
        let secret = self.stated.secrets.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
        Program {
            path,
            arguments,
            env: plain.chain(secret).collect(),
            dir: self.stated.dir.clone(),
            input: (self.stated.stdin == Stdin::Message).then(|| Self::lines(mail)),
            limit: self.stated.limit,
            keep: KEPT,
        }
    }

    /// The message as programs of this system expect it: with the system's line ends.
    fn lines(mail: &Outgoing) -> Arc<[u8]> {
        let mut text = Vec::with_capacity(mail.message.len());
        let mut rest = mail.message.iter().copied().peekable();
        while let Some(byte) = rest.next() {
            if byte != b'\r' || rest.peek() != Some(&b'\n') {
                text.push(byte);
            }
        }
        text.into()
    }

    fn value(&self, mail: &Outgoing, file: Option<&NamedTempFile>, name: &str) -> Option<String> {
        if let Some(host) = name.strip_prefix(LAB_PLACEHOLDER) {
            return self.stated.lab.get(host).cloned();
        }
        match name {
            "tag" => Some(mail.tag.to_string()),
            "recipient" => Some(mail.to.to_string()),
            "sender" => Some(mail.from.to_string()),
            "message" => file.map(|file| file.path().display().to_string()),
            "message_id" => Some(mail.tag.message_id()),
            "subject" => Some(mail.subject.clone()),
            _ => None,
        }
    }

    fn say(&self, mail: &Outgoing, state: SentState, why: String) -> SentState {
        let sent = Sent { tag: mail.tag.clone(), state, why, untried: vec![] };
        self.journal.note(Event::Sent(sent));
        state
    }
}

/// What a program's end means for the probe. It is not run again: whoever calls such a program
/// has no queue.
fn last_word(ran: &Ran) -> (SentState, String) {
    match (ran.succeeded(), ran.end) {
        (true, _) => (SentState::Delivered, format!("`{}` took it", ran.program)),
        (false, RanEnd::NotStarted) => {
            (SentState::Refused, format!("`{}` could not be started: {}", ran.program, ran.stderr))
        }
        (false, _) => (SentState::Refused, format!("`{}` failed: {}", ran.program, ran.outcome())),
    }
}

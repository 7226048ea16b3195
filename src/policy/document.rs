//! The policy itself (RFC 8461 3.2), read strictly: every problem with its place.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::advice::{about_max_age, about_pattern};
use super::name::{self, BadPattern};
use super::problem::{Code, Grammar, MOST_PROBLEMS, Problem, Severity};
use super::specimen::{sound, with_line};
use super::tags::{WSP, is_extension_name, shown};
use crate::source::{Span, Spanned, closest};
pub use crate::terms::StsMode as Mode;

pub(super) const RFC: &str = "RFC 8461 3.2";
/// The most bytes of a policy that are read (RFC 8461 3.3 suggests this limit to senders).
pub const MAX_POLICY: usize = 64 * 1024;
/// The greatest `max_age`, in seconds: a year.
pub const MAX_MAX_AGE: u64 = 31_557_600;
const KEYS: [&str; 4] = ["version", "mode", "mx", "max_age"];

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// What it demands.
    pub mode: Mode,
    /// How long it may be cached, in seconds.
    pub max_age: u64,
    /// Patterns of MX hosts, in lower case, in the order of the text.
    pub mx: Vec<String>,
}

impl Policy {
    /// Whether some pattern covers an MX host (RFC 8461 4.1).
    pub fn covers(&self, mx: &str) -> bool {
        self.mx.iter().any(|pattern| name::covers(pattern, mx))
    }
}

/// A text that should be a policy, read strictly.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The text; bytes that are not UTF-8 are replaced in it.
    pub text: Arc<str>,
    /// What it says; none where a strict reader throws it away.
    pub policy: Option<Policy>,
    /// The mode, where it is right by itself.
    pub mode: Option<Mode>,
    /// `max_age` in seconds, where it is a number; it may be above [`MAX_MAX_AGE`].
    pub max_age: Option<u64>,
    /// Every pattern as it is written, right or wrong.
    pub mx: Vec<Spanned<String>>,
    /// How many fields it has that the RFC does not name.
    pub extensions: usize,
    /// Everything that is wrong with it, in the order of the text.
    pub problems: Vec<Problem>,
}

impl Document {
    /// Reads any bytes; of those beyond [`MAX_POLICY`] nothing is read.
    pub fn read(bytes: &[u8]) -> Self {
        let cut = &bytes[..bytes.len().min(MAX_POLICY)];
        let mut reader = Reader { text: String::from_utf8_lossy(cut).into(), ..Reader::default() };
        if bytes.len() > MAX_POLICY {
            reader.too_large(bytes.len());
        }
        if let Err(error) = std::str::from_utf8(cut) {
            reader.not_utf8(error.valid_up_to());
        }
        reader.whole();
        reader.finish()
    }
}

/// One reading of one text.
#[derive(Default)]
struct Reader {
    text: Arc<str>,
    version: Option<Span>,
    mode: Option<(Span, Option<Mode>)>,
    max_age: Option<(Span, Option<u64>)>,
    mx: Vec<Spanned<String>>,
    extensions: usize,
    problems: Vec<Problem>,
}

impl Reader {
    fn say(&mut self, problem: Problem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn too_large(&mut self, bytes: usize) {
        let span = Span::new(self.text.len()..self.text.len());
        let said = format!("the policy has {bytes} bytes");
        self.say(
            Problem::broken(Code::TooLarge, span, "RFC 8461 3.3", said)
                .note(format!("senders may stop after {MAX_POLICY} bytes; what stands behind them was not read here"))
                .shown_by(sound(None, &"x: y\n".repeat(MAX_POLICY / 5))),
        );
    }

    fn not_utf8(&mut self, at: usize) {
        let problem = Problem::broken(Code::NotUtf8, Span::new(at..at + 1), RFC, "the text is not UTF-8 from here on");
        self.say(problem.help("save the file as UTF-8, or as ASCII").shown_by(with_line("x: \u{fffd}")));
    }

    fn whole(&mut self) {
        let text = Arc::clone(&self.text);
        let mut start = 0;
        if text.is_empty() {
            let said = Problem::broken(Code::Empty, Span::default(), RFC, "the policy is empty");
            return self.say(said.help("write at least `version`, `mode`, `mx` and `max_age`"));
        }
        if let Some(rest) = text.strip_prefix('\u{feff}') {
            start = text.len() - rest.len();
            let said = "the text begins with a byte order mark, which becomes a part of the first key";
            let problem = Problem::broken(Code::ByteOrderMark, Span::new(0..start), RFC, said);
            self.say(problem.help("save the file without it").shown_by(format!("\u{feff}{}", sound(None, ""))));
        }
        if text[start..].trim_start().starts_with(['{', '<']) {
            let what = if text[start..].trim_start().starts_with('{') { "JSON" } else { "a web page" };
            let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
            let said = format!("this is {what}, not a policy");
            let problem = Problem::broken(Code::NotAPolicy, Span::new(start..end), RFC, said);
            return self.say(problem.note("a policy is lines of `key: value`").shown_by(&*text));
        }
        let end = text.trim_end_matches(['\r', '\n', ' ', '\t']).len();
        for line in lines(&text, start) {
            self.line(&text, line, end);
        }
        self.missing();
    }

    fn line(&mut self, text: &str, span: Span, end: usize) {
        let line = &text[span.range()];
        if line.trim_matches(WSP).is_empty() {
            return self.blank(span, end);
        }
        let Some((key, value)) = line.split_once(':') else {
            return self.no_colon(span, line);
        };
        if key.starts_with(WSP) {
            let at = Span::new(span.start..span.start + (key.len() - key.trim_start_matches(WSP).len()));
            let problem = Problem::broken(Code::LeadingSpace, at, RFC, "there is white space before the key");
            self.say(problem.help("remove it").shown_by(with_line(line)));
        }
        if key.ends_with(WSP) {
            let at = Span::new(span.start + key.trim_end_matches(WSP).len()..span.start + key.len());
            let problem =
                Problem::broken(Code::SpaceBeforeColon, at, RFC, "there is white space between a key and its colon");
            self.say(problem.help("remove it").shown_by(with_line(line)));
        }
        let start = span.start + key.len() + 1 + (value.len() - value.trim_start_matches(WSP).len());
        let value = value.trim_matches(WSP);
        let at = Span::new(start..start + value.len());
        match key.trim_matches(WSP) {
            "version" => self.version(value, at, line),
            "mode" => self.mode(value, at, line),
            "max_age" => self.max_age(value, at, line),
            "mx" => self.mx(value, at, line),
            key => {
                let at = Span::new(span.start..span.start + line.find(':').unwrap_or(0));
                self.unknown(key, at, value, line);
            }
        }
    }

    fn blank(&mut self, span: Span, end: usize) {
        let (code, said) = if span.start >= end {
            (Code::BlankLineAtEnd, "there is an empty line at the end")
        } else {
            (Code::BlankLine, "there is an empty line")
        };
        if self.problems.iter().any(|it| it.code == code) {
            return;
        }
        let specimen = match code {
            Code::BlankLineAtEnd => sound(None, "\n"),
            _ => sound(Some("max_age"), "\nmax_age: 604800\n"),
        };
        let problem = Problem::broken(code, span, RFC, said).milder(Severity::Warning);
        self.say(
            problem.help("remove every empty line; one line end behind the last line is right").shown_by(specimen),
        );
    }

    fn no_colon(&mut self, span: Span, line: &str) {
        let comment = line.trim_start().starts_with('#');
        let said = format!("`{}` is not `KEY: VALUE`", shown(line));
        let problem = Problem::broken(Code::LineWithoutColon, span, RFC, said).shown_by(with_line(line));
        self.say(match comment {
            true => problem.note("a policy has no comments").help("remove the line"),
            false => problem.help("write a key, a colon and a value, or remove the line"),
        });
    }

    /// Says that a key stands twice. The first one counts.
    fn twice(&mut self, key: &str, first: Span, at: Span, line: &str, value: Result<(), ()>) {
        let code = if value.is_ok() { Code::DuplicateKey } else { Code::BadDuplicate };
        let said = format!("`{key}` stands twice, and only the first one counts");
        let problem = Problem::lint(code, at, Severity::Error, RFC, said);
        let shown_first = shown(&self.text[first.range()]);
        self.say(
            problem
                .note(format!("the first one is `{shown_first}`; some senders take the last one, some take neither"))
                .help("remove one of the two")
                .shown_by(sound(None, &format!("{line}\n"))),
        );
    }

    fn version(&mut self, value: &str, at: Span, line: &str) {
        let right = value == "STSv1";
        if let Some(first) = self.version {
            return self.twice("version", first, at, line, right.then_some(()).ok_or(()));
        }
        self.version = Some(at);
        if !right {
            let said = format!("`{}` is no version of MTA-STS", shown(value));
            let problem = Problem::broken(Code::BadVersion, at, RFC, said);
            self.say(problem.help("write `version: STSv1`").shown_by(with_line(line)));
        }
    }

    fn mode(&mut self, value: &str, at: Span, line: &str) {
        let mode = value.parse::<Mode>().ok();
        if let Some((first, _)) = self.mode {
            return self.twice("mode", first, at, line, mode.map(drop).ok_or(()));
        }
        self.mode = Some((at, mode));
        if mode.is_none() {
            let words = Mode::ALL.iter().map(|it| it.word());
            let near = closest(value, words).map(|near| format!("did you mean `{near}`?"));
            let said = format!("`{}` is no mode", shown(value));
            let problem = Problem::broken(Code::BadMode, at, RFC, said)
                .note("modes are enforce, testing, and none, in lower case")
                .shown_by(with_line(line));
            self.say(Problem { help: near, ..problem });
        }
    }

    fn max_age(&mut self, value: &str, at: Span, line: &str) {
        let right = (1..=10).contains(&value.len()) && value.bytes().all(|it| it.is_ascii_digit());
        let seconds = value.parse::<u64>().ok().filter(|_| right);
        if let Some((first, _)) = self.max_age {
            return self.twice("max_age", first, at, line, seconds.map(drop).ok_or(()));
        }
        self.max_age = Some((at, seconds));
        if let Some(problem) = about_max_age(value, seconds, at) {
            self.say(problem.shown_by(with_line(line)));
        }
    }

    fn mx(&mut self, value: &str, at: Span, line: &str) {
        let lower = value.to_ascii_lowercase();
        let again = self.mx.iter().find(|known| known.value.eq_ignore_ascii_case(value)).map(|it| it.span);
        self.mx.push(Spanned::new(value.to_owned(), at));
        let problem = match name::pattern(value) {
            Err(BadPattern::TrailingDot) => Some(
                Problem::broken(Code::MxTrailingDot, at, RFC, format!("`{}` ends in a dot", shown(value)))
                    .help(format!("write `mx: {}`", lower.trim_end_matches('.'))),
            ),
            Err(BadPattern::No(why)) => Some(
                Problem::broken(Code::BadMx, at, RFC, format!("`{}` is no pattern of MX hosts", shown(value)))
                    .note(format!("{why}; a pattern is a name, or `*.` and a name")),
            ),
            Ok(()) => about_pattern(&lower, at),
        };
        if let Some(problem) = problem {
            return self.say(problem.shown_by(with_line(line)));
        }
        if again.is_some() {
            let said = format!("`{}` stands twice", shown(value));
            let problem = Problem::lint(Code::DuplicateMx, at, Severity::Info, RFC, said);
            self.say(problem.help("remove one of the two").shown_by(sound(None, "mx: mail.example.com\n")));
        }
    }

    fn unknown(&mut self, key: &str, at: Span, value: &str, line: &str) {
        self.extensions += 1;
        if !is_extension_name(key) {
            let said = format!("`{}` cannot be a key", shown(key));
            let note = "a key begins with a letter or digit and has at most 32 of letters, digits, `_`, `-` and `.`";
            return self.say(Problem::broken(Code::BadFieldName, at, RFC, said).note(note).shown_by(with_line(line)));
        }
        if value.is_empty() || value.chars().any(char::is_control) {
            let said = format!("`{key}` has no value that a policy can have");
            return self.say(Problem::broken(Code::BadFieldValue, at, RFC, said).shown_by(with_line(line)));
        }
        let near = closest(key, KEYS).or_else(|| closest(&key.replace('-', "_"), KEYS));
        let said = format!("`{key}` is not a key of RFC 8461, and senders must ignore it");
        let severity = if near.is_some() { Severity::Warning } else { Severity::Info };
        let problem = Problem::lint(Code::UnknownKey, at, severity, RFC, said).shown_by(with_line(line));
        self.say(Problem { help: near.map(|near| format!("did you mean `{near}`?")), ..problem });
    }

    /// Says which keys are not there. Where the text was thrown away already, nothing is said.
    fn missing(&mut self) {
        let end = Span::new(self.text.len()..self.text.len());
        let needs_mx = self.mx.is_empty() && !matches!(self.mode, Some((_, Some(Mode::None))));
        for (key, missing, line) in [
            ("version", self.version.is_none(), "version: STSv1"),
            ("mode", self.mode.is_none(), "mode: testing"),
            ("mx", needs_mx, "mx: HOST"),
            ("max_age", self.max_age.is_none(), "max_age: 86400"),
        ] {
            if missing {
                let problem = Problem::broken(Code::MissingKey, end, RFC, format!("the policy has no `{key}`"));
                self.say(problem.help(format!("add a line such as `{line}`")).shown_by(sound(Some(key), "")));
            }
        }
        if let (true, Some((at, Some(Mode::None)))) = (self.mx.is_empty(), self.mode) {
            let said = "some senders throw away a policy without `mx`, also where its mode is `none`";
            let problem = Problem::lint(Code::NoneWithoutMx, at, Severity::Info, "RFC 8461 8.3", said.to_owned());
            let specimen = "version: STSv1\nmode: none\nmax_age: 86400\n";
            self.say(problem.help("keep one `mx` line until the policy is taken away").shown_by(specimen));
        }
    }

    fn finish(mut self) -> Document {
        self.problems.sort_by_key(|it| it.span.start);
        let (mode, max_age) = (self.mode.and_then(|it| it.1), self.max_age.and_then(|it| it.1));
        let sound = self.problems.iter().all(|it| it.grammar == Grammar::Kept);
        let policy = mode.zip(max_age).filter(|_| sound).map(|(mode, max_age)| Policy {
            mode,
            max_age,
            mx: self.mx.iter().map(|it| it.value.to_ascii_lowercase()).collect(),
        });
        Document {
            text: self.text,
            policy,
            mode,
            max_age,
            mx: self.mx,
            extensions: self.extensions,
            problems: self.problems,
        }
    }
}

/// The lines from byte `start` on, without their ends (LF or CRLF); one line end at the end of the
/// text begins no further line.
fn lines(text: &str, start: usize) -> Vec<Span> {
    let mut found = vec![];
    let mut at = start;
    for line in text[start..].split_inclusive('\n') {
        let content = line.strip_suffix('\n').map_or(line, |it| it.strip_suffix('\r').unwrap_or(it));
        found.push(Span::new(at..at + content.len()));
        at += line.len();
    }
    found
}

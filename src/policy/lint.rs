//! A text before it is published: what is wrong with it, and who would mind.

use indexmap::IndexMap;
use serde::Serialize;

use super::document::RFC;
use super::problem::{Code, Grammar, Problem, Severity};
use super::senders::{Profile, senders};
use super::{Document, MAX_POLICY, Mode, Record, TlsrptRecord, covers};
use crate::source::{Diagnostic, SourceText, Span, and_list, plural};

/// What was found in one text. Its JSON is a contract.
#[derive(Clone, Debug, Serialize)]
pub struct Lint {
    /// Whether it is right by the letter, and covers every host that was named.
    pub valid: bool,
    /// The policy's mode.
    pub mode: Option<Mode>,
    /// The policy's `max_age`, in seconds.
    pub max_age: Option<u64>,
    /// The policy's patterns, as they are written.
    pub mx: Vec<String>,
    /// The record's `id`.
    pub id: Option<String>,
    /// Where the record sends reports to.
    pub rua: Vec<String>,
    /// Everything that is wrong, in the order of the text.
    pub problems: Vec<LintProblem>,
    /// Which of the hosts that were named the policy covers.
    pub matches: IndexMap<String, bool>,
    /// The text, for drawings.
    #[serde(skip)]
    pub source: SourceText,
}

/// One problem, with its place and what senders do about it.
#[derive(Clone, Debug, Serialize)]
pub struct LintProblem {
    /// How grave.
    pub severity: Severity,
    /// Which.
    pub code: Code,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The section that says so.
    pub rfc: &'static str,
    /// What each sender does with a text that has this problem and no other.
    pub senders: IndexMap<&'static str, Reaction>,
    #[serde(skip)]
    problem: Problem,
}

/// What a sender does with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reaction {
    /// It reads it.
    Accepts,
    /// It goes on as if there were none.
    Rejects,
}

/// What reads a specimen: the question that a kind of text is for a sender.
type Reads = fn(&Profile, &str) -> Option<()>;

impl Lint {
    /// A policy file, and the hosts that it is to cover.
    pub fn policy(name: &str, bytes: &[u8], hosts: &[String]) -> Self {
        let document = Document::read(bytes);
        let mut problems = document.problems.clone();
        let matches: IndexMap<String, bool> = hosts
            .iter()
            .map(|host| (host.clone(), document.mx.iter().any(|pattern| covers(&pattern.value, host))))
            .collect();
        if document.mode != Some(Mode::None) {
            let uncovered = matches.iter().filter(|(_, covered)| !**covered);
            problems.extend(uncovered.map(|(host, _)| not_covered(&document, host)));
        }
        let reads: Reads = |profile, text| profile.read_policy(text).map(drop);
        let mut lint = Self::of(SourceText::new(name, &*document.text), problems, Some(reads));
        lint.mode = document.mode;
        lint.max_age = document.max_age;
        lint.mx = document.mx.into_iter().map(|it| it.value).collect();
        lint.matches = matches;
        lint
    }

    /// The TXT record at `_mta-sts.DOMAIN`.
    pub fn record(name: &str, bytes: &[u8]) -> Self {
        let (text, strange) = one_line(bytes);
        let record = Record::read(&text);
        let reads: Reads = |profile, text| profile.read_record(text).map(drop);
        let mut lint = Self::of(SourceText::new(name, text), [strange, record.problems].concat(), Some(reads));
        lint.id = record.id.filter(|_| lint.valid);
        lint
    }

    /// The TXT record at `_smtp._tls.DOMAIN`.
    pub fn tlsrpt(name: &str, bytes: &[u8]) -> Self {
        let (text, strange) = one_line(bytes);
        let record = TlsrptRecord::read(&text);
        let mut lint = Self::of(SourceText::new(name, text), [strange, record.problems].concat(), None);
        lint.rua = record.rua;
        lint
    }

    fn of(source: SourceText, problems: Vec<Problem>, reads: Option<Reads>) -> Self {
        let valid = problems.iter().all(|it| it.grammar == Grammar::Kept);
        let placed = |problem: Problem| {
            let place = source.place(problem.span);
            let asked = reads.filter(|_| problem.code != Code::MxNotCovered);
            let reaction = |profile: &Profile, reads: Reads| match reads(profile, &problem.specimen) {
                Some(()) => Reaction::Accepts,
                None => Reaction::Rejects,
            };
            LintProblem {
                severity: problem.severity,
                code: problem.code,
                line: place.line,
                column: place.column,
                message: problem.message.clone(),
                rfc: problem.rfc,
                senders: asked
                    .map(|reads| senders().map(|it| (it.name, reaction(it, reads))).collect())
                    .unwrap_or_default(),
                problem,
            }
        };
        let problems = problems.into_iter().map(placed).collect();
        Self {
            valid,
            mode: None,
            max_age: None,
            mx: vec![],
            id: None,
            rua: vec![],
            problems,
            matches: IndexMap::new(),
            source,
        }
    }

    /// Every problem, to be drawn.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        self.problems.iter().map(LintProblem::diagnostic).collect()
    }

    /// What it comes to, in one line.
    pub fn summary(&self) -> String {
        let word = if self.valid { "valid" } else { "not valid" };
        let mut parts = vec![word.to_owned()];
        parts.extend(self.mode.map(|mode| format!("mode {mode}")));
        parts.extend(self.max_age.map(|seconds| format!("max_age {seconds}")));
        if !self.mx.is_empty() {
            parts.push(format!("mx {}", self.mx.join(" ")));
        }
        parts.extend(self.id.as_ref().map(|id| format!("id {id}")));
        if !self.rua.is_empty() {
            parts.push(format!("reports to {}", self.rua.join(" ")));
        }
        if !self.problems.is_empty() {
            parts.push(plural(self.problems.len(), "problem"));
        }
        format!("{}: {}", self.source.name, parts.join(", "))
    }
}

impl LintProblem {
    fn diagnostic(&self) -> Diagnostic {
        let mut said = self.problem.diagnostic();
        // Who differs from the letter is what a writer does not expect.
        let (odd, does) = match self.problem.grammar {
            Grammar::Broken => (Reaction::Accepts, "take it all the same"),
            Grammar::Kept => (Reaction::Rejects, "throw the whole text away for it"),
        };
        let names: Vec<&str> = self.senders.iter().filter(|(_, it)| **it == odd).map(|(name, _)| *name).collect();
        match names.as_slice() {
            [] => said,
            [one] => said.note(format!("{one} would {does}")),
            some if some.len() == self.senders.len() => said.note(format!("every known sender would {does}")),
            some => {
                said = said.note(format!("{} would {does}", and_list(some)));
                said
            }
        }
    }
}

fn not_covered(document: &Document, host: &str) -> Problem {
    let last = document.mx.last().map_or(Span::default(), |it| it.span);
    let said = format!("no pattern covers the MX host `{host}`");
    let does = match document.mode {
        Some(Mode::Testing) => "senders would report every delivery to it; with `enforce` they would not deliver",
        _ => "senders that enforce the policy do not deliver to it",
    };
    Problem::broken(Code::MxNotCovered, last, "RFC 8461 4.1", said)
        .note(does)
        .help(format!("add `mx: {}` before the MX record names it", host.trim_end_matches('.').to_ascii_lowercase()))
}

/// A record from a file or a pipe: its last line end is not a part of it.
fn one_line(bytes: &[u8]) -> (String, Vec<Problem>) {
    let cut = &bytes[..bytes.len().min(MAX_POLICY)];
    let text = String::from_utf8_lossy(cut);
    let text = text.strip_suffix('\n').map_or(&*text, |it| it.strip_suffix('\r').unwrap_or(it)).to_owned();
    let mut strange = vec![];
    if bytes.len() > MAX_POLICY {
        let end = Span::new(text.len()..text.len());
        strange.push(Problem::broken(Code::TooLarge, end, RFC, "a TXT record has at most 65535 bytes"));
    }
    if let Some(at) = text.find(|it: char| !it.is_ascii()) {
        let said = "the record is not ASCII from here on";
        strange.push(Problem::broken(Code::NotUtf8, Span::new(at..at + 1), RFC, said).shown_by(&*text));
    }
    (text, strange)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::source::{Paint, draw_all};

    const GOOD: &str = "version: STSv1\nmode: enforce\nmx: mx1.new.example\nmx: *.new.example\nmax_age: 604800\n";

    #[test]
    fn a_policy_that_covers_its_hosts_is_valid() {
        let lint = Lint::policy("p", GOOD.as_bytes(), &["mx2.new.example".to_owned()]);
        assert!(lint.valid && lint.problems.is_empty(), "{lint:?}");
        assert_eq!(lint.summary(), "p: valid, mode enforce, max_age 604800, mx mx1.new.example *.new.example");
    }

    #[test]
    fn a_host_that_is_not_covered_is_found_out() {
        let lint = Lint::policy("p", GOOD.as_bytes(), &["mx.old.example".to_owned()]);
        assert!(!lint.valid);
        let drawn = draw_all(&lint.source, &lint.diagnostics(), Paint::Plain);
        assert!(drawn.contains("error: no pattern covers the MX host `mx.old.example`\n --> p:4:5"), "{drawn}");
    }

    #[test]
    fn senders_that_differ_from_the_letter_are_named() {
        let lint = Lint::policy("p", GOOD.replace("max_age: 604800\n", "max_age: 604800\n\n").as_bytes(), &[]);
        let [problem] = lint.problems.as_slice() else { panic!("{lint:?}") };
        assert_eq!((problem.severity, problem.line, problem.column), (Severity::Warning, 6, 1));
        assert_eq!(problem.senders["mox"], Reaction::Rejects);
        assert_eq!(problem.senders["kumomta"], Reaction::Accepts);
        let drawn = draw_all(&lint.source, &lint.diagnostics(), Paint::Plain);
        assert!(drawn.contains("would take it all the same"), "{drawn}");
    }

    #[test]
    fn a_record_is_read_without_its_line_end() {
        let lint = Lint::record("-", b"v=STSv1; id=1\n");
        assert_eq!((lint.valid, lint.id.as_deref()), (true, Some("1")));
        assert!(!Lint::record("-", "v=STSv1; id=1; x=\u{e9}".as_bytes()).valid);
        assert!(!Lint::tlsrpt("-", b"v=TLSRPTv1; rua=tls@example.com").valid);
    }

    /// Bytes that look a little like what should be there.
    fn almost() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            3 => "(version|mode|mx|max_age|id|v|rua|x)?[ \t]{0,2}[:=;,]?[ \t]{0,2}(STSv1|TLSRPTv1|enforce|none|\\*\\.|mailto:)?[a-z0-9.@*+-]{0,9}(\r?\n|;)?"
                .prop_map(String::into_bytes),
            1 => proptest::collection::vec(any::<u8>(), 0..6),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_valid_or_have_a_problem_that_says_why(bytes in almost()) {
            let hosts = ["mx1.new.example".to_owned()];
            let lints = [Lint::policy("p", &bytes, &hosts), Lint::record("r", &bytes), Lint::tlsrpt("t", &bytes)];
            for lint in lints {
                prop_assert_eq!(lint.valid, lint.problems.iter().all(|it| it.problem.grammar == Grammar::Kept));
                prop_assert!(lint.valid || draw_all(&lint.source, &lint.diagnostics(), Paint::Plain).contains(": "));
                prop_assert!(serde_json::to_string(&lint).is_ok());
            }
            for profile in crate::policy::senders::PROFILES {
                let text = String::from_utf8_lossy(&bytes);
                let _ = (profile.read_policy(&text), profile.read_record(&text), profile.covers(&text, "mx.example"));
            }
        }
    }
}

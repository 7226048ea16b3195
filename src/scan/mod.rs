//! Configuration that still names the old platform: files, archives, databases, and what running
//! software says of itself.
//!
//! ```text
//!   paths ──walk──> every file, once ──sieve──> files that may name it, and those that decide
//!                                                   │ text, or bytes
//!        names, networks (wanted) ──┐               v
//!                                   │    product ──> settings, comments, files referred to
//!                                   └──────> examine ──> reference ──> finding
//! ```
//!
//! A reference is *active* where a program reads it and acts by it; everything else that was seen is
//! reported as what it is. The room looks nothing up and contacts nobody: it knows no DNS, no SMTP,
//! and no other way to a host than its name in a text.

mod archive;
mod examine;
mod format;
mod gather;
mod known;
mod mask;
mod product;
mod reference;
pub mod running;
mod setting;
mod sieve;
mod spelling;
mod text;
mod tree;
mod walk;
mod wanted;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::record::{Coverage, Finding, FindingSeverity, Sight};
use examine::{Examined, Examiner};
use product::Source;
use reference::Reference;
use setting::{Follow, Role};
use sieve::{Chance, Sieve};
use text::{Content, Text};
use tree::Tree;
use walk::{Walked, walk};

pub use setting::State;
pub use walk::Limits;
pub use wanted::{AdHoc, Unwanted, Wanted};

/// How much of a large file is examined at a time, in bytes.
const PART: usize = 16 << 20;

/// A text that was not read from a file: what a running program printed.
#[derive(Clone, Debug)]
pub struct Printed {
    /// How it is called in findings, such as `postconf -n`.
    pub name: String,
    /// What was printed.
    pub text: String,
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Scanned {
    /// One finding a reference, gravest first.
    pub findings: Vec<Finding>,
    /// What could not be looked at, and how much was.
    pub coverage: Vec<Coverage>,
    /// How many files were looked at, those in archives too.
    pub files: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// Looks for what is wanted below `paths` and in what was printed.
pub fn scan(wanted: &Wanted, paths: &[PathBuf], printed: &[Printed], limits: Limits) -> Scanned {
    let sieve = Sieve::new(wanted);
    let mut walked = walk(paths, &sieve, limits);
    let roots = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let tree = Tree::new(roots, std::mem::take(&mut walked.packed));
    let follows = follows(&walked, &tree);
    // Domains that a table lists are not looked for in every file: the tables are read for them.
    let lists = follows.values().filter(|it| it.role == Some(Role::LocalDomain) && !wanted.domains().is_empty());
    walked.candidates.extend(lists.map(|it| it.file.clone()));
    walked.candidates.sort();
    walked.candidates.dedup();
    let examiner = Examiner { wanted, tree: &tree, follows: &follows };
    let mut all = examine_all(&examiner, &walked, limits.jobs);
    for one in printed {
        let examined = examiner.text(&one.name, &Text::new(one.text.clone()));
        all.references.extend(examined.references);
    }
    let mut scanned =
        Scanned { coverage: walked.coverage, files: walked.files, bytes: walked.bytes, ..Scanned::default() };
    scanned.coverage.extend(all.coverage);
    scanned.coverage.push(Coverage {
        subject: "scan".to_owned(),
        what: crate::source::plural(walked.files as usize, "file"),
        look: Sight::Seen,
        why: Some(format!("{} bytes", walked.bytes)),
    });
    scanned.findings = findings(all.references);
    scanned
}

/// Gravest first, then by file and place.
fn findings(mut references: Vec<Reference>) -> Vec<Finding> {
    let rank = |it: &Reference| match it.severity() {
        FindingSeverity::Error => 0,
        FindingSeverity::Warning => 1,
        FindingSeverity::Info => 2,
    };
    references.sort_by(|a, b| {
        (rank(a), &a.product, &a.file, a.place, &a.key).cmp(&(rank(b), &b.product, &b.file, b.place, &b.key))
    });
    references.iter().map(Reference::finding).collect()
}

/// Everything that files which decide refer to.
fn follows(walked: &Walked, tree: &Tree) -> HashMap<String, Follow> {
    let deciding = walked.candidates.iter().filter(|name| known::decides(name) == Chance::Possible);
    let mut follows: HashMap<String, Follow> = HashMap::new();
    for name in deciding {
        let Some(bytes) = tree.read(name) else { continue };
        let Content::Text(text) = Content::of(&bytes) else { continue };
        let Some(understood) = product::read(&Source { name, text: &text }, tree) else { continue };
        for follow in understood.reading.follows {
            // A table that mail goes by is more than one that is looked at for something else.
            let better = follows.get(&follow.file).is_none_or(|known| known.role.is_none() && follow.role.is_some());
            if better {
                follows.insert(follow.file.clone(), follow);
            }
        }
    }
    follows
}

#[derive(Default)]
struct All {
    references: Vec<Reference>,
    coverage: Vec<Coverage>,
}

impl All {
    fn take(&mut self, name: &str, examined: Result<Examined, String>) {
        let note =
            |what: String, why: Option<String>| Coverage { subject: name.to_owned(), what, look: Sight::Unable, why };
        match examined {
            Ok(examined) => {
                self.references.extend(examined.references);
                self.coverage.extend(examined.elsewhere.into_iter().map(|what| note(what, None)));
            }
            Err(why) => self.coverage.push(note(name.to_owned(), Some(why))),
        }
    }
}

fn examine_all(examiner: &Examiner<'_>, walked: &Walked, jobs: usize) -> All {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut mine = All::default();
        while let Some(name) = walked.candidates.get(next.fetch_add(1, Ordering::Relaxed)) {
            mine.take(name, examine(examiner, name));
        }
        mine
    };
    let mut all = All::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        for mine in workers.into_iter().filter_map(|it| it.join().ok()) {
            all.references.extend(mine.references);
            all.coverage.extend(mine.coverage);
        }
    });
    for name in &walked.large {
        all.take(name, large(examiner, name));
    }
    all.coverage.sort_by(|a, b| (&a.subject, &a.what).cmp(&(&b.subject, &b.what)));
    all
}

fn examine(examiner: &Examiner<'_>, name: &str) -> Result<Examined, String> {
    let bytes = examiner.tree.read(name).ok_or("it could be seen, and cannot be read any more")?;
    match Content::of(&bytes) {
        Content::Text(text) => Ok(examiner.text(name, &text)),
        Content::Binary => examiner.binary(name, &bytes),
    }
}

/// A file that is too large to be held: part by part, each of whole lines.
fn large(examiner: &Examiner<'_>, name: &str) -> Result<Examined, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut file = std::fs::File::open(name).map_err(said)?;
    let mut buffer = vec![0; PART];
    let (mut held, mut lines) = (0, 0);
    let mut all = Examined::default();
    loop {
        let more = walk::read_full(&mut file, &mut buffer[held..]).map_err(said)?;
        let filled = held + more;
        if filled == 0 || all.references.len() > 10_000 {
            return Ok(all);
        }
        let last = more == 0 || filled < buffer.len();
        let end = if last { filled } else { memchr::memrchr(b'\n', &buffer[..filled]).map_or(filled, |at| at + 1) };
        let part = Text::new(String::from_utf8_lossy(&buffer[..end]).into_owned());
        let mut examined = examiner.text(name, &part);
        examined.references.iter_mut().for_each(|it| it.place.line += lines);
        all.references.extend(examined.references);
        lines += memchr::memchr_iter(b'\n', &buffer[..end]).count();
        if last {
            return Ok(all);
        }
        buffer.copy_within(end..filled, 0);
        held = filled - end;
    }
}

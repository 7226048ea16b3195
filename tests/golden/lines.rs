//! Faults as lines of `key=value` words: every mistake gives a drawing that is compared as a whole.
//!
//! `fault-lines/NAME.line` holds the mistake that its name says, `NAME.err` what is said about it;
//! `UPDATE_GOLDEN=1` writes the drawings anew.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot read its files has failed")]

use std::path::{Path, PathBuf};

use mxdrill::scenario::standing::{Faults, from_line};
use mxdrill::source::{Paint, Remark, SourceText, draw_remarks};

fn lines() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/fault-lines");
    let entries = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == "line")).collect();
    paths.sort();
    paths
}

fn read(line: &str) -> Result<Faults, Vec<Remark>> {
    from_line(&SourceText::new("--fault", line), &["mx1.new.example".to_owned()])
}

#[test]
fn every_mistake_in_a_line_is_drawn() {
    let mut failed = vec![];
    for path in lines() {
        let line = std::fs::read_to_string(&path).expect("a line");
        let drawn = match read(&line) {
            Ok(_) => "it was taken\n".to_owned(),
            Err(said) => draw_remarks(&said, Paint::Plain),
        };
        let golden = path.with_extension("err");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &drawn).expect("it can be written");
        }
        let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
        if drawn != wanted || drawn == "it was taken\n" {
            failed.push(format!("{}\n--- wanted\n{wanted}--- drawn\n{drawn}", path.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(lines().len() >= 20);
}

/// The lines that the documentation shows.
#[test]
fn every_line_of_the_documentation_can_be_used() {
    let text = include_str!("../../docs/proxy.md");
    let shown = text.lines().filter(|line| line.starts_with("    at=") && !line.contains("STAGE"));
    // Two stand side by side, some spaces apart.
    let lines: Vec<&str> =
        shown.flat_map(|line| line.split("    ")).map(str::trim).filter(|it| !it.is_empty()).collect();
    assert!(lines.len() >= 7, "{lines:?}");
    for line in lines {
        if let Err(said) = read(line) {
            panic!("{}", draw_remarks(&said, Paint::Plain));
        }
    }
}

mod any_line {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn is_read_or_refused_with_a_drawing(
            line in "((at|do|first|limit|client|when|x|\u{e9})?[=: ]{0,2}(rcpt|reply:|\\{|\\}|\"|'|[a-z0-9.\u{e9}\\\\]{0,4}|,| ){0,4}){0,5}",
        ) {
            if let Err(said) = read(&line) {
                prop_assert!(said.iter().any(Remark::is_error));
                prop_assert!(draw_remarks(&said, Paint::Plain).contains("error: "));
            }
        }
    }
}

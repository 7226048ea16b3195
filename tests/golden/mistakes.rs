//! Mistakes: every one in a scenario gives a drawing that is compared as a whole.
//!
//! `bad/NAME.yaml` holds the mistake that its name says, `bad/NAME.err` what is said about it;
//! `bad/NAME.inventory.yaml`, where it is there, is read as the inventory. `warned/` holds scenarios
//! that can be used but may not mean what their writer thinks. `UPDATE_GOLDEN=1` writes the
//! drawings anew; read them before you commit them.

#![allow(clippy::expect_used, reason = "a test that cannot read its files has failed")]

use std::path::{Path, PathBuf};

use mxdrill::scenario::{Loaded, load};
use mxdrill::source::{Paint, Remark, SourceText, draw_remarks};

/// A folder of pairs.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The scenarios of a folder, in order of their names.
fn scenarios(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let is_scenario = |path: &PathBuf| {
        let name = path.display().to_string();
        name.ends_with(".yaml") && !name.ends_with(".inventory.yaml")
    };
    let mut paths: Vec<PathBuf> = entries.filter(is_scenario).collect();
    paths.sort();
    paths
}

fn text(path: &Path) -> Option<SourceText> {
    let name = path.file_name()?.to_str()?.to_owned();
    std::fs::read_to_string(path).ok().map(|text| SourceText::new(name, text))
}

fn read(path: &Path) -> Result<Loaded, Vec<Remark>> {
    load(text(path).expect("a scenario"), text(&path.with_extension("inventory.yaml")))
}

/// Compares what was said with the file beside the scenario, or writes that file.
fn compare(path: &Path, said: &[Remark]) -> Result<(), String> {
    let drawn = draw_remarks(said, Paint::Plain);
    let golden = path.with_extension("err");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &drawn).expect("it can be written");
    }
    let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
    match drawn == wanted {
        true => Ok(()),
        false => Err(format!("{}\n--- wanted\n{wanted}--- drawn\n{drawn}", golden.display())),
    }
}

/// Runs over a folder and reports everything that is wrong with it at once.
fn all(folder_name: &str, check: impl Fn(&Path) -> Result<(), String>) -> usize {
    let paths = scenarios(&folder(folder_name));
    let failed: Vec<String> = paths.iter().filter_map(|path| check(path).err()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    paths.len()
}

#[test]
fn every_mistake_is_drawn() {
    let count = all("bad", |path| match read(path) {
        Ok(_) => Err(format!("{} was taken", path.display())),
        Err(said) => compare(path, &said),
    });
    assert!(count >= 40, "{count}");
}

#[test]
fn every_warning_is_drawn() {
    all("warned", |path| match read(path) {
        Ok(loaded) if loaded.warnings.is_empty() => Err(format!("{} was taken without a word", path.display())),
        Ok(loaded) => compare(path, &loaded.warnings),
        Err(said) => Err(draw_remarks(&said, Paint::Plain)),
    });
}

#[test]
fn one_mistake_is_said_once() {
    all("bad", |path| {
        let said = read(path).err().unwrap_or_default();
        let many = path.file_stem().is_some_and(|name| name.to_string_lossy().starts_with("many-"));
        match said.len() {
            1 => Ok(()),
            _ if many => Ok(()),
            count => Err(format!("{}: {count} remarks\n{}", path.display(), draw_remarks(&said, Paint::Plain))),
        }
    });
}

#[test]
fn no_drawing_is_an_orphan() {
    for name in ["bad", "warned"] {
        for entry in std::fs::read_dir(folder(name)).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|it| it == "err") {
                assert!(path.with_extension("yaml").exists(), "{} has no scenario", path.display());
            }
        }
    }
}

mod any_text {
    use proptest::prelude::*;

    use super::*;

    /// A bundled scenario in which a piece was replaced by something else.
    fn broken() -> impl Strategy<Value = String> {
        let texts: Vec<String> = mxdrill::scenario::bundled().map(|source| source.text.to_string()).collect();
        let piece = prop_oneof!["\\PC{0,6}", "[a-z{}\\[\\]:,\"'|> \n\t-]{0,8}", Just("\u{e9}\u{1f4e7}".to_owned())];
        (proptest::sample::select(texts), any::<prop::sample::Index>(), 0..40usize, piece).prop_map(
            |(text, at, length, piece)| {
                let chars: Vec<char> = text.chars().collect();
                let start = at.index(chars.len());
                let end = (start + length).min(chars.len());
                chars[..start].iter().chain(piece.chars().collect::<Vec<_>>().iter()).chain(&chars[end..]).collect()
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn is_read_or_refused_with_a_drawing(text in broken()) {
            if let Err(said) = load(SourceText::new("broken.yaml", text), None) {
                prop_assert!(said.iter().any(Remark::is_error));
                prop_assert!(draw_remarks(&said, Paint::Plain).contains("error: "));
            }
        }
    }
}

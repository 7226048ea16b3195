//! The scan, product by product. In `tests/data/scan` the first label of each old name says what must be said of
//! it: `active.old.example` stands where a program acts by it, `commented.old.example` in a comment.
//! `UPDATE_GOLDEN=1 cargo test --test golden scan` writes `tests/golden/scan/findings.txt` anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mxdrill::inventory::Inventory;
use mxdrill::record::Finding;
use mxdrill::scan::{AdHoc, Limits, Scanned, Wanted, scan};
use serde_json::Value;

const STATES: &[&str] = &["active", "shadowed", "commented", "unused", "credential", "generated", "lead"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scan")
}

fn scanned() -> Scanned {
    let texts = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect();
    let by_hand = AdHoc {
        names: texts(&["*.old.example", "*.altm\u{fc}nchen.example"]),
        networks: ["198.51.100.0/24", "2001:db8:77::/48"].map(|it| it.parse().expect("a network")).to_vec(),
        platform: "legacy".to_owned(),
        domains: texts(&["drill.example"]),
    };
    let wanted = Wanted::new(&Inventory::default(), &[], &by_hand).expect("names");
    scan(&wanted, &[fixtures()], &[], Limits::default())
}

fn first(finding: &Finding) -> &Value {
    finding.evidence.first().expect("evidence")
}

fn text<'a>(finding: &'a Finding, key: &str) -> &'a str {
    first(finding)[key].as_str().expect("a text")
}

/// The file below the fixtures.
fn file(finding: &Finding) -> String {
    let root = format!("{}/", fixtures().display());
    text(finding, "file").replace(&root, "")
}

/// The first label of the name that a finding is about, as far as it is one of the states.
fn promised(finding: &Finding) -> Option<String> {
    let name = finding.title.split('`').find(|part| part.contains(".old.example") || part.contains("altm"))?;
    let label = name.split('.').next()?.to_owned();
    let state = label.trim_end_matches(|c: char| c.is_ascii_digit());
    STATES.contains(&state).then_some(label)
}

/// Every `STATE.old.example` that is written in a file in clear.
fn written(path: &Path, into: &mut BTreeSet<(String, String)>) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder");
        entries.for_each(|entry| written(&entry.expect("an entry").path(), into));
        return;
    }
    let bytes = fs::read(path).expect("a file");
    let text = String::from_utf8_lossy(&bytes);
    let name = path.strip_prefix(fixtures()).expect("inside").display().to_string();
    for (at, _) in text.match_indices(".old.example") {
        let part_of_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let label: String = text[..at]
            .chars()
            .rev()
            .take_while(|c| c.is_alphanumeric())
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        let rest = &text[at + ".old.example".len()..];
        let longer = rest.starts_with(|c: char| c.is_alphanumeric() || c == '-') || rest.starts_with(".c");
        let state = label.trim_end_matches(|c: char| c.is_ascii_digit());
        let glued = text[..at - label.len()].ends_with(part_of_word);
        if STATES.contains(&state) && !longer && !glued {
            into.insert((name.clone(), label));
        }
    }
}

#[test]
fn each_reference_is_what_its_name_says() {
    let scanned = scanned();
    let wrong: Vec<String> = scanned
        .findings
        .iter()
        .filter_map(|finding| {
            let label = promised(finding)?;
            let state = text(finding, "state");
            let fits = label.trim_end_matches(|c: char| c.is_ascii_digit()) == state;
            (!fits).then(|| format!("{}: `{label}.old.example` is said to be {state}", file(finding)))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_reference_is_missed() {
    let found: BTreeSet<(String, String)> =
        scanned().findings.iter().filter_map(|finding| Some((file(finding), promised(finding)?))).collect();
    let mut all = BTreeSet::new();
    written(&fixtures(), &mut all);
    assert!(all.len() > 250, "the fixtures were read: {}", all.len());
    let missed: Vec<&(String, String)> = all.difference(&found).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn no_secret_is_shown() {
    let scanned = scanned();
    let shown = serde_json::to_string(&(&scanned.findings, &scanned.coverage)).expect("JSON");
    assert!(!shown.contains("s3cret"), "a password of the fixtures is in the findings");
}

#[test]
fn what_is_in_a_database_that_was_not_given_is_not_clean() {
    let coverage = scanned().coverage;
    let said: Vec<&str> = coverage.iter().map(|it| it.what.as_str()).filter(|it| it.contains("mysql")).collect();
    assert_eq!(
        said,
        [
            "`sender_dependent_default_transport_maps` is kept in `mysql:/etc/postfix/sql/x.cf`, whose contents were not given"
        ]
    );
}

#[test]
fn findings_are_as_agreed() {
    let told: Vec<String> = scanned()
        .findings
        .iter()
        .map(|finding| {
            let evidence = first(finding);
            let said = |key| text(finding, key);
            let place = format!("{}:{}:{}", file(finding), evidence["line"], evidence["column"]);
            format!("{} {place} {} | {} = {}\n", said("state"), said("product"), said("key"), said("value"))
        })
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scan/findings.txt");
    let told = told.concat();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, &told).expect("written");
    }
    assert_eq!(told, fs::read_to_string(&path).expect("UPDATE_GOLDEN=1 writes it"));
}

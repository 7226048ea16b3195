//! A world of domains with one mistake each, audited from their zone files; each file's first line says
//! what is to be found. `UPDATE_GOLDEN=1 cargo test --test golden` writes the report, and the table of
//! findings in the handbook, anew.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mxdrill::audit::check::Ground;
use mxdrill::audit::gather::{Parts, Wanted};
use mxdrill::audit::zone::Zones;
use mxdrill::audit::{Kind, Order, look, weigh};
use mxdrill::inventory;
use mxdrill::record::{Examination, Report, RunId};
use mxdrill::report::{Detail, Format, Look, render};
use mxdrill::source::{Paint, SourceText};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The zone files of the world, by name.
fn files() -> Vec<SourceText> {
    let folder = root().join("tests/data/audit/world");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).expect("the world").map(|it| it.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "zone"));
    paths.sort();
    let named = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    paths.iter().map(|path| SourceText::new(named(path), fs::read_to_string(path).expect("a zone"))).collect()
}

fn audited() -> Examination {
    let text = fs::read_to_string(root().join("tests/data/audit/world/inventory.yaml")).expect("the inventory");
    let (inventory, _) = inventory::load(&SourceText::new("inventory.yaml", text)).expect("an inventory");
    let zones = Zones::read(&files()).expect("zones");
    let domains = zones.domains();
    let parts = Parts { mx: Wanted::Yes, mta_sts: Wanted::Yes, leftovers: Wanted::Yes };
    let order = Order { inventory: &inventory, domains: &domains, parts, jobs: 4 };
    let now: Timestamp = "2026-11-21T08:00:00Z".parse().expect("a time");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let facts = runtime.block_on(look(&zones, &order));
    let (findings, coverage) = weigh(&facts, &order, Ground::Internet, now);
    Examination {
        run: RunId::from_entropy(6),
        started: now,
        finished: now,
        command: vec!["audit".to_owned()],
        name: format!("audit of {} domains", domains.len()),
        inventory: None,
        findings,
        coverage,
    }
}

/// What the first lines say: `; finds: ID SEVERITY, …; SUBDOMAIN: ID SEVERITY`.
fn wanted() -> BTreeMap<String, BTreeSet<String>> {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files() {
        let first =
            file.text.lines().next().expect("a line").strip_prefix("; finds: ").expect("what it finds").to_owned();
        let origin = file.name.trim_end_matches(".zone").to_owned();
        for part in first.split("; ") {
            let (subject, list) = part.split_once(": ").unwrap_or((&origin, part));
            let found = list.split(", ").filter(|it| *it != "nothing").map(str::to_owned);
            wanted.entry(subject.to_owned()).or_default().extend(found);
        }
    }
    wanted
}

#[test]
fn each_domain_has_its_one_mistake_and_no_other() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in audited().findings {
        found.entry(finding.subject).or_default().insert(format!("{} {}", finding.id, finding.severity));
    }
    let wanted = wanted();
    assert!(wanted.len() >= 40);
    let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let nothing = BTreeSet::new();
    let wrong: Vec<String> = names
        .into_iter()
        .filter(|name| wanted.get(*name).unwrap_or(&nothing) != found.get(*name).unwrap_or(&nothing))
        .map(|name| format!("{name}: {:?}, and not {:?}", found.get(name), wanted.get(name)))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_report_on_the_world() {
    let report = Report::new(vec![audited().into_record()]);
    let page = render(Format::Terminal, &report, Look { detail: Detail::Normal, paint: Paint::Plain, width: 100 });
    compare(&root().join("tests/golden/audit/world.txt"), &page);
}

/// Every finding has its row in the handbook, in the words of the program.
#[test]
fn the_handbook_has_every_finding() {
    const MARKS: [&str; 2] = ["<!-- findings: written by the tests -->\n", "<!-- end of findings -->"];
    let path = root().join("docs/audit.md");
    let text = fs::read_to_string(&path).expect("docs/audit.md");
    let (before, rest) = text.split_once(MARKS[0]).expect("the mark before the table");
    let (_, after) = rest.split_once(MARKS[1]).expect("the mark behind the table");
    let rows: String =
        Kind::ALL.iter().map(|kind| format!("| `{}` | {} | {} |\n", kind.id(), kind.means(), kind.mends())).collect();
    let table = format!("\n| finding | what it means | what mends it |\n|---|---|---|\n{rows}\n");
    compare(&path, &format!("{before}{}{table}{}{after}", MARKS[0], MARKS[1]));
}

fn compare(path: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, text).expect("written");
        return;
    }
    let known = fs::read_to_string(path).unwrap_or_default();
    assert!(known == text, "{} is not what it was; UPDATE_GOLDEN=1 writes it anew\n{text}", path.display());
}

//! Every seed of every fuzz target is played again: what fuzzing has found stays found.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "../../fuzz/invariants.rs"]
mod invariants;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn every_seed_holds() {
    for (name, target) in invariants::TARGETS {
        let folder = corpus().join(name);
        let seeds = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut count = 0;
        for seed in seeds {
            let path = seed.expect("a file").path();
            let bytes = fs::read(&path).expect("read");
            let held = std::panic::catch_unwind(|| target(&bytes));
            assert!(held.is_ok(), "{} does not hold", path.display());
            count += 1;
        }
        assert!(count > 0, "`{name}` has no seeds");
    }
}

/// Every target has a file for cargo-fuzz that calls it, and the other way round.
#[test]
fn every_target_can_be_fuzzed() {
    let folder = corpus().with_file_name("targets");
    let files: BTreeSet<String> = fs::read_dir(folder)
        .expect("targets")
        .map(|file| file.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let names: BTreeSet<String> = invariants::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, names);
}

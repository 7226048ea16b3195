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

/// The seeds of a target.
fn seeds(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = corpus().join(name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).expect("read"))).collect()
}

#[test]
fn every_seed_holds() {
    for (name, target) in invariants::TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "`{name}` has no seeds");
        for (path, bytes) in seeds {
            let held = std::panic::catch_unwind(|| target(&bytes));
            assert!(held.is_ok(), "{} does not hold", path.display());
        }
    }
}

/// How often each seed is changed; the changes are the same in every build.
const CHANGES: u64 = 40;
/// Bytes that mean something to some reader.
const ODD: &[u8] = b"\0\r\n\" |{}[]<>(),;:=%\\\xff";

/// What fuzzing would try first: bytes changed, left out, doubled, and taken from another seed.
#[test]
fn every_seed_holds_with_small_changes() {
    // The readers of YAML take longer, and have their own tests.
    let quick = invariants::TARGETS.iter().filter(|(name, _)| !matches!(*name, "scenario" | "inventory"));
    let mut failed = vec![];
    for (name, target) in quick {
        let seeds = seeds(name);
        for (number, (path, bytes)) in (0..).zip(&seeds) {
            for change in 0..CHANGES {
                let mut dice = Dice(number * CHANGES + change);
                let other = &seeds[dice.below(seeds.len())].1;
                let changed = changed(bytes, other, &mut dice);
                let held = std::panic::catch_unwind(|| target(&changed));
                if held.is_err() {
                    failed.push(format!("{} does not hold as \"{}\"", path.display(), changed.escape_ascii()));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn changed(bytes: &[u8], other: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(changed.len() + 1);
        let to = at + dice.below((changed.len() - at).min(40) + 1);
        match dice.below(6) {
            0 => changed.truncate(at),
            1 => drop(changed.drain(at..to)),
            2 => changed.insert(at, ODD[dice.below(ODD.len())]),
            3 => changed.get_mut(at..to).into_iter().flatten().take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
            4 => {
                let part = changed[at..to].to_vec();
                drop(changed.splice(at..at, part));
            }
            _ => {
                let from = dice.below(other.len() + 1);
                let part = &other[from..other.len().min(from + 60)];
                drop(changed.splice(at..to, part.iter().copied()));
            }
        }
    }
    changed
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).expect("below the limit")
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

//! The texts and the queue-ids that are looked for.

use std::collections::HashSet;
use std::io;

use aho_corasick::{AhoCorasick, MatchKind};
use memchr::memmem;

use super::MAX_ID;

/// A search for many texts.
pub(super) enum Needles {
    /// All begin alike, as the tags of one run do.
    Alike(Box<memmem::Finder<'static>>, HashSet<Vec<u8>>, Vec<usize>),
    Many(Box<AhoCorasick>),
}

impl Needles {
    pub(super) fn of(texts: &HashSet<String>) -> io::Result<Self> {
        let all: HashSet<Vec<u8>> = texts.iter().map(|it| it.as_bytes().to_vec()).collect();
        let mut same = texts.iter().next().cloned().unwrap_or_default();
        for text in texts {
            let length = same.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            same.truncate((0..=length).rev().find(|at| same.is_char_boundary(*at)).unwrap_or_default());
        }
        if same.len() >= 4 {
            let mut lengths: Vec<usize> = all.iter().map(Vec::len).collect();
            lengths.sort_unstable();
            lengths.dedup();
            return Ok(Self::Alike(Box::new(memmem::Finder::new(same.as_bytes()).into_owned()), all, lengths));
        }
        let many = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(all).map_err(io::Error::other)?;
        Ok(Self::Many(Box::new(many)))
    }

    pub(super) fn find(&self, block: &[u8], each: &mut dyn FnMut(usize)) {
        match self {
            Self::Alike(finder, all, lengths) => {
                for at in finder.find_iter(block) {
                    let has = |length: &usize| block.get(at..at + length).is_some_and(|it| all.contains(it));
                    if lengths.iter().any(has) {
                        each(at);
                    }
                }
            }
            Self::Many(many) => many.find_iter(block).for_each(|found| each(found.start())),
        }
    }
}

/// A set of queue-ids that says no quickly.
pub(super) struct Ids {
    all: HashSet<Vec<u8>>,
    /// A bit for each hash.
    bits: Vec<u64>,
}

impl Ids {
    pub(super) fn of(ids: &HashSet<String>) -> Self {
        let all: HashSet<Vec<u8>> =
            ids.iter().filter(|it| it.len() <= MAX_ID).map(|it| it.as_bytes().to_vec()).collect();
        let mut bits = vec![0; 1024];
        for id in &all {
            let hash = hash(id);
            bits[hash >> 6] |= 1 << (hash & 63);
        }
        Self { all, bits }
    }

    pub(super) fn has(&self, id: &[u8]) -> bool {
        let hash = hash(id);
        self.bits[hash >> 6] & (1 << (hash & 63)) != 0 && self.all.contains(id)
    }
}

/// Sixteen bits.
fn hash(id: &[u8]) -> usize {
    let sum = id.iter().fold(0xcbf2_9ce4_u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    ((sum >> 16) ^ (sum & 0xffff)) as usize
}

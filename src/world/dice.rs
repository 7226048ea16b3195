//! Chance that can be thrown again: every draw is a hash of the seed and of what it is for.

use sha2::{Digest, Sha256};

/// Draws that depend on the seed and the name of the draw only, never on the order in which
/// tasks happen to run. The same seed gives the same draws at any concurrency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dice {
    seed: u64,
}

impl Dice {
    /// Dice of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A number for the draw named by `what` and `numbers`, such as `("mx-order", [probe])`.
    pub fn draw(&self, what: &str, numbers: &[u64]) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update((what.len() as u64).to_be_bytes());
        hash.update(what.as_bytes());
        for number in numbers {
            hash.update(number.to_be_bytes());
        }
        let digest = hash.finalize();
        u64::from_be_bytes(digest[..8].try_into().unwrap_or_default())
    }

    /// A fraction from 0 up to but not including 1.
    pub fn fraction(&self, what: &str, numbers: &[u64]) -> f64 {
        // The 53 bits that an f64 holds exactly.
        (self.draw(what, numbers) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Shuffles `items` (Fisher-Yates).
    pub fn shuffle<T>(&self, what: &str, numbers: &[u64], items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let mut key = numbers.to_vec();
            key.push(last as u64);
            let pick = self.draw(what, &key) % (last as u64 + 1);
            items.swap(last, pick as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_draw_gives_the_same_number() {
        let dice = Dice::new(7);
        assert_eq!(dice.draw("a", &[1]), Dice::new(7).draw("a", &[1]));
        assert_ne!(dice.draw("a", &[1]), dice.draw("a", &[2]));
        assert_ne!(dice.draw("a", &[1]), dice.draw("b", &[1]));
        assert_ne!(dice.draw("a", &[1]), Dice::new(8).draw("a", &[1]));
    }

    #[test]
    fn a_shuffle_reaches_every_order() {
        let mut seen = std::collections::BTreeSet::new();
        for probe in 0..200 {
            let mut hosts = ["a", "b", "c"];
            Dice::new(7).shuffle("mx", &[probe], &mut hosts);
            seen.insert(hosts);
        }
        assert_eq!(seen.len(), 6);
    }

    #[test]
    fn fractions_are_even_enough() {
        let below = (0..10_000).filter(|n| Dice::new(1).fraction("x", &[*n]) < 0.3).count();
        assert!((2_800..3_200).contains(&below), "{below}");
    }
}

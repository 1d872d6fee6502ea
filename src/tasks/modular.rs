//! Modular addition: all p² pairs (a, b) with the answer (a + b) mod p, split once by the seed into
//! a training part and a test part. A pair is the word a·p + b. Pure functions of seeds.

use super::order::{derived, shuffled};
use crate::math::philox::{Draws, Stream, uniform_index, word};

/// The pairs of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    /// p.
    pub p: u32,
    /// The training part, in a random order.
    pub train: Vec<u32>,
    /// The rest.
    pub test: Vec<u32>,
}

/// Pairs in the training part: the nearest whole number to `fraction`·p², at least one on each side.
#[must_use]
pub fn train_size(p: usize, fraction: f64) -> usize {
    let all = p * p;
    ((fraction * all as f64).round() as usize).clamp(1, all.saturating_sub(1).max(1))
}

impl Pairs {
    /// Shuffles all pairs (Fisher–Yates) and cuts.
    #[must_use]
    pub fn new(seed: u32, p: u32, fraction: f64) -> Self {
        let mut train: Vec<u32> = (0..p * p).collect();
        for i in (1..train.len()).rev() {
            let draw = word(seed, Stream::DataSet, 0, i as u32);
            train.swap(i, uniform_index(draw, i as u32 + 1) as usize);
        }
        let test = train.split_off(train_size(p as usize, fraction));
        Self { p, train, test }
    }

    /// Appends the training batch of a step: the training part in a new order each pass, cut into
    /// batches one after the other, across the ends of passes.
    pub fn batch(&self, seed: u32, step: u64, size: usize, out: &mut Vec<u32>) {
        if size == self.train.len() {
            return out.extend(&self.train);
        }
        let (n, first) = (self.train.len() as u64, step * size as u64);
        let place = |at: u64| shuffled(seed, (at / n) as u32, (at % n) as u32, n as u32);
        let pairs = first..first + size as u64;
        out.extend(pairs.filter_map(|at| self.train.get(place(at) as usize)));
    }
}

/// Appends the batch that all chains around a checkpoint and their anchor see at a draw: with
/// replacement from one part of the pairs, or all of it, without noise, where it is that large.
pub fn chain_batch(
    part: &[u32],
    seed: u32,
    checkpoint: u64,
    draw: u64,
    size: usize,
    out: &mut Vec<u32>,
) {
    if size == part.len() {
        return out.extend(part);
    }
    let seed = derived(seed, Stream::ChainData, checkpoint, 0);
    let mut draws = Draws::new(seed, Stream::ChainData, draw as u32);
    let n = part.len() as u32;
    out.extend((0..size).filter_map(|_| part.get(draws.index(n) as usize)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_on_one_side() {
        let pairs = Pairs::new(1, 53, 0.4);
        assert_eq!((pairs.train.len(), pairs.test.len()), (1124, 1685));
        let mut all = [pairs.train.clone(), pairs.test.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..2809).collect::<Vec<_>>());
        assert_eq!(pairs, Pairs::new(1, 53, 0.4));
        assert_ne!(pairs, Pairs::new(2, 53, 0.4));
        assert_eq!((train_size(5, 0.0), train_size(5, 1.0)), (1, 24));
        // The split is even-handed: no first number is left out, none is over-full.
        for a in 0..53 {
            let n = pairs.train.iter().filter(|&&x| x / 53 == a).count();
            assert!((8..=34).contains(&n), "{n} pairs with a = {a}");
        }
    }

    #[test]
    fn a_pass_sees_every_pair_once_and_the_next_in_another_order() {
        let pairs = Pairs::new(3, 11, 0.5);
        let n = pairs.train.len();
        let pass = |k: u64| {
            let mut out = Vec::new();
            // Batches of 1: any cut of the passes gives the same order.
            (0..n as u64).for_each(|i| pairs.batch(3, k * n as u64 + i, 1, &mut out));
            out
        };
        let (mut a, mut all) = (pass(0), pairs.train.clone());
        assert_ne!(a, pass(1));
        a.sort_unstable();
        all.sort_unstable();
        assert_eq!(a, all);
        let mut across = Vec::new();
        pairs.batch(3, 1, 40, &mut across);
        assert_eq!(across[..n - 40], pass(0)[40..]);
        assert_eq!(across[n - 40..], pass(1)[..80 - n]);
    }

    #[test]
    fn chains_draw_from_one_part_alone() {
        let pairs = Pairs::new(1, 53, 0.4);
        let batch = |checkpoint, draw| {
            let mut out = Vec::new();
            chain_batch(&pairs.train, 1, checkpoint, draw, 128, &mut out);
            out
        };
        assert!(batch(500, 3).iter().all(|x| pairs.train.contains(x)));
        assert_eq!(batch(500, 3), batch(500, 3));
        assert_ne!(batch(500, 3), batch(500, 4));
        assert_ne!(batch(500, 3), batch(1000, 3));
        let mut whole = Vec::new();
        chain_batch(&pairs.train, 1, 500, 3, 1124, &mut whole);
        assert_eq!(whole, pairs.train);
        // Or from those held out, and from none that is trained on.
        let mut other = Vec::new();
        chain_batch(&pairs.test, 1, 500, 3, 128, &mut other);
        assert!(other.len() == 128 && !other.iter().any(|x| pairs.train.contains(x)));
    }
}

//! Orders and seeds that tasks share: a permutation that can be read anywhere, and the seeds of
//! estimates.

use crate::math::philox::{Stream, philox4x32};

/// Where place `at` of 0..n lands in the random order of an epoch: a permutation that can be read
/// anywhere, by four Feistel rounds on the next even number of bits, repeated until below n.
#[must_use]
pub fn shuffled(seed: u32, epoch: u32, at: u32, n: u32) -> u32 {
    let half = (32 - (n - 1).leading_zeros()).div_ceil(2).max(1);
    let mask = (1u32 << half) - 1;
    let mut x = at;
    loop {
        let (mut left, mut right) = (x >> half, x & mask);
        for round in 0..4 {
            let mix = philox4x32([right, epoch, 2, round], [seed, Stream::Data as u32])[0];
            (left, right) = (right, left ^ (mix & mask));
        }
        x = (left << half) | right;
        if x < n {
            return x;
        }
    }
}

/// The seed of a chain's noise: its own for each (seed, checkpoint, chain).
#[must_use]
pub fn chain_seed(seed: u32, checkpoint: u64, chain: u32) -> u32 {
    derived(seed, Stream::Noise, checkpoint, chain)
}

/// A seed that depends on a checkpoint: the third counter word is one that no other draw uses.
#[must_use]
pub fn derived(seed: u32, stream: Stream, checkpoint: u64, index: u32) -> u32 {
    philox4x32(
        [index, checkpoint as u32, 1, (checkpoint >> 32) as u32],
        [seed, stream as u32],
    )[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_visits_every_sample_once() {
        for n in [1, 2, 10, 64, 1000] {
            let order = |epoch| {
                (0..n)
                    .map(|at| shuffled(5, epoch, at, n))
                    .collect::<Vec<_>>()
            };
            let mut sorted = order(3);
            sorted.sort_unstable();
            assert_eq!(sorted, (0..n).collect::<Vec<_>>());
            assert!(n < 10 || (order(3) != order(4) && order(3) != sorted));
        }
    }
}

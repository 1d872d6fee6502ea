//! Data of the toy model of superposition: x = u·e_i, kept as (i, u). Pure functions of seeds.

use crate::math::philox::{Draws, Stream, philox4x32, unit};

/// One sample: the active feature, and its value as f32.
pub type Sample = (u32, f32);

/// The data set of a seed: `n` samples, feature uniform on 0..c, value uniform on (0, 1).
#[must_use]
pub fn data_set(seed: u32, features: u32, n: usize) -> Vec<Sample> {
    // Counter 1, not 0: with it the first replica of the default run is one of those that jump.
    let mut draws = Draws::new(seed, Stream::DataSet, 1);
    (0..n)
        .map(|_| (draws.index(features), unit(draws.word())))
        .collect()
}

/// Appends samples as words: the feature, then the bits of the value.
pub fn push(samples: impl IntoIterator<Item = Sample>, out: &mut Vec<u32>) {
    for (feature, value) in samples {
        out.extend([feature, value.to_bits()]);
    }
}

/// The training batch of a seed at a step: `data` in a new random order each epoch, cut into batches
/// one after the other, across the ends of epochs.
pub fn batch(seed: u32, step: u64, data: &[Sample], size: usize, out: &mut Vec<u32>) {
    let n = data.len() as u64;
    let first = step * size as u64;
    let place = |at: u64| shuffled(seed, (at / n) as u32, (at % n) as u32, n as u32);
    push(
        (first..first + size as u64).filter_map(|at| data.get(place(at) as usize).copied()),
        out,
    );
}

/// Where place `at` of 0..n lands in the random order of an epoch: a permutation that can be read
/// anywhere, by four Feistel rounds on the next even number of bits, repeated until below n.
fn shuffled(seed: u32, epoch: u32, at: u32, n: u32) -> u32 {
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

/// The batch that all chains around a checkpoint and their anchor see at a draw.
pub fn chain_batch(
    seed: u32,
    checkpoint: u64,
    draw: u64,
    data: &[Sample],
    size: usize,
    out: &mut Vec<u32>,
) {
    let seed = derived(seed, Stream::ChainData, checkpoint, 0);
    drawn(
        Draws::new(seed, Stream::ChainData, draw as u32),
        data,
        size,
        out,
    );
}

/// The seed of a chain's noise: its own for each (seed, checkpoint, chain).
#[must_use]
pub fn chain_seed(seed: u32, checkpoint: u64, chain: u32) -> u32 {
    derived(seed, Stream::Noise, checkpoint, chain)
}

/// A seed that depends on a checkpoint: the third counter word is one that no other draw uses.
fn derived(seed: u32, stream: Stream, checkpoint: u64, index: u32) -> u32 {
    philox4x32(
        [index, checkpoint as u32, 1, (checkpoint >> 32) as u32],
        [seed, stream as u32],
    )[0]
}

/// Drawn with replacement; a batch as large as the data set is the data set, without noise.
fn drawn(mut draws: Draws, data: &[Sample], size: usize, out: &mut Vec<u32>) {
    if size == data.len() {
        return push(data.iter().copied(), out);
    }
    let n = data.len() as u32;
    push(
        (0..size).filter_map(|_| data.get(draws.index(n) as usize).copied()),
        out,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_set_is_uniform_and_the_seeds_differ() {
        let data = data_set(3, 6, 6000);
        for i in 0..6 {
            let n = data.iter().filter(|s| s.0 == i).count();
            assert!((850..1150).contains(&n), "feature {i}: {n}");
        }
        let mean = data.iter().map(|s| f64::from(s.1)).sum::<f64>() / 6000.0;
        assert!((mean - 0.5).abs() < 0.015, "{mean}");
        assert_eq!(data, data_set(3, 6, 6000));
        assert_ne!(data, data_set(4, 6, 6000));
    }

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

    #[test]
    fn batches_depend_on_their_step_and_checkpoint_and_on_nothing_else() {
        let data = data_set(1, 6, 1000);
        let train = |step| {
            let mut out = Vec::new();
            batch(1, step, &data, 20, &mut out);
            out
        };
        let chain = |checkpoint, draw| {
            let mut out = Vec::new();
            chain_batch(1, checkpoint, draw, &data, 20, &mut out);
            out
        };
        assert_eq!((train(7).len(), train(7)), (40, train(7)));
        assert_ne!(train(7), train(8));
        assert_ne!(chain(100, 3), chain(200, 3));
        assert_ne!(chain(100, 3), chain(100, 4));
        assert_ne!(chain(7, 7), train(7));
        let mut whole = (Vec::new(), Vec::new());
        chain_batch(1, 100, 3, &data, data.len(), &mut whole.0);
        push(data.iter().copied(), &mut whole.1);
        assert!(whole.0 == whole.1);
    }
}

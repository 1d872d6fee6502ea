//! Data of the toy model of superposition: x = u·e_i, kept as (i, u). Pure functions of seeds.

use super::order::{derived, shuffled};
use crate::math::philox::{Draws, Stream, unit};

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

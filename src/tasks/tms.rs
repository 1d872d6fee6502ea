//! Data of the toy model of superposition: x = u·e_i, kept as (i, u). Pure functions of seeds.

use crate::math::philox::{Draws, Stream, philox4x32, unit};

/// One sample: the active feature, and its value as f32.
pub type Sample = (u32, f32);

/// The data set of a seed: `n` samples, feature uniform on 0..c, value uniform on (0, 1).
#[must_use]
pub fn data_set(seed: u32, features: u32, n: usize) -> Vec<Sample> {
    let mut draws = Draws::new(seed, Stream::DataSet, 0);
    (0..n).map(|_| (draws.index(features), unit(draws.word()))).collect()
}

/// Appends samples as words: the feature, then the bits of the value.
pub fn push(samples: impl IntoIterator<Item = Sample>, out: &mut Vec<u32>) {
    for (feature, value) in samples {
        out.extend([feature, value.to_bits()]);
    }
}

/// The training batch of a seed at a step, drawn from `data` with replacement.
pub fn batch(seed: u32, step: u64, data: &[Sample], size: usize, out: &mut Vec<u32>) {
    drawn(Draws::new(seed, Stream::Data, step as u32), data, size, out);
}

/// The batch that all chains around a checkpoint and their anchor see at a draw.
pub fn chain_batch(seed: u32, checkpoint: u64, draw: u64, data: &[Sample], size: usize, out: &mut Vec<u32>) {
    let seed = derived(seed, Stream::ChainData, checkpoint, 0);
    drawn(Draws::new(seed, Stream::ChainData, draw as u32), data, size, out);
}

/// The seed of a chain's noise: its own for each (seed, checkpoint, chain).
#[must_use]
pub fn chain_seed(seed: u32, checkpoint: u64, chain: u32) -> u32 {
    derived(seed, Stream::Noise, checkpoint, chain)
}

/// A seed that depends on a checkpoint: the third counter word is one that no other draw uses.
fn derived(seed: u32, stream: Stream, checkpoint: u64, index: u32) -> u32 {
    philox4x32([index, checkpoint as u32, 1, (checkpoint >> 32) as u32], [seed, stream as u32])[0]
}

fn drawn(mut draws: Draws, data: &[Sample], size: usize, out: &mut Vec<u32>) {
    let n = data.len() as u32;
    push((0..size).filter_map(|_| data.get(draws.index(n) as usize).copied()), out);
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
        assert_ne!(chain_seed(1, 100, 0), chain_seed(1, 100, 1));
        assert_ne!(chain_seed(1, 100, 0), chain_seed(1, 200, 0));
    }
}

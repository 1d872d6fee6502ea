//! What all tasks of tokens share: the classes of targets, and tokens that mean nothing.

use crate::math::Stream;
use crate::math::philox::Draws;

/// Class words of a position: what its target, the token after it, is counted in.
pub mod class {
    /// There is no target.
    pub const NONE: u32 = 0;
    /// Counted in the mean only.
    pub const PLAIN: u32 = 1;
    /// Counted in the mean and in that of the first class a task has.
    pub const A: u32 = 2;
    /// Counted in the mean and in that of its second class.
    pub const B: u32 = 3;
}

/// Appends a batch of another distribution, for λ̂ alone: `batch·ctx` independent uniform tokens of a
/// vocabulary, in which nothing repeats but by chance, then their classes; all targets are plain.
pub fn random(
    [vocab, ctx, batch]: [usize; 3],
    seed: u32,
    stream: Stream,
    step: u32,
    out: &mut Vec<u32>,
) {
    let mut draws = Draws::new(seed, stream, step);
    out.extend((0..batch * ctx).map(|_| draws.index(vocab as u32)));
    let plain = (0..ctx).map(|t| match t + 1 {
        target if target < ctx => class::PLAIN,
        _ => class::NONE,
    });
    (0..batch).for_each(|_| out.extend(plain.clone()));
}

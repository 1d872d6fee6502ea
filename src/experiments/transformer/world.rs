//! What a transformer reads, and what its predictions are held against.

use crate::math::Stream;

/// The sequences of an experiment. Knows no model and no device.
pub trait World: std::fmt::Debug {
    /// Appends `batch·ctx` tokens, then as many classes of targets ([`crate::tasks::tokens::class`]):
    /// sequence i is a pure function of (seed, stream, step, i).
    fn batch(&self, seed: u32, stream: Stream, step: u32, batch: usize, out: &mut Vec<u32>);
    /// Names of classes A and B, whose losses are the series `loss.A` and `loss.B`, and of the rest.
    fn classes(&self) -> &'static [&'static str; 3];
    /// After how many tokens a sequence repeats; 0, it does not.
    fn period(&self, _tokens: &[u32]) -> usize {
        0
    }
    /// Values of an evaluation, from the logits at every position of the held-out sequences of that
    /// seed, `[batch·ctx][vocab]`; empty where they are not read.
    fn judge(&self, _seed: u32, _logits: &[f32]) -> Vec<(String, f64)> {
        Vec::new()
    }
}

//! What a transformer reads, and what its predictions are held against.

use super::seen::Seen;
use crate::experiments::Reading;
use crate::math::Stream;
use crate::tasks::tokenizer;

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
    /// Values of an evaluation on the `batch` held-out sequences of that seed.
    fn judge(&self, _seed: u32, _batch: usize, _seen: &Seen) -> Vec<(String, f64)> {
        Vec::new()
    }
    /// The class of targets at which heads that look for copies are scored; 0, all of them.
    fn copies(&self) -> u32 {
        0
    }
    /// What else the evaluation says of those sequences, at a checkpoint.
    fn inspect(&self, _seed: u32, _batch: usize, _seen: &Seen) -> Vec<Reading> {
        Vec::new()
    }
    /// Appends a batch for the matched copying check, as [`World::batch`] does: sequences with an earlier
    /// copy of a span, whose targets are class A, each with its control behind it, in which the same
    /// targets are class B. Nothing, where there is no such check.
    fn spliced(&self, _seed: u32, _group: u32, _batch: usize, _out: &mut Vec<u32>) {}
    /// The text of some tokens.
    fn decode(&self, tokens: &[u32]) -> String {
        tokenizer::decode(&self.texts(), tokens)
    }
    /// Tokens of a text, and how many of its characters are no token.
    fn encode(&self, _text: &str) -> (Vec<u32>, usize) {
        (Vec::new(), 0)
    }
    /// The text of every token; empty where tokens are numbers.
    fn texts(&self) -> Vec<String> {
        Vec::new()
    }
}

/// `n` of `rows` rows, evenly spread and rising; all of them where n is `rows`.
#[must_use]
pub fn spread(rows: usize, n: usize) -> Vec<u32> {
    (0..n).map(|j| (j * rows / n) as u32).collect()
}

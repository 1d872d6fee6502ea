//! The world of the experiment: sequences from Markov chains, and what the predictions are held against.

use super::card::task;
use super::judge;
use crate::experiments::Parts;
use crate::experiments::transformer::{self, Seen, World};
use crate::knobs::Knobs;
use crate::math::Stream;
use crate::protocol::Fault;
use crate::tasks::markov::Markov;

/// Builds the lab.
///
/// # Errors
/// Those of [`transformer::build`].
pub fn build(knobs: &Knobs) -> Result<Parts, Fault> {
    transformer::build(knobs, Box::new(task(knobs)))
}

impl World for Markov {
    fn batch(&self, seed: u32, stream: Stream, step: u32, batch: usize, out: &mut Vec<u32>) {
        Markov::batch(self, seed, stream, step, batch, out);
    }

    fn classes(&self) -> &'static [&'static str; 3] {
        &["early", "late", "rest"]
    }

    fn judge(&self, seed: u32, _batch: usize, seen: &Seen) -> Vec<(String, f64)> {
        judge::values(self, seed, seen.judged)
    }
}

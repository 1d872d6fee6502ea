//! The world of the experiment: random sequences that repeat.

use crate::experiments::Parts;
use crate::experiments::transformer::{self, World};
use crate::knobs::Knobs;
use crate::math::Stream;
use crate::protocol::Fault;
use crate::tasks::repeat::Repeat;

/// Builds the lab.
///
/// # Errors
/// Those of [`transformer::build`].
pub fn build(knobs: &Knobs) -> Result<Parts, Fault> {
    transformer::build(knobs, Box::new(task(knobs)))
}

/// The task the knobs describe.
#[must_use]
pub fn task(knobs: &Knobs) -> Repeat {
    Repeat {
        vocab: knobs.size("vocab"),
        ctx: knobs.size("ctx"),
        pmin: knobs.size("pmin"),
        pmax: knobs.size("pmax"),
    }
}

impl World for Repeat {
    fn batch(&self, seed: u32, stream: Stream, step: u32, batch: usize, out: &mut Vec<u32>) {
        Repeat::batch(self, seed, stream, step, batch, out);
    }

    fn classes(&self) -> &'static [&'static str; 3] {
        &["first", "repeat", "start"]
    }

    /// All tokens of a period differ.
    fn period(&self, tokens: &[u32]) -> usize {
        let first = tokens.first();
        let again = tokens.iter().skip(1).position(|t| Some(t) == first);
        again.map_or(0, |t| t + 1)
    }
}

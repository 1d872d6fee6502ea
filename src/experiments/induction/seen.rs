//! What an evaluation of the transformer reads back, by name.

use crate::experiments::Reading;
use crate::kernels::heads::SCORES;

/// Names of the scores of a head, in the kernel's order.
const NAMES: [&str; SCORES] = ["prev_token", "prefix_matching", "duplicate_token"];

/// The parts of `Parts::reads` behind the losses and the logits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// By layer, `[head][query][key]` of the first held-out sequence.
    pub(super) patterns: &'a [Vec<f32>],
    /// By layer, `[head][3]`.
    scores: &'a [Vec<f32>],
    /// Mean loss at each position, `[ctx]`.
    pub(super) by_position: &'a [f32],
}

impl<'a> Seen<'a> {
    /// Of a model with that many layers; empty where nothing was read.
    pub(super) fn of(reads: &'a [Vec<f32>], layers: usize) -> Self {
        let part = |from: usize, to: usize| reads.get(from..to).unwrap_or_default();
        Self {
            patterns: part(2, 2 + layers),
            scores: part(2 + layers, 2 + 2 * layers),
            by_position: reads.get(2 + 2 * layers).map_or(&[], Vec::as_slice),
        }
    }

    /// `heads.0.3.prev_token` and its like, in mean over the held-out sequences.
    pub(super) fn scores(&self) -> Vec<(String, f64)> {
        let mut out = Vec::new();
        for (layer, scores) in self.scores.iter().enumerate() {
            for (head, scores) in scores.chunks_exact(SCORES).enumerate() {
                for (name, &y) in NAMES.iter().zip(scores) {
                    out.push((format!("heads.{layer}.{head}.{name}"), f64::from(y)));
                }
            }
        }
        out
    }

    /// `loss.position.7` and its like: the mean loss at each position that has a target.
    pub(super) fn losses(&self) -> Vec<Reading> {
        let targets = self.by_position.len().saturating_sub(1);
        let losses = self.by_position[..targets].iter().enumerate();
        losses
            .map(|(t, &y)| Reading::new(format!("loss.position.{t}"), f64::from(y)))
            .collect()
    }
}

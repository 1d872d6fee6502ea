//! What an evaluation of the transformer reads back, by name.

use super::sizes::Sizes;
use crate::experiments::{Reading, STATS};
use crate::kernels::heads::SCORES;

/// Names of the scores of a head, in the kernel's order.
const NAMES: [&str; SCORES] = ["prev_token", "prefix_matching", "duplicate_token"];

/// The parts of `Parts::reads` that are of one replica; empty where nothing was read.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// Mean loss, that of class A, that of class B.
    pub stats: &'a [f32],
    /// Logits for PCA, `[pca_rows][vocab]`.
    pub(super) logits: &'a [f32],
    /// By layer, `[head][query][key]` of the first held-out sequence.
    pub(super) patterns: Vec<&'a [f32]>,
    /// By layer, `[head][3]`.
    scores: Vec<&'a [f32]>,
    /// Mean loss at each position, `[ctx]`.
    pub(super) by_position: &'a [f32],
    /// Logits at the positions that are judged, `[judged_rows][vocab]` ([`super::world::spread`]).
    pub judged: &'a [f32],
}

impl<'a> Seen<'a> {
    /// Of that replica.
    pub(super) fn of(reads: &'a [Vec<f32>], sizes: &Sizes, replica: usize) -> Self {
        let (layers, all) = (sizes.layers, sizes.replicas);
        let part = |i: usize, len: usize| -> &'a [f32] {
            let read = reads.get(i).map_or(&[][..], Vec::as_slice);
            read.get(replica * len..(replica + 1) * len)
                .unwrap_or_default()
        };
        // Patterns are read one by one: the first sequences of the replicas do not lie side by side.
        let pattern = |l: usize| {
            reads
                .get(2 + l * all + replica)
                .map_or(&[][..], Vec::as_slice)
        };
        let scores = 2 + layers * all;
        Self {
            stats: part(0, STATS),
            logits: part(1, sizes.pca_rows() * sizes.vocab),
            patterns: (0..layers).map(pattern).collect(),
            scores: (0..layers)
                .map(|l| part(scores + l, sizes.heads * SCORES))
                .collect(),
            by_position: part(scores + layers, sizes.ctx),
            judged: part(scores + layers + 1, sizes.judged()),
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

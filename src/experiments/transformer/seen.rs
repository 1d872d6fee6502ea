//! What an evaluation of the transformer reads back, by name.

use super::sizes::Sizes;
use super::world::World;
use crate::experiments::{Reading, STATS, looks};
use crate::kernels::heads::SCORES;
use crate::protocol::Figure;

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
    /// Loss of every held-out target, `[batch·ctx]`, where they are read: 0 where there is none.
    pub losses: &'a [f32],
}

impl<'a> Seen<'a> {
    /// Logits and losses alone.
    #[cfg(test)]
    pub(in crate::experiments) fn judging(judged: &'a [f32], losses: &'a [f32]) -> Self {
        Self {
            stats: &[],
            logits: &[],
            patterns: Vec::new(),
            scores: Vec::new(),
            by_position: &[],
            judged,
            losses,
        }
    }

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
            losses: part(scores + layers + 2, sizes.batch * sizes.ctx),
        }
    }

    /// The attention figure: the first of the held-out sequences, whose tokens begin `tokens`.
    pub(super) fn figure(&self, sizes: &Sizes, world: &dyn World, mut tokens: Vec<u32>) -> Figure {
        tokens.truncate(sizes.ctx);
        let byte = |&p: &f32| (p.clamp(0.0, 1.0) * 255.0).round() as u8;
        Figure::Attention {
            layers: sizes.layers,
            heads: sizes.heads,
            ctx: sizes.ctx,
            patterns: self.patterns.iter().copied().flatten().map(byte).collect(),
            period: world.period(&tokens),
            texts: world.texts(),
            tokens,
        }
    }

    /// The three likeliest tokens behind each position and their probabilities, where logits are read at
    /// every position.
    pub(super) fn tops(&self, sizes: &Sizes) -> (Vec<u32>, Vec<f32>) {
        let (mut tokens, mut chances) = (Vec::new(), Vec::new());
        if !sizes.reads_text() || self.judged.len() != sizes.batch * sizes.ctx * sizes.vocab {
            return (tokens, chances);
        }
        for z in self.judged.chunks_exact(sizes.vocab) {
            let mut best = [(f32::NEG_INFINITY, 0_u32); 3];
            for (token, &z) in (0..).zip(z) {
                let mut new = (z, token);
                for old in &mut best {
                    if new.0 > old.0 {
                        std::mem::swap(old, &mut new);
                    }
                }
            }
            let sum: f32 = z.iter().map(|z| (z - best[0].0).exp()).sum();
            for (z, token) in best {
                tokens.push(token);
                chances.push((z - best[0].0).exp() / sum);
            }
        }
        (tokens, chances)
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
    pub(super) fn losses_by_position(&self) -> Vec<Reading> {
        let targets = self.by_position.len().saturating_sub(1);
        let losses = self.by_position[..targets].iter().enumerate();
        losses
            .map(|(t, &y)| Reading::new(format!("loss.position.{t}"), f64::from(y)))
            .collect()
    }
}

/// Rows of the held-out batch whose logits PCA looks at: drawn, rising, no two the same, none a last
/// position, whose logits nothing trains.
pub(super) fn positions(sizes: &Sizes) -> Vec<u32> {
    let ctx = sizes.ctx as u32;
    let mut all: Vec<u32> = (0..sizes.batch as u32 * ctx)
        .filter(|row| row % ctx != ctx - 1)
        .collect();
    let mut draws = looks();
    for i in 0..sizes.pca_rows() {
        let j = i + draws.index((all.len() - i) as u32) as usize;
        all.swap(i, j);
    }
    all.truncate(sizes.pca_rows());
    all.sort_unstable();
    all
}

//! The knobs, read once; what follows from them; which of them exclude each other.

use crate::experiments::chains::{self, Settings as Sampling};
use crate::experiments::{STATS, grid, limits};
use crate::knobs::{Knobs, Value};
use crate::model::tms::PARTS;
use crate::protocol::Notice;

/// Words of training data one batch of work may hold, and most of its steps.
const FEED: usize = 1 << 20;
const SLOTS: usize = 256;

/// Largest eigenvalue of the Hessian of the population loss at the k-gons: 2, along the bias of a
/// dead feature that is on; without one, about 1.25.
pub const CURVATURE: f64 = 2.0;

/// The knobs of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// c.
    pub features: usize,
    /// Start at a polygon, not at random.
    pub kgon: bool,
    /// Corners of the starting polygon.
    pub gon: usize,
    /// Bias of the features outside it.
    pub dead: f64,
    /// Standard deviation around the polygon.
    pub jitter: f64,
    /// Standard deviation of a random start.
    pub sigma: f64,
    /// Samples in a data set.
    pub n: usize,
    /// Samples in a training batch.
    pub batch: usize,
    /// Learning rate.
    pub lr: f64,
    /// Momentum.
    pub momentum: f64,
    /// Training steps.
    pub steps: u64,
    /// Seed of replica 0.
    pub seed: u32,
    /// Models.
    pub replicas: usize,
    /// The one followed.
    pub member: usize,
    /// How λ̂ is estimated.
    pub sampling: Sampling,
    /// Steps between checkpoints.
    pub every: u64,
    /// Log-spaced checkpoints per decade.
    pub log: u64,
}

impl Settings {
    /// Reads settled knobs.
    #[must_use]
    pub fn of(k: &Knobs) -> Self {
        let features = k.size("features");
        let steps = |key| k.size(key) as u64;
        Self {
            features,
            kgon: k.word("start") == "kgon",
            gon: k.size("gon").min(features),
            dead: if k.word("dead") == "plus" {
                0.5 / features as f64
            } else {
                -0.5
            },
            jitter: k.float("jitter"),
            sigma: k.float("sigma"),
            n: k.size("n"),
            batch: k.size("batch"),
            lr: k.float("lr"),
            momentum: k.float("momentum"),
            steps: steps("steps"),
            seed: k.int("seed") as u32,
            replicas: k.size("replicas"),
            member: k.size("member"),
            sampling: Sampling::of(k),
            every: steps("every"),
            log: steps("log"),
        }
    }
    /// Seed of a replica: the run of that seed alone has the same bits.
    #[must_use]
    pub fn seed_of(&self, replica: usize) -> u32 {
        self.seed.wrapping_add(replica as u32)
    }
    /// Steps at which λ̂ is estimated and a checkpoint kept.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<u64> {
        grid(self.steps, self.every, self.log)
    }
    /// Steps at which losses are evaluated: about 200, and every checkpoint.
    #[must_use]
    pub fn evals(&self) -> Vec<u64> {
        let mut all = grid(self.steps, self.steps.div_ceil(150), 15);
        all.extend(self.checkpoints());
        all.sort_unstable();
        all.dedup();
        all
    }
    /// Steps of training that one batch of work may hold.
    #[must_use]
    pub fn train_slots(&self) -> usize {
        (FEED / (self.replicas * 2 * self.batch)).clamp(1, SLOTS)
    }
    /// Steps of the chains that one batch of work may hold.
    #[must_use]
    pub fn chain_slots(&self) -> usize {
        (FEED / (2 * self.sampling.mbatch)).clamp(1, SLOTS)
    }
    /// Bytes of the plan's buffers.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let (r, count) = (self.replicas, 3 * self.features);
        let pass = |replicas: usize, rows: usize, batch: usize, slots: usize| {
            slots * rows * 2 * batch + replicas * count + slots * replicas * STATS
        };
        let mut words =
            2 * r * count + pass(r, r, self.batch, self.train_slots()) + pass(r, r, self.n, 1);
        if self.sampling.chains > 0 {
            let (all, slots) = (self.sampling.replicas(), self.chain_slots());
            // The gradients are counted by both.
            words += pass(all, 1, self.sampling.mbatch, slots) - all * count
                + self.sampling.floats(count, 1, slots);
        }
        4 * words as u64
    }
}

/// Most checkpoints of a run: each keeps its weights, its λ̂ and its row of the PCA.
const CHECKPOINTS: usize = 300;

/// Settles knobs that constrain each other.
pub fn settle(knobs: &mut Knobs) -> Vec<Notice> {
    let limits = [
        ("gon", knobs.int("features"), "there are features"),
        ("member", knobs.int("replicas") - 1, "the last replica"),
        ("batch", knobs.int("n"), "there are samples"),
        ("mbatch", knobs.int("n"), "there are samples"),
    ];
    let mut notices = Vec::new();
    for (key, limit, why) in limits {
        if knobs.int(key) > limit {
            notices.push(Notice::about(
                key,
                format!(
                    "{key}: {} is more than {why}; using {limit}.",
                    knobs.int(key)
                ),
            ));
            knobs.put(key, Value::Int(limit));
        }
    }
    limits::cadence(knobs, CHECKPOINTS, &mut notices);
    limits::stable(knobs, CURVATURE, &mut notices);
    limits::preconditioned(knobs, CURVATURE, &mut notices);
    let whole = Some(knobs.int("n"));
    chains::settle(knobs, whole, |part| PARTS.contains(&part), &mut notices);
    notices
}

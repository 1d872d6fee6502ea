//! The knobs, read once; what follows from them; which of them exclude each other.

use crate::experiments::chains::{self, Settings as Sampling};
use crate::experiments::{STATS, grid, limits};
use crate::kernels::modadd;
use crate::knobs::{Knobs, Value};
use crate::model::modadd::{ModAdd, PARTS};
use crate::protocol::Notice;
use crate::tasks::modular::train_size;

/// Words of data one batch of work may hold, and most of its steps.
const FEED: usize = 1 << 20;
const SLOTS: usize = 256;

/// Largest eigenvalue of the Hessian of the training loss just after memorising, about, in the
/// default run: a scale for steps that are far too long, not a bound at every checkpoint.
pub const CURVATURE: f64 = 2.0;

/// The knobs of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The model.
    pub model: ModAdd,
    /// Share of the pairs trained on.
    pub frac: f64,
    /// Pairs in a training batch.
    pub batch: usize,
    /// Learning rate.
    pub lr: f64,
    /// L2 weight decay.
    pub wd: f64,
    /// Training steps.
    pub steps: u64,
    /// Seed of everything in replica 0.
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
        let steps = |key| k.size(key) as u64;
        Self {
            model: ModAdd {
                p: k.size("p"),
                embed: k.size("embed"),
                hidden: k.size("hidden"),
            },
            frac: k.float("frac"),
            batch: k.size("batch"),
            lr: k.float("lr"),
            wd: k.float("wd"),
            steps: steps("steps"),
            seed: k.int("seed") as u32,
            replicas: k.size("replicas").max(1),
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
    /// All pairs, p².
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.model.p * self.model.p
    }
    /// Pairs trained on.
    #[must_use]
    pub fn train(&self) -> usize {
        train_size(self.model.p, self.frac)
    }
    /// Steps at which λ̂ is estimated and a checkpoint kept.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<u64> {
        grid(self.steps, self.every, self.log)
    }
    /// Steps at which both parts are evaluated: about 200, and every checkpoint.
    #[must_use]
    pub fn evals(&self) -> Vec<u64> {
        let mut all = grid(self.steps, self.steps.div_ceil(160), 12);
        all.extend(self.checkpoints());
        all.sort_unstable();
        all.dedup();
        all
    }
    /// Shares of a batch whose gradients are written apart: about 16 pairs each, at most 8 of them.
    #[must_use]
    pub fn splits(batch: usize) -> usize {
        batch.div_ceil(16).clamp(1, 8)
    }
    /// Rows a workgroup of the model holds at a time.
    #[must_use]
    pub fn tile(&self) -> usize {
        modadd::tile(self.model.p, self.model.embed, self.model.hidden)
    }
    /// Steps of one batch of work, where a step takes that many pairs, all replicas together.
    #[must_use]
    pub fn slots(batch: usize) -> usize {
        (FEED / (2 * batch)).clamp(1, SLOTS)
    }
    /// Floating-point operations of one pair, forward alone.
    #[must_use]
    pub fn flops(&self) -> f64 {
        let ModAdd { p, embed, hidden } = self.model;
        2.0 * (hidden * (2 * embed + p)) as f64
    }
    /// Bytes of the plan's buffers.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let (n, all) = (self.model.count(), self.replicas);
        let pass = |replicas: usize, rows: usize, batch: usize, slots: usize| {
            slots * (2 * rows * batch + replicas * STATS) + 2 * replicas * batch
        };
        let mut words = 3 * all * n
            + pass(all, all, self.batch, Self::slots(all * self.batch))
            + Self::splits(self.batch) * all * n
            + pass(all, all, self.pairs(), 1)
            + all * STATS;
        if self.sampling.chains > 0 {
            let batch = self.sampling.mbatch;
            let (splits, slots) = (Self::splits(batch), Self::slots(batch));
            words += pass(self.sampling.replicas(), 1, batch, slots)
                + self.sampling.floats(n, splits, slots);
        }
        4 * words as u64
    }
}

/// Most checkpoints of a run: each keeps its weights, its λ̂ and its row of the PCA.
const CHECKPOINTS: usize = 300;
/// Floats of weights that all checkpoints may keep.
const KEPT: usize = 32 << 20;

/// Settles knobs that constrain each other.
pub fn settle(knobs: &mut Knobs) -> Vec<Notice> {
    let mut notices = Vec::new();
    let s = Settings::of(knobs);
    let (train, test) = (s.train() as i64, (s.pairs() - s.train()) as i64);
    let (sampled, word) = if s.sampling.on == "test" {
        (test, "held out")
    } else {
        (train, "trained on")
    };
    for (key, most, word) in [("batch", train, "trained on"), ("mbatch", sampled, word)] {
        if knobs.int(key) > most {
            let text = format!(
                "{key}: {} is more than the {most} pairs {word}; using all of them.",
                knobs.int(key)
            );
            notices.push(Notice::about(key, text));
            knobs.put(key, Value::Int(most));
        }
    }
    let last = knobs.int("replicas") - 1;
    if knobs.int("member") > last {
        let text = format!(
            "member: {} is beyond the last seed; using {last}.",
            knobs.int("member")
        );
        notices.push(Notice::about("member", text));
        knobs.put("member", Value::Int(last));
    }
    let most = KEPT / (s.replicas * s.model.count());
    limits::cadence(knobs, CHECKPOINTS.min(most), &mut notices);
    limits::stable(knobs, CURVATURE, &mut notices);
    limits::preconditioned(knobs, CURVATURE, &mut notices);
    chains::settle(
        knobs,
        Some(sampled),
        |part| PARTS.contains(&part),
        &mut notices,
    );
    notices
}

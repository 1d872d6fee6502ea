//! The matched copying check: what an earlier copy is worth to the model. A span stands twice in a
//! window, or its earlier copy is other text of the same length; all else is the same, and only the loss
//! on the later span is looked at. It needs no choice of a head, and has its control beside it.

use super::plan::Built;
use super::sizes::{BUDGET, Sizes};
use super::world::World;
use crate::exec::Batch;
use crate::experiments::{Probes, Reading, STATS, Writer};
use crate::math::stats::{mean, sd};
use crate::model::{Data, Io, Spec, Transformer};
use crate::plan::{Buf, PlanError, Prog};

/// Batches of pairs: the scatter between them is the error.
const GROUPS: u32 = 8;

impl Sizes {
    /// How a checkpoint writes, where it reads text: the rows of logit-PCA are read at its words.
    pub(super) fn writer(&self, positions: Buf, logits: Buf) -> Option<Writer> {
        self.reads_text().then(|| Writer {
            positions,
            logits,
            rows: self.pca_rows(),
            vocab: self.vocab,
            ctx: self.ctx,
            sequences: self.batch,
        })
    }

    /// Whether tokens are pieces of a text: some predictions are judged there, and not all of them.
    pub(super) fn reads_text(&self) -> bool {
        (1..usize::MAX).contains(&self.judges)
    }
}

/// Bytes its activations take; 0 where there is no check, or no room for one.
pub(super) fn bytes(sizes: &Sizes) -> u64 {
    let own = 4 * sizes.copy();
    let fits = sizes.bytes() + sizes.ablation_bytes() + own <= BUDGET;
    if sizes.reads_text() && fits { own } else { 0 }
}

/// The programs of the check, a batch of pairs each; all use the same activations in turn.
#[derive(Clone, Debug)]
pub(super) struct Spliced {
    /// By batch: the program, its data, its losses.
    groups: Vec<(Prog, Buf, Buf)>,
    /// Sequences of a batch.
    batch: usize,
    /// How many reads of ablation come first.
    behind: usize,
}

impl Spliced {
    /// Appends them, if the world has such pairs and there is room; what they read goes into `setup`. Of
    /// the model that stands in the first place, as ablation is.
    pub(super) fn build(
        built: &mut Built,
        spec: &Spec,
        sizes: &Sizes,
        world: (&dyn World, u32),
        setup: &mut Batch,
    ) -> Result<Option<Self>, PlanError> {
        let Some(ablation) = built.ablation.as_ref().filter(|_| bytes(sizes) > 0) else {
            return Ok(None);
        };
        let behind = ablation.probes(Vec::new()).reads.len();
        let plan = &mut built.plan;
        let io = Io {
            params: built.params,
            grads: None,
            feed: built.eval.feed,
            rows: 1,
            stats: built.eval.stats,
            head_scale: built.head_scale,
            batch: sizes.batch,
        };
        let model = Transformer::shared(plan, spec, io, 1);
        let mut groups = Vec::new();
        for group in 0..GROUPS {
            let words = 2 * sizes.batch * sizes.ctx;
            let feed = plan.host_u32(format!("spliced.{group}.feed"), words);
            let stats = plan.f32(format!("spliced.{group}.stats"), STATS);
            let prog = plan.program("spliced", 1);
            let data = Data {
                feed,
                rows: 1,
                stats,
            };
            model.forward_on(plan, prog, data)?;
            groups.push((prog, feed, stats));
        }
        let own = Self {
            groups,
            batch: sizes.batch,
            behind,
        };
        own.feed(world.0, world.1, setup);
        Ok(Some(own))
    }

    /// Writes the pairs of a seed.
    pub(super) fn feed(&self, world: &dyn World, seed: u32, to: &mut Batch) {
        for (group, &(_, feed, _)) in (0..).zip(&self.groups) {
            let mut words = Vec::new();
            world.spliced(seed, group, self.batch, &mut words);
            to.words.push((feed, 0, words));
        }
    }

    /// Joins the programs behind those of ablation.
    pub(super) fn join(&self, probes: &mut Probes) {
        probes.programs.extend(self.groups.iter().map(|g| g.0));
        let reads = self.groups.iter().map(|g| (g.2, 0..STATS));
        probes.reads.extend(reads);
    }

    /// `copied`: the loss on spans that stood there before, less that on the same spans behind other
    /// text, with a standard error either way; and the two.
    pub(super) fn readings(&self, probed: &[Vec<f32>]) -> Vec<Reading> {
        let own = probed.iter().skip(self.behind).take(self.groups.len());
        let pairs: Vec<[f64; 2]> = own
            .filter_map(|s| Some([f64::from(*s.get(1)?), f64::from(*s.get(2)?)]))
            .collect();
        if pairs.len() < 2 {
            return Vec::new();
        }
        let less: Vec<f64> = pairs.iter().map(|[with, without]| with - without).collect();
        let (y, se) = (mean(&less), sd(&less) / (less.len() as f64).sqrt());
        let of = |i: usize| mean(&pairs.iter().map(|p| p[i]).collect::<Vec<f64>>());
        vec![
            Reading {
                id: "copied".into(),
                y,
                range: Some((y - se, y + se)),
            },
            Reading::new("copied.with".into(), of(0)),
            Reading::new("copied.without".into(), of(1)),
        ]
    }
}

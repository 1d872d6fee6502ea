//! Ablation: what the loss is without each head.
//!
//! The unchanged model, a copy for each head, whose output is multiplied by 0, and one for each block,
//! all its heads at once, are replicas of one forward pass over the held-out sequences; all share the
//! trained weights, which nothing writes. Where several heads do the same, the others stand in for the
//! one that is missing, and only the block shows what they do together.
//! It is done twice (Olsson et al. 2022). In a *zero* ablation later heads see what is left, and may
//! look elsewhere. In a *pattern-preserving* one every head keeps the attention pattern it has in the
//! unchanged model, so that what remains is what the head itself moves.

use super::sizes::Sizes;
use crate::exec::Batch;
use crate::experiments::{Probes, Reading, STATS};
use crate::instruments::icl;
use crate::kernels::Replica;
use crate::model::{Data, Io, Spec, Transformer};
use crate::plan::{Buf, Plan, PlanError, Prog};
use std::ops::Range;

/// The two ways, as series call them.
const WAYS: [&str; 2] = ["ablation", "preserving"];

/// Copies that run side by side.
#[derive(Clone, Copy, Debug)]
struct Group {
    head_scale: Buf,
    /// By way: the program, its `[replica][4]` losses and its `[replica][ctx]` losses by position.
    ways: [(Prog, Buf, Buf); 2],
}

/// The programs of the ablation.
#[derive(Clone, Debug)]
pub(super) struct Ablation {
    replicas: usize,
    heads: [usize; 2],
    ctx: usize,
    groups: Vec<Group>,
}

impl Ablation {
    /// Appends them, if there is room. `io` says where the trained weights and the held-out sequences
    /// are; `seen` is the program that has just run on them, with the patterns it leaves.
    pub(super) fn build(
        plan: &mut Plan,
        spec: &Spec,
        sizes: &Sizes,
        io: Io,
        seen: (Prog, &[Buf]),
    ) -> Result<Option<Self>, PlanError> {
        let Some((replicas, count)) = sizes.ablation() else {
            return Ok(None);
        };
        let model = Transformer::shared(plan, spec, io, replicas);
        let mut groups = Vec::with_capacity(count);
        for g in 0..count {
            let scales = replicas * spec.n_layers * spec.n_heads;
            let head_scale = plan.host_f32(format!("ablation.{g}.head_scale"), scales);
            let model = model.scaled_by(head_scale);
            let mut way = |name, patterns: Option<&[Buf]>| {
                let prog = plan.program_after(name, replicas, seen.0);
                let stats = plan.f32(format!("{name}.{g}.stats"), replicas * STATS);
                let data = Data {
                    feed: io.feed,
                    rows: 1,
                    stats,
                };
                model.forward_given(plan, prog, data, patterns)?;
                Ok((prog, stats, model.loss_by_position(plan, prog)?))
            };
            groups.push(Group {
                head_scale,
                ways: [way(WAYS[0], None)?, way(WAYS[1], Some(seen.1))?],
            });
        }
        Ok(Some(Self {
            replicas,
            heads: [spec.n_layers, spec.n_heads],
            ctx: spec.n_ctx,
            groups,
        }))
    }

    /// The heads that a copy lacks, by their number: none, one head each, then one block each; none
    /// again beyond.
    fn lacks(&self, copy: usize) -> Range<usize> {
        let [layers, heads] = self.heads;
        match copy {
            0 => 0..0,
            c if c <= layers * heads => c - 1..c,
            c if c <= layers * heads + layers => {
                let layer = c - 1 - layers * heads;
                layer * heads..(layer + 1) * heads
            }
            _ => 0..0,
        }
    }

    /// Writes the head scales.
    pub(super) fn setup(&self, batch: &mut Batch) {
        let heads = self.heads[0] * self.heads[1];
        for (g, group) in self.groups.iter().enumerate() {
            let mut scales = vec![1.0; self.replicas * heads];
            for (r, scales) in scales.chunks_exact_mut(heads).enumerate() {
                scales[self.lacks(g * self.replicas + r)].fill(0.0);
            }
            batch.floats.push((group.head_scale, 0, scales));
        }
    }

    /// How series call what copy 1 + i lacks.
    fn name(&self, i: usize) -> String {
        let [layers, heads] = self.heads;
        match i.checked_sub(layers * heads) {
            None => format!("heads.{}.{}", i / heads, i % heads),
            Some(layer) => format!("blocks.{layer}"),
        }
    }

    /// What the engine runs and reads, at those checkpoints.
    pub(super) fn probes(&self, at: Vec<u64>) -> Probes {
        let ways = || self.groups.iter().flat_map(|g| g.ways);
        let reads = ways().flat_map(|(_, stats, by_position)| {
            let [a, b] = [STATS, self.ctx].map(|n| 0..self.replicas * n);
            [(stats, a), (by_position, b)]
        });
        Probes {
            programs: ways().map(|w| w.0).collect(),
            reads: reads.collect(),
            tables: vec![Replica::default(); self.replicas],
            at,
            mark: "heads.0.0.ablation.loss",
        }
    }

    /// What each absence adds to the loss on all targets, on those of class B, which is called `class`,
    /// and to the ICL score.
    pub(super) fn readings(&self, probed: &[Vec<f32>], class: &str) -> Vec<Reading> {
        let mut out = Vec::new();
        // Others may have left something behind these.
        let Some(probed) = probed.get(..4 * self.groups.len()) else {
            return out;
        };
        for (k, way) in WAYS.iter().enumerate() {
            // Every copy of every group in order: (loss, loss of class B, ICL score).
            let mut all: Vec<[f64; 3]> = Vec::new();
            for reads in probed.chunks_exact(4) {
                let (stats, positions) = (&reads[2 * k], &reads[2 * k + 1]);
                let rows = stats.chunks(STATS).zip(positions.chunks(self.ctx));
                all.extend(rows.map(|(s, p)| [f64::from(s[0]), f64::from(s[2]), icl::score(p)]));
            }
            let Some((clean, ablated)) = all.split_first() else {
                continue;
            };
            let copies = self.heads[0] * (self.heads[1] + 1);
            for (i, values) in ablated.iter().take(copies).enumerate() {
                let lacking = self.name(i);
                for (of, what) in ["loss", class, "icl"].into_iter().enumerate() {
                    let id = format!("{lacking}.{way}.{what}");
                    out.push(Reading::new(id, values[of] - clean[of]));
                }
            }
        }
        out
    }
}

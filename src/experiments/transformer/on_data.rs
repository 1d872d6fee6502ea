//! Composition on data at a checkpoint: what the evaluation has left on the device of its activations,
//! and the shares that follow from it.

use super::sizes::Sizes;
use crate::experiments::Reading;
use crate::instruments::shares::{Layer, Shape, Source, Start, shares};
use crate::model::{Norm, Positions, Spec, Transformer};
use crate::plan::Buf;
use std::ops::Range;

/// Multiplications spent on it at a checkpoint.
const WORK: usize = 50_000_000;
/// Floats read back for it at a checkpoint.
const FLOATS: usize = 1 << 21;

/// What is read back, and of which rows.
#[derive(Clone, Debug)]
pub(super) struct OnData {
    spec: Spec,
    rows: usize,
    reads: Vec<(Buf, Range<usize>)>,
}

impl OnData {
    /// Of the first held-out sequences, as many as the budget allows; none with one layer.
    pub(super) fn new(model: &Transformer, spec: &Spec, sizes: &Sizes) -> Option<Self> {
        let (later, m) = (
            spec.n_layers.checked_sub(1).filter(|l| *l > 0)?,
            spec.n_heads * spec.d_head,
        );
        let pairs = spec.n_layers * later / 2;
        let most = (WORK / (3 * m * m * pairs)).min(FLOATS / (4 * m * later));
        let rows = (most / spec.n_ctx).min(sizes.batch) * spec.n_ctx;
        let mut reads = Vec::new();
        for l in 0..spec.n_layers {
            let [z, qkv, moments] = model.left(l)?;
            let mut read = |buf, width: usize| reads.push((buf, 0..rows * width));
            if l < later {
                read(z, m);
            }
            if l > 0 {
                read(qkv, 3 * m);
                if spec.norm == Norm::LayerNorm {
                    read(moments, 2);
                }
            }
        }
        (rows > 0).then(|| Self {
            spec: spec.clone(),
            rows,
            reads,
        })
    }

    pub(super) fn reads(&self) -> &[(Buf, Range<usize>)] {
        &self.reads
    }

    /// `share.q.0.3.1.2`: of the queries of head 1.2, what is due to head 0.3; `share.q.embed.1.2` and
    /// its like for what is due to the rest. `weights` are those of the model, `tokens` its held-out
    /// sequences, `read` what the probes have left, [`Self::reads`] last.
    pub(super) fn readings(
        &self,
        weights: &[f32],
        tokens: &[u32],
        read: &[Vec<f32>],
    ) -> Vec<Reading> {
        let (spec, arena) = (&self.spec, self.spec.arena());
        // What other probes have left comes first.
        let behind = read
            .len()
            .checked_sub(self.reads.len())
            .map(|from| &read[from..]);
        let Some(read) = behind.filter(|_| weights.len() >= arena.len()) else {
            return Vec::new();
        };
        let part = |name: String| -> Vec<f64> {
            let found = arena.get(&name).and_then(|t| weights.get(t.range()));
            found
                .unwrap_or_default()
                .iter()
                .map(|&w| f64::from(w))
                .collect()
        };
        let own = |l: usize| {
            let names = [
                "attn.W_Q", "attn.W_K", "attn.W_V", "attn.W_O", "ln1.w", "ln1.b",
            ];
            names.map(|n| part(format!("blocks.{l}.{n}")))
        };
        let weights: Vec<[Vec<f64>; 6]> = (0..spec.n_layers).map(own).collect();
        let mut read = read.iter().map(Vec::as_slice);
        let layers: Vec<Layer> = weights
            .iter()
            .enumerate()
            .map(|(l, [q, k, v, o, w, b])| {
                let mut next = |there: bool| {
                    if there {
                        read.next().unwrap_or_default()
                    } else {
                        &[]
                    }
                };
                let z = next(l + 1 < spec.n_layers);
                let qkv = next(l > 0);
                let moments = next(l > 0 && spec.norm == Norm::LayerNorm);
                Layer {
                    qkv,
                    z,
                    moments,
                    w: [q, k, v],
                    w_o: o,
                    norm: [w, b],
                }
            })
            .collect();
        let (w_e, w_pos) = (part("embed.W_E".into()), part("pos_embed.W_pos".into()));
        let start = Start {
            tokens: &tokens[..self.rows.min(tokens.len())],
            w_e: &w_e,
            w_pos: &w_pos,
            shortformer: spec.positions == Positions::Shortformer,
        };
        let shape = Shape {
            heads: spec.n_heads,
            d_model: spec.d_model,
            d_head: spec.d_head,
        };
        let mut out = Vec::new();
        for l in 1..spec.n_layers {
            for (kind, head, source, y) in shares(shape, start, &layers[..l], layers[l]) {
                let from = match source {
                    Source::Head(layer, head) => format!("{layer}.{head}"),
                    Source::Embed => "embed".into(),
                    Source::Positions => "pos".into(),
                    Source::Rest => "rest".into(),
                };
                out.push(Reading::new(format!("share.{kind}.{from}.{l}.{head}"), y));
            }
        }
        out
    }
}

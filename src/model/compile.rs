//! From a [`Spec`] to the buffers of a plan: what a transformer keeps while it runs.
//! The nodes over them are in `passes`.

use super::spec::{Norm, Positions, Spec};
use crate::plan::{Buf, Plan};
use crate::tensor::Arena;

/// What a program's forward pass reads and reports to.
#[derive(Clone, Copy, Debug)]
pub struct Data {
    /// `u32 [slot][rows][2·batch·n_ctx]`: the tokens of a batch, then their classes: 0 no target,
    /// 1 only in the mean, 2 first period, 3 repeat. The target of a position is the next token.
    pub feed: Buf,
    /// Feed rows a slot; a replica reads its `data_row`.
    pub rows: usize,
    /// `f32 [slot][replica][4]`: mean loss, mean of class 2, mean of class 3, 0.
    pub stats: Buf,
}

/// The buffers a transformer shares with the rest of its plan.
#[derive(Clone, Copy, Debug)]
pub struct Io {
    /// `f32 [replica][parameters]`.
    pub params: Buf,
    /// `f32 [replica][splits][parameters]`; none if there is no backward pass.
    pub grads: Option<Buf>,
    /// The feed of [`Data`].
    pub feed: Buf,
    /// Its rows.
    pub rows: usize,
    /// The stats of [`Data`].
    pub stats: Buf,
    /// `f32 [replica][layer·head]`, 1 everywhere but at ablated heads.
    pub head_scale: Buf,
    /// Sequences in a batch.
    pub batch: usize,
}

/// Activations of one layer that the backward pass reads again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    pub(super) resid_pre: Buf,
    pub(super) norms1: Buf,
    pub(super) qkv: Buf,
    /// `qkv` with smeared keys, where keys are smeared.
    pub(super) smeared: Buf,
    /// `smeared` with queries and keys turned, where positions are rotary: what attention reads.
    pub(super) turned: Buf,
    pub(super) pattern: Buf,
    pub(super) z: Buf,
    pub(super) resid_mid: Buf,
    pub(super) norms2: Buf,
    pub(super) pre: Buf,
    /// Behind the activation; SoLU's LayerNorm is a stage of what reads it.
    pub(super) post: Buf,
    pub(super) norms_post: Buf,
}

/// Gradients on their way back; every layer uses the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Back {
    pub(super) dresid: [Buf; 2],
    pub(super) dn: Buf,
    pub(super) dz: Buf,
    pub(super) dqkv: Buf,
    pub(super) dsmeared: Buf,
    pub(super) dturned: Buf,
    pub(super) dpost: Buf,
    /// At the input of the activation, where that is a node of its own; `dpost` otherwise.
    pub(super) dpre: Buf,
    pub(super) dpos: Buf,
}

/// A transformer's activations in a plan, and the nodes over them.
#[derive(Clone, Debug)]
pub struct Transformer {
    pub(super) spec: Spec,
    pub(super) arena: Arena,
    pub(super) io: Io,
    pub(super) replicas: usize,
    pub(super) layers: Vec<Layer>,
    pub(super) resid_final: Buf,
    pub(super) norms_final: Buf,
    pub(super) dlogits: Buf,
    pub(super) losses: Buf,
    pub(super) unused: [Buf; 2],
    pub(super) back: Option<Back>,
    /// Floats from one replica's weights to the next one's; 0 where all share them.
    pub(super) stride: usize,
}

impl Transformer {
    /// Adds the activations of `replicas` copies to the plan.
    #[must_use]
    pub fn new(plan: &mut Plan, spec: &Spec, io: Io, replicas: usize) -> Self {
        Self::with(plan, spec, io, replicas, spec.arena().len())
    }

    /// Copies that share their weights, `params` being those of one, and only run forward: their
    /// layers use the same buffers in turn. They differ by their head scales.
    #[must_use]
    pub fn shared(plan: &mut Plan, spec: &Spec, io: Io, replicas: usize) -> Self {
        Self::with(plan, spec, Io { grads: None, ..io }, replicas, 0)
    }

    fn with(plan: &mut Plan, spec: &Spec, io: Io, replicas: usize, stride: usize) -> Self {
        let rows = replicas * io.batch * spec.n_ctx;
        let (d, m) = (spec.d_model, spec.n_heads * spec.d_head);
        let normed = if spec.norm == Norm::LayerNorm {
            2 * rows
        } else {
            0
        };
        let rotary = spec.positions == Positions::Rotary;
        // What TransformerLens calls the place between SoLU and its LayerNorm.
        let (solu, hook) = if spec.has_solu() {
            (2 * rows, "hook_mid")
        } else {
            (0, "hook_post")
        };
        let unused = [plan.f32("unused.0", 1), plan.f32("unused.1", 1)];
        let some = |plan: &mut Plan, name: String, len: usize| {
            if len == 0 {
                unused[1]
            } else {
                plan.f32(name, len)
            }
        };
        // What only runs forward keeps one layer, and two places of the residual stream.
        let kept = stride > 0;
        let mut streams = Vec::new();
        let mut stream = |plan: &mut Plan, name: String| {
            let n = streams.len();
            let next = if kept || n < 2 {
                plan.f32(name, rows * d)
            } else {
                streams[n - 2]
            };
            streams.push(next);
            next
        };
        let mut resid = stream(plan, "blocks.0.hook_resid_pre".into());
        let mut layers: Vec<Layer> = Vec::new();
        for l in 0..spec.n_layers {
            let resid_pre = resid;
            let resid_mid = stream(plan, format!("blocks.{l}.hook_resid_mid"));
            resid = resid_mid;
            if spec.d_mlp > 0 {
                resid = stream(plan, format!("blocks.{l}.hook_resid_post"));
            }
            if let Some(&first) = layers.first().filter(|_| !kept) {
                layers.push(Layer {
                    resid_pre,
                    resid_mid,
                    ..first
                });
                continue;
            }
            let norms1 = some(plan, format!("blocks.{l}.ln1.moments"), normed);
            let qkv = plan.f32(format!("blocks.{l}.attn.qkv"), rows * 3 * m);
            let smeared = if spec.smear {
                plan.f32(format!("blocks.{l}.attn.smeared"), rows * 3 * m)
            } else {
                qkv
            };
            let turned = if rotary {
                plan.f32(format!("blocks.{l}.attn.turned"), rows * 3 * m)
            } else {
                smeared
            };
            let pattern = plan.f32(
                format!("blocks.{l}.attn.hook_pattern"),
                rows * spec.n_heads * spec.n_ctx,
            );
            let z = plan.f32(format!("blocks.{l}.attn.hook_z"), rows * m);
            let (mut norms2, mut pre, mut post) = (unused[1], unused[0], unused[0]);
            let mut norms_post = unused[1];
            if spec.d_mlp > 0 {
                norms2 = some(plan, format!("blocks.{l}.ln2.moments"), normed);
                pre = plan.f32(format!("blocks.{l}.mlp.hook_pre"), rows * spec.d_mlp);
                post = plan.f32(format!("blocks.{l}.mlp.{hook}"), rows * spec.d_mlp);
                norms_post = some(plan, format!("blocks.{l}.mlp.ln.moments"), solu);
            }
            layers.push(Layer {
                resid_pre,
                norms1,
                qkv,
                smeared,
                turned,
                pattern,
                z,
                resid_mid,
                norms2,
                pre,
                post,
                norms_post,
            });
        }
        let norms_final = some(plan, "ln_final.moments".into(), normed);
        let dlogits = plan.f32("dlogits", rows * spec.d_vocab);
        let losses = plan.f32("losses", rows);
        let sections = if spec.positions == Positions::Shortformer {
            spec.n_layers
        } else {
            0
        };
        let back = io.grads.map(|_| {
            let dqkv = plan.f32("dqkv", rows * 3 * m);
            let dsmeared = if spec.smear {
                plan.f32("dsmeared", rows * 3 * m)
            } else {
                dqkv
            };
            let dpost = some(plan, "dpost".into(), rows * spec.d_mlp);
            Back {
                dresid: [
                    plan.f32("dresid.0", rows * d),
                    plan.f32("dresid.1", rows * d),
                ],
                dn: some(
                    plan,
                    "dnormed".into(),
                    (normed / 2 * d).max(solu / 2 * spec.d_mlp),
                ),
                dz: plan.f32("dz", rows * m),
                dqkv,
                dsmeared,
                dturned: if rotary {
                    plan.f32("dturned", rows * 3 * m)
                } else {
                    dsmeared
                },
                dpost,
                dpre: if solu > 0 {
                    plan.f32("dpre", rows * spec.d_mlp)
                } else {
                    dpost
                },
                dpos: some(plan, "dpos".into(), sections * rows * d),
            }
        });
        Self {
            spec: spec.clone(),
            arena: spec.arena(),
            io,
            replicas,
            layers,
            resid_final: resid,
            norms_final,
            dlogits,
            losses,
            unused,
            back,
            stride,
        }
    }

    /// The same activations under other head scales, `[replica][layer·head]`.
    #[must_use]
    pub fn scaled_by(&self, head_scale: Buf) -> Self {
        let mut other = self.clone();
        other.io.head_scale = head_scale;
        other
    }
    /// `hook_pattern` of every layer: `[replica][batch][head][query][key]`.
    #[must_use]
    pub fn patterns(&self) -> Vec<Buf> {
        self.layers.iter().map(|l| l.pattern).collect()
    }
    /// Loss of every position, `[replica][batch·n_ctx]`, nats; 0 where there is no target.
    #[must_use]
    pub fn losses(&self) -> Buf {
        self.losses
    }
    /// Positions of a batch.
    pub(super) fn rows(&self) -> u32 {
        (self.io.batch * self.spec.n_ctx) as u32
    }
    /// Positions with a target.
    pub(super) fn targets(&self) -> u32 {
        (self.io.batch * (self.spec.n_ctx - 1)).max(1) as u32
    }
    pub(super) fn at(&self, name: &str) -> u32 {
        self.arena.offset(name) as u32
    }
    pub(super) fn in_layer(&self, l: usize, name: &str) -> u32 {
        self.at(&format!("blocks.{l}.{name}"))
    }
    pub(super) fn has_norm(&self) -> bool {
        self.spec.norm == Norm::LayerNorm
    }
    /// Offsets of a LayerNorm's weight and bias.
    pub(super) fn norm(&self, name: &str) -> Option<[u32; 2]> {
        self.has_norm()
            .then(|| [self.at(&format!("{name}.w")), self.at(&format!("{name}.b"))])
    }
    /// Offsets and constants of the embedding, without `splits`.
    pub(super) fn embed_params(&self, rows: usize) -> [u32; 4] {
        [
            self.stride as u32,
            self.at("embed.W_E"),
            self.at("pos_embed.W_pos"),
            rows as u32,
        ]
    }
}

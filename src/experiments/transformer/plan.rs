//! The programs of the experiment and the buffers between them.

use super::ablation::Ablation;
use super::on_data::OnData;
use super::sizes::{SLOTS, Sizes};
use crate::experiments::STATS;
use crate::experiments::chains::{Chains, Settings};
use crate::knobs::Knobs;
use crate::model::{Act, Data, Io, Norm, Positions, Spec, Transformer};
use crate::optim::{self, AdamW, Update};
use crate::plan::{Buf, Plan, PlanError, Prog};

/// AdamW's constants; its betas also correct the bias in the step table.
pub(super) const ADAMW: AdamW = AdamW {
    beta1: 0.9,
    beta2: 0.98,
    eps: 1e-8,
};

/// A program, its data and its losses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fed {
    pub(super) program: Prog,
    pub(super) feed: Buf,
    pub(super) stats: Buf,
}

/// The sampler's program and the buffers of the chains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chained {
    pub(super) fed: Fed,
    pub(super) buffers: Chains,
    pub(super) head_scale: Buf,
}

/// Everything the lab must know of its plan.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) plan: Plan,
    pub(super) params: Buf,
    pub(super) moments: Vec<(&'static str, Buf)>,
    pub(super) head_scale: Buf,
    pub(super) train: Fed,
    pub(super) eval: Fed,
    /// Rows of the held-out batch whose logits PCA reads, `[pca_rows]`.
    pub(super) positions: Buf,
    pub(super) logits: Buf,
    /// Rows of the held-out batch whose predictions are judged, and their logits.
    pub(super) everywhere: Option<Buf>,
    pub(super) judged: Option<Buf>,
    pub(super) patterns: Vec<Buf>,
    /// A layer each, `[head][3]`.
    pub(super) scores: Vec<Buf>,
    /// `[ctx]`.
    pub(super) by_position: Buf,
    /// `[replica][rows]`.
    pub(super) token_losses: Buf,
    pub(super) ablation: Option<Ablation>,
    pub(super) on_data: Option<OnData>,
    pub(super) chains: Option<Chained>,
}

/// The model of the knobs.
pub(super) fn spec(knobs: &Knobs) -> Spec {
    let sizes = Sizes::of(knobs);
    Spec {
        d_vocab: sizes.vocab,
        n_ctx: sizes.ctx,
        d_model: sizes.d_model,
        n_layers: sizes.layers,
        n_heads: sizes.heads,
        d_head: sizes.d_model / sizes.heads,
        d_mlp: sizes.mlp,
        act: match knobs.word("act") {
            "gelu" => Act::Gelu,
            "solu" => Act::Solu,
            _ => Act::Relu,
        },
        norm: if sizes.layernorm {
            Norm::LayerNorm
        } else {
            Norm::None
        },
        positions: match knobs.word("positions") {
            "shortformer" => Positions::Shortformer,
            "rotary" => Positions::Rotary,
            _ => Positions::Learned,
        },
        smear: knobs.word("smear") == "on",
        tied: sizes.tied,
        init: knobs.float("init"),
    }
}

/// `rows` rows of data a slot.
fn fed(
    plan: &mut Plan,
    name: &'static str,
    replicas: usize,
    (slots, rows, feed_len): (usize, usize, usize),
) -> Fed {
    Fed {
        program: plan.program(name, replicas),
        feed: plan.host_u32(format!("{name}.feed"), slots * rows * feed_len),
        stats: plan.f32(format!("{name}.stats"), slots * replicas * STATS),
    }
}

/// Records training, evaluation and chains. `copies` is the class of targets that heads which look for
/// copies are scored on; 0, all.
pub(super) fn build(knobs: &Knobs, spec: &Spec, copies: u32) -> Result<Built, PlanError> {
    let sizes = Sizes::of(knobs);
    let mut plan = Plan::default();
    let (count, splits) = (spec.arena().len(), spec.splits());
    let heads = spec.n_layers * spec.n_heads;
    let feed_len = 2 * sizes.batch * sizes.ctx;
    let all = sizes.replicas;
    let params = plan.host_f32("params", all * count);
    let grads = plan.f32("grads", all * splits * count);
    let head_scale = plan.host_f32("head_scale", all * heads);
    let train = fed(&mut plan, "train", all, (sizes.slots(), all, feed_len));
    let io = Io {
        params,
        grads: Some(grads),
        feed: train.feed,
        rows: all,
        stats: train.stats,
        head_scale,
        batch: sizes.batch,
    };
    let model = Transformer::new(&mut plan, spec, io, all);
    model.forward(&mut plan, train.program)?;
    model.backward(&mut plan, train.program)?;
    let update = Update {
        count,
        splits,
        grads,
        weights: params,
    };
    let moments = if knobs.word("optimizer") == "sgd" {
        let velocity = plan.host_f32("sgd.velocity", all * count);
        optim::sgd(
            &mut plan,
            train.program,
            &update,
            knobs.float("momentum"),
            velocity,
        )?;
        vec![("sgd.velocity", velocity)]
    } else {
        let [m, v] = ["adamw.m", "adamw.v"].map(|name| plan.host_f32(name, all * count));
        optim::adamw(&mut plan, train.program, &update, ADAMW, m, v)?;
        vec![("adamw.m", m), ("adamw.v", v)]
    };
    let eval = fed(&mut plan, "eval", all, (1, all, feed_len));
    let held_out = Data {
        feed: eval.feed,
        rows: all,
        stats: eval.stats,
    };
    model.forward_on(&mut plan, eval.program, held_out)?;
    let positions = plan.host_u32("pca.positions", sizes.pca_rows());
    let logits = model.logits(&mut plan, eval.program, positions, sizes.pca_rows())?;
    let rows = sizes.judged_rows();
    let everywhere = (rows > 0).then(|| plan.host_u32("judged.positions", rows));
    let judged = everywhere
        .map(|all| model.logits(&mut plan, eval.program, all, rows))
        .transpose()?;
    let patterns = model.patterns();
    let scores = model.head_scores(&mut plan, eval.program, held_out, copies)?;
    let by_position = model.loss_by_position(&mut plan, eval.program)?;
    let io = Io {
        feed: eval.feed,
        ..io
    };
    let ablation = Ablation::build(&mut plan, spec, &sizes, io, (eval.program, &patterns))?;
    let on_data = OnData::new(&model, spec, &sizes);
    let chains = if sizes.chains > 0 {
        Some(chains(&mut plan, spec, &sizes, &Settings::of(knobs))?)
    } else {
        None
    };
    Ok(Built {
        plan,
        params,
        moments,
        head_scale,
        train,
        eval,
        positions,
        logits,
        everywhere,
        judged,
        patterns,
        scores,
        by_position,
        token_losses: model.token_losses(),
        ablation,
        on_data,
        chains,
    })
}

fn chains(
    plan: &mut Plan,
    spec: &Spec,
    sizes: &Sizes,
    settings: &Settings,
) -> Result<Chained, PlanError> {
    let replicas = settings.replicas();
    let buffers = Chains::new(plan, settings, spec.arena().len(), spec.splits(), SLOTS);
    let head_scale = plan.host_f32("chains.head_scale", replicas * spec.n_layers * spec.n_heads);
    let fed = fed(
        plan,
        "chains",
        replicas,
        (SLOTS, 1, 2 * sizes.mbatch * sizes.ctx),
    );
    let io = Io {
        params: buffers.params,
        grads: Some(buffers.grads),
        feed: fed.feed,
        rows: 1,
        stats: fed.stats,
        head_scale,
        batch: sizes.mbatch,
    };
    let model = Transformer::new(plan, spec, io, replicas);
    model.forward(plan, fed.program)?;
    model.backward(plan, fed.program)?;
    buffers.sample(plan, fed.program, fed.stats)?;
    Ok(Chained {
        fed,
        buffers,
        head_scale,
    })
}

//! Settings that experiments with a transformer share. What differs between them is the default, and
//! what their data are.

use crate::experiments::chains::{self, Defaults, join};
use crate::knobs::{Group, Knob, choice, float, int};
use crate::model;

const MODEL: Group = Group::Model;
const TRAINING: Group = Group::Training;
const SAMPLER: Group = Group::Sampler;

/// What differs.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    /// Width of the residual stream.
    pub d_model: i64,
    /// Heads a block.
    pub heads: i64,
    /// LayerNorm, or none.
    pub norm: &'static str,
    /// Where positions enter.
    pub positions: &'static str,
    /// The data.
    pub data: &'static [Knob],
    /// Learning rate.
    pub lr: f64,
    /// Sequences of a training step.
    pub batch: i64,
    /// Training steps.
    pub steps: i64,
    /// Steps between checkpoints.
    pub every: i64,
}

/// How many there are beside those of the data.
pub const COUNT: usize = 10 + 10 + chains::KNOBS + 4;

/// All of them, `N` with those of the data, in the order of the form.
#[must_use]
pub const fn knobs<const N: usize>(own: &Own) -> [Knob; N] {
    let model = [
        LAYERS,
        d_model(own.d_model),
        heads(own.heads),
        MLP,
        ACT,
        norm(own.norm),
        positions(own.positions),
        SMEAR,
        TIED,
        INIT,
    ];
    let training = [
        OPTIMIZER,
        lr(own.lr),
        PACE[0],
        PACE[1],
        PACE[2],
        batch(own.batch),
        steps(own.steps),
        SEEDS[0],
        SEEDS[1],
        SEEDS[2],
    ];
    let [every, log, second] = chains::cadence((100_000, own.every), (50, 3));
    let sampler = chains::knobs(&CHAINS);
    join(&[
        &model,
        own.data,
        &training,
        &sampler,
        &[ON, every, log, second],
    ])
}

/// The chains, where nothing else is said.
const CHAINS: Defaults = Defaults {
    nbeta: 300.0,
    gamma: 1000.0,
    eps: 1e-4,
    chains: 4,
    burnin: (2000, 20),
    draws: (2000, 30),
    mbatch: MBATCH,
    samplers: &["sgld", "rmsprop"],
    parts: model::PARTS,
};

/// Blocks.
const LAYERS: Knob = int("layers", "layers", MODEL, (1, 4), 2, "Blocks of the transformer; an induction head needs a head of an earlier block to read from, so one block cannot form it (Olsson et al. 2022).").symbol("L");

/// Width of the residual stream.
const fn d_model(default: i64) -> Knob {
    int(
        "d_model",
        "d_model",
        MODEL,
        (8, 256),
        default,
        "Width of the residual stream.",
    )
    .symbol("d")
    .unit("dimensions")
}

/// Heads a block.
const fn heads(default: i64) -> Knob {
    int(
        "heads",
        "heads",
        MODEL,
        (1, 16),
        default,
        "Attention heads of each block; they share d_model equally.",
    )
    .symbol("H")
}

/// Hidden width of the MLPs.
const MLP: Knob = int(
    "mlp",
    "MLP width",
    MODEL,
    (0, 1024),
    0,
    "Hidden neurons of an MLP after each attention layer; 0 leaves attention only.",
)
.symbol("d_mlp")
.unit("neurons");
/// Activation of the MLPs.
const ACT: Knob = choice(
    "act",
    "activation",
    MODEL,
    &["relu", "gelu", "solu"],
    "relu",
    "Activation of the MLP's neurons: ReLU, max(x, 0); GELU, x·Φ(x) in its tanh form (Hendrycks and Gimpel 2016); SoLU, x·softmax(x) over the neurons of the layer, with a LayerNorm behind it (Elhage et al. 2022).",
);
/// Tied unembedding.
const TIED: Knob = choice(
    "tied",
    "tied unembedding",
    MODEL,
    &["off", "on"],
    "off",
    "Whether the unembedding is the transpose of the embedding (tied: on), W_U = W_Eᵀ, which saves its parameters; or a matrix of its own.",
);
/// LayerNorm, or none.
const fn norm(default: &'static str) -> Knob {
    choice(
        "norm",
        "norm",
        MODEL,
        &["none", "layernorm"],
        default,
        "LayerNorm before each layer and before the unembedding, or none, which is simpler to read.",
    )
}

/// Where positions enter.
const fn positions(default: &'static str) -> Knob {
    choice(
        "positions",
        "positions",
        MODEL,
        &["learned", "shortformer", "rotary"],
        default,
        "How a token knows its place: by learned vectors in the residual stream (learned), by such vectors in the inputs of queries and keys alone (shortformer, Press et al. 2021), or by turning queries and keys, so that a head sees distances only (rotary, Su et al. 2021).",
    )
}

/// Smeared keys.
const SMEAR: Knob = choice(
    "smear",
    "smeared keys",
    MODEL,
    &["off", "on"],
    "off",
    "Each head mixes every key with the one before it, k ← a·k + (1 − a)·(key before), with one learned share a = σ(α), α starting at 0. Then a single block can match what came before a token (Olsson et al. 2022).",
);

/// Size of the initial weights.
const INIT: Knob = float(
    "init",
    "initial scale",
    MODEL,
    (0.01, 4.0),
    1.0,
    "Standard deviation of the initial matrices, in units of 1/√d_model.",
);

/// The optimizer.
const OPTIMIZER: Knob = choice(
    "optimizer",
    "optimizer",
    TRAINING,
    &["adamw", "sgd"],
    "adamw",
    "AdamW (betas 0.9 and 0.98, eps 1e-8, decoupled weight decay; Loshchilov and Hutter 2019), or SGD with momentum.",
)
.fixed();

/// Learning rate.
const fn lr(default: f64) -> Knob {
    float(
        "lr",
        "learning rate",
        TRAINING,
        (0.0, 10.0),
        default,
        "Step size of the optimizer after the warm-up.",
    )
    .symbol("η")
}

/// Warm-up, weight decay and momentum.
const PACE: [Knob; 3] = [
    int("warmup", "warm-up", TRAINING, (0, 10_000), 100, "Steps over which the learning rate rises linearly from zero.").unit("steps"),
    float("wd", "weight decay", TRAINING, (0.0, 10.0), 0.01, "Each step every weight shrinks by the learning rate times this, beside the gradient (decoupled).").symbol("wd"),
    float("momentum", "momentum", TRAINING, (0.0, 0.999), 0.9, "Share of the last step that SGD keeps; AdamW has its own.").symbol("μ"),
];

/// Sequences of a training step.
const fn batch(default: i64) -> Knob {
    int(
        "batch",
        "batch",
        TRAINING,
        (1, 512),
        default,
        "Fresh sequences of a training step.",
    )
    .symbol("B")
    .unit("sequences")
}

/// Training steps.
const fn steps(default: i64) -> Knob {
    int(
        "steps",
        "steps",
        TRAINING,
        (1, 100_000),
        default,
        "Training steps of the run.",
    )
    .unit("steps")
}

/// Seeds, and the one that is followed.
const SEEDS: [Knob; 3] = [
    int("seed", "seed", TRAINING, (0, 4_294_967_295), 1, "Everything random follows from it: the same seed gives the same run."),
    int("replicas", "seeds", TRAINING, (1, 16), 1, "Models trained side by side in the same dispatches, from this seed and those that follow it, each on data of its own.").symbol("R").unit("models").fixed(),
    int("member", "model followed", SAMPLER, (0, 15), 0, "The model that λ̂, logit-PCA, heads and the figure are of, counted from 0; a click on one in the list of seeds chooses it.").fixed(),
];

/// Data of the chains.
const ON: Knob = choice(
    "on",
    "data of the chains",
    SAMPLER,
    &["own", "random"],
    "own",
    "Whose loss λ̂ is of (data-refined λ̂, Wang et al. 2024): the task's own sequences, or independent random tokens in which nothing repeats. Training does not change.",
);

/// Sequences of a chain step.
const MBATCH: Knob = int("mbatch", "chain batch", SAMPLER, (1, 64), 8, "Sequences of a chain step, fresh at each, the same for all chains and for the anchor at the checkpoint.").symbol("m").unit("sequences");

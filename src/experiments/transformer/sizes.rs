//! Arithmetic on the knobs: sizes, schedule, cost. Knows no plan and no device, so that the page
//! can say what a run costs before anything is built.

use crate::experiments::chains::Settings;
use crate::experiments::{Cost, grid};
use crate::knobs::Knobs;
use crate::optim::Sampler;

/// Bytes all buffers of a run may take together: a link never makes the page allocate more.
pub const BUDGET: u64 = 1 << 30;
/// Bytes one buffer may take: the storage binding that every WebGPU device grants.
pub const BUFFER_BUDGET: u64 = 128 << 20;
/// Most steps of one batch of work: slots of data and losses.
pub const SLOTS: usize = 64;
/// Most checkpoints of a run: each keeps a row of logits, and PCA looks at all of them again.
const MOST_CHECKPOINTS: usize = 300;
/// Most bytes of checkpoint weights kept beside the device, for PCA, λ̂ and a reload.
const HOST_BYTES: usize = 128 << 20;

/// Checkpoints a run of this many parameters may keep.
#[must_use]
pub fn most_checkpoints(params: usize) -> usize {
    MOST_CHECKPOINTS
        .min(HOST_BYTES / (4 * params.max(1)))
        .max(2)
}

/// Bytes the ablated copies of a checkpoint may take, where the run leaves that much.
const ABLATION_BYTES: u64 = 96 << 20;
/// Forward passes spent on ablation may be this share of those of training (a training step is three).
const ABLATION_SHARE: f64 = 0.25;

/// Pairs of heads up to which composition is measured.
const MOST_PAIRS: usize = 128;
/// Multiplications spent on composition in a whole run.
const COMPOSITION: f64 = 4e9;

/// Most logits of an evaluation that are held against the predictors of a text.
const JUDGED: usize = 1 << 18;

/// Most logits kept of a checkpoint.
const PCA_FEATURES: usize = 8192;
/// Most positions whose logits are kept.
const PCA_ROWS: usize = 64;
/// The settings that decide how large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Blocks.
    pub layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Heads a block, each of d_model/heads.
    pub heads: usize,
    /// Hidden width of the MLP; 0, none.
    pub mlp: usize,
    /// Vocabulary V.
    pub vocab: usize,
    /// Context T.
    pub ctx: usize,
    /// Sequences of a training step.
    pub batch: usize,
    /// Models trained side by side.
    pub replicas: usize,
    /// Whether there are LayerNorms.
    pub layernorm: bool,
    /// Whether keys are smeared.
    pub smear: bool,
    /// Whether positions are rotary: there are no vectors of positions.
    pub rotary: bool,
    /// Whether the MLP has SoLU's LayerNorm.
    pub solu: bool,
    /// Whether the unembedding is that of the embedding.
    pub tied: bool,
    /// Chains of a λ̂ estimate, the anchor not counted; 0, none.
    pub chains: usize,
    /// Sequences of a chain step.
    pub mbatch: usize,
    /// How the chains move.
    pub sampler: Sampler,
    /// Most logits of held-out positions that are held against predictors at an evaluation; 0, none.
    pub judges: usize,
}

impl Sizes {
    /// From the knobs of the card.
    #[must_use]
    pub fn of(knobs: &Knobs) -> Self {
        Self {
            layers: knobs.size("layers"),
            d_model: knobs.size("d_model"),
            heads: knobs.size("heads").max(1),
            mlp: knobs.size("mlp"),
            vocab: knobs.size("vocab"),
            ctx: knobs.size("ctx"),
            batch: knobs.size("batch"),
            replicas: knobs.size("replicas").max(1),
            layernorm: knobs.word("norm") == "layernorm",
            smear: knobs.word("smear") == "on",
            rotary: knobs.word("positions") == "rotary",
            solu: knobs.size("mlp") > 0 && knobs.word("act") == "solu",
            tied: knobs.word("tied") == "on",
            chains: knobs.size("chains"),
            mbatch: knobs.size("mbatch"),
            sampler: Sampler::parse(knobs.word("sampler")),
            judges: match (knobs.get("chain"), knobs.get("tokens")) {
                (None, None) => 0,
                (None, _) => JUDGED,
                _ => usize::MAX,
            },
        }
    }

    /// Parameters of one replica.
    #[must_use]
    pub fn params(&self) -> u64 {
        let [l, d, m, v, t] =
            [self.layers, self.d_model, self.mlp, self.vocab, self.ctx].map(|x| x as u64);
        let mlp = if m > 0 { 2 * d * m + m + d } else { 0 } + 2 * self.solu(m);
        let embeddings = if self.tied { v * d } else { 2 * v * d };
        let norms = match (self.layernorm, m > 0) {
            (false, _) => 0,
            (true, false) => 2 * d * (l + 1),
            (true, true) => 2 * d * (2 * l + 1),
        };
        let smear = if self.smear { l * self.heads as u64 } else { 0 };
        let positions = if self.rotary { 0 } else { t * d };
        embeddings + positions + l * (4 * d * d + mlp) + norms + smear
    }

    /// Floating-point operations of forward and backward on one sequence: 6 a token and weight of
    /// the matrix products (embedding lookups are free), and the causal half of QKᵀ and AV.
    #[must_use]
    pub fn flops_per_sequence(&self) -> f64 {
        let [l, d, m, v, t] =
            [self.layers, self.d_model, self.mlp, self.vocab, self.ctx].map(|x| x as f64);
        let products = l * (4.0 * d * d + 2.0 * d * m) + d * v;
        6.0 * products * t + 6.0 * l * t * t * d
    }

    /// Gradient partials of one replica, an upper bound: the model decides how many it uses.
    fn splits(&self) -> u64 {
        if self.params() < 262_144 { 8 } else { 4 }
    }

    /// Floats of forward and backward activations of one replica at `batch` sequences: an upper
    /// bound on what the model allocates.
    fn activations(&self, batch: usize) -> u64 {
        let [l, d, m, v, t, h] = [
            self.layers,
            self.d_model,
            self.mlp,
            self.vocab,
            self.ctx,
            self.heads,
        ]
        .map(|x| x as u64);
        let rows = batch as u64 * t;
        // A layer keeps q, k, v, z, the residual stream behind attention and behind the MLP, the
        // patterns, and the MLP's hidden layer on both sides of the activation.
        let smeared = self.smeared();
        let layer = rows * (6 * d + smeared + h * t + 2 * m + 4 + self.solu(2));
        let backward = rows * (7 * d + smeared + m + 2 * self.solu(m) + l * d);
        l * layer + backward + rows * (v + d + 4)
    }

    /// Floats of the greatest single buffer of `replicas` replicas at `batch` sequences.
    fn greatest(&self, batch: usize, replicas: u64) -> u64 {
        let rows = (batch * self.ctx) as u64;
        let widths = [
            3 * self.d_model,
            self.heads * self.ctx,
            self.vocab,
            self.mlp,
        ];
        let activation = rows * widths.into_iter().max().unwrap_or(0) as u64;
        replicas * activation.max(self.splits() * self.params())
    }

    /// Bytes on the device: training with its optimiser, and the chains.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let feed = |batch: usize| (SLOTS * 2 * batch * self.ctx) as u64;
        // Training: gradients, weights and two moments. The data of all replicas share the slots.
        let model = self.activations(self.batch) + (self.splits() + 3) * self.params();
        let train = self.replicas as u64 * model + feed(self.batch);
        let chains = if self.chains > 0 {
            let (count, splits) = (self.params() as usize, self.splits() as usize);
            let settings = Settings {
                chains: self.chains,
                sampler: self.sampler,
                ..Settings::default()
            };
            settings.replicas() as u64 * self.activations(self.mbatch)
                + settings.floats(count, splits, SLOTS) as u64
        } else {
            0
        };
        let judged = (self.judged_rows() * (self.d_model + self.vocab + 3)) as u64;
        4 * (train + chains + self.replicas as u64 * judged)
    }

    /// Floats a row needs beside the others where keys are smeared, or queries and keys turned: queries,
    /// keys and values again.
    fn smeared(&self) -> u64 {
        (u64::from(self.smear) + u64::from(self.rotary)) * 3 * self.d_model as u64
    }

    /// `n` where the activation is SoLU: its gradient and its LayerNorm's need room of their own.
    fn solu(&self, n: u64) -> u64 {
        if self.solu { n } else { 0 }
    }

    /// The unchanged model, one copy a head, one a block.
    fn copies(&self) -> usize {
        1 + self.layers * (self.heads + 1)
    }

    /// Floats of a copy that only runs forward on the held-out sequences and keeps one layer: an upper
    /// bound on what the model allocates for it.
    pub(super) fn copy(&self) -> u64 {
        let [d, m, v, t, h] =
            [self.d_model, self.mlp, self.vocab, self.ctx, self.heads].map(|x| x as u64);
        (self.batch * self.ctx) as u64
            * (6 * d + self.smeared() + h * t + 2 * m + v + 8 + self.solu(2))
    }

    /// How the unchanged model, a copy for each head without it and one for each block without its heads
    /// are run: copies side by side, and groups of them one after the other. None where not even one
    /// copy fits.
    #[must_use]
    pub fn ablation(&self) -> Option<(usize, usize)> {
        let variants = self.copies();
        let room = ABLATION_BYTES.min(BUDGET.saturating_sub(self.bytes()));
        let most =
            (room / (4 * self.copy())).min(BUFFER_BUDGET / (4 * self.greatest(self.batch, 1)));
        let most = usize::try_from(most).unwrap_or(0);
        (most > 0).then(|| {
            let groups = variants.div_ceil(most);
            (variants.div_ceil(groups), groups)
        })
    }

    /// Bytes of the ablated copies.
    #[must_use]
    pub fn ablation_bytes(&self) -> u64 {
        self.ablation()
            .map_or(0, |(replicas, _)| 4 * replicas as u64 * self.copy())
    }

    /// Bytes of the greatest buffer.
    #[must_use]
    pub fn greatest_buffer(&self) -> u64 {
        let chains = if self.chains > 0 {
            self.greatest(self.mbatch, self.chains as u64 + 1)
        } else {
            0
        };
        let train = self.greatest(self.batch, self.replicas as u64);
        4 * train.max(chains)
    }

    /// Held-out positions of one replica whose predictions are judged: all, or as many as the limit
    /// leaves, evenly spread.
    #[must_use]
    pub fn judged_rows(&self) -> usize {
        (self.batch * self.ctx).min(self.judges / self.vocab.max(1))
    }

    /// Their logits, `[judged_rows][vocab]`.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.judged_rows() * self.vocab
    }

    /// Numbers of one sequence's attention patterns in a layer, `[head][query][key]`.
    #[must_use]
    pub fn pattern(&self) -> usize {
        self.heads * self.ctx * self.ctx
    }

    /// Steps of training that one batch of work may hold: all replicas share its slots.
    #[must_use]
    pub fn slots(&self) -> usize {
        (SLOTS / self.replicas).max(1)
    }

    /// The tighter of the two budgets, in thousandths of itself.
    #[must_use]
    pub fn overload(&self) -> u64 {
        (self.bytes() * 1000 / BUDGET).max(self.greatest_buffer() * 1000 / BUFFER_BUDGET)
    }

    /// Whether the run stays inside both budgets.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.bytes() <= BUDGET && self.greatest_buffer() <= BUFFER_BUDGET
    }

    /// Positions whose logits logit-PCA looks at: at most 64, and at most 8192 numbers.
    #[must_use]
    pub fn pca_rows(&self) -> usize {
        let all = self.batch * self.ctx.saturating_sub(1);
        PCA_ROWS
            .min(PCA_FEATURES / self.vocab.max(1))
            .min(all)
            .max(1)
    }
}

/// Training steps.
#[must_use]
pub fn steps(knobs: &Knobs) -> u64 {
    knobs.size("steps") as u64
}

/// Checkpoints: every `every` steps and `log` a decade.
#[must_use]
pub fn checkpoints(knobs: &Knobs) -> Vec<u64> {
    grid(
        steps(knobs),
        knobs.size("every") as u64,
        knobs.size("log") as u64,
    )
}

/// Checkpoints at which heads are ablated, twice each: all of them, or every n-th, so that it stays a
/// small share of training; the last one always.
#[must_use]
pub fn ablated(knobs: &Knobs) -> Vec<u64> {
    let sizes = Sizes::of(knobs);
    let all = checkpoints(knobs);
    let passes = (2 * sizes.copies() * all.len()) as f64;
    let by = passes / (ABLATION_SHARE * 3.0 * steps(knobs).max(1) as f64);
    if sizes.ablation().is_none() {
        return Vec::new();
    }
    thinned(&all, by)
}

/// Checkpoints at which composition is measured: all of them, or every n-th where that is much work;
/// the last one always. None with one block, or with too many pairs of heads.
#[must_use]
pub fn composed(knobs: &Knobs) -> Vec<u64> {
    let s = Sizes::of(knobs);
    let pairs = s.layers * s.layers.saturating_sub(1) / 2 * s.heads * s.heads;
    if pairs == 0 || pairs > MOST_PAIRS {
        return Vec::new();
    }
    let all = checkpoints(knobs);
    let (d, dh) = (s.d_model as f64, (s.d_model / s.heads) as f64);
    let work = 3.0 * pairs as f64 * (d * dh * dh + 2.0 * dh.powi(3)) * all.len() as f64;
    thinned(&all, work / COMPOSITION)
}

/// Every n-th step, n at least `by`, and the last.
fn thinned(all: &[u64], by: f64) -> Vec<u64> {
    let every = (by.ceil() as usize).clamp(1, all.len().max(1));
    let kept = |i: &usize| i.is_multiple_of(every) || i + 1 == all.len();
    (0..all.len()).filter(kept).map(|i| all[i]).collect()
}

/// Steps whose losses are evaluated: the checkpoints, and about 150 linear and 20 a decade between.
#[must_use]
pub fn evals(knobs: &Knobs) -> Vec<u64> {
    let steps = steps(knobs);
    let mut all = grid(steps, steps.div_ceil(150).max(1), 20);
    all.extend(checkpoints(knobs));
    all.sort_unstable();
    all.dedup();
    all
}

/// The cost of a run.
#[must_use]
pub fn cost(knobs: &Knobs) -> Cost {
    let sizes = Sizes::of(knobs);
    let flops = sizes.flops_per_sequence();
    let chain_steps = Settings::of(knobs).launches() as f64;
    let sampled = sizes.chains > 0;
    Cost {
        params: sizes.params(),
        flops_per_step: flops * (sizes.batch * sizes.replicas) as f64,
        flops_per_point: if sampled {
            flops * (sizes.mbatch * (sizes.chains + 1)) as f64 * chain_steps
        } else {
            0.0
        },
        steps: steps(knobs),
        points: Settings::of(knobs).points(&checkpoints(knobs)),
        bytes: sizes.bytes() + sizes.ablation_bytes() + super::spliced::bytes(&sizes),
    }
}

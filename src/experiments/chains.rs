//! What λ̂ is estimated with: the settings that every experiment shares, and the buffers of its chains.

use super::{Job, STATS};
use crate::kernels::Replica;
use crate::knobs::{Group, Knob, Knobs, Value, choice, float, int};
pub use crate::optim::Sampler;
use crate::optim::{self, Chain, Update};
use crate::plan::{Buf, Plan, PlanError, Prog};
use crate::protocol::{Notice, SamplerSettings};

/// Batches of the chains that make up the batch of a descent, unless one holds all data.
pub const POLISH_BATCHES: u64 = 8;
/// Rates that each step of a descent tries, in units of the last that served.
pub const POLISH_RATES: [f64; 4] = [2.0, 1.0, 0.5, 0.1];

/// An experiment's own defaults and bounds of the shared settings.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// nβ.
    pub nbeta: f64,
    /// γ.
    pub gamma: f64,
    /// ε.
    pub eps: f64,
    /// Chains, the anchor not counted.
    pub chains: i64,
    /// Steps before the first draw: the most, and the default.
    pub burnin: (i64, i64),
    /// Draws: the most, and the default.
    pub draws: (i64, i64),
    /// The chains' batch, in the words of the experiment.
    pub mbatch: Knob,
    /// Samplers offered, plain SGLD first.
    pub samplers: &'static [&'static str],
    /// Parts that may move alone, `all` first.
    pub parts: &'static [&'static str],
}

/// How many knobs [`knobs`] gives.
pub const KNOBS: usize = 11;

/// The shared settings: `nbeta gamma eps chains burnin draws mbatch sampler polish part
/// ebatch`.
#[must_use]
pub const fn knobs(d: &Defaults) -> [Knob; KNOBS] {
    const SAMPLER: Group = Group::Sampler;
    [
        float("nbeta", "inverse temperature", SAMPLER, (1e-3, 1e7), d.nbeta, "Inverse temperature of the chains times the number of samples: how strongly the loss holds them, and the factor of λ̂ (Lau et al. 2023; n/ln n in Watanabe 2013).").symbol("nβ"),
        float("gamma", "localization", SAMPLER, (0.0, 1e6), d.gamma, "Strength of the spring that holds the chains near the checkpoint w*: it adds γ/2·‖w − w*‖² to nβ·L (Lau et al. 2023).").symbol("γ"),
        float("eps", "step size", SAMPLER, (1e-12, 1.0), d.eps, "Step size of the chains; it biases λ̂ upwards by a quarter of ε times the curvature nβ·h + γ, except with MALA.").symbol("ε"),
        int("chains", "chains", SAMPLER, (0, 64), d.chains, "Chains that start from each checkpoint, all on the same batches; 0 turns λ̂ off.").symbol("C").unit("chains"),
        int("burnin", "burn-in", SAMPLER, (0, d.burnin.0), d.burnin.1, "Steps of each chain before the first draw is counted.").unit("steps"),
        int("draws", "draws", SAMPLER, (2, d.draws.0), d.draws.1, "Losses averaged in each chain, one a step.").unit("draws"),
        d.mbatch,
        choice("sampler", "sampler", SAMPLER, d.samplers, d.samplers[0], "How the chains move: SGLD (Welling & Teh 2011); SGLD preconditioned by RMSprop, frozen after burn-in (Li et al. 2016); or MALA, whose steps are accepted or rejected so that nothing is biased, where all data fit in one batch."),
        int("polish", "polish first", SAMPLER, (0, 5000), 0, "Steps of steepest descent from the checkpoint before it is sampled, on a batch that stays the same: all data where a chain batch holds them, else eight chain batches that neither training nor chains see. λ̂ is then that of the polished point; training goes on from the checkpoint as it was.").unit("steps"),
        choice("part", "part that moves", SAMPLER, d.parts, d.parts[0], "Which weights the chains move, by their TransformerLens names; the others keep their bits, and λ̂ is that of the part alone (Wang et al. 2024)."),
        choice("ebatch", "losses from", SAMPLER, &["same", "apart"], "same", "The batches that the losses of the draws, and L(w*), are taken on: the same as those of the gradient, or others of the same size, so that a step never feels what it is measured on. Both have the same mean, since a loss is taken before its batch moves the chain; a batch apart makes each draw cost twice."),
    ]
}

/// Where checkpoints are, with the most and the default of both, and whether λ̂ is told at two settings
/// there: `every log second`.
#[must_use]
pub const fn cadence(every: (i64, i64), log: (i64, i64)) -> [Knob; 3] {
    [
        int("every", "checkpoint every", Group::Sampler, (0, every.0), every.1, "Training steps between checkpoints, where λ̂ and logit-PCA are taken; 0 leaves the log-spaced ones.").unit("steps"),
        int("log", "checkpoints a decade", Group::Sampler, (0, log.0), log.1, "Further checkpoints, equally spaced in the logarithm of the step; 0 for none."),
        choice("second", "types at two settings", Group::Sampler, &["yes", "no"], "yes", "At its end the run estimates λ̂ of its checkpoints once more, at a third of nβ, and every stage is typed at both settings. It takes about as long as λ̂ did, and gives way to whatever else is asked for."),
    ]
}

/// Knobs one after another, `N` in all.
#[must_use]
pub const fn join<const N: usize>(lists: &[&[Knob]]) -> [Knob; N] {
    let mut out = [int("", "", Group::Sampler, (0, 0), 0, ""); N];
    let (mut list, mut at) = (0, 0);
    while list < lists.len() {
        let mut i = 0;
        while i < lists[list].len() {
            out[at] = lists[list][i];
            (i, at) = (i + 1, at + 1);
        }
        list += 1;
    }
    assert!(at == N, "N is not the number of knobs");
    out
}

/// The shared settings, read.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// nβ.
    pub nbeta: f64,
    /// γ.
    pub gamma: f64,
    /// ε.
    pub eps: f64,
    /// Chains, the anchor not counted; 0 for no estimates.
    pub chains: usize,
    /// Steps before the first draw.
    pub burnin: u64,
    /// Draws: one a step.
    pub draws: u64,
    /// Samples of a chain step.
    pub mbatch: usize,
    /// How the chains move.
    pub sampler: Sampler,
    /// Which data the loss of the chains is a mean over; empty where there is no choice.
    pub on: &'static str,
    /// Steps of descent before anything is sampled.
    pub polish: u64,
    /// The losses of the draws are taken on batches apart from those of the gradient.
    pub apart: bool,
    /// Which weights move.
    pub part: &'static str,
    /// The types of stages are told at a second setting too.
    pub second: bool,
}

impl Settings {
    /// Reads settled knobs.
    #[must_use]
    pub fn of(k: &Knobs) -> Self {
        Self {
            nbeta: k.float("nbeta"),
            gamma: k.float("gamma"),
            eps: k.float("eps"),
            chains: k.size("chains"),
            burnin: k.size("burnin") as u64,
            draws: k.size("draws") as u64,
            mbatch: k.size("mbatch"),
            sampler: Sampler::parse(k.word("sampler")),
            on: k.word("on"),
            polish: k.size("polish") as u64,
            apart: k.word("ebatch") == "apart",
            part: k.word("part"),
            second: k.word("second") == "yes",
        }
    }

    /// Estimates of a run with these checkpoints.
    #[must_use]
    pub fn points(&self, checkpoints: &[u64]) -> u64 {
        if self.chains == 0 {
            return 0;
        }
        checkpoints.len() as u64
    }

    /// Chains and anchor.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.chains + 1
    }

    /// Steps of an estimate, burn-in included.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.burnin + self.draws
    }

    /// Launches of the chains' program for an estimate, at most: its steps and those of the descent.
    #[must_use]
    pub fn launches(&self) -> u64 {
        let at_once = self.replicas().min(POLISH_RATES.len()).max(1);
        let each = POLISH_BATCHES * POLISH_RATES.len().div_ceil(at_once) as u64;
        let looks = if self.apart { self.draws } else { 0 };
        self.steps() + looks + self.polish * each
    }

    /// As it travels.
    #[must_use]
    pub fn told(&self) -> SamplerSettings {
        SamplerSettings {
            nbeta: self.nbeta,
            gamma: self.gamma,
            eps: self.eps,
            chains: self.chains,
            burnin: self.burnin,
            draws: self.draws,
            mbatch: self.mbatch,
            sampler: self.sampler.word().into(),
            on: self.on.into(),
            polish: self.polish,
            apart: self.apart,
            part: if self.part.is_empty() {
                "all"
            } else {
                self.part
            }
            .into(),
        }
    }

    /// The replica table of one estimate: chain c has noise of `seed(c)`, the groups in `mask` move.
    #[must_use]
    pub fn table(&self, mask: u64, seed: impl Fn(u32) -> u32) -> Vec<Replica> {
        let chain = Replica {
            mask_lo: mask as u32,
            mask_hi: (mask >> 32) as u32,
            nbeta: self.nbeta as f32,
            gamma: self.gamma as f32,
            eps: self.eps as f32,
            ..Replica::default()
        };
        optim::chain_table(chain, self.chains, seed)
    }

    /// Floats of [`Chains`] for a model of `count` parameters, `splits` partial gradients and `slots`
    /// steps a batch.
    #[must_use]
    pub fn floats(&self, count: usize, splits: usize, slots: usize) -> usize {
        let (memory, sums) = (self.sampler.memory(count), self.sampler.sums(count));
        self.replicas() * (count * (1 + splits) + memory + slots * sums) + 2 * count
    }
}

/// Settles the shared settings. `whole` is the batch that holds all data, where there is one;
/// `has` says whether the model has a part.
pub fn settle(
    knobs: &mut Knobs,
    whole: Option<i64>,
    has: impl Fn(&str) -> bool,
    notices: &mut Vec<Notice>,
) {
    let (sampler, part) = (Sampler::parse(knobs.word("sampler")), knobs.word("part"));
    let mut put = |knobs: &mut Knobs, key: &str, value: Value, why: String| {
        knobs.put(key, value);
        notices.push(Notice::about(key, format!("{key}: {why}")));
    };
    if let Some(n) = whole.filter(|&n| sampler == Sampler::Mala && knobs.int("mbatch") != n) {
        let why = format!("MALA needs a loss without minibatch noise; using all {n} samples.");
        put(knobs, "mbatch", Value::Int(n), why);
    }
    if sampler == Sampler::Mala && knobs.word("ebatch") == "apart" {
        let why =
            "MALA needs a loss without minibatch noise, which has one batch; using same.".into();
        put(knobs, "ebatch", Value::Word("same"), why);
    }
    if sampler == Sampler::Rmsprop && knobs.int("burnin") == 0 {
        let why = "the RMSprop preconditioner is learned during burn-in; using 100.".into();
        put(knobs, "burnin", Value::Int(100), why);
    }
    if !has(part) {
        let why = format!("this model has no {part} that can move alone; using all.");
        put(knobs, "part", Value::Word("all"), why);
    }
}

/// Buffers of the chains of one estimate, the anchor last.
#[derive(Clone, Copy, Debug)]
pub struct Chains {
    /// How they move.
    pub sampler: Sampler,
    /// Parameters of one replica.
    pub count: usize,
    /// Partials of a gradient.
    pub splits: usize,
    /// `[replica][count]`: set to w* before the chains start.
    pub params: Buf,
    /// `[replica][splits][count]`.
    pub grads: Buf,
    /// `[count]`: w*.
    pub anchor: Buf,
    /// `[count]`: the mask bit of each parameter.
    pub groups: Buf,
    /// What the sampler remembers.
    pub memory: Buf,
    /// `[slot][replica][`[`Sampler::sums`]`]`: sizes of the forces at each step.
    pub sums: Buf,
}

impl Chains {
    /// Declares the buffers.
    #[must_use]
    pub fn new(
        plan: &mut Plan,
        settings: &Settings,
        count: usize,
        splits: usize,
        slots: usize,
    ) -> Self {
        let (sampler, replicas) = (settings.sampler, settings.replicas());
        Self {
            sampler,
            count,
            splits,
            params: plan.host_f32("chains.params", replicas * count),
            grads: plan.f32("chains.grads", replicas * splits * count),
            anchor: plan.host_f32("chains.anchor", count),
            groups: plan.host_u32("chains.groups", count),
            memory: plan.host_f32("chains.memory", replicas * sampler.memory(count)),
            sums: plan.f32("chains.sums", slots * replicas * sampler.sums(count)),
        }
    }

    /// Appends the sampler to a program that has written gradients and `stats`.
    ///
    /// # Errors
    /// A buffer that does not fit.
    pub fn sample(&self, plan: &mut Plan, prog: Prog, stats: Buf) -> Result<(), PlanError> {
        let chain = Chain {
            update: Update {
                count: self.count,
                splits: self.splits,
                grads: self.grads,
                weights: self.params,
            },
            anchor: self.anchor,
            anchors: 1,
            groups: self.groups,
            memory: self.memory,
            stats,
            sums: self.sums,
        };
        optim::sample(plan, prog, self.sampler, &chain)
    }
}

/// Chains around one checkpoint: a job whose replicas are chains plus one anchor, the last replica,
/// with eps 0.
#[derive(Clone, Debug)]
pub struct ChainJob {
    /// The job; replica `settings.chains` is the anchor.
    pub job: Job,
    /// Its buffers.
    pub buffers: Chains,
    /// Its settings.
    pub settings: Settings,
    /// The mask bit of each parameter: written to the device once, with the fixed data.
    pub groups: Vec<u32>,
}

impl ChainJob {
    /// Which weights move.
    #[must_use]
    pub fn moves(&self) -> Vec<bool> {
        let chain = self.job.replicas.first().copied().unwrap_or_default();
        self.moves_under(u64::from(chain.mask_hi) << 32 | u64::from(chain.mask_lo))
    }
    /// Which weights a mask lets move.
    #[must_use]
    pub fn moves_under(&self, mask: u64) -> Vec<bool> {
        let moves = |g: &u32| mask >> (g & 63) & 1 == 1;
        self.groups.iter().map(moves).collect()
    }
    /// How many those are.
    #[must_use]
    pub fn moving(&self) -> usize {
        self.moves().into_iter().filter(|&m| m).count()
    }
    /// Floats of one step in `stats`.
    #[must_use]
    pub fn stats_width(&self) -> usize {
        self.job.replicas.len() * STATS
    }
    /// Floats of one step in `sums`.
    #[must_use]
    pub fn sums_width(&self) -> usize {
        self.job.replicas.len() * self.buffers.sampler.sums(self.buffers.count)
    }
}

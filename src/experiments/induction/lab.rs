//! Builds the experiment: its plan, its tables, its data, and what an evaluation means.

use super::ablation::Ablation;
use super::circuits::Circuits;
use super::plan::{self, ADAMW, Built, Fed};
use super::seen::Seen;
use super::sizes::{self, SLOTS, Sizes};
use crate::exec::Batch;
use crate::experiments::chains::Settings;
use crate::experiments::{ChainJob, Job, Lab, Observation, Of, Parts, Reading, STATS};
use crate::instruments::icl;
use crate::kernels::heads::SCORES;
use crate::kernels::{Replica, Step};
use crate::knobs::Knobs;
use crate::math::Stream;
use crate::math::philox::{Draws, word};
use crate::model::Spec;
use crate::optim;
use crate::protocol::{Fault, Figure};
use crate::tasks::repeat::{Repeat, class};

/// Builds the lab.
///
/// # Errors
/// `OutOfMemory` for knobs that were not settled and do not fit the budget; `BadLink` for a model
/// that cannot be; `Internal` for a mistake of the program.
pub fn build(knobs: &Knobs) -> Result<Parts, Fault> {
    let sizes = Sizes::of(knobs);
    if !sizes.fits() {
        return Err(Fault::OutOfMemory {
            needed: sizes.bytes(),
            limit: sizes::BUDGET,
        });
    }
    let spec = plan::spec(knobs);
    if let Some(why) = spec.refusal() {
        return Err(Fault::BadLink(why));
    }
    let built = plan::build(knobs, &spec)?;
    let lab = Induction::new(knobs, &spec, &built);
    let job = |fed: Fed, replicas: Vec<Replica>, batch: usize, slots: usize| Job {
        program: fed.program,
        replicas,
        feed: fed.feed,
        rows: 1,
        feed_len: 2 * batch * sizes.ctx,
        slots,
        stats: fed.stats,
    };
    let trained = Replica {
        seed: lab.seed,
        mask_lo: !0,
        mask_hi: !0,
        lr: knobs.float("lr") as f32,
        wd: knobs.float("wd") as f32,
        ..Replica::default()
    };
    let chains = built.chains.map(|chained| ChainJob {
        job: job(chained.fed, lab.chain_replicas(0, 0), sizes.mbatch, SLOTS),
        buffers: chained.buffers,
        settings: lab.chains,
        groups: spec.groups(),
    });
    let mut reads = vec![
        (built.eval.stats, 0..STATS),
        (built.logits, 0..sizes.pca_rows() * sizes.vocab),
    ];
    // The figure shows the first held-out sequence.
    let figure = sizes.heads * sizes.ctx * sizes.ctx;
    reads.extend(built.patterns.iter().map(|&pattern| (pattern, 0..figure)));
    let scores = sizes.heads * SCORES;
    reads.extend(built.scores.iter().map(|&of| (of, 0..scores)));
    reads.push((built.by_position, 0..sizes.ctx));
    let ablation = built.ablation.as_ref();
    let probes = ablation.map(|a| a.probes(sizes::ablated(knobs)));
    Ok(Parts {
        arena: spec.arena(),
        params: built.params,
        train: job(built.train, vec![trained], sizes.batch, SLOTS),
        eval: Some(job(built.eval, vec![trained], sizes.batch, 1)),
        plan: built.plan,
        moments: built.moments,
        reads,
        probes: probes.unwrap_or_default(),
        chains,
        steps: sizes::steps(knobs),
        evals: sizes::evals(knobs),
        checkpoints: sizes::checkpoints(knobs),
        follow: 0,
        lab: Box::new(lab),
    })
}

/// The experiment's pure functions.
#[derive(Debug)]
struct Induction {
    seed: u32,
    task: Repeat,
    sizes: Sizes,
    spec: Spec,
    warmup: u64,
    chains: Settings,
    mask: u64,
    setup: Batch,
    ablation: Option<Ablation>,
    circuits: Circuits,
    /// Checkpoints at which composition is measured.
    composed: Vec<u64>,
}

/// Where the chains' data start: a key of its own for each checkpoint, so that a draw of one is no
/// draw of another.
fn chain_key(seed: u32, checkpoint: u64) -> u32 {
    word(seed, Stream::ChainData, checkpoint as u32, 0)
}

impl Induction {
    fn new(knobs: &Knobs, spec: &Spec, built: &Built) -> Self {
        let (sizes, seed) = (Sizes::of(knobs), knobs.int("seed") as u32);
        let heads = spec.n_layers * spec.n_heads;
        let mut setup = Batch::default();
        setup
            .words
            .push((built.positions, 0, positions(seed, &sizes)));
        setup.floats.push((built.head_scale, 0, vec![1.0; heads]));
        if let Some(chained) = &built.chains {
            setup
                .floats
                .push((chained.head_scale, 0, vec![1.0; (sizes.chains + 1) * heads]));
        }
        if let Some(ablation) = &built.ablation {
            ablation.setup(&mut setup);
        }
        let chains = Settings::of(knobs);
        let warmup = knobs.size("warmup") as u64;
        Self {
            seed,
            task: sizes::task(knobs),
            sizes,
            spec: spec.clone(),
            warmup,
            chains,
            mask: spec.mask(chains.part).unwrap_or(!0),
            setup,
            ablation: built.ablation.clone(),
            circuits: Circuits::new(spec),
            composed: sizes::composed(knobs),
        }
    }

    /// Whether λ̂ is that of the loss on random tokens.
    fn random(&self) -> bool {
        self.chains.on == "random"
    }

    /// The held-out sequences, and their periods.
    fn held_out(&self, out: &mut Vec<u32>) -> Vec<usize> {
        self.task
            .batch(self.seed, Stream::HeldOut, 0, self.sizes.batch, out)
    }
}

/// Rows of the held-out batch whose logits PCA looks at: seeded, rising, no two the same, none a
/// last position, whose logits nothing trains.
fn positions(seed: u32, sizes: &Sizes) -> Vec<u32> {
    let ctx = sizes.ctx as u32;
    let mut all: Vec<u32> = (0..sizes.batch as u32 * ctx)
        .filter(|row| row % ctx != ctx - 1)
        .collect();
    let mut draws = Draws::new(seed, Stream::Probe, 0);
    for i in 0..sizes.pca_rows() {
        let j = i + draws.index((all.len() - i) as u32) as usize;
        all.swap(i, j);
    }
    all.truncate(sizes.pca_rows());
    all.sort_unstable();
    all
}

impl Lab for Induction {
    fn initial(&self) -> Vec<f32> {
        self.spec.init(self.seed)
    }

    fn setup(&self) -> Batch {
        self.setup.clone()
    }

    fn feed(&self, of: Of, step: u64, out: &mut Vec<u32>) {
        match of {
            Of::Train => {
                self.task
                    .batch(self.seed, Stream::Data, step as u32, self.sizes.batch, out)
            }
            Of::Eval => self.held_out(out),
            Of::Chains { checkpoint, .. } => {
                let (key, size) = (chain_key(self.seed, checkpoint), self.sizes.mbatch);
                if self.random() {
                    let task = &self.task;
                    task.random(key, Stream::ChainData, step as u32, size, out);
                    Vec::new()
                } else {
                    self.task
                        .batch(key, Stream::ChainData, step as u32, size, out)
                }
            }
        };
    }

    fn step(&self, of: Of, step: u64) -> Step {
        match of {
            Of::Train => optim::step(
                step,
                optim::warmup(step, self.warmup),
                [ADAMW.beta1, ADAMW.beta2],
            ),
            Of::Eval => Step {
                index: step as u32,
                ..Step::default()
            },
            Of::Chains { .. } => optim::chain_step(step, self.chains.burnin),
        }
    }

    fn observe(
        &self,
        _step: u64,
        _follow: usize,
        _weights: &[f32],
        reads: &[Vec<f32>],
    ) -> Observation {
        let stats = reads.first().map(Vec::as_slice).unwrap_or_default();
        let names = ["loss", "loss.first", "loss.repeat"];
        let mut values: Vec<(String, f64)> = names
            .iter()
            .zip(stats)
            .map(|(id, &y)| ((*id).to_string(), f64::from(y)))
            .collect();
        let seen = Seen::of(reads, self.sizes.layers);
        values.extend(seen.scores());
        values.push(("icl".into(), icl::score(seen.by_position)));
        let patterns = seen.patterns;
        let mut words = Vec::new();
        let periods = self.held_out(&mut words);
        words.truncate(self.sizes.ctx);
        let figure = Figure::Attention {
            layers: self.sizes.layers,
            heads: self.sizes.heads,
            ctx: self.sizes.ctx,
            patterns: patterns
                .iter()
                .flatten()
                .map(|&p| (p.clamp(0.0, 1.0) * 255.0).round() as u8)
                .collect(),
            tokens: words,
            period: periods.first().copied().unwrap_or(0),
        };
        Observation {
            values,
            pca_row: reads.get(1).cloned().unwrap_or_default(),
            figure: Some(figure),
        }
    }

    fn classes(&self) -> &'static [&'static str] {
        if self.random() {
            &[]
        } else {
            &["first", "repeat", "start"]
        }
    }

    fn shares(&self, words: &[u32]) -> [f32; 2] {
        let classes = &words[words.len() / 2..];
        let count = |f: &dyn Fn(u32) -> bool| classes.iter().filter(|&&c| f(c)).count() as f32;
        let targets = count(&|c| c != class::NONE);
        [class::FIRST, class::REPEAT].map(|k| count(&|c| c == k) / targets)
    }

    fn inspect(
        &self,
        step: u64,
        _follow: usize,
        weights: &[f32],
        reads: &[Vec<f32>],
        probed: &[Vec<f32>],
    ) -> Vec<Reading> {
        let mut out = Seen::of(reads, self.sizes.layers).losses();
        let composed = self.composed.binary_search(&step).is_ok();
        out.extend(self.circuits.readings(weights, composed));
        if let Some(ablation) = &self.ablation {
            out.extend(ablation.readings(probed));
        }
        out
    }

    fn mask(&self, part: &str) -> Option<u64> {
        self.spec.mask(part)
    }

    fn chain_replicas(&self, checkpoint: u64, _follow: usize) -> Vec<Replica> {
        self.chains.table(self.mask, |c| {
            word(self.seed, Stream::Noise, checkpoint as u32, c)
        })
    }
}

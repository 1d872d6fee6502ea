//! Builds the lab of a transformer that learns the sequences of a [`World`]: its plan, its tables, its
//! data, and what an evaluation means.

use super::ablation::Ablation;
use super::circuits::Circuits;
use super::on_data::OnData;
use super::plan::{self, ADAMW, Built, Fed};
use super::seen::{Seen, positions};
use super::sizes::{self, SLOTS, Sizes};
use super::spliced::Spliced;
use super::world::{World, spread};
use crate::exec::Batch;
use crate::experiments::chains::Settings;
use crate::experiments::{ChainJob, Job, Lab, Observation, Of, Parts, Reading, STATS, Turned};
use crate::instruments::icl;
use crate::kernels::heads::SCORES;
use crate::kernels::{Replica, Step};
use crate::knobs::Knobs;
use crate::math::Stream;
use crate::math::philox::word;
use crate::model::Spec;
use crate::optim;
use crate::protocol::{Fault, Gauge};
use crate::tasks::tokens::{self, class};

/// Builds the lab of a world, from settled knobs.
///
/// # Errors
/// `OutOfMemory` for knobs that were not settled and do not fit the budget; `BadLink` for a model
/// that cannot be; `Internal` for a mistake of the program.
pub fn build(knobs: &Knobs, world: Box<dyn World>) -> Result<Parts, Fault> {
    let sizes = Sizes::of(knobs);
    if !sizes.fits() {
        // All together, or the one buffer that is too large.
        let all = (sizes.bytes(), sizes::BUDGET);
        let one = (sizes.greatest_buffer(), sizes::BUFFER_BUDGET);
        let (needed, limit) = if all.0 > all.1 { all } else { one };
        return Err(Fault::OutOfMemory { needed, limit });
    }
    let spec = plan::spec(knobs);
    if let Some(why) = spec.refusal() {
        return Err(Fault::BadLink(why));
    }
    let mut built = plan::build(knobs, &spec, world.copies())?;
    let lab = Trained::new(knobs, world, &spec, &mut built)?;
    let job = |fed: Fed, rows: usize, replicas: Vec<Replica>, batch: usize, slots: usize| Job {
        program: fed.program,
        replicas,
        feed: fed.feed,
        rows,
        feed_len: 2 * batch * sizes.ctx,
        slots,
        stats: fed.stats,
    };
    let all = sizes.replicas;
    let trained = |r: usize| Replica {
        seed: lab.seed_of(r),
        data_row: r as u32,
        mask_lo: !0,
        mask_hi: !0,
        lr: knobs.float("lr") as f32,
        wd: knobs.float("wd") as f32,
        ..Replica::default()
    };
    let trained: Vec<Replica> = (0..all).map(trained).collect();
    let chains = built.chains.map(|chained| ChainJob {
        job: job(
            chained.fed,
            1,
            lab.chain_replicas(0, 0),
            sizes.mbatch,
            SLOTS,
        ),
        buffers: chained.buffers,
        settings: lab.chains,
        groups: spec.groups(),
    });
    let mut reads = vec![
        (built.eval.stats, 0..all * STATS),
        (built.logits, 0..all * sizes.pca_rows() * sizes.vocab),
    ];
    // The figure shows the first held-out sequence.
    let (figure, whole) = (sizes.pattern(), sizes.batch * sizes.pattern());
    for &pattern in &built.patterns {
        reads.extend((0..all).map(|r| (pattern, r * whole..r * whole + figure)));
    }
    let scores = all * sizes.heads * SCORES;
    reads.extend(built.scores.iter().map(|&of| (of, 0..scores)));
    reads.push((built.by_position, 0..all * sizes.ctx));
    reads.extend(built.judged.map(|of| (of, 0..all * sizes.judged())));
    if sizes.reads_text() {
        reads.push((built.token_losses, 0..all * sizes.batch * sizes.ctx));
    }
    let ablation = built.ablation.as_ref();
    let mut probes = ablation.map(|a| a.probes(sizes::ablated(knobs)));
    if let (Some(probes), Some(spliced)) = (&mut probes, &lab.spliced) {
        spliced.join(probes);
    }
    if let (Some(probes), Some(on_data)) = (&mut probes, &built.on_data) {
        probes.reads.extend(on_data.reads().iter().cloned());
    }
    Ok(Parts {
        arena: spec.arena(),
        params: built.params,
        train: job(
            built.train,
            all,
            trained.clone(),
            sizes.batch,
            sizes.slots(),
        ),
        eval: Some(job(built.eval, all, trained, sizes.batch, 1)),
        plan: built.plan,
        moments: built.moments,
        reads,
        token_losses: Some((built.token_losses, sizes.batch * sizes.ctx)),
        writer: sizes.writer(built.positions, built.logits),
        probes: probes.unwrap_or_default(),
        chains,
        steps: sizes::steps(knobs),
        evals: sizes::evals(knobs),
        checkpoints: sizes::checkpoints(knobs),
        follow: knobs.size("member"),
        lab: Box::new(lab),
    })
}

/// The lab's pure functions.
#[derive(Debug)]
struct Trained {
    seed: u32,
    world: Box<dyn World>,
    sizes: Sizes,
    spec: Spec,
    warmup: u64,
    chains: Settings,
    mask: u64,
    setup: Batch,
    ablation: Option<Ablation>,
    spliced: Option<Spliced>,
    on_data: Option<OnData>,
    circuits: Circuits,
    /// Checkpoints at which composition is measured.
    composed: Vec<u64>,
}

/// Where the chains' data start: a key of its own for each checkpoint, so that a draw of one is no
/// draw of another.
fn chain_key(seed: u32, checkpoint: u64) -> u32 {
    word(seed, Stream::ChainData, checkpoint as u32, 0)
}

impl Trained {
    fn new(
        knobs: &Knobs,
        world: Box<dyn World>,
        spec: &Spec,
        built: &mut Built,
    ) -> Result<Self, Fault> {
        let (sizes, seed) = (Sizes::of(knobs), knobs.int("seed") as u32);
        let heads = spec.n_layers * spec.n_heads;
        let mut setup = Batch::default();
        setup.words.push((built.positions, 0, positions(&sizes)));
        if let Some(all) = built.everywhere {
            let rows = spread(sizes.batch * sizes.ctx, sizes.judged_rows());
            setup.words.push((all, 0, rows));
        }
        setup
            .floats
            .push((built.head_scale, 0, vec![1.0; sizes.replicas * heads]));
        if let Some(chained) = &built.chains {
            setup
                .floats
                .push((chained.head_scale, 0, vec![1.0; (sizes.chains + 1) * heads]));
        }
        if let Some(ablation) = &built.ablation {
            ablation.setup(&mut setup);
        }
        let spliced = Spliced::build(built, spec, &sizes, (&*world, seed), &mut setup)?;
        let chains = Settings::of(knobs);
        Ok(Self {
            seed,
            world,
            sizes,
            spec: spec.clone(),
            warmup: knobs.size("warmup") as u64,
            chains,
            mask: spec.mask(chains.part).unwrap_or(!0),
            setup,
            ablation: built.ablation.clone(),
            spliced,
            on_data: built.on_data.clone(),
            circuits: Circuits::new(spec, sizes.replicas),
            composed: sizes::composed(knobs),
        })
    }

    /// Whether λ̂ is that of the loss on random tokens.
    fn random(&self) -> bool {
        self.chains.on == "random"
    }

    /// Seed of a replica: the run of that seed alone trains with the same bits.
    fn seed_of(&self, replica: usize) -> u32 {
        self.seed.wrapping_add(replica as u32)
    }

    /// What a checkpoint's evaluation says, position by position.
    fn on_text(&self, reads: &[Vec<f32>], replica: usize) -> Vec<Reading> {
        let seen = Seen::of(reads, &self.sizes, replica);
        let (seed, batch) = (self.seed_of(replica), self.sizes.batch);
        let mut out = seen.losses_by_position();
        out.extend(self.world.inspect(seed, batch, &seen));
        out
    }

    /// The held-out sequences of a replica.
    fn held_out(&self, replica: usize, out: &mut Vec<u32>) {
        let (seed, batch) = (self.seed_of(replica), self.sizes.batch);
        self.world.batch(seed, Stream::HeldOut, 0, batch, out);
    }
}

impl Lab for Trained {
    fn initial(&self) -> Vec<f32> {
        let all = 0..self.sizes.replicas;
        all.flat_map(|r| self.spec.init(self.seed_of(r))).collect()
    }

    fn setup(&self) -> Batch {
        self.setup.clone()
    }

    fn feed(&self, of: Of, step: u64, out: &mut Vec<u32>) {
        match of {
            Of::Train => {
                for r in 0..self.sizes.replicas {
                    let (seed, batch) = (self.seed_of(r), self.sizes.batch);
                    self.world
                        .batch(seed, Stream::Data, step as u32, batch, out);
                }
            }
            Of::Eval => {
                for r in 0..self.sizes.replicas {
                    self.held_out(r, out);
                }
            }
            Of::Chains { checkpoint, follow } => {
                let (s, stream) = (&self.sizes, Stream::ChainData);
                let (key, step) = (chain_key(self.seed_of(follow), checkpoint), step as u32);
                if self.random() {
                    tokens::random([s.vocab, s.ctx, s.mbatch], key, stream, step, out);
                } else {
                    self.world.batch(key, stream, step, s.mbatch, out);
                }
            }
        }
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
        follow: usize,
        _weights: &[f32],
        reads: &[Vec<f32>],
    ) -> Observation {
        let mut values: Vec<(String, f64)> = Vec::new();
        for r in 0..self.sizes.replicas {
            let prefix = match r {
                0 => String::new(),
                r => format!("replicas/{r}/"),
            };
            let seen = Seen::of(reads, &self.sizes, r);
            let [a, b, _] = self.world.classes();
            let names = ["loss".into(), format!("loss.{a}"), format!("loss.{b}")];
            let losses = names.iter().zip(seen.stats);
            values.extend(losses.map(|(id, &y)| (format!("{prefix}{id}"), f64::from(y))));
            let judged = self.world.judge(self.seed_of(r), self.sizes.batch, &seen);
            let all = judged.into_iter().chain(seen.scores());
            values.extend(all.map(|(id, y)| (format!("{prefix}{id}"), y)));
            values.push((format!("{prefix}icl"), icl::score(seen.by_position)));
        }
        let (seen, mut tokens) = (Seen::of(reads, &self.sizes, follow), Vec::new());
        self.held_out(follow, &mut tokens);
        Observation {
            values,
            pca_row: seen.logits.to_vec(),
            figure: Some(seen.figure(&self.sizes, &*self.world, tokens)),
        }
    }

    fn looked(&self, follow: usize) -> Vec<u32> {
        let mut out = positions(&self.sizes);
        self.held_out(follow, &mut out);
        out
    }

    fn encode(&self, text: &str) -> (Vec<u32>, usize) {
        self.world.encode(text)
    }

    fn decode(&self, tokens: &[u32]) -> String {
        self.world.decode(tokens)
    }

    fn tops(&self, follow: usize, reads: &[Vec<f32>]) -> (Vec<u32>, Vec<f32>) {
        Seen::of(reads, &self.sizes, follow).tops(&self.sizes)
    }

    fn context(&self) -> usize {
        self.sizes.ctx
    }

    fn classes(&self) -> &'static [&'static str] {
        if self.random() {
            &[]
        } else {
            self.world.classes()
        }
    }

    fn shares(&self, words: &[u32]) -> [f32; 2] {
        let classes = &words[words.len() / 2..];
        let count = |f: &dyn Fn(u32) -> bool| classes.iter().filter(|&&c| f(c)).count() as f32;
        let targets = count(&|c| c != class::NONE);
        [class::A, class::B].map(|k| count(&|c| c == k) / targets)
    }

    fn inspect(&self, step: u64, follow: usize, w: &[f32], reads: &[Vec<f32>]) -> Vec<Reading> {
        let composed = self.composed.binary_search(&step).is_ok();
        let count = self.spec.arena().len();
        let of = |r: usize| {
            let own = w.get(r * count..(r + 1) * count).unwrap_or_default();
            let out = if r == 0 || r == follow {
                let mut out = self.on_text(reads, r);
                out.extend(self.circuits.readings(own, composed));
                out
            } else {
                self.circuits.indicators(own, composed)
            };
            out.into_iter().map(move |reading| reading.of(r))
        };
        (0..self.sizes.replicas).flat_map(of).collect()
    }

    fn probed(&self, member: usize, weights: &[f32], probed: &[Vec<f32>]) -> Vec<Reading> {
        let mut out = Vec::new();
        if let Some(ablation) = &self.ablation {
            out.extend(ablation.readings(probed, self.world.classes()[1]));
        }
        if let Some(spliced) = &self.spliced {
            out.extend(spliced.readings(probed));
        }
        if let Some(on_data) = &self.on_data {
            let mut tokens = Vec::new();
            self.held_out(member, &mut tokens);
            out.extend(on_data.readings(weights, &tokens, probed));
        }
        out
    }

    fn probing(&self, member: usize) -> Batch {
        let mut batch = Batch::default();
        if let Some(spliced) = &self.spliced {
            spliced.feed(&*self.world, self.seed_of(member), &mut batch);
        }
        batch
    }

    fn turned(&self, weights: &[f32], turn: &Gauge) -> Option<Turned> {
        self.circuits.turned(weights, turn)
    }

    fn mask(&self, part: &str) -> Option<u64> {
        self.spec.mask(part)
    }

    fn chain_replicas(&self, checkpoint: u64, follow: usize) -> Vec<Replica> {
        let seed = self.seed_of(follow);
        self.chains.table(self.mask, |c| {
            word(seed, Stream::Noise, checkpoint as u32, c)
        })
    }
}

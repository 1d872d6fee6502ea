//! Builds the plan: one potential, whose single checkpoint is w*, and the chains around it.

use super::target::{POINTS, Target, samples};
use crate::exec::Batch;
use crate::experiments::chains::{Chains, Settings};
use crate::experiments::{ChainJob, Job, Lab, Observation, Of, Parts, Probes, STATS};
use crate::kernels::truth::{BIGRAM, DEEP_LINEAR, LINREG, MONOMIALS, SUPERPOSITION, TANH};
use crate::kernels::{Kernel, Replica, Step};
use crate::knobs::Knobs;
use crate::math::philox::{Draws, Stream};
use crate::optim::{self, Update};
use crate::plan::{Buf, Plan, PlanError, Prog};
use crate::protocol::Fault;
use crate::tasks::order::chain_seed;
use crate::tensor::Arena;

/// Steps of the chains that one batch of work may hold, and the words of data they may bring along.
const SLOTS: usize = 1024;
const FEED: usize = 1 << 20;

struct Gallery {
    seed: u32,
    start: Vec<f32>,
    curvature: f64,
    data: Vec<(f32, f32)>,
    chains: Settings,
    setup: Batch,
}

/// A target's kernel with what every launch of it shares.
struct Potential {
    kernel: &'static Kernel,
    consts: Vec<u32>,
    /// Buffers before the weights.
    fixed: Vec<Buf>,
    /// Words of a step's data: none where the loss is exact, but a feed is never empty.
    feed_len: usize,
}

impl Potential {
    fn new(plan: &mut Plan, target: &Target, seed: u32, setup: &mut Batch) -> Self {
        let count = target.count() as u32;
        let (kernel, consts) = match target {
            Target::Quadratic(_) => (&MONOMIALS, vec![count, count]),
            Target::Power(_) | Target::Crossing(..) => (&MONOMIALS, vec![count, 1]),
            Target::DeepLinear(widths, _) => {
                let mut consts: Vec<u32> = widths.iter().map(|&h| h as u32).collect();
                consts.resize(DEEP_LINEAR.consts.len(), 0);
                (&DEEP_LINEAR, consts)
            }
            Target::Bigram(v) => (&BIGRAM, vec![*v as u32]),
            Target::Linreg(_) => (&LINREG, Vec::new()),
            Target::Superposition(c, ..) => (&SUPERPOSITION, vec![*c as u32]),
            Target::Tanh(h) => (&TANH, vec![*h as u32, POINTS as u32]),
        };
        let mut fixed = Vec::new();
        let numbers: Vec<f32> = target.fixed(seed).iter().map(|&x| x as f32).collect();
        if !numbers.is_empty() {
            let buf = plan.host_f32("fixed", numbers.len());
            setup.floats.push((buf, 0, numbers));
            fixed.push(buf);
        }
        if let Some(powers) = target.powers() {
            let buf = plan.host_u32("powers", powers.len());
            setup.words.push((buf, 0, powers));
            fixed.push(buf);
        }
        Self {
            kernel,
            consts,
            fixed,
            feed_len: 1,
        }
    }

    /// Appends one launch on `batch` samples of data, where the target has data.
    fn push(&self, plan: &mut Plan, prog: Prog, batch: usize, io: &Io) -> Result<(), PlanError> {
        let outer = [io.weights, io.grads, io.stats];
        if *self.kernel == LINREG {
            let buffers = [&[io.feed], &outer[..]].concat();
            return plan.push(prog, self.kernel, &[batch as u32], &[1], &buffers);
        }
        let buffers = [&self.fixed[..], &outer[..]].concat();
        plan.push(prog, self.kernel, &self.consts, &[], &buffers)
    }

    /// Words of data on `batch` samples.
    fn words(&self, batch: usize) -> usize {
        if *self.kernel == LINREG {
            2 * batch
        } else {
            self.feed_len
        }
    }
}

/// What a launch reads and writes.
struct Io {
    feed: Buf,
    weights: Buf,
    grads: Buf,
    stats: Buf,
}

impl Io {
    fn job(&self, program: Prog, replicas: Vec<Replica>, feed_len: usize, slots: usize) -> Job {
        Job {
            program,
            replicas,
            feed: self.feed,
            rows: 1,
            feed_len,
            slots,
            stats: self.stats,
        }
    }
}

/// Slots of the chains' feed.
pub fn slots(batch: usize) -> usize {
    (FEED / (2 * batch)).clamp(1, SLOTS)
}

/// Builds the lab.
///
/// # Errors
/// A mistake of the program; nothing here can outgrow a device.
pub fn build(knobs: &Knobs) -> Result<Parts, Fault> {
    let target = Target::of(knobs);
    let seed = knobs.int("seed") as u32;
    let with = Settings::of(knobs);
    let (mut plan, mut setup) = (Plan::default(), Batch::default());
    let count = target.count();
    let data = match target {
        Target::Linreg(n) => samples(seed, n),
        _ => Vec::new(),
    };
    let potential = Potential::new(&mut plan, &target, seed, &mut setup);
    let params = plan.host_f32("params", count);
    let velocity = plan.host_f32("velocity", count);

    // Nothing is trained; the program is what a descent from w* would be.
    let one = |plan: &mut Plan, name: &'static str| {
        let words = potential.words(data.len());
        let io = Io {
            feed: plan.host_u32(format!("{name}.feed"), words),
            weights: params,
            grads: plan.f32(format!("{name}.grads"), count),
            stats: plan.f32(format!("{name}.stats"), STATS),
        };
        let program = plan.program(name, 1);
        potential.push(plan, program, data.len(), &io)?;
        let replica = Replica {
            seed,
            ..Replica::default()
        };
        Ok::<_, PlanError>((io.job(program, vec![replica], words, 1), io))
    };
    let (train, io) = one(&mut plan, "train")?;
    let update = Update {
        count,
        splits: 1,
        grads: io.grads,
        weights: params,
    };
    optim::sgd(&mut plan, train.program, &update, 0.0, velocity)?;
    let (eval, _) = one(&mut plan, "eval")?;

    let lab = Gallery {
        seed,
        curvature: target.curvature(seed),
        start: target.start(seed).iter().map(|&w| w as f32).collect(),
        data,
        chains: with,
        setup,
    };
    let chains = if with.chains == 0 {
        None
    } else {
        let slots = slots(with.mbatch);
        let words = potential.words(with.mbatch);
        let buffers = Chains::new(&mut plan, &with, count, 1, slots);
        let io = Io {
            feed: plan.host_u32("chains.feed", slots * words),
            weights: buffers.params,
            grads: buffers.grads,
            stats: plan.f32("chains.stats", slots * with.replicas() * STATS),
        };
        let program = plan.program("chains", with.replicas());
        potential.push(&mut plan, program, with.mbatch, &io)?;
        buffers.sample(&mut plan, program, io.stats)?;
        Some(ChainJob {
            job: io.job(program, lab.chain_replicas(0, 0), words, slots),
            buffers,
            settings: with,
            groups: vec![0; count],
        })
    };
    let mut arena = Arena::default();
    arena.push("w", &[count]);
    Ok(Parts {
        reads: vec![(eval.stats, 0..STATS)],
        plan,
        arena,
        params,
        moments: vec![("velocity", velocity)],
        train,
        eval: Some(eval),
        token_losses: None,
        writer: None,
        probes: Probes::default(),
        chains,
        steps: 0,
        evals: vec![0],
        checkpoints: vec![0],
        follow: 0,
        lab: Box::new(lab),
    })
}

impl Lab for Gallery {
    fn initial(&self) -> Vec<f32> {
        self.start.clone()
    }

    fn setup(&self) -> Batch {
        self.setup.clone()
    }

    fn feed(&self, of: Of, step: u64, out: &mut Vec<u32>) {
        let (n, m) = (self.data.len(), self.chains.mbatch);
        let bits = |&(x, y): &(f32, f32)| [x.to_bits(), y.to_bits()];
        match of {
            _ if n == 0 => out.push(0),
            Of::Chains { checkpoint, .. } if m < n => {
                let seed = chain_seed(self.seed, checkpoint, u32::MAX);
                let mut draws = Draws::new(seed, Stream::ChainData, step as u32);
                for _ in 0..m {
                    let sample = self.data.get(draws.index(n as u32) as usize);
                    out.extend(sample.map_or([0; 2], bits));
                }
            }
            _ => out.extend(self.data.iter().flat_map(bits)),
        }
    }

    fn step(&self, of: Of, step: u64) -> Step {
        match of {
            Of::Train | Of::Eval => optim::step(step, 1.0, [0.0; 2]),
            Of::Chains { .. } => optim::chain_step(step, self.chains.burnin),
        }
    }

    fn observe(&self, _: u64, _: usize, _: &[f32], reads: &[Vec<f32>]) -> Observation {
        let loss = reads.first().and_then(|r| r.first());
        Observation {
            values: loss
                .map(|&x| ("loss".into(), f64::from(x)))
                .into_iter()
                .collect(),
            ..Observation::default()
        }
    }

    fn curvature(&self) -> Option<f64> {
        Some(self.curvature)
    }

    fn walks(&self) -> bool {
        true
    }

    fn chain_replicas(&self, checkpoint: u64, _follow: usize) -> Vec<Replica> {
        let seed = |chain| chain_seed(self.seed, checkpoint, chain);
        self.chains.table(!0, seed)
    }
}

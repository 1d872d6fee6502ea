//! Builds the plan: 16 replicas trained side by side, and chains around one of them.

use super::card::Settings;
use crate::experiments::chains::Chains;
use crate::experiments::{ChainJob, Job, Lab, Observation, Of, Parts, Probes, STATS, looks};
use crate::kernels::{Replica, Step, tms::TMS};
use crate::knobs::Knobs;
use crate::math::philox::{Draws, Stream};
use crate::model::tms;
use crate::optim::{self, Update};
use crate::plan::{Buf, Plan, PlanError};
use crate::protocol::{Fault, Figure};
use crate::tasks::order::chain_seed;
use crate::tasks::tms::{Sample, batch, chain_batch, data_set, push};
use std::f64::consts::TAU;

/// Inputs of logit-PCA: 256 × 10 features are well below 8192 numbers.
const PROBES: usize = 256;

struct Tms {
    s: Settings,
    /// By replica.
    data: Vec<Vec<Sample>>,
    probes: Vec<Sample>,
}

/// A launch of the model over its own feed, gradients and losses.
struct Pass {
    feed: Buf,
    grads: Buf,
    stats: Buf,
}

/// Shape of one job.
struct Shape {
    replicas: usize,
    rows: usize,
    batch: usize,
    slots: usize,
}

impl Shape {
    fn feed_len(&self) -> usize {
        2 * self.batch
    }
    fn pass(&self, plan: &mut Plan, name: &str, grads: Buf) -> Pass {
        Pass {
            feed: plan.host_u32(
                format!("{name}.feed"),
                self.slots * self.rows * self.feed_len(),
            ),
            grads,
            stats: plan.f32(format!("{name}.stats"), self.slots * self.replicas * STATS),
        }
    }
    fn job(&self, program: crate::plan::Prog, replicas: Vec<Replica>, pass: &Pass) -> Job {
        Job {
            program,
            replicas,
            feed: pass.feed,
            rows: self.rows,
            feed_len: self.feed_len(),
            slots: self.slots,
            stats: pass.stats,
        }
    }
}

/// Builds the lab.
///
/// # Errors
/// A mistake of the program; nothing here can outgrow a device.
pub fn build(knobs: &Knobs) -> Result<Parts, Fault> {
    let s = Settings::of(knobs);
    let (c, count) = (s.features, 3 * s.features);
    let mut plan = Plan::default();
    let params = plan.host_f32("params", s.replicas * count);
    let velocity = plan.host_f32("velocity", s.replicas * count);
    let forward =
        |plan: &mut Plan, prog, weights, pass: &Pass, shape: &Shape| -> Result<(), PlanError> {
            let consts = [c as u32, shape.batch as u32];
            plan.push(
                prog,
                &TMS,
                &consts,
                &[shape.rows as u32],
                &[pass.feed, weights, pass.grads, pass.stats],
            )
        };

    let shape = Shape {
        replicas: s.replicas,
        rows: s.replicas,
        batch: s.batch,
        slots: s.train_slots(),
    };
    let grads = plan.f32("train.grads", s.replicas * count);
    let pass = shape.pass(&mut plan, "train", grads);
    let program = plan.program("train", s.replicas);
    forward(&mut plan, program, params, &pass, &shape)?;
    let update = Update {
        count,
        splits: 1,
        grads: pass.grads,
        weights: params,
    };
    optim::sgd(&mut plan, program, &update, s.momentum, velocity)?;
    let replica = |r: usize| Replica {
        seed: s.seed_of(r),
        data_row: r as u32,
        lr: s.lr as f32,
        ..Replica::default()
    };
    let table: Vec<Replica> = (0..s.replicas).map(replica).collect();
    let train = shape.job(program, table.clone(), &pass);

    // The gradient of an evaluation is computed and dropped: a second kernel would cost more.
    let shape = Shape {
        replicas: s.replicas,
        rows: s.replicas,
        batch: s.n,
        slots: 1,
    };
    let grads = plan.f32("eval.grads", s.replicas * count);
    let pass = shape.pass(&mut plan, "eval", grads);
    let program = plan.program("eval", s.replicas);
    forward(&mut plan, program, params, &pass, &shape)?;
    let eval = shape.job(program, table, &pass);

    let lab = Tms::new(s);
    let chains = if s.sampling.chains == 0 {
        None
    } else {
        let with = s.sampling;
        let shape = Shape {
            replicas: with.replicas(),
            rows: 1,
            batch: with.mbatch,
            slots: s.chain_slots(),
        };
        let buffers = Chains::new(&mut plan, &with, count, 1, shape.slots);
        let pass = shape.pass(&mut plan, "chains", buffers.grads);
        let program = plan.program("chains", shape.replicas);
        forward(&mut plan, program, buffers.params, &pass, &shape)?;
        buffers.sample(&mut plan, program, pass.stats)?;
        let job = shape.job(program, lab.chain_replicas(0, s.member), &pass);
        Some(ChainJob {
            job,
            buffers,
            settings: with,
            groups: tms::groups(c),
        })
    };

    Ok(Parts {
        reads: vec![(eval.stats, 0..s.replicas * STATS)],
        plan,
        arena: tms::arena(c),
        params,
        moments: vec![("velocity", velocity)],
        train,
        eval: Some(eval),
        token_losses: None,
        writer: None,
        probes: Probes::default(),
        chains,
        steps: s.steps,
        evals: s.evals(),
        checkpoints: s.checkpoints(),
        follow: s.member,
        lab: Box::new(lab),
    })
}

impl Tms {
    fn new(s: Settings) -> Self {
        let features = s.features as u32;
        let mut draws = looks();
        Self {
            data: (0..s.replicas)
                .map(|r| data_set(s.seed_of(r), features, s.n))
                .collect(),
            probes: (0..PROBES)
                .map(|_| (draws.index(features), draws.unit() as f32))
                .collect(),
            s,
        }
    }
    /// Initial weights of one seed.
    fn start(&self, seed: u32) -> Vec<f32> {
        let (s, mut draws) = (&self.s, Draws::new(seed, Stream::Init, 0));
        let (mut w, sd) = if s.kgon {
            (
                tms::regular(s.gon, s.features, TAU * draws.unit(), s.dead),
                s.jitter,
            )
        } else {
            (vec![0.0; 3 * s.features], s.sigma)
        };
        // A random start leaves the biases at 0: a negative one could be dead from the beginning.
        let noisy = if s.kgon { w.len() } else { 2 * s.features };
        w[..noisy]
            .iter_mut()
            .for_each(|w| *w += sd * draws.normal());
        w.into_iter().map(|w| w as f32).collect()
    }
    fn data_of(&self, replica: usize) -> &[Sample] {
        self.data.get(replica).map_or(&[], Vec::as_slice)
    }
}

impl Lab for Tms {
    fn initial(&self) -> Vec<f32> {
        (0..self.s.replicas)
            .flat_map(|r| self.start(self.s.seed_of(r)))
            .collect()
    }

    fn feed(&self, of: Of, step: u64, out: &mut Vec<u32>) {
        match of {
            Of::Train => {
                for (r, data) in self.data.iter().enumerate() {
                    batch(self.s.seed_of(r), step, data, self.s.batch, out);
                }
            }
            Of::Eval => self
                .data
                .iter()
                .for_each(|data| push(data.iter().copied(), out)),
            Of::Chains { checkpoint, follow } => {
                let (seed, data) = (self.s.seed_of(follow), self.data_of(follow));
                chain_batch(seed, checkpoint, step, data, self.s.sampling.mbatch, out);
            }
        }
    }

    fn step(&self, of: Of, step: u64) -> Step {
        match of {
            Of::Chains { .. } => optim::chain_step(step, self.s.sampling.burnin),
            Of::Train | Of::Eval => optim::step(step, 1.0, [0.0; 2]),
        }
    }

    fn observe(
        &self,
        _step: u64,
        follow: usize,
        weights: &[f32],
        reads: &[Vec<f32>],
    ) -> Observation {
        let (c, stats) = (
            self.s.features,
            reads.first().map_or(&[][..], Vec::as_slice),
        );
        let mut seen = Observation::default();
        let mut gons = Vec::with_capacity(self.s.replicas);
        for (r, w) in weights.chunks_exact(3 * c).enumerate() {
            let w: Vec<f64> = w.iter().copied().map(f64::from).collect();
            let prefix = if r == 0 {
                String::new()
            } else {
                format!("replicas/{r}/")
            };
            let loss = stats.get(STATS * r).map_or(f64::NAN, |&x| f64::from(x));
            seen.values.push((format!("{prefix}loss"), loss));
            seen.values.push((
                format!("{prefix}loss.population"),
                tms::population_loss(c, &w),
            ));
            let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
            seen.values.push((format!("{prefix}norm"), norm));
            gons.push(tms::gon(c, &w));
            if r == follow {
                for &(i, u) in &self.probes {
                    tms::outputs(c, &w, i as usize, f64::from(u), &mut seen.pca_row);
                }
            }
        }
        seen.figure = Some(Figure::Superposition {
            features: c,
            weights: weights.to_vec(),
            gons,
        });
        seen
    }

    fn looked(&self, _follow: usize) -> Vec<u32> {
        // What is drawn from it is the same for every seed.
        vec![self.s.features as u32]
    }

    fn mask(&self, part: &str) -> Option<u64> {
        tms::PARTS.contains(&part).then(|| tms::mask(part))
    }

    fn chain_replicas(&self, checkpoint: u64, follow: usize) -> Vec<Replica> {
        let seed = self.s.seed_of(follow);
        let part = tms::mask(self.s.sampling.part);
        self.s
            .sampling
            .table(part, |chain| chain_seed(seed, checkpoint, chain))
    }
}

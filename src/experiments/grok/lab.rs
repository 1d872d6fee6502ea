//! Builds the plan: one model, all pairs evaluated, chains around its checkpoints.

use super::settings::Settings;
use crate::experiments::chains::Chains;
use crate::experiments::{ChainJob, Job, Lab, Observation, Of, Parts, Probes, STATS};
use crate::kernels::{Replica, Step, loss::LOSS, modadd::MODADD};
use crate::knobs::Knobs;
use crate::math::philox::{Draws, Stream};
use crate::model::modadd;
use crate::optim::{self, AdamW, Update};
use crate::plan::{Buf, Plan, PlanError, Prog};
use crate::protocol::{Fault, Figure};
use crate::tasks::modular::{Pairs, chain_batch};
use crate::tasks::order::chain_seed;

/// PyTorch's defaults.
const ADAM: AdamW = AdamW {
    beta1: 0.9,
    beta2: 0.999,
    eps: 1e-8,
};

/// Most numbers in a row of the PCA.
const ROW: usize = 8192;

/// Classes of a pair in a feed: `nn/loss` takes the means of the second and third apart.
const COUNTS: u32 = 1;
const TRAINED: u32 = 2;
const HELD_OUT: u32 = 3;

/// One job's model: a launch of the kernel over its own feed, and the mean of its losses.
struct Pass {
    program: Prog,
    replicas: usize,
    batch: usize,
    slots: usize,
    feed: Buf,
    stats: Buf,
    hits: Buf,
}

impl Pass {
    /// Appends loss and, where there is room for it in so many splits, gradient.
    fn new(
        plan: &mut Plan,
        name: &'static str,
        s: &Settings,
        (weights, grads): (Buf, Option<(Buf, usize)>),
        (replicas, batch, slots): (usize, usize, usize),
    ) -> Result<Self, PlanError> {
        let (model, program) = (s.model, plan.program(name, replicas));
        let feed = plan.host_u32(format!("{name}.feed"), slots * 2 * batch);
        let stats = plan.f32(format!("{name}.stats"), slots * replicas * STATS);
        let losses = plan.f32(format!("{name}.losses"), replicas * batch);
        let hits = plan.f32(format!("{name}.hits"), replicas * batch);
        let backward = grads.is_some();
        // Without gradients nothing is shared out but the work: a workgroup a tile.
        let (grads, groups) = match grads {
            Some(with) => with,
            None => (
                plan.f32(format!("{name}.grads"), 0),
                batch.div_ceil(s.tile()),
            ),
        };
        let consts = [
            batch,
            model.p,
            model.embed,
            model.hidden,
            batch,
            groups,
            s.tile(),
            usize::from(backward),
        ];
        let consts = consts.map(|x| x as u32);
        let buffers = [feed, weights, losses, hits, grads];
        plan.push(program, &MODADD, &consts, &[1], &buffers)?;
        let pass = Self {
            program,
            replicas,
            batch,
            slots,
            feed,
            stats,
            hits,
        };
        pass.means(plan, losses, stats)?;
        Ok(pass)
    }
    /// Appends the means of a number a row, over all rows and by class.
    fn means(&self, plan: &mut Plan, of: Buf, to: Buf) -> Result<(), PlanError> {
        let rows = self.batch as u32;
        plan.push(
            self.program,
            &LOSS,
            &[rows, rows],
            &[1],
            &[of, self.feed, to],
        )
    }
    fn job(&self, replicas: Vec<Replica>) -> Job {
        debug_assert_eq!(replicas.len(), self.replicas);
        Job {
            program: self.program,
            replicas,
            feed: self.feed,
            rows: 1,
            feed_len: 2 * self.batch,
            slots: self.slots,
            stats: self.stats,
        }
    }
}

/// Builds the lab.
///
/// # Errors
/// A mistake of the program; nothing here can outgrow a device.
pub fn build(knobs: &Knobs) -> Result<Parts, Fault> {
    let s = Settings::of(knobs);
    let count = s.model.count();
    let mut plan = Plan::default();
    let params = plan.host_f32("params", count);
    let [m, v] = ["adam.m", "adam.v"].map(|name| plan.host_f32(name, count));
    let size = (1, s.batch, Settings::slots(s.batch));
    let splits = Settings::splits(s.batch);
    let grads = plan.f32("train.grads", splits * count);
    let train = Pass::new(
        &mut plan,
        "train",
        &s,
        (params, Some((grads, splits))),
        size,
    )?;
    let update = Update {
        count,
        splits,
        grads,
        weights: params,
    };
    optim::adam(&mut plan, train.program, &update, ADAM, m, v)?;

    let eval = Pass::new(&mut plan, "eval", &s, (params, None), (1, s.pairs(), 1))?;
    let accuracy = plan.f32("eval.accuracy", STATS);
    eval.means(&mut plan, eval.hits, accuracy)?;

    let lab = Grok::new(s);
    let with = s.sampling;
    let chains = if with.chains == 0 {
        None
    } else {
        let (replicas, slots) = (with.replicas(), Settings::slots(with.mbatch));
        let splits = Settings::splits(with.mbatch);
        let buffers = Chains::new(&mut plan, &with, count, splits, slots);
        let size = (replicas, with.mbatch, slots);
        let on = (buffers.params, Some((buffers.grads, splits)));
        let pass = Pass::new(&mut plan, "chains", &s, on, size)?;
        buffers.sample(&mut plan, pass.program, pass.stats)?;
        Some(ChainJob {
            job: pass.job(lab.chain_replicas(0, 0)),
            buffers,
            settings: with,
            groups: s.model.groups(),
        })
    };
    let trained = Replica {
        seed: s.seed,
        mask_lo: !0,
        mask_hi: !0,
        lr: s.lr as f32,
        wd: s.wd as f32,
        ..Replica::default()
    };
    Ok(Parts {
        arena: s.model.arena(),
        params,
        moments: vec![("adam.m", m), ("adam.v", v)],
        train: train.job(vec![trained]),
        reads: vec![(eval.stats, 0..STATS), (accuracy, 0..STATS)],
        eval: Some(eval.job(vec![trained])),
        plan,
        token_losses: None,
        probes: Probes::default(),
        chains,
        steps: s.steps,
        evals: s.evals(),
        checkpoints: s.checkpoints(),
        follow: 0,
        lab: Box::new(lab),
    })
}

struct Grok {
    s: Settings,
    pairs: Pairs,
    /// Pairs whose logits the PCA looks at.
    probes: Vec<u32>,
}

impl Grok {
    fn new(s: Settings) -> Self {
        let all = s.pairs() as u32;
        let mut draws = Draws::new(s.seed, Stream::Probe, 0);
        let probes = (ROW / s.model.p).min(s.pairs());
        Self {
            s,
            pairs: Pairs::new(s.seed, s.model.p as u32, s.frac),
            probes: (0..probes).map(|_| draws.index(all)).collect(),
        }
    }
}

impl Lab for Grok {
    fn initial(&self) -> Vec<f32> {
        self.s.model.init(self.s.seed)
    }

    fn feed(&self, of: Of, step: u64, out: &mut Vec<u32>) {
        let (s, pairs) = (&self.s, &self.pairs);
        match of {
            Of::Train => pairs.batch(s.seed, step, s.batch, out),
            Of::Chains { checkpoint, .. } => {
                let from = if s.sampling.on == "test" {
                    &pairs.test
                } else {
                    &pairs.train
                };
                chain_batch(from, s.seed, checkpoint, step, s.sampling.mbatch, out);
            }
            Of::Eval => {
                out.extend(pairs.train.iter().chain(&pairs.test));
                out.extend(std::iter::repeat_n(TRAINED, pairs.train.len()));
                out.extend(std::iter::repeat_n(HELD_OUT, pairs.test.len()));
                return;
            }
        }
        let rows = if of == Of::Train {
            s.batch
        } else {
            s.sampling.mbatch
        };
        out.extend(std::iter::repeat_n(COUNTS, rows));
    }

    fn step(&self, of: Of, step: u64) -> Step {
        match of {
            Of::Chains { .. } => optim::chain_step(step, self.s.sampling.burnin),
            Of::Train | Of::Eval => optim::step(step, 1.0, [ADAM.beta1, ADAM.beta2]),
        }
    }

    fn observe(
        &self,
        _step: u64,
        _follow: usize,
        weights: &[f32],
        reads: &[Vec<f32>],
    ) -> Observation {
        let model = self.s.model;
        let mean = |read: usize, class: usize| {
            let y = reads.get(read).and_then(|r| r.get(class));
            y.map_or(f64::NAN, |&y| f64::from(y))
        };
        let w: Vec<f64> = weights.iter().copied().map(f64::from).collect();
        let norm = w.iter().map(|w| w * w).sum::<f64>().sqrt();
        let values = [
            ("loss", mean(0, 1)),
            ("loss.test", mean(0, 2)),
            ("accuracy.train", mean(1, 1)),
            ("accuracy.test", mean(1, 2)),
            ("norm", norm),
        ];
        let mut row = Vec::with_capacity(self.probes.len() * model.p);
        for &pair in &self.probes {
            model.logits(&w, pair as usize, &mut row);
        }
        Observation {
            values: values.map(|(id, y)| (id.to_string(), y)).into(),
            pca_row: row.into_iter().map(|x| x as f32).collect(),
            figure: Some(Figure::Spectrum {
                p: model.p,
                shares: model.spectrum(&weights[..model.p * model.embed]),
            }),
        }
    }

    fn chain_replicas(&self, checkpoint: u64, _follow: usize) -> Vec<Replica> {
        let (s, part) = (&self.s, modadd::mask(self.s.sampling.part));
        s.sampling
            .table(part, |chain| chain_seed(s.seed, checkpoint, chain))
    }
}

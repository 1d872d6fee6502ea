//! Builds the plan: models side by side, all pairs evaluated, chains around the checkpoints of one.

use super::settings::Settings;
use crate::experiments::chains::Chains;
use crate::experiments::{ChainJob, Job, Lab, Observation, Of, Parts, Probes, STATS, looks};
use crate::kernels::{Replica, Step, loss::LOSS, modadd::MODADD};
use crate::knobs::Knobs;
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
    rows: usize,
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
        [replicas, rows, batch, slots]: [usize; 4],
    ) -> Result<Self, PlanError> {
        let (model, program) = (s.model, plan.program(name, replicas));
        let feed = plan.host_u32(format!("{name}.feed"), slots * rows * 2 * batch);
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
        plan.push(program, &MODADD, &consts, &[rows as u32], &buffers)?;
        let pass = Self {
            program,
            replicas,
            rows,
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
        let batch = self.batch as u32;
        plan.push(
            self.program,
            &LOSS,
            &[batch, batch],
            &[self.rows as u32],
            &[of, self.feed, to],
        )
    }
    fn job(&self, replicas: Vec<Replica>) -> Job {
        debug_assert_eq!(replicas.len(), self.replicas);
        Job {
            program: self.program,
            replicas,
            feed: self.feed,
            rows: self.rows,
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
    let (count, all) = (s.model.count(), s.replicas);
    let mut plan = Plan::default();
    let params = plan.host_f32("params", all * count);
    let [m, v] = ["adam.m", "adam.v"].map(|name| plan.host_f32(name, all * count));
    let size = [all, all, s.batch, Settings::slots(all * s.batch)];
    let splits = Settings::splits(s.batch);
    let grads = plan.f32("train.grads", all * splits * count);
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

    let size = [all, all, s.pairs(), 1];
    let eval = Pass::new(&mut plan, "eval", &s, (params, None), size)?;
    let accuracy = plan.f32("eval.accuracy", all * STATS);
    eval.means(&mut plan, eval.hits, accuracy)?;

    let lab = Grok::new(s);
    let with = s.sampling;
    let chains = if with.chains == 0 {
        None
    } else {
        let (replicas, slots) = (with.replicas(), Settings::slots(with.mbatch));
        let splits = Settings::splits(with.mbatch);
        let buffers = Chains::new(&mut plan, &with, count, splits, slots);
        let size = [replicas, 1, with.mbatch, slots];
        let on = (buffers.params, Some((buffers.grads, splits)));
        let pass = Pass::new(&mut plan, "chains", &s, on, size)?;
        buffers.sample(&mut plan, pass.program, pass.stats)?;
        Some(ChainJob {
            job: pass.job(lab.chain_replicas(0, s.member)),
            buffers,
            settings: with,
            groups: s.model.groups(),
        })
    };
    let trained = |r: usize| Replica {
        seed: s.seed_of(r),
        data_row: r as u32,
        mask_lo: !0,
        mask_hi: !0,
        lr: s.lr as f32,
        wd: s.wd as f32,
        ..Replica::default()
    };
    let table: Vec<Replica> = (0..all).map(trained).collect();
    Ok(Parts {
        arena: s.model.arena(),
        params,
        moments: vec![("adam.m", m), ("adam.v", v)],
        train: train.job(table.clone()),
        reads: [eval.stats, accuracy].map(|of| (of, 0..all * STATS)).into(),
        eval: Some(eval.job(table)),
        plan,
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

struct Grok {
    s: Settings,
    /// By replica.
    pairs: Vec<Pairs>,
    /// Pairs whose logits the PCA looks at.
    probes: Vec<u32>,
}

impl Grok {
    fn new(s: Settings) -> Self {
        let all = s.pairs() as u32;
        let mut draws = looks();
        let probes = (ROW / s.model.p).min(s.pairs());
        Self {
            s,
            pairs: (0..s.replicas)
                .map(|r| Pairs::new(s.seed_of(r), s.model.p as u32, s.frac))
                .collect(),
            probes: (0..probes).map(|_| draws.index(all)).collect(),
        }
    }
}

impl Lab for Grok {
    fn initial(&self) -> Vec<f32> {
        let all = 0..self.s.replicas;
        all.flat_map(|r| self.s.model.init(self.s.seed_of(r)))
            .collect()
    }

    fn feed(&self, of: Of, step: u64, out: &mut Vec<u32>) {
        let s = &self.s;
        let count = |out: &mut Vec<u32>, rows| out.extend(std::iter::repeat_n(COUNTS, rows));
        match of {
            Of::Train => {
                for (r, pairs) in self.pairs.iter().enumerate() {
                    pairs.batch(s.seed_of(r), step, s.batch, out);
                    count(out, s.batch);
                }
            }
            Of::Chains { checkpoint, follow } => {
                let Some(pairs) = self.pairs.get(follow) else {
                    return;
                };
                let from = if s.sampling.on == "test" {
                    &pairs.test
                } else {
                    &pairs.train
                };
                let (seed, batch) = (s.seed_of(follow), s.sampling.mbatch);
                chain_batch(from, seed, checkpoint, step, batch, out);
                count(out, batch);
            }
            Of::Eval => {
                for pairs in &self.pairs {
                    out.extend(pairs.train.iter().chain(&pairs.test));
                    out.extend(std::iter::repeat_n(TRAINED, pairs.train.len()));
                    out.extend(std::iter::repeat_n(HELD_OUT, pairs.test.len()));
                }
            }
        }
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
        follow: usize,
        weights: &[f32],
        reads: &[Vec<f32>],
    ) -> Observation {
        let model = self.s.model;
        let mut seen = Observation::default();
        for (r, weights) in weights.chunks_exact(model.count()).enumerate() {
            let mean = |read: usize, class: usize| {
                let y = reads.get(read).and_then(|all| all.get(STATS * r + class));
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
            let prefix = match r {
                0 => String::new(),
                r => format!("replicas/{r}/"),
            };
            seen.values
                .extend(values.map(|(id, y)| (format!("{prefix}{id}"), y)));
            if r == follow {
                let mut row = Vec::with_capacity(self.probes.len() * model.p);
                for &pair in &self.probes {
                    model.logits(&w, pair as usize, &mut row);
                }
                seen.pca_row = row.into_iter().map(|x| x as f32).collect();
                seen.figure = Some(Figure::Spectrum {
                    p: model.p,
                    shares: model.spectrum(&weights[..model.p * model.embed]),
                });
            }
        }
        seen
    }

    fn looked(&self, _follow: usize) -> Vec<u32> {
        // What is drawn from it is the same for every seed.
        vec![self.s.model.p as u32]
    }

    fn mask(&self, part: &str) -> Option<u64> {
        modadd::PARTS.contains(&part).then(|| modadd::mask(part))
    }

    fn chain_replicas(&self, checkpoint: u64, follow: usize) -> Vec<Replica> {
        let (seed, part) = (self.s.seed_of(follow), modadd::mask(self.s.sampling.part));
        self.s
            .sampling
            .table(part, |chain| chain_seed(seed, checkpoint, chain))
    }
}

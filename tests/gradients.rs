//! The backward plan against central differences of the forward plan, both through the f64 twins:
//! every parameter tensor of every combination of norm, MLP, activation, positions, smearing, tying and
//! depth.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::exec::cpu::CpuExec;
use lambdahat::kernels::{Replica, Step};
use lambdahat::math::Stream;
use lambdahat::math::philox::Draws;
use lambdahat::model::{Act, Io, Norm, Positions, Spec, Transformer};
use lambdahat::plan::{Buf, Plan, Prog};

const BATCH: usize = 2;
const REPLICAS: usize = 2;

struct Rig {
    exec: CpuExec<f64>,
    spec: Spec,
    prog: Prog,
    params: Buf,
    grads: Buf,
    stats: Buf,
}

impl Rig {
    /// Two replicas with different weights on different rows of data; the second is the one tested.
    fn new(spec: &Spec, scale: f64) -> Self {
        let mut plan = Plan::default();
        let (len, n) = (spec.arena().len(), BATCH * spec.n_ctx);
        let params = plan.host_f32("params", REPLICAS * len);
        let grads = plan.f32("grads", REPLICAS * spec.splits() * len);
        let feed = plan.host_u32("feed", 2 * 2 * n);
        let stats = plan.f32("stats", REPLICAS * 4);
        let head_scale = plan.host_f32("head_scale", REPLICAS * spec.n_layers * spec.n_heads);
        let io = Io {
            params,
            grads: Some(grads),
            feed,
            rows: 2,
            stats,
            head_scale,
            batch: BATCH,
        };
        let model = Transformer::new(&mut plan, spec, io, REPLICAS);
        let prog = plan.program("train", REPLICAS);
        model.forward(&mut plan, prog).unwrap();
        model.backward(&mut plan, prog).unwrap();
        let mut exec = CpuExec::<f64>::new(&plan);
        exec.set_replicas(
            prog,
            &[1, 0].map(|data_row| Replica {
                data_row,
                ..Replica::default()
            }),
        );
        let mut draws = Draws::new(11, Stream::Probe, 0);
        for x in exec.floats_mut(params) {
            *x = scale * draws.normal();
        }
        // Ablation strengths, so that their way into the gradient is seen.
        for x in exec.floats_mut(head_scale) {
            *x = 0.5 + draws.unit();
        }
        for row in exec.words_mut(feed).chunks_exact_mut(2 * n) {
            for i in 0..n {
                row[i] = draws.index(spec.d_vocab as u32);
                let last = i % spec.n_ctx == spec.n_ctx - 1;
                row[n + i] = if last { 0 } else { 1 + draws.index(3) };
            }
        }
        // What no kernel writes stays NaN and is noticed.
        exec.floats_mut(grads).fill(f64::NAN);
        Self {
            exec,
            spec: spec.clone(),
            prog,
            params,
            grads,
            stats,
        }
    }
    fn loss(&mut self) -> f64 {
        self.exec.step(self.prog, Step::default());
        self.exec.floats(self.stats)[4]
    }
    /// The splits of the second replica, added up.
    fn gradient(&mut self) -> Vec<f64> {
        self.loss();
        let len = self.spec.arena().len();
        let splits = self.spec.splits();
        let partials = &self.exec.floats(self.grads)[splits * len..];
        (0..len)
            .map(|i| (0..splits).map(|s| partials[s * len + i]).sum())
            .collect()
    }
    /// Slope of the loss along a direction at the weights.
    fn slope(&mut self, along: &[(usize, f64)]) -> f64 {
        let h = 1e-5;
        let len = self.spec.arena().len();
        let mut at = |sign: f64| {
            let before = self.exec.floats(self.params).to_vec();
            for &(i, d) in along {
                self.exec.floats_mut(self.params)[len + i] += sign * h * d;
            }
            let loss = self.loss();
            self.exec.floats_mut(self.params).copy_from_slice(&before);
            loss
        };
        (at(1.0) - at(-1.0)) / (2.0 * h)
    }
    /// Compares a gradient with slopes: six entries of every tensor, and one direction through all
    /// of it. Says where they first part.
    fn check(&mut self, gradient: &[f64]) -> Result<usize, String> {
        let mut checks = 0;
        for t in self.spec.arena().tensors {
            let mut draws = Draws::new(5, Stream::Probe, t.offset as u32);
            let mut directions: Vec<Vec<(usize, f64)>> = (0..6)
                .map(|_| vec![(t.offset + draws.index(t.len() as u32) as usize, 1.0)])
                .collect();
            directions.push(t.range().map(|i| (i, draws.normal())).collect());
            for along in directions {
                let want = self.slope(&along);
                let got: f64 = along.iter().map(|&(i, d)| gradient[i] * d).sum();
                let near = (got - want).abs() <= 2e-7 * (1.0 + want.abs());
                // NaN is not near.
                if !near {
                    return Err(format!("{}: gradient {got}, slope {want}", t.name));
                }
                checks += 1;
            }
        }
        Ok(checks)
    }
}

fn specs() -> Vec<Spec> {
    let mut out = Vec::new();
    for n_layers in [1, 2] {
        for norm in [Norm::None, Norm::LayerNorm] {
            for positions in [
                Positions::Learned,
                Positions::Shortformer,
                Positions::Rotary,
            ] {
                let mlps = [Act::Relu, Act::Gelu, Act::Solu].map(|act| (12, act));
                for (d_mlp, act) in [(0, Act::Relu)].into_iter().chain(mlps) {
                    let (d_vocab, n_ctx, d_model, n_heads, d_head) = (7, 6, 8, 2, 4);
                    out.push(Spec {
                        d_vocab,
                        n_ctx,
                        d_model,
                        n_layers,
                        n_heads,
                        d_head,
                        d_mlp,
                        act,
                        norm,
                        positions,
                        smear: false,
                        tied: false,
                        init: 1.0,
                    });
                }
            }
        }
    }
    let with = |change: fn(&mut Spec), from: &[Spec]| -> Vec<Spec> {
        let mut all = from.to_vec();
        all.iter_mut().for_each(change);
        all
    };
    out.extend(with(|s| s.smear = true, &out));
    out.extend(with(|s| s.tied = true, &out));
    out
}

#[test]
fn the_backward_plan_is_the_slope_of_the_forward_plan() {
    let mut checks = 0;
    for spec in specs() {
        let mut rig = Rig::new(&spec, 0.4);
        let gradient = rig.gradient();
        checks += rig
            .check(&gradient)
            .unwrap_or_else(|e| panic!("{spec:?}\n{e}"));
    }
    assert_eq!(specs().len(), 192);
    assert!(checks > 15_000, "only {checks} comparisons");
}

/// Odd shapes: a head width that is not a multiple of four, splits that do not divide the rows.
#[test]
fn odd_sizes_and_several_splits() {
    let spec = Spec {
        d_vocab: 37,
        n_ctx: 11,
        d_model: 30,
        n_layers: 1,
        n_heads: 3,
        d_head: 7,
        d_mlp: 41,
        act: Act::Solu,
        norm: Norm::LayerNorm,
        positions: Positions::Shortformer,
        smear: true,
        tied: true,
        init: 1.0,
    };
    assert!(spec.splits() > 1);
    let mut rig = Rig::new(&spec, 0.2);
    let gradient = rig.gradient();
    rig.check(&gradient).unwrap();
}

/// The check turns red: one entry of one tensor scaled by 1.01, in each tensor in turn.
#[test]
fn a_wrong_gradient_is_rejected() {
    let spec = specs().pop().unwrap();
    let mut rig = Rig::new(&spec, 0.4);
    let gradient = rig.gradient();
    for t in spec.arena().tensors {
        let mut wrong = gradient.clone();
        wrong[t.range()].iter_mut().for_each(|g| *g *= 1.01);
        let error = rig.check(&wrong).expect_err(&t.name);
        assert!(
            error.starts_with(&t.name),
            "{error} blames another tensor than {}",
            t.name
        );
    }
}

/// Launches of a training step, without the optimiser's one.
#[test]
fn launches_stay_within_the_budget() {
    let count = |spec: &Spec| {
        let mut rig = Rig::new(spec, 0.1);
        rig.loss();
        rig.exec.counters.dispatches
    };
    assert_eq!(count(&Spec::default()), 22);
    let small = Spec {
        n_layers: 1,
        d_vocab: 32,
        n_ctx: 16,
        d_mlp: 256,
        norm: Norm::LayerNorm,
        ..Spec::default()
    };
    assert_eq!(count(&small), 23);
}

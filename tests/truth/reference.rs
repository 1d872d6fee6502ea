//! The reference values of `experiments/truth/reference.rs`: long MALA chains in f64, written apart
//! from the program's samplers; only the potentials are its own.

use super::{build, knobs};
use lambdahat::exec::cpu::CpuExec;
use lambdahat::experiments::Parts;
use lambdahat::experiments::truth::Target;
use lambdahat::kernels::{Replica, Step};
use lambdahat::knobs::Knobs;
use lambdahat::math::Stream;
use lambdahat::math::philox::Draws;
use lambdahat::plan::{Buf, Prog};

/// A potential in f64.
pub struct Engine {
    exec: CpuExec<f64>,
    program: Prog,
    params: Buf,
    grads: Buf,
    stats: Buf,
}

/// The potential of a lab, its fixed numbers in f64 too.
pub fn engine(parts: &Parts, k: &Knobs) -> Engine {
    let mut exec = CpuExec::<f64>::new(&parts.plan);
    let named = |name: &str| {
        parts
            .plan
            .buffers
            .iter()
            .position(|b| b.name == name)
            .map(Buf)
    };
    let eval = parts.eval.as_ref().unwrap();
    let target = Target::of(k);
    if let Some(fixed) = named("fixed") {
        exec.floats_mut(fixed)
            .copy_from_slice(&target.fixed(k.int("seed") as u32));
    }
    if let (Some(buf), Some(powers)) = (named("powers"), target.powers()) {
        exec.words_mut(buf).copy_from_slice(&powers);
    }
    exec.set_replicas(eval.program, &[Replica::default()]);
    Engine {
        exec,
        program: eval.program,
        params: parts.params,
        grads: named("eval.grads").unwrap(),
        stats: eval.stats,
    }
}

impl Engine {
    fn eval(&mut self, w: &[f64]) -> (f64, &[f64]) {
        self.exec.floats_mut(self.params).copy_from_slice(w);
        self.exec.step(self.program, Step::default());
        (
            self.exec.floats(self.stats)[0],
            self.exec.floats(self.grads),
        )
    }
    /// The loss, and the greatest slope along a parameter.
    pub fn at(&mut self, w: &[f64]) -> (f64, f64) {
        let (loss, grads) = self.eval(w);
        (loss, grads.iter().fold(0.0, |m, g| g.abs().max(m)))
    }
}

/// A chain's means, and the share of proposals it took.
type Run = ([f64; 4], f64);

/// One chain's means of nβ(L − L*), and of f = ‖∇U‖² − 2ΔU and their product over every 64th state.
fn chain(engine: &mut Engine, start: &[f64], k: &Knobs, eps: f64, steps: u64, seed: u32) -> Run {
    let (nbeta, gamma) = (k.float("nbeta"), k.float("gamma"));
    let base = engine.eval(start).0;
    let mut draws = Draws::new(seed, Stream::Noise, 0);
    // U − U* and its gradient.
    let mut at = |w: &[f64]| {
        let (loss, grads) = engine.eval(w);
        let off: Vec<f64> = w.iter().zip(start).map(|(w, s)| w - s).collect();
        let slope: Vec<f64> = grads
            .iter()
            .zip(&off)
            .map(|(g, d)| nbeta * g + gamma * d)
            .collect();
        let spring: f64 = off.iter().map(|d| d * d).sum();
        (
            nbeta * (loss - base),
            nbeta * (loss - base) + 0.5 * gamma * spring,
            slope,
        )
    };
    let mut w = start.to_vec();
    let mut now = at(&w);
    let (mut sum, mut n, mut accepted) = (0.0, 0.0, 0.0);
    let mut thin = [0.0; 4];
    for step in 0..steps {
        let next: Vec<f64> = w
            .iter()
            .zip(&now.2)
            .map(|(w, g)| w - 0.5 * eps * g + eps.sqrt() * draws.normal())
            .collect();
        let then = at(&next);
        let cost = |from: &[f64], g: &[f64], to: &[f64]| -> f64 {
            let gap = from
                .iter()
                .zip(g)
                .zip(to)
                .map(|((f, g), t)| (t - f + 0.5 * eps * g).powi(2));
            gap.sum::<f64>() / (2.0 * eps)
        };
        let log = now.1 - then.1 + cost(&w, &now.2, &next) - cost(&next, &then.2, &w);
        if draws.unit().ln() < log {
            (w, now) = (next, then);
            accepted += 1.0;
        }
        if step < steps / 10 {
            continue;
        }
        sum += now.0;
        n += 1.0;
        if step % 64 == 0 {
            let h = 1e-5;
            let laplacian: f64 = (0..w.len())
                .map(|i| {
                    let mut side = |sign: f64| {
                        let mut v = w.clone();
                        v[i] += sign * h;
                        at(&v).2[i]
                    };
                    (side(1.0) - side(-1.0)) / (2.0 * h)
                })
                .sum();
            let f = now.2.iter().map(|g| g * g).sum::<f64>() - 2.0 * laplacian;
            thin.iter_mut()
                .zip([1.0, now.0, f, now.0 * f])
                .for_each(|(s, x)| *s += x);
        }
    }
    let m = thin[0];
    (
        [sum / n, thin[1] / m, thin[2] / m, thin[3] / m],
        accepted / steps as f64,
    )
}

/// What is recorded: settings, ε of MALA, steps of each of 12 chains.
const RECORDED: &[(&str, f64, u64)] = &[
    (
        "target=dln&widths=3,3,3&rank=1&nbeta=1000&gamma=10",
        1e-3,
        300_000,
    ),
    (
        "target=dln&widths=5,3,5&rank=0&nbeta=1000&gamma=10",
        1e-3,
        200_000,
    ),
    (
        "target=dln&widths=4,4,4,4&rank=1&nbeta=1000&gamma=10",
        6e-4,
        200_000,
    ),
    ("target=bigram&vocab=4&nbeta=1000&gamma=10", 1e-2, 200_000),
    ("target=bigram&vocab=4&nbeta=3000&gamma=10", 4e-3, 200_000),
    ("target=bigram&vocab=8&nbeta=1000&gamma=10", 1e-2, 100_000),
    (
        "target=tms&features=6&gon=5&dead_bias=plus&nbeta=1e5&gamma=1",
        4e-6,
        300_000,
    ),
    (
        "target=tms&features=6&gon=6&nbeta=1e5&gamma=1",
        4e-6,
        300_000,
    ),
    (
        "target=tms&features=5&gon=5&nbeta=1e5&gamma=1",
        4e-6,
        200_000,
    ),
    ("target=tanh&hidden=3&nbeta=1000&gamma=10", 3e-3, 400_000),
    ("target=tanh&hidden=4&nbeta=1000&gamma=10", 3e-3, 400_000),
    ("target=tanh&hidden=1&nbeta=1000&gamma=10", 3e-3, 400_000),
];

/// Prints the rows of the table. Minutes.
#[test]
#[ignore = "makes the recorded table; run it by name"]
fn reference() {
    for (query, eps, steps) in RECORDED {
        let k = knobs(&format!("#/truth?eps=1e-9&{query}"));
        let mut engine = engine(&build(&format!("#/truth?eps=1e-9&{query}")), &k);
        let start = Target::of(&k).start(1);
        let chains = 12;
        let runs: Vec<Run> = (0..chains)
            .map(|c| chain(&mut engine, &start, &k, *eps, *steps, 100 + c))
            .collect();
        let mean = |f: &dyn Fn(&Run) -> f64| runs.iter().map(f).sum::<f64>() / f64::from(chains);
        let value = mean(&|r| r.0[0]);
        let se = (mean(&|r| (r.0[0] - value).powi(2)) / f64::from(chains - 1)).sqrt();
        let slope = (mean(&|r| r.0[3]) - mean(&|r| r.0[1]) * mean(&|r| r.0[2])) / 8.0;
        println!(
            "    row(\"{query}\", {value:.4}, {se:.4}, {slope:.0}.0), // {:.3} accepted",
            mean(&|r| r.1)
        );
    }
}

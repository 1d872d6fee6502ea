//! The transformer against a recorded PyTorch reference (tests/golden/transformer.py): logits,
//! loss, every gradient, and ten AdamW steps, in f64 and in f32.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::exec::cpu::{CpuExec, Precision};
use lambdahat::kernels::Step;
use lambdahat::model::{Act, Io, Norm, Positions, Spec, Transformer};
use lambdahat::plan::{Buf, Plan, Prog};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Config {
    d_vocab: usize,
    n_ctx: usize,
    d_model: usize,
    n_heads: usize,
    d_head: usize,
    batch: usize,
    n_layers: usize,
    d_mlp: usize,
    layernorm: bool,
    act: String,
    tied: bool,
}

#[derive(Deserialize)]
struct AdamW {
    lr: f64,
    beta1: f64,
    beta2: f64,
    eps: f64,
    weight_decay: f64,
}

type Tensors = BTreeMap<String, Vec<f64>>;

#[derive(Deserialize)]
struct Golden {
    config: Config,
    names: Vec<String>,
    weights: Tensors,
    tokens: Vec<u32>,
    logits: Vec<f64>,
    loss: f64,
    grads: Tensors,
    adamw: AdamW,
    losses: Vec<f64>,
    after: Tensors,
}

fn recorded() -> Vec<Golden> {
    serde_json::from_str(include_str!("golden/transformer.json")).unwrap()
}

struct Rig<T> {
    exec: CpuExec<T>,
    spec: Spec,
    prog: Prog,
    params: Buf,
    grads: Buf,
    stats: Buf,
    logits: Buf,
}

impl<T: Precision> Rig<T> {
    fn new(g: &Golden) -> Self {
        let c = &g.config;
        let spec = Spec {
            d_vocab: c.d_vocab,
            n_ctx: c.n_ctx,
            d_model: c.d_model,
            n_layers: c.n_layers,
            n_heads: c.n_heads,
            d_head: c.d_head,
            d_mlp: c.d_mlp,
            act: match c.act.as_str() {
                "relu" => Act::Relu,
                "solu" => Act::Solu,
                _ => Act::Gelu,
            },
            norm: if c.layernorm {
                Norm::LayerNorm
            } else {
                Norm::None
            },
            positions: Positions::Learned,
            smear: false,
            tied: c.tied,
            init: 1.0,
        };
        let (len, n) = (spec.arena().len(), c.batch * c.n_ctx);
        let mut plan = Plan::default();
        let params = plan.host_f32("params", len);
        let grads = plan.f32("grads", spec.splits() * len);
        let feed = plan.host_u32("feed", 2 * n);
        let stats = plan.f32("stats", 4);
        let head_scale = plan.host_f32("head_scale", c.n_layers * c.n_heads);
        let positions = plan.host_u32("positions", n);
        let io = Io {
            params,
            grads: Some(grads),
            feed,
            rows: 1,
            stats,
            head_scale,
            batch: c.batch,
        };
        let model = Transformer::new(&mut plan, &spec, io, 1);
        let prog = plan.program("train", 1);
        model.forward(&mut plan, prog).unwrap();
        let logits = model.logits(&mut plan, prog, positions, n).unwrap();
        model.backward(&mut plan, prog).unwrap();
        let mut exec = CpuExec::<T>::new(&plan);
        exec.floats_mut(head_scale).fill(T::one());
        for (i, word) in exec.words_mut(positions).iter_mut().enumerate() {
            *word = i as u32;
        }
        let classes = (0..n).map(|i| u32::from(i % c.n_ctx < c.n_ctx - 1));
        let words: Vec<u32> = g.tokens.iter().copied().chain(classes).collect();
        exec.words_mut(feed).copy_from_slice(&words);
        assert_eq!(
            spec.arena()
                .tensors
                .iter()
                .map(|t| &t.name)
                .collect::<Vec<_>>(),
            g.names.iter().collect::<Vec<_>>()
        );
        let flat: Vec<T> = g
            .names
            .iter()
            .flat_map(|n| &g.weights[n])
            .map(|&w| T::of(w))
            .collect();
        exec.floats_mut(params).copy_from_slice(&flat);
        Self {
            exec,
            spec,
            prog,
            params,
            grads,
            stats,
            logits,
        }
    }
    fn step(&mut self) -> f64 {
        self.exec.step(self.prog, Step::default());
        self.exec.floats(self.stats)[0].f64()
    }
    fn gradient(&self) -> Vec<f64> {
        let len = self.spec.arena().len();
        let grads = self.exec.floats(self.grads);
        (0..len)
            .map(|i| grads[i..].iter().step_by(len).map(|g| g.f64()).sum())
            .collect()
    }
}

/// The first tensor whose largest |a − b|/(1 + |b|) is over the tolerance. NaN is.
fn parted(spec: &Spec, got: &[f64], want: &Tensors, tolerance: f64) -> Option<String> {
    spec.arena().tensors.iter().find_map(|t| {
        let rows = got[t.range()].iter().zip(&want[&t.name]);
        let ok = rows.fold(true, |ok, (a, b)| {
            ok && (a - b).abs() <= tolerance * (1.0 + b.abs())
        });
        (!ok).then(|| t.name.clone())
    })
}

/// Runs everything recorded; says what does not agree.
fn compare<T: Precision>(g: &Golden, tolerance: f64) -> Result<(), String> {
    let mut rig = Rig::<T>::new(g);
    let near = |a: f64, b: f64| (a - b).abs() <= tolerance * (1.0 + b.abs());
    let loss = rig.step();
    if !near(loss, g.loss) {
        return Err(format!("loss {loss}, recorded {}", g.loss));
    }
    let logits = rig.exec.floats(rig.logits);
    if logits.len() != g.logits.len()
        || !logits.iter().zip(&g.logits).all(|(a, &b)| near(a.f64(), b))
    {
        return Err("logits".into());
    }
    if let Some(name) = parted(&rig.spec, &rig.gradient(), &g.grads, tolerance) {
        return Err(format!("gradient of {name}"));
    }
    // PyTorch's AdamW, written out: decay first, then the bias-corrected moments.
    let len = rig.spec.arena().len();
    let (mut m, mut v) = (vec![0.0; len], vec![0.0; len]);
    let a = &g.adamw;
    for (t, &recorded) in g.losses.iter().enumerate() {
        let loss = rig.step();
        if !near(loss, recorded) {
            return Err(format!("loss {loss} at step {t}, recorded {recorded}"));
        }
        let gradient = rig.gradient();
        let (c1, c2) = (
            1.0 - a.beta1.powi(t as i32 + 1),
            1.0 - a.beta2.powi(t as i32 + 1),
        );
        for (i, w) in rig.exec.floats_mut(rig.params).iter_mut().enumerate() {
            m[i] = a.beta1 * m[i] + (1.0 - a.beta1) * gradient[i];
            v[i] = a.beta2 * v[i] + (1.0 - a.beta2) * gradient[i] * gradient[i];
            let update = (m[i] / c1) / ((v[i] / c2).sqrt() + a.eps);
            *w = T::of(w.f64() * (1.0 - a.lr * a.weight_decay) - a.lr * update);
        }
    }
    let after: Vec<f64> = rig
        .exec
        .floats(rig.params)
        .iter()
        .map(|w| w.f64())
        .collect();
    parted(&rig.spec, &after, &g.after, tolerance).map_or(Ok(()), |n| Err(format!("{n} after")))
}

#[test]
fn pytorch_agrees_in_f64() {
    for g in recorded() {
        compare::<f64>(&g, 1e-9).unwrap();
    }
}

/// Adam divides by the root of small squares, so ten f32 steps part further than one gradient does.
#[test]
fn pytorch_agrees_in_f32() {
    for g in recorded() {
        compare::<f32>(&g, 2e-4).unwrap();
    }
}

/// The comparison turns red at each thing it compares.
#[test]
fn a_changed_record_is_rejected() {
    let fault = |change: &dyn Fn(&mut Golden)| {
        let mut g = recorded().remove(0);
        change(&mut g);
        compare::<f64>(&g, 1e-9).unwrap_err()
    };
    assert_eq!(fault(&|g| g.logits[7] += 1e-6), "logits");
    let b_in = "blocks.0.mlp.b_in";
    assert!(fault(&|g| g.grads.get_mut(b_in).unwrap()[3] += 1e-6).contains(b_in));
    assert!(fault(&|g| g.losses[9] += 1e-6).contains("step 9"));
    assert!(fault(&|g| g.adamw.weight_decay = 0.0).contains("step"));
    let w_pos = "pos_embed.W_pos";
    assert!(fault(&|g| g.after.get_mut(w_pos).unwrap()[0] += 1e-6).contains("W_pos after"));
}

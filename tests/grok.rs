//! Modular addition: gradients through the whole chain, what an evaluation means, Adam with L2
//! decay, and that a small run learns what it was shown.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::exec::cpu::{CpuExec, Precision};
use lambdahat::experiments::{self, Job, Of, Parts, STATS};
use lambdahat::kernels::{Kernel, Replica};
use lambdahat::knobs::Knobs;
use lambdahat::math::Stream;
use lambdahat::math::philox::Draws;
use lambdahat::model::modadd::ModAdd;
use lambdahat::optim::{self, AdamW, Update};
use lambdahat::plan::{Buf, Plan};

fn knobs(query: &str) -> Knobs {
    let card = experiments::card("grok").unwrap();
    let mut knobs = Knobs::defaults(card.knobs);
    for (key, value) in query.split('&').filter_map(|kv| kv.split_once('=')) {
        assert_eq!(knobs.set(key, value), None);
    }
    (card.settle)(&mut knobs);
    knobs
}

fn build(query: &str) -> Parts {
    experiments::build("grok", &knobs(query)).unwrap()
}

/// The buffer a program binds under that name to a kernel.
fn bound(parts: &Parts, job: &Job, kernel: &Kernel, name: &str) -> Buf {
    let nodes = &parts.plan.programs[job.program.0].nodes;
    let node = nodes.iter().find(|n| n.kernel == kernel).unwrap();
    let at = kernel.bindings.iter().position(|b| b.name == name).unwrap();
    node.buffers[at]
}

fn step<T: Precision>(exec: &mut CpuExec<T>, parts: &Parts, job: &Job, of: Of, index: u64) {
    let mut words = Vec::new();
    parts.lab.feed(of, index, &mut words);
    assert_eq!(words.len(), job.feed_len);
    exec.words_mut(job.feed)[..words.len()].copy_from_slice(&words);
    exec.step(job.program, parts.lab.step(of, index));
}

/// Central differences in f64 against the gradient of the chains' program, whose replicas stand
/// still at ε = 0: every tensor, at shapes that do not divide one another.
#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    for (p, embed, hidden, mbatch) in [(53, 12, 48, 128), (7, 3, 5, 17), (11, 4, 9, 40)] {
        let parts = build(&format!(
            "p={p}&embed={embed}&hidden={hidden}&mbatch={mbatch}&chains=1"
        ));
        let chains = parts.chains.as_ref().unwrap();
        let (n, job) = (parts.arena.len(), &chains.job);
        let model = &lambdahat::kernels::modadd::MODADD;
        let grads = bound(&parts, job, model, "grads");
        let splits = parts.plan.buffers[grads.0].len / (2 * n);
        let mut exec = CpuExec::<f64>::new(&parts.plan);
        exec.submit(&parts.lab.setup());
        let still = Replica::default();
        exec.set_replicas(job.program, &[still; 2]);
        let mut draws = Draws::new(3, Stream::Probe, 0);
        for w in exec.floats_mut(chains.buffers.params) {
            *w = 0.5 * draws.normal();
        }
        exec.floats_mut(grads).fill(f64::NAN);
        let of = Of::Chains {
            checkpoint: 0,
            follow: 0,
        };
        let mut loss = |at: usize, h: f64| {
            exec.floats_mut(chains.buffers.params)[n + at] += h;
            step(&mut exec, &parts, job, of, 5);
            exec.floats_mut(chains.buffers.params)[n + at] -= h;
            (exec.floats(job.stats)[STATS], exec.floats(grads).to_vec())
        };
        let partials = loss(0, 0.0).1;
        let gradient =
            |i: usize| -> f64 { (0..splits).map(|s| partials[(splits + s) * n + i]).sum() };
        let mut planted: f64 = 0.0;
        for t in &parts.arena.tensors {
            let mut draws = Draws::new(5, Stream::Probe, t.offset as u32);
            for _ in 0..12 {
                let i = t.offset + draws.index(t.len() as u32) as usize;
                let slope = (loss(i, 1e-5).0 - loss(i, -1e-5).0) / 2e-5;
                let off = (slope - gradient(i)).abs();
                assert!(off < 1e-8, "{}: {} against {slope}", t.name, gradient(i));
                planted = planted.max((slope - 1.01 * gradient(i)).abs());
            }
        }
        // Planted: a gradient 1 % too large is told apart.
        assert!(planted > 1e-5, "{planted}");
    }
}

/// The evaluation's losses and accuracies against the plain forward pass of the model.
#[test]
fn an_evaluation_is_the_mean_over_each_part() {
    let parts = build("p=13&embed=4&hidden=10&frac=0.3&chains=0");
    let job = parts.eval.as_ref().unwrap();
    let weights = parts.lab.initial();
    let mut exec = CpuExec::<f32>::new(&parts.plan);
    exec.set_replicas(job.program, &job.replicas);
    exec.floats_mut(parts.params).copy_from_slice(&weights);
    step(&mut exec, &parts, job, Of::Eval, 0);
    let reads: Vec<Vec<f32>> = parts
        .reads
        .iter()
        .map(|(b, r)| exec.floats(*b)[r.clone()].to_vec())
        .collect();
    let seen = parts.lab.observe(0, 0, &weights, &reads);

    let model = ModAdd {
        p: 13,
        embed: 4,
        hidden: 10,
    };
    let wide: Vec<f64> = weights.iter().map(|&w| f64::from(w)).collect();
    let mut words = Vec::new();
    parts.lab.feed(Of::Eval, 0, &mut words);
    let (pairs, classes) = words.split_at(169);
    let mut want = [0.0; 4];
    for (&pair, &class) in pairs.iter().zip(classes) {
        let mut logits = Vec::new();
        model.logits(&wide, pair as usize, &mut logits);
        let answer = (pair as usize / 13 + pair as usize % 13) % 13;
        let top = logits.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = logits.iter().map(|y| y.exp()).sum();
        let (part, size) = if class == 2 { (0, 51.0) } else { (1, 118.0) };
        want[part] += (sum.ln() - logits[answer]) / size;
        want[2 + part] += if logits[answer] == top {
            1.0 / size
        } else {
            0.0
        };
    }
    assert_eq!(classes.iter().filter(|&&c| c == 2).count(), 51);
    for ((id, got), want) in seen.values.iter().zip(want) {
        assert!((got - want).abs() < 1e-5, "{id}: {got}, not {want}");
    }
    let norm = wide.iter().map(|w| w * w).sum::<f64>().sqrt();
    assert_eq!(seen.values[4], ("norm".into(), norm));
}

/// Three steps of two parameters, as torch.optim.Adam(lr, weight_decay) computes them: worked out
/// from its documented recurrence, in f64.
#[test]
fn adam_puts_the_decay_into_the_gradient() {
    let (lr, wd, with) = (
        0.25_f32,
        0.125_f32,
        AdamW {
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
        },
    );
    let steps = |l2: bool| {
        let mut plan = Plan::default();
        let [grads, weights, m, v] = ["g", "w", "m", "v"].map(|n| plan.host_f32(n, 2));
        let prog = plan.program("adam", 1);
        let update = Update {
            count: 2,
            splits: 1,
            grads,
            weights,
        };
        let append = if l2 { optim::adam } else { optim::adamw };
        append(&mut plan, prog, &update, with, m, v).unwrap();
        let mut exec = CpuExec::<f64>::new(&plan);
        let replica = Replica {
            lr,
            wd,
            ..Replica::default()
        };
        exec.set_replicas(prog, &[replica]);
        exec.floats_mut(weights).copy_from_slice(&[2.0, -1.0]);
        for t in 0..3 {
            exec.floats_mut(grads).copy_from_slice(&[1.0, 0.0]);
            exec.step(prog, optim::step(t, 1.0, [with.beta1, with.beta2]));
        }
        exec.floats(weights).to_vec()
    };
    let (mut want, b1, b2) = ([2.0_f64, -1.0], 0.9_f64, 0.999_f64);
    for (w, grad) in want.iter_mut().zip([1.0, 0.0]) {
        let (mut m, mut v) = (0.0, 0.0);
        for t in 1..=3 {
            let g = grad + 0.125 * *w;
            m = b1 * m + (1.0 - b1) * g;
            v = b2 * v + (1.0 - b2) * g * g;
            let (m, v) = (m / (1.0 - b1.powi(t)), v / (1.0 - b2.powi(t)));
            *w -= 0.25 * m / (v.sqrt() + 1e-8);
        }
    }
    let close = |got: &[f64]| got.iter().zip(want).all(|(g, w)| (g - w).abs() < 2e-5);
    assert!(close(&steps(true)), "{:?}, not {want:?}", steps(true));
    // Adam's steps have the length lr whatever the gradient: decay alone moves the second by that.
    assert!((-0.4..-0.1).contains(&want[1]), "{want:?}");
    // Planted: decoupled decay is another optimiser.
    assert!(!close(&steps(false)));
}

/// A small run memorises: the training loss falls to where every answer is right, and the test
/// loss does not follow.
#[test]
fn what_was_shown_is_learnt_by_heart() {
    let parts = build("p=17&embed=8&hidden=32&frac=0.4&chains=0&batch=58&wd=1e-4");
    let mut exec = CpuExec::<f32>::new(&parts.plan);
    exec.set_replicas(parts.train.program, &parts.train.replicas);
    exec.floats_mut(parts.params)
        .copy_from_slice(&parts.lab.initial());
    for index in 0..600 {
        step(&mut exec, &parts, &parts.train, Of::Train, index);
    }
    let job = parts.eval.as_ref().unwrap();
    exec.set_replicas(job.program, &job.replicas);
    step(&mut exec, &parts, job, Of::Eval, 0);
    let stats = exec.floats(job.stats);
    assert!(stats[1] < 0.1, "train {}", stats[1]);
    assert!(stats[2] > 3.0, "test {}", stats[2]);
}

#[test]
fn the_card_counts_the_bytes_of_the_plan() {
    let card = experiments::card("grok").unwrap();
    for query in [
        "",
        "chains=0&frac=0.9&batch=2000",
        "p=97&embed=32&hidden=96&chains=64",
        "replicas=8&member=3",
    ] {
        let knobs = knobs(query);
        let parts = experiments::build("grok", &knobs).unwrap();
        assert_eq!((card.cost)(&knobs).bytes, parts.plan.bytes(), "{query}");
    }
}

/// The largest curvature of the training loss where pairs have just been memorised, by power
/// iteration on differences of gradients: the scale that step sizes are settled by.
#[test]
fn the_stated_curvature_is_that_of_a_memorised_network() {
    let parts = build("chains=1&mbatch=10000");
    let chains = parts.chains.as_ref().unwrap();
    let (n, job) = (parts.arena.len(), &chains.job);
    let mut exec = CpuExec::<f32>::new(&parts.plan);
    exec.set_replicas(parts.train.program, &parts.train.replicas);
    exec.floats_mut(parts.params)
        .copy_from_slice(&parts.lab.initial());
    for index in 0..2000 {
        step(&mut exec, &parts, &parts.train, Of::Train, index);
    }
    let weights: Vec<f64> = exec
        .floats(parts.params)
        .iter()
        .map(|&w| f64::from(w))
        .collect();
    let grads = chains.buffers.grads;
    let splits = chains.buffers.splits;
    let mut exec = CpuExec::<f64>::new(&parts.plan);
    exec.submit(&parts.lab.setup());
    exec.set_replicas(job.program, &[Replica::default(); 2]);
    let mut draws = Draws::new(7, Stream::Probe, 0);
    let mut v: Vec<f64> = (0..n).map(|_| draws.normal()).collect();
    let mut h = 0.0;
    for _ in 0..30 {
        let length = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        v.iter_mut().for_each(|v| *v /= length);
        for (r, sign) in [1e-4, -1e-4].into_iter().enumerate() {
            let row = &mut exec.floats_mut(chains.buffers.params)[r * n..][..n];
            for ((x, w), v) in row.iter_mut().zip(&weights).zip(&v) {
                *x = w + sign * v;
            }
        }
        let of = Of::Chains {
            checkpoint: 0,
            follow: 0,
        };
        step(&mut exec, &parts, job, of, 0);
        let partials = exec.floats(grads);
        let sum = |r: usize, i: usize| -> f64 {
            let at = |s| partials[(r * splits + s) * n + i];
            (0..splits).map(at).sum()
        };
        let product: Vec<f64> = (0..n).map(|i| (sum(0, i) - sum(1, i)) / 2e-4).collect();
        h = v.iter().zip(&product).map(|(a, b)| a * b).sum();
        v = product;
    }
    println!("h {h}");
    let stated = experiments::grok::settings::CURVATURE;
    assert!(
        (stated / 2.0..stated * 2.0).contains(&h),
        "{h}, stated {stated}"
    );
}

//! The sampler against exact values: SGLD through the real kernel's twin on a quadratic, where the
//! value it should return, ε-bias included, is known in closed form.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::estimate::llc::{Llc, llc};
use lambdahat::kernels::{Call, Replica, Slot, Step, optim::SGLD};
use lambdahat::math::philox::{Stream, normal, word};

/// Curvatures h of L = ½ Σ h_i w_i², with w* = 0.
const H: [f64; 5] = [1.0, 0.3, 0.1, 0.03, 0.01];
const NBETA: f64 = 100.0;
const GAMMA: f64 = 1.0;
const EPS: f64 = 5e-3;
const CHAINS: usize = 16;

/// λ̂ of SGLD with full gradients on the quadratic: Σ ½ nβh/(a(1 − εa/4)), a = nβh + γ, over the
/// directions that move. The last factor is the discretisation's stationary variance.
fn exact(nbeta: f64, gamma: f64, eps: f64, moves: impl Fn(usize) -> bool) -> f64 {
    let term = |h: f64| {
        let a = nbeta * h + gamma;
        0.5 * nbeta * h / (a * (1.0 - eps * a / 4.0))
    };
    H.iter()
        .enumerate()
        .filter(|(i, _)| moves(*i))
        .map(|(_, &h)| term(h))
        .sum()
}

/// A sampler's update of `weights [replica][5]` given `grads` of the same shape.
type Update<'a> = &'a dyn Fn(&[Replica], u32, &[f64], &mut [f64]);

/// The real kernel's twin, in f64: one split, w* = 0, group i for parameter i.
fn kernel(table: &[Replica], step: u32, grads: &[f64], weights: &mut [f64]) {
    let groups: Vec<u32> = (0..5).collect();
    let (mut memory, mut sums) = (vec![0.0; 10 * table.len()], vec![0.0; 8 * table.len()]);
    (SGLD.twin.f64)(Call {
        consts: &[5, 1, 0],
        params: &[1, 0, 0],
        step: Step {
            index: step,
            ..Step::default()
        },
        replicas: table,
        slots: vec![
            Slot::F(grads),
            Slot::F(&[0.0; 5]),
            Slot::U(&groups),
            Slot::FMut(weights),
            Slot::FMut(&mut memory),
            Slot::FMut(&mut sums),
        ],
    });
}

/// SGLD with the factors given, written apart from the kernel, to plant mistakes in.
fn planted(
    drift: f64,
    noise: impl Fn(f64) -> f64,
    spring: f64,
    shared: bool,
) -> impl Fn(&[Replica], u32, &[f64], &mut [f64]) {
    move |table, step, grads, weights| {
        for (r, chain) in table.iter().enumerate().filter(|(_, c)| c.eps > 0.0) {
            let [eps, nbeta, gamma] = [chain.eps, chain.nbeta, chain.gamma].map(f64::from);
            let seed = if shared { 1 } else { chain.seed };
            for i in 0..5 {
                let w = weights[5 * r + i];
                let force = nbeta * grads[5 * r + i] + spring * gamma * w;
                let z: f64 = normal(word(seed, Stream::Noise, step, i as u32));
                weights[5 * r + i] = w - drift * eps * force + noise(eps) * z;
            }
        }
    }
}

fn chains(nbeta: f64, gamma: f64, eps: f64, mask_lo: u32) -> Vec<Replica> {
    (0..=CHAINS)
        .map(|c| Replica {
            seed: 11 + c as u32,
            mask_lo,
            nbeta: nbeta as f32,
            gamma: gamma as f32,
            eps: if c == CHAINS { 0.0 } else { eps as f32 },
            ..Replica::default()
        })
        .collect()
}

/// Runs chains from w* and returns the estimate and the last weights.
fn run(table: &[Replica], steps: u32, burnin: u32, update: Update<'_>) -> (Llc, Vec<f64>) {
    let mut weights = vec![0.0; 5 * table.len()];
    let mut trace = Vec::new();
    for step in 0..steps {
        let grads: Vec<f64> = weights
            .iter()
            .enumerate()
            .map(|(i, w)| H[i % 5] * w)
            .collect();
        if step >= burnin {
            let loss =
                |w: &[f64]| w.iter().zip(H).map(|(w, h)| 0.5 * h * w * w).sum::<f64>() as f32;
            trace.extend(weights.chunks(5).map(loss));
        }
        update(table, step, &grads, &mut weights);
    }
    (
        llc(&trace, table.len() - 1, f64::from(table[0].nbeta)),
        weights,
    )
}

/// Whether an estimate agrees with a value: within three standard errors, which must be small, with
/// chains that do not move together (their spread is what their own lengths predict).
fn agrees(got: &Llc, exact: f64) -> Result<(), String> {
    let off = (got.value - exact).abs();
    let report = format!(
        "λ̂ {:.4} ± {:.4} (between {:.4}), exact {exact:.4}",
        got.value, got.se, got.between_se
    );
    let small = got.se < 0.05 && got.between_se < 0.05;
    let together = got.between_se < 0.3 * got.se;
    if off <= 3.0 * got.se.max(got.between_se) && small && !together {
        Ok(())
    } else {
        Err(report)
    }
}

#[test]
fn sgld_returns_the_exact_value_with_its_bias() {
    let target = exact(NBETA, GAMMA, EPS, |_| true);
    assert!((target - 2.1584).abs() < 1e-4);
    let (got, _) = run(&chains(NBETA, GAMMA, EPS, !0), 22_000, 2_000, &kernel);
    agrees(&got, target).unwrap();
    assert!(got.rhat < 1.02 && got.failed == 0);
    // The bias is seen, not averaged away: the value without it is rejected.
    agrees(&got, exact(NBETA, GAMMA, 0.0, |_| true)).unwrap_err();
}

#[test]
fn masks_restrict_the_estimate_and_leave_the_rest_bit_identical() {
    for (mask, moves) in [
        (0b00011, [true, true, false, false, false]),
        (0b11100, [false, false, true, true, true]),
    ] {
        let (got, weights) = run(&chains(NBETA, GAMMA, EPS, mask), 22_000, 2_000, &kernel);
        agrees(&got, exact(NBETA, GAMMA, EPS, |i| moves[i])).unwrap();
        for (i, w) in weights.iter().enumerate() {
            let anchor = i / 5 == CHAINS;
            assert_eq!(
                w.to_bits() == 0,
                anchor || !moves[i % 5],
                "parameter {i}: {w}"
            );
        }
    }
}

#[test]
fn wrong_samplers_are_rejected() {
    let target = exact(NBETA, GAMMA, EPS, |_| true);
    let verdict = |update: Update<'_>| {
        agrees(
            &run(&chains(NBETA, GAMMA, EPS, !0), 22_000, 2_000, update).0,
            target,
        )
    };
    // The same code without a mistake passes, so what follows is the mistake's doing.
    verdict(&planted(0.5, f64::sqrt, 1.0, false)).unwrap();
    verdict(&planted(0.5, |eps| (2.0 * eps).sqrt(), 1.0, false)).unwrap_err();
    verdict(&planted(0.5, |eps| eps, 1.0, false)).unwrap_err();
    verdict(&planted(0.5, f64::sqrt, NBETA, false)).unwrap_err();
    verdict(&planted(1.0, f64::sqrt, 1.0, false)).unwrap_err();
    verdict(&planted(0.5, f64::sqrt, 1.0, true)).unwrap_err();
}

/// Samples x whose mean is 0, so that w* is: L(w) = ½Σh·mean(w − x)² is the quadratic and a constant.
fn samples(n: u32, seed: u32) -> Vec<[f64; 5]> {
    let x = |k: u32, i: u32| normal::<f64>(word(seed, Stream::DataSet, k, i));
    let raw: Vec<[f64; 5]> = (0..n)
        .map(|k| std::array::from_fn(|i| x(k, i as u32)))
        .collect();
    let mean = |i: usize| raw.iter().map(|x| x[i]).sum::<f64>() / f64::from(n);
    let means: [f64; 5] = std::array::from_fn(mean);
    raw.iter()
        .map(|x| std::array::from_fn(|i| x[i] - means[i]))
        .collect()
}

/// λ̂ of SGLD on the mean loss over `data`, times `size`, L(w*) being that of `others`.
fn on_data(data: &[[f64; 5]], others: &[[f64; 5]], size: f64) -> Llc {
    let table = chains(NBETA, GAMMA, EPS, !0);
    let mean = |over: &[[f64; 5]], f: &dyn Fn(&[f64; 5]) -> f64| {
        size * over.iter().map(f).sum::<f64>() / over.len() as f64
    };
    let loss = |over: &[[f64; 5]], w: &[f64]| {
        mean(over, &|x| {
            (0..5).map(|i| 0.5 * H[i] * (w[i] - x[i]).powi(2)).sum()
        }) as f32
    };
    let (mut weights, mut trace) = (vec![0.0; 5 * table.len()], Vec::new());
    for step in 0..12_000 {
        if step >= 2_000 {
            let each = weights.chunks(5).enumerate();
            trace.extend(each.map(|(c, w)| loss(if c == CHAINS { others } else { data }, w)));
        }
        let grads: Vec<f64> = weights
            .chunks(5)
            .flat_map(|w| {
                std::array::from_fn::<f64, 5, _>(|i| mean(data, &|x| H[i] * (w[i] - x[i])))
            })
            .collect();
        kernel(&table, step, &grads, &mut weights);
    }
    llc(&trace, CHAINS, NBETA)
}

#[test]
fn the_loss_is_a_mean_and_the_anchor_sees_the_same_data() {
    let target = exact(NBETA, GAMMA, EPS, |_| true);
    let (data, others) = (samples(4, 1), samples(4, 2));
    agrees(&on_data(&data, &data, 1.0), target).unwrap();
    // Planted: L(w*) from other data, and the sum over the batch where the mean is meant.
    let err = agrees(&on_data(&data, &others, 1.0), target).unwrap_err();
    println!("L(w*) from other data: {err}");
    let err = agrees(&on_data(&data, &data, 4.0), target).unwrap_err();
    println!("the sum of the losses: {err}");
}

#[test]
fn without_a_loss_the_spring_alone_sets_the_distance() {
    // nβ = 0: an Ornstein-Uhlenbeck process, E‖w − w*‖² = d/(γ(1 − εγ/4)).
    let (gamma, eps) = (10.0, 1e-2);
    let table = chains(0.0, gamma, eps, !0);
    let mut weights = vec![0.0; 5 * table.len()];
    let (mut sum, mut n) = (0.0, 0.0);
    for step in 0..12_000 {
        kernel(&table, step, &vec![0.0; 5 * table.len()], &mut weights);
        if step >= 500 {
            sum += weights[..5 * CHAINS].iter().map(|w| w * w).sum::<f64>();
            n += CHAINS as f64;
        }
    }
    let exact = 5.0 / (gamma * (1.0 - eps * gamma / 4.0));
    assert!(
        (sum / n / exact - 1.0).abs() < 0.02,
        "{} against {exact}",
        sum / n
    );
    assert!(
        weights[5 * CHAINS..].iter().all(|w| w.to_bits() == 0),
        "the anchor moved"
    );
}

#[test]
fn groups_above_the_first_word_use_the_second_mask() {
    let mut weights = vec![1.0f32; 8];
    let groups = [0, 31, 32, 63, 0, 31, 32, 63];
    let table = [Replica {
        mask_lo: 1 << 31,
        mask_hi: 1,
        eps: 1e-2,
        gamma: 1.0,
        ..Replica::default()
    }];
    (SGLD.twin.f32)(Call {
        consts: &[8, 1, 0],
        params: &[1, 0, 0],
        step: Step::default(),
        replicas: &table,
        slots: vec![
            Slot::F(&[0.0; 8]),
            Slot::F(&[0.0; 8]),
            Slot::U(&groups),
            Slot::FMut(&mut weights),
            Slot::FMut(&mut [0.0; 16]),
            Slot::FMut(&mut [0.0; 8]),
        ],
    });
    let moved: Vec<bool> = weights
        .iter()
        .map(|w| w.to_bits() != 1f32.to_bits())
        .collect();
    assert_eq!(moved, [false, true, true, false, false, true, true, false]);
}

#[test]
fn a_chain_does_not_notice_its_neighbours() {
    let table = chains(NBETA, GAMMA, EPS, !0);
    let (_, all) = run(&table, 300, 0, &kernel);
    let (_, alone) = run(&[table[3], table[CHAINS]], 300, 0, &kernel);
    assert_eq!(
        all[15..20].iter().map(|w| w.to_bits()).collect::<Vec<_>>(),
        alone[..5].iter().map(|w| w.to_bits()).collect::<Vec<_>>()
    );
    // With no burn-in the first draw is the loss at w* itself.
    let (first, _) = run(&table, 1, 0, &kernel);
    assert_eq!(first.value, 0.0);
}

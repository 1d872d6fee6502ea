//! The samplers' kernels against what they should do, through their twins: moves, noise, forces,
//! MALA's acceptance, RMSprop's preconditioner.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::estimate::llc::{Llc, llc};
use lambdahat::estimate::trace::accept;
use lambdahat::kernels::optim::{MALA, SGLD, SUMS};
use lambdahat::kernels::{Call, Replica, Slot, Step};
use lambdahat::math::philox::{Stream, normal, word};
use lambdahat::math::stats;
use lambdahat::optim::{chain_step, chain_table};

/// Curvatures h of L = ½ Σ h_i w_i², with w* = 0.
const H: [f64; 5] = [1.0, 0.3, 0.1, 0.03, 0.01];
const N: usize = H.len();
const CHAINS: usize = 16;

/// The chains' state on the device.
struct Bench {
    table: Vec<Replica>,
    weights: Vec<f64>,
    memory: Vec<f64>,
    sums: Vec<f64>,
    stats: Vec<f64>,
    grads: Vec<f64>,
    precondition: u32,
}

impl Bench {
    fn new(nbeta: f64, gamma: f64, eps: f64) -> Self {
        let chain = Replica {
            mask_lo: !0,
            mask_hi: !0,
            nbeta: nbeta as f32,
            gamma: gamma as f32,
            eps: eps as f32,
            ..Replica::default()
        };
        let table = chain_table(chain, CHAINS, |c| 11 + c);
        let r = table.len();
        Self {
            table,
            weights: vec![0.0; r * N],
            // What an earlier estimate has left must not matter.
            memory: vec![3.0; r * (3 * N + 4)],
            sums: vec![0.0; r * SUMS],
            stats: vec![0.0; r * 4],
            grads: vec![0.0; r * N],
            precondition: 0,
        }
    }
    /// Loss and gradient at the weights.
    fn potential(&mut self) {
        for (r, w) in self.weights.chunks(N).enumerate() {
            self.stats[4 * r] = w.iter().zip(H).map(|(w, h)| 0.5 * h * w * w).sum();
            self.stats[4 * r + 1] = w[0];
            for (i, h) in H.iter().enumerate() {
                self.grads[r * N + i] = h * w[i];
            }
        }
    }
    fn sgld(&mut self, step: Step) {
        let groups: Vec<u32> = (0..N as u32).collect();
        (SGLD.twin.f64)(Call {
            consts: &[N as u32, 1, self.precondition],
            params: &[1, 0.99f32.to_bits(), 0.1f32.to_bits()],
            step,
            replicas: &self.table,
            slots: vec![
                Slot::F(&self.grads),
                Slot::F(&[0.0; N]),
                Slot::U(&groups),
                Slot::FMut(&mut self.weights),
                Slot::FMut(&mut self.memory),
                Slot::FMut(&mut self.sums),
            ],
        });
    }
    fn mala(&mut self, step: Step) {
        let groups: Vec<u32> = (0..N as u32).collect();
        (MALA.twin.f64)(Call {
            consts: &[N as u32, 1],
            params: &[1],
            step,
            replicas: &self.table,
            slots: vec![
                Slot::F(&self.grads),
                Slot::F(&[0.0; N]),
                Slot::U(&groups),
                Slot::FMut(&mut self.weights),
                Slot::FMut(&mut self.memory),
                Slot::FMut(&mut self.stats),
                Slot::FMut(&mut self.sums),
            ],
        });
    }
    fn losses(&self) -> Vec<f32> {
        self.stats.chunks(4).map(|s| s[0] as f32).collect()
    }
    fn sums_of(&self, r: usize) -> &[f64] {
        &self.sums[r * SUMS..][..SUMS]
    }
}

/// λ̂ on the quadratic: Σ ½ nβh/(a(1 − εGa/4)), a = nβh + γ.
fn exact(nbeta: f64, gamma: f64, eps: f64, gain: impl Fn(usize) -> f64) -> f64 {
    let term = |(i, h): (usize, &f64)| {
        let a = nbeta * h + gamma;
        0.5 * nbeta * h / (a * (1.0 - eps * gain(i) * a / 4.0))
    };
    H.iter().enumerate().map(term).sum()
}

fn agrees(got: &Llc, exact: f64) -> bool {
    (got.value - exact).abs() <= 3.0 * got.se.max(got.between_se) && got.se < 0.05
}

/// MALA's estimate, its mean acceptance; `wrong` changes the chains behind each step.
fn mala(eps: f64, steps: u64, wrong: impl Fn(&mut Bench, &[f64])) -> (Llc, f64) {
    let mut bench = Bench::new(100.0, 1.0, eps);
    let (mut trace, mut alpha) = (Vec::new(), 0.0);
    for t in 0..steps {
        bench.potential();
        let before = bench.stats.clone();
        bench.mala(chain_step(t, 0));
        wrong(&mut bench, &before);
        if t >= 1000 {
            trace.extend(bench.losses());
            alpha += (0..CHAINS).map(|c| bench.sums_of(c)[4]).sum::<f64>();
        }
    }
    let alpha = alpha / ((steps - 1000) as f64 * CHAINS as f64);
    (llc(&trace, CHAINS, 100.0), alpha)
}

#[test]
fn mala_has_no_bias_where_sgld_has_a_large_one() {
    // ε·a/4 is 0.5 along the stiffest direction: SGLD would return twice its share.
    let (eps, steps) = (0.02, 12_000);
    let unbiased = exact(100.0, 1.0, 0.0, |_| 1.0);
    let (got, alpha) = mala(eps, steps, |_, _| ());
    assert!(agrees(&got, unbiased), "{got:?} {unbiased}");
    assert!(got.rhat < 1.02 && (0.5..0.95).contains(&alpha), "{alpha}");
    // Planted: the proposal's loss is recorded, whether it was taken or not.
    let proposals = |b: &mut Bench, before: &[f64]| b.stats.copy_from_slice(before);
    assert!(!agrees(&mala(eps, steps, proposals).0, unbiased));
    // Planted: every proposal is taken, as SGLD takes its steps.
    assert!(!agrees(&got, exact(100.0, 1.0, eps, |_| 1.0)));
}

#[test]
fn mala_keeps_the_state_that_stands_with_all_its_losses() {
    let mut bench = Bench::new(100.0, 1.0, 0.05);
    let mut stood: Vec<[f64; 2]> = vec![[0.0; 2]; CHAINS + 1];
    let (mut refused, mut taken) = (0, 0);
    for t in 0..300 {
        bench.potential();
        let proposed = bench.stats.clone();
        bench.mala(chain_step(t, 0));
        for (r, stood) in stood.iter_mut().enumerate() {
            let sums = bench.sums_of(r);
            let now = [bench.stats[4 * r], bench.stats[4 * r + 1]];
            let state = &bench.memory[r * (3 * N + 4)..][..N];
            assert_eq!(now[1], state[0], "the coordinates are those of the state");
            if sums[5] == 1.0 {
                assert_eq!(now, [proposed[4 * r], proposed[4 * r + 1]]);
                taken += 1;
            } else {
                assert_eq!(now, *stood);
                refused += 1;
            }
            assert!((sums[2] - state.iter().map(|w| w * w).sum::<f64>()).abs() < 1e-12);
            *stood = now;
        }
    }
    assert!(refused > 500 && taken > 500, "{refused} {taken}");
    assert!(bench.weights[CHAINS * N..].iter().all(|w| w.to_bits() == 0));
    // A proposal that is no number is refused, and the chain goes on.
    bench.potential();
    bench.stats[0] = f64::NAN;
    bench.mala(chain_step(300, 0));
    assert_eq!((bench.sums_of(0)[4], bench.sums_of(0)[5]), (0.0, 0.0));
    assert!(bench.stats[0].is_finite() && bench.weights[..N].iter().all(|w| w.is_finite()));
}

/// log α by the densities themselves: N(x − (ε/2)∇U(x), ε) there and back.
fn alpha_by_densities(eps: f64, nbeta: f64, gamma: f64, x: &[f64], y: &[f64]) -> f64 {
    let u = |w: &[f64]| -> f64 {
        w.iter()
            .zip(H)
            .map(|(w, h)| 0.5 * (nbeta * h + gamma) * w * w)
            .sum()
    };
    let q = |from: &[f64], to: &[f64]| -> f64 {
        let each = from.iter().zip(to).zip(H);
        each.map(|((a, b), h)| {
            let mean = a - 0.5 * eps * (nbeta * h + gamma) * a;
            -(b - mean).powi(2) / (2.0 * eps)
        })
        .sum()
    };
    (q(y, x) - q(x, y) + u(x) - u(y)).min(0.0).exp()
}

#[test]
fn the_sums_give_forces_distance_and_the_acceptance_of_each_move() {
    let (nbeta, gamma, eps) = (100.0, 2.0, 0.01);
    let mut sgld = Bench::new(nbeta, gamma, eps);
    let mut mala = Bench::new(nbeta, gamma, eps);
    let (mut x, mut before) = (sgld.weights.clone(), [0.0; CHAINS]);
    let mut least: f64 = 1.0;
    for t in 0..40 {
        sgld.potential();
        let y = sgld.weights.clone();
        sgld.sgld(chain_step(t, 0));
        let eps32 = f64::from(sgld.table[0].eps);
        for c in 0..CHAINS {
            let (w, s) = (&y[c * N..][..N], sgld.sums_of(c));
            let sum =
                |f: &dyn Fn(f64, f64) -> f64| w.iter().zip(H).map(|(&w, h)| f(w, h)).sum::<f64>();
            let now = nbeta * sgld.stats[4 * c] + 0.5 * gamma * s[2];
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} {b}");
            close(s[0], sum(&|w, h| (nbeta * h * w).powi(2)));
            close(s[1], sum(&|w, _| (gamma * w).powi(2)));
            close(s[2], sum(&|w, _| w * w));
            close(s[6], sum(&|w, h| nbeta * h * w * gamma * w));
            let xi =
                |i: usize| normal::<f64>(word(11 + c as u32, Stream::Noise, t as u32, i as u32));
            close(s[3], (0..N).map(|i| xi(i).powi(2)).sum());
            if t > 0 {
                let got = accept(eps32, s[4], s[5], before[c], now);
                let exact = alpha_by_densities(eps32, nbeta, gamma, &x[c * N..][..N], w);
                assert!((got - exact).abs() < 1e-9, "{got} {exact}");
                least = least.min(got);
            } else {
                assert_eq!((s[4], s[5]), (0.0, 0.0), "memory is taken for zero");
            }
            before[c] = now;
        }
        x = y;
        // MALA's own α is that of the same formula.
        let from: Vec<f64> = mala
            .memory
            .chunks(3 * N + 4)
            .flat_map(|m| m[..N].to_vec())
            .collect();
        let to = mala.weights.clone();
        mala.potential();
        mala.mala(chain_step(t, 0));
        for c in 0..CHAINS {
            let exact =
                alpha_by_densities(eps32, nbeta, gamma, &from[c * N..][..N], &to[c * N..][..N]);
            let got = mala.sums_of(c)[4];
            assert!(
                (got - if t == 0 { 1.0 } else { exact }).abs() < 1e-9,
                "{got} {exact}"
            );
        }
    }
    assert!(least < 0.9, "every move was as good as certain: {least}");
}

/// The increments of SGLD without any force, divided by √ε: `[step][parameter of every chain]`.
fn increments(steps: u64, seed: impl Fn(u32) -> u32) -> Vec<Vec<f64>> {
    let mut bench = Bench::new(0.0, 0.0, 0.25);
    for (c, r) in bench.table.iter_mut().enumerate() {
        r.seed = seed(c as u32);
    }
    (0..steps)
        .map(|t| {
            let was = bench.weights.clone();
            bench.sgld(chain_step(t, 0));
            let moved = bench.weights.iter().zip(&was).map(|(a, b)| (a - b) / 0.5);
            moved.take(CHAINS * N).collect()
        })
        .collect()
}

/// Whether a million increments are independent standard normals, by 5 standard errors.
fn independent(all: &[Vec<f64>]) -> bool {
    let n = (all.len() * CHAINS * N) as f64;
    let moment = |k: i32| all.iter().flatten().map(|x| x.powi(k)).sum::<f64>() / n;
    let within =
        |x: f64, exact: f64, variance: f64, n: f64| (x - exact).abs() < 5.0 * (variance / n).sqrt();
    let mut good = within(moment(1), 0.0, 1.0, n)
        && within(moment(2), 1.0, 2.0, n)
        && within(moment(4), 3.0, 96.0, n);
    // Neighbouring parameters, chains and steps.
    for (apart, later) in [(1, 0), (4, 0), (N, 0), (2 * N, 0), (0, 1), (0, 2), (1, 1)] {
        let (mut sum, mut pairs) = (0.0, 0.0);
        for (a, b) in all.iter().zip(&all[later..]) {
            for (x, y) in a.iter().zip(&b[apart..]) {
                sum += x * y;
                pairs += 1.0;
            }
        }
        good &= within(sum / pairs, 0.0, 1.0, pairs);
    }
    good
}

#[test]
fn a_million_increments_are_independent_normals() {
    assert!(independent(&increments(12_500, |c| 11 + c)));
    // Planted: chains that share a stream, and noise of another size or shape.
    assert!(!independent(&increments(2_000, |_| 11)));
    let mut all = increments(2_000, |c| 11 + c);
    all.iter_mut().flatten().for_each(|x| *x *= 1.01);
    assert!(!independent(&all));
    all.iter_mut().flatten().for_each(|x| *x = x.signum());
    assert!(!independent(&all));
}

#[test]
fn rmsprop_learns_its_scale_in_burnin_freezes_it_and_samples_the_same_posterior() {
    let (nbeta, gamma, eps, burnin) = (100.0, 1.0, 1e-3, 2000);
    let mut bench = Bench::new(nbeta, gamma, eps);
    bench.precondition = 1;
    let v = |b: &Bench, c: usize| b.memory[c * 3 * N + 2 * N..][..N].to_vec();
    let (mut trace, mut frozen) = (Vec::new(), Vec::new());
    let mut by_hand = [0.0; N];
    for t in 0..burnin + 15_000 {
        bench.potential();
        if t < burnin {
            for (i, v) in by_hand.iter_mut().enumerate() {
                let alpha = f64::from(0.99f32);
                *v = alpha * *v + (1.0 - alpha) * bench.grads[i].powi(2);
            }
        } else {
            trace.extend(bench.losses());
        }
        bench.sgld(chain_step(t, burnin));
        if t + 1 == burnin {
            frozen = (0..CHAINS).map(|c| v(&bench, c)).collect();
            let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
            assert!(
                v(&bench, 0).iter().zip(&by_hand).all(close),
                "V is of the loss's gradient alone"
            );
        }
    }
    assert_eq!(
        frozen,
        (0..CHAINS).map(|c| v(&bench, c)).collect::<Vec<_>>()
    );
    let got = llc(&trace, CHAINS, nbeta);
    let gain = |c: usize, i: usize| 1.0 / (frozen[c][i].sqrt() + f64::from(0.1f32));
    assert!(
        (0..CHAINS).all(|c| gain(c, 0) < 0.7 * gain(c, 4)),
        "G does not differ by direction"
    );
    let targets: Vec<f64> = (0..CHAINS)
        .map(|c| exact(nbeta, gamma, eps, |i| gain(c, i)))
        .collect();
    assert!(
        agrees(&got, stats::mean(&targets)),
        "{got:?} {}",
        stats::mean(&targets)
    );
    // Planted: noise without √G has the variance 1/(G·a) along each direction.
    let wrong = H
        .iter()
        .enumerate()
        .map(|(i, h)| 0.5 * nbeta * h / (gain(0, i) * (nbeta * h + gamma)));
    assert!(!agrees(&got, wrong.sum()));
}

#[test]
fn a_step_without_noise_is_a_step_of_gradient_descent_with_half_the_rate() {
    let mut bench = Bench::new(100.0, 2.0, 0.01);
    bench
        .weights
        .iter_mut()
        .enumerate()
        .for_each(|(i, w)| *w = 0.1 * i as f64);
    bench.potential();
    let was = bench.weights.clone();
    bench.sgld(chain_step(5, 0));
    let eps = f64::from(bench.table[0].eps);
    for c in 0..CHAINS {
        for i in 0..N {
            let z: f64 = normal(word(11 + c as u32, Stream::Noise, 5, i as u32));
            let w = was[c * N + i];
            let exact = w - 0.5 * eps * (100.0 * H[i] * w + 2.0 * w) + eps.sqrt() * z;
            assert!((bench.weights[c * N + i] - exact).abs() < 1e-12);
        }
    }
}

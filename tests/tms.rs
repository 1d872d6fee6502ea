//! The toy model of superposition: closed forms, gradient, λ̂ at the k-gons, the jump.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use lambdahat::estimate::llc::{Llc, llc};
use lambdahat::exec::cpu::{CpuExec, Precision};
use lambdahat::experiments::{self, Of, Parts, STATS};
use lambdahat::knobs::Knobs;
use lambdahat::math::philox::{Draws, Stream};
use lambdahat::model::tms::{gon, level, population_loss, regular};

/// A link's knobs, settled without a remark.
fn knobs(query: &str) -> Knobs {
    let card = experiments::card("tms").unwrap();
    let mut knobs = Knobs::defaults(card.knobs);
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        assert_eq!(knobs.set(key, value), None);
    }
    assert_eq!((card.settle)(&mut knobs), []);
    knobs
}

fn build(query: &str) -> Parts {
    experiments::build("tms", &knobs(query)).unwrap()
}

fn wide(weights: &[f32]) -> Vec<f64> {
    weights.iter().map(|&w| f64::from(w)).collect()
}

/// Weights no two of which are alike, of a size that leaves outputs on and off.
fn scattered(seed: u32, c: usize) -> Vec<f64> {
    let mut draws = Draws::new(seed, Stream::Probe, 0);
    (0..3 * c).map(|_| 0.8 * draws.normal()).collect()
}

/// The population loss by the midpoint rule.
fn quadrature(c: usize, w: &[f64]) -> f64 {
    let points = 4000;
    let mut sum = 0.0;
    for i in 0..c {
        for u in (0..points).map(|t| (f64::from(t) + 0.5) / f64::from(points)) {
            for j in 0..c {
                let pre = u * (w[j] * w[i] + w[c + j] * w[c + i]) + w[2 * c + j];
                sum += (if i == j { u } else { 0.0 } - pre.max(0.0)).powi(2);
            }
        }
    }
    sum / (c as f64 * f64::from(points))
}

#[test]
fn the_population_loss_is_the_integral() {
    for c in [3, 6, 10] {
        for seed in 0..5 {
            let w = scattered(seed, c);
            let (got, rule) = (population_loss(c, &w), quadrature(c, &w));
            assert!(
                (got - rule).abs() < 1e-6 * (1.0 + rule),
                "c {c}: {got} against {rule}"
            );
            // Planted: the rule for other weights is told apart.
            assert!((got - quadrature(c, &scattered(seed + 9, c))).abs() > 1e-3);
        }
    }
    assert!(population_loss(3, &[f64::NAN; 9]).is_nan());
}

#[test]
fn the_kgons_lie_on_their_levels() {
    // Exact values for six features (Chen et al. 2023), to the digits published.
    for (k, plus, exact) in [
        (4, 0, 0.111111),
        (4, 1, 0.104167),
        (4, 2, 0.097222),
        (5, 0, 0.068744),
        (5, 1, 0.061799),
        (6, 0, 0.048192),
    ] {
        assert!((level(k, 6, plus) - exact).abs() < 1e-6);
    }
    for c in 4..=10 {
        for k in 4..=c {
            for (plus, dead) in [(0, -0.3), (c - k, 0.5 / c as f64)] {
                let w = regular(k, c, 0.7, dead);
                let off = population_loss(c, &w) - level(k, c, plus);
                assert!(off.abs() < 1e-7, "k {k} c {c} +{plus}: {off}");
                assert_eq!(gon(c, &w), format!("{k}{}", "+".repeat(plus)));
            }
        }
        // Each is stationary: along any direction of its own parameters the loss is flat.
        let w = regular(c, c, 0.7, 0.0);
        for p in 0..3 * c {
            let at = |h: f64| {
                let mut w = w.clone();
                w[p] += h;
                population_loss(c, &w)
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!(slope.abs() < 1e-5, "c {c} parameter {p}: slope {slope}");
        }
    }
    // Planted: a k-gon of another length is off its level.
    let mut longer = regular(5, 6, 0.7, -0.3);
    longer[..12].iter_mut().for_each(|w| *w *= 1.05);
    assert!((population_loss(6, &longer) - level(5, 6, 0)).abs() > 1e-4);
}

#[test]
fn corners_are_counted() {
    let mut w = regular(5, 6, 0.2, -0.3);
    // A sixth column inside the pentagon is no corner, and is not dead.
    (w[5], w[11]) = (0.6, 0.0);
    assert_eq!(gon(6, &w), "5");
    assert_eq!(gon(6, &[0.0; 18]), "–");
    assert_eq!(gon(6, &regular(4, 6, 1.0, 0.1)), "4++");
}

/// Trains on the CPU engine and returns the weights of every replica.
fn trained(parts: &Parts, steps: u64) -> Vec<f32> {
    let mut exec = CpuExec::<f32>::new(&parts.plan);
    exec.set_replicas(parts.train.program, &parts.train.replicas);
    exec.floats_mut(parts.params)
        .copy_from_slice(&parts.lab.initial());
    for step in 0..steps {
        fill(&mut exec, parts, &parts.train, Of::Train, step);
    }
    exec.floats(parts.params).to_vec()
}

/// How many replicas of six features are at a population loss below that of any 4-gon.
fn left_the_plateau(weights: &[f32]) -> usize {
    weights
        .chunks(18)
        .filter(|w| population_loss(6, &wide(w)) < 0.08)
        .count()
}

#[test]
fn replicas_leave_the_plateau_one_after_the_other() {
    let parts = build("replicas=32");
    let early = trained(&parts, 500);
    let late = trained(&parts, parts.steps);
    // Seen on this engine: 1 by step 500 and 19 of 32 at the end; the band allows for another libm.
    let (early, late) = (left_the_plateau(&early), left_the_plateau(&late));
    assert!(early <= 6, "{early} by step 500");
    assert!((13..=26).contains(&late), "{late} of 32");
    // The control: with negative dead biases nobody leaves.
    let control = trained(&build("replicas=32&dead=minus"), 6000);
    assert_eq!(left_the_plateau(&control), 0);
}

#[test]
fn a_replica_is_the_run_of_its_seed_alone() {
    let bits = |w: &[f32]| w.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
    let five = trained(&build("replicas=5&seed=4"), 300);
    let alone = trained(&build("replicas=1&seed=7"), 300);
    assert_eq!(bits(&five[54..72]), bits(&alone));
    assert_ne!(bits(&five[36..54]), bits(&alone));
}

#[test]
fn an_evaluation_reports_every_replica() {
    let parts = build("replicas=3&member=1");
    let job = parts.eval.as_ref().unwrap();
    let weights = parts.lab.initial();
    let mut exec = CpuExec::<f32>::new(&parts.plan);
    exec.set_replicas(job.program, &job.replicas);
    exec.floats_mut(parts.params).copy_from_slice(&weights);
    fill(&mut exec, &parts, job, Of::Eval, 0);
    let (buf, range) = parts.reads[0].clone();
    let reads = [exec.floats(buf)[range].to_vec()];
    let seen = parts.lab.observe(0, 1, &weights, &reads);
    let losses: Vec<_> = seen
        .values
        .iter()
        .filter(|v| !v.0.ends_with("norm"))
        .collect();
    assert_eq!(losses.len() * 3, seen.values.len() * 2);
    let ids: Vec<&str> = losses.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(
        ids[..4],
        [
            "loss",
            "loss.population",
            "replicas/1/loss",
            "replicas/1/loss.population"
        ]
    );
    // A thousand samples know the population loss to a few hundredths.
    for pair in losses.chunks(2) {
        assert!((pair[0].1 - pair[1].1).abs() < 0.02, "{pair:?}");
        assert!((pair[1].1 - level(4, 6, 2)).abs() < 0.005, "{pair:?}");
    }
    assert_eq!(seen.pca_row.len(), 256 * 6);
    assert_ne!(
        seen.pca_row,
        parts.lab.observe(0, 2, &weights, &reads).pca_row
    );
}

#[test]
fn the_card_counts_the_bytes_of_the_plan() {
    let card = experiments::card("tms").unwrap();
    for query in [
        "",
        "chains=0&replicas=64&n=5000",
        "features=10&mbatch=1000&chains=64",
    ] {
        let knobs = knobs(query);
        let parts = experiments::build("tms", &knobs).unwrap();
        assert_eq!((card.cost)(&knobs).bytes, parts.plan.bytes(), "{query}");
        assert!(parts.checkpoints.iter().all(|c| parts.evals.contains(c)));
    }
}

#[test]
fn knobs_that_exclude_each_other_are_settled_aloud() {
    let card = experiments::card("tms").unwrap();
    let mut knobs = Knobs::defaults(card.knobs);
    for (key, value) in [
        ("features", "3"),
        ("replicas", "2"),
        ("member", "9"),
        ("n", "10"),
        ("steps", "200000"),
        ("every", "1"),
        ("eps", "1"),
    ] {
        assert_eq!(knobs.set(key, value), None);
    }
    let keys: Vec<_> = (card.settle)(&mut knobs)
        .into_iter()
        .filter_map(|n| n.key)
        .collect();
    assert_eq!(keys, ["gon", "member", "batch", "mbatch", "every", "eps"]);
    assert_eq!(
        [
            knobs.int("gon"),
            knobs.int("member"),
            knobs.int("batch"),
            knobs.int("every")
        ],
        [3, 1, 10, 669]
    );
    // Of ε(2·724 + 100) a quarter of what runs away is 6.5e-4.
    assert_eq!(knobs.float("eps"), 5e-4);
    assert_eq!((card.settle)(&mut knobs), [], "settled twice");
    for preset in card.presets {
        self::knobs(preset.query);
    }
}

fn fill<T: Precision>(
    exec: &mut CpuExec<T>,
    parts: &Parts,
    job: &experiments::Job,
    of: Of,
    step: u64,
) {
    let mut words = Vec::new();
    parts.lab.feed(of, step, &mut words);
    assert_eq!(words.len(), job.rows * job.feed_len);
    exec.words_mut(job.feed)[..words.len()].copy_from_slice(&words);
    exec.step(job.program, parts.lab.step(of, step));
}

#[test]
fn the_gradient_is_the_derivative_of_the_loss() {
    for c in [3, 6, 10] {
        let parts = build(&format!(
            "features={c}&gon=3&replicas=2&n=50&batch=10&mbatch=10"
        ));
        let job = parts.eval.as_ref().unwrap();
        let grads = parts.plan.programs[job.program.0].nodes[0].buffers[2];
        let mut exec = CpuExec::<f64>::new(&parts.plan);
        exec.set_replicas(job.program, &job.replicas);
        let w: Vec<f64> = (0..2).flat_map(|r| scattered(20 + r, c)).collect();
        let mut at = |w: &[f64]| {
            exec.floats_mut(parts.params).copy_from_slice(w);
            fill(&mut exec, &parts, job, Of::Eval, 0);
            let losses = [exec.floats(job.stats)[0], exec.floats(job.stats)[STATS]];
            (losses, exec.floats(grads).to_vec())
        };
        let (_, gradient) = at(&w);
        let mut worst_planted = 0.0f64;
        for p in 0..w.len() {
            let mut moved = |h: f64| {
                let mut w = w.clone();
                w[p] += h;
                at(&w).0[p / (3 * c)]
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!(
                (slope - gradient[p]).abs() < 1e-6,
                "c {c} parameter {p}: {slope} against {}",
                gradient[p]
            );
            worst_planted = worst_planted.max((slope - 0.5 * gradient[p]).abs());
        }
        // Planted: the gradient of half the loss is told apart.
        assert!(worst_planted > 1e-3);
    }
}

/// λ̂ at weights, with the data of a replica.
fn sample(parts: &Parts, weights: &[f32], follow: usize) -> Llc {
    let chains = parts.chains.as_ref().unwrap();
    let (job, of) = (
        &chains.job,
        Of::Chains {
            checkpoint: 0,
            follow,
        },
    );
    let mut exec = CpuExec::<f32>::new(&parts.plan);
    exec.set_replicas(job.program, &parts.lab.chain_replicas(0, follow));
    exec.floats_mut(chains.buffers.anchor)
        .copy_from_slice(weights);
    exec.floats_mut(chains.buffers.params)
        .chunks_mut(weights.len())
        .for_each(|row| row.copy_from_slice(weights));
    let mut trace = Vec::new();
    for step in 0..chains.settings.steps() {
        fill(&mut exec, parts, job, of, step);
        if step >= chains.settings.burnin {
            trace.extend(
                exec.floats(job.stats)
                    .iter()
                    .step_by(STATS)
                    .take(chains.settings.chains + 1),
            );
        }
    }
    let anchor = &exec.floats(chains.buffers.params)[chains.settings.chains * weights.len()..];
    assert!(
        anchor
            .iter()
            .zip(weights)
            .all(|(a, b)| a.to_bits() == b.to_bits()),
        "the anchor moved"
    );
    llc(&trace, chains.settings.chains, chains.settings.nbeta)
}

/// λ̂ at a k-gon of six features, averaged over the data sets of all replicas.
fn estimate(parts: &Parts, k: usize, dead: f64) -> f64 {
    let w: Vec<f32> = regular(k, 6, 0.3, dead).iter().map(|&w| w as f32).collect();
    let replicas = parts.train.replicas.len();
    (0..replicas)
        .map(|r| sample(parts, &w, r).value)
        .sum::<f64>()
        / replicas as f64
}

/// Corners and dead bias of 4⁻⁻, 4⁺⁺, 5⁻, 5⁺, 6.
const POINTS: [(usize, f64); 5] = [
    (4, -0.5),
    (4, 1.0 / 12.0),
    (5, -0.5),
    (5, 1.0 / 12.0),
    (6, 0.0),
];

#[test]
fn lambda_hat_at_the_kgons_is_as_stated() {
    // The values stated are at minima of the population loss; a k-gon is off the minimum of a data
    // set, which lowers λ̂, so the data sets are large and several.
    let parts = build("replicas=8&n=5000");
    let got = POINTS.map(|(k, dead)| estimate(&parts, k, dead));
    println!("{got:.2?}");
    for (got, stated) in got.iter().zip([3.6, 5.1, 4.9, 6.2, 5.7]) {
        assert!(
            (got - stated).abs() < 0.3,
            "{got:.2} where {stated} is stated"
        );
    }
    // From 4++ to 5+ it rises, and colder and freer chains return something else altogether.
    assert!(got[3] - got[1] > 0.5);
    let other = estimate(&build("replicas=2&n=5000&nbeta=144.8&gamma=1"), 6, 0.0);
    assert!((other - 5.7).abs() > 1.0, "{other}");
}

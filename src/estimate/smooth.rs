//! A smooth curve through estimates with errors: Gaussian-process regression (Rasmussen and Williams
//! 2006, §2.2). It is drawn beside the broken line of [`super::stages`] and decides nothing.
//!
//! y = constant + f + noise: noise with the standard errors of the points times ν, f a Gaussian process with
//! kernel `s²·exp(−(x − x')²/2ℓ²)`. ℓ, s and ν ≥ 1 are those of greatest marginal likelihood on a small grid;
//! the constant is the mean of the points by their weights.

use super::stages::Point;
use crate::math::linalg::Cholesky;
use std::f64::consts::TAU;

/// Most points; of more, every n-th is taken.
const MOST: usize = 120;
/// Length scales tried, as shares of the range of x.
const LENGTHS: [f64; 8] = [0.03, 0.05, 0.08, 0.13, 0.2, 0.35, 0.6, 1.2];
/// Sizes of f tried, in standard deviations of the points.
const SIZES: [f64; 5] = [0.1, 0.3, 0.6, 1.2, 2.5];
/// What the standard errors are multiplied by: errors that are too small would make it follow noise.
const NOISES: [f64; 4] = [1.0, 1.6, 2.5, 4.0];

/// A smooth curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Smooth {
    /// Its value at each x asked for.
    pub y: Vec<f64>,
    /// Standard deviation of f there.
    pub sd: Vec<f64>,
    /// ℓ, in units of x.
    pub length: f64,
    /// Log marginal likelihood.
    pub evidence: f64,
}

/// The smooth through points (x rising) at the places `at`; none of fewer than four points, or where
/// nothing can be solved.
#[must_use]
pub fn smooth(points: &[Point], at: &[f64]) -> Option<Smooth> {
    let every = points.len().div_ceil(MOST).max(1);
    let all: Vec<Point> = points.iter().step_by(every).copied().collect();
    let known = |p: &&Point| p.x.is_finite() && p.y.is_finite() && p.se.is_finite() && p.se > 0.0;
    let all: Vec<Point> = all.iter().filter(known).copied().collect();
    let n = all.len();
    if n < 4 {
        return None;
    }
    let range = all[n - 1].x - all[0].x;
    let weight: f64 = all.iter().map(|p| p.se.powi(-2)).sum();
    let mean = all.iter().map(|p| p.y / p.se.powi(2)).sum::<f64>() / weight;
    let spread = (all.iter().map(|p| (p.y - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
    if range <= 0.0 || spread <= 0.0 || range.is_nan() {
        return None;
    }
    let rest: Vec<f64> = all.iter().map(|p| p.y - mean).collect();
    let kernel = |a: f64, b: f64, length: f64, size: f64| {
        size * size * (-((a - b) / length).powi(2) / 2.0).exp()
    };
    let mut best: Option<(f64, f64, f64, Cholesky)> = None;
    for length in LENGTHS.map(|l| l * range) {
        for size in SIZES.map(|s| s * spread) {
            let mut k = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    k[i * n + j] = kernel(all[i].x, all[j].x, length, size);
                }
            }
            for noise in NOISES {
                for i in 0..n {
                    k[i * n + i] = size * size + (noise * all[i].se).powi(2);
                }
                let Some(factor) = Cholesky::of(&k, n) else {
                    continue;
                };
                let solved = factor.solve(&rest);
                let fit: f64 = rest.iter().zip(&solved).map(|(a, b)| a * b).sum();
                let evidence = -0.5 * (fit + factor.ln_det() + n as f64 * TAU.ln());
                if evidence.is_finite() && best.as_ref().is_none_or(|b| evidence > b.0) {
                    best = Some((evidence, length, size, factor));
                }
            }
        }
    }
    let (evidence, length, size, factor) = best?;
    let solved = factor.solve(&rest);
    let (mut y, mut sd) = (Vec::with_capacity(at.len()), Vec::with_capacity(at.len()));
    for &x in at {
        let with: Vec<f64> = all.iter().map(|p| kernel(x, p.x, length, size)).collect();
        y.push(mean + with.iter().zip(&solved).map(|(a, b)| a * b).sum::<f64>());
        let taken: f64 = with
            .iter()
            .zip(factor.solve(&with))
            .map(|(a, b)| a * b)
            .sum();
        sd.push((size * size - taken).max(0.0).sqrt());
    }
    Some(Smooth {
        y,
        sd,
        length,
        evidence,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::math::philox::{Draws, Stream};

    fn noisy(f: impl Fn(f64) -> f64, se: f64, seed: u32) -> Vec<Point> {
        let mut draws = Draws::new(seed, Stream::Probe, 5);
        let x = (0..50).map(|i| f64::from(i) / 5.0);
        x.map(|x| Point {
            x,
            y: f(x) + se * draws.normal(),
            se,
        })
        .collect()
    }

    #[test]
    fn a_smooth_curve_is_found_within_its_own_error() {
        let truth = |x: f64| 5.0 + 3.0 * (0.7 * x).sin();
        let at: Vec<f64> = (0..91).map(|i| f64::from(i) / 10.0).collect();
        let (mut inside, mut all) = (0, 0);
        for seed in 0..10 {
            let found = smooth(&noisy(truth, 0.4, seed), &at).unwrap();
            let near = at.iter().zip(&found.y).zip(&found.sd);
            inside += near
                .filter(|((x, y), sd)| (truth(**x) - **y).abs() < 2.0 * **sd)
                .count();
            all += at.len();
            let worst = at
                .iter()
                .zip(&found.y)
                .map(|(x, y)| (truth(*x) - y).abs())
                .fold(0.0, f64::max);
            assert!(worst < 0.8, "seed {seed}: {worst}");
        }
        let share = f64::from(inside as u32) / all as f64;
        assert!(share > 0.85, "{share}");
    }

    #[test]
    fn two_points_by_hand_and_a_constant() {
        // The kernel and the solution written out for equal points far apart: each keeps s²/(s² + se²).
        let flat = noisy(|_| 2.0, 0.3, 4);
        let found = smooth(&flat, &[0.0, 5.0, 9.0]).unwrap();
        assert!(
            found.y.iter().all(|y| (y - 2.0).abs() < 0.2),
            "{:?}",
            found.y
        );
        // A jump wants a shorter scale than a slope does.
        let jump = smooth(&noisy(|x| if x > 5.0 { 9.0 } else { 0.0 }, 0.1, 1), &[5.0]).unwrap();
        let slope = smooth(&noisy(|x| x, 0.1, 1), &[5.0]).unwrap();
        assert!(
            jump.length < 0.3 * slope.length,
            "{} {}",
            jump.length,
            slope.length
        );
        // Planted fault: errors that are too small take noise for signal, and follow it.
        let mut sure = flat.clone();
        sure.iter_mut().for_each(|p| p.se = 1e-3);
        let wild = smooth(&sure, &flat.iter().map(|p| p.x).collect::<Vec<_>>()).unwrap();
        let tame = smooth(&flat, &flat.iter().map(|p| p.x).collect::<Vec<_>>()).unwrap();
        let rough = |s: &Smooth| s.y.windows(2).map(|w| (w[1] - w[0]).abs()).sum::<f64>();
        assert!(rough(&wild) > 5.0 * rough(&tame));
        assert_eq!(smooth(&flat[..3], &[0.0]), None);
    }
}

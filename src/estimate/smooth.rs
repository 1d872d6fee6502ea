//! A smooth curve through estimates with errors: Gaussian-process regression (Rasmussen and Williams
//! 2006, §2.2). It is drawn beside the broken line of [`super::stages`] and decides nothing.
//!
//! y = broken line + f + noise: noise with the standard errors of the points times ν, f a Gaussian process with
//! kernel `s²·exp(−(x − x')²/2ℓ²)`. One length scale cannot follow a jump and what is still at once, so the
//! jumps are left to the line: its knots are given, its values at them are not (explicit basis functions with a
//! vague prior, ibid. §2.7), and the band holds what is unknown of both. ℓ, s and ν ≥ 1 are those of greatest
//! marginal likelihood on a small grid.

use super::stages::Point;
use crate::math::linalg::Cholesky;
use std::f64::consts::TAU;

/// Most points; of more, every n-th is taken.
const MOST: usize = 100;
/// Length scales tried, as shares of the range of x; of equals the first is taken.
const LENGTHS: [f64; 6] = [1.2, 0.6, 0.3, 0.15, 0.07, 0.03];
/// Sizes of f tried, in standard deviations of the points.
const SIZES: [f64; 6] = [0.0, 0.03, 0.1, 0.25, 0.6, 1.2];
/// What the standard errors are multiplied by: errors that are too small would make it follow noise.
const NOISES: [f64; 6] = [1.0, 1.6, 2.5, 4.0, 6.3, 10.0];
/// Standard deviation of the line's value at a knot before anything is known, in those of the points.
const VAGUE: f64 = 3.0;

/// A smooth curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Smooth {
    /// Its value at each x asked for.
    pub y: Vec<f64>,
    /// Its standard deviation there.
    pub sd: Vec<f64>,
    /// ℓ, in units of x.
    pub length: f64,
    /// Log marginal likelihood.
    pub evidence: f64,
}

/// How much each value at the ends and knots counts at x, for a line that is straight between them.
fn hats(x: f64, edges: &[f64]) -> Vec<f64> {
    let mut row = vec![0.0; edges.len()];
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else {
        return row;
    };
    // An end that was rounded may lie a little inside the points.
    let x = x.max(*first).min(*last);
    for (i, e) in edges.windows(2).enumerate() {
        if (e[0]..=e[1]).contains(&x) && e[1] > e[0] {
            let share = (x - e[0]) / (e[1] - e[0]);
            (row[i], row[i + 1]) = (1.0 - share, share);
        }
    }
    row
}

/// The smooth through points (x rising) at the places `at`, about a broken line with its ends and knots at
/// `edges`, rising; of no edges, about a constant. None of fewer than four points, or where nothing can be
/// solved.
#[must_use]
pub fn smooth(points: &[Point], edges: &[f64], at: &[f64]) -> Option<Smooth> {
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
    let rows: Vec<Vec<f64>> = all.iter().map(|p| hats(p.x, edges)).collect();
    let vague = (VAGUE * spread).powi(2);
    let line = |a: &[f64], b: &[f64]| vague * a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut lines = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            lines[i * n + j] = line(&rows[i], &rows[j]);
        }
    }
    let mut best: Option<(f64, f64, f64, Cholesky)> = None;
    for length in LENGTHS.map(|l| l * range) {
        for size in SIZES.map(|s| s * spread) {
            let mut k = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..n {
                    k[i * n + j] = lines[i * n + j] + kernel(all[i].x, all[j].x, length, size);
                }
            }
            for noise in NOISES {
                for i in 0..n {
                    let own = lines[i * n + i] + size * size;
                    k[i * n + i] = own + (noise * all[i].se).powi(2);
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
        let row = hats(x, edges);
        let with = all.iter().zip(&rows);
        let with = with.map(|(p, r)| line(&row, r) + kernel(x, p.x, length, size));
        let with: Vec<f64> = with.collect();
        y.push(mean + with.iter().zip(&solved).map(|(a, b)| a * b).sum::<f64>());
        let taken: f64 = with
            .iter()
            .zip(factor.solve(&with))
            .map(|(a, b)| a * b)
            .sum();
        sd.push((line(&row, &row) + size * size - taken).max(0.0).sqrt());
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

    const ENDS: [f64; 2] = [0.0, 10.0];

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
            let found = smooth(&noisy(truth, 0.4, seed), &ENDS, &at).unwrap();
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
        let found = smooth(&flat, &ENDS, &[0.0, 5.0, 9.0]).unwrap();
        assert!(
            found.y.iter().all(|y| (y - 2.0).abs() < 0.2),
            "{:?}",
            found.y
        );
        // A jump wants a shorter scale than a slope does.
        let high = |x| if x > 5.0 { 9.0 } else { 0.0 };
        let jump = smooth(&noisy(high, 0.1, 1), &ENDS, &[5.0]).unwrap();
        let slope = smooth(&noisy(|x| x, 0.1, 1), &ENDS, &[5.0]).unwrap();
        assert!(
            jump.length < 0.3 * slope.length,
            "{} {}",
            jump.length,
            slope.length
        );
        // Planted fault: errors that are too small take noise for signal, and follow it.
        let mut sure = flat.clone();
        sure.iter_mut().for_each(|p| p.se = 1e-3);
        let wild = smooth(&sure, &ENDS, &flat.iter().map(|p| p.x).collect::<Vec<_>>()).unwrap();
        let tame = smooth(&flat, &ENDS, &flat.iter().map(|p| p.x).collect::<Vec<_>>()).unwrap();
        let rough = |s: &Smooth| s.y.windows(2).map(|w| (w[1] - w[0]).abs()).sum::<f64>();
        assert!(rough(&wild) > 5.0 * rough(&tame));
        assert_eq!(smooth(&flat[..3], &ENDS, &[0.0]), None);
    }

    /// As λ̂ of a transition: still, sparse in ln(step) at first, then a jump and a fall.
    #[test]
    fn a_jump_is_covered_and_bursts_nowhere() {
        let knots = [0.0, 6.1, 6.4, 7.1];
        let heights = [1.0, 6.0, 42.0, 30.0];
        let truth = |x: f64| {
            let row = hats(x, &knots);
            row.iter().zip(&heights).map(|(a, b)| a * b).sum::<f64>()
        };
        let at: Vec<f64> = (0..=90).map(|i| 7.1 * f64::from(i) / 90.0).collect();
        let (mut inside, mut all, mut planted) = (0, 0, 0);
        for seed in 0..10 {
            let mut draws = Draws::new(seed, Stream::Probe, 6);
            let steps = (0..=24).map(|i| 50.0 * f64::from(i));
            let points = steps.map(|s: f64| {
                let (x, se) = (s.ln_1p(), 0.1 + 0.02 * truth(s.ln_1p()));
                let y = truth(x) + 2.0 * se * draws.normal();
                Point { x, y, se }
            });
            let points: Vec<Point> = points.collect();
            let found = smooth(&points, &knots, &at).unwrap();
            let ends = |s: &Smooth| {
                let ends = s.y.iter().zip(&s.sd);
                let ends = ends.map(|(y, sd)| [y - 2.0 * sd, y + 2.0 * sd]);
                ends.collect::<Vec<_>>()
            };
            let bursts = |s: &Smooth| {
                let ends = ends(s);
                // The range of the data is 41: a tenth of it beyond is no burst.
                ends.iter().any(|e| e[0] < -4.0 || e[1] > 50.0)
            };
            assert!(!bursts(&found), "seed {seed}: {:?}", ends(&found));
            let told = at.iter().zip(ends(&found));
            inside += told
                .filter(|(x, e)| (e[0]..=e[1]).contains(&truth(**x)))
                .count();
            all += at.len();
            // Planted fault: about a constant, one length scale follows the jump and bursts elsewhere.
            let constant = smooth(&points, &[], &at).unwrap();
            planted += u32::from(bursts(&constant));
        }
        let share = f64::from(inside as u32) / f64::from(all as u32);
        assert!(share > 0.85, "{share}");
        assert!(planted >= 8, "{planted} of 10");
    }
}

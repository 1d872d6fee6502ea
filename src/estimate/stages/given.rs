//! Stages between boundaries that are given: set by hand, or found at another sampler setting.

use super::{Broken, Point, REPLICATES, Stage, Sums, drawn, fit_at, honest, kind, sound};
use crate::math::philox::{Draws, Stream};
use crate::math::stats;

/// The broken line whose knots are those boundaries that the points can tell: a knot with fewer than
/// two points on a side of it is left out.
fn fit(points: &[Point], inner: &[f64]) -> Option<Broken> {
    let sums = Sums::of(points);
    let mut knots: Vec<f64> = Vec::new();
    for &knot in inner {
        knots.push(knot);
        if !sound(&sums, &knots) {
            knots.pop();
        }
    }
    fit_at(&sums, &knots)
}

/// Values at some places of the broken line through the points that has its ends and knots at `edges`,
/// rising; empty of fewer than four points.
#[must_use]
pub fn line(points: &[Point], edges: &[f64], at: &[f64]) -> Vec<f64> {
    let inner = edges
        .get(1..edges.len().saturating_sub(1))
        .unwrap_or_default();
    let found = fit(points, inner).filter(|_| points.len() >= 4);
    found.map_or(Vec::new(), |f| at.iter().map(|&x| f.at(x)).collect())
}

/// By how much a change of the line over a stage misses what the points in it say, a weighted straight line
/// through them alone, beyond twice its own error. Knots that were not found at these points may bend the
/// line where the points do not.
fn astray(points: &[Point], [from, to]: [f64; 2], change: f64) -> f64 {
    let own: Vec<&Point> = (points.iter().filter(|p| (from..=to).contains(&p.x))).collect();
    let sum = |f: &dyn Fn(&Point) -> f64| own.iter().map(|p| f(p) / (p.se * p.se)).sum::<f64>();
    let (weight, mean) = (sum(&|_| 1.0), sum(&|p| p.x) / sum(&|_| 1.0));
    let wide = sum(&|p| (p.x - mean).powi(2));
    if own.len() < 2 || !(weight > 0.0 && wide > 0.0) {
        return 0.0;
    }
    let through = (to - from) * sum(&|p| (p.x - mean) * p.y) / wide;
    let error = (to - from) / wide.sqrt();
    let missed = (change - through).powi(2) - 4.0 * error * error;
    missed.max(0.0).sqrt()
}

/// The stages between `edges` (rising, the ends among them), with the change of λ̂ over each; its error has
/// in it by how much the line goes astray there. A stage that holds fewer than two points is unresolved,
/// whatever the line does there.
#[must_use]
pub fn given(points: &[Point], edges: &[f64], seed: u32) -> Vec<Stage> {
    if points.len() < 4 || edges.len() < 2 {
        return Vec::new();
    }
    let inner = &edges[1..edges.len() - 1];
    let Some(found) = fit(points, inner) else {
        return Vec::new();
    };
    let stated = points;
    let points = honest(points, &found);
    let mut draws = Draws::new(seed, Stream::Probe, 78);
    let mut changes = vec![Vec::new(); edges.len() - 1];
    for _ in 0..REPLICATES {
        let noisy = drawn(&points, &found, &mut draws);
        if let Some(again) = fit_at(&Sums::of(&noisy), &found.knots) {
            for (all, e) in changes.iter_mut().zip(edges.windows(2)) {
                all.push(again.at(e[1]) - again.at(e[0]));
            }
        }
    }
    edges
        .windows(2)
        .zip(&changes)
        .map(|(e, all)| {
            let change = found.at(e[1]) - found.at(e[0]);
            let se = stats::sd(all).hypot(astray(stated, [e[0], e[1]], change));
            let own = points.iter().filter(|p| (e[0]..=e[1]).contains(&p.x));
            let told = own.count() >= 2;
            Stage {
                from: e[0],
                to: e[1],
                end: None,
                change,
                se,
                kind: kind(change, if told { se } else { 0.0 }),
            }
        })
        .collect()
}

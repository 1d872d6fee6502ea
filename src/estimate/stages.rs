//! Stages of a run: a continuous piecewise-linear fit of λ̂ against ln(step), with as many knots as
//! the Bayesian information criterion (G. Schwarz 1978) pays for, and how sure each boundary is.
//!
//! The fit is linear in its values and not in its knots: knots are added one by one where they help
//! most, then moved one at a time until nothing improves.

use crate::math::philox::{Draws, Stream};
use crate::math::{linalg, stats};

/// Most knots that are tried.
const MOST_KNOTS: usize = 6;
/// Least points a knot leaves free: of fewer nobody knows how far they scatter.
const LEFT: f64 = 4.0;
/// Positions a knot is tried at.
const GRID: usize = 120;
/// Bootstrap replicates behind an interval.
const REPLICATES: u32 = 200;

/// One observation: where, what, and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Position, such as ln(step + 1); rising.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// Standard error, positive.
    pub se: f64,
}

/// A continuous broken line.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// Positions of the knots, rising, the ends not among them.
    pub knots: Vec<f64>,
    /// Value at x = 0 and slope before the first knot, then the change of slope at each.
    coefficients: Vec<f64>,
    /// Σ ((y − fit)/se)².
    pub chi_sq: f64,
}

impl Broken {
    /// Its value.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        basis(x, &self.knots)
            .iter()
            .zip(&self.coefficients)
            .map(|(b, c)| b * c)
            .sum()
    }
}

/// What λ̂ does in a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// λ̂ rises.
    A,
    /// λ̂ falls.
    B,
    /// The data cannot tell.
    Unresolved,
}

/// A piece of the curve between two boundaries.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Where it begins and ends.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// 90 % interval of where it ends; none at the end of the data.
    pub end: Option<(f64, f64)>,
    /// Change of the fitted λ̂ over it.
    pub change: f64,
    /// Its standard error, over bootstrap replicates.
    pub se: f64,
    /// What λ̂ does.
    pub kind: Type,
}

fn basis(x: f64, knots: &[f64]) -> Vec<f64> {
    let mut row = vec![1.0, x];
    row.extend(knots.iter().map(|k| (x - k).max(0.0)));
    row
}

/// Points with the running sums a least-squares fit needs, so that a fit costs the same for any
/// number of points: row i holds Σ over points i.. of w, wx, wx², wy, wxy, with w = 1/se².
struct Sums {
    x: Vec<f64>,
    tails: Vec<[f64; 5]>,
    /// Σ w·y².
    yy: f64,
}

impl Sums {
    fn of(points: &[Point]) -> Self {
        let mut tails = vec![[0.0; 5]; points.len() + 1];
        for (i, p) in points.iter().enumerate().rev() {
            let w = p.se.powi(-2);
            let own = [w, w * p.x, w * p.x * p.x, w * p.y, w * p.x * p.y];
            tails[i] = std::array::from_fn(|k| tails[i + 1][k] + own[k]);
        }
        Self {
            x: points.iter().map(|p| p.x).collect(),
            tails,
            yy: points.iter().map(|p| (p.y / p.se).powi(2)).sum(),
        }
    }
    /// Points before `x`.
    fn before(&self, x: f64) -> usize {
        self.x.partition_point(|&p| p < x)
    }
    fn len(&self) -> usize {
        self.x.len()
    }
    fn first(&self) -> f64 {
        self.x[0]
    }
    fn last(&self) -> f64 {
        self.x[self.len() - 1]
    }
}

/// Weighted least squares at given knots; none if it is singular.
fn fit_at(points: &Sums, knots: &[f64]) -> Option<Broken> {
    // Every column is a·1 + b·x from some point on: 1, x, then (x − k) beyond each knot.
    let mut columns = vec![(0, 1.0, 0.0), (0, 0.0, 1.0)];
    columns.extend(knots.iter().map(|&k| (points.before(k), -k, 1.0)));
    let p = columns.len();
    let (mut normal, mut right) = (vec![0.0; p * p], vec![0.0; p]);
    for (i, &(from, a, b)) in columns.iter().enumerate() {
        for (j, &(other, c, d)) in columns.iter().enumerate().take(i + 1) {
            let t = &points.tails[from.max(other)];
            let sum = a * c * t[0] + (a * d + b * c) * t[1] + b * d * t[2];
            (normal[i * p + j], normal[j * p + i]) = (sum, sum);
        }
        let t = &points.tails[from];
        right[i] = a * t[3] + b * t[4];
    }
    let coefficients = linalg::solve(&normal, &right)?;
    let explained: f64 = coefficients.iter().zip(&right).map(|(c, r)| c * r).sum();
    Some(Broken {
        knots: knots.to_vec(),
        coefficients,
        chi_sq: (points.yy - explained).max(0.0),
    })
}

/// Whether every segment holds two points at least, so that none follows a single one.
fn sound(points: &Sums, knots: &[f64]) -> bool {
    let mut edges = vec![0];
    edges.extend(knots.iter().map(|&k| points.before(k)));
    edges.push(points.len());
    edges.windows(2).all(|e| e[1] >= e[0] + 2)
}

/// The best position of knot `which` with the others held, on a grid of `from..to`.
fn best_position(
    points: &Sums,
    knots: &[f64],
    which: usize,
    from: f64,
    to: f64,
    n: usize,
) -> Option<Broken> {
    let mut best: Option<Broken> = None;
    for i in 1..n {
        let mut tried = knots.to_vec();
        tried[which] = from + (to - from) * i as f64 / n as f64;
        crate::math::order::ascending(&mut tried);
        if !sound(points, &tried) {
            continue;
        }
        if let Some(fit) = fit_at(points, &tried)
            && best.as_ref().is_none_or(|b| fit.chi_sq < b.chi_sq)
        {
            best = Some(fit);
        }
    }
    best
}

/// Moves one knot at a time until nothing improves: between its neighbours, on grids ever finer.
fn refined(points: &Sums, mut fit: Broken, grid: usize) -> Broken {
    let (first, last) = (points.first(), points.last());
    for _ in 0..20 {
        let before = fit.chi_sq;
        for which in 0..fit.knots.len() {
            let left = if which == 0 {
                first
            } else {
                fit.knots[which - 1]
            };
            let right = fit.knots.get(which + 1).copied().unwrap_or(last);
            let (mut from, mut to) = (left, right);
            for _ in 0..2 {
                if let Some(better) = best_position(points, &fit.knots, which, from, to, grid)
                    && better.chi_sq < fit.chi_sq
                {
                    fit = better;
                }
                let width = (to - from) / grid as f64;
                (from, to) = (
                    (fit.knots[which] - width).max(left),
                    (fit.knots[which] + width).min(right),
                );
            }
        }
        if fit.chi_sq > before * (1.0 - 1e-6) {
            break;
        }
    }
    fit
}

/// Points a fit leaves free: a level and a slope, and for each knot a slope and a position that is searched
/// for, which fits noise as two parameters do.
fn free(n: usize, knots: usize) -> f64 {
    n as f64 - 2.0 - 3.0 * knots as f64
}

/// What the stated errors have to be multiplied by, so that what the fit leaves over of its points has the
/// size they state, on average over what that size can be (the variance of few points is told badly: its mean
/// given them is χ² over two fewer than are free); never less than 1. The fit must be to the points with
/// their stated errors.
fn scale(fit: &Broken, n: usize) -> f64 {
    let free = (free(n, fit.knots.len()) - 2.0).max(1.0);
    (fit.chi_sq / free).sqrt().max(1.0)
}

/// −2 ln of the likelihood, with errors as much larger than stated as the fit itself needs (J. Liu, S. Wu and
/// J. V. Zidek 1997, "On segmented multivariate regression", where they are not known at all), plus ln n for
/// each parameter: a level, a slope, and three for each knot, whose position is searched for and so fits noise
/// better than a parameter does (N. R. Zhang and D. O. Siegmund 2007, "A modified Bayes information criterion").
fn criterion(fit: &Broken, n: usize) -> f64 {
    let (widened, n) = (scale(fit, n).powi(2), n as f64);
    n * widened.ln() + fit.chi_sq / widened + (2.0 + 3.0 * fit.knots.len() as f64) * n.ln()
}

/// The broken line the criterion chooses. `points` rise in x; none of fewer than four.
#[must_use]
pub fn fit(points: &[Point]) -> Option<Broken> {
    if points.len() < 4 {
        return None;
    }
    let points = &Sums::of(points);
    let (first, last) = (points.first(), points.last());
    let mut current = fit_at(points, &[])?;
    let mut best = current.clone();
    for count in 1..=MOST_KNOTS {
        if free(points.len(), count) < LEFT {
            break;
        }
        let mut knots = current.knots.clone();
        knots.push(0.5 * (first + last));
        let Some(added) = best_position(points, &knots, count - 1, first, last, GRID) else {
            break;
        };
        current = refined(points, added, 24);
        if criterion(&current, points.len()) < criterion(&best, points.len()) {
            best = current.clone();
        }
    }
    Some(best)
}

/// The points with errors widened by [`scale`]: a fit far from its points in stated errors does not become
/// sure of itself. `fit` is the fit to these same points: one to points that are widened already leaves over
/// what their errors say, and would widen nothing.
fn honest(points: &[Point], fit: &Broken) -> Vec<Point> {
    let scale = scale(fit, points.len());
    points
        .iter()
        .map(|p| Point {
            se: p.se * scale,
            ..*p
        })
        .collect()
}

/// The fit at the points, with noise of their errors.
fn drawn(points: &[Point], fit: &Broken, draws: &mut Draws) -> Vec<Point> {
    let noisy = |p: &Point| Point {
        y: fit.at(p.x) + p.se * draws.normal(),
        ..*p
    };
    points.iter().map(noisy).collect()
}

/// Stages between the knots of the fit, with intervals from a parametric bootstrap: new noise of the
/// errors, widened by [`scale`], around the fit, knots found again from where they were.
#[must_use]
pub fn stages(points: &[Point], seed: u32) -> Vec<Stage> {
    let Some(found) = fit(points) else {
        return Vec::new();
    };
    let points = honest(points, &found);
    let mut draws = Draws::new(seed, Stream::Probe, 77);
    let count = found.knots.len();
    let mut edges = vec![points[0].x];
    edges.extend(&found.knots);
    edges.push(points[points.len() - 1].x);
    let (mut ends, mut changes) = (vec![Vec::new(); count], vec![Vec::new(); count + 1]);
    for _ in 0..REPLICATES {
        let sums = Sums::of(&drawn(&points, &found, &mut draws));
        let Some(start) = fit_at(&sums, &found.knots) else {
            continue;
        };
        let again = refined(&sums, start, 12);
        for (all, knot) in ends.iter_mut().zip(&again.knots) {
            all.push(*knot);
        }
        for (i, all) in changes.iter_mut().enumerate() {
            all.push(again.at(edges[i + 1]) - again.at(edges[i]));
        }
    }
    (0..=count)
        .map(|i| {
            let change = found.at(edges[i + 1]) - found.at(edges[i]);
            let se = stats::sd(&changes[i]);
            Stage {
                from: edges[i],
                to: edges[i + 1],
                end: ends.get(i).map(|all| interval(all)),
                change,
                se,
                kind: kind(change, se),
            }
        })
        .collect()
}

/// Standard errors by which λ̂ must change over a stage to be called rising or falling: three, as the
/// boundaries were chosen to set the stages apart, and there are several of them.
const SURE: f64 = 3.0;

/// What λ̂ does; an error of 0 is none that is known.
fn kind(change: f64, se: f64) -> Type {
    if !(se > 0.0 && change.abs() > SURE * se) {
        Type::Unresolved
    } else if change > 0.0 {
        Type::A
    } else {
        Type::B
    }
}

/// The middle 90 %.
fn interval(values: &[f64]) -> (f64, f64) {
    let mut v = values.to_vec();
    crate::math::order::ascending(&mut v);
    let at = |q: f64| {
        let last = v.len().saturating_sub(1);
        v.get((q * last as f64).round() as usize)
            .copied()
            .unwrap_or(f64::NAN)
    };
    (at(0.05), at(0.95))
}

mod given;
pub use given::{given, line};

#[cfg(test)]
mod tests;

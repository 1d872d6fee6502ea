//! The toy model of superposition in closed form: k-gons, their levels, the exact population loss.
//!
//! y = ReLU(WᵀWx + b), W `[2, c]`, b `[c]`; x = u·e_i with i uniform on 0..c and u uniform on [0, 1].
//! The loss is E Σ_j (x_j − y_j)², without a ½ (Chen et al. 2023, arXiv 2310.06301). Parameters of a
//! replica are W row-major, then b: 3c numbers.

use crate::tensor::Arena;
use std::f64::consts::TAU;

/// Hidden size.
pub const HIDDEN: usize = 2;

/// A column shorter than this counts as dead: active ones are about 1 long, dead ones about 0.
const ACTIVE: f64 = 0.5;

/// Length and bias of the columns of a regular k-gon, and its cost h_k: minima of
/// the population loss over regular k-gons at c = k (up to 8 they agree with the table of
/// Chen et al. to the digits given there).
const KGONS: [(usize, f64, f64, f64); 8] = [
    (3, 1.0, 0.0, 0.0),
    (4, 1.0, 0.0, 0.0),
    (5, 1.170_459_64, -0.282_297_29, 0.237_384_406),
    (6, 1.320_526_33, -0.618_135_13, 0.867_462_769),
    (7, 1.448_393_73, -0.966_906_29, 1.748_695_083),
    (8, 1.550_449_71, -1.291_192_70, 2.773_102_434),
    (9, 1.617_110_83, -1.542_320_88, 3.871_680_752),
    (10, 1.618_034_13, -1.618_034_38, 5.0),
];

/// The regular k-gon: length of its columns, bias of its features, cost h_k.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gon {
    /// l*.
    pub length: f64,
    /// b*.
    pub bias: f64,
    /// h_k in L(k, c) = (h_k + c − k) / 3c.
    pub cost: f64,
}

/// The regular k-gon, for k in 3..=10 (others are taken as the nearest of these).
#[must_use]
pub fn kgon(k: usize) -> Gon {
    let (_, length, bias, cost) = KGONS[k.clamp(3, 10) - 3];
    Gon { length, bias, cost }
}

/// L(k, c) with `plus` of the c − k dead features at bias +1/(2c): (h_k + c − k)/3c − plus/4c².
#[must_use]
pub fn level(k: usize, c: usize, plus: usize) -> f64 {
    let (cost, dead, c) = (kgon(k).cost, c as f64 - k as f64, c as f64);
    (cost + dead) / (3.0 * c) - plus as f64 / (4.0 * c * c)
}

/// Names of the parameters of one replica.
#[must_use]
pub fn arena(features: usize) -> Arena {
    let mut arena = Arena::default();
    arena.push("W", &[HIDDEN, features]);
    arena.push("b", &[features]);
    arena
}

/// The mask bit of each parameter: 0 of W, 1 of b.
#[must_use]
pub fn groups(features: usize) -> Vec<u32> {
    (0..3 * features)
        .map(|i| u32::from(i >= 2 * features))
        .collect()
}

/// Parts that may move alone.
pub const PARTS: &[&str] = &["all", "W", "b"];

/// Mask of the groups of a part.
#[must_use]
pub fn mask(part: &str) -> u64 {
    match part {
        "W" => 1,
        "b" => 2,
        _ => !0,
    }
}

/// A regular k-gon of the first `k` of `c` features turned by `angle` radians; the other features
/// are dead, W_i = 0, with bias `dead`.
#[must_use]
pub fn regular(k: usize, c: usize, angle: f64, dead: f64) -> Vec<f64> {
    let gon = kgon(k);
    let mut w = vec![0.0; 3 * c];
    for i in 0..c {
        if i < k {
            let (sin, cos) = (angle + TAU * i as f64 / k as f64).sin_cos();
            w[i] = gon.length * cos;
            w[c + i] = gon.length * sin;
        }
        w[2 * c + i] = if i < k { gon.bias } else { dead };
    }
    w
}

/// ∫ (p·u + q)² du from `s` to `t`.
fn square(p: f64, q: f64, s: f64, t: f64) -> f64 {
    p * p * (t.powi(3) - s.powi(3)) / 3.0 + p * q * (t * t - s * s) + q * q * (t - s)
}

/// The part of 0..1 on which a·u + b > 0.
fn positive(a: f64, b: f64) -> (f64, f64) {
    let zero = (-b / a).clamp(0.0, 1.0);
    if a == 0.0 {
        (0.0, if b > 0.0 { 1.0 } else { 0.0 })
    } else if a > 0.0 {
        (zero, 1.0)
    } else {
        (0.0, zero)
    }
}

/// The population loss of weights `[W (2 × c), b (c)]`, exact: on each piece of 0..1 where an
/// output is on or off the integrand is the square of a line. NaN if a weight is not finite.
#[must_use]
pub fn population_loss(c: usize, w: &[f64]) -> f64 {
    if !w.iter().all(|x| x.is_finite()) {
        return f64::NAN;
    }
    let (wx, wy, b) = (&w[..c], &w[c..2 * c], &w[2 * c..3 * c]);
    let mut sum = 0.0;
    for i in 0..c {
        for j in 0..c {
            let a = wx[j] * wx[i] + wy[j] * wy[i];
            let x = if i == j { 1.0 } else { 0.0 };
            let (s, t) = positive(a, b[j]);
            sum += square(x - a, -b[j], s, t) + square(x, 0.0, 0.0, s) + square(x, 0.0, t, 1.0);
        }
    }
    sum / c as f64
}

/// The outputs for x = u·e_i, appended.
pub fn outputs(c: usize, w: &[f64], i: usize, u: f64, out: &mut Vec<f32>) {
    let (hx, hy) = (u * w[i], u * w[c + i]);
    out.extend((0..c).map(|j| (w[j] * hx + w[c + j] * hy + w[2 * c + j]).max(0.0) as f32));
}

/// What k-gon weights are at: the number of columns of W that are corners of their convex hull and
/// longer than half, then a `+` for each shorter column with a positive bias, such as `4++`.
/// Fewer than three corners are no polygon: `–`.
#[must_use]
pub fn gon(c: usize, w: &[f64]) -> String {
    let mut columns: Vec<[f64; 2]> = (0..c).map(|i| [w[i], w[c + i]]).collect();
    let plus = (0..c)
        .filter(|&i| columns[i][0].hypot(columns[i][1]) < ACTIVE && w[2 * c + i] > 0.0)
        .count();
    columns.retain(|p| p[0].hypot(p[1]) >= ACTIVE);
    match corners(columns) {
        k @ 3.. => format!("{k}{}", "+".repeat(plus)),
        _ => "–".into(),
    }
}

/// Corners of the convex hull of points in the plane (Andrew's monotone chain).
fn corners(mut points: Vec<[f64; 2]>) -> usize {
    crate::math::order::sort_by(&mut points, |p, q| {
        p[0].total_cmp(&q[0]).then(p[1].total_cmp(&q[1]))
    });
    points.dedup();
    if points.len() < 3 {
        return points.len();
    }
    let turn = |o: [f64; 2], p: [f64; 2], q: [f64; 2]| {
        (p[0] - o[0]) * (q[1] - o[1]) - (p[1] - o[1]) * (q[0] - o[0])
    };
    let chain = |points: &mut dyn Iterator<Item = [f64; 2]>| {
        let mut hull: Vec<[f64; 2]> = Vec::new();
        for p in points {
            while hull.len() >= 2 && turn(hull[hull.len() - 2], hull[hull.len() - 1], p) <= 0.0 {
                hull.pop();
            }
            hull.push(p);
        }
        hull.len() - 1
    };
    chain(&mut points.iter().copied()) + chain(&mut points.iter().rev().copied())
}

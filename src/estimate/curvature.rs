//! The curvature of the loss at w*, from gradients alone: its greatest eigenvalue by Lanczos
//! iteration (C. Lanczos 1950), its trace by Hutchinson's estimator (M. F. Hutchinson 1990), each
//! from Hessian-vector products taken as central differences of the gradient,
//! Hv ≈ (∇L(w* + δv) − ∇L(w* − δv))/2δ (B. A. Pearlmutter 1994 gives the exact product).
//!
//! Knows no model and no device: it hands out unit directions and takes products back.

use crate::math::philox::{Draws, Stream};
use crate::math::{linalg, stats};

/// Distance of the two points of a central difference, relative to ‖w*‖: large enough for f32
/// gradients to differ, small enough for the third derivative not to count.
const RELATIVE: f64 = 1e-3;

/// δ for a w* of that norm.
#[must_use]
pub fn spacing(norm: f64) -> f64 {
    RELATIVE * if norm > 0.0 { norm } else { 1.0 }
}

/// Lanczos iteration with full reorthogonalisation.
#[derive(Clone, Debug)]
pub struct Lanczos {
    /// Orthonormal directions so far; the last has no product yet.
    basis: Vec<Vec<f64>>,
    /// Diagonal and off-diagonal of the tridiagonal matrix.
    alpha: Vec<f64>,
    beta: Vec<f64>,
}

impl Lanczos {
    /// Begins in a random direction of the dimensions that move, a function of the seed.
    #[must_use]
    pub fn new(moves: &[bool], seed: u32) -> Self {
        let mut draws = Draws::new(seed, Stream::Probe, 1);
        let mut v: Vec<f64> = moves
            .iter()
            .map(|&m| if m { draws.normal() } else { 0.0 })
            .collect();
        scale(&mut v, 1.0);
        Self {
            basis: vec![v],
            alpha: Vec::new(),
            beta: Vec::new(),
        }
    }

    /// The unit direction whose product is wanted; none when the space is exhausted.
    #[must_use]
    pub fn direction(&self) -> Option<&[f64]> {
        (self.basis.len() > self.alpha.len())
            .then(|| self.basis.last().map(Vec::as_slice))
            .flatten()
    }

    /// Takes the product of the Hessian with [`Lanczos::direction`]. A product that is not finite
    /// ends the iteration.
    pub fn push(&mut self, product: &[f64]) {
        let Some(v) = self.direction() else { return };
        let a = dot(v, product);
        if !a.is_finite() {
            self.basis.pop();
            return;
        }
        self.alpha.push(a);
        let mut rest = product.to_vec();
        // Twice is enough (B. N. Parlett 1980).
        for _ in 0..2 {
            for b in &self.basis {
                let c = dot(b, &rest);
                rest.iter_mut().zip(b).for_each(|(r, b)| *r -= c * b);
            }
        }
        let norm = dot(&rest, &rest).sqrt();
        let size = self.alpha.iter().fold(0.0f64, |m, a| m.max(a.abs()));
        if norm > 1e-9 * size.max(f64::MIN_POSITIVE) && self.basis.len() < rest.len() {
            self.beta.push(norm);
            rest.iter_mut().for_each(|r| *r /= norm);
            self.basis.push(rest);
        }
    }

    /// Products taken so far.
    #[must_use]
    pub fn products(&self) -> usize {
        self.alpha.len()
    }

    /// The greatest Ritz value; NaN before the first product.
    #[must_use]
    pub fn top(&self) -> f64 {
        let n = self.alpha.len();
        let mut t = vec![0.0; n * n];
        for i in 0..n {
            t[i * n + i] = self.alpha[i];
            if i + 1 < n {
                t[i * n + i + 1] = self.beta[i];
                t[(i + 1) * n + i] = self.beta[i];
            }
        }
        linalg::top_eigen(&t, n, 1)
            .first()
            .map_or(f64::NAN, |pair| pair.0)
    }
}

/// A Rademacher direction over the n dimensions that move, of unit length: n·(vᵀHv) has mean tr H.
#[must_use]
pub fn probe(moves: &[bool], seed: u32, index: u32) -> Vec<f64> {
    let mut draws = Draws::new(seed, Stream::Probe, 2 + index);
    let n = moves.iter().filter(|&&m| m).count();
    let size = 1.0 / (n.max(1) as f64).sqrt();
    let mut bits = 0u32;
    let signed = |(i, &moves): (usize, &bool)| {
        if i % 32 == 0 {
            bits = draws.word();
        }
        match (moves, (bits >> (i % 32)) & 1) {
            (false, _) => 0.0,
            (true, 0) => size,
            (true, _) => -size,
        }
    };
    moves.iter().enumerate().map(signed).collect()
}

/// Mean and standard error of n·vᵀHv over probes.
#[must_use]
pub fn trace(n: usize, quadratic_forms: &[f64]) -> (f64, f64) {
    let scaled: Vec<f64> = quadratic_forms.iter().map(|q| q * n as f64).collect();
    let se = stats::sd(&scaled) / (scaled.len() as f64).sqrt();
    (stats::mean(&scaled), se)
}

/// Σ a_i·b_i.
#[must_use]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn scale(v: &mut [f64], to: f64) {
    let norm = dot(v, v).sqrt();
    if norm > 0.0 {
        v.iter_mut().for_each(|x| *x *= to / norm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eigenvalues n, n − 1, … 1, then a few negative ones, rotated by a Householder reflection.
    fn product(v: &[f64]) -> Vec<f64> {
        let n = v.len();
        let mut u: Vec<f64> = (0..n).map(|i| ((i * 7 + 3) % 11) as f64 - 4.0).collect();
        scale(&mut u, 1.0);
        let reflect = |x: &[f64]| -> Vec<f64> {
            let c = 2.0 * dot(&u, x);
            x.iter().zip(&u).map(|(x, u)| x - c * u).collect()
        };
        let mut x = reflect(v);
        for (i, x) in x.iter_mut().enumerate() {
            *x *= eigenvalue(i, n);
        }
        reflect(&x)
    }

    fn eigenvalue(i: usize, n: usize) -> f64 {
        // One outlier above a bulk, and a negative end of greater magnitude.
        match i {
            0 => 30.0,
            1 => -50.0,
            _ => i as f64 / n as f64,
        }
    }

    #[test]
    fn twelve_products_find_the_greatest_eigenvalue_and_not_the_largest_magnitude() {
        let mut lanczos = Lanczos::new(&[true; 400], 7);
        for _ in 0..12 {
            let v = lanczos.direction().unwrap().to_vec();
            assert!((dot(&v, &v) - 1.0).abs() < 1e-12);
            lanczos.push(&product(&v));
        }
        assert_eq!(lanczos.products(), 12);
        assert!((lanczos.top() - 30.0).abs() < 1e-6, "{}", lanczos.top());
        // Power iteration would have found the negative end: the check can tell them apart.
        assert!((lanczos.top() + 50.0).abs() > 1.0);
    }

    #[test]
    fn an_exhausted_space_ends_the_iteration() {
        let mut lanczos = Lanczos::new(&[true; 2], 1);
        for _ in 0..4 {
            let Some(v) = lanczos.direction().map(<[f64]>::to_vec) else {
                break;
            };
            lanczos.push(&[3.0 * v[0], 5.0 * v[1]]);
        }
        assert_eq!(lanczos.products(), 2);
        assert!((lanczos.top() - 5.0).abs() < 1e-12);
        let mut broken = Lanczos::new(&[true; 3], 1);
        broken.push(&[f64::NAN; 3]);
        assert!(broken.direction().is_none() && broken.top().is_nan());
    }

    #[test]
    fn the_trace_is_within_its_error() {
        let n = 400;
        let truth: f64 = (0..n).map(|i| eigenvalue(i, n)).sum();
        let forms: Vec<f64> = (0..200)
            .map(|i| {
                let z = probe(&[true; 400], 3, i);
                dot(&z, &product(&z))
            })
            .collect();
        let (mean, se) = trace(n, &forms);
        assert!((mean - truth).abs() < 3.0 * se, "{mean} ± {se}, {truth}");
        // The error is no excuse: without the factor n the trace would be far off it.
        assert!((mean / n as f64 - truth).abs() > 10.0 * se && se < 0.1 * truth);
        assert!(trace(n, &forms[..1]).1.is_nan());
    }
}

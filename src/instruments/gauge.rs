//! Directions of the weights that change nothing: a head only uses the products `W_Q·W_Kᵀ` and
//! `W_V·W_O`, so for any invertible M `[d_head, d_head]`
//!
//! `W_Q → W_Q·M`, `W_K → W_K·M⁻ᵀ` and `W_V → W_V·M`, `W_O → M⁻¹·W_O`
//!
//! leave every output as it is, whatever the data: 2·d_head² exactly flat directions a head.
//!
//! Rotary positions turn queries and keys between the two matrices, plane (j, j + d_head/2) by an angle
//! of its own ([`crate::kernels::rotary`]), so there M must commute with these rotations: in every plane
//! it is `a + b·J`, J the quarter turn. That leaves d_head directions of queries and keys, and all of
//! values and outputs. Smeared keys are mixed by one number a head, which commutes with every M.

use super::circuit::Head;
use crate::math::linalg::{product, transposed};

/// Terms of the exponential's series; it is summed at a 64th of its argument and squared six times.
const TERMS: usize = 16;
const SQUARINGS: i32 = 6;

/// `exp(t·a)` of a matrix `[n, n]`.
fn exponential(a: &[f64], t: f64, n: usize) -> Vec<f64> {
    let small: Vec<f64> = a.iter().map(|x| x * t / 2f64.powi(SQUARINGS)).collect();
    let mut sum: Vec<f64> = (0..n * n)
        .map(|i| f64::from(u8::from(i % n == i / n)))
        .collect();
    let mut term = sum.clone();
    for k in 1..=TERMS {
        term = product(&term, &small, [n, n, n]);
        term.iter_mut().for_each(|x| *x /= k as f64);
        sum.iter_mut().zip(&term).for_each(|(s, x)| *s += x);
    }
    for _ in 0..SQUARINGS {
        sum = product(&sum, &sum, [n, n, n]);
    }
    sum
}

/// Flat directions of a head: of its queries and keys, and of its values and outputs.
#[must_use]
pub fn flat(d_head: usize, rotary: bool) -> [usize; 2] {
    let all = d_head * d_head;
    [if rotary { d_head } else { all }, all]
}

/// The part of `a [n, n]` that commutes with rotary positions, n even, as long as `a` is on average.
#[must_use]
pub fn commuting(a: &[f64], n: usize) -> Vec<f64> {
    let (half, scale) = (n / 2, (n as f64).sqrt() / 2.0);
    let mut out = vec![0.0; n * n];
    for (j, k) in (0..half).map(|j| (j, j + half)) {
        let same = scale * (a[j * n + j] + a[k * n + k]);
        let turn = scale * (a[k * n + j] - a[j * n + k]);
        (out[j * n + j], out[k * n + k]) = (same, same);
        (out[k * n + j], out[j * n + k]) = (turn, -turn);
    }
    out
}

/// The head with one pair of its matrices turned by M = exp(amount·a), `a [d_head, d_head]`: other
/// weights, the same function. `values` turns values and outputs, else queries and keys.
#[must_use]
pub fn turned(head: &Head, values: bool, a: &[f64], amount: f64) -> Head {
    let [d, dh] = head.shape();
    let (m, inverse) = (exponential(a, amount, dh), exponential(a, -amount, dh));
    let times = |w: &[f64], m: &[f64]| product(w, m, [d, dh, dh]);
    let mut out = head.clone();
    if values {
        (out.v, out.o) = (times(&head.v, &m), product(&inverse, &head.o, [dh, dh, d]));
    } else {
        out.q = times(&head.q, &m);
        out.k = times(&head.k, &transposed(&inverse, dh));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Stream;
    use crate::math::philox::Draws;

    const D: usize = 5;
    const DH: usize = 3;

    fn noise(step: u32, n: usize) -> Vec<f64> {
        let mut draws = Draws::new(9, Stream::Probe, step);
        (0..n).map(|_| draws.normal()).collect()
    }
    fn circuits(h: &Head) -> [Vec<f64>; 2] {
        [(&h.q, transposed(&h.k, D)), (&h.v, h.o.clone())].map(|(a, b)| product(a, &b, [D, DH, D]))
    }
    fn far(a: &[f64], b: &[f64]) -> f64 {
        let apart = a.iter().zip(b).map(|(x, y)| (x - y).abs());
        apart.fold(0.0, f64::max)
    }

    #[test]
    fn a_turned_head_has_other_weights_and_the_same_circuits() {
        let w = [0, 1, 2, 3].map(|i| noise(i, D * DH));
        let head = Head::new(w.each_ref().map(Vec::as_slice), D, DH);
        let a = noise(4, DH * DH);
        let keys = turned(&head, false, &a, 0.7);
        let other = turned(&keys, true, &a, 0.7);
        assert_eq!((&keys.v, &keys.o), (&head.v, &head.o));
        assert_eq!((&keys.q, &keys.k), (&other.q, &other.k));
        assert!(far(&head.q, &other.q) > 0.1 && far(&head.o, &other.o) > 0.1);
        for (was, is) in circuits(&head).iter().zip(circuits(&other)) {
            assert!(far(was, &is) < 1e-12, "{}", far(was, &is));
        }
        // Planted fault: the keys turned the way of the queries.
        let mut wrong = other.clone();
        wrong.k = product(&head.k, &exponential(&a, 0.7, DH), [D, DH, DH]);
        assert!(far(&circuits(&head)[0], &circuits(&wrong)[0]) > 0.1);
    }

    /// Rotary positions at distance t.
    fn rotation(t: f64, n: usize) -> Vec<f64> {
        let mut a = vec![0.0; n * n];
        for j in 0..n / 2 {
            let angle = 10_000f64.powf(-2.0 * j as f64 / n as f64);
            (a[(j + n / 2) * n + j], a[j * n + j + n / 2]) = (angle, -angle);
        }
        exponential(&a, t, n)
    }

    #[test]
    fn what_commutes_with_rotations_is_turned_and_counted() {
        const N: usize = 6;
        let a = noise(5, N * N);
        let apart = |a: &[f64]| {
            let m = exponential(a, 0.7, N);
            (1..5).fold(0.0, |most: f64, t| {
                let r = rotation(f64::from(t), N);
                let shape = [N, N, N];
                most.max(far(&product(&m, &r, shape), &product(&r, &m, shape)))
            })
        };
        let flat_one = commuting(&a, N);
        assert!(apart(&flat_one) < 1e-12, "{}", apart(&flat_one));
        assert!(flat_one.iter().any(|x| x.abs() > 0.3));
        // Planted: a general direction.
        assert!(apart(&a) > 0.1);
        // What the basis matrices leave of themselves has as many dimensions as are counted.
        let basis = (0..N * N).map(|i| {
            let mut one = vec![0.0; N * N];
            one[i] = 1.0;
            commuting(&one, N)
        });
        let mut found: Vec<Vec<f64>> = Vec::new();
        for mut v in basis {
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
            for f in &found {
                let by = dot(&v, f);
                v.iter_mut().zip(f).for_each(|(x, y)| *x -= by * y);
            }
            let length = dot(&v, &v).sqrt();
            if length > 1e-9 {
                found.push(v.iter().map(|x| x / length).collect());
            }
        }
        assert_eq!(flat(N, true), [found.len(), N * N]);
        assert_eq!(flat(N, false), [N * N; 2]);
    }

    #[test]
    fn the_exponential_of_a_turn_is_a_rotation() {
        let r = exponential(&[0.0, -1.0, 1.0, 0.0], 0.5, 2);
        let (s, c) = 0.5f64.sin_cos();
        assert!(far(&r, &[c, -s, s, c]) < 1e-14);
    }
}

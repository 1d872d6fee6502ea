//! Directions of the weights that change nothing: a head only uses the products `W_Q·W_Kᵀ` and
//! `W_V·W_O`, so for any invertible M `[d_head, d_head]`
//!
//! `W_Q → W_Q·M`, `W_K → W_K·M⁻ᵀ` and `W_V → W_V·M`, `W_O → M⁻¹·W_O`
//!
//! leave every output as it is, whatever the data: 2·d_head² exactly flat directions a head.

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

/// The head turned by M = exp(amount·a), `a [d_head, d_head]`: other weights, the same function.
#[must_use]
pub fn turned(head: &Head, a: &[f64], amount: f64) -> Head {
    let [d, dh] = head.shape();
    let (m, inverse) = (exponential(a, amount, dh), exponential(a, -amount, dh));
    let times = |w: &[f64], m: &[f64]| product(w, m, [d, dh, dh]);
    let weights = [
        times(&head.q, &m),
        times(&head.k, &transposed(&inverse, dh)),
        times(&head.v, &m),
        product(&inverse, &head.o, [dh, dh, d]),
    ];
    Head::new(weights.each_ref().map(Vec::as_slice), d, dh)
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
        let other = turned(&head, &noise(4, DH * DH), 0.7);
        assert!(far(&head.q, &other.q) > 0.1 && far(&head.o, &other.o) > 0.1);
        for (was, is) in circuits(&head).iter().zip(circuits(&other)) {
            assert!(far(was, &is) < 1e-12, "{}", far(was, &is));
        }
        // Planted fault: the keys turned the way of the queries.
        let mut wrong = other.clone();
        wrong.k = product(
            &head.k,
            &exponential(&noise(4, DH * DH), 0.7, DH),
            [D, DH, DH],
        );
        assert!(far(&circuits(&head)[0], &circuits(&wrong)[0]) > 0.1);
    }

    #[test]
    fn the_exponential_of_a_turn_is_a_rotation() {
        let r = exponential(&[0.0, -1.0, 1.0, 0.0], 0.5, 2);
        let (s, c) = 0.5f64.sin_cos();
        assert!(far(&r, &[c, -s, s, c]) < 1e-14);
    }
}

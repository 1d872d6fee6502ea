//! Composition: how much of what an earlier head writes a later head reads (Elhage et al. 2021).
//!
//! With `W_OV = W_V·W_O` and `W_QK = W_Q·W_Kᵀ`, of head 1 before head 2:
//! Q `‖W_OV¹·W_QK²‖ / (‖W_OV¹‖·‖W_QK²‖)`, K `‖W_OV¹·W_QK²ᵀ‖ / …`, V `‖W_OV¹·W_OV²‖ / (‖W_OV¹‖·‖W_OV²‖)`,
//! Frobenius norms. Random matrices score about 1/√d_model too, and more where their spectra are
//! steep, so each score stands beside its null: the same with `W_OV¹·R` in place of `W_OV¹`, R a random
//! rotation of the residual stream, which keeps both spectra and forgets where head 1 writes.
//! z = (score − mean) / standard deviation over all rotations, from exact moments ([`null`]).
//!
//! All are of the form `‖V¹·(O¹·X)·Yᵀ‖` with (X, Y) = (Q², K²), (K², Q²), (V², O²ᵀ), and with M = O¹·X its
//! square is `tr(Mᵀ·(V¹ᵀV¹)·M·(YᵀY))`: no matrix is larger than d_model × d_head.

use super::circuit::Head;
use crate::math::linalg::{product, transposed};

/// The three kinds, as series call them.
pub const KINDS: [&str; 3] = ["q", "k", "v"];

/// A score beside its null.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The score.
    pub value: f64,
    /// Mean of the null.
    pub mean: f64,
    /// Its standard deviation.
    pub sd: f64,
}

/// A product of two matrices that is never written out: ‖·‖, and the share of its squared norm that lies
/// in one singular direction, Σσ⁴/(Σσ²)² (1/n of n equal ones).
struct Size {
    norm: f64,
    peaked: f64,
}

impl Size {
    /// From the Gram matrices of its factors, `[n, n]`.
    fn of(left: &[f64], right: &[f64], n: usize) -> Self {
        let both = product(left, right, [n, n, n]);
        let back = transposed(&both, n);
        let trace: f64 = both.iter().step_by(n + 1).sum();
        let fourth: f64 = both.iter().zip(&back).map(|(a, b)| a * b).sum();
        Self {
            norm: trace.max(0.0).sqrt(),
            peaked: fourth / (trace * trace),
        }
    }
}

/// Mean and standard deviation of the score `s = ‖A·R·B‖ / (‖A‖·‖B‖)` over rotations R of d dimensions (Haar),
/// from how peaked A and B are. With the squared singular values a and b, `‖A·R·B‖² = Σ aᵢ·Rᵢⱼ²·bⱼ`, and the
/// moments of R are known: E Rᵢⱼ² = 1/d, E Rᵢⱼ⁴ = 3/(d(d+2)), of two in a row or column 1/(d(d+2)), of any other
/// two (d+1)/(d(d−1)(d+2)) (B. Collins and P. Śniady 2006). Those of s² are exact; those of s follow to
/// second order in its spread.
fn null(a: &Size, b: &Size, d: usize) -> (f64, f64) {
    let (d, a, b) = (d as f64, a.peaked, b.peaked);
    let mean = 1.0 / d;
    let second = (3.0 * a * b + a * (1.0 - b) + (1.0 - a) * b) / (d * (d + 2.0))
        + (1.0 - a) * (1.0 - b) * (d + 1.0) / (d * (d - 1.0) * (d + 2.0));
    let variance = (second - mean * mean).max(0.0);
    let spread = variance / (mean * mean);
    (
        mean.sqrt() * (1.0 - spread / 8.0),
        variance.sqrt() / (2.0 * mean.sqrt()),
    )
}

/// What reads in a later head: X, YᵀY and X·Yᵀ.
struct Reader<'a> {
    x: &'a [f64],
    yy: Vec<f64>,
    size: Size,
}

/// The three ways into a head, [`KINDS`] in order; `o` is its Oᵀ.
fn readers<'a>(head: &'a Head, o: &'a [f64]) -> [Reader<'a>; 3] {
    let [d, dh] = head.shape();
    let gram = |w: &[f64]| product(&transposed(w, d), w, [dh, d, dh]);
    [(&head.q, &head.k[..]), (&head.k, &head.q), (&head.v, o)].map(|(x, y)| {
        let yy = gram(y);
        let size = Size::of(&gram(x), &yy, dh);
        Reader { x, yy, size }
    })
}

/// Squared norm from the Gram matrices: `tr(Mᵀ·A·M·B)`, all `[n, n]`.
fn squared(m: &[f64], a: &[f64], b: &[f64], n: usize) -> f64 {
    let am = product(a, m, [n, n, n]);
    let mb = product(m, b, [n, n, n]);
    am.iter().zip(&mb).map(|(x, y)| x * y).sum()
}

/// Scores of every head of `later` with every head of `earlier`:
/// `[earlier][later][kind]`; none where a head writes or reads nothing.
#[must_use]
pub fn scores(earlier: &[Head], later: &[Head]) -> Vec<Vec<[Option<Score>; 3]>> {
    let turned: Vec<Vec<f64>> = (later.iter().map(|h| transposed(&h.o, h.shape()[1]))).collect();
    let later: Vec<_> = later
        .iter()
        .zip(&turned)
        .map(|(h, o)| readers(h, o))
        .collect();
    let row = |head: &Head| {
        let [d, dh] = head.shape();
        let vv = product(&transposed(&head.v, d), &head.v, [dh, d, dh]);
        let oo = product(&head.o, &transposed(&head.o, dh), [dh, d, dh]);
        let own = Size::of(&vv, &oo, dh);
        let one = |reader: &Reader| {
            let m = product(&head.o, reader.x, [dh, d, dh]);
            let over = own.norm * reader.size.norm;
            let value = squared(&m, &vv, &reader.yy, dh).max(0.0).sqrt() / over;
            let (mean, sd) = null(&own, &reader.size, d);
            Some(Score { value, mean, sd }).filter(|s| s.value.is_finite() && s.sd.is_finite())
        };
        later.iter().map(|r| r.each_ref().map(one)).collect()
    };
    earlier.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::math::Stream;
    use crate::math::linalg::rotation;
    use crate::math::philox::Draws;

    const D: usize = 12;
    const DH: usize = 3;

    fn noise(step: u32, n: usize) -> Vec<f64> {
        let mut draws = Draws::new(3, Stream::Probe, step);
        (0..n).map(|_| draws.normal()).collect()
    }
    fn head(step: u32) -> Head {
        let w = [0, 1, 2, 3].map(|i| noise(4 * step + i, D * DH));
        Head::new([&w[0], &w[1], &w[2], &w[3]], D, DH)
    }
    fn norm(x: &[f64]) -> f64 {
        x.iter().map(|x| x * x).sum::<f64>().sqrt()
    }

    /// The definition, with the whole d_model × d_model matrices.
    fn written_out(a: &Head, b: &Head) -> [f64; 3] {
        let full = |x: &[f64], y: &[f64]| product(x, y, [D, DH, D]);
        let (ov, ov2) = (full(&a.v, &a.o), full(&b.v, &b.o));
        let qk = full(&b.q, &transposed(&b.k, D));
        let kq = transposed(&qk, D);
        [&qk, &kq, &ov2].map(|m| norm(&product(&ov, m, [D, D, D])) / norm(&ov) / norm(m))
    }

    #[test]
    fn scores_are_those_of_the_whole_matrices() {
        let (a, b, c) = (head(0), head(1), head(2));
        let all = scores(&[a.clone(), b.clone()], std::slice::from_ref(&c));
        for (found, from) in all.iter().zip([&a, &b]) {
            for (found, want) in found[0].iter().zip(written_out(from, &c)) {
                assert!((found.unwrap().value - want).abs() < 1e-12);
            }
        }
        // Planted fault: Q and K are told apart.
        assert!((all[0][0][0].unwrap().value - written_out(&a, &c)[1]).abs() > 1e-3);
    }

    /// The moments against those of many heads that are turned by hand.
    #[test]
    fn the_null_is_that_of_all_rotations() {
        let (a, mut c) = (head(0), head(2));
        // A spectrum that is steep, so that the null is wide.
        c.k.iter_mut().step_by(DH).for_each(|w| *w *= 4.0);
        let found = scores(std::slice::from_ref(&a), std::slice::from_ref(&c))[0][0];
        let (mut first, mut second) = ([0.0; 3], [0.0; 3]);
        let n = 4000;
        for i in 0..n {
            let r = rotation(D, &mut Draws::new(0, Stream::Probe, i));
            let mut other = a.clone();
            other.o = product(&a.o, &r, [DH, D, D]);
            for (k, s) in written_out(&other, &c).into_iter().enumerate() {
                (first[k], second[k]) = (first[k] + s, second[k] + s * s);
            }
        }
        for (k, found) in found.iter().enumerate() {
            let n = f64::from(n);
            let (s, mean) = (found.unwrap(), first[k] / n);
            let sd = (second[k] / n - mean * mean).sqrt();
            // Of s² the mean is exact: 1/d.
            assert!((second[k] / n * D as f64 - 1.0).abs() < 0.03, "{k}");
            assert!((s.mean / mean - 1.0).abs() < 0.02, "{k}: {s:?} {mean}");
            assert!((s.sd / sd - 1.0).abs() < 0.1, "{k}: {s:?} {sd}");
            // Planted: the null of flat spectra is narrower.
            let flat = |size: &Size| Size {
                peaked: 1.0 / DH as f64,
                ..*size
            };
            let even = flat(&Size::of(&[1.0], &[1.0], 1));
            assert!(null(&even, &even, D).1 < 0.8 * sd, "{k}");
        }
        // Matrices without any direction of their own: nothing depends on R.
        let all = Size {
            norm: 1.0,
            peaked: 1.0 / D as f64,
        };
        let (mean, sd) = null(&all, &all, D);
        assert!((mean * mean * D as f64 - 1.0).abs() < 1e-12 && sd < 1e-7);
    }

    #[test]
    fn a_head_that_reads_what_another_writes_stands_out_and_others_do_not() {
        // Head 2 reads its keys where head 1 writes; queries and values elsewhere.
        let (a, mut b) = (head(0), head(1));
        b.k = transposed(&a.o, DH);
        let z = |s: Option<Score>| s.map(|s| (s.value - s.mean) / s.sd).unwrap();
        let [q, k, v] = scores(std::slice::from_ref(&a), &[b])[0][0].map(z);
        assert!(k > 3.0 && q.abs() < 2.0 && v.abs() < 2.0, "{q} {k} {v}");
        // Random heads: the null is where they are, and 1/√d its size.
        let mut all = Vec::new();
        for step in 10..40 {
            let pair = scores(&[head(2 * step)], &[head(2 * step + 1)]);
            all.extend(pair[0][0].map(Option::unwrap));
        }
        let mean = all.iter().map(|s| z(Some(*s))).sum::<f64>() / all.len() as f64;
        assert!(mean.abs() < 0.35, "{mean}");
        let size = all.iter().map(|s| s.mean).sum::<f64>() / all.len() as f64;
        assert!((size * (D as f64).sqrt() - 1.0).abs() < 0.15, "{size}");
        // A head that writes nothing has no score.
        let silent = Head::new([&a.q, &a.k, &a.v, &[0.0; D * DH]], D, DH);
        assert_eq!(scores(&[silent], &[a])[0][0], [None; 3]);
    }
}

//! Composition: how much of what an earlier head writes a later head reads (Elhage et al. 2021).
//!
//! With `W_OV = W_V·W_O` and `W_QK = W_Q·W_Kᵀ`, of head 1 before head 2:
//! Q `‖W_OV¹·W_QK²‖ / (‖W_OV¹‖·‖W_QK²‖)`, K `‖W_OV¹·W_QK²ᵀ‖ / …`, V `‖W_OV¹·W_OV²‖ / (‖W_OV¹‖·‖W_OV²‖)`,
//! Frobenius norms. Random matrices score about 1/√d_model too, and more where their spectra are
//! steep, so each score stands beside its null: the same with `W_OV¹·R` in place of `W_OV¹`, R a random
//! rotation of the residual stream, which keeps both spectra and forgets where head 1 writes.
//! z = (score − mean) / standard deviation over [`ROTATIONS`] of them.
//!
//! All are of the form `‖V¹·(O¹·R·X)·Yᵀ‖` with (X, Y) = (Q², K²), (K², Q²), (V², O²ᵀ), and with
//! M = O¹·R·X its square is `tr(Mᵀ·(V¹ᵀV¹)·M·(YᵀY))`: no matrix is larger than d_model × d_head.

use super::circuit::Head;
use crate::math::Stream;
use crate::math::linalg::{product, rotation, transposed};
use crate::math::philox::Draws;

/// Rotations of the null.
pub const ROTATIONS: usize = 16;
/// The three kinds, as series call them.
pub const KINDS: [&str; 3] = ["q", "k", "v"];

/// Which rotations, the same for every checkpoint.
#[derive(Clone, Debug)]
pub struct Null {
    rotations: Vec<Vec<f64>>,
}

impl Null {
    /// None: scores alone, of the same bits, for a seventeenth of the work.
    #[must_use]
    pub fn none() -> Self {
        Self {
            rotations: Vec::new(),
        }
    }
    /// Rotations of `d_model` dimensions.
    #[must_use]
    pub fn new(d_model: usize) -> Self {
        let draw = |i| rotation(d_model, &mut Draws::new(0, Stream::Probe, i));
        Self {
            rotations: (0..ROTATIONS as u32).map(draw).collect(),
        }
    }
}

/// A score beside its null.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// The score.
    pub value: f64,
    /// Mean of the null; NaN without one.
    pub mean: f64,
    /// Its standard deviation.
    pub sd: f64,
}

/// What reads in a later head: X once and under every rotation, and YᵀY.
struct Reader {
    x: Vec<Vec<f64>>,
    yy: Vec<f64>,
    norm: f64,
}

/// The three ways into a head, [`KINDS`] in order.
struct Readers([Reader; 3]);

/// Squared norm from the Gram matrices: `tr(Mᵀ·A·M·B)`, all `[n, n]`.
fn squared(m: &[f64], a: &[f64], b: &[f64], n: usize) -> f64 {
    let am = product(a, m, [n, n, n]);
    let mb = product(m, b, [n, n, n]);
    am.iter().zip(&mb).map(|(x, y)| x * y).sum()
}

impl Readers {
    fn of(head: &Head, null: &Null) -> Self {
        let [d, dh] = head.shape();
        let o = transposed(&head.o, dh);
        let reader = |x: &[f64], y: &[f64]| {
            let gram = |w: &[f64]| product(&transposed(w, d), w, [dh, d, dh]);
            let (xx, yy) = (gram(x), gram(y));
            let turned = null.rotations.iter().map(|r| product(r, x, [d, d, dh]));
            let square: f64 = xx.iter().zip(&yy).map(|(a, b)| a * b).sum();
            Reader {
                x: std::iter::once(x.to_vec()).chain(turned).collect(),
                yy,
                norm: square.max(0.0).sqrt(),
            }
        };
        Self([
            reader(&head.q, &head.k),
            reader(&head.k, &head.q),
            reader(&head.v, &o),
        ])
    }
}

/// Scores of every head of `later` with every head of `earlier`:
/// `[earlier][later][kind]`; none where a head writes or reads nothing.
#[must_use]
pub fn scores(earlier: &[Head], later: &[Head], null: &Null) -> Vec<Vec<[Option<Score>; 3]>> {
    let readers: Vec<Readers> = later.iter().map(|h| Readers::of(h, null)).collect();
    let row = |head: &Head| {
        let [d, dh] = head.shape();
        let vv = product(&transposed(&head.v, d), &head.v, [dh, d, dh]);
        let oo = product(&head.o, &transposed(&head.o, dh), [dh, d, dh]);
        let square: f64 = vv.iter().zip(&oo).map(|(a, b)| a * b).sum();
        let norm = square.max(0.0).sqrt();
        let one = |reader: &Reader| {
            let over = norm * reader.norm;
            let share = |x: &Vec<f64>| {
                let m = product(&head.o, x, [dh, d, dh]);
                squared(&m, &vv, &reader.yy, dh).max(0.0).sqrt() / over
            };
            let all: Vec<f64> = reader.x.iter().map(share).collect();
            let (&value, null) = all.split_first().filter(|_| over > 0.0)?;
            let n = null.len() as f64;
            let mean = null.iter().sum::<f64>() / n;
            let square: f64 = null.iter().map(|x| (x - mean).powi(2)).sum();
            let sd = (square / (n - 1.0)).sqrt();
            let known = sd.is_finite() || null.is_empty();
            Some(Score { value, mean, sd }).filter(|s| s.value.is_finite() && known)
        };
        readers.iter().map(|r| r.0.each_ref().map(one)).collect()
    };
    earlier.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
        let null = Null::new(D);
        let all = scores(&[a.clone(), b.clone()], std::slice::from_ref(&c), &null);
        for (found, from) in all.iter().zip([&a, &b]) {
            for (found, want) in found[0].iter().zip(written_out(from, &c)) {
                assert!((found.unwrap().value - want).abs() < 1e-12);
            }
        }
        // Planted fault: Q and K are told apart.
        assert!((all[0][0][0].unwrap().value - written_out(&a, &c)[1]).abs() > 1e-3);
        // The null is that of rotated heads, by its definition.
        let turned: Vec<f64> = null
            .rotations
            .iter()
            .map(|r| {
                let mut other = a.clone();
                other.o = product(&a.o, r, [DH, D, D]);
                written_out(&other, &c)[1]
            })
            .collect();
        let k = all[0][0][1].unwrap();
        let mean = turned.iter().sum::<f64>() / ROTATIONS as f64;
        assert!((k.mean - mean).abs() < 1e-12 && k.sd > 0.0);
    }

    #[test]
    fn a_head_that_reads_what_another_writes_stands_out_and_others_do_not() {
        // Head 2 reads its keys where head 1 writes; queries and values elsewhere.
        let (a, mut b) = (head(0), head(1));
        b.k = transposed(&a.o, DH);
        let null = Null::new(D);
        let z = |s: Option<Score>| s.map(|s| (s.value - s.mean) / s.sd).unwrap();
        let [q, k, v] = scores(std::slice::from_ref(&a), &[b], &null)[0][0].map(z);
        assert!(k > 3.0 && q.abs() < 2.0 && v.abs() < 2.0, "{q} {k} {v}");
        // Random heads: the null is where they are, and 1/√d its size.
        let mut all = Vec::new();
        for step in 10..40 {
            let pair = scores(&[head(2 * step)], &[head(2 * step + 1)], &null);
            all.extend(pair[0][0].map(Option::unwrap));
        }
        let mean = all.iter().map(|s| z(Some(*s))).sum::<f64>() / all.len() as f64;
        assert!(mean.abs() < 0.35, "{mean}");
        let size = all.iter().map(|s| s.mean).sum::<f64>() / all.len() as f64;
        assert!((size * (D as f64).sqrt() - 1.0).abs() < 0.15, "{size}");
        // A head that writes nothing has no score.
        let silent = Head::new([&a.q, &a.k, &a.v, &[0.0; D * DH]], D, DH);
        assert_eq!(scores(&[silent], &[a], &null)[0][0], [None; 3]);
    }
}
